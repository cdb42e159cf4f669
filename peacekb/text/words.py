"""Words and their two normal forms: `fold` for the linker, `key` for the search index.

Both are pure functions of one word, so that the linker, the index and a query can never disagree.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

# A word is a run of letters, digits and the marks on them (UAX 29 without the apostrophe and full stop
# rules: "mediator's" is two words, so the possessive never hides the noun; "l'accord" likewise).
# Dotted initials ("U.N.") are one word, so that they meet the label "UN".
_MARKS = "\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0483-\u0487"
_INSIDE = rf"[{_MARKS}\u200c\u200d\u00ad]"
# Behind a word: cheap where no full stop follows.
_INITIALS = r"(?:\.(?<=\b[^\W\d_]\.)(?:[^\W\d_]\.)+)?"
WORD = re.compile(rf"[^\W_]+(?:{_INSIDE}+[^\W_]*)*{_INITIALS}")
_PIECES = re.compile(f"({WORD.pattern})")
# The same where no other sign stands, twice as fast.
_ASCII_PIECES = re.compile(r"([A-Za-z0-9]+(?:\.(?<=\b[A-Za-z]\.)(?:[A-Za-z]\.)+)?)")

_ARABIC_FORMS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ـ": None, "\u00ad": None,
     "\u200c": None, "\u200d": None, ".": None, "œ": "oe", "æ": "ae"}
)  # fmt: skip
_NOT_SEEN = re.compile(rf"{_INSIDE}|\.")
_ARTICLE = "ال"
_PARTICLES = "وفبكل"
_SHORTEST_STEM = 3
_LONGEST_KEY = 80
# No label is longer (models.label). What is cut off a longer word could not make it one.
_LONGEST_WORD = 200

_IRREGULAR_PLURALS = {
    "man": ("men",), "woman": ("women",), "child": ("children",), "crisis": ("crises",), "analysis": ("analyses",),
    "hypothesis": ("hypotheses",), "basis": ("bases",), "axis": ("axes",), "criterion": ("criteria",),
    "phenomenon": ("phenomena",), "leaf": ("leaves",), "life": ("lives",), "half": ("halves",), "wife": ("wives",),
    "thief": ("thieves",), "medium": ("media",), "memorandum": ("memoranda", "memorandums"),
    "referendum": ("referenda", "referendums"), "index": ("indices", "indexes"), "census": ("censuses",),
    "status": ("statuses",), "virus": ("viruses",), "campus": ("campuses",), "bias": ("biases",), "gas": ("gases",),
    "bus": ("buses",),
}  # fmt: skip
_OES = frozenset({"shoes", "toes", "foes", "canoes", "hoes", "woes"})  # not of a noun in -o
_SINGULAR = {plural: singular for singular, plurals in _IRREGULAR_PLURALS.items() for plural in plurals}


class Word(NamedTuple):
    """One word of a text: `text[start:end]` and its folded form."""

    start: int
    end: int
    folded: str


@lru_cache(maxsize=262_144)
def fold(word: str) -> str:
    """Give the form in which two spellings of one word are equal.

    Case, accents, compatibility forms, Arabic vowel signs, tatweel and the forms of alef, ya and ta marbuta go.
    The result may be shorter or longer than the word.
    """
    word = word[:_LONGEST_WORD]
    if word.isascii():
        return word.casefold().replace(".", "")
    # Arabic letter forms first: NFKD would part "أ" into alef and a mark that then goes, "ئ" into a wrong ya.
    composed = unicodedata.normalize("NFKC", word).casefold().translate(_ARABIC_FORMS)
    parted = unicodedata.normalize("NFKD", composed)
    return "".join(c for c in parted if c.isalnum())


@lru_cache(maxsize=65_536)
def cased(word: str) -> str:
    """Give the form in which two spellings of an acronym are equal: as `fold`, but case and accents stay."""
    if word.isascii():
        return word.replace(".", "")
    plain = _NOT_SEEN.sub("", unicodedata.normalize("NFKC", word[:_LONGEST_WORD]))
    return fold(plain) if plain and is_arabic(plain) else plain


def pieces(text: str) -> list[str]:
    """Cut a text into what stands between words and the words, in turn: gap, word, gap, …, word, gap."""
    return (_ASCII_PIECES if text.isascii() else _PIECES).split(text)


# Signs of one letter that stand for ASCII ones between words, so that most English blocks are cut the quick way.
_STRAIGHT = str.maketrans("’‘“”–—…\u00a0\u2011«»•", "'" * 2 + '"' * 2 + "--. -  *")
_SPACED = str.maketrans({chr(code): (chr(code).lower() if chr(code).isalnum() else " ") for code in range(128)})
_INITIAL = re.compile(r"\.[A-Za-z]\.")


class Cut:
    """The words of a text, folded, and where they stand. Between words there may be empty ones, which mean nothing.

    A text of ASCII letters is cut by splitting at blanks, four times as fast as by the pattern.
    """

    __slots__ = ("_by_blanks", "_lengths", "folded", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        straight = text if text.isascii() else text.translate(_STRAIGHT)
        self._by_blanks = straight.isascii() and not _INITIAL.search(straight)
        if self._by_blanks:
            self.folded = straight.translate(_SPACED).split(" ")
            self._lengths: list[int] = []
        else:
            cut = pieces(text)
            self._lengths = list(accumulate(map(len, cut)))
            self.folded = list(map(fold, cut[1::2]))

    def span(self, place: int) -> tuple[int, int]:
        """Give start and end of the word at a place in `folded`."""
        if not self._by_blanks:
            return self._lengths[2 * place], self._lengths[2 * place + 1]
        if not self._lengths:
            self._lengths = list(accumulate(map(len, self.folded), initial=0))
        start = self._lengths[place] + place
        return start, start + len(self.folded[place])


def folded_words(text: str) -> list[str]:
    """Give the folded words of a text, in order."""
    return [folded for folded in Cut(text).folded if folded]


def words(text: str) -> list[Word]:
    """Cut a text into words, in order."""
    found = [Word(match.start(), match.end(), fold(match.group())) for match in WORD.finditer(text)]
    # A lone combining sign folds to nothing.
    return found if all(word.folded for word in found) else [word for word in found if word.folded]


@lru_cache(maxsize=262_144)
def key(folded: str) -> str:
    """Give the index key of a folded word: without plural ending, Arabic article and particles.

    Every form that the linker accepts for a label has the key of the label, so an index of keys finds all of them.
    A key has at most 80 letters: PostgreSQL takes no word of more than 2,046 bytes.
    """
    folded = folded[:_LONGEST_KEY]
    if is_arabic(folded):
        stem = folded
        while True:
            if stem.startswith(_ARTICLE) and len(stem) >= _SHORTEST_STEM + 1:
                stem = stem[2:]
            elif stem[0] in _PARTICLES and len(stem) > _SHORTEST_STEM:
                stem = stem[1:]
            else:
                return stem
    return singular(folded)


def keys(text: str) -> list[str]:
    """Give the index keys of a text, in order; the letters that a possessive or an elision leaves alone are kept."""
    return list(map(key, folded_words(text)))


def singular(folded: str) -> str:
    """Take a regular English or French plural ending off a folded word, else give the word back."""
    if folded in _SINGULAR:
        return _SINGULAR[folded]
    if folded.endswith("men") and len(folded) > 5:
        return folded[:-2] + "an"  # "spokesmen"; "specimen" has a key of its own, too
    if len(folded) < 4 or not folded.endswith("s") or folded.endswith(("ss", "us", "is")):
        return folded
    if folded.endswith("ies") and len(folded) > 4:
        return folded[:-3] + "y"
    if folded.endswith(("sses", "shes", "ches", "xes", "zzes", "oes")) and folded not in _OES:
        return folded[:-2]
    return folded[:-1]


@lru_cache(maxsize=65_536)
def plurals(folded: str) -> tuple[str, ...]:
    """Give the English plural forms of a folded noun; `singular` takes each back to the noun's own key."""
    if folded in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[folded]
    if len(folded) < 3 or not folded.isascii() or not folded.isalpha():
        return ()
    if folded.endswith("y") and folded[-2] not in "aeiou":
        candidates: tuple[str, ...] = (folded[:-1] + "ies",)
    elif folded.endswith(("ss", "sh", "ch", "x", "zz")):
        candidates = (folded + "es",)
    elif folded.endswith("o"):
        candidates = (folded + "es", folded + "s")
    elif folded.endswith("man") and len(folded) > 5:
        candidates = (folded[:-2] + "en", folded + "s")
    elif folded.endswith("s"):
        return ()  # "parties" is a plural already; "crisis" is irregular
    else:
        candidates = (folded + "s",)
    return tuple(plural for plural in candidates if key(plural) == key(folded))


def arabic_stems(folded: str) -> Iterator[str]:
    """Give the forms of a folded Arabic word without its article and one-letter particles, the longest first.

    Two letters that are left are a stem only of a longer name: "لحل النزاعات".
    """
    stem = folded
    for _ in range(4):
        if stem.startswith(_ARTICLE) and len(stem) >= _SHORTEST_STEM + 1:
            stem = stem[2:]
        elif stem[0] in _PARTICLES and len(stem) >= _SHORTEST_STEM:
            stem = stem[1:]
        else:
            return
        yield stem


def has_article(folded: str) -> bool:
    """Tell whether a folded Arabic word has the article, behind particles or not: "والوسيط", "للوسيط"."""
    bare = folded.lstrip(_PARTICLES)
    return bare.startswith(_ARTICLE) or (folded[: len(folded) - len(bare)].endswith("لل") and len(bare) > 1)


def bare_arabic(folded: str) -> str:
    """Take the article, and particles before it, off a folded Arabic word; what has none stays: "والوسيط", "وسيط"."""
    if not has_article(folded):
        return folded
    stem = folded.lstrip(_PARTICLES)
    stem = stem.removeprefix(_ARTICLE)
    return stem if len(stem) > 1 else folded


def particled(folded: str) -> tuple[str, ...]:
    """Give the keys of a folded Arabic word of two letters with a particle before it, which `key` leaves on."""
    return tuple(letter + folded for letter in _PARTICLES) if len(folded) < _SHORTEST_STEM else ()


def without_article(folded: str) -> str:
    """Take the Arabic article off a folded word that begins with it."""
    return folded[2:] if folded.startswith(_ARTICLE) and len(folded) > _SHORTEST_STEM else folded


def is_arabic(folded: str) -> bool:
    """Tell whether a folded word is written in Arabic letters."""
    return "\u0621" <= folded[0] <= "\u064a"


def direction(text: str) -> str:
    """Give `rtl` or `ltr` by the first letter with a direction (UAX 9, rule P2), or an empty string."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return ""
