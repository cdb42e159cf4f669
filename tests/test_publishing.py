"""The one writer: what each deed leaves in the tables."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from peacekb.documents import DocumentRefused, document_of, write
from peacekb.models import (
    Beginning,
    FormerSlug,
    Label,
    Mention,
    Page,
    Revision,
    SearchEntry,
    Section,
    SectionTree,
    Status,
)
from peacekb.publishing import (
    TextRefused,
    offer,
    publish,
    publish_many,
    rebuild,
    recompose,
    restore,
    save_draft,
    withdraw,
)
from peacekb.search import search
from peacekb.text.worker import parse_within

from .factories import draft_article, published_article, published_concept, published_role, source

pytestmark = pytest.mark.django_db


def html_of(page: Page) -> str:
    return "".join(section.html for section in Section.objects.filter(page=page))


@transaction.atomic
def save_and_publish(page: Page) -> None:
    page.save()
    publish(page)


def derived_rows() -> list[list[tuple]]:
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (Section, Mention, SearchEntry, Beginning, Label, Revision, Page)
    ]


def test_publishing_leaves_revision_sections_mentions_and_entries_in_step():
    role = published_role("Mediator")
    article = published_article(title="Talks", source="The mediator came.\n\n## Later\n\nA mediator left.")
    assert [r.number for r in article.revisions.all()] == [1]
    assert [s.anchor for s in article.sections.all()] == ["introduction", "later"]
    assert [(m.section.position, m.linked) for m in role.mentioned_in.all()] == [(0, True), (1, True)]
    assert SearchEntry.objects.filter(section__page=article).count() == 2
    assert 'href="/roles/mediator/"' in html_of(article)


def test_a_new_label_recomposes_exactly_the_pages_in_which_it_occurs():
    names = published_article(title="One", source="A truce held.")
    plural = published_article(title="Two", source="Two truces held.")
    published_article(title="Three", source="Untruceful. The word truced is another.")
    concept = published_concept("Ceasefire")
    outcome = publish(write({**document_of(concept), "labels": [{"text": "truce"}]}, "concept", concept))
    assert set(outcome.recomposed) == {names.pk, plural.pk}
    assert '<a class="concept" href="/concepts/ceasefire/">truce</a>' in html_of(names)


def test_a_label_that_goes_takes_its_links_with_it():
    concept = published_concept("Ceasefire", "truce")
    article = published_article(source="A truce held.")
    publish(write({**document_of(concept), "labels": []}, "concept", concept))
    assert '<a class="concept"' not in html_of(article)
    assert not concept.mentioned_in.exists()


def test_a_label_that_becomes_ambiguous_waits_for_an_editor():
    concept = published_concept("Consent of the parties", "consent")
    article = published_article(source="With consent.")
    rows = [{"text": "consent", "ambiguous": True}]
    publish(write({**document_of(concept), "labels": rows}, "concept", concept))
    (mention,) = Mention.objects.filter(section__page=article)
    assert (mention.target, mention.linked, mention.label.page_id) == (None, False, concept.pk)


def test_pages_published_together_meet_each_other_whatever_their_order():
    article = draft_article(title="Talks", source="A ceasefire.")
    concept = write({"title": "Ceasefire", "slug": "ceasefire", "source": "Defined."}, "concept")
    publish_many([article, concept])
    assert 'href="/concepts/ceasefire/"' in html_of(article)


def test_a_renamed_page_keeps_its_links_its_old_name_and_its_old_address():
    concept = published_concept("Ceasefire")
    article = published_article(source="A ceasefire and a cessation.")
    concept.title, concept.slug = "Cessation", "cessation"
    concept.save()
    publish(concept)
    assert 'href="/concepts/cessation/"' in html_of(article)
    assert set(concept.labels.values_list("text", "kind")) == {("Cessation", "pref"), ("Ceasefire", "alt")}
    assert FormerSlug.objects.get().slug == "ceasefire"


def test_a_withdrawn_page_leaves_nothing_but_its_revisions():
    concept = published_concept("Ceasefire", source="About truces.")
    article = published_article(source="A ceasefire.")
    outcome = withdraw(concept, reason="Merged.")
    assert outcome.recomposed == (article.pk,)
    assert not Section.objects.filter(page=concept).exists()
    assert "concept" not in html_of(article)
    assert not search("truces").exists()
    assert [r.state for r in concept.revisions.all()] == ["withdrawn", "published"]
    concept.refresh_from_db()
    publish(concept)
    assert 'href="/concepts/ceasefire/"' in html_of(article)


def test_withdrawing_one_of_two_claimants_gives_the_name_to_the_other():
    first = published_concept("Truce")
    second = published_role("Truce", slug="truce-role")
    article = published_article(source="A truce.")
    assert '<a class="concept"' not in html_of(article)
    withdraw(first)
    assert f'href="{second.get_absolute_url()}"' in html_of(article)


def test_a_written_link_finds_its_page_when_that_is_published_later():
    article = published_article(source="See [[The Long Peace|that essay]] and [[article:long-peace]].")
    assert Mention.objects.exclude(wanted="").count() == 2
    later = published_article(title="The Long Peace", slug="long-peace", source="Text.")
    assert html_of(article).count(f'href="{later.get_absolute_url()}"') == 2


def test_restoring_an_old_revision_makes_a_new_one_and_rewrites_nothing():
    article = published_article(title="Talks", source="First.", tags=["mediation"])
    write({**document_of(article), "source": "Second.", "tags": []}, "article", article)
    publish(article)
    restore(article.revisions.get(number=1))
    article.refresh_from_db()
    assert (article.source, list(article.tags.names())) == ("First.", ["mediation"])
    assert [r.content["source"] for r in article.revisions.order_by("number")] == ["First.", "Second.", "First."]


def test_publishing_again_without_a_change_keeps_no_new_revision_and_touches_no_row():
    published_concept("Ceasefire", "truce")
    article = published_article(source="A truce.\n\n## Next\n\nA ceasefire.", tags=["a"])
    before = derived_rows()[:-1]
    publish(article)
    assert derived_rows()[:-1] == before


def test_rebuilding_gives_the_same_rows():
    published_concept("Ceasefire", "truce")
    published_article(source="A truce.\n\n## Next\n\nA ceasefire and [[nothing]].")
    before = derived_rows()
    assert list(rebuild()) == [2]
    assert derived_rows() == before


def test_rebuilding_mends_rows_that_were_lost_or_spoiled():
    published_concept("Ceasefire")
    article = published_article(source="A ceasefire.")
    Mention.objects.all().delete()
    Section.objects.filter(page=article).update(html="spoiled")
    list(rebuild())
    assert 'href="/concepts/ceasefire/"' in html_of(article)
    assert Mention.objects.count() == 1


def test_a_refused_text_changes_nothing():
    article = published_article(source="First.")
    before = derived_rows()
    article.source = "[" * 2_000
    with pytest.raises(TextRefused):
        save_and_publish(article)
    assert derived_rows() == before


def test_a_draft_leaves_no_derived_row_and_its_names_link_nothing():
    draft = write({"title": "Ceasefire", "slug": "ceasefire", "source": "A draft."}, "concept")
    save_draft(draft)
    article = published_article(source="A ceasefire.")
    assert '<a class="concept"' not in html_of(article)
    assert not Section.objects.filter(page=draft).exists()
    assert draft.revisions.get().state == "draft"


def test_an_offered_change_leaves_the_page_as_readers_see_it():
    user = get_user_model().objects.create_user("haddad")
    article = published_article(source="First.")
    offer(article, {**document_of(article), "source": "Second."}, editor=user, note="Better.")
    article.refresh_from_db()
    assert article.source == "First."
    draft = article.revisions.get(state="draft")
    assert (draft.content["source"], draft.editor, draft.editor_name) == ("Second.", user, "haddad")
    restore(draft)
    article.refresh_from_db()
    assert article.source == "Second."


def test_a_page_dated_in_the_future_is_not_public_and_links_nothing():
    soon = (timezone.now() + timedelta(days=1)).isoformat()
    published_concept("Ceasefire", published_at=soon)
    article = published_article(source="A ceasefire.")
    assert '<a class="concept"' not in html_of(article)


def test_sections_that_move_keep_their_anchors_apart():
    article = published_article(source="## A\n\na\n\n## B\n\nb\n\n## C\n\nc")
    write({**document_of(article), "source": "## C\n\nc\n\n## A\n\na\n\n## B\n\nb"}, "article", article)
    publish(article)
    assert [s.anchor for s in article.sections.all()] == ["c", "a", "b"]


def test_recomposing_costs_a_constant_number_of_queries(django_assert_max_num_queries):
    published_concept("Ceasefire")
    pages = [published_article(source="A ceasefire.\n\n" * 3) for _ in range(6)]
    # The lock, names and how new they are, pages and their six relations, a savepoint to open and to close, each page's
    # entries, and the edition.
    with django_assert_max_num_queries(1 + 2 + 7 + 2 + 6 + 1):
        recompose(pages)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "poem"},
        {"status": "hidden"},
        {"title": ""},
        {"slug": ""},
        {"status": Status.PUBLISHED, "published_at": None},
        {"status": Status.WITHDRAWN, "withdrawn_at": None},
    ],
)
def test_the_database_itself_refuses_rows_that_make_no_sense(values):
    article = published_article()
    with pytest.raises(IntegrityError), transaction.atomic():
        Page.objects.filter(pk=article.pk).update(**values)


def test_the_database_refuses_a_second_page_at_an_address_and_a_link_to_nothing():
    published_article(slug="talks")
    with pytest.raises(DocumentRefused, match="has this address"):
        write({"title": "Other", "slug": "talks"}, "article")
    published_concept("Ceasefire")
    published_article(source="A ceasefire.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Mention.objects.update(target=None)


def test_a_page_and_its_document_say_the_same():
    source("un-charter")
    broader = published_concept("Peace operation")
    document = {
        "title": "Peacekeeping",
        "slug": "peacekeeping",
        "language": "en",
        "summary": "A summary.",
        "phases": ["ceasefire", "transition"],
        "labels": [
            {"text": "Peacekeeping", "kind": "pref", "ambiguous": True},
            {"text": "blue helmets"},
            {"text": "حفظ السلام", "language": "ar", "kind": "pref", "verified": "known"},
        ],
        "broader": [broader.slug],
        "tags": ["doctrine", "un"],
        "sources": ["un-charter"],
        "unlinked": ["mandate"],
        "verified": "page",
        "verified_url": "https://peacekeeping.un.org/en/principles-of-peacekeeping",
        "review_by": "2027-03-31",
        "published_at": "2026-11-24T00:00:00Z",
        "source": "A definition.",
    }
    page = write(document, "concept")
    assert document_of(page) == document
    assert document_of(write(document, "concept", page)) == document


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"title": None}, "title is missing"),
        ({"colour": "red"}, "unknown key “colour”"),
        ({"language": "xx"}, "not one of en, fr, ar"),
        ({"phases": ["war"]}, "not one of prevention"),
        ({"tags": "one"}, "must be a list"),
        ({"published_at": "yesterday"}, "must be a date"),
        ({"review_by": "2027-02-31"}, "must be a date"),
        ({"summary": "x" * 201}, "200 characters or fewer"),
        ({"slug": "../etc"}, "joined by hyphens"),
        ({"sources": ["nowhere"]}, "no source has the slug “nowhere”"),
        ({"broader": ["nowhere"]}, "no concept has the slug “nowhere”"),
        ({"labels": [{"text": "x", "kind": "main"}]}, "unknown kind"),
        ({"title": "a\x00b"}, "cannot be stored"),
        ({"labels": [{"text": "x", "case_sensitive": "no"}]}, "true or false"),
        ({"labels": [{"text": "x", "language": "aa-bbbbbbbb-cc"}]}, "no language code"),
        ({"labels": [{"text": "x", "kind": "pref"}, {"text": "y", "kind": "pref"}]}, "two preferred names in en"),
        ({"tags": ["!!!"]}, "letters or digits"),
        ({"broader": ["t"]}, "cannot be so to itself"),
        ({"published_at": "0001-01-01T00:00:00+05:00"}, "must be a date"),
        ({"review_by": "2027-03-31T09:00:00Z"}, "must be a date"),
        ({"verified": True}, "not one of"),
        ({"title": "a\ud800b"}, "cannot be stored"),
    ],
)
def test_a_document_that_cannot_be_stored_is_refused_with_the_reason(values, message):
    with pytest.raises(DocumentRefused, match=message), transaction.atomic():
        write({"title": "T", "slug": "t", **values}, "concept")
    assert not Page.objects.exists()


def drift() -> bool:
    """Tell whether deriving everything again would change a row: then some deed missed a page."""
    before = derived_rows()
    list(rebuild())
    return derived_rows() != before


def change(page: Page, **values) -> None:
    publish(write({**document_of(page), **values}, page.kind, page))


def test_a_written_link_follows_its_page_through_every_change_of_names():
    talks = published_article(title="Old title", slug="talks", source="T.")
    article = published_article(source="[[Old title|one]], [[talks|two]], [[ceasefire|three]], [[Mandate|four]].")
    change(talks, title="New title")
    assert not drift()
    assert 'href="/articles/talks/">one' not in html_of(article)
    concept = published_concept("Ceasefire")
    assert not drift()
    published_concept("Hudna", "ceasefire")
    assert not drift()
    published_role("Mandate", slug="mandate-role")
    assert not drift()
    withdraw(concept)
    assert not drift()
    withdraw(talks)
    assert not drift()


def test_of_two_articles_with_one_title_a_written_link_means_the_one_that_is_left():
    one = published_article(title="Foo", slug="foo-1")
    two = published_article(title="Foo", slug="foo-2")
    article = published_article(source="See [[Foo|it]].")
    assert 'class="concept"' not in html_of(article)
    withdraw(one)
    assert f'href="{two.get_absolute_url()}"' in html_of(article)


def test_four_hundred_unknown_links_are_stored_and_not_an_error():
    source = "\n\n".join(" ".join(f"[[unknown {a} {b}]]" for b in range(20)) for a in range(30))
    published_article(source=source)
    assert Mention.objects.filter(target=None).exclude(wanted="").count() == 600


def test_a_public_page_that_gets_a_later_date_loses_its_links():
    concept = published_concept("Ceasefire")
    article = published_article(source="A ceasefire.")
    change(concept, published_at=(timezone.now() + timedelta(days=1)).isoformat())
    assert 'class="concept"' not in html_of(article)
    assert not drift()


def test_titles_that_change_places_in_one_deed_leave_no_name_behind():
    alpha, beta = published_concept("Alpha"), published_concept("Beta")
    article = published_article(source="Alpha and beta.")
    alpha.title, beta.title = "Beta", "Alpha"
    alpha.save()
    beta.save()
    publish_many([alpha, beta])
    names = set(Label.objects.values_list("page__slug", "text", "key"))
    assert names == {("alpha", "Beta", "beta"), ("beta", "Alpha", "alpha")}
    assert html_of(article).count('class="concept"') == 2


def test_publishing_takes_what_is_stored_not_what_a_caller_read_earlier():
    published_article(title="First", slug="first")
    stale, fresh = (Page.objects.get(slug="first") for _ in range(2))
    fresh.title = "Second"
    fresh.save()
    publish(fresh)
    publish(stale)
    assert Page.objects.get(slug="first").revisions.latest().content["title"] == "Second"


def test_a_draft_can_be_neither_withdrawn_nor_a_public_page_saved_as_one():
    draft = draft_article(title="Draft")
    withdraw(draft)
    assert Page.objects.get(pk=draft.pk).status == Status.DRAFT
    with pytest.raises(ValueError, match="offer"):
        save_draft(published_article())


def test_an_address_that_a_page_to_come_will_take_still_redirects():
    article = published_article(slug="old")
    change(article, slug="new")
    published_article(slug="old", published_at=timezone.now() + timedelta(days=1))
    assert FormerSlug.objects.filter(slug="old").exists()


def linked_pages(page: Page) -> list[str]:
    mentions = Mention.objects.filter(section__page=page, linked=True).order_by("section__position", "start")
    return list(mentions.values_list("target__title", flat=True))


def test_names_that_change_are_linked_without_parsing_the_markdown_again(monkeypatch):
    article = published_article(source="A truce held, *then* a `truce`.[^1]\n\n[^1]: A truce in a note.")
    bare = html_of(article)

    def parse(text):
        assert "truce" not in text, "the Markdown was parsed"
        return parse_within(text)

    concept = published_concept("Ceasefire")
    document = {**document_of(concept), "labels": [{"text": "truce"}]}
    monkeypatch.setattr("peacekb.text.compose.parse_within", parse)
    publish(write(document, concept.kind, concept))
    assert 'A <a class="concept" href="/concepts/ceasefire/">truce</a> held' in html_of(article)
    publish(write({**document, "labels": []}, concept.kind, concept))
    assert html_of(article) == bare
    monkeypatch.undo()
    before = derived_rows()
    list(rebuild())
    assert derived_rows() == before


def test_sections_of_a_base_from_before_the_trees_are_linked_too():
    article = published_article(source="A truce held.")
    SectionTree.objects.all().delete()
    published_concept("Truce")
    assert linked_pages(article) == ["Truce"]


def test_names_of_a_deed_that_was_taken_back_are_forgotten():
    published_concept("Mediation")
    with transaction.atomic():
        published_concept("Truce")
        transaction.set_rollback(True)
    article = published_article(title="One", source="A truce in mediation.")
    assert linked_pages(article) == ["Mediation"]
    published_concept("Armistice", "truce")
    assert linked_pages(article) == ["Armistice", "Mediation"]


def test_a_page_whose_date_came_gives_its_names_to_what_is_published_next(time_machine):
    published_concept("Mediation")
    soon = timezone.now() + timedelta(hours=1)
    concept = published_concept("Truce", published_at=soon)
    assert linked_pages(published_article(title="One", source="A truce.")) == []
    time_machine.move_to(soon + timedelta(minutes=1))
    assert linked_pages(published_article(title="Two", source="A truce.")) == ["Truce"]
    assert concept.labels.exists()


def test_withdrawn_and_renamed_pages_are_right_in_what_is_published_next():
    concept, other = published_concept("Truce"), published_concept("Mediation")
    withdraw(concept)
    document = {**document_of(other), "slug": "talks"}
    publish(write(document, other.kind, other))
    article = published_article(source="A truce in mediation.")
    assert linked_pages(article) == ["Mediation"]
    assert 'href="/concepts/talks/"' in html_of(article)


def test_a_written_link_by_a_former_address_leads_to_the_page():
    concept = published_concept("Truce")
    publish(write({**document_of(concept), "slug": "silence", "title": "Silence"}, concept.kind, concept))
    assert linked_pages(published_article(source="See [[concept:truce|there]].")) == ["Silence"]


def test_mentions_know_the_words_beside_them():
    concept = published_concept("Truce")
    published_article(source="Both sides’ long truce, said Élodie, held. No truce")
    (one, two) = concept.mentioned_in.order_by("start")
    assert (one.preceding, one.following) == ("long sides both", "said elodie held")
    assert (two.preceding, two.following) == ("no", "")


def test_a_mention_in_a_heading_is_kept_apart_from_those_in_the_text():
    concept = published_concept("Truce")
    article = published_article(source="## Truce\n\nTruce at last.")
    rows = concept.mentioned_in.values_list("in_heading", "start", "linked", "sentence", "section__page")
    assert list(rows) == [(True, 0, False, "Truce", article.pk), (False, 0, True, "Truce at last.", article.pk)]
