"""Cut the HTML of a section behind sentences, so that something can be shown there. Nothing is joined to the HTML.

A section's text and its HTML differ in white space, and numbers of paragraphs and notes stand in the HTML alone. Both
have the same characters otherwise, so a place in one is found in the other by counting those that are no white space.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

_TOKEN = re.compile(r'<(?P<end>/?)(?P<name>[a-z0-9]+)(?P<attributes>(?:[^>"]|"[^"]*")*)>|[^<]+')
_CHARACTER = re.compile(r"&#?\w+;|\S")
_NUMBER = re.compile(r'\bclass="(?:pm|footnote-backref)"')
_EMPTY = frozenset({"br", "hr"})
_INLINE = frozenset({"a", "abbr", "code", "em", "span", "strong", "sup"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a section's HTML; the parts in a row are all of it.

    It ends where the sentences `ended` end, and where a block ends that holds the ends of the sentences `closed`. Both
    are counted from 0 in what was asked for.
    """

    html: str
    ended: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()


def solid(text: str) -> int:
    """Count the characters of a text that are no white space."""
    return len("".join(text.split()))


def solid_in_html(html: str) -> int:
    """Count the same characters in the HTML of a section."""
    return sum(solid(unescape(token.group())) for token, around in _tokens(html) if _is_text(token, around))


def pieces(html: str, ends: Sequence[int]) -> list[Piece]:
    """Cut a section's HTML behind sentences, and behind the blocks in which these end.

    `ends` tell how many characters, as `solid` counts them, come before the end of each; they rise. A sentence that
    ends in a link or in emphasis, or that has a note, is cut behind these.
    """
    cuts: dict[int, Piece] = {}
    tokens = list(_tokens(html))
    count = reached = 0
    in_block: tuple[int, ...] = ()
    for number, (token, around) in enumerate(tokens):
        if _is_text(token, around):
            length = solid(unescape(token.group()))
            while reached < len(ends) and ends[reached] <= count + length:
                place = token.start() + _end_in(token.group(), ends[reached] - count)
                place = _behind(tokens, number, place)
                known = cuts.get(place, Piece(""))
                cuts[place] = Piece("", (*known.ended, reached), known.closed)
                in_block = (*in_block, reached)
                reached += 1
            count += length
        elif token["end"] and not around and in_block:
            cuts[token.end()] = Piece("", closed=in_block)
            in_block = ()
    found, start = [], 0
    for place, piece in sorted(cuts.items()):
        found.append(Piece(html[start:place], piece.ended, piece.closed))
        start = place
    return [*found, Piece(html[start:])] if start < len(html) else found


_Token = tuple["re.Match[str]", tuple[str, ...]]


def _tokens(html: str) -> list[_Token]:
    """Give tags and texts, each with what is open around it; what is not read by `solid` stands in `-`."""
    found: list[_Token] = []
    around: tuple[str, ...] = ()
    for token in _TOKEN.finditer(html):
        name = token["name"]
        if name and name not in _EMPTY:
            if token["end"]:
                around = around[:-1]
                found.append((token, around))
            else:
                found.append((token, around))
                is_mark = name == "sup" or _NUMBER.search(token["attributes"])
                around = (*around, "-" if is_mark else name)
        else:
            found.append((token, around))
    return found


def _is_text(token: "re.Match[str]", around: tuple[str, ...]) -> bool:
    return not token["name"] and "-" not in around


def _end_in(text: str, count: int) -> int:
    """Give the place in a text of HTML behind so many characters that are no white space."""
    end = 0
    for character in _CHARACTER.finditer(text):
        if count and not unescape(character.group()).isspace():
            count -= 1
            end = character.end()
    return end


def _behind(tokens: Sequence[_Token], number: int, place: int) -> int:
    """Give the place behind what belongs to a sentence that ends at a place in a token: its link, emphasis, notes."""
    if "a" in tokens[number][1]:
        while not (tokens[number][0]["name"] == "a" and tokens[number][0]["end"]):
            number += 1
        place = tokens[number][0].end()
    while place == tokens[number][0].end() and number + 1 < len(tokens):
        token, around = tokens[number + 1]
        is_note = "-" in around or (token["name"] == "sup")
        if not is_note and not (token["name"] in _INLINE and token["end"]):
            break
        number, place = number + 1, token.end()
    return place
