"""The names under which pages are known, in the structure that the linker walks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from .words import Word, arabic_stems, fold, is_arabic, key, plurals, words

# What may stand between two words of one label: a space or one line break, a hyphen or dash, an apostrophe, a slash.
_GAP = re.compile(r"[ \t\u00a0\u202f\u2009]*\n?[ \t\u00a0\u202f\u2009]*|[-\u2010\u2011\u2012\u2013/'\u2019\u02bc]")
_PREPOSITIONS = frozenset(["of", "for", "in", "to", "on", "with", "between", "by", "at", "from", "among", "general"])


@dataclass(frozen=True, slots=True)
class Name:
    """One label of one page, as the linker needs it.

    `page` and `label` are the keys of the stored rows, opaque here; `href` is the page's address.
    """

    page: int
    text: str
    href: str
    language: str = "en"
    label: int | None = None
    case_sensitive: bool = False
    ambiguous: bool = False


class _Entry(NamedTuple):
    name: Name
    surface: tuple[str, ...]  # the words as the editor wrote them, for the case rule
    derived: bool  # a plural that nobody listed


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)


class Match(NamedTuple):
    """A stretch of text that is a name: words `first` to `last` and every name that fits it, exact ones only if any."""

    first: int
    last: int
    names: tuple[Name, ...]


class Vocabulary:
    """A trie of folded words over all names. Building is linear in the names, finding in the text."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._root = _Node()
        self._by_key: dict[tuple[str, ...], list[Name]] = {}
        for name in names:
            self._add(name)

    def _add(self, name: Name) -> None:
        found = words(name.text)
        if not found:
            return
        folded = [word.folded for word in found]
        surface = tuple(name.text[word.start : word.end].replace(".", "") for word in found)
        self._by_key.setdefault(tuple(folded), []).append(name)
        stripped = _without_article(folded)
        self._insert(stripped, _Entry(name, surface, derived=False))
        if name.language != "en":
            return
        for place in {_head(folded), len(folded) - 1}:
            for plural in plurals(folded[place]):
                # "Party", "Parties": what both share keeps the case in which the editor wrote it.
                pairs = zip(folded[place], plural, strict=False)
                kept = next((at for at, (one, other) in enumerate(pairs) if one != other), len(folded[place]))
                ending = surface[place][:kept] + plural[kept:]
                self._insert(
                    [*folded[:place], plural, *folded[place + 1 :]],
                    _Entry(name, (*surface[:place], ending, *surface[place + 1 :]), derived=True),
                )

    def _insert(self, folded: list[str], entry: _Entry) -> None:
        node = self._root
        for word in folded:
            node = node.children.setdefault(word, _Node())
        node.entries.append(entry)

    def named(self, text: str) -> tuple[Name, ...]:
        """Give the names that are spelled as `text` in any case, for links that an author wrote."""
        found = words(text)
        exact = self._by_key.get(tuple(word.folded for word in found))
        if exact:
            return tuple(exact)
        whole = [m for m in self.matches(text, found, None) if m.first == 0 and m.last == len(found) - 1]
        return whole[0].names if whole else ()

    def matches(self, text: str, found: list[Word], language: str | None) -> list[Match]:
        """Find the longest names from left to right, without overlap.

        `language` keeps the names of that language, of another script and the case-sensitive ones (acronyms and
        proper names); `None` keeps all.
        """
        result = []
        first_words = self._root.children
        free = 0
        for place, (_, _, folded) in enumerate(found):
            # Nearly every word starts no name: that is found out here, without a call.
            if place < free or (folded not in first_words and not is_arabic(folded)):
                continue
            match = self._longest(text, found, place, language)
            if match is not None:
                result.append(match)
                free = match.last + 1
        return result

    def _longest(self, text: str, found: list[Word], first: int, language: str | None) -> Match | None:
        best: Match | None = None
        for node in _starts(self._root, found[first].folded):
            last = first
            while True:
                names = _fitting(node.entries, text, found[first : last + 1], language) if node.entries else ()
                if names and (best is None or last > best.last):
                    best = Match(first, last, names)
                if not node.children or last + 1 >= len(found):
                    break
                after = found[last + 1]
                following = node.children.get(after.folded)
                if following is None or _GAP.fullmatch(text, found[last].end, after.start) is None:
                    break
                node, last = following, last + 1
        return best


def _starts(root: _Node, folded: str) -> list[_Node]:
    nodes = [root.children[folded]] if folded in root.children else []
    if is_arabic(folded):
        nodes += [root.children[stem] for stem in arabic_stems(folded) if stem in root.children]
    return nodes


def _without_article(folded: list[str]) -> list[str]:
    """Drop the Arabic article of a name's first word, as the text's words drop theirs."""
    first = folded[0]
    return [first[2:], *folded[1:]] if is_arabic(first) and first.startswith("ال") and len(first) >= 4 else folded


def _head(folded: list[str]) -> int:
    """Give the place of the noun that takes the plural: before a preposition ("rules of engagement"), else the last."""
    for place, word in enumerate(folded):
        if place and word in _PREPOSITIONS:
            return place - 1
    return len(folded) - 1


def _fitting(entries: list[_Entry], text: str, found: list[Word], language: str | None) -> tuple[Name, ...]:
    surface: tuple[str, ...] | None = None
    exact: list[Name] = []
    derived: list[Name] = []
    for entry in entries:
        name = entry.name
        if name.case_sensitive:
            if surface is None:
                surface = tuple(text[word.start : word.end].replace(".", "") for word in found)
            if surface != entry.surface:
                continue
        elif language and name.language != language and is_arabic(found[0].folded) == (language == "ar"):
            continue
        (derived if entry.derived else exact).append(name)
    return tuple(exact or derived)


def label_keys(text: str) -> tuple[str, ...]:
    """Give the index keys under which every occurrence of a label can be found (see `words.key`)."""
    return tuple(key(fold(text[word.start : word.end])) for word in words(text))
