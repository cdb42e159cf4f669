"""Markdown to an element tree, inside bounds.

Python-Markdown does the parsing. Its quadratic corners are fenced off by limits that say where they were met; what
the limits miss is ended by the clock in `worker`.
"""

import html
import re
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import markdown
from markdown.extensions.footnotes import FN_BACKLINK_TEXT, NBSP_PLACEHOLDER
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString, code_escape

MAX_CHARACTERS = 512 * 1024
# (what, pattern, most in one block, most in a text). Figures: Python-Markdown 3.11 stays under 3 s at each of them.
_LIMITS = (
    ("opening brackets “[”", re.compile(r"\["), 600, 20_000),
    ("inline links “](”", re.compile(r"\]\("), 300, 10_000),
    ("signs “<”", re.compile(r"<"), 600, 20_000),
    ("footnote marks “[^…]”", re.compile(r"\[\^"), 300, 1_000),
    ("emphasis signs “*” and “_”", re.compile(r"[*_]"), 4_000, 60_000),
    ("signs “&”", re.compile(r"&"), 4_000, 20_000),
    ("bars “|”", re.compile(r"\|"), 8_000, 40_000),
    ("backticks", re.compile(r"`"), 1_000, 20_000),
)
_MAX_NESTING = 40
_MAX_HEADINGS = 1_000
_MAX_DEFINITIONS = 600
# Each of them may become a mention once the word is a name. An essay as long as may be has some 5,000 times "the".
_MOST_OF_ONE_WORD = 20_000
_INDENT = re.compile(r"^[ \t>*+-]*")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_WRITTEN_LINK = r"\[\[(!?)([^\[\]|\n]{1,200})(?:\|([^\[\]|\n]{1,300}))?\]\]"
LINK_TAG = "written-link"


class TextRefused(ValueError):
    """The text cannot be rendered. The message says what is wrong, where, and the way out; `line` is 1-based."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason[:1].upper() + reason[1:] if line is None else f"Line {line}: {reason}")
        self.reason = reason
        self.line = line


def clean(source: str) -> str:
    """Give the text with one kind of line end, and U+FFFD for what no page can hold (NUL, lone surrogates)."""
    return _UNPRINTABLE.sub("\ufffd", source.replace("\r\n", "\n").replace("\r", "\n"))


def check_bounds(source: str) -> None:
    """Raise `TextRefused`, naming the line, where a text is too large or too intricate to be rendered quickly."""
    if len(source) > MAX_CHARACTERS:
        raise TextRefused(
            f"the text has {len(source):,} characters; the most is {MAX_CHARACTERS:,}. Divide it into two essays.",
            line=source.count("\n", 0, MAX_CHARACTERS) + 1,
        )
    if len(source) > 2 * _MOST_OF_ONE_WORD:
        ((word, times),) = Counter(re.findall(r"\w+", source.casefold())).most_common(1) or [("", 0)]
        if times > _MOST_OF_ONE_WORD:
            raise TextRefused(
                f"the word “{word[:40]}” stands {times:,} times; the most is {_MOST_OF_ONE_WORD:,}. Divide the text."
            )
    headings = definitions = 0
    # What the whole text has not too much of, no block of it has.
    crowded = [limit for limit in _LIMITS if _count(limit[1], source) > limit[2]]
    for line, block in blocks(source):
        for what, pattern, most, _ in crowded:
            count = _count(pattern, block)
            if count > most:
                raise TextRefused(
                    f"this paragraph holds {count:,} {what}; the most is {most:,}. Divide it with an empty line.", line
                )
        for offset, text in enumerate(block.split("\n")):
            headings += text.startswith("#")
            definitions += text.startswith(":")
            if headings > _MAX_HEADINGS:
                raise TextRefused(f"a text may have {_MAX_HEADINGS:,} headings at most.", line + offset)
            if definitions > _MAX_DEFINITIONS:
                raise TextRefused(f"a text may have {_MAX_DEFINITIONS:,} definitions at most.", line + offset)
            lead = _INDENT.match(text)
            depth = lead.group().expandtabs(4) if lead else ""
            if depth.count(">") + len(depth.replace(">", "")) // 4 > _MAX_NESTING and text.strip("-*_ \t"):
                raise TextRefused(
                    f"lists and quotations are nested more than {_MAX_NESTING} deep. Take some indentation away.",
                    line + offset,
                )
    for what, pattern, _, most in crowded:
        places = [match.start() for match in pattern.finditer(source)]
        if len(places) > most:
            raise TextRefused(
                f"the text holds {len(places):,} {what}; the most is {most:,}. Divide it into two essays.",
                source.count("\n", 0, places[most]) + 1,
            )


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))


def blocks(source: str) -> list[tuple[int, str]]:
    """Cut a text at empty lines: the 1-based first line and the text of each block."""
    found = []
    start: int | None = None
    lines = source.split("\n")
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            start = start or number
        elif start:
            found.append((start, "\n".join(lines[start - 1 : number - 1])))
            start = None
    return found


def parse(source: str) -> ET.Element:
    """Parse Markdown into a tree of HTML elements; raw HTML stays text, `[[…]]` become `LINK_TAG` elements.

    Raises `TextRefused` past the bounds. Not limited in time: see `worker.parse_within`.
    """
    source = clean(source)
    check_bounds(source)
    parser = _this_thread.parser = getattr(_this_thread, "parser", None) or _new_parser()
    parser.reset()
    try:
        lines = source.split("\n")
        for preprocessor in parser.preprocessors:
            lines = preprocessor.run(lines)
        root: Any = parser.parser.parseDocument(lines).getroot()
        for treeprocessor in parser.treeprocessors:
            replaced = treeprocessor.run(root)
            root = root if replaced is None else replaced
    except RecursionError:
        raise TextRefused("lists, quotations or emphasis are nested too deeply.", costliest_line(source)) from None
    tree: ET.Element = root
    _resolve_placeholders(tree)
    return tree


def costliest_line(source: str) -> int:
    """Give the first line of the block with the most signs that Markdown has to think about."""
    costly = re.compile(r"[\[\](<*_`^|>]")
    return max(blocks(source), key=lambda block: len(costly.findall(block[1])), default=(1, ""))[0]


def written_links(source: str) -> set[str]:
    """Give every target written as `[[target]]` in a text, a superset: those in code are among them."""
    return {match.group(2).strip() for match in re.finditer(_WRITTEN_LINK, clean(source)) if not match.group(1)}


# A parser keeps state while it runs: one a thread, reset before each text. Making one takes longer than a short text.
_this_thread = threading.local()


def _new_parser() -> markdown.Markdown:
    parser = markdown.Markdown(
        extensions=["tables", "footnotes", "def_list", "sane_lists", "fenced_code"],
        extension_configs={
            # Inline styles would need an exception in the content security policy.
            "tables": {"use_align_attribute": True},
            "footnotes": {"BACKLINK_TEXT": "↩"},
        },
        output_format="xhtml",
    )
    parser.preprocessors.deregister("html_block")
    parser.preprocessors.deregister("fenced_code_block")  # makes raw HTML; ours makes elements
    parser.inlinePatterns.deregister("html")
    parser.inlinePatterns.deregister("automail")  # makes placeholders that only its serialiser resolves
    parser.inlinePatterns.deregister("entity")
    for name, sign in (("hashheader", "#"), ("setextheader", "\n"), ("quote", ">"), ("deflist", ":")):
        processor: Any = parser.parser.blockprocessors[name]
        processor.test = partial(_test_with, sign, processor.test)
    parser.treeprocessors.deregister("prettify")
    parser.treeprocessors.register(_PlainTexts(parser), "plain_texts", 25)  # before its inline patterns
    parser.inlinePatterns.register(
        _Entity(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[0-9a-zA-Z]{1,31});", parser), "entity", 80
    )
    parser.inlinePatterns.register(_WrittenLink(_WRITTEN_LINK, parser), "written_link", 175)
    parser.parser.blockprocessors.register(_FencedCode(parser.parser), "fenced", 95)
    parser.preprocessors.register(_Fences(parser), "fences", 26)
    return parser


def _test_with(sign: str, test: Callable[[ET.Element, str], bool], parent: ET.Element, block: str) -> bool:
    """Test only what holds the sign: the patterns of block processors read each block to its end."""
    return sign in block and test(parent, block)


class _PlainTexts(markdown.treeprocessors.Treeprocessor):
    """Keep the inline patterns from texts in which none can match; trying all took most of the time of plain prose."""

    _SIGN = re.compile(r"[\\`\[<&*_\x02]")

    def run(self, root: ET.Element) -> None:
        for element in root.iter():
            text = element.text
            if text and "  \n" not in text and not self._SIGN.search(text):
                element.text = AtomicString(text)


class _Entity(InlineProcessor):
    """Turn `&eacute;` into its character, so that the tree holds text and nothing else."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Any, int, int]:  # type: ignore[override]
        return AtomicString(clean(html.unescape(m.group()))), m.start(), m.end()


class _WrittenLink(InlineProcessor):
    """`[[target]]`, `[[target|text]]`, `[[!text]]`."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Any, int, int]:  # type: ignore[override]
        forbidden, target, text = m.groups()
        element = ET.Element(LINK_TAG, {"target": "" if forbidden else target.strip()})
        element.text = AtomicString((text or target).strip())
        return element, m.start(), m.end()


# --- fenced code -------------------------------------------------------------------------------------------------
# The package's own extension stashes ready HTML. Here a fence becomes one block whose text the block parser takes.

_FENCE = re.compile(r"^(`{3,}|~{3,})[^`\n]*$")
_FENCE_MARK = "\u0002fence:"


class _Fences(markdown.preprocessors.Preprocessor):
    """Replace each closed fence by one line that names its stored text."""

    def run(self, lines: list[str]) -> list[str]:
        kept: list[str] = []
        stored: list[str] = []
        place = 0
        closing = _closing_fences(lines)
        while place < len(lines):
            end = closing.get(place)
            if end is None:
                kept.append(lines[place])
                place += 1
                continue
            stored.append("\n".join(lines[place + 1 : end]))
            kept += ["", f"{_FENCE_MARK}{len(stored) - 1}\u0003", ""]
            place = end + 1
        self.md.fences = stored  # type: ignore[attr-defined]
        return kept


def _closing_fences(lines: list[str]) -> dict[int, int]:
    closed: dict[int, int] = {}
    opened: tuple[int, str] | None = None
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if match is None:
            continue
        if opened is None:
            opened = (number, match.group(1))
        elif line.strip() == match.group(1) and match.group(1).startswith(opened[1]):
            closed[opened[0]] = number
            opened = None
    return closed


class _FencedCode(markdown.blockprocessors.BlockProcessor):
    """Make `<pre><code>` of a stored fence."""

    def test(self, parent: ET.Element, block: str) -> bool:
        return block.startswith(_FENCE_MARK)

    def run(self, parent: ET.Element, blocks: list[str]) -> None:
        number = int(blocks.pop(0).removeprefix(_FENCE_MARK).rstrip("\u0003\n "))
        pre = ET.SubElement(parent, "pre")
        text = code_escape(self.parser.md.fences[number])  # type: ignore[attr-defined]
        ET.SubElement(pre, "code").text = AtomicString(text)


def _resolve_placeholders(root: ET.Element) -> None:
    for element in root.iter():
        if element.text:
            element.text = _resolved(element.text)
            if element.tag == "code":  # escaped by the parser, which leaves only this to its serialiser's mercy
                element.text = html.unescape(element.text).rstrip("\n")
        if element.tail:
            element.tail = _resolved(element.tail)


def _resolved(text: str) -> str:
    text = text.replace(FN_BACKLINK_TEXT, "↩").replace(NBSP_PLACEHOLDER, "\u00a0")
    return re.sub("[\u0002\u0003]", "", text)
