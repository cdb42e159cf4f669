"""Changes of names in the admin: asked before, done as one, taken back, prepared in the background."""

import html
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from peacekb.admin import confirming
from peacekb.models import Article, Concept, Label, Mention, NameChange, Page, Revision, Role, StagedSection, Status
from peacekb.publishing import changes, staging
from peacekb.publishing.changes import apply
from peacekb.publishing.proposals import of_merging

from .factories import draft_article, published_article, published_concept, published_role
from .test_admin import browser_of, form_of, labels, person, said, sent_by, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return browser_of(person("hala", "Editors"))


@pytest.fixture
def publisher():
    return browser_of(person("paul", "Publishers"))


@pytest.fixture
def base():
    """Two concepts and the essays that use their names."""
    truce, ceasefire = published_concept("Truce", "armistice"), published_concept("Ceasefire", "lull")
    published_article(title="One", source="A lull came. A truce held.\n\n## Then\n\nAnother lull.")
    published_article(title="Two", source="The armistice held. A pause began.")
    return truce, ceasefire


@pytest.fixture
def started(monkeypatch):
    """The times that the background process was begun."""
    begun = []
    monkeypatch.setattr(confirming, "_start", lambda: begun.append("apply_changes"))
    return begun


@pytest.fixture
def slowly(monkeypatch):
    """Every change is prepared in steps, of one section each."""
    monkeypatch.setattr(changes, "AT_ONCE", 0)
    monkeypatch.setattr(staging, "BATCH", 1)


def asks(response):
    assert response.status_code == 200
    assert "Nothing is done yet" in response.text, response.text
    return True


def place_of(response, words):
    """The place of the sentence in which some words would be linked otherwise."""
    sentence = response.text.split(f"<mark>{words}</mark>")[1]
    return re.search(r'name="_names_link" value="([^"]*)"', sentence)[1]


def sentence_links(title):
    mentions = Mention.objects.filter(section__page__title=title, linked=True).order_by("section", "start")
    return [mention.target.title for mention in mentions]


def with_name(ceasefire, name="pause", **values):
    lull = ceasefire.labels.get(text="lull")
    return written(ceasefire, _publish="1", **labels({"text": "lull", "id": lull.pk}, {"text": name}), **values)


# --- from the form -----------------------------------------------------------------------------------------------


def test_a_new_name_is_published_after_its_sentences_were_seen(publisher, base):
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire))
    assert asks(asked)
    assert "A <mark>pause</mark> began." in asked.text
    assert "1 link appears, 0 change and 0 vanish in 1 other page." in asked.text
    assert not Label.objects.filter(text="pause").exists()
    assert ceasefire.revisions.count() == 1
    done = publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed"), follow=True)
    assert "“<a href" in said(done)
    assert "1 link appeared, 0 changed and 0 vanished" in said(done)
    change = NameChange.objects.get()
    assert (change.state, change.editor_name, change.note) == ("done", "paul", "Written")
    assert sentence_links("Two") == ["Truce", "Ceasefire"]


def test_a_sentence_without_its_tick_stays_as_it_is(publisher, base):
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire, "armistice", doubted=""))
    if "already names" in asked.text:  # the form doubts a name of another page once
        doubt = html.unescape(re.search(r'name="labels-1-doubted" value="([^"]*)"', asked.text)[1])
        asked = publisher.post(form_of(ceasefire), with_name(ceasefire, "armistice", **{"labels-1-doubted": doubt}))
    assert asks(asked)
    assert "The <mark>armistice</mark> held." in asked.text
    untick = [place_of(asked, "armistice")]
    publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed", untick=untick))
    assert sentence_links("Two") == ["Truce"]
    assert Page.objects.get(title="Two").source == "The [[concept:truce|armistice]] held. A pause began."


def test_back_to_the_form_keeps_all_that_was_written(publisher, base):
    _, ceasefire = base
    text = 'A "new" definition.\r\n\r\n  * with <tags> & lines'
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire, source=text, summary="In short."))
    back = publisher.post(form_of(ceasefire), sent_by(asked, "_names_back"))
    assert back.status_code == 200
    assert "Nothing is published yet. Everything that you wrote is here." in back.text
    form = back.context["adminform"].form
    assert form["source"].value().replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert form["summary"].value() == "In short."
    assert 'value="pause"' in back.text
    again = publisher.post(form_of(ceasefire), with_name(ceasefire, source=text))
    assert asks(again)
    assert not NameChange.objects.exists()


def test_a_change_that_no_sentence_notices_is_published_at_once(publisher, base):
    _, ceasefire = base
    lull = {"text": "lull", "id": ceasefire.labels.get(text="lull").pk}
    for changed in ({"source": "Another text."}, {**labels(lull, {"text": "zanzibarine"})}, {"slug": "the-ceasefire"}):
        ceasefire.refresh_from_db()
        posted = written(ceasefire, _publish="1", **{**labels(lull), **changed})
        assert publisher.post(form_of(ceasefire), posted).status_code == 302, changed
    ceasefire.refresh_from_db()
    assert (ceasefire.slug, ceasefire.status) == ("the-ceasefire", Status.PUBLISHED)
    assert not NameChange.objects.exists()


def test_a_new_page_whose_title_stands_in_texts_asks_and_leaves_nothing_behind(publisher, base):
    before = Page.objects.count()
    posted = written(title="Pause", slug="pause", source="A short silence.", _publish="1")
    asked = publisher.post("/admin/peacekb/concept/add/", posted)
    assert asks(asked)
    assert Page.objects.count() == before
    done = publisher.post("/admin/peacekb/concept/add/", sent_by(asked, "_names_confirmed"), follow=True)
    assert done.redirect_chain[-1][0] == form_of(Concept.objects.get(slug="pause"))
    assert sentence_links("Two") == ["Truce", "Pause"]
    assert Concept.objects.get(slug="pause").revisions.get().state == Revision.State.PUBLISHED


def test_a_draft_that_was_renamed_asks_about_its_new_title_alone(publisher, base):
    publisher.post("/admin/peacekb/concept/add/", written(title="Held", slug="held", source="A.", _draft="1"))
    draft = Concept.objects.get(slug="held")
    asked = publisher.post(form_of(draft), written(draft, title="Pause", _publish="1"))
    assert asks(asked)
    assert re.findall("<mark>(.*?)</mark>", asked.text) == ["pause"]
    publisher.post(form_of(draft), sent_by(asked, "_names_confirmed"))
    assert [label.text for label in draft.labels.all()] == ["Pause"]


def test_an_essay_is_published_the_first_time_without_a_question(publisher, base):
    published_article(title="Three", source="See [[The long talks]].")
    assert publisher.post("/admin/peacekb/article/add/", written(_publish="1")).status_code == 302
    assert Article.objects.get(slug="the-long-talks").is_public


def test_a_rename_keeps_the_old_name_and_address(publisher, client, base):
    _, ceasefire = base
    lull = {"text": "lull", "id": ceasefire.labels.get(text="lull").pk}
    posted = written(ceasefire, title="Pause", slug="pause", _publish="1", **labels(lull))
    asked = publisher.post(form_of(ceasefire), posted)
    assert asks(asked)
    publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed"))
    assert {(label.text, label.kind) for label in ceasefire.labels.all()} == {
        ("Pause", "pref"), ("Ceasefire", "alt"), ("lull", "alt"),
    }  # fmt: skip
    assert client.get("/concepts/ceasefire/").headers["Location"] == "/concepts/pause/"


def test_what_cannot_stay_is_said_on_the_page_that_asks_and_nothing_is_lost(publisher, base, monkeypatch):
    monkeypatch.setattr(changes, "MOST_KEPT", 0)
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire, summary="In short."))
    posted = sent_by(asked, "_names_confirmed", untick=[place_of(asked, "pause")])
    again = publisher.post(form_of(ceasefire), posted)
    assert asks(again)
    assert "At most 0 sentences can stay as they are; these are 1." in again.text
    assert sent_by(again, "_names_confirmed")["summary"] == ["In short."]
    assert '<input type="checkbox" name="_names_link" value="' in again.text
    assert "_names_link" not in sent_by(again, "_names_confirmed")
    assert not NameChange.objects.exists()


def test_a_refused_text_of_a_new_name_is_kept_as_before(publisher, base):
    _, ceasefire = base
    posted = with_name(ceasefire, source="Fine.\n\n" + "[" * 700)
    response = publisher.post(form_of(ceasefire), posted)
    assert response.status_code == 200
    assert "The change is not published" in said(response)
    assert ceasefire.revisions.order_by("-number").first().state == Revision.State.DRAFT
    assert not Label.objects.filter(text="pause").exists()


def test_sentences_that_changed_since_are_shown_again(publisher, base):
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire))
    published_article(title="Three", source="A pause.")
    again = publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed"))
    assert asks(again)
    assert "The sentences are others than those you looked at." in again.text
    assert publisher.post(form_of(ceasefire), sent_by(again, "_names_confirmed")).status_code == 302


@pytest.mark.parametrize("garbage", ["x", "\x00", "9" * 40, "-1", "1:2 9999999999999999999:1", "'; --", "٣"])
@pytest.mark.parametrize("name", ["first", "go", "shown", "sections", "kept", "link", "confirmed"])
def test_garbage_never_confirms_and_never_fails(publisher, base, name, garbage):
    _, ceasefire = base
    posted = with_name(ceasefire) | {f"_names_{name}": garbage}
    if name != "confirmed":
        posted["_names_confirmed"] = "1"
    assert asks(publisher.post(form_of(ceasefire), posted))
    assert not NameChange.objects.exists()


def test_an_editor_is_never_asked_and_keeps_a_draft(editor, base):
    _, ceasefire = base
    response = editor.post(form_of(ceasefire), with_name(ceasefire) | {"_names_confirmed": "1"}, follow=True)
    assert "The change is kept as a draft" in said(response)
    assert not Label.objects.filter(text="pause").exists()


def test_texts_of_drafts_are_not_shown(publisher, base):
    _, ceasefire = base
    draft_article(title="Secret", source="A pause.")
    assert "Secret" not in publisher.post(form_of(ceasefire), with_name(ceasefire)).text


def test_many_sentences_come_in_pages_and_what_was_decided_is_carried_along(publisher, base, monkeypatch):
    monkeypatch.setattr(confirming, "SECTIONS", 2)
    _, ceasefire = base
    for number in range(3):
        published_article(title=f"Essay {number}", source="A pause.")
    first = publisher.post(form_of(ceasefire), with_name(ceasefire, note="All of it"))
    assert "in sections 1 to 2 and 2 more sections" in first.text
    untick = re.findall(r'type="checkbox" name="_names_link" value="([^"]*)"', first.text)[:1]
    second = publisher.post(form_of(ceasefire), sent_by(first, "_names_go=2", untick=untick))
    assert "in sections 3 to 4." in second.text
    assert "1 without a tick stands in other sections." in second.text
    back = publisher.post(form_of(ceasefire), sent_by(second, "_names_go=0"))
    assert back.text.count(" checked") == 1
    publisher.post(form_of(ceasefire), sent_by(second, "_names_confirmed"))
    change = NameChange.objects.get()
    assert (change.links_appeared, change.note) == (3, "All of it")
    assert Page.objects.filter(source__contains="[[!pause]]").count() == 1


def test_the_page_that_asks_costs_as_many_queries_for_few_essays_as_for_many(publisher, base):
    _, ceasefire = base
    counted = []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert asks(publisher.post(form_of(ceasefire), with_name(ceasefire)))
        counted.append(len(queries))
        for essay in range(12):
            published_article(title=f"Essay {number} {essay}", source="A pause.")
    assert counted[1] <= counted[0]


def test_an_old_version_with_other_names_asks_too(publisher, base):
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire, source="Newer."))
    publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed"))
    old, new = ceasefire.revisions.order_by("number")
    address = reverse("admin:peacekb_revision_publish", args=[old.pk])
    asked = publisher.post(address)
    assert asks(asked)
    assert re.findall("<mark>(.*?)</mark>", asked.text) == ["pause"]
    assert sentence_links("Two") == ["Truce", "Ceasefire"]
    done = publisher.post(address, sent_by(asked, "_names_confirmed"), follow=True)
    assert "Version 1 is published as version 3." in said(done)
    assert sentence_links("Two") == ["Truce"]
    address = reverse("admin:peacekb_revision_publish", args=[new.pk])
    asked = publisher.post(address)
    publisher.post(address, sent_by(asked, "_names_confirmed", untick=[place_of(asked, "pause")]))
    assert NameChange.objects.count() == 3
    assert sentence_links("Two") == ["Truce"]


# --- merging and dividing ----------------------------------------------------------------------------------------


def deed_address(deed, row):
    return reverse(f"admin:peacekb_namechange_{deed}", args=[row.pk])


def test_a_page_is_merged_into_another_after_a_look(publisher, client, base):
    truce, ceasefire = base
    draft = draft_article(title="Draft")
    assert deed_address("merge", truce) in publisher.get(form_of(truce)).text
    assert "Merge …" not in publisher.get(form_of(draft)).text
    assert f'value="{ceasefire.pk}"' in publisher.get(deed_address("merge", truce)).text
    asked = publisher.post(deed_address("merge", truce), {"into": ceasefire.pk, "note": "The same"})
    assert asks(asked)
    assert "The <mark>armistice</mark> held." in asked.text
    assert "Its page will be gone, so it cannot stay." in asked.text
    done = publisher.post(deed_address("merge", truce), sent_by(asked, "_names_confirmed"), follow=True)
    change = NameChange.objects.get()
    assert (change.deed, change.note) == ("merge", "The same")
    assert done.redirect_chain[-1][0] == reverse("admin:peacekb_namechange_change", args=[change.pk])
    assert "merged into" in done.text
    assert client.get("/concepts/truce/").headers["Location"] == "/concepts/ceasefire/"
    assert sentence_links("Two") == ["Ceasefire"]


def test_a_merge_says_what_is_wrong(publisher, base):
    truce, _ = base
    role = published_role("Guarantor")
    address = deed_address("merge", truce)
    for value in ("", "x", "9" * 30, "\x00", truce.pk, role.pk):
        response = publisher.post(address, {"into": value})
        assert response.status_code == 200
        assert "Nothing is done yet. Correct what is marked below." in response.text
    back = publisher.post(address, {"into": base[1].pk, "note": "Kept", "_names_back": "1"})
    assert 'value="Kept"' in back.text


DIVIDED = {"title": "Lull", "slug": "lull", "source": "A short silence.", "note": "Two things"}


def test_a_page_is_divided_after_a_look_and_nothing_stays_behind_before(publisher, client, base):
    _, ceasefire = base
    address = deed_address("divide", ceasefire)
    assert address in publisher.get(form_of(ceasefire)).text
    lull = ceasefire.labels.get(text="lull")
    page = publisher.get(address).text
    assert f'value="{lull.pk}"' in page
    assert str(ceasefire.labels.get(kind="pref").pk) not in re.findall(r'name="names" value="(\d+)"', page)
    asked = publisher.post(address, {**DIVIDED, "names": [lull.pk]})
    assert asks(asked)
    assert not Page.objects.filter(slug="lull").exists()
    publisher.post(address, sent_by(asked, "_names_confirmed"))
    assert sentence_links("One") == ["Lull", "Truce", "Lull"]
    assert client.get("/concepts/lull/").status_code == 200
    assert {label.text for label in ceasefire.labels.all()} == {"Ceasefire"}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"slug": "truce"}, "Another concept has the address “truce”. Choose another one."),
        ({"source": " "}, "Write the text of the new page."),
        ({"source": "[" * 700}, "brackets"),
        ({"names": []}, "Choose at least one name."),
        ({"names": ["x"]}, "One of the names is not there any more."),
        ({"title": ""}, "This field is required."),
        ({"title": "T\x00"}, "Null characters are not allowed."),
        ({"slug": "a b"}, "Use letters, digits and hyphens only."),
    ],
)
def test_a_division_says_what_is_wrong_and_keeps_what_was_written(publisher, base, changed, problem):
    _, ceasefire = base
    pages = Page.objects.count()
    posted = {**DIVIDED, "names": [ceasefire.labels.get(text="lull").pk], **changed}
    response = publisher.post(deed_address("divide", ceasefire), posted)
    assert response.status_code == 200
    assert problem in response.text
    assert 'value="Two things"' in response.text
    assert Page.objects.count() == pages


# --- the list ----------------------------------------------------------------------------------------------------


def test_editors_see_changes_and_only_publishers_do_them(editor, publisher, client, base):
    truce, ceasefire = base
    change = apply(of_merging(truce, ceasefire))
    role = published_role("Guarantor", "backer")
    here = reverse("admin:peacekb_namechange_change", args=[change.pk])
    for one in (editor, publisher):
        assert "“Truce” merged into “Ceasefire”" in one.get(reverse("admin:peacekb_namechange_changelist")).text
        page = one.get(here).text
        assert form_of(truce) in page
        assert reverse("admin:peacekb_revision_change", args=[truce.revisions.get(number=1).pk]) in page
    assert "Take back" in publisher.get(here).text
    assert "Take back" not in editor.get(here).text
    addresses = [deed_address(deed, change) for deed in ("undo", "stop", "continue")]
    addresses += [deed_address(deed, role) for deed in ("merge", "divide")]
    for address in addresses:
        assert editor.get(address).status_code in (403, 405), address
        assert editor.post(address).status_code == 403, address
        assert client.post(address).status_code == 302
        assert client.post(address).headers["Location"].startswith("/admin/login/")
    assert NameChange.objects.get().state == NameChange.State.DONE


@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "%00", "-1"])
@pytest.mark.parametrize("deed", ["merge/{}", "divide/{}", "{}/undo", "{}/stop", "{}/continue", "{}/change"])
def test_an_address_that_names_nothing_is_answered_so(publisher, deed, key):
    response = publisher.post(f"/admin/peacekb/namechange/{deed.format(key)}/")
    assert response.status_code in (302, 403, 404)


def test_a_change_is_taken_back_after_a_look(publisher, base):
    truce, ceasefire = base
    change = apply(of_merging(truce, ceasefire))
    address = deed_address("undo", change)
    asked = publisher.post(address)
    assert asks(asked)
    assert "The <mark>armistice</mark> held." in asked.text
    assert NameChange.objects.count() == 1
    done = publisher.post(address, sent_by(asked, "_names_confirmed"), follow=True)
    change.refresh_from_db()
    assert change.state == NameChange.State.UNDONE
    assert "Takes back" in done.text
    assert sentence_links("Two") == ["Truce"]
    again = publisher.post(address, follow=True)
    assert "Nothing is taken back. Only a change that is done can be taken back." in said(again)


# --- in the background -------------------------------------------------------------------------------------------


def test_a_large_change_waits_shows_its_progress_and_is_done_by_the_command(
    publisher, base, slowly, started, django_capture_on_commit_callbacks
):
    _, ceasefire = base
    asked = publisher.post(form_of(ceasefire), with_name(ceasefire))
    assert "prepared beside what readers see" in asked.text
    with django_capture_on_commit_callbacks(execute=True):
        waits = publisher.post(form_of(ceasefire), sent_by(asked, "_names_confirmed"), follow=True)
    assert started == ["apply_changes"]
    change = NameChange.objects.get()
    here = reverse("admin:peacekb_namechange_change", args=[change.pk])
    assert waits.redirect_chain[-1][0] == here
    assert '<meta http-equiv="refresh" content="2">' in waits.text
    assert "Being prepared: 0 of 1 sections" in waits.text
    assert not Label.objects.filter(text="pause").exists()
    call_command("apply_changes", stdout=(out := StringIO()))
    assert "done." in out.getvalue()
    assert sentence_links("Two") == ["Truce", "Ceasefire"]
    assert "refresh" not in publisher.get(here).text
    call_command("apply_changes", stdout=(out := StringIO()))
    assert out.getvalue() == "No change of names is waiting.\n"


def test_a_change_that_waits_is_stopped_or_carried_on(
    publisher, base, slowly, started, django_capture_on_commit_callbacks
):
    truce, ceasefire = base
    change = apply(of_merging(truce, ceasefire))
    with django_capture_on_commit_callbacks(execute=True):
        publisher.post(deed_address("continue", change))
    assert started == ["apply_changes"]
    refused = publisher.post(form_of(ceasefire), with_name(ceasefire))
    refused = publisher.post(form_of(ceasefire), sent_by(refused, "_names_confirmed"))
    assert "Another change of names is being prepared." in refused.text
    stopped = publisher.post(deed_address("stop", change), follow=True)
    assert "It is stopped. Readers have seen nothing of it." in said(stopped)
    assert not StagedSection.objects.exists()
    assert publisher.get(deed_address("stop", change)).status_code == 405
    assert publisher.get(deed_address("continue", change)).status_code == 405


def test_the_command_says_why_a_change_stopped(publisher, base, slowly):
    truce, ceasefire = base
    apply(of_merging(truce, ceasefire))
    publisher.post(form_of(truce), written(truce, source="Other.", _publish="1", **labels()))
    with pytest.raises(CommandError, match="was changed while the links were prepared"):
        call_command("apply_changes")
    assert Role.objects.count() == 0
