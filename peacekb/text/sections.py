"""Cut a tree at its headings and number its paragraphs."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Self

from markdown.extensions.toc import slugify_unicode

from .markdown_tree import LINK_TAG
from .markup import as_xml
from .words import direction

INTRODUCTION = "introduction"
# Second parts of public addresses below a page; a section may not take them.
_RESERVED_ANCHORS = frozenset({"cite", "feed", "history", "mentions", "evidence", INTRODUCTION})
_PARAGRAPH_ANCHOR = re.compile(r"p\d+$")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPH_LABEL = {"en": "Link to paragraph %d", "fr": "Lien vers le paragraphe %d", "ar": "رابط إلى الفقرة %d"}
_SECTION_LABEL = {"en": "Link to this section", "fr": "Lien vers cette section", "ar": "رابط إلى هذا القسم"}


@dataclass
class Block:
    """One top-level element and the number under which it is quoted (a list belongs to the paragraph before it)."""

    element: ET.Element
    paragraph: int | None


@dataclass
class Part:
    """One section as a tree: a heading, if it has one, and its blocks, footnotes last."""

    level: int
    anchor: str
    heading: ET.Element | None
    blocks: list[Block] = field(default_factory=list)
    notes: list[Block] = field(default_factory=list)

    @property
    def heading_text(self) -> str:
        """Give the heading without its markup; empty for the introduction."""
        return "" if self.heading is None else _plain(self.heading)

    @property
    def words(self) -> int:
        """Count the words of the running text, without notes."""
        return sum(len(_plain(block.element).split()) for block in self.blocks)

    def written(self) -> str:
        """Give the part as XML, from which `read` makes it again without parsing the Markdown."""
        root = ET.Element("section", {"level": str(self.level), "anchor": self.anchor})
        if self.heading is not None:
            ET.SubElement(root, "heading").append(self.heading)
        for name, blocks in (("block", self.blocks), ("note", self.notes)):
            for block in blocks:
                number = {} if block.paragraph is None else {"paragraph": str(block.paragraph)}
                ET.SubElement(root, name, number).append(block.element)
        return as_xml(root)

    @classmethod
    def read(cls, written: str) -> Self:
        """Make a part of what `written` gave."""
        root = ET.fromstring(written)  # noqa: S314  our own serialisation, not a stranger's XML
        part = cls(int(root.get("level", "2")), root.get("anchor", ""), None)
        for child in root:
            if child.tag == "heading":
                part.heading = child[0]
                continue
            number = child.get("paragraph")
            block = Block(child[0], None if number is None else int(number))
            (part.blocks if child.tag == "block" else part.notes).append(block)
        return part


def split_at_headings(root: ET.Element, *, title: str = "", language: str = "en") -> list[Part]:
    """Cut a parsed text into sections with anchors that stay when other sections change, and number its paragraphs.

    What stands before the first heading is the introduction. A level-1 heading that opens the text and repeats
    `title` is left out, for the page shows it; other level-1 headings become level 2. Paragraphs are numbered through
    the whole text; a list, quotation or table belongs to the paragraph before it and has a number of its own only
    where it opens a section.
    """
    introduction = Part(level=1, anchor=INTRODUCTION, heading=None)
    parts = [introduction]
    taken: dict[str, int] = {}
    notes: ET.Element | None = None
    number = 0
    for position, element in enumerate(list(root)):
        level = _HEADINGS.get(element.tag)
        if element.tag == "div" and element.get("class") == "footnote":
            notes = element
        elif level is not None:
            text = _plain(element)
            if position == 0 and level == 1 and title and _same(text, title):
                continue
            anchor = _anchor(text, taken)
            parts.append(Part(level=max(2, level), anchor=anchor, heading=element))
        else:
            opens_section = all(block.element.tag == "hr" for block in parts[-1].blocks)
            numbered = element.tag == "p" or (element.tag != "hr" and opens_section)
            number += numbered
            parts[-1].blocks.append(Block(element, number or None))
            if numbered:
                _number(parts[-1].blocks[-1], number, language)
    if notes is not None:
        _share_notes(parts, notes)
    for part in parts:
        _finish(part, language)
    if not introduction.blocks and len(parts) > 1:
        parts.remove(introduction)
    return parts


def _number(block: Block, number: int, language: str) -> None:
    if block.element.tag != "p":
        inner = block.element
        block.element = ET.Element("div")
        block.element.append(inner)
    block.element.set("id", f"p{number}")
    label = _PARAGRAPH_LABEL.get(language, _PARAGRAPH_LABEL["en"]) % number
    mark = ET.SubElement(block.element, "a", {"class": "pm", "href": f"#p{number}", "aria-label": label})
    mark.text = str(number)
    previous = block.element[-2] if len(block.element) > 1 else None
    if previous is None:
        block.element.text = (block.element.text or "").rstrip() + " "
    elif previous.tail or block.element.tag == "p":
        previous.tail = (previous.tail or "").rstrip() + " "


def _share_notes(parts: list[Part], notes: ET.Element) -> None:
    """Hand each footnote to the section that first refers to it, with the number it has in the essay."""
    items = {item.get("id"): (value, item) for value, item in enumerate(notes.iter("li"), start=1) if item.get("id")}
    for part in parts:
        first = part.blocks[0].paragraph if part.blocks else None
        heading = [] if part.heading is None else [Block(part.heading, first)]
        for block in [*heading, *part.blocks]:
            for link in block.element.iter("a"):
                if link.get("class") == "footnote-ref":
                    value, item = items.pop((link.get("href") or "")[1:], (0, None))
                    if item is not None:
                        item.set("value", str(value))
                        part.notes.append(Block(item, block.paragraph))
    # Notes that only another note refers to, or nobody: readers get them all the same, at the end.
    for value, item in items.values():
        item.set("value", str(value))
        parts[-1].notes.append(Block(item, parts[-1].blocks[-1].paragraph if parts[-1].blocks else None))


def _finish(part: Part, language: str) -> None:
    if part.heading is not None:
        part.heading.tag = f"h{part.level}"
        part.heading.attrib.clear()
        part.heading.set("id", part.anchor)
        for element in part.heading.iter():
            if element.tag in (LINK_TAG, "a"):
                element.tag = "span"
                element.attrib.clear()
        label = _SECTION_LABEL.get(language, _SECTION_LABEL["en"])
        mark = ET.SubElement(part.heading, "a", {"class": "pm", "href": f"#{part.anchor}", "aria-label": label})
        mark.text = "§"
    usual = "rtl" if language in ("ar", "fa", "ur") else "ltr"
    for block in [*part.blocks, *part.notes]:
        own = direction("".join(block.element.itertext()))
        if own and own != usual:
            block.element.set("dir", own)


def _anchor(text: str, taken: dict[str, int]) -> str:
    # Lower case can bring combining signs in ("İ"), which no address of ours holds.
    base = re.sub(r"[^\w-]", "", slugify_unicode(text, "-"))[:80].strip("-") or "section"
    if base in _RESERVED_ANCHORS or _PARAGRAPH_ANCHOR.match(base):
        base = f"{base}-section"
    while True:
        taken[base] = taken.get(base, 0) + 1
        anchor = base if taken[base] == 1 else f"{base}-{taken[base]}"
        if anchor == base or anchor not in taken:
            taken.setdefault(anchor, 1)
            return anchor


def _plain(element: ET.Element) -> str:
    return " ".join("".join(_heading_texts(element)).split())


def _heading_texts(element: ET.Element) -> list[str]:
    texts = [element.text or ""]
    for child in element:
        if child.tag != "sup" and child.get("class") != "pm":
            texts += _heading_texts(child)
        texts.append(child.tail or "")
    return texts


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
