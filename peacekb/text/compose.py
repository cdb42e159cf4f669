"""An author's Markdown in, sections that are safe to show and their mentions out."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .links import Mention, Resolver, link_first_mentions
from .markup import as_html
from .sanitize import sanitize
from .sections import Part, split_at_headings
from .vocabulary import Name, Vocabulary
from .worker import parse_within

_EXTERNAL = re.compile(r"(?:https?:)?//", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """One section, ready to be stored.

    `words` counts those of `text` without its notes; `paragraph_starts` holds the offset in it at which each paragraph
    from `first_paragraph` on starts. `tree` is the section before its names were linked: `link_again` makes a new
    `Section` of it when names have changed.
    """

    level: int
    anchor: str
    heading: str
    heading_html: str
    html: str
    notes_html: str
    text: str
    words: int
    first_paragraph: int | None
    last_paragraph: int | None
    paragraph_starts: tuple[int, ...]
    mentions: tuple[Mention, ...]
    tree: str


@dataclass(frozen=True, slots=True)
class Essay:
    """A composed text."""

    sections: tuple[Section, ...]


def compose(
    source: str,
    vocabulary: Vocabulary,
    *,
    title: str = "",
    language: str = "en",
    resolve: Resolver | None = None,
    own: int | None = None,
    quiet: Collection[str] = (),
) -> Essay:
    """Turn an author's Markdown into numbered sections that are safe to show, with every mention in them.

    `resolve` gives the name meant by a written link `[[…]]`; without it the vocabulary is asked. `own` is the page
    itself, `quiet` the labels that it does not link. Raises `TextRefused`, with the line, for a text that is too
    large, too intricate or cannot be parsed in `worker.SECONDS` seconds.
    """
    parts = _read(source, title, language)
    ask = resolve or only(vocabulary)
    return Essay(tuple(_section(part, part.written(), vocabulary, language, ask, own, quiet) for part in parts))


def read_sections(source: str, *, title: str = "", language: str = "en") -> list[str]:
    """Give the `Section.tree` of each section of a text: what `compose` does before it needs names. Raises as it."""
    return [part.written() for part in _read(source, title, language)]


def _read(source: str, title: str, language: str) -> list[Part]:
    return split_at_headings(parse_within(source), title=title, language=language)


def link_again(
    tree: str,
    vocabulary: Vocabulary,
    *,
    language: str = "en",
    resolve: Resolver | None = None,
    own: int | None = None,
    quiet: Collection[str] = (),
) -> Section:
    """Make the section of a stored `Section.tree` with other names: what `compose` would give, without the Markdown."""
    return _section(Part.read(tree), tree, vocabulary, language, resolve or only(vocabulary), own, quiet)


def render_markdown(source: str) -> str:
    """Give the safe HTML of one Markdown text, without concept links and without a database."""
    sections = compose(source, Vocabulary()).sections
    html = "\n".join(section.heading_html + section.html for section in sections)
    notes = "".join(section.notes_html for section in sections)
    return f"{html}\n<ol>{notes}</ol>" if notes else html


def only(vocabulary: Vocabulary) -> Resolver:
    """Give a resolver of written links that takes a name which one page alone has."""

    def resolve(wanted: str) -> Name | None:
        names = {name.page: name for name in vocabulary.named(wanted)}
        return next(iter(names.values())) if len(names) == 1 else None

    return resolve


def _section(
    part: Part,
    tree: str,
    vocabulary: Vocabulary,
    language: str,
    resolve: Resolver,
    own: int | None,
    quiet: Collection[str],
) -> Section:
    heading = part.heading_text
    numbers = [block.paragraph for block in part.blocks if block.paragraph and block.element.get("id")]
    # Before the text is read: a reader reads what a picture shows.
    for block in (*part.blocks, *part.notes):
        _link_pictures(block.element)
    text, starts, mentions = link_first_mentions(
        part, vocabulary, language=language, resolve=resolve, own=own, quiet=quiet
    )
    return Section(
        level=part.level,
        anchor=part.anchor,
        heading=heading,
        heading_html="" if part.heading is None else _html([part.heading]),
        html=_html(block.element for block in part.blocks),
        notes_html=_html(block.element for block in part.notes),
        text=text,
        words=part.words,
        first_paragraph=numbers[0] if numbers else None,
        last_paragraph=numbers[-1] if numbers else None,
        paragraph_starts=tuple(starts),
        mentions=tuple(mentions),
        tree=tree,
    )


def _html(elements: Iterable[ET.Element]) -> str:
    written: list[str] = []
    for element in elements:
        _link_pictures(element)
        for link in element.iter("a"):
            if _EXTERNAL.match(link.get("href", "")):
                link.set("class", "external")
        written.append(as_html(element))
    return sanitize("\n".join(written)) if written else ""


def _link_pictures(element: ET.Element) -> None:
    """Make pictures from elsewhere links: no page of ours asks others for anything."""
    for picture in element.iter("img"):
        address = picture.get("src", "")
        picture.tag, picture.text = "a", picture.get("alt") or address
        picture.attrib.clear()
        picture.set("href", address)
