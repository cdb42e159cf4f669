"""The names under which pages are known, in the structure that the linker walks."""

import gc
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from itertools import compress, count, pairwise
from operator import contains
from typing import NamedTuple

from .words import (
    Cut,
    arabic_stems,
    cased,
    folded_words,
    has_article,
    is_arabic,
    key,
    particled,
    pieces,
    plurals,
    without_article,
    words,
)

# What may stand between two words of any label: a space, one line break, a hyphen or dash at which a line may break, an
# apostrophe. Signs that only direct the writing do not count.
_BLANK = r"[^\S\n]*"
_GAP = re.compile(
    rf"{_BLANK}\n?{_BLANK}|[-\u2010\u2011\u2012\u2013](?:{_BLANK}\n{_BLANK})?|['\u2018\u2019\u02bb-\u02bf]"
)
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_PLAIN_GAPS = frozenset(" -'\u2019")
_CLOSING = frozenset(")]}”»!?%")
_LONGEST_SIGN = 6
_SERIAL = frozenset(["and", "or", "et", "ou"])
_PREPOSITIONS = frozenset(
    ["of", "for", "in", "to", "on", "with", "between", "by", "at", "from", "among", "general", "d", "de", "du", "des"]
)
# Signs that hold two digits together (UAX 29, WB11 and WB12).
_IN_NUMBERS = frozenset(".,'\u2019")
# Words whose place in the trie is kept; past it all are looked up anew. Prose has some 40,000 in a million words.
_MOST_WORDS = 200_000


class Name(NamedTuple):
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
    surface: tuple[str, ...] | None  # the words as the editor wrote them, where case decides
    derived: bool  # a plural that nobody listed
    definite: bool  # begins with the Arabic article


class _Node:
    __slots__ = ("children", "entries", "signed")

    def __init__(self) -> None:
        self.children: dict[str, _Node] | None = None
        self.entries: tuple[_Entry, ...] = ()
        self.signed = False  # whether a child begins with a sign

    def beginning(self) -> "_Node":
        """Give the node without the names that end in it."""
        node = _Node()
        node.children, node.signed = self.children, self.signed
        return node


class _Anything:
    def __contains__(self, word: object) -> bool:
        return True


_ANYTHING = _Anything()
_NOTHING: frozenset[str] = frozenset()


class _Starts(dict[str, Container[str]]):
    """What may follow each word that was met, where a name starts with it; nothing may where none does.

    An empty word stands for a sign or for the end of the text. `nodes` are those at which the names start.
    """

    def __init__(self, root: _Node) -> None:
        self._root = root
        self.nodes: dict[str, tuple[_Node, ...]] = {}

    def __missing__(self, folded: str) -> Container[str]:
        if len(self) >= _MOST_WORDS:
            self.clear()
            self.nodes.clear()
        nodes = self._starting(folded)
        following: Container[str] = _NOTHING
        if nodes:
            self.nodes[folded] = nodes
            node = nodes[0]
            free = node.entries or node.signed or not node.children or is_arabic(folded)
            following = _ANYTHING if free else frozenset((*(node.children or ()), ""))
        self[folded] = following
        return following

    def _starting(self, folded: str) -> tuple[_Node, ...]:
        """Give the nodes at which a name may start with a word, the one of its longest form first."""
        first = self._root.children
        if not first or not folded:
            return ()
        nodes = [first[folded]] if folded in first else []
        if is_arabic(folded):
            for stem in arabic_stems(folded):
                if stem in first:
                    nodes.append(first[stem] if len(stem) > 2 or has_article(folded) else first[stem].beginning())
        return tuple(nodes)


class Match(NamedTuple):
    """A stretch of text that is a name, and every name that fits it: exact ones only if there are any.

    The order of `names` does not depend on the order in which the vocabulary learnt them.
    """

    start: int
    end: int
    names: tuple[Name, ...]


class Vocabulary:
    """A trie of folded words over all names. Building is linear in the names, finding in the text.

    Finding keeps the words it met, so one vocabulary serves one thread at a time.
    """

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._root = _Node()
        self._of_page: dict[int, tuple[Name, ...]] = {}
        self._by_spelling: dict[str, tuple[Name, ...]] = {}
        self._starts = _Starts(self._root)
        by_page: dict[int, list[Name]] = {}
        for name in names:
            by_page.setdefault(name.page, []).append(name)
        # Nothing made here is garbage, and looking for it among 100,000 names takes as long as the rest.
        was_on = gc.isenabled()
        gc.disable()
        try:
            for page, own in by_page.items():
                self._learn(page, own)
        finally:
            if was_on:
                gc.enable()

    def names_of(self, page: int) -> tuple[Name, ...]:
        """Give the names of one page."""
        return self._of_page.get(page, ())

    def replace(self, page: int, names: Iterable[Name]) -> None:
        """Let a page have these names and no others. Costs as much as they are many, whatever the vocabulary holds."""
        own, known = tuple(names), self.names_of(page)
        if own == known:
            return
        for name in known:
            folded = folded_words(name.text)
            spelling = " ".join(folded)
            self._by_spelling[spelling] = tuple(other for other in self._by_spelling[spelling] if other is not name)
            for path, _ in _paths(name, folded):
                node = self._node(path)
                node.entries = tuple(entry for entry in node.entries if entry.name is not name)
        self._of_page.pop(page, None)
        self._learn(page, own)
        # Other words may start names now, or be names alone.
        self._starts = _Starts(self._root)

    def _learn(self, page: int, names: Iterable[Name]) -> None:
        own = []
        for name in names:
            folded = folded_words(name.text)
            if folded:
                own.append(name)
                spelling = " ".join(folded)
                self._by_spelling[spelling] = (*self._by_spelling.get(spelling, ()), name)
                for path, entry in _paths(name, folded):
                    node = self._node(path)
                    node.entries = (*node.entries, entry)
        if own:
            self._of_page[page] = tuple(own)

    def _node(self, path: list[str]) -> _Node:
        node = self._root
        for word in path:
            if node.children is None:
                node.children = {}
            following = node.children.get(word)
            if following is None:
                following = node.children[word] = _Node()
                node.signed = node.signed or not word[0].isalnum()
            node = following
        return node

    def named(self, text: str) -> tuple[Name, ...]:
        """Give the names that are spelled as `text` in any case, for links that an author wrote."""
        exact = self._by_spelling.get(" ".join(folded_words(text)))
        if exact:
            return _ordered(exact)
        text = text.strip()
        whole = [match for match in self.matches(text, None) if match.start == 0 and match.end == len(text)]
        return whole[0].names if whole else ()

    def matches(self, text: str, language: str | None) -> list[Match]:
        """Find the longest names from left to right, without overlap.

        `language` keeps the names of that language, of another script and the case-sensitive ones (acronyms and
        proper names); `None` keeps all.
        """
        cut = Cut(text)
        words, starts = cut.folded, self._starts
        found: list[Match] = []
        free = 0
        # Nearly every word starts no name, and most that could are not followed as one: seen here, without a call.
        may_start = map(contains, map(starts.__getitem__, words), [*words[1:], ""])
        for place in compress(count(), may_start):
            if place < free:
                continue
            begin, behind = cut.span(place)
            longest, end, names = _longest(cut, place, behind, starts.nodes[words[place]], language)
            if names and not _runs_on(text, begin, end):
                free = longest + 1
                if names[0].text[-1] in _CLOSING and text[end : end + 1] == names[0].text[-1]:
                    end += 1  # "Resolution 1325 (2000)"
                found.append(Match(begin, end, names))
        return found


def _longest(
    cut: Cut, first: int, behind: int, nodes: tuple[_Node, ...], language: str | None
) -> tuple[int, int, tuple[Name, ...]]:
    """Give the last word, the end and the names of the longest match from word `first` on, which ends at `behind`."""
    best, best_end = first, behind
    names: tuple[Name, ...] = ()
    text, words = cut.text, cut.folded
    count = len(words)
    for beginning in nodes:
        node: _Node | None = beginning
        last, end = first, behind
        while node is not None:
            if node.entries and (last > best or not names):
                fitting = _fitting(node.entries, cut, first, last, language)
                if fitting:
                    best, best_end, names = last, end, fitting
            children = node.children
            last += 1
            while last < count and not words[last]:
                last += 1
            if children is None or last == count:
                break
            folded = words[last]
            if folded not in children and not node.signed and folded.isascii():
                break
            begin, following_end = cut.span(last)
            gap = text[end:begin]
            sign = "" if gap == " " else _short_sign(gap) if len(gap) < _LONGEST_SIGN else _sign(gap)
            if sign is None:
                break
            end = following_end
            node = children.get(sign + folded if sign else folded)
            if node is None and not folded.isascii() and is_arabic(folded):
                node = children.get(sign + without_article(folded))
    return best, best_end, names


def _sign(gap: str) -> str | None:
    """Give what between two words belongs to a label's spelling, mostly nothing; `None` where no label goes on.

    Brackets, commas and other signs are found only where the label has them. Space beside a comma is free, elsewhere
    it counts: "Track 1.5" is not "Track 1. 5", where a sentence ends.
    """
    seen = _UNSEEN.sub("", gap)
    if _GAP.fullmatch(seen):
        return ""
    sign = " ".join(f"|{seen}|".split())[1:-1]
    if len(sign) > _LONGEST_SIGN or "\n\n" in seen:
        return None
    return "," if sign.strip() == "," else sign


_short_sign = lru_cache(maxsize=1_024)(_sign)


def _runs_on(text: str, start: int, end: int) -> bool:
    """Tell whether a stretch is only a part of a longer word (UAX 29): "peace_id", "1325.7", a mark of any script."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if before == "_" or after == "_" or (not after.isascii() and unicodedata.category(after)[0] == "M"):
        return True
    if before in _IN_NUMBERS and text[start].isdigit() and text[max(0, start - 2) : start - 1].isdigit():
        return True
    return after in _IN_NUMBERS and text[end - 1].isdigit() and text[end + 1 : end + 2].isdigit()


def _paths(name: Name, folded: list[str]) -> Iterator[tuple[list[str], _Entry]]:
    """Give the ways through the trie that lead to a name: as it is written and, in English, in the plural."""
    surface = tuple(filter(None, map(cased, pieces(name.text)[1::2]))) if name.case_sensitive else None
    arabic = is_arabic(folded[0])
    path = _with_signs(name.text, [without_article(word) for word in folded] if arabic else folded)
    entry = _Entry(name, surface, derived=False, definite=arabic and has_article(folded[0]))
    yield path, entry
    if path is not folded and any(word.startswith(",") for word in path) and not _SERIAL.isdisjoint(path):
        # "disarmament, demobilization, and reintegration": the serial comma is a matter of taste.
        yield [f",{word}" if word in _SERIAL else word for word in path], entry
    if name.language != "en":
        return
    last = len(folded) - 1
    head = _head(folded) if last else last
    for place in (last,) if head == last else (head, last):
        forms = plurals(folded[place])
        if surface is not None and surface[place].isupper():
            forms = tuple(form for form in forms if form == folded[place] + "s")  # "NGOs"
        for plural in forms:
            in_plural = surface
            if surface is not None:
                # "Party", "Parties": what both share keeps the case in which the editor wrote it.
                pairs = zip(folded[place], plural, strict=False)
                kept = next((at for at, (one, other) in enumerate(pairs) if one != other), len(folded[place]))
                in_plural = (*surface[:place], surface[place][:kept] + plural[kept:], *surface[place + 1 :])
            in_path = path[place].removesuffix(folded[place]) + plural
            yield [*path[:place], in_path, *path[place + 1 :]], _Entry(name, in_plural, derived=True, definite=False)


def _with_signs(text: str, folded: list[str]) -> list[str]:
    """Put before each word what the label has there beside space and hyphens, if anything (see `_sign`)."""
    gaps = [text[one.end : other.start] for one, other in pairwise(words(text))]
    if all(gap in _PLAIN_GAPS for gap in gaps):
        return folded
    return [folded[0], *((_sign(gap) or "") + word for gap, word in zip(gaps, folded[1:], strict=True))]


def _head(folded: list[str]) -> int:
    """Give the place of the noun that takes the plural: before a preposition ("rules of engagement"), else the last."""
    for place, word in enumerate(folded):
        if place and word in _PREPOSITIONS:
            return place - 1
    return len(folded) - 1


def _fitting(entries: tuple[_Entry, ...], cut: Cut, first: int, last: int, language: str | None) -> tuple[Name, ...]:
    """Give the names of `entries` that fit the words from `first` to `last`."""
    if len(entries) == 1 and entries[0].surface is None and entries[0].name.language == language:
        return (entries[0].name,)
    surface: tuple[str, ...] | None = None
    exact: list[Name] = []
    derived: list[Name] = []
    arabic = is_arabic(cut.folded[first])
    definite = len(entries) > 1 and arabic and has_article(cut.folded[first])
    for name, wanted, is_derived, is_definite in entries:
        if wanted is not None:
            if surface is None:
                spans = [cut.span(place) for place in range(first, last + 1) if cut.folded[place]]
                surface = tuple([cased(cut.text[start:end]) for start, end in spans])
            if surface != wanted:
                continue
        elif language and name.language != language and arabic == (language == "ar"):
            continue
        (derived if is_derived or is_definite != definite else exact).append(name)
    fitting = exact or derived
    return _ordered(fitting) if len(fitting) > 1 else tuple(fitting)


def _ordered(names: Iterable[Name]) -> tuple[Name, ...]:
    return tuple(sorted(names, key=lambda name: (name.page, name.text, name.language, name.label or 0)))


def label_keys(text: str) -> tuple[str, ...]:
    """Give the index keys of a label (see `words.key`)."""
    return tuple(map(key, folded_words(text)))


def name_key(text: str) -> str:
    """Give the index keys of a name as one text: the same for its plural and for other spellings."""
    return " ".join(label_keys(text))[:400]


def phrases_of_label(text: str) -> Iterator[tuple[str, ...]]:
    """Give the phrases of index keys in one of which every occurrence of a label stands."""
    keys = label_keys(text)
    if keys:
        yield keys
        if is_arabic(keys[0]):
            yield from ((beginning, *keys[1:]) for beginning in particled(keys[0]))
