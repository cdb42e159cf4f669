"""How names are begun: what somebody may type for a name, and which of its letters were typed.

A name can be begun at any of its words. Spelling counts as folded words do; one wrong letter finds nothing.
"""

from collections.abc import Iterator

from .words import Word, bare_arabic, fold, folded_words, is_arabic, words

#: Letters of a beginning that are kept. Whoever types more is held against the name itself.
LONGEST = 60
_ARTICLE = "ال"
# Nobody begins a name at these, unless the name does so itself.
_INNER = frozenset(
    "a an and as at by for from in of on or the to with au aux d de des du en et l la le les ou par pour sur une"
    " في من على عن الي مع او".split()
)


def typed(text: str) -> str:
    """Give what somebody has typed, as names are compared with it; the last word may go on."""
    return " ".join(folded_words(text))


def beginnings(name: str) -> Iterator[tuple[str, bool]]:
    """Give what a name may be begun with, and whether that is its first word. Each at most `LONGEST` letters."""
    folded = folded_words(name)
    for place, word in enumerate(folded):
        if place == 0 or word not in _INNER:
            for form in _forms(word):
                yield " ".join([form, *folded[place + 1 :]])[:LONGEST], place == 0


def typed_in(name: str, begun: str) -> tuple[int, int] | None:
    """Give start and end of the letters of a name that were typed (see `typed`), or `None` where none were."""
    found = words(name)
    folded = [word.folded for word in found]
    for place, first in enumerate(folded):
        if place == 0 or first not in _INNER:
            for form in _forms(first):
                if " ".join([form, *folded[place + 1 :]]).startswith(begun):
                    return _span(name, found[place:], begun, is_as_written=form == first)
    return None


def _forms(word: str) -> tuple[str, ...]:
    """Give a word as written and, of an Arabic one, with the article alone and without anything attached."""
    if not is_arabic(word):
        return (word,)
    bare = bare_arabic(word)
    return tuple(dict.fromkeys((word, f"{_ARTICLE}{bare}", bare)))


def _span(name: str, found: list[Word], begun: str, *, is_as_written: bool) -> tuple[int, int]:
    last = found[begun.count(" ")]
    # In an article that the name does not have, or behind one that was not typed, letters cannot be told apart.
    if " " not in begun and not is_as_written:
        return last.start, last.end
    wanted = len(begun.rpartition(" ")[2])
    letters = name[last.start : last.end]
    # Folding may give more letters than there were ("œ"), or fewer: an accent of its own goes with its letter.
    ends = (end for end in range(1, len(letters) + 1) if len(fold(letters[:end])) >= wanted)
    end = next(ends, len(letters))
    while end < len(letters) and not fold(letters[end]):
        end += 1
    return found[0].start, last.start + end
