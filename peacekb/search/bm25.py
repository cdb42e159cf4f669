"""Rank sections by how often the words that are looked for stand in them, and where: bm25, as FTS5 has it.

How long a section mostly is, and how many hold a word, are those of the sections that were found, not of all.
"""

from collections.abc import Iterable, Sequence
from math import log

from peacekb.text.query import Phrase

# As in FTS5: how fast further occurrences count less, and how much longer sections do.
_K1, _B = 1.2, 0.75


def packed(columns: Sequence[str]) -> bytes:
    """Give columns of words, separated by spaces, as `Ranking` reads them."""
    return "\n".join(f" {column} " if column else "" for column in columns).encode()


def unpacked(words: bytes) -> list[str]:
    """Give the columns again."""
    return [column.strip() for column in words.decode().split("\n")]


def stands(phrase: Phrase, section: bytes) -> bool:
    """Tell whether a phrase stands in one of the columns of a section."""
    return _pattern(phrase) in section


class Ranking:
    """Sections, each given by its columns (see `packed`), held against phrases.

    `weights` are those of the columns; of one that only matters for whether a phrase stands there, next to nothing.
    They are found `among` so many.
    """

    def __init__(
        self, sections: Sequence[bytes], phrases: Iterable[Phrase], weights: Sequence[float], *, among: int
    ) -> None:
        self._among = max(among, len(sections))
        self._places = {phrase: place for place, phrase in enumerate(dict.fromkeys(phrases))}
        patterns = [_pattern(phrase) for phrase in self._places]
        self._held = [[_weighed(pattern, one, weights) for pattern in patterns] for one in sections]
        self._lengths = [len(one) for one in sections]

    def scores(self) -> list[float]:
        """Give the score of each section, higher is better."""
        sections = len(self._held)
        numbers = [sum(map(bool, weights)) for weights in zip(*self._held, strict=True)]
        rarity = [log(1 + (self._among - number + 0.5) / (number + 0.5)) for number in numbers]
        average = sum(self._lengths) / sections if sections else 1
        found = []
        for held, length in zip(self._held, self._lengths, strict=True):
            slow = _K1 * (1 - _B + _B * length / average)
            found.append(sum([rare * weight / (weight + slow) for rare, weight in zip(rarity, held, strict=True)]))
        return found

    def holding(self, groups: Sequence[Sequence[Phrase]]) -> list[bool]:
        """Tell of each section whether it holds one phrase of each group."""
        places = [[self._places[phrase] for phrase in group] for group in groups]
        return [all(any(held[place] for place in group) for group in places) for held in self._held]


def _pattern(phrase: Phrase) -> bytes:
    return f" {' '.join(phrase.keys)}{'' if phrase.beginning else ' '}".encode()


def _weighed(pattern: bytes, section: bytes, weights: Sequence[float]) -> float:
    """Count a phrase, each time with the weight of its column. Of two that share a space one counts."""
    if pattern not in section:
        return 0.0
    before, _, last = section.rpartition(b"\n")
    weight = weights[-1] * last.count(pattern)
    if pattern in before:
        columns = zip(weights, before.split(b"\n"), strict=False)
        weight += sum(weight * column.count(pattern) for weight, column in columns)
    return weight
