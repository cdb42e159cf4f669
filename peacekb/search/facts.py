"""Facts by which texts are narrowed, as tokens of the index: kind, phase, language, tag, year, role, title.

A token begins with "zz"; its value is written in hexadecimal where it may hold other signs than letters and digits, so
that no tokenizer cuts it. Words of a title are tokens too: a title is true of all sections of its page, and stands as
words in the first alone.
"""

import re
from collections import Counter
from collections.abc import Iterable

from peacekb.text.query import Phrase
from peacekb.text.words import keys

from .wanted import FACTS

#: True of the first section of a page.
LEAD = "zzleadzz"
#: True of a section that is too long to be indexed to its end.
CUT_OFF = "zzcutoffzz"
_TITLE = "zzn"
_WRITTEN = ("kind", "phase", "lang", "tag")
_NUMBERED = ("year", "role")
_TOKEN = re.compile(f"zz({'|'.join((*_WRITTEN, *_NUMBERED))})([0-9a-f]+)zz")
#: The first and last years that can be told apart.
YEARS = range(1900, 2200)


def token(fact: str, value: str | int) -> str:
    """Give the token of a fact, such as of a tag by its slug or of a role by its key."""
    written = str(value) if isinstance(value, int) else value.encode(errors="replace").hex()
    return f"zz{fact}{written}zz"


def title_tokens(title: str) -> list[str]:
    """Give the tokens of the words of a title, in order."""
    return [_TITLE + key for key in keys(title)]


def in_title(phrase: Phrase) -> Phrase:
    """Give the phrase of facts that is true where a phrase stands in the title."""
    return Phrase(tuple(_TITLE + key for key in phrase.keys), phrase.beginning, FACTS)


def true(*tokens: str) -> list[Phrase]:
    """Give tokens of which one must be true as an engine is asked for them."""
    return [Phrase((one,), False, FACTS) for one in tokens]


def counted(facts: Iterable[str]) -> dict[str, Counter[str]]:
    """Count the values of facts over pages, each given by the facts of one of its sections: fact, value, number."""
    tokens = Counter(" ".join(one.partition(f" {_TITLE}")[0] for one in facts).split())
    found: dict[str, Counter[str]] = {fact: Counter() for fact in (*_WRITTEN, *_NUMBERED)}
    for one, number in tokens.items():
        if match := _TOKEN.fullmatch(one):
            fact, value = match.groups()
            found[fact][bytes.fromhex(value).decode() if fact in _WRITTEN else value] = number
    return found


def carries(written: str, tags: Iterable[str]) -> bool:
    """Tell whether facts are those of a text that carries all of some tags."""
    return all(token("tag", slug) in written for slug in tags)


def with_derived(written: str, derived: Iterable[str]) -> str:
    """Give facts with other roles and phases than they have."""
    rest, title, names = written.partition(f" {_TITLE}")
    tokens = [one for one in rest.split() if not one.startswith(("zzrole", "zzphase"))]
    return " ".join([*tokens, *derived]) + title + names


def kind_and_title(written: str) -> tuple[str, str]:
    """Give, of facts, what texts are ordered by."""
    rest, _, title = written.partition(f" {_TITLE}")
    return rest.partition(" zzkind")[2].partition("zz")[0], title
