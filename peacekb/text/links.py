"""Find the names in a section and link them in its tree.

A block is read as one plain text with a map back to the tree, so that a name is found across emphasis and line
breaks, and linking never changes a visible character.
"""

import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from .markdown_tree import LINK_TAG
from .sections import Block, Part
from .sentences import sentence_spans
from .vocabulary import Name, Vocabulary
from .words import Word, fold, words

# Read, but never linked inside: links, quotations and headings (MODEL.md, "Linking").
_NEVER_LINKED = frozenset({"a", "blockquote", "q", "h1", "h2", "h3", "h4", "h5", "h6", "dt"})
_NEVER_READ = frozenset({"code", "pre"})
_BREAKING = frozenset(
    {"p", "li", "ul", "ol", "dl", "dt", "dd", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "pre", "div"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_BREAK = "\n\n"


@dataclass(frozen=True, slots=True)
class Mention:
    """One occurrence of a name: `text[start:end]` of its section, in the sentence that starts at `sentence_start`.

    `target` is the page meant, or `None` where nobody may guess (an ambiguous label, a written link without a page).
    `wanted` is what a written link names, as the author wrote it; empty for a name found in prose.
    """

    paragraph: int | None
    start: int
    end: int
    sentence_start: int
    sentence: str
    target: int | None
    label: int | None
    linked: bool
    wanted: str = ""


@dataclass(slots=True)
class _Run:
    """A text or tail of the tree: where it begins in the block's text, and what may be done inside it."""

    start: int
    element: ET.Element
    is_tail: bool
    parent: ET.Element  # of the text's own place: the element itself for a text, its parent for a tail
    text: str
    readable: bool
    linkable: bool


@dataclass(slots=True)
class _Found:
    """A name in a block, before its sentence is cut."""

    start: int
    end: int
    target: Name | None
    label: int | None
    linked: bool
    wanted: str = ""


Resolver = Callable[[str], Name | None]


def link_first_mentions(
    part: Part, vocabulary: Vocabulary, *, language: str, resolve: Resolver, own: int | None, quiet: Collection[str]
) -> tuple[str, list[int], list[Mention]]:
    """Link a section's tree in place.

    `resolve` gives the name meant by a written link. `own` is the page itself, which is neither linked nor recorded;
    `quiet` holds labels that this page does not link. Gives back the section's plain text, where its paragraphs
    start in it, and every mention in order.
    """
    text = ""
    starts: list[int] = []
    mentions: list[Mention] = []
    linked: set[int] = set()
    silent = {_folded(label) for label in quiet}
    for blocks, is_note in ((part.blocks, False), (part.notes, True)):
        for block in blocks:
            runs = _runs(block.element, linkable=not is_note)
            block_text = "".join(run.text for run in runs)
            if text:
                text += _BREAK
            offset = len(text)
            if block.element.get("id", "").startswith("p") and not is_note:
                starts.append(offset)
            text += block_text
            found = _written(runs, resolve, own) + _named(block_text, runs, vocabulary, language, own, silent)
            mentions += _settle(found, block, block_text, offset, runs, linked)
            _strip_written(block.element)
    return text, starts, mentions


def _settle(
    found: list[_Found], block: Block, text: str, offset: int, runs: list[_Run], linked: set[int]
) -> list[Mention]:
    """Decide which names become links, write them into the tree and cut their sentences."""
    found.sort(key=lambda one: one.start)
    chosen: list[_Found] = []
    for one in found:
        if one.target is None or one.wanted or not one.linked:
            if one.wanted and one.linked and one.target is not None:
                linked.add(one.target.page)
        elif one.target.page in linked or not _can_wrap(runs, one.start, one.end):
            one.linked = False
        else:
            linked.add(one.target.page)
            chosen.append(one)
    # From the end, so that the runs before a link keep their offsets.
    for one in reversed(chosen):
        assert one.target is not None  # noqa: S101  `chosen` holds resolved names only
        _wrap(runs, one.start, one.end, one.target.href)
    if not found:
        return []
    spans = sentence_spans(text)
    begins = [start for start, _ in spans]
    mentions = []
    for one in found:
        start, end = spans[max(0, bisect_right(begins, one.start) - 1)]
        end = max(end, one.end)
        mentions.append(
            Mention(
                paragraph=block.paragraph,
                start=offset + one.start,
                end=offset + one.end,
                sentence_start=offset + start,
                sentence=text[start:end],
                target=None if one.target is None else one.target.page,
                label=one.label,
                linked=one.linked,
                wanted=one.wanted,
            )
        )
    return mentions


def _written(runs: list[_Run], resolve: Resolver, own: int | None) -> list[_Found]:
    """Take the `[[…]]` of a block: resolved ones become links here and now."""
    found = []
    for run in runs:
        element = run.element
        if run.is_tail or element.tag != LINK_TAG or not element.get("target"):
            continue
        wanted = element.get("target", "")
        name = resolve(wanted)
        if name is not None and name.page == own:
            continue
        if name is not None and run.linkable:
            element.tag = "a"
            element.attrib.clear()
            element.set("class", "concept")
            element.set("href", name.href)
        found.append(
            _Found(
                run.start,
                run.start + len(run.text),
                name,
                name.label if name else None,
                bool(name and run.linkable),
                wanted,
            )
        )
    return found


def _named(
    text: str, runs: list[_Run], vocabulary: Vocabulary, language: str, own: int | None, silent: set[str]
) -> list[_Found]:
    """Find the names in a block's prose. What stands in code or in a written link is not read."""
    every = words(text)
    found = []
    for stretch in _stretches(every, runs):
        for match in vocabulary.matches(text, stretch, language):
            start, end = stretch[match.first].start, stretch[match.last].end
            names = match.names
            pages = {name.page for name in names}
            if own in pages:
                continue
            clear = [name for name in names if not name.ambiguous]
            if len(pages) > 1 or not clear:
                label = names[0].label if len(pages) == 1 else None
                found.append(_Found(start, end, None, label, linked=False))
                continue
            first, last = _run_at(runs, start), _run_at(runs, end - 1)
            linkable = all(run.linkable for run in runs[first : last + 1])
            if silent and (_folded(text[start:end]) in silent or _folded(clear[0].text) in silent):
                linkable = False
            found.append(_Found(start, end, clear[0], clear[0].label, linked=linkable))
    return found


def _stretches(every: list[Word], runs: list[_Run]) -> list[list[Word]]:
    """Leave out the words that stand wholly or partly in what is not read; no name goes across such a gap."""
    unread = [(run.start, run.start + len(run.text)) for run in runs if not run.readable and run.text.strip()]
    if not unread:
        return [every]
    stretches: list[list[Word]] = [[]]
    place = 0
    for word in every:
        while place < len(unread) and unread[place][1] <= word.start:
            place += 1
            if stretches[-1]:
                stretches.append([])
        if place == len(unread) or word.end <= unread[place][0]:
            stretches[-1].append(word)
    return stretches


def _folded(text: str) -> str:
    return " ".join(fold(text[word.start : word.end]) for word in words(text))


def _runs(block: ET.Element, *, linkable: bool) -> list[_Run]:
    """Read a block in document order. Numbers of paragraphs and of footnotes are not part of the text."""
    runs: list[_Run] = []
    length = 0

    def add(element: ET.Element, is_tail: bool, parent: ET.Element, text: str, readable: bool, may_link: bool) -> None:
        nonlocal length
        if text:
            runs.append(_Run(length, element, is_tail, parent, text, readable, may_link))
            length += len(text)

    def walk(element: ET.Element, readable: bool, may_link: bool) -> None:
        readable = readable and element.tag not in _NEVER_READ
        may_link = may_link and readable and element.tag not in _NEVER_LINKED
        if element.tag == LINK_TAG:
            # A written link says itself what it means; one that forbids is read, but not linked.
            readable = readable and not element.get("target")
            may_link = may_link and bool(element.get("target"))
        add(element, False, element, element.text or "", readable, may_link)
        for child in element:
            breaks = child.tag in _BREAKING
            if breaks and runs:
                add(child, False, element, _BREAK, False, False)
            if child.tag == "br":
                if not (child.tail or "").startswith("\n"):
                    add(child, False, element, "\n", readable, may_link)
            elif child.tag != "sup" and child.get("class") not in ("pm", "footnote-backref"):
                walk(child, readable, may_link)
            if child.tail:
                if breaks and child.tail.strip():
                    add(child, False, element, _BREAK, False, False)
                if not (breaks and not child.tail.strip()):
                    add(child, True, element, child.tail, readable, may_link)

    walk(block, True, linkable)
    while runs and not runs[-1].text.strip():
        runs.pop()
    if runs and runs[-1].text != runs[-1].text.rstrip():
        runs[-1] = replace(runs[-1], text=runs[-1].text.rstrip())
    return runs


def _run_at(runs: list[_Run], place: int) -> int:
    return bisect_right(runs, place, key=lambda run: run.start) - 1


def _can_wrap(runs: list[_Run], start: int, end: int) -> bool:
    first, last = runs[_run_at(runs, start)], runs[_run_at(runs, end - 1)]
    if first is last:
        return True
    # Across emphasis: both ends lie in the same element's own text, whole children between them, and none of those
    # is a link or the mark of a note.
    return (
        first.parent is last.parent
        and last.is_tail
        and not any(node.tag in ("a", "sup") for element in _between(first, last) for node in element.iter())
    )


def _between(first: _Run, last: _Run) -> list[ET.Element]:
    children = list(first.parent)
    begin = children.index(first.element) + 1 if first.is_tail else 0
    return children[begin : children.index(last.element) + 1]


def _wrap(runs: list[_Run], start: int, end: int, href: str) -> None:
    first, last = runs[_run_at(runs, start)], runs[_run_at(runs, end - 1)]
    link = ET.Element("a", {"class": "concept", "href": href})
    parent = first.parent
    text = (first.element.tail if first.is_tail else first.element.text) or ""
    cut = start - first.start
    if first is last:
        link.text, link.tail = text[cut : end - first.start], text[end - first.start :]
        moved: list[ET.Element] = []
    else:
        link.text = text[cut:]
        moved = _between(first, last)
        tail = last.element.tail or ""
        link.tail = tail[end - last.start :]
        last.element.tail = tail[: end - last.start]
    if first.is_tail:
        first.element.tail = text[:cut]
        place = list(parent).index(first.element) + 1
    else:
        first.element.text = text[:cut]
        place = 0
    for element in moved:
        parent.remove(element)
        link.append(element)
    parent.insert(place, link)


def _strip_written(block: ET.Element) -> None:
    """Show what is left of `[[…]]` (forbidden, unknown or in a place without links) as plain text."""
    for element in block.iter(LINK_TAG):
        element.tag = "span"
        element.attrib.clear()
