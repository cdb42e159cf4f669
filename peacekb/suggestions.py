"""Names that links teach: what is offered to editors as another name of a page, and what they decide."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Substr

from peacekb import publishing, search
from peacekb.documents import Document, document_of, normal, write
from peacekb.models import DismissedName, Label, Mention, Page, Revision, Status
from peacekb.text.learning import SECTIONS_TO_A_LINK, Learnt, WrittenLink, learn, with_sections
from peacekb.text.vocabulary import Name, Vocabulary, name_key

#: The words of a mention as the text has them, in the database.
SURFACE = Substr("sentence", F("start") - F("sentence_start") + 1, F("end") - F("start"))
# Sections read to count names in them: where all rounds are used up, the numbers are the least there are.
_SECTIONS_READ = 1_000
_ROUNDS = 3
_MOST_JUDGED = 100
MOST_SENTENCES = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What links call a page: offered as its name, or dropped for the reason that `learnt.why` gives.

    `sections` counts where it stands, linked or not; `waits_in` is the newest draft of the page, if that has the name.
    """

    learnt: Learnt
    page: Page
    others: tuple[Page, ...] = ()
    sections: int = 0
    at_least: bool = False
    waits_in: Revision | None = None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What links teach now, most links first; `later` counts the names that are judged once others are decided."""

    offered: list[Suggestion]
    dropped: list[Suggestion]
    later: int


@dataclass(frozen=True, slots=True)
class NewName:
    """A name that a page is to have; one that is `hidden` is found and linked, and never shown."""

    text: str
    language: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What accepting a name did: `revision` holds it; `linked` counts the other pages that were linked again."""

    published: bool
    revision: Revision | None
    linked: int = 0


def suggested() -> Suggestions:
    """Learn names from all written links of public texts. Six queries; two more where names stand in many sections."""
    links = _written_links()
    learnt = learn(links, _known_names({name_key(link.surface) for link in links}))
    dismissed = set(DismissedName.objects.values_list("page_id", "key"))
    learnt = [one for one in learnt if (one.target, one.key) not in dismissed]
    pages = (
        Page.objects.published().defer("source").in_bulk({key for one in learnt for key in (one.target, *one.others)})
    )
    possible = [one for one in learnt if not one.why and one.target in pages]
    candidates = possible[:_MOST_JUDGED]
    counts, in_part = _sections_holding(candidates)
    drafts = _newest_drafts({one.target for one in candidates})
    offered: list[Suggestion] = []
    dropped: list[Suggestion] = []
    for one in candidates:
        sections = max(counts[one.key], one.sections)
        # Past the number that decides, nothing was counted.
        at_least = one.key in in_part or sections >= _enough(one)
        judged = with_sections(one, sections, at_least=at_least)
        draft = drafts.get(one.target)
        suggestion = Suggestion(
            judged,
            pages[one.target],
            sections=sections,
            at_least=at_least,
            waits_in=draft if draft is not None and _has(draft.content, one.text) else None,
        )
        (dropped if judged.why else offered).append(suggestion)
    for one in learnt:
        if one.why and one.target in pages:
            others = tuple(pages[key] for key in one.others if key in pages)
            dropped.append(Suggestion(one, pages[one.target], others))
    dropped.sort(key=lambda one: (-one.learnt.links, one.learnt.key))
    return Suggestions(offered, dropped, later=len(possible) - len(candidates))


def sentences_of(shown: Iterable[Suggestion]) -> dict[int, Mention]:
    """Give the first sentences of each suggestion by their key, with section and page. One query."""
    keys = [key for one in shown for key in one.learnt.mentions[:MOST_SENTENCES]]
    found: dict[int, Mention] = with_places(Mention.objects.public()).in_bulk(keys)
    return found


def with_places(mentions: Any) -> Any:
    """Join section and page of mentions, without their texts."""
    heavy = ("heading_html", "html", "notes_html", "text", "paragraph_starts", "page__source")
    return mentions.select_related("section__page").defer(*(f"section__{name}" for name in heavy))


@transaction.atomic
def accept(page: Page, name: NewName, editor: Any, *, note: str) -> Accepted | None:
    """Give a published page another name: at once if `editor` may publish, else in a draft.

    An editor's own newest draft takes the name up, so that one draft collects them. Gives `None` where the page is not
    published any more. Raises `TextRefused` and `DocumentRefused` as `publishing.restore`; nothing is changed then.
    """
    publishing.take_turn()
    stored = Page.objects.filter(pk=page.pk, status=Status.PUBLISHED).first()
    if stored is None:
        return None
    if editor.has_perm("peacekb.publish_page"):
        document = with_name(document_of(stored), stored.kind, name)
        outcome = publishing.publish(write(document, stored.kind, stored), editor=editor, note=note)
        return Accepted(True, outcome.revisions.get(stored.pk), len(outcome.recomposed))
    newest = stored.revisions.order_by("-number").first()
    own = newest is not None and newest.state == Revision.State.DRAFT and newest.editor_id == editor.pk
    document = newest.content if newest is not None and own else document_of(stored)
    if own and _has(document, name.text):
        return Accepted(False, newest)
    document = with_name(document, stored.kind, name)
    return Accepted(False, publishing.offer(stored, document, editor=editor, note=note))


def dismiss(page: Page, text: str) -> None:
    """Never suggest a name for a page again, in whatever spelling."""
    DismissedName.objects.get_or_create(page=page, key=name_key(text), defaults={"text": text})


def draft_without(page: Page, text: str) -> Revision | None:
    """Give the newest draft that is newer than what was public before and lacks a name: publishing it takes it away."""
    public = page.revisions.filter(state=Revision.State.PUBLISHED).order_by("-number")[1:2]
    drafts = page.revisions.filter(state=Revision.State.DRAFT, number__gt=public[0].number if public else 0)
    newest = drafts.order_by("-number").first()
    return newest if newest is not None and not _has(newest.content, text) else None


def with_name(document: Document, kind: str, name: NewName) -> Document:
    """Give the document of a page with one more name."""
    label = {"text": name.text}
    if name.language != "en":
        label["language"] = name.language
    if name.hidden:
        label["kind"] = Label.LabelKind.HIDDEN.value
    return normal({**document, "labels": [*document.get("labels", []), label]}, kind)


def _has(document: Document, text: str) -> bool:
    return any(label["text"] == text for label in document.get("labels", []))


def _written_links() -> list[WrittenLink]:
    rows = Mention.objects.public().exclude(wanted="").filter(target__isnull=False).annotate(spelled=SURFACE)
    of_link = ("pk", "spelled", "target_id", "section_id", "section__page_id", "section__page__language")
    found: Any = rows.order_by("section_id", "start").values_list(*of_link, "target__kind", "target__slug")
    # `[[concept:ceasefire]]` shows an address, which is no name.
    return [WrittenLink(*row) for *row, kind, slug in found if row[1].casefold() != f"{kind}:{slug}".casefold()]


def _known_names(keys: set[str]) -> Vocabulary:
    """Give the names of public pages that may be spelled like one of the keys, articles aside."""
    words = {word for key in keys for word in key.split()}
    rows = (
        Label.objects.filter(page__in=Page.objects.published())
        .order_by("pk")
        .values_list("page_id", "text", "language")
    )
    return Vocabulary(
        Name(page, text, "", language) for page, text, language in rows if words.issuperset(name_key(text).split())
    )


def _sections_holding(candidates: Sequence[Learnt]) -> tuple[dict[str, int], set[str]]:
    """Count the sections in which each name stands, up to the number that decides; and say which were counted in part.

    Common words use up what one round may read, so the others have rounds of their own. One query a round.
    """
    counts: dict[str, int] = {}
    left, cut_off = list(candidates), True
    for _ in range(_ROUNDS):
        if left and cut_off:
            found, cut_off = _counted(left)
            counts |= found
            left = [one for one in left if found[one.key] < _enough(one)]
    return counts, {one.key for one in left} if cut_off else set()


def _counted(candidates: Sequence[Learnt]) -> tuple[dict[str, int], bool]:
    """Count sections in one round, and say whether there were more to read."""
    counts = {one.key: 0 for one in candidates}
    names = Vocabulary(Name(place, one.text, "", one.language) for place, one in enumerate(candidates))
    undecided = len(candidates)
    rows = search.sections_with(one.text for one in candidates)
    for _, _, heading, text in islice(rows, _SECTIONS_READ):
        for place in {name.page for part in (heading, text) for one in names.matches(part, None) for name in one.names}:
            one = candidates[place]
            counts[one.key] += 1
            if counts[one.key] == _enough(one):
                names.replace(place, ())
                undecided -= 1
        if not undecided:
            break
    return counts, next(rows, None) is not None


def _enough(one: Learnt) -> int:
    """Give the number of sections that makes a name an everyday word."""
    return SECTIONS_TO_A_LINK * one.sections + 1


def _newest_drafts(pages: set[int]) -> dict[int, Revision]:
    """Give the newest revision of each page where that is a draft. One query."""
    newest = Revision.objects.filter(page=OuterRef("page")).order_by("-number").values("pk")[:1]
    drafts = Revision.objects.filter(page__in=pages, state=Revision.State.DRAFT, pk=Subquery(newest))
    return {draft.page_id: draft for draft in drafts}
