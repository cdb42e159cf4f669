"""Derived rows: sections, mentions and search entries are written here and nowhere else.

What is composed is compared with what is stored, and what differs is written: deriving again changes nothing. A
section keeps its row by position, a mention by its place in the section.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import QuerySet, prefetch_related_objects

from peacekb import search
from peacekb.models import Mention, Page, Section, SectionTree, Status
from peacekb.models.many import add_rows, add_values, batched, reserve_keys, write_fields
from peacekb.text.compose import Section as MadeSection
from peacekb.text.compose import link_again, read_sections
from peacekb.text.crew import each
from peacekb.text.links import Mention as FoundMention
from peacekb.text.markdown_tree import written_links
from peacekb.text.vocabulary import Name, Vocabulary, name_key
from peacekb.text.words import folded_words

from .beginnings import store_beginnings
from .claims import place_claims
from .names import Resolver, vocabulary
from .told import told_of

BATCH = 200
# Words on each side of a mention by which concordances are sorted.
_NEIGHBOURS = 3
_NEIGHBOURHOOD = 90  # characters that are searched for them
# Pages that a process composes at a time: long enough to be worth a message, short enough to share out evenly.
_PIECE = 20
_LONGEST_HEADING = 1000
_SECTION_FIELDS = ("level", "anchor", "heading", "heading_html", "html", "notes_html", "text", "words",
                   "first_paragraph", "last_paragraph", "paragraph_starts")  # fmt: skip


@dataclass(slots=True)
class LinkCount:
    """How many links appeared, lead elsewhere and vanished."""

    appeared: int = 0
    altered: int = 0
    vanished: int = 0

    def compare(self, was: Mapping[int, int], will: Mapping[int, int]) -> None:
        """Count the links of a section that differ (see `links`)."""
        self.appeared += len(will.keys() - was.keys())
        self.vanished += len(was.keys() - will.keys())
        self.altered += sum(was[start] != will[start] for start in was.keys() & will.keys())


class _Text(NamedTuple):
    """What composing a page asks of it, read from the database beforehand. `trees` are its sections, if known."""

    page: int
    source: str
    trees: Sequence[str] | None
    title: str
    language: str
    quiet: Collection[str]
    written: Mapping[str, Name | None]


class _Made(NamedTuple):
    """A composed section, and its words for the index."""

    section: MadeSection
    words: search.SectionWords


_Stored = tuple[Page, list[tuple[Section, search.SectionWords]]]


def compose_stored(keys: Sequence[int], *, forks: int = 1) -> None:
    """Derive the rows of the published pages among some as `compose_pages` does."""
    compose_pages(Page.objects.filter(pk__in=keys, status=Status.PUBLISHED).order_by("pk"), forks=forks)


def compose_pages(
    pages: Sequence[Page] | QuerySet[Page], *, forks: int = 1, known: Mapping[int, Sequence[str]] | None = None
) -> None:
    """Derive the rows of published pages, each from its text and the names of all.

    `known` are the trees of texts that were read already, `forks` how many processes compose (see `crew`). What was
    prefetched of the pages is taken as it is. Raises `TextRefused`.
    """
    pages = list(pages)
    if not pages:
        return
    names = vocabulary()
    waiting: deque[Sequence[Page]] = deque()
    stored: list[_Stored] = []
    for made in each(partial(_compose, names), _pieces(pages, names, known or {}, waiting), forks=forks):
        stored += _store(list(zip(waiting.popleft(), made, strict=True)))
        if len(stored) >= BATCH:
            _index(stored)
            stored = []
    if stored:
        _index(stored)


def _pieces(
    pages: Sequence[Page], names: Vocabulary, known: Mapping[int, Sequence[str]], waiting: deque[Sequence[Page]]
) -> Iterator[list[_Text]]:
    """Read what pages are to be composed from, and give it in pieces; `waiting` gets the pages of each."""
    for batch in batched(pages, BATCH):
        related = ("labels", "tagged__tag", "sections__mentions", "sections__tree")
        prefetch_related_objects(batch, *related)
        resolve = Resolver(names, chain.from_iterable(written_links(page.source) for page in batch))
        for piece in batched(batch, _PIECE):
            waiting.append(piece)
            yield [_text_of(page, resolve, known.get(page.pk)) for page in piece]


def _text_of(page: Page, resolve: Resolver, trees: Sequence[str] | None) -> _Text:
    return _Text(
        page.pk,
        page.source if trees is None else "",
        trees,
        page.title,
        page.language,
        page.unlinked,
        {written: resolve(written) for written in written_links(page.source)},
    )


def _compose(names: Vocabulary, texts: Sequence[_Text]) -> list[list[_Made]]:
    """Compose texts. No query: this may run in a fork."""
    return [list(_sections(names, text)) for text in texts]


def _sections(names: Vocabulary, text: _Text) -> Iterator[_Made]:
    trees = text.trees
    if trees is None:
        trees = read_sections(text.source, title=text.title, language=text.language)
    for tree in trees:
        made = link_again(
            tree, names, language=text.language, resolve=text.written.get, own=text.page, quiet=text.quiet
        )
        yield _Made(made, search.words_of(made.heading[:_LONGEST_HEADING], made.text))


def link_sections(keys: Iterable[int]) -> LinkCount:
    """Link stored sections again, because names have changed: their Markdown is not parsed again.

    Six queries for 200 sections, and as many again where something differs.
    """
    ordered = sorted(keys)
    counted = LinkCount()
    names = vocabulary() if ordered else None
    for place in range(0, len(ordered), BATCH):
        assert names is not None  # noqa: S101  there is a batch, so there are sections
        sections = linkable(ordered[place : place + BATCH])
        written = Resolver(names, {one.wanted for section in sections for one in section.mentions.all() if one.wanted})
        changed, mentions = [], _Mentions()
        for section in sections:
            made = linked_again(section, names, written)
            if (section.html, section.notes_html) != (made.html, made.notes_html):
                section.html, section.notes_html = made.html, made.notes_html
                changed.append(section)
            counted.compare(links(section.mentions.all()), links(made.mentions))
            mentions.compare(section, section.mentions.all(), made.mentions)
        write_fields(changed, "html", "notes_html")
        mentions.write()
        search.follow_mentions({section.page_id for section in sections})
    return counted


def linkable(keys: Sequence[int]) -> list[Section]:
    """Give sections with what `linked_again` needs of them: page, tree and mentions. Two queries.

    Pages stored before there were trees are composed first.
    """
    treeless = Section.objects.filter(pk__in=keys, tree=None).values_list("page_id", flat=True)
    stored = Section.objects.filter(pk__in=keys).select_related("page", "tree").defer("page__source")
    ordered = stored.prefetch_related("mentions").order_by("pk")
    found = list(ordered)
    if any(not hasattr(section, "tree") for section in found):
        compose_stored(sorted(set(treeless)))
        found = list(ordered.all())
    return found


def linked_again(section: Section, names: Vocabulary, resolve: Resolver) -> MadeSection:
    """Make a section with other names. Needs `page` and `tree` loaded."""
    page = section.page
    return link_again(
        section.tree.written, names, language=page.language, resolve=resolve, own=page.pk, quiet=page.unlinked
    )


def _store(made: Sequence[tuple[Page, Sequence[_Made]]]) -> list[_Stored]:
    """Bring the stored sections, trees and mentions of pages in step with what was made of them."""
    old = {page.pk: {section.position: section for section in page.sections.all()} for page, _ in made}
    gone = [one.pk for page, essay in made for place, one in old[page.pk].items() if place >= len(essay)]
    if gone:
        Section.objects.filter(pk__in=gone).delete()
    pairs, new, changed, moved = [], [], [], []
    stored: list[_Stored] = []
    for page, essay in made:
        own = []
        for position, one in enumerate(essay):
            values = _values(one.section)
            section = old[page.pk].get(position)
            if section is None:
                section = Section(page_id=page.pk, position=position, **values)
                new.append(section)
            elif _differs(section, values):
                if section.anchor != one.section.anchor:
                    moved.append(section)
                _set(section, values)
                changed.append(section)
            pairs.append((section, one.section))
            own.append((section, one.words))
        stored.append((page, own))
    # An anchor may move from one position to another: free those that change before they are taken.
    for section in moved:
        Section.objects.filter(pk=section.pk).update(anchor=f"-{section.pk}")
    write_fields(changed, *_SECTION_FIELDS)
    fresh = set(map(id, new))
    for section, key in zip(new, reserve_keys(Section, len(new)) if new else (), strict=True):
        section.pk = key
    add_rows(new)
    trees, changed_trees, mentions = [], [], _Mentions()
    for section, found in pairs:
        tree = None if id(section) in fresh else getattr(section, "tree", None)
        if tree is None:
            trees.append((section.pk, found.tree))
        elif tree.written != found.tree:
            tree.written = found.tree
            changed_trees.append(tree)
        mentions.compare(section, () if id(section) in fresh else section.mentions.all(), found.mentions)
    add_values(SectionTree, ("section_id", "written"), trees)
    write_fields(changed_trees, "written")
    mentions.write()
    return stored


def _index(stored: Sequence[_Stored]) -> None:
    """Bring in step what is found of pages: entries in the index, what begins their names, sentences of claims."""
    pages = [page for page, _ in stored]
    facts = search.derived_facts(page.pk for page in pages)
    told = told_of(pages)
    search.store(
        [
            entry
            for page, sections in stored
            for entry in search.entries_for(page, sections, facts.get(page.pk, ()), told.get(page.pk, ()))
        ]
    )
    store_beginnings(pages)
    place_claims({page: [section for section, _ in sections] for page, sections in stored})


def _values(made: MadeSection) -> dict[str, Any]:
    return {
        "level": made.level,
        "anchor": made.anchor,
        "heading": made.heading[:_LONGEST_HEADING],
        "heading_html": made.heading_html,
        "html": made.html,
        "notes_html": made.notes_html,
        "text": made.text,
        "words": made.words,
        "first_paragraph": made.first_paragraph,
        "last_paragraph": made.last_paragraph,
        "paragraph_starts": list(made.paragraph_starts),
    }


def links(mentions: Iterable[Mention | FoundMention]) -> dict[int, int]:
    """Give the page that is linked at each offset of a section's text."""
    found = {}
    for one in mentions:
        target = one.target if isinstance(one, FoundMention) else one.target_id
        if one.linked and target is not None:
            found[one.start] = target
    return found


def mention_values(one: FoundMention) -> dict[str, Any]:
    """Give what a mention's row holds, beside its place."""
    place, behind = one.start - one.sentence_start, one.end - one.sentence_start
    before = folded_words(one.sentence[max(0, place - _NEIGHBOURHOOD) : place])
    after = folded_words(one.sentence[behind : behind + _NEIGHBOURHOOD])
    return {
        "paragraph": one.paragraph,
        "target_id": one.target,
        "label_id": one.label,
        "end": one.end,
        "sentence_start": one.sentence_start,
        "sentence": one.sentence,
        "linked": one.linked,
        "wanted": one.wanted,
        "wanted_key": name_key(one.wanted) if one.wanted else "",
        "preceding": " ".join(before[: -_NEIGHBOURS - 1 : -1])[:120],
        "following": " ".join(after[:_NEIGHBOURS])[:120],
    }


class _Mentions:
    """What of the mentions of some sections is new, changed or gone, written at once."""

    _FIELDS = ("paragraph", "target_id", "label_id", "end", "sentence_start", "sentence", "linked", "wanted",
               "wanted_key", "preceding", "following")  # fmt: skip

    def __init__(self) -> None:
        self._new: list[tuple[Any, ...]] = []
        self._changed: list[Mention] = []
        self._gone: list[int] = []

    def compare(self, section: Section, stored: Iterable[Mention], found: Iterable[FoundMention]) -> None:
        """Note what differs between the mentions that are stored of a section and those that were found."""
        old = {(mention.in_heading, mention.start): mention for mention in stored}
        for one in found:
            mention = old.pop((one.in_heading, one.start), None)
            if mention is None:
                values = mention_values(one)
                self._new.append((section.pk, one.start, one.in_heading, *(values[name] for name in self._FIELDS)))
            elif is_other(mention, one) and _differs(mention, values := mention_values(one)):
                _set(mention, values)
                self._changed.append(mention)
        self._gone += [mention.pk for mention in old.values()]

    def write(self) -> None:
        """Write what was noted, in three queries or a few more."""
        for place in range(0, len(self._gone), 500):
            Mention.objects.filter(pk__in=self._gone[place : place + 500]).delete()
        add_values(Mention, ("section_id", "start", "in_heading", *self._FIELDS), self._new)
        write_fields(self._changed, *self._FIELDS)


def is_other(mention: Mention, found: FoundMention) -> bool:
    """Tell quickly that most mentions are as they were. What stands around them follows from these."""
    return (
        mention.target_id != found.target
        or mention.label_id != found.label
        or mention.linked != found.linked
        or mention.end != found.end
        or mention.sentence != found.sentence
        or mention.sentence_start != found.sentence_start
        or mention.paragraph != found.paragraph
        or mention.wanted != found.wanted
    )


def _differs(row: Any, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _set(row: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
