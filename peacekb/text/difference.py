"""What became of a text: which paragraphs came, went or changed, and which words in those.

Two levels, paragraphs and then the words of those that changed, each with a bound: words over a whole text of 100 KB
take `difflib` more than 25 seconds, two levels take milliseconds.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

#: Of either text. Longer ones are not compared.
MOST_CHARACTERS = 200_000
_MOST_PARAGRAPHS = 1_000
# Pairs of words looked at in all; what is left then is shown as removed and added as a whole.
_MOST_PAIRS = 3_000_000
# How many removed paragraphs are tried as what an added one was before, and how much they must share.
_NEAR = 8
_ALIKE = 0.4
_BLANK = re.compile(r"\n\s*\n")
# A word or one mark, and the space behind it.
_WORD = re.compile(r"(?:[^\s.,;:!?()\[\]“”\"«»…،؛؟]+|\S)\s*")
_LETTERS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed (`sign` is empty), came (`+`) or went (`-`)."""

    sign: str
    text: str

    @property
    def words(self) -> str:
        """Give the text without the space that follows it."""
        return self.text.rstrip()

    @property
    def space(self) -> str:
        """Give the space that follows."""
        return self.text[len(self.words) :]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph that came, went or changed, or `unchanged` paragraphs in a row, which have no pieces."""

    pieces: tuple[Piece, ...] = ()
    unchanged: int = 0


@dataclass(slots=True)
class Difference:
    """The paragraphs of both texts in order, and how many words were added and removed in all."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    added: int = 0
    removed: int = 0


def is_comparable(*texts: str) -> bool:
    """Tell whether texts are short enough to be compared while a reader waits."""
    return all(len(text) <= MOST_CHARACTERS and len(_paragraphs(text)) <= _MOST_PARAGRAPHS for text in texts)


def difference(old: str, new: str) -> Difference:
    """Compare two texts that are comparable. Line breaks within a paragraph do not count."""
    before, after = _paragraphs(old), _paragraphs(new)
    found = Difference()
    left = _MOST_PAIRS
    was, became = [[" ".join(text.split()) for text in texts] for texts in (before, after)]
    for deed, a, b, c, d in SequenceMatcher(None, was, became).get_opcodes():
        if deed == "equal":
            found.paragraphs.append(Paragraph(unchanged=b - a))
            continue
        for gone, come in _paired(before[a:b], after[c:d]):
            pieces, left = _pieces(_WORD.findall(gone), _WORD.findall(come), left)
            found.paragraphs.append(Paragraph(tuple(pieces)))
            found.added += sum(_words(piece.text) for piece in pieces if piece.sign == "+")
            found.removed += sum(_words(piece.text) for piece in pieces if piece.sign == "-")
    return found


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in _BLANK.split(text) if part.strip()]


def _words(text: str) -> int:
    return sum(any(character.isalnum() for character in word) for word in text.split())


def _paired(removed: Sequence[str], added: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Give each added paragraph with the removed one that it was before, in order; empty where there is none."""
    bags = [Counter(_LETTERS.findall(text)) for text in removed]
    place = 0
    new: list[str] = []  # what came waits until what went in its place is told
    for text in added:
        bag = Counter(_LETTERS.findall(text))
        near = range(place, min(place + _NEAR, len(removed)))
        best = max(near, key=lambda one: _likeness(bags[one], bag), default=None)
        if best is None or _likeness(bags[best], bag) < _ALIKE:
            new.append(text)
            continue
        yield from ((gone, "") for gone in removed[place:best])
        yield from (("", come) for come in new)
        yield removed[best], text
        place, new = best + 1, []
    yield from ((gone, "") for gone in removed[place:])
    yield from (("", come) for come in new)


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def _pieces(old: list[str], new: list[str], left: int) -> tuple[list[Piece], int]:
    """Compare the words of a paragraph, while `left` pairs may be looked at; give what is left after it."""
    was, became = [[word.strip() for word in words] for words in (old, new)]
    start = _common(was, became)
    end = _common(was[start:][::-1], became[start:][::-1])
    was, became = was[start : len(was) - end], became[start : len(became) - end]
    steps: list[tuple[str, int, int, int, int]] = [("replace", 0, len(was), 0, len(became))]
    if len(was) * len(became) <= left:
        left -= len(was) * len(became)
        steps = list(SequenceMatcher(None, was, became).get_opcodes())
    pieces = [Piece("", "".join(new[:start]))]
    for deed, a, b, c, d in steps:
        gone, come = "".join(old[start + a : start + b]), "".join(new[start + c : start + d])
        pieces += [Piece("", come)] if deed == "equal" else [Piece("-", gone), Piece("+", come)]
    pieces.append(Piece("", "".join(new[len(new) - end :])))
    return [piece for piece in pieces if piece.text], left


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the words with which both begin."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
