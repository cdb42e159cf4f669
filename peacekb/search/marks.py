"""The sentence of a hit with its words marked, and the paragraph at which it opens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from peacekb.models import Section
from peacekb.text.query import Phrase
from peacekb.text.sentences import sentence_spans
from peacekb.text.words import Cut, key

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
    hits = _standing(text, asked)
    spans = sentence_spans(text)
    if not spans:
        return Snippet("", section.first_paragraph)
    best, most = spans[0], 0
    place = 0
    for start, end in spans:
        found: set[str] = set()
        while place < len(hits) and hits[place].start < end:
            found.add(hits[place].key)
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


class _Hit(NamedTuple):
    start: int
    end: int
    key: str


def _standing(text: str, asked: Sequence[Phrase]) -> list[_Hit]:
    """Give the words of a text that belong to one of the phrases; a word of a phrase that stands alone does not."""
    cut = Cut(text)
    places = [place for place, folded in enumerate(cut.folded) if folded]
    found = [key(cut.folded[place]) for place in places]
    marked: set[int] = set()
    for phrase in asked:
        *before, last = phrase.keys
        for end, one in enumerate(found):
            if one == last or (phrase.beginning and one.startswith(last)):
                start = end - len(before)
                if start >= 0 and found[start:end] == before:
                    marked.update(range(start, end + 1))
    return [_Hit(*cut.span(places[place]), found[place]) for place in sorted(marked)]
