"""A query answered as readers get it: with other names of an entry, with near words, with some of the words."""

from dataclasses import dataclass, field, replace
from typing import Unpack

from peacekb.text.query import Phrase, Query
from peacekb.text.vocabulary import label_keys

from .finding import Filters, Found, find, phrases_of
from .names import Named, entry_named
from .spelling import mended

_LONGEST_NAME = 200
# Texts with all the words that are too few to look no further.
_FEW = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What was searched in the end, the entry that bears the words as its name, and what was found.

    `also` are the other names that were searched; with `some`, not all of the words stand in all that was found, but in
    the first `texts`.
    """

    query: Query
    named: Named | None = None
    also: tuple[str, ...] = ()
    found: Found = field(default_factory=lambda: Found([]))
    some: bool = False
    texts: int = 0

    @property
    def phrases(self) -> list[Phrase]:
        """Give the words that are looked for."""
        return [*phrases_of(self.query), *(Phrase(label_keys(name)) for name in self.also)]


def answer(query: Query, *, only_words: bool = False, **filters: Unpack[Filters]) -> Answer:
    """Answer a query as readers get it: for its words, or where they find nothing for near ones; some of them do
    where all are found in fewer than three texts.

    With `only_words` nothing else is searched than what was typed. Four queries, some more for very many sections, as
    many again and those of `mended` where little was found.
    """
    typed = _answer(query, filters, only_words=only_words)
    if only_words or typed.texts >= _FEW:
        return typed
    meant = None if typed.texts else mended(query)
    best = _answer(meant, filters) if meant else typed
    if best.texts < _FEW and len(best.query.telling) > 1 and not (best.named and best.texts):
        best = _with_some(best, filters)
    return best if best.found.hits or best.named else typed


def _with_some(answer: Answer, filters: Filters) -> Answer:
    """Add what holds some of the words behind what holds all."""
    further = find(answer.query, also=answer.also, some=True, **filters)
    known = {hit.section for hit in answer.found.hits}
    hits = [*answer.found.hits, *(hit for hit in further.hits if hit.section not in known)]
    return replace(answer, found=Found(hits, further.whole), some=len(hits) > len(known))


def _answer(query: Query, filters: Filters, *, only_words: bool = False) -> Answer:
    words = query.plain
    named = entry_named(words) if words and len(words) <= _LONGEST_NAME else None
    also = named.others if named and not only_words else ()
    found = find(query, also=also, **filters)
    return Answer(query, named, also, found, texts=len({hit.page for hit in found.hits}))
