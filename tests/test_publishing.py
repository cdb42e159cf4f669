"""The one writer: what each deed leaves in the tables."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from peacekb.documents import DocumentRefused, document_of, write
from peacekb.models import FormerSlug, Label, Mention, Page, Revision, SearchEntry, Section, Status
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
        for model in (Section, Mention, SearchEntry, Label, Revision, Page)
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
    # The lock, names, pages and their five relations, a savepoint to open and to close, and each page's entries.
    with django_assert_max_num_queries(1 + 1 + 6 + 2 + 6):
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
        ({"title": "a\ud800b"}, "cannot be stored"),
    ],
)
def test_a_document_that_cannot_be_stored_is_refused_with_the_reason(values, message):
    with pytest.raises(DocumentRefused, match=message), transaction.atomic():
        write({"title": "T", "slug": "t", **values}, "concept")
    assert not Page.objects.exists()
