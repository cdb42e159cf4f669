"""What somebody may have meant who wrote words that no text holds: near words, words run together or taken apart."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from django.db import connection
from django.utils import timezone

from peacekb.models import IndexedWord, Label
from peacekb.text.query import Either, Fact, Query, Words
from peacekb.text.words import folded_words, is_arabic, key

from .engines import engine

_SHORTEST = 4
_SHORTEST_ARABIC = 3
_LONGER = 8  # letters from which two slips are forgiven
_MOST_WORDS = 8
# Near words of which the number of texts is asked, and the number at which one word is as common as another.
_MOST_COUNTED = 6
_COMMON = 500
_SHORTEST_PART = 3


def mended(query: Query) -> Query | None:
    """Give a query whose words that no published text holds are other ones, `None` where there is nothing to mend.

    A slip is a letter more, less, other, or two that changed places: one in words of four to seven letters, two in
    longer ones; not one at each end at once. What stands in double quotes is meant as it is. At most eight words are
    looked at; four queries and seven for each that is unknown.
    """
    now = timezone.now()
    alone = {place: word for place, part in enumerate(query.parts) if (word := _lone(part))}
    alone = dict(list(alone.items())[:_MOST_WORDS])
    unknown = set(alone.values()) - {word for word in _indexed(alone.values()) if _number(word, now)}
    parts: list[Either | Fact] = list(query.parts)
    for place, word in alone.items():
        if word in unknown and (near := _nearest(word, now) or _parted(word, now)):
            parts[place] = Either((Words(near),))
    if parts == list(query.parts):
        return _run_together(query, alone, now)
    return Query(tuple(_as_named(parts, query.parts)))


def _lone(part: Either | Fact) -> str:
    """Give the key of a word that was typed without anything to it, else nothing."""
    if isinstance(part, Fact) or part.without or len(part.words) > 1:
        return ""
    (word,) = part.words
    found = folded_words(word.text)
    return key(found[0]) if len(found) == 1 and not (word.title or word.beginning) else ""


def _indexed(words: Iterable[str]) -> set[str]:
    return set(IndexedWord.objects.filter(word__in=set(words)).values_list("word", flat=True))


def _number(word: str, now: datetime) -> int:
    return engine().number(word, now, _COMMON)


def _nearest(word: str, now: datetime) -> str:
    """Give the word that is nearest and in most sections; its first letter is seldom the wrong one."""
    slips = slips_forgiven(word)
    if not slips:
        return ""
    near = []
    for other in _beginning_or_ending_alike(word, slips):
        if (distance := slips_between(word, other, slips)) <= slips:
            near.append((distance, other[0] != word[0], other))
    counted = [(*one[:2], -_number(one[2], now), one[2]) for one in sorted(near)[:_MOST_COUNTED]]
    return min(((*one[:3], one[3]) for one in counted if one[2]), default=("",))[-1]


def _beginning_or_ending_alike(word: str, slips: int) -> list[str]:
    """Give indexed words about as long that begin or end as a word does, in the part that a slip may leave whole."""
    length = len(word)
    first = (length - 1) // 2 if slips == 1 else length // 3
    last = length - 1 - first if slips == 1 else length // 3
    begins, beginning = engine().alike("word", word[:first])
    ends, ending = engine().alike("ending", word[::-1][:last])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT word FROM peacekb_indexedword WHERE (({begins}) OR ({ends})) AND length(word) BETWEEN %s AND %s",
            [*beginning, *ending, length - slips, length + slips],
        )
        letters = set(word)
        return [other for (other,) in cursor.fetchall() if len(letters.symmetric_difference(other)) <= 2 * slips]


def _parted(word: str, now: datetime) -> str:
    """Give a word as two that texts hold, where a blank was left out."""
    places = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
    known = _indexed(part for place in places for part in (word[:place], key(word[place:])))
    both = [(word[:place], key(word[place:])) for place in places]
    both = [parts for parts in both if known.issuperset(parts)][:_MOST_COUNTED]
    numbers = {parts: min(_number(part, now) for part in parts) for parts in both}
    best = max(numbers, key=lambda parts: numbers[parts], default=None)
    return " ".join(best) if best and numbers[best] else ""


def _run_together(query: Query, alone: dict[int, str], now: datetime) -> Query | None:
    """Give a query of which two words that follow each other are one that texts hold: "cease fire"."""
    pairs = [(place, alone[place] + alone[behind]) for place, behind in pairwise(alone) if behind == place + 1]
    known = _indexed(word for _, word in pairs)
    for place, word in pairs:
        if word in known and _number(word, now):
            parts = [*query.parts[:place], Either((Words(word),)), *query.parts[place + 2 :]]
            return Query(tuple(_as_named(parts, query.parts)))
    return None


def _as_named(parts: Sequence[Either | Fact], typed: Sequence[Either | Fact]) -> Iterable[Either | Fact]:
    """Write words that are names as the names are written: keys of the index have no accents. One query."""
    new = [part for part in parts if isinstance(part, Either) and part not in typed]
    keys = [part.words[0].text for part in new]
    shown = Label.objects.filter(key__in=keys).exclude(kind=Label.LabelKind.HIDDEN).order_by("-kind", "text")
    written = {label.key: label.text for label in reversed(shown)}
    for part in parts:
        if part in new and isinstance(part, Either):
            word = part.words[0].text
            yield replace(part, words=(Words(written.get(word, word)),))
        else:
            yield part


def slips_forgiven(word: str) -> int:
    """Give how many slips are forgiven in a word of that length. The keys of Arabic words are short: stems."""
    if len(word) < (_SHORTEST_ARABIC if is_arabic(word) else _SHORTEST):
        return 0
    return 1 if len(word) < _LONGER else 2


def slips_between(one: str, other: str, most: int) -> int:
    """Count the slips between two words: optimal string alignment; anything over `most` where there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one):
        previous, before, row = before, row, [place + 1]
        for behind, against in enumerate(other):
            cost = min(before[behind] + (letter != against), before[behind + 1] + 1, row[behind] + 1)
            if place and behind and letter == other[behind - 1] and one[place - 1] == against:
                cost = min(cost, previous[behind - 1] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
