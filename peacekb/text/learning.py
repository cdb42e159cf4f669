"""Learn names from the links that authors wrote: what several texts call a page may be a name of it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from .vocabulary import Vocabulary, name_key
from .words import folded_words

LONGEST_NAME = 200
LEAST_LINKS = 2
LEAST_TEXTS = 2
#: A name is linked by hand in at least one of so many sections that hold it; rarer, and it is an everyday word.
SECTIONS_TO_A_LINK = 10

#: English words that stand in nearly every sentence.
FUNCTION_WORDS = frozenset(
    "a about after all also an and any are as at be because been before but by can could did do does for from had has "
    "have he her here him his how if in into is it its may more most must no nor not of on one or other our out over "
    "own she should so some such than that the their them then there these they this those through to too under until "
    "up upon us very was we were what when where which while who whose why will with within would you your".split()
)
_ARTICLES = {
    "en": re.compile(r"(?:the|an?)\s+", re.IGNORECASE),
    "fr": re.compile(r"(?:(?:le|la|les|une?|des)\s+|l['’])", re.IGNORECASE),
}


class WrittenLink(NamedTuple):
    """A link that an author wrote, `[[target|surface]]`. Numbers are keys of stored rows, opaque here."""

    mention: int
    surface: str
    target: int
    section: int
    essay: int
    language: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """What links call a page.

    `why` says why it is no name, in a sentence that ends in a colon where `others` are to be named; empty for one
    that may be.
    """

    target: int
    text: str
    key: str
    language: str
    links: int
    sections: int
    essays: int
    mentions: tuple[int, ...]
    why: str = ""
    others: tuple[int, ...] = ()


def counted(number: int, noun: str) -> str:
    """Give a number with its noun: “1 link”, “2 links”."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def learn(links: Iterable[WrittenLink], names: Vocabulary) -> list[Learnt]:
    """Give what links call their pages, most links first, without the names by which pages are found already."""

    @cache
    def pages_named(text: str) -> frozenset[int]:
        return frozenset(name.page for name in names.named(text))

    by_key: dict[str, list[tuple[str, WrittenLink]]] = {}
    for link in links:
        text = _without_article(" ".join(link.surface.split()), link.language)
        key = name_key(text)
        if key and link.target not in pages_named(text) | pages_named(link.surface):
            by_key.setdefault(key, []).append((text, link))
    found = [_learnt(key, pairs, pages_named) for key, pairs in by_key.items()]
    return sorted(found, key=lambda one: (-one.links, one.key))


def with_sections(learnt: Learnt, sections: int, *, at_least: bool = False) -> Learnt:
    """Judge a name by the number of sections in which it stands, linked or not."""
    if sections <= SECTIONS_TO_A_LINK * learnt.sections:
        return learnt
    why = (
        f"It stands in {'at least ' if at_least else ''}{counted(sections, 'section')} and is linked in "
        f"{learnt.sections:,} of them, fewer than 1 in {SECTIONS_TO_A_LINK}: an everyday word."
    )
    return replace(learnt, why=why)


def _without_article(text: str, language: str) -> str:
    article = _ARTICLES[language].match(text) if language in _ARTICLES else None
    return text[article.end() :] if article else text


def _learnt(key: str, pairs: list[tuple[str, WrittenLink]], pages_named: Callable[[str], frozenset[int]]) -> Learnt:
    targets = Counter(link.target for _, link in pairs).most_common()
    target, count = min(targets, key=lambda one: (-one[1], one[0]))
    own = [(text, link) for text, link in pairs if link.target == target]
    links = [link for _, link in own]
    essays = {link.essay: link.language for link in links}
    languages = Counter(essays.values())
    learnt = Learnt(
        target,
        _spelling([text for text, _ in own]),
        key,
        min(languages, key=lambda language: (-languages[language], language)),
        links=count,
        sections=len({link.section for link in links}),
        essays=len(essays),
        mentions=tuple(link.mention for link in links),
    )
    taken = frozenset().union(*(pages_named(text) for text in {text for text, _ in own}))
    others = tuple(other for other, _ in targets if other != target)
    if len(learnt.text) > LONGEST_NAME:
        return replace(learnt, why=f"It has {len(learnt.text)} characters; a name has at most {LONGEST_NAME}.")
    if taken:
        why = "It is a name of another page already; texts would then link neither:"
        return replace(learnt, why=why, others=tuple(sorted(taken)))
    if others:
        rest = counted(len(pairs) - count, "link")
        mean = f"{counted(count, 'link')} {'means' if count == 1 else 'mean'}"
        why = f"{mean} this page by it and {rest} another one, so a name would be a guess:"
        return replace(learnt, why=why, others=others)
    if learnt.language == "en" and FUNCTION_WORDS.issuperset(folded_words(learnt.text)):
        return replace(learnt, why="It holds very common words only.")
    if count < LEAST_LINKS or len(essays) < LEAST_TEXTS:
        are, need = f"{counted(count, 'link')} in {counted(len(essays), 'text')}", f"{LEAST_LINKS} links"
        return replace(learnt, why=f"{are}; it takes {need} in {LEAST_TEXTS} texts.")
    return learnt


def _spelling(texts: list[str]) -> str:
    """Choose the shortest form, because texts then link its plural too; of its spellings the most common."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (len("".join(folded_words(text))), -counts[text], text[:1].isupper(), text))
