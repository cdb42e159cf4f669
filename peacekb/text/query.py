"""What readers can write in a search, read into parts. Pure: no text is an error, and no database is asked.

    peace process        both words                 mediat*            words that begin so
    "honest broker"      words together, in order   title:peace        a word of the title
    -war  -"civil war"   without                    truce OR armistice one of them
    tag: kind: phase: role: lang:                   after:2015  before:2015

All else is words, the signs and operators of an engine included.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from peacekb.text.words import arabic_stems, folded_words, is_arabic, key, keys, words

MOST_WORDS = 32
_LONGEST = 2_000
_SHORTEST_BEGINNING = 3  # letters; nearly every text holds a word that begins with two given ones
_TITLE = "title"
_FACTS = ("tag", "kind", "phase", "role", "lang", "after", "before")
_NAMED = re.compile(rf"({_TITLE}|{'|'.join(_FACTS)}):(?=.)", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<without>(?<!\S)-)?(?:(?P<name>{_TITLE}|{'|'.join(_FACTS)}):)?"
    r'(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))',
    re.IGNORECASE,
)
_OR = "OR"
# Words of every day, as keys: they need not stand in a text beside others that do ("how are spoilers managed").
_EVERYDAY = frozenset(
    (
        "a an and any are as at be been being between by can could did do does for from had has have how i if in into"
        " is it its me of on or should so than that the their them then there these they this those to was we were what"
        " when where which while who whom whose why will with would you your"
        " au aux avec ce cet cette ces comme comment d dans de des du elle en entre est et eux il ils l la le les leur"
        " leurs mais ne nous on ou par pas pour qu quand que quel quelle quels quelles qui s sa se ses son sont sur un"
        " une vous"
        " في من علي عن الي ما هل كيف متي اين لماذا التي الذي الذين هذا هذه ان او ثم مع بين هو هي ماذا"
    ).split()
)


class Phrase(NamedTuple):
    """Keys of the index that stand together; of the last one only the beginning where `beginning` is set."""

    keys: tuple[str, ...]
    beginning: bool = False
    column: str = ""  # empty for all that hold words


@dataclass(frozen=True, slots=True)
class Words:
    """One word, or several that stand together; in the title where `title` is set."""

    text: str
    title: bool = False
    beginning: bool = False

    @property
    def phrases(self) -> list[Phrase]:
        """Give the phrases of which a text must hold one; more than one for a beginning (see `_beginnings`)."""
        column = _TITLE if self.title else ""
        if not self.beginning:
            return [Phrase(tuple(keys(self.text)), False, column)]
        *before, last = folded_words(self.text)
        first = tuple(map(key, before))
        return [Phrase((*first, ending), open_, column) for ending, open_ in _beginnings(last)]

    @property
    def is_everyday(self) -> bool:
        """Tell whether it is a word that says nothing of what is looked for."""
        found = folded_words(self.text)
        return len(found) == 1 and found[0] in _EVERYDAY and not (self.title or self.beginning)

    def __str__(self) -> str:
        text = self.text
        if not self.beginning and (text == _OR or len(text.split()) > 1 or _NAMED.match(text)):
            text = f'"{text}"'
        return ("title:" if self.title else "") + text + ("*" if self.beginning else "")


@dataclass(frozen=True, slots=True)
class Either:
    """Words of which a text must hold one, mostly only one; or none of them."""

    words: tuple[Words, ...]
    without: bool = False

    @property
    def phrases(self) -> list[Phrase]:
        """Give the phrases of all of them."""
        return [phrase for one in self.words for phrase in one.phrases]

    def __str__(self) -> str:
        return ("-" if self.without else "") + f" {_OR} ".join(map(str, self.words))


@dataclass(frozen=True, slots=True)
class Fact:
    """What a text must be, such as tagged with something; or must not be. `label` is how readers know the value."""

    name: str
    value: str
    without: bool = False
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        value = f'"{self.value}"' if len(self.value.split()) > 1 else self.value
        return ("-" if self.without else "") + f"{self.name}:{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader asks: everything that must be true of a text at once. Written out, it is read as the same."""

    parts: tuple[Either | Fact, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.parts))

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Give the parts that are facts."""
        return tuple(part for part in self.parts if isinstance(part, Fact))

    @property
    def wanted(self) -> tuple[Either, ...]:
        """Give the words that must stand in a text."""
        return tuple(part for part in self.parts if isinstance(part, Either) and not part.without)

    @property
    def telling(self) -> tuple[Either, ...]:
        """Give the words that must stand in a text but those of every day, which may; all, where all are such."""
        telling = [part for part in self.wanted if not all(one.is_everyday for one in part.words)]
        return tuple(telling) or self.wanted

    @property
    def unwanted(self) -> tuple[Either, ...]:
        """Give the words that must not."""
        return tuple(part for part in self.parts if isinstance(part, Either) and part.without)

    @property
    def plain(self) -> str:
        """Give all words that must stand in a text as one; empty where there is more to them than that."""
        alone = [part.words[0] for part in self.wanted if len(part.words) == 1]
        if len(alone) < len(self.wanted) or any(one.title or one.beginning for one in alone):
            return ""
        return " ".join(one.text for one in alone)

    def but(self, place: int) -> "Query":
        """Give the query without one of its parts."""
        return Query(self.parts[:place] + self.parts[place + 1 :])


def read(text: str) -> Query:
    """Read what somebody wrote. Of very many words the first 32 count."""
    clean = text[:_LONGEST].replace("\x00", " ").encode(errors="replace").decode()
    parts: list[Either | Fact] = []
    found = list(_parts(clean))
    for place, part in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        if part is not None:
            if place > 1 and found[place - 1] is None and _joined(parts[-1], part):
                parts[-1] = _one_of(parts[-1], part)
            else:
                parts.append(part)
        elif not parts or not _joined(parts[-1], following):
            parts.append(Either((Words(_OR),)))
            found[place] = parts[-1]
    return Query(tuple(_bounded(list(dict.fromkeys(parts)))))


def _parts(text: str) -> Iterator[Either | Fact | None]:
    """Give the parts of a text as they are written, `None` for `OR`."""
    for token in _TOKEN.finditer(text):
        without, name, phrase, word = token.group("without", "name", "phrase", "word")
        raw = word if phrase is None else phrase
        value = _tidy(raw)
        if token.group() == _OR:
            yield None
        elif name and not value:
            yield Either((Words(name.lower()),), bool(without))
        elif name and name.lower() != _TITLE:
            yield Fact(name.lower(), value, bool(without))
        elif value:
            beginning = phrase is None and _is_beginning(raw, value)
            yield Either((Words(value, bool(name), beginning),), bool(without))


def _tidy(text: str) -> str:
    """Take off what stands before the first word and behind the last."""
    text = " ".join(text.split())
    found = words(text)
    return text[found[0].start : found[-1].end] if found else ""


def _is_beginning(raw: str, value: str) -> bool:
    written = raw.rstrip("*")
    if _NAMED.match(value):  # ":tag:x*", which could not be written again
        return False
    return written != raw and written.endswith(value) and len(folded_words(value)[-1]) >= _SHORTEST_BEGINNING


def _joined(one: Either | Fact, other: Either | Fact | None) -> bool:
    return isinstance(one, Either) and isinstance(other, Either) and not (one.without or other.without)


def _one_of(one: Either | Fact, other: Either | Fact) -> Either:
    assert isinstance(one, Either) and isinstance(other, Either)  # noqa: S101, PT018  as `_joined` has seen
    return Either(tuple(dict.fromkeys((*one.words, *other.words))))


def _bounded(parts: list[Either | Fact]) -> Iterator[Either | Fact]:
    room = MOST_WORDS
    for part in parts:
        if room > 0:
            if isinstance(part, Either):
                part = replace(part, words=part.words[:room])
                room -= len(part.words)
            else:
                room -= 1
            yield part


def _beginnings(folded: str) -> Iterator[tuple[str, bool]]:
    """Give the keys by which words that begin so are found, and whether a word may go on behind the key.

    The index knows singular words without their Arabic article: "treati…" begins "treaties", whose key is "treaty".
    """
    stem = key(folded)
    yield folded, True
    if is_arabic(folded):
        for other in dict.fromkeys((*arabic_stems(folded), stem)):
            if len(other) > 1:
                yield other, True
        return
    if stem != folded:
        yield stem, False
    if folded.endswith(("i", "ie")):
        yield folded.removesuffix("e").removesuffix("i") + "y", False


def without_leading(text: str) -> str:
    """Take the words of every day off the beginning: "what is a ceasefire" asks for "ceasefire"."""
    found = words(text)
    first = next((word for word in found if word.folded not in _EVERYDAY), None)
    return text[first.start :] if first else ""
