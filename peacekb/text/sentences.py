"""Cut a text into sentences, so that one can be quoted whole and found again."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

# Words with a full stop that do not end a sentence, as UN documents use them.
_ABBREVIATIONS = {
    *"para paras no nos art arts p pp vol vols chap ch ed eds fig figs cf e.g i.e eg ie viz vs etc al approx".split(),
    *"sect sects app suppl ff annex hrs ret par tabl env éd rés".split(),
    *"dr mr mrs ms messrs mme mlle prof st sr jr".split(),
    *"gén cdt gen lt col maj capt brig cpl sgt cmdr adm hon rev amb rep sen gov pres".split(),
    *"mt ft rt dem h.e s.c u.n u.s u.k u.s.a e.u a.u d.c a.m p.m".split(),
    *"jan feb mar apr jun jul aug sept sep oct nov dec janv févr avr juil déc".split(),
    *"inc ltd corp co dept est res doc docs m mm av".split(),
}
# A first sign that stands for itself lets the search pass over the rest, and no lookup starts inside a word.
_END = re.compile(r"""[.!?؟…؛\n](?:(?<=[.!?؟…])[.!?؟…]*["'”’»)\]]*(?:[ \u00a0\u202f]»)?|(?<=؛)|\n+)""")
_LAST_WORD = re.compile(r"(?<![\w.])[\w.]++$")
_OPENS = re.compile(r"""\s+["'“‘«(\[]*(\S)""")
# "No." and "St." stand before a number or a name; others such as "etc." may end a sentence before a capital.
# Behind "U.N." only such a word shows that a new sentence starts: "the U.N. Secretariat" is one.
_OPENERS = {*"The This That These Those It In On At A An He She They We But And However Since After".split()}
_MAY_END = frozenset("etc al co inc ltd corp res doc no".split())
_ALIKE = 0.5  # how much of two sentences must be the same words
_MAY_END_BEFORE_AN_OPENER = frozenset(
    "u.n u.s u.k u.s.a e.u a.u d.c s.c jan feb mar apr jun jul aug sept sep oct nov dec janv févr déc".split()
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Give start and end of each sentence, without the white space between them."""
    spans = []
    start = 0
    for match in _END.finditer(text):
        behind = text[match.end() : match.end() + 1]
        if text[match.start()] != "\n" and not (behind.isspace() and _ends_sentence(text, match)):
            continue
        start, end = _trimmed(text, start, match.end())
        if start < end:
            spans.append((start, end))
        start = match.end()
    start, end = _trimmed(text, start, len(text))
    if start < end:
        spans.append((start, end))
    return spans


def on_one_line(text: str) -> str:
    """Give a text with one space wherever it has white space."""
    return " ".join(text.split())


def most_alike(sentence: str, others: Iterable[str]) -> str:
    """Give the sentence that another one is most like, word by word; empty where none is like it by half."""
    matcher: SequenceMatcher[str] = SequenceMatcher(autojunk=False)
    matcher.set_seq2(sentence.split())
    best, likeness = "", _ALIKE
    for other in others:
        matcher.set_seq1(other.split())
        if matcher.real_quick_ratio() > likeness and matcher.quick_ratio() > likeness:
            ratio = matcher.ratio()
            if ratio > likeness:
                best, likeness = other, ratio
    return best


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    following = _OPENS.match(text, match.end())
    if following is None:
        return True
    opening = following.group(1)
    if opening.islower():
        return False  # "… (S/RES/1325). said" and "e.g. this": a sentence does not start in lower case
    if match.group()[0] != ".":
        return True
    last = _LAST_WORD.search(text, max(0, match.start() - 24), match.start())
    if last is None:
        return True
    word = last.group().casefold().lstrip(".")
    next_word = text[following.start(1) : following.start(1) + 12].split()[0]
    opens = next_word.rstrip(",") in _OPENERS
    if len(word) == 1 and word.isalpha() and word != "i":
        return opens  # an initial, "K. Annan", or "Plan B. The"
    if word not in _ABBREVIATIONS:
        return True
    if word in _MAY_END:
        return not opening.isdigit()
    if word in ("a.m", "p.m"):
        return next_word.rstrip(".").casefold() not in _ABBREVIATIONS
    return word in _MAY_END_BEFORE_AN_OPENER and opens


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
