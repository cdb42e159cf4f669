"""Changes of names: looked at, done as one, prepared in steps, taken back."""

import re

import pytest
from django.core.management import call_command

from peacekb.documents import document_of
from peacekb.models import (
    Concept,
    FormerSlug,
    Mention,
    NameChange,
    Page,
    Revision,
    SearchEntry,
    Section,
    SectionTree,
    StagedMention,
    StagedSection,
    Status,
)
from peacekb.publishing import changes, publish, save_draft, staging
from peacekb.publishing.changes import Difference, apply, preview
from peacekb.publishing.proposals import ChangeRefused, Proposal, of_dividing, of_merging, of_names, of_undoing

from .factories import draft_article, published_article, published_concept, published_role, source

pytestmark = pytest.mark.django_db


def with_names(page: Page, *names: str, **values) -> Proposal:
    """A proposal that a page has these other names."""
    return of_names(page, {**document_of(page), "labels": [{"text": name} for name in names], **values})


def undo(change: NameChange) -> NameChange:
    return apply(of_undoing(change), undoes=change)


def told(differences: list[Difference]) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (
            one.section.page.title,
            one.mention,
            None if one.was is None else one.was.title,
            None if one.will is None else one.will.title,
        )
        for one in differences
    ]


def derived() -> list[list[tuple]]:
    """Every derived row, keys included."""
    tables = (Section, SectionTree, Mention, SearchEntry)
    return [list(table.objects.order_by("pk").values_list()) for table in tables]


def said() -> list[list[tuple]]:
    """What readers and the linker see, without keys."""
    return [
        list(Section.objects.order_by("page__slug", "position").values_list("page__slug", "html", "text")),
        list(
            Mention.objects.order_by("section__page__slug", "section__position", "in_heading", "start").values_list(
                "section__page__slug", "target__slug", "label__text", "start", "end", "sentence", "linked",
                "wanted", "preceding", "following", "in_heading", "paragraph",
            )
        ),
    ]  # fmt: skip


def finished(change: NameChange) -> NameChange:
    while not staging.proceed(change):
        pass
    change.refresh_from_db()
    return change


@pytest.fixture
def slowly(monkeypatch):
    """Every change is prepared in steps, of two sections each."""
    monkeypatch.setattr(changes, "AT_ONCE", 0)
    monkeypatch.setattr(staging, "BATCH", 2)


@pytest.fixture
def base():
    """Three concepts and the essays that use their names."""
    truce, ceasefire = published_concept("Truce", "armistice"), published_concept("Ceasefire", "lull", "quiet")
    other = published_concept("Mediation")
    published_article(title="One", source="A lull came. A truce held.\n\n## Then\n\nAnother lull, in quiet.")
    published_article(title="Two", source="The armistice of [[quiet|that day]]. A pause began.")
    published_article(title="Three", source="Mediation goes on.")
    return truce, ceasefire, other


def test_a_preview_tells_each_sentence_whose_link_appears_changes_or_vanishes_and_writes_nothing(base):
    _, ceasefire, _ = base
    before = derived()
    seen = preview(with_names(ceasefire, "pause", "lull"))
    assert sorted(told(seen.differences)) == [
        ("Two", "pause", None, "Ceasefire"),
        ("Two", "that day", "Ceasefire", None),
    ]
    (appears,) = [one for one in seen.differences if one.was is None]
    assert (appears.before, appears.mention, appears.after) == ("A ", "pause", " began.")
    assert appears.paragraph == 1
    assert derived() == before
    assert not Revision.objects.filter(page=ceasefire, number__gt=1).exists()


def test_what_is_applied_is_what_was_previewed_and_what_a_rebuild_gives(base):
    _, ceasefire, _ = base
    change = apply(with_names(ceasefire, "pause", "lull"))
    assert (change.links_appeared, change.links_altered, change.links_vanished) == (1, 0, 1)
    assert change.state == NameChange.State.DONE
    assert change.summary == "Names of “Ceasefire”: + pause, − quiet"
    before = derived()
    call_command("rebuild")
    assert derived() == before


def test_a_name_that_moves_to_another_page_changes_its_links(base):
    truce, ceasefire, _ = base
    proposal = with_names(ceasefire, "quiet")
    proposal = Proposal("names", "moved", {**proposal.after, **with_names(truce, "armistice", "lull").after})
    assert told(preview(proposal).differences) == [
        ("One", "lull", "Ceasefire", "Truce"),
        ("One", "truce", "Truce", None),  # no longer the first mention of its section
        ("One", "lull", "Ceasefire", "Truce"),
        ("One", "quiet", None, "Ceasefire"),
    ]
    apply(proposal)
    lulls = Mention.objects.filter(section__page__title="One", label__text="lull")
    assert {mention.target_id for mention in lulls} == {truce.pk}


def test_sentences_that_are_to_stay_as_they_are_get_marks_in_the_same_event(base):
    _, ceasefire, _ = base
    proposal = with_names(ceasefire, "pause")
    seen = preview(proposal).differences
    keep = {one.place for one in seen if one.mention in ("pause", "lull")}
    assert len(keep) == 3
    change = apply(proposal, keep=keep)
    two, one = Page.objects.get(title="Two"), Page.objects.get(title="One")
    assert "A [[!pause]] began." in two.source
    assert one.source.count("[[concept:ceasefire|lull]]") == 2
    assert set(change.pages.values_list("page__title", flat=True)) == {"Ceasefire", "One", "Two"}
    linked = Mention.objects.filter(linked=True, target=ceasefire).values_list("section__page__title", "wanted")
    assert set(linked) == {("One", "concept:ceasefire")}
    undo(change)
    two.refresh_from_db()
    assert "[[!pause]]" not in two.source


def test_a_pick_that_is_no_longer_there_is_refused_and_nothing_is_changed(base):
    _, ceasefire, _ = base
    before = derived()
    with pytest.raises(ChangeRefused, match="Look at them again"):
        apply(with_names(ceasefire, "pause"), keep={(Section.objects.first().pk, 999)})
    assert derived() == before
    assert not NameChange.objects.exists()


def test_a_rename_keeps_the_old_name_and_the_old_address(base, client):
    _, ceasefire, _ = base
    document = {**document_of(ceasefire), "title": "Cessation of hostilities", "slug": "cessation"}
    change = apply(of_names(ceasefire, document))
    assert "“Ceasefire” becomes “Cessation of hostilities”" in change.summary
    assert ceasefire.labels.filter(text="Ceasefire", kind="alt").exists()
    response = client.get("/concepts/ceasefire/")
    assert (response.status_code, response.headers["Location"]) == (301, "/concepts/cessation/")
    assert 'href="/concepts/cessation/"' in Section.objects.filter(page__title="One").first().html


def test_a_merge_hands_over_names_address_tags_sources_and_relations(base, client):
    truce, ceasefire, _ = base
    source("un-charter")
    publish(published_concept("Pact", broader=["truce"], related=["truce"]))
    truce_document = {**document_of(truce), "tags": ["war"], "sources": ["un-charter"]}
    apply(of_names(truce, truce_document))
    essay = published_article(title="Four", source="See [[concept:truce]] and [[Truce]] and an armistice.")
    change = apply(of_merging(Page.objects.get(pk=truce.pk), Page.objects.get(pk=ceasefire.pk)))
    assert {label.text for label in ceasefire.labels.all()} == {"Ceasefire", "lull", "quiet", "Truce", "armistice"}
    assert [tag.name for tag in ceasefire.tags.all()] == ["war"]
    assert [one.slug for one in ceasefire.sources.all()] == ["un-charter"]
    pact = Concept.objects.get(slug="pact")
    assert [one.slug for one in pact.broader.all()] == ["ceasefire"]
    assert [one.slug for one in pact.related.all()] == ["ceasefire"]
    response = client.get("/concepts/truce/")
    assert (response.status_code, response.headers["Location"]) == (301, "/concepts/ceasefire/")
    assert set(Mention.objects.filter(section__page=essay).values_list("target", flat=True)) == {ceasefire.pk}
    assert change.links_altered > 0
    assert change.links_vanished == 1  # “A lull came. A truce held.” names one page now
    before = derived()
    call_command("rebuild")
    assert derived() == before


def test_a_merge_taken_back_leaves_everything_as_it_was(base, client):
    truce, ceasefire, _ = base
    published_concept("Pact", related=["truce"])
    before, documents = said(), [document_of(page) for page in Page.objects.order_by("pk")]
    change = apply(of_merging(truce, ceasefire))
    undone = undo(change)
    change.refresh_from_db()
    assert (change.state, undone.deed, undone.undoes) == ("undone", "undo", change)
    assert said() == before
    assert [document_of(page) for page in Page.objects.order_by("pk")] == documents
    assert client.get("/concepts/truce/").status_code == 200
    with pytest.raises(ChangeRefused, match="Only a change that is done"):
        undo(change)


def test_only_published_pages_of_one_kind_are_merged(base):
    truce, ceasefire, _ = base
    for one, into in ((truce, truce), (truce, published_role("Guarantor"))):
        with pytest.raises(ChangeRefused, match="of its own kind"):
            of_merging(one, into)
    changes.apply(of_merging(truce, ceasefire))
    with pytest.raises(ChangeRefused, match="is not published"):
        of_merging(Page.objects.get(pk=truce.pk), ceasefire)


def test_a_page_is_divided_from_another_with_some_of_its_names(base):
    _, ceasefire, _ = base
    before = said()
    new = Concept(kind="concept", title="Lull", slug="lull", source="A short silence.")
    new.save()
    save_draft(new)
    proposal = of_dividing(ceasefire, new, [ceasefire.labels.get(text="lull").pk])
    assert told(preview(proposal).differences) == [
        ("One", "lull", "Ceasefire", "Lull"),
        ("One", "lull", "Ceasefire", "Lull"),
        ("One", "quiet", None, "Ceasefire"),  # it is the first mention now
    ]
    change = apply(proposal)
    assert {
        mention.target_id for mention in Mention.objects.filter(section__page__title="One", label__text="lull")
    } == {new.pk}
    assert change.links_altered == 2
    undo(change)
    new.refresh_from_db()
    assert new.status == Status.WITHDRAWN
    assert said() == before


def test_a_change_is_not_taken_back_over_a_later_one(base):
    _, ceasefire, _ = base
    change = apply(with_names(ceasefire, "pause"))
    apply(with_names(ceasefire, "pause", "calm"))
    with pytest.raises(ChangeRefused, match="“Ceasefire” was changed since"):
        undo(change)


# --- in steps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["names", "rename", "merge", "undo"])
def test_a_change_in_steps_gives_the_rows_of_one_at_once(base, slowly, monkeypatch, deed):
    truce, ceasefire, _ = base
    made = None
    if deed == "undo":
        monkeypatch.setattr(changes, "AT_ONCE", 300)
        made = apply(of_merging(truce, ceasefire))
        monkeypatch.setattr(changes, "AT_ONCE", 0)
    before = derived()
    if deed == "names":
        change = apply(with_names(ceasefire, "pause", "lull"))
    elif deed == "rename":
        change = apply(of_names(ceasefire, {**document_of(ceasefire), "title": "Silence", "slug": "silence"}))
    elif deed == "merge":
        change = apply(of_merging(truce, ceasefire))
    else:
        assert made is not None
        change = undo(made)
    assert change.state == NameChange.State.WAITING
    assert derived() == before
    assert finished(change).state == NameChange.State.DONE
    assert change.sections_total == change.sections_done > 0
    assert not StagedSection.objects.exists()
    assert not StagedMention.objects.exists()
    after = derived()
    assert after != before
    call_command("rebuild")
    assert derived() == after
    kept = {row[0] for row in before[2]} & {row[0] for row in after[2]}
    assert kept  # a mention whose place stays keeps its row


def test_readers_see_nothing_of_a_change_before_all_of_it_is_ready(base, slowly):
    _, ceasefire, _ = base
    for number in range(6):
        published_article(title=f"Essay {number}", source="A pause.")
    before = said()
    change = apply(with_names(ceasefire, "pause"))
    steps = 0
    while not staging.proceed(change, seconds=0):
        steps += 1
        change.refresh_from_db()
        assert (said() == before) == (change.state == NameChange.State.WAITING)
    assert steps > 4
    assert Mention.objects.filter(label__text="pause", linked=True).count() == 7


def test_what_is_published_while_a_change_is_prepared_is_right_at_its_end(base, slowly):
    _, ceasefire, _ = base
    for number in range(5):
        published_article(title=f"Essay {number}", source="A pause.")
    change = apply(with_names(ceasefire, "pause"))
    staging.proceed(change, seconds=0)
    staging.proceed(change, seconds=0)
    publish_again = Page.objects.get(title="Essay 0")
    Page.objects.filter(pk=publish_again.pk).update(source="No lull, a long pause.\n\n## And\n\nA pause.")
    publish(publish_again)
    published_article(title="Late", source="A late pause.")
    published_concept("Silence", "calm")  # names changed: all is prepared anew
    assert finished(change).state == NameChange.State.DONE
    assert Mention.objects.filter(label__text="pause", linked=True).count() == 8
    after = derived()
    call_command("rebuild")
    assert derived() == after


def test_a_change_whose_page_was_changed_meanwhile_stops_and_says_so(base, slowly):
    _, ceasefire, _ = base
    change = apply(with_names(ceasefire, "pause"))
    Page.objects.filter(pk=ceasefire.pk).update(source="Another definition.")
    publish(ceasefire)
    before = derived()
    assert finished(change).state == NameChange.State.STOPPED
    assert change.problem == "“Ceasefire” was changed while the links were prepared. Begin anew."
    assert derived() == before
    assert not StagedSection.objects.exists()


def test_one_change_waits_at_a_time_and_can_be_given_up(base, slowly):
    truce, ceasefire, _ = base
    change = apply(with_names(ceasefire, "pause"))
    with pytest.raises(ChangeRefused, match="Another change of names is being prepared"):
        apply(with_names(truce, "calm"))
    before = derived()
    staging.proceed(change, seconds=0)
    staging.stop(change)
    assert staging.proceed(change)
    change.refresh_from_db()
    assert change.state == NameChange.State.STOPPED
    assert derived() == before
    assert not ceasefire.labels.filter(text="pause").exists()


def test_a_draft_is_never_part_of_a_preview(base):
    _, ceasefire, _ = base
    draft_article(title="Secret", source="A pause.")
    assert {one.section.page.title for one in preview(with_names(ceasefire, "pause")).differences} == {"One", "Two"}


def test_a_preview_goes_page_by_page_with_a_constant_number_of_queries(base, django_assert_max_num_queries):
    _, ceasefire, _ = base
    for number in range(8):
        published_article(title=f"Essay {number}", source="A pause.")
    proposal = with_names(ceasefire, "pause", "lull", "quiet")
    assert preview(proposal).sections == 9
    with django_assert_max_num_queries(22):
        first = preview(proposal, most=5)
    with django_assert_max_num_queries(22):
        rest = preview(proposal, first=5, most=5)
    # In “Two” another link to the same page stands before.
    assert (len(first.differences), len(rest.differences)) == (4, 4)
    places = [one.place for one in first.differences + rest.differences]
    assert len(set(places)) == 8
    assert all(re.fullmatch("pause", one.mention) for one in first.differences)
    assert FormerSlug.objects.count() == 0
