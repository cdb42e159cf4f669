"""The names under which pages are known, in the structure that the linker walks."""

import gc
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

from .words import (
    arabic_stems,
    cased,
    fold,
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
# Spellings whose place in the trie is kept; past it all are looked up anew. Prose has some 40,000 in a million words.
_MOST_SPELLINGS = 200_000


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
    __slots__ = ("children", "entries")

    def __init__(self) -> None:
        self.children: dict[str, _Node] | None = None
        self.entries: tuple[_Entry, ...] = ()

    def beginning(self) -> "_Node":
        """Give the node without the names that end in it."""
        node = _Node()
        node.children = self.children
        return node


class Match(NamedTuple):
    """A stretch of text that is a name, and every name that fits it: exact ones only if there are any.

    The order of `names` does not depend on the order in which the vocabulary learnt them.
    """

    start: int
    end: int
    names: tuple[Name, ...]


class Vocabulary:
    """A trie of folded words over all names. Building is linear in the names, finding in the text.

    Finding keeps the spellings it met, so one vocabulary serves one thread at a time.
    """

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._root = _Node()
        self._of_page: dict[int, tuple[Name, ...]] = {}
        self._by_spelling: dict[str, tuple[Name, ...]] = {}
        self._starts: dict[str, tuple[_Node, ...]] = {}
        self._nodes = 0
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
        for name in self._of_page.pop(page, ()):
            folded = folded_words(name.text)
            spelling = " ".join(folded)
            self._by_spelling[spelling] = tuple(other for other in self._by_spelling[spelling] if other is not name)
            for path, _ in _paths(name, folded):
                node = self._node(path)
                node.entries = tuple(entry for entry in node.entries if entry.name is not name)
        known = self._nodes
        self._learn(page, names)
        if self._nodes != known:
            # Words that started no name may start one now.
            self._starts.clear()

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
                self._nodes += 1
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
        cut = pieces(text)
        spelled = cut[1::2]
        starts = self._starts
        for word in set(spelled).difference(starts):
            if len(starts) >= _MOST_SPELLINGS:
                starts.clear()
                return self.matches(text, language)
            starts[word] = self._starting(word)
        # Nearly every word starts no name, and most that could are not followed as one: seen here, without a call.
        places = [place for place, word in enumerate(spelled) if starts[word]]
        if not places:
            return []
        offsets = list(accumulate(map(len, cut)))
        found: list[Match] = []
        free = 0
        last = len(spelled) - 1
        for place in places:
            if place < free:
                continue
            nodes = starts[spelled[place]]
            node = nodes[0]
            if not node.entries and len(nodes) == 1:
                if place == last or node.children is None:
                    continue
                following = fold(spelled[place + 1])
                if following not in node.children and following.isascii() and cut[2 * place + 2] == " ":
                    continue
            longest, names = self._longest(cut, spelled, place, language)
            if names and not _runs_on(cut, spelled, place, longest):
                end = offsets[2 * longest + 1]
                closing = names[0].text[-1]
                if closing in _CLOSING and cut[2 * longest + 2].startswith(closing):
                    end += 1  # "Resolution 1325 (2000)"
                found.append(Match(offsets[2 * place], end, names))
                free = longest + 1
        return found

    def _starting(self, word: str) -> tuple[_Node, ...]:
        """Give the nodes at which a name may start with a word, the one of its longest form first."""
        folded, first = fold(word), self._root.children
        if not first or not folded:
            return ()
        if not is_arabic(folded):
            return (first[folded],) if folded in first else ()
        nodes = [first[folded]] if folded in first else []
        for stem in arabic_stems(folded):
            if stem in first:
                nodes.append(first[stem] if len(stem) > 2 or has_article(folded) else first[stem].beginning())
        return tuple(nodes)

    def _longest(
        self, cut: list[str], spelled: list[str], first: int, language: str | None
    ) -> tuple[int, tuple[Name, ...]]:
        """Give the last word and the names of the longest match that starts at word `first`."""
        best = first - 1
        names: tuple[Name, ...] = ()
        count = len(spelled)
        for start in self._starts[spelled[first]]:
            node: _Node | None = start
            last = first
            while node is not None:
                if node.entries and last > best:
                    fitting = _fitting(node.entries, spelled, first, last, language)
                    if fitting:
                        best, names = last, fitting
                last += 1
                children = node.children
                if children is None or last == count:
                    break
                gap = cut[2 * last]
                sign = "" if gap == " " else _sign(gap)
                if sign is None:
                    break
                folded = fold(spelled[last])
                node = children.get(sign + folded if sign else folded)
                if node is None and not folded.isascii() and is_arabic(folded):
                    node = children.get(sign + without_article(folded))
        return best, names


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


def _runs_on(cut: list[str], spelled: list[str], first: int, last: int) -> bool:
    """Tell whether the words are only a part of a longer one (UAX 29): "peace_id", "1325.7", a mark of any script."""
    before, after = cut[2 * first], cut[2 * last + 2]
    if before == " " == after:
        return False
    if before[-1:] == "_" or after[:1] == "_" or (after and unicodedata.category(after[0])[0] == "M"):
        return True
    if before in _IN_NUMBERS and first and spelled[first][0].isdigit() and spelled[first - 1][-1].isdigit():
        return True
    following = spelled[last + 1] if last + 1 < len(spelled) else ""
    return after in _IN_NUMBERS and spelled[last][-1].isdigit() and following[:1].isdigit()


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


def _fitting(
    entries: tuple[_Entry, ...], spelled: list[str], first: int, last: int, language: str | None
) -> tuple[Name, ...]:
    if len(entries) == 1 and entries[0].surface is None and entries[0].name.language == language:
        return (entries[0].name,)
    surface: tuple[str, ...] | None = None
    exact: list[Name] = []
    derived: list[Name] = []
    definite = len(entries) > 1 and is_arabic(fold(spelled[first])) and has_article(fold(spelled[first]))
    for name, wanted, is_derived, is_definite in entries:
        if wanted is not None:
            if surface is None:
                surface = tuple(map(cased, spelled[first : last + 1]))
            if surface != wanted:
                continue
        elif language and name.language != language and is_arabic(fold(spelled[first])) == (language == "ar"):
            continue
        (derived if is_derived or is_definite != definite else exact).append(name)
    return _ordered(exact or derived)


def _ordered(names: Iterable[Name]) -> tuple[Name, ...]:
    found = tuple(names)
    return (
        found
        if len(found) < 2
        else tuple(sorted(found, key=lambda name: (name.page, name.text, name.language, name.label or 0)))
    )


def label_keys(text: str) -> tuple[str, ...]:
    """Give the index keys of a label (see `words.key`)."""
    return tuple(map(key, folded_words(text)))


def phrases_of_label(text: str) -> Iterator[tuple[str, ...]]:
    """Give the phrases of index keys in one of which every occurrence of a label stands."""
    keys = label_keys(text)
    if keys:
        yield keys
        if is_arabic(keys[0]):
            yield from ((beginning, *keys[1:]) for beginning in particled(keys[0]))
