"""Find the names in a section and link them in its tree.

A block is read as one plain text with a map back to the tree, so that a name is found across emphasis and line
breaks, and linking never changes a visible character.
"""

import re
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from .markdown_tree import LINK_TAG
from .sections import Part
from .sentences import sentence_spans
from .vocabulary import Name, Vocabulary
from .words import fold, words

# Read, but never linked inside: links, quotations and headings (MODEL.md, "Linking").
_NEVER_LINKED = frozenset({"a", "blockquote", "q", "h1", "h2", "h3", "h4", "h5", "h6", "dt"})
_NEVER_READ = frozenset({"code", "pre"})
_BREAKING = frozenset(
    {"p", "li", "ul", "ol", "dl", "dt", "dd", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "pre", "div"}
    | {"h1", "h2", "h3", "h4", "h5", "h6"}
)
_BREAK = "\n\n"
LONGEST_SENTENCE = 1_000
_CONTEXT = 200  # characters on each side of a name in a longer sentence
_UNREAD = "\ua66e"  # a letter that no label has
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|www\.)[^\s<>]+|[^\s<>@]{1,64}@[^\s<>@]+")


class Mention(NamedTuple):
    """One occurrence of a name: `text[start:end]` of its section, in the sentence that starts at `sentence_start`.

    A sentence of more than `LONGEST_SENTENCE` characters is quoted in part, from `sentence_start` on.

    `target` is the page meant, or `None` where nobody may guess (an ambiguous label, a written link without a page).
    `wanted` is what a written link names, as the author wrote it; empty for a name found in prose. Offsets of a
    mention `in_heading` count in the heading, which is its sentence.
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
    in_heading: bool = False


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
    start in it, and every mention in order: those of the heading, then those of the text.
    """
    text = ""
    starts: list[int] = []
    mentions: list[Mention] = []
    linked: set[int] = set()
    silent = {_folded(label) for label in quiet}
    if part.heading is not None:
        heading = part.heading_text
        # The heading's own tree is not read: nothing in it is linked, and its text is stored with other white space.
        runs = [_Run(0, part.heading, False, part.heading, heading, readable=True, linkable=False)]
        found = _named(heading, runs, vocabulary, language, own, silent)
        mentions += [_mention(one, None, 0, 0, heading, in_heading=True) for one in found]
    for blocks, is_note in ((part.blocks, False), (part.notes, True)):
        for block in blocks:
            runs = _runs(block.element, linkable=not is_note)
            block_text = runs[0].text if len(runs) == 1 else "".join([run.text for run in runs])
            if text:
                text += _BREAK
            if not is_note and block.element.get("id", "").startswith("p"):
                starts.append(len(text))
            found = _named(block_text, runs, vocabulary, language, own, silent)
            written = _written(runs, resolve, own) if any(run.element.tag == LINK_TAG for run in runs) else []
            if written:
                found = sorted(found + written, key=lambda one: one.start)
                _strip_written(block.element)
            if found:
                _link(found, block.element, runs, linked)
                mentions += _mentions(found, block.paragraph, len(text), block_text)
            text += block_text
    return text, starts, mentions


def _link(found: list[_Found], block: ET.Element, runs: list[_Run], linked: set[int]) -> None:
    """Decide which names become links, and write them into the tree."""
    chosen: list[_Stretch] = []
    for one in found:
        if one.target is None or not one.linked:
            continue
        page = one.target.page
        if one.wanted:
            linked.add(page)
            continue
        stretch = None if page in linked else _stretch(block, runs, one.start, one.end, one.target.href)
        if stretch is None:
            one.linked = False
        else:
            linked.add(page)
            chosen.append(stretch)
    # From the end, so that what stands before a link keeps its place.
    for (container, first, last), group in groupby(reversed(chosen), _place_of):
        if first == last:
            _link_within(container, first, group)
        else:
            _link_across(*group)


def _mentions(found: list[_Found], paragraph: int | None, offset: int, text: str) -> list[Mention]:
    """Give the names found in a block, in order, with their sentences; the block begins at `offset` in the section."""
    mentions = []
    spans = sentence_spans(text)
    at = quoted = 0
    sentence = ""
    for one in found:
        while at + 1 < len(spans) and spans[at + 1][0] <= one.start:
            at += 1
        start, end = spans[at]
        end = max(end, one.end)
        if end - start > LONGEST_SENTENCE:
            start, end = _around(one, text, start, end)
        if start != quoted or end != start + len(sentence):
            quoted, sentence = start, text[start:end]
        mentions.append(_mention(one, paragraph, offset, start, sentence))
    return mentions


def _around(one: _Found, text: str, start: int, end: int) -> tuple[int, int]:
    """Give the part of a long sentence around a name."""
    cut = max(start, one.start - _CONTEXT)
    start = start if cut == start else max(cut, text.find(" ", cut, one.start) + 1)
    cut = min(end, one.end + _CONTEXT)
    blank = text.rfind(" ", one.end, cut)
    return start, end if cut == end else (cut if blank < 0 else blank)


def _mention(
    one: _Found, paragraph: int | None, offset: int, start: int, sentence: str, *, in_heading: bool = False
) -> Mention:
    return Mention(
        paragraph,
        offset + one.start,
        offset + one.end,
        offset + start,
        sentence,
        one.target.page if one.target else None,
        one.label,
        one.linked,
        one.wanted,
        in_heading,
    )


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
    """Find the names in a block's prose. What stands in code, in a written link or in an address is not read."""
    found = []
    for start, end, names in vocabulary.matches(_readable(text, runs), language):
        name = names[0]
        if len(names) > 1:
            # A page that says that a name is not its alone leaves it to the one that does not.
            names = tuple(name for name in names if not name.ambiguous) or names
            pages = {name.page for name in names}
            if own in pages:
                continue
            if len(pages) > 1:
                found.append(_Found(start, end, None, None, linked=False))
                continue
            spelled = text[start:end]
            name = min(names, key=lambda name: (name.ambiguous, name.text != spelled))
        elif name.page == own:
            continue
        if name.ambiguous:
            found.append(_Found(start, end, None, name.label, linked=False))
            continue
        if len(runs) == 1:
            linkable = runs[0].linkable
        else:
            linkable = all(run.linkable for run in runs[_run_at(runs, start) : _run_at(runs, end - 1) + 1])
        if silent and (_folded(text[start:end]) in silent or _folded(name.text) in silent):
            linkable = False
        found.append(_Found(start, end, name, name.label, linked=linkable))
    return found


def _readable(text: str, runs: list[_Run]) -> str:
    """Put one long word of no language in the place of what is not read, so that no name begins in it or crosses it."""
    if not all(run.readable or not run.text.strip() for run in runs):
        text = "".join(run.text if run.readable or not run.text.strip() else _UNREAD * len(run.text) for run in runs)
    if "://" in text or "@" in text or "www." in text:
        text = _ADDRESS.sub(lambda match: _UNREAD * len(match.group()), text)
    return text


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
    if runs:
        runs[-1].text = runs[-1].text.rstrip()
    return runs


def _run_at(runs: list[_Run], place: int) -> int:
    return bisect_right(runs, place, key=lambda run: run.start) - 1


class _Stretch(NamedTuple):
    """What a link is to hold: from `start` in the text before child `first` to `end` in that before child `last`."""

    container: ET.Element
    first: int
    last: int
    start: int
    end: int
    href: str


_place_of = itemgetter(0, 1, 2)


def _stretch(block: ET.Element, runs: list[_Run], start: int, end: int, href: str) -> _Stretch | None:
    """Give the part of the tree that a link around `text[start:end]` would hold; `None` where none can.

    A name may begin or end inside emphasis: the link then holds the whole emphasis, if the name fills it to that side.
    """
    if len(runs) == 1 and not runs[0].is_tail:
        return _Stretch(runs[0].parent, 0, 0, start, end, href)
    first, last = runs[_run_at(runs, start)], runs[_run_at(runs, end - 1)]
    begin, stop = _cut(first, start - first.start), _cut(last, end - last.start)
    if first is not last and begin[0] is not stop[0]:
        parents = {child: parent for parent in block.iter() for child in parent}
        begins, stops = _lifted(begin, parents, at_start=True), _lifted(stop, parents, at_start=False)
        common = [(one, other) for one in begins for other in stops if one[0] is other[0]]
        if not common:
            return None
        begin, stop = common[0]
    stretch = _Stretch(begin[0], begin[1], stop[1], begin[2], stop[2], href)
    # Nothing goes into a link that is a link itself, or the mark of a note.
    inside = (node for child in stretch.container[stretch.first : stretch.last] for node in child.iter())
    return None if any(node.tag in ("a", "sup") for node in inside) else stretch


_Cut = tuple[ET.Element, int, int]  # an element, a number of its children, an offset in the text behind them


def _cut(run: _Run, offset: int) -> _Cut:
    return (run.parent, list(run.parent).index(run.element) + 1 if run.is_tail else 0, offset)


def _lifted(cut: _Cut, parents: dict[ET.Element, ET.Element], *, at_start: bool) -> list[_Cut]:
    """Give a cut and those that mean the same place from outside: before an element's start, or behind its end."""
    found = [cut]
    while True:
        element, children, offset = found[-1]
        parent = parents.get(element)
        text = _text_behind(element, children)
        at_edge = (children, offset) == (0, 0) if at_start else (children, offset) == (len(element), len(text))
        if parent is None or not at_edge:
            return found
        place = list(parent).index(element)
        found.append((parent, place, len(_text_behind(parent, place))) if at_start else (parent, place + 1, 0))


def _text_behind(element: ET.Element, children: int) -> str:
    return (element[children - 1].tail if children else element.text) or ""


def _set_text_behind(element: ET.Element, children: int, text: str) -> None:
    if children:
        element[children - 1].tail = text
    else:
        element.text = text


def _link_within(container: ET.Element, place: int, stretches: Iterable[_Stretch]) -> None:
    """Link stretches of one text, that behind the first `place` children, given from the end."""
    text = _text_behind(container, place)
    behind = len(text)
    links = []
    for stretch in stretches:
        link = ET.Element("a", {"class": "concept", "href": stretch.href})
        link.text, link.tail = text[stretch.start : stretch.end], text[stretch.end : behind]
        behind = stretch.start
        links.append(link)
    _set_text_behind(container, place, text[:behind])
    container[place:place] = reversed(links)


def _link_across(stretch: _Stretch) -> None:
    """Link a stretch that holds whole elements."""
    container, first, last, start, end, href = stretch
    link = ET.Element("a", {"class": "concept", "href": href})
    before, moved, behind = _text_behind(container, first), container[first:last], _text_behind(container, last)
    link.text, link.tail = before[start:], behind[end:]
    moved[-1].tail = behind[:end]
    _set_text_behind(container, first, before[:start])
    link[:] = moved
    container[first:last] = [link]


def _strip_written(block: ET.Element) -> None:
    """Show what is left of `[[…]]` (forbidden, unknown or in a place without links) as plain text."""
    for element in block.iter(LINK_TAG):
        element.tag = "span"
        element.attrib.clear()
