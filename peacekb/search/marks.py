"""The sentence of a hit with its words marked, and the paragraph at which it opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from peacekb.models import Section
from peacekb.text.query import Phrase
from peacekb.text.sentences import sentence_spans
from peacekb.text.words import Word, key, words

OPEN, CLOSE = "\ue000", "\ue001"  # private use: the filter `marked` escapes the text, then turns them into <mark>
_LONGEST = 320


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text with `OPEN` and `CLOSE` around each word that was asked for."""

    text: str
    paragraph: int | None


def snippet(section: Section, asked: Sequence[Phrase]) -> Snippet:
    """Give the sentence of a section that holds most of the words asked for."""
    text = section.text.replace(OPEN, "").replace(CLOSE, "")
    hits = _standing(words(text), asked)
    spans = sentence_spans(text)
    if not spans:
        return Snippet("", section.first_paragraph)
    best, most = spans[0], 0
    place = 0
    for start, end in spans:
        found: set[str] = set()
        while place < len(hits) and hits[place].start < end:
            found.add(key(hits[place].folded))
            place += 1
        if len(found) > most:
            best, most = (start, end), len(found)
    start, end = best
    inside = [word for word in hits if start <= word.start < end]
    if end - start > _LONGEST:
        middle = inside[0].start if inside else start
        low = max(start, middle - _LONGEST // 3)
        high = min(end, low + _LONGEST)
        start = low if low == start else text.rfind(" ", start, low) + 1 or low
        end = high if high == end else max(text.rfind(" ", start, high), middle + 1)
    pieces, last = [], start
    for word in inside:
        if word.start < start or word.end > end:
            continue
        pieces += [text[last : word.start], OPEN, text[word.start : word.end], CLOSE]
        last = word.end
    pieces.append(text[last:end])
    shown = " ".join("".join(pieces).split())
    shown = ("" if start == best[0] else "… ") + shown + ("" if end == best[1] else " …")
    return Snippet(shown, section.paragraph_at(start))


def _standing(text: Sequence[Word], asked: Sequence[Phrase]) -> list[Word]:
    """Give the words of a text that belong to one of the phrases; a word of a phrase that stands alone does not."""
    found = [key(word.folded) for word in text]
    places: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        places.setdefault(one, []).append(place)
    marked: set[int] = set()
    for phrase in asked:
        *first, last = phrase.keys
        endings = [one for one in places if one.startswith(last)] if phrase.beginning else [last]
        for place in chain.from_iterable(places.get(one, ()) for one in endings):
            start = place - len(first)
            if start >= 0 and found[start:place] == first:
                marked.update(range(start, place + 1))
    return [text[place] for place in sorted(marked)]
