"""Claims of essays and their evidence: placed in the text, shown to readers, kept by editors, carried by files."""

import io
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb.archive import bring_in, export
from peacekb.models import (
    Case,
    Claim,
    Contribution,
    Edition,
    Evidence,
    Membership,
    Page,
    Participation,
    Result,
    Section,
    Source,
    Stance,
)
from peacekb.publishing import publish, publish_many, rebuild, restore, withdraw
from peacekb.text.compose import compose
from peacekb.text.cutting import pieces, solid, solid_in_html
from peacekb.text.sentences import most_alike, sentence_spans
from peacekb.text.vocabulary import Vocabulary

from .factories import claim, draft_article, published, published_article, published_concept, source

pytestmark = pytest.mark.django_db

TREATIES = "Envoys have negotiated treaties in many places."
TROOPS = "The members send troops."
TEXT = f"""It began early. {TREATIES} Others watched.

## Later

Nothing was said. {TROOPS}[^1]

[^1]: A note. {TREATIES}"""


@pytest.fixture
def essay():
    return published_article(title="On envoys", slug="on-envoys", source=TEXT)


def case(title, result="held", **values):
    facts = {"conflict": "A border war", "region": "africa", "start_year": 1998, "end_year": 2000, "result": result}
    return published("case", title=title, **{**facts, **values})


@pytest.fixture
def three_sides(essay):
    """A claim with a case for it, one that qualifies it and one against it."""
    return claim(
        essay,
        TREATIES,
        ("supports", case("The held accord"), "It held in 1999."),
        ("qualifies", case("The half accord", "partly-held"), "It held in part."),
        ("contradicts", case("The broken accord", "collapsed"), "It broke down in 2001."),
    )


def rewrite(essay, text, **values):
    essay.refresh_from_db()
    essay.source = text
    for name, value in values.items():
        setattr(essay, name, value)
    essay.save()
    publish(essay)


def shown(client, address="/articles/on-envoys/"):
    response = client.get(address)
    assert response.status_code == 200
    return response.text


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def essay_in(page):
    """Give the part of a page that holds the text of the essay."""
    return page[page.index('<div class="essay"') : page.index('<aside class="rail"')]


# --- where a sentence ends in the HTML ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("One ends. Two ends here. Three.", "Two ends here."),
        ("One. *Two ends here.* Three.", "Two ends here.</em>"),
        ("One. **So *two ends here.*** Three.", "here.</em></strong>"),
        ("One. [Two ends here. And more](https://example.org) goes on.", "And more</a>"),
        ("One. Two ends here.[^1] Three.\n\n[^1]: A note.", "</sup>"),
        ("A &amp; B < C. “Two ends here.” Three.", "here.”"),
        ("One.\nTwo\nends  here.\nThree.", "here."),
        ("- One.\n- Two ends here.\n- Three.", "here."),
        ("![Talks](https://example.org/p.png) One. Two ends here. Three.", "here."),
        ("واحد. Two ends here. ثلاثة.", "here."),
    ],
)
def test_a_sentence_is_cut_behind_what_belongs_to_it(source, before):
    section = compose(source, Vocabulary()).sections[0]
    end = next(end for start, end in sentence_spans(section.text) if "ends" in section.text[start:end].split())
    parts = pieces(section.html, [solid(section.text[:end])])
    assert [part.ended for part in parts if part.ended] == [(0,)]
    assert parts[0].html.endswith(before)
    assert "".join(part.html for part in parts) == section.html
    last = next(part for part in parts if part.closed)
    assert last.html.endswith(("</p>", "</div>"))


def test_text_and_html_of_a_section_have_the_same_characters():
    table, note = "| a | b |\n|---|---|\n| 1 | 2 |", "> Said so.[^1]\n\n[^1]: By *whom*?"
    section = compose(f"# A\n\nSome `code` & <c>.\n\n{table}\n\n{note}", Vocabulary()).sections[0]
    assert solid_in_html(section.html) + solid_in_html(section.notes_html) == solid(section.text)


def test_the_sentence_most_like_another_one_is_found_and_none_where_none_is():
    others = ["The troops came late.", "Envoys have negotiated treaties in some places.", ""]
    assert most_alike(TREATIES, others) == others[1]
    assert most_alike("A wholly other thing.", others) == ""


# --- publishing --------------------------------------------------------------------------------------------------


def test_a_claim_knows_where_its_sentence_stands(essay):
    one, two = claim(essay, TREATIES), claim(essay, TROOPS)
    assert (one.number, one.section.anchor, one.paragraph, one.has_changed) == (1, "introduction", 1, False)
    assert (two.number, two.section.anchor, two.paragraph) == (2, "later", 2)


def test_a_sentence_of_a_heading_or_a_note_is_not_found(essay):
    assert claim(essay, "Later").has_changed
    assert claim(essay, "A note.").has_changed


def test_evidence_survives_edits_of_the_text_around_it(client, essay, three_sides):
    rewrite(essay, f"# New\n\nA new beginning.\n\nMore of it.\n\n## Then\n\nSo *it* was. {TREATIES} And so on.")
    three_sides.refresh_from_db()
    assert (three_sides.section.anchor, three_sides.paragraph, three_sides.has_changed) == ("then", 3, False)
    assert three_sides.evidence.count() == 3
    page = essay_in(shown(client))
    assert re.search(r'many places\. <a class="evidence-mark"', page)
    assert "The broken accord" in page


def test_a_line_break_in_a_sentence_changes_nothing(essay, three_sides):
    rewrite(essay, TEXT.replace("negotiated treaties", "negotiated\ntreaties"))
    three_sides.refresh_from_db()
    assert not three_sides.has_changed


def test_a_changed_sentence_is_taken_from_readers_and_asks_editors_to_look_again(client, essay, three_sides):
    rewrite(essay, TEXT.replace("in many places", "in a few places"))
    three_sides.refresh_from_db()
    assert three_sides.has_changed
    assert three_sides.similar == "Envoys have negotiated treaties in a few places."
    assert list(Claim.objects.to_look_at_again()) == [three_sides]
    for address in ("/articles/on-envoys/", "/articles/on-envoys/introduction/", "/articles/on-envoys/evidence/"):
        assert "accord" not in shown(client, address)
    restore(essay.revisions.get(number=1))
    three_sides.refresh_from_db()
    assert (three_sides.has_changed, three_sides.similar) == (False, "")
    assert "The broken accord" in shown(client)


def test_a_sentence_that_is_gone_resembles_none(essay, three_sides):
    rewrite(essay, "Something else entirely.")
    three_sides.refresh_from_db()
    assert (three_sides.has_changed, three_sides.similar) == (True, "")


def test_rebuilding_changes_nothing_about_claims(essay, three_sides):
    claim(essay, "Gone.")
    before = list(Claim.objects.order_by("pk").values_list())
    assert list(rebuild()) == [4]
    assert list(Claim.objects.order_by("pk").values_list()) == before


def test_a_name_that_is_linked_later_leaves_the_mark_where_it_is(client, essay, three_sides):
    published_concept("Treaty")
    page = essay_in(shown(client))
    assert re.search(r'<a class="concept"[^>]*>treaties</a> in many places\. <a class="evidence-mark"', page)


def test_composing_pages_without_claims_costs_one_query_for_them_all():
    essays = [published_article(source=f"Text {number}.") for number in range(3)]
    with CaptureQueriesContext(connection) as queries:
        for essay in essays:
            essay.source += " More."
            essay.save()
        publish_many(essays)
    assert len([query for query in queries if "peacekb_claim" in query["sql"]]) == 1
    with CaptureQueriesContext(connection) as queries:
        published_concept("Ceasefire")
    assert not [query for query in queries if "peacekb_claim" in query["sql"]]


# --- readers -----------------------------------------------------------------------------------------------------


def test_readers_see_a_mark_at_the_sentence_and_both_sides_below_the_paragraph(client, essay, three_sides):
    page = essay_in(shown(client))
    assert "Evidence on this sentence: 1 supports, 1 qualifies, 1 contradicts" in page
    below = page[page.index('<details class="evidence"') : page.index("</details>")]
    assert page.index("Others watched.") < page.index("<details") < page.index('id="later"')
    order = [below.index(word) for word in ("Supports: 1", "Qualifies: 1", "Contradicts: 1")]
    assert order == sorted(order)
    told = words(below)
    assert "The held accord · Case · Held It held in 1999." in told
    assert "The half accord · Case · Partly held It held in part." in told
    assert "The broken accord · Case · Collapsed It broke down in 2001." in told
    assert 'href="#on.claim-1"' in page
    assert 'id="on.claim-1"' in below


def test_a_side_without_evidence_is_shown_as_empty(client, essay):
    claim(essay, TREATIES, ("contradicts", case("The broken accord"), "It broke."))
    page = essay_in(shown(client))
    assert "0 support, 0 qualify, 1 contradicts" in page
    assert page.count("Nothing is attached here.") == 2


def test_two_claims_of_a_paragraph_share_one_box(client, essay):
    accord = case("An accord")
    for sentence in ("Others watched.", TREATIES):
        claim(essay, sentence, ("supports", accord, f"On {sentence[:6]}"))
    page = essay_in(shown(client))
    assert "Evidence on 2 sentences of this paragraph" in page
    assert page.index("On Envoys") < page.index("On Others")


def test_the_page_of_a_section_shows_the_evidence_in_it_alone(client, essay, three_sides):
    claim(essay, TROOPS, ("supports", case("The other case"), "So it is."))
    introduction, later = (shown(client, f"/articles/on-envoys/{anchor}/") for anchor in ("introduction", "later"))
    assert "The held accord" in introduction
    assert "The other case" not in introduction
    assert "The other case" in later


def test_all_claims_stand_on_one_page_in_the_order_of_the_text(client, essay):
    claim(essay, TROOPS, ("supports", case("The other case"), "So it is."))
    claim(essay, TREATIES, ("supports", case("The held accord"), "It held."))
    page = shown(client, "/articles/on-envoys/evidence/")
    assert page.index(TREATIES) < page.index(TROOPS)
    assert 'href="/articles/on-envoys/#p1"' in page
    assert 'href="/articles/on-envoys/#p2"' in page
    assert 'id="claim-1"' in page
    assert '<a href="/articles/on-envoys/evidence/">Evidence on 2 sentences</a>' in shown(client)


def test_an_essay_without_claims_says_so_and_costs_one_query_for_them(client, essay):
    assert "No sentence of this text has evidence yet." in shown(client, "/articles/on-envoys/evidence/")
    with CaptureQueriesContext(connection) as queries:
        page = shown(client)
    assert len([query for query in queries if "peacekb_claim" in query["sql"]]) == 1
    assert "evidence" not in page.casefold().replace("evidence-page", "")


def test_evidence_costs_four_queries_however_much_there_is(client, essay, three_sides):
    with CaptureQueriesContext(connection) as few:
        shown(client, "/articles/on-envoys/evidence/")
    for number in range(5):
        claim(essay, f"{'Others watched.' if number else TROOPS}", ("supports", case(f"Case {number}"), "So."))
    with CaptureQueriesContext(connection) as many:
        shown(client, "/articles/on-envoys/evidence/")
    assert len(many) == len(few)


def test_the_address_answers_as_other_pages_of_an_essay_do(client, essay, three_sides):
    assert client.get("/articles/nowhere/evidence/").status_code == 404
    assert client.get("/concepts/on-envoys/evidence/").status_code == 404
    rewrite(essay, TEXT, slug="of-envoys")
    moved = client.get("/articles/on-envoys/evidence/")
    assert (moved.status_code, moved["Location"]) == (301, "/articles/of-envoys/evidence/")
    withdraw(essay, reason="A mistake.")
    assert client.get("/articles/of-envoys/evidence/").status_code == 410
    assert client.post("/articles/of-envoys/evidence/").status_code == 405


def test_evidence_of_a_withdrawn_essay_comes_back_with_it(client, essay, three_sides):
    withdraw(essay)
    three_sides.refresh_from_db()
    assert (three_sides.section, three_sides.has_changed) == (None, False)
    publish(essay)
    assert "The held accord" in shown(client)


def test_an_old_version_shows_none(client, essay, three_sides):
    rewrite(essay, f"{TEXT}\n\nMore.")
    old = shown(client, "/articles/on-envoys/?v=1")
    assert TREATIES in old
    assert "accord" not in old
    assert "evidence-mark" not in old


def test_what_is_not_public_is_no_evidence(client, essay):
    draft = draft_article(title="Secret draft", slug="secret")
    withdrawn = case("The withdrawn case")
    withdraw(withdrawn)
    later = published_concept("Coming concept", published_at=timezone.now() + timedelta(days=1))
    held = case("The held accord")
    pieces = [("supports", page, f"About {page.title}.") for page in (draft, withdrawn, later, held)]
    claim(essay, TREATIES, *pieces)
    for address in ("/articles/on-envoys/", "/articles/on-envoys/evidence/"):
        page = shown(client, address)
        assert "About The held accord." in page
        for hidden in ("Secret draft", "withdrawn case", "Coming concept"):
            assert hidden not in page


def test_a_claim_without_public_evidence_has_no_mark(client, essay):
    claim(essay, TREATIES, ("supports", draft_article(title="Secret draft"), "So it is."))
    assert "evidence-mark" not in shown(client)


def test_a_work_that_evidence_alone_rests_on_has_a_page_that_names_the_essay(client, essay):
    work = source("lone", title="A lone work")
    assert client.get("/sources/lone/").status_code == 404
    made = claim(essay, TREATIES, ("supports", work, "It says so."))
    assert 'href="/sources/lone/"' in shown(client, "/articles/on-envoys/evidence/")
    assert 'href="/articles/on-envoys/"' in shown(client, "/sources/lone/")
    made.is_withdrawn = True
    made.save()
    assert client.get("/sources/lone/").status_code == 404


def test_a_figure_is_shown_with_its_date_and_source_and_survives_new_rows(client, essay):
    source("ranking", title="A ranking")
    rows = [
        {"date": "2021-01-31", "personnel": 6711, "source": "ranking"},
        {"date": "2024-06", "personnel": 1, "source": "ranking"},
    ]
    actor = published("actor", title="Bangladesh", type="state", contributions=rows, sources=["ranking"])
    one = claim(essay, TROOPS, ("supports", actor, "First of 122."), figure_date="2021-01-31")
    claim(essay, TREATIES, ("contradicts", actor, "One person."), figure_date="2024-06")
    told = words(shown(client, "/articles/on-envoys/evidence/"))
    assert "Bangladesh · 6,711 uniformed personnel · 31 January 2021 · source : A ranking First of 122." in told
    assert "Bangladesh · 1 uniformed person · June 2024 · source" in told
    Contribution.objects.all().delete()
    Contribution.objects.create(actor_id=actor.pk, date="2021-01-31", personnel=6700, source=Source.objects.get())
    publish(actor)
    told = words(shown(client, "/articles/on-envoys/evidence/"))
    assert "Bangladesh · 6,700 uniformed personnel · 31 January 2021" in told
    assert "June 2024" not in told
    assert one.evidence.count() == 1


HOSTILE = "A <script>alert(1)</script> & \"quoted\" 'claim' <img src=x onerror=alert(1)>."


def test_nothing_that_was_written_becomes_markup_and_the_stored_html_stays_as_it_was(client):
    essay = published_article(title="On envoys", slug="on-envoys", source=f"One. {HOSTILE} Three.")
    before = Section.objects.get(page=essay).html
    name = published_concept("A <b>name</b>", slug="a-name")
    claim(essay, HOSTILE, ("supports", name, HOSTILE), ("contradicts", source(title=HOSTILE), HOSTILE))
    assert not Claim.objects.get().has_changed
    for address in ("/articles/on-envoys/", "/articles/on-envoys/evidence/", "/ar/articles/on-envoys/"):
        page = shown(client, address)
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>name" not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert Section.objects.get(page=essay).html == before


def test_the_interface_of_evidence_follows_the_language_of_the_page(client, essay, three_sides):
    page = essay_in(shown(client, "/ar/articles/on-envoys/"))
    assert '<details class="evidence" lang="ar" dir="rtl">' in page
    assert f'<blockquote lang="en" dir="ltr">{TREATIES}</blockquote>' in page
    assert 'href="/ar/articles/on-envoys/evidence/"' in page


# --- editors -----------------------------------------------------------------------------------------------------


@pytest.fixture
def editor():
    user = User.objects.create_user("hala", password="a long enough password", is_staff=True)
    user.groups.set([Group.objects.get(name="Editors")])
    browser = Client()
    browser.force_login(user)
    return browser


def posted(*rows, **values):
    data = {**values, "evidence-TOTAL_FORMS": len(rows), "evidence-INITIAL_FORMS": sum("id" in row for row in rows)}
    for number, row in enumerate(rows):
        data |= {f"evidence-{number}-{key}": value for key, value in row.items()}
    return data


ADD = "/admin/peacekb/claim/add/"


def test_an_editor_marks_a_claim_with_evidence_on_both_sides(editor, client, essay):
    held, work = case("The held accord"), source()
    edition = Edition.objects.get().number
    rows = [
        {"stance": "supports", "page": held.pk, "note": "It held."},
        {"stance": "contradicts", "source": work.pk, "note": "It says no."},
    ]
    response = editor.post(ADD, posted(*rows, article=essay.pk, sentence=f"  {TREATIES}\n"))
    assert response.status_code == 302
    made = Claim.objects.get()
    assert (made.sentence, made.number, made.paragraph) == (TREATIES, 1, 1)
    assert [one.stance for one in made.evidence.all()] == ["supports", "contradicts"]
    assert Edition.objects.get().number > edition
    assert "The held accord" in shown(client)


def test_a_sentence_that_does_not_stand_in_the_text_is_refused_with_the_nearest_one(editor, essay):
    almost = TREATIES.replace("many", "most")
    response = editor.post(ADD, posted(article=essay.pk, sentence=almost))
    assert f"The nearest is: “{TREATIES}”" in unescape(response.text)
    assert not Claim.objects.exists()
    draft = draft_article(source=TREATIES)
    assert "Publish it first." in editor.post(ADD, posted(article=draft.pk, sentence=TREATIES)).text
    claim(essay, TREATIES)
    assert (
        "There is a claim of this sentence already."
        in editor.post(ADD, posted(article=essay.pk, sentence=TREATIES)).text
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "Choose either a page or a source."),
        ({"page": "case", "source": "work"}, "Choose either a page or a source."),
        ({"page": "essay"}, "An article is no evidence for itself."),
        ({"page": "actor", "figure_date": "2020"}, "“Chad” has no figure of this date. It has: 2021-01-31."),
        ({"page": "case", "note": ""}, "This field is required."),
    ],
)
def test_wrong_evidence_is_refused_in_a_sentence(editor, essay, row, said):
    work = source()
    figures = [{"date": "2021-01-31", "personnel": 1843, "source": work.slug}]
    things = {
        "case": case("The held accord").pk,
        "work": work.pk,
        "essay": essay.pk,
        "actor": published("actor", title="Chad", type="state", contributions=figures).pk,
    }
    row = {"stance": "supports", "note": "So it is.", **{key: things.get(value, value) for key, value in row.items()}}
    response = editor.post(ADD, posted(row, article=essay.pk, sentence=TREATIES))
    assert said in unescape(response.text)
    assert not Evidence.objects.exists()


def test_an_editor_is_told_of_a_changed_sentence_and_takes_the_new_one(admin_client, client, essay, three_sides):
    rewrite(essay, TEXT.replace("in many places", "in a few places"))
    listed = admin_client.get(f"/admin/peacekb/claim/?state=changed&article__page__id__exact={essay.pk}").text
    assert "Look again" in listed
    form = f"/admin/peacekb/claim/{three_sides.pk}/"
    page = admin_client.get(f"{form}change/").text
    assert "<del>− many</del>" in page
    assert "<ins>+ a few</ins>" in page
    assert admin_client.get(f"{form}take/").status_code == 405
    assert admin_client.post(f"{form}take/").status_code == 302
    three_sides.refresh_from_db()
    assert (three_sides.sentence, three_sides.has_changed) == (
        "Envoys have negotiated treaties in a few places.",
        False,
    )
    assert "The broken accord" in shown(client)


def test_the_evidence_of_a_changed_claim_can_be_edited_without_touching_its_sentence(editor, essay, three_sides):
    rewrite(essay, "Something else.")
    first = three_sides.evidence.first()
    row = {"id": first.pk, "claim": three_sides.pk, "stance": "qualifies", "page": first.page_id, "note": "Half."}
    response = editor.post(f"/admin/peacekb/claim/{three_sides.pk}/change/", posted(row, sentence=TREATIES))
    assert response.status_code == 302
    first.refresh_from_db()
    assert (first.stance, first.note) == ("qualifies", "Half.")


def test_publishing_a_changed_sentence_warns_whoever_publishes(admin_client, essay, three_sides):
    form = admin_client.get(f"/admin/peacekb/article/{essay.pk}/change/").context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    values |= {"source": "Something else.", "_publish": "Publish", "labels-TOTAL_FORMS": 0, "labels-INITIAL_FORMS": 0}
    values |= {"published_at_0": "2026-11-24", "published_at_1": "10:00:00", "tags": "", "authors": ""}
    values.pop("sources", None)
    response = admin_client.post(f"/admin/peacekb/article/{essay.pk}/change/", values, follow=True)
    assert "The sentence of <a" in response.text
    assert "1 claim</a> has changed: look again at the evidence." in response.text


def test_a_withdrawn_claim_is_hidden_keeps_its_number_and_can_come_back(editor, client, essay, three_sides):
    form = f"/admin/peacekb/claim/{three_sides.pk}/"
    editor.post(f"{form}withdraw/")
    for address in ("/articles/on-envoys/", "/articles/on-envoys/evidence/"):
        assert "accord" not in shown(client, address)
    assert claim(essay, TROOPS).number == 2
    assert editor.post(f"{form}delete/").status_code == 403
    editor.post(f"{form}show/")
    assert "The held accord" in shown(client)


def test_who_may_not_change_claims_does_not(client, essay, three_sides):
    User.objects.create_user("guest", password="a long enough password", is_staff=True)
    client.login(username="guest", password="a long enough password")
    form = f"/admin/peacekb/claim/{three_sides.pk}/"
    for address in ("/admin/peacekb/claim/", f"{form}change/", ADD):
        assert client.get(address).status_code == 403
    for deed in ("take", "withdraw", "show"):
        assert client.post(f"{form}{deed}/").status_code in (403, 404)
    three_sides.refresh_from_db()
    assert not three_sides.is_withdrawn


# --- files -------------------------------------------------------------------------------------------------------


def claims_in(folder):
    return (folder / "claims.yaml").read_text(encoding="utf-8")


def test_claims_are_exported_and_brought_in_again_to_the_same_bytes(tmp_path, essay, three_sides):
    work = source("un-charter")
    figures = [{"date": "2021-01-31", "personnel": 1843, "source": "un-charter"}]
    actor = published("actor", title="Chad", type="state", contributions=figures)
    claim(essay, TROOPS, ("supports", work, "It says: so."))
    claim(essay, "Others watched.", ("contradicts", actor, "Few did."), figure_date="2021-01-31")
    claim(essay, "It began early.", ("supports", draft_article(title="Secret draft", slug="secret"), "A secret."))
    withdrawn = claim(essay, "Nothing was said.")
    Claim.objects.filter(pk=withdrawn.pk).update(is_withdrawn=True)
    list(export(tmp_path / "one"))
    before = claims_in(tmp_path / "one")
    assert "number: 4" in before
    assert "secret" not in before.casefold()
    assert "number: 5" not in before
    Claim.objects.all().delete()
    Page.objects.all().delete()
    Source.objects.all().delete()
    assert not bring_in([tmp_path / "one"]).refused
    assert Claim.objects.get(number=1).paragraph == 1
    list(export(tmp_path / "two"))
    assert claims_in(tmp_path / "two") == before
    assert not bring_in([tmp_path / "two"]).updated


ROW = """claims:
- article: on-envoys
  number: 1
  sentence: It began early.
  evidence:
  - stance: supports
    case: the-held-accord
    note: So it is.
"""


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("on-envoys", "nowhere", "no article has the slug “nowhere”"),
        ("number: 1", "number: one", "must be a number from 1 on"),
        ("the-held-accord", "no-accord", "no case has the slug “no-accord”"),
        ("supports", "proves", "“proves” is not one of supports, qualifies, contradicts"),
        ("    note: So it is.\n", "", "must be a text"),
        ("So it is.", "x" * 501, "at most 500 characters"),
        ("    case: the-held-accord\n", "", "each must name one of"),
        ("    note:", "    date: 2021-01-31\n    note:", "is no actor that has a figure of this date"),
        ("  evidence:", "  mood: good\n  evidence:", "“mood” is not known"),
        ("- stance: supports\n    case: the-held-accord\n    note: So it is.", "- all of it", "each must have keys"),
    ],
)
def test_a_wrong_claim_is_refused_with_its_line(tmp_path, essay, was, becomes, said):
    case("The held accord")
    assert was in ROW
    (tmp_path / "claims.yaml").write_text(ROW.replace(was, becomes, 1))
    report = bring_in([tmp_path])
    assert [refusal.line for refusal in report.refused] == [2]  # that of the claim
    assert said in str(report.refused[0])
    assert not Claim.objects.exists()


def test_seeding_brings_claims_once_and_leaves_alone_what_an_editor_changed(tmp_path, essay):
    case("The held accord")
    (tmp_path / "claims.yaml").write_text(ROW)
    assert len(bring_in([tmp_path], seeding=True, dry_run=True).created) == 1
    assert not Claim.objects.exists()
    assert len(bring_in([tmp_path], seeding=True).created) == 1
    assert len(bring_in([tmp_path], seeding=True).unchanged) == 1
    Evidence.objects.update(note="By an editor.")
    assert len(bring_in([tmp_path], seeding=True).kept) == 1
    assert Evidence.objects.get().note == "By an editor."
    Claim.objects.update(is_withdrawn=True)
    assert len(bring_in([tmp_path], seeding=True).kept) == 1
    assert "was withdrawn" in str(bring_in([tmp_path]).refused[0])
    Claim.objects.update(is_withdrawn=False)
    assert len(bring_in([tmp_path]).updated) == 1
    assert Evidence.objects.get().note == "So it is."


def test_the_starter_library_has_claims_with_something_on_every_side_and_its_own_numbers(client):
    call_command("seed", stdout=io.StringIO())
    claims = list(Claim.objects.all())
    assert len(claims) >= 8
    assert not [one for one in claims if one.has_changed or one.section is None]
    for one in claims:
        assert {row.stance for row in one.evidence.all()} == set(Stance.values), one
    page = shown(client, "/articles/diplomacy-in-peacekeeping/evidence/")
    assert page.count("<dd") == Evidence.objects.count()
    told = words(page)
    assert "Bangladesh · 6,711 uniformed personnel · 31 January 2021 · source" in told
    assert "Mecca Agreement between Fatah and Hamas · Case · Collapsed" in told

    members = Membership.objects.filter(organization__slug="organisation-of-islamic-cooperation").values("actor")
    figures = Contribution.objects.filter(actor__in=members, date="2021-01-31")
    assert f"{figures.filter(personnel=0).count()} of the {members.count()} members" in told
    assert f"{figures.aggregate(total=Sum('personnel'))['total']:,} of 81,932 uniformed personnel" in told
    helping = ["mediator", "facilitator", "host", "guarantor", "convenor"]
    helped = Participation.objects.filter(actor__in=members, role__slug__in=helping).values("case")
    cases: Any = Case.objects.all()
    involved, others = cases.filter(pk__in=helped), cases.exclude(pk__in=helped)
    assert f"In {involved.count()} of the {cases.count()} cases recorded" in told
    with_result = {result: involved.filter(result=result).count() for result in Result.values}
    assert f"{with_result['held']} held and {with_result['partly-held']} partly held" in told
    assert f"{with_result['collapsed']} collapsed, {with_result['no-agreement']} ended without an agreement" in told
    assert f"and {with_result['open']} were open" in told
    held, partly_held = (others.filter(result=result).count() for result in ("held", "partly-held"))
    assert f"Of the {others.count()} recorded cases without a member" in told
    assert f"{held} held and {partly_held} partly held" in told
    africa, middle_east, asia, europe, americas = (
        involved.filter(region=region).count()
        for region in ("africa", "middle-east", "asia-pacific", "europe", "americas")
    )
    places = f"{africa} are in Africa, {middle_east} in the Middle East, {asia} in Asia and the Pacific and {europe}"
    assert f"{places} in Europe, where none held; there is none in the Americas" in told
    assert (americas, involved.filter(region="europe", result="held").count()) == (0, 0)


def test_the_starter_claims_are_of_the_seed_essay():
    text = (settings.BASE_DIR / "fixtures" / "essays" / "diplomacy-in-peacekeeping.md").read_text(encoding="utf-8")
    claims = (settings.BASE_DIR / "fixtures" / "claims.yaml").read_text(encoding="utf-8")
    sentences = re.findall(r"^  sentence: '?(.+?)'?$", claims, re.MULTILINE)
    assert len(sentences) >= 8
    assert not [sentence for sentence in sentences if sentence.replace("''", "'") not in text]
