"""Changes of names without fear: seen beforehand, sentence by sentence, done as one, and taken back.

A proposal is looked at (`preview`), then done (`apply`): at once where it touches few sections; else it waits and is
prepared in steps beside what readers see (`staging`). Taking it back is a proposal too (`proposals.of_undoing`).
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from peacekb.documents import Document, document_of, write
from peacekb.models import ChangedPage, FormerSlug, Mention, NameChange, Page, Revision, Section, Status
from peacekb.text.compose import Section as MadeSection
from peacekb.text.compose import compose
from peacekb.text.links import Mention as FoundMention
from peacekb.text.markdown_tree import written_links
from peacekb.text.vocabulary import Vocabulary

from . import User, keep_as_it_is, offer, save_draft, settle, take_turn
from .names import Effect, Resolver, as_if
from .proposals import ChangeRefused, Proposal
from .rows import LinkCount, links

#: A change that touches no more sections is done at once: a second or two, in which no other editor can save.
AT_ONCE = 300
#: Picks are tried out one by one on the text of their essay.
MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """A sentence of another page in which a link appears, changes or vanishes: from page `was` to page `will`."""

    section: Section
    start: int
    paragraph: int | None
    before: str
    mention: str
    after: str
    was: Page | None
    will: Page | None
    can_be_kept: bool  # not where it links a page that will be gone

    @property
    def place(self) -> tuple[int, int]:
        """Give section and offset, by which a pick names the sentence."""
        return self.section.pk, self.start


@dataclass(frozen=True, slots=True)
class Preview:
    """The differences in some of the sections that a change touches, and how many sections it touches in all."""

    differences: list[Difference]
    sections: int


@transaction.atomic
def preview(proposal: Proposal, *, first: int = 0, most: int = 100) -> Preview:
    """Give the sentences whose link would appear, change or vanish, in `most` of the touched sections from `first` on.

    Writes nothing. Costs one search of the index, and six queries for the sections looked at.
    """
    take_turn()
    touched = sorted(proposal.touched())
    with as_if(proposal.names()) as names:
        found = [
            (section, one, was, will)
            for section, made in proposal.linked(touched[first : first + most], names)
            for one, was, will in _differences(section, made)
        ]
    pages = Page.objects.in_bulk({pk for _, _, *both in found for pk in both if pk is not None})
    differences = []
    for section, one, was, will in found:
        place, behind = one.start - one.sentence_start, one.end - one.sentence_start
        before, mention, after = one.sentence[:place], one.sentence[place:behind], one.sentence[behind:]
        differences.append(
            Difference(
                section,
                one.start,
                one.paragraph,
                before,
                mention,
                after,
                was=None if was is None else pages[was],
                will=None if will is None else pages[will],
                can_be_kept=was not in proposal.withdrawn,
            )
        )
    return Preview(differences, len(touched))


def _differences(
    section: Section, made: MadeSection
) -> Iterator[tuple[Mention | FoundMention, int | None, int | None]]:
    """Give the places of a section whose link differs, each with the pages that it links and will link."""
    was, will = links(section.mentions.all()), links(made.mentions)
    mentions = {one.start: one for one in [*section.mentions.all(), *made.mentions] if not one.in_heading}
    for start in sorted(was.keys() | will.keys()):
        if was.get(start) != will.get(start):
            yield mentions[start], was.get(start), will.get(start)


@transaction.atomic
def apply(
    proposal: Proposal,
    *,
    keep: Collection[tuple[int, int]] = (),
    editor: User = None,
    note: str = "",
    undoes: NameChange | None = None,
) -> NameChange:
    """Do what a proposal says, at once or, past `AT_ONCE` sections, as a change that waits for `proceed`.

    The sentences in `keep` (see `Difference.place`) stay as they are: their essays get `[[…]]` there, in the same
    event. `undoes` is the change that this one takes back. Raises `ChangeRefused`, `TextRefused` and
    `DocumentRefused`; nothing is changed then.
    """
    take_turn()
    if NameChange.objects.filter(state=NameChange.State.WAITING).exists():
        raise ChangeRefused("Another change of names is being prepared. Wait until it is done, or stop it.")
    proposal = replace(proposal, after={**proposal.after, **_kept_as_they_are(proposal, keep)})
    touched = proposal.touched()
    user = editor if isinstance(editor, AbstractBaseUser) else None
    pages = Page.objects.in_bulk(proposal.pages)
    before = {pk: keep_as_it_is(page) for pk, page in pages.items()}
    change = NameChange.objects.create(
        deed=proposal.deed,
        summary=proposal.summary,
        state=NameChange.State.WAITING,
        note=note[:300],
        editor=user,  # type: ignore[misc]
        editor_name=user.get_username() if user else "",
        undoes=undoes,
        sections_total=len(touched),
    )
    for pk in pages:
        ChangedPage.objects.create(
            change=change,
            page_id=pk,
            before=before[pk],
            successor_id=proposal.merged.get(pk),
            reason=proposal.withdrawn.get(pk, ""),
        )
    if len(touched) <= AT_ONCE:
        show(change, proposal, editor)
        return change
    for pk, document in proposal.after.items():
        draft = _drafted(pages[pk], document, change, editor)
        change.pages.filter(page=pk).update(after=draft)
    return change


def _drafted(page: Page, document: Document, change: NameChange, editor: User) -> Revision | None:
    if page.status == Status.DRAFT:
        save_draft(write(document, page.kind, page), editor=editor, note=change.summary)
    else:
        offer(page, document, editor=editor, note=change.summary)
    return page.revisions.order_by("-number").first()


def show(
    change: NameChange,
    proposal: Proposal,
    editor: User,
    link: Callable[[Effect, Collection[int]], tuple[Collection[int], LinkCount]] | None = None,
) -> None:
    """Put the documents of a change into the rows, and let readers see it: all pages and links at once."""
    pages = Page.objects.in_bulk([*proposal.after, *proposal.withdrawn])
    written = [write(document, pages[pk].kind, pages[pk]) for pk, document in proposal.after.items()]
    gone = [(pages[pk], reason) for pk, reason in proposal.withdrawn.items()]
    for pk, into in proposal.merged.items():
        FormerSlug.objects.update_or_create(kind=pages[pk].kind, slug=pages[pk].slug, defaults={"page_id": into})
    outcome = settle(written, gone, editor=editor, note=change.note or change.summary, link=link)
    for pk in pages:
        change.pages.filter(page=pk).update(after=outcome.revisions.get(pk))
    # A page whose document is as it was before had no part in it.
    change.pages.filter(after=None).delete()
    change.links_appeared = outcome.links.appeared
    change.links_altered = outcome.links.altered
    change.links_vanished = outcome.links.vanished
    change.sections_done = change.sections_total
    change.state, change.finished_at = NameChange.State.DONE, timezone.now()
    change.save()
    if change.undoes is not None:
        NameChange.objects.filter(pk=change.undoes.pk).update(state=NameChange.State.UNDONE)


def _kept_as_they_are(proposal: Proposal, keep: Collection[tuple[int, int]]) -> dict[int, Document]:
    """Give the documents of essays with `[[…]]` at the places that are to stay as they are."""
    if len(keep) > MOST_KEPT:
        raise ChangeRefused(f"At most {MOST_KEPT} sentences can stay as they are; these are {len(keep)}.")
    documents: dict[int, Document] = {}
    if not keep:
        return documents
    missed = set(keep)
    with as_if(proposal.names()) as names:
        for section, made in proposal.linked(sorted({section for section, _ in keep}), names):
            for one, was, _ in _differences(section, made):
                if (section.pk, one.start) in missed:
                    missed.remove((section.pk, one.start))
                    document = documents.setdefault(section.page_id, document_of(section.page))
                    document["source"] = _marked(document["source"], section, one, was, proposal, names)
    if missed:
        raise ChangeRefused("The texts have changed since you looked at the sentences. Look at them again.")
    return documents


def _marked(
    source: str, section: Section, one: Mention | FoundMention, was: int | None, proposal: Proposal, names: Vocabulary
) -> str:
    """Give a Markdown in which one place links as it did: `[[!…]]`, or `[[…]]` to the page `was`.

    The mark is tried at each place where the words stand, until the composed essay has the link and reads the same.
    """
    surface = one.sentence[one.start - one.sentence_start : one.end - one.sentence_start]
    words = " ".join(surface.split())
    if was is None:
        mark = f"[[!{words}]]"
    elif was in proposal.withdrawn:
        raise ChangeRefused(f"“{words}” cannot keep its link: the page it leads to will be gone.")
    else:
        target = Page.objects.get(pk=was)
        slug = proposal.after[was]["slug"] if was in proposal.after else target.slug
        mark = f"[[{target.kind}:{slug}|{words}]]"
    page = section.page
    for found in re.finditer(r"\s+".join(map(re.escape, surface.split())), source):
        tried = source[: found.start()] + mark + source[found.end() :]
        essay = compose(
            tried,
            names,
            title=page.title,
            language=page.language,
            resolve=Resolver(names, written_links(tried), proposal.instead()),
            own=page.pk,
            quiet=page.unlinked,
        )
        if section.position < len(essay.sections):
            made = essay.sections[section.position]
            reads_same = made.text.split() == section.text.split()
            if reads_same and links(made.mentions).get(one.start) == was:
                return tried
    raise ChangeRefused(
        f"“{words}” in “{page.title}”, paragraph {one.paragraph}, cannot stay as it is by itself. "
        "Write [[…]] in that text first."
    )
