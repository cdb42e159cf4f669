"""Pages whose address or name is most like what somebody wrote."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import chain

from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Length

from peacekb.models import Page
from peacekb.text.words import keys

from . import naming

MOST_SHOWN = 5
#: Pages that one missing address makes the database look at and Python compare, in each of the two queries.
MOST_LOOKED_AT = 100
#: Characters of a slug.
LONGEST = 120
_ALIKE = 0.6
_SHOWN = ("kind", "slug", "title", "language")


def alike(asked: str) -> list[Page]:
    """Give the public pages whose address or name is most like a slug, at most five.

    At most five queries by index, whatever the number of pages; none for what cannot be an address. Without a
    database there are no such pages either: whoever asks is already telling of another fault.
    """
    if not asked or len(asked) > LONGEST:
        return []
    words = {word for word in keys(asked.replace("-", " ").replace("_", " ")) if len(word) > 2}
    matcher = SequenceMatcher(b=asked)
    try:
        likeness = {page: _likeness(matcher, page.slug) for page in _beginning_alike(asked)}
        for page, names in _named(words):
            likeness[page] = max(_likeness(matcher, page.slug), len(words & names) / len(words))
    except DatabaseError:
        return []
    found = sorted(
        (page for page in likeness if likeness[page] >= _ALIKE), key=lambda page: (-likeness[page], page.slug)
    )
    return found[:MOST_SHOWN]


def _likeness(matcher: "SequenceMatcher[str]", slug: str) -> float:
    matcher.set_seq1(slug)
    # The quick one is never less, and mostly enough to see that they are not alike.
    return matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0


def _beginning_alike(asked: str) -> Iterable[Page]:
    """Give pages whose slug begins as the one asked for and is about as long: a slip later in the word."""
    beginning = asked[:2]
    begins = Q(slug__startswith=beginning)
    if connection.vendor == "sqlite":
        # A range: LIKE goes through all pages there. Elsewhere letters may have another order than their numbers.
        begins = Q(slug__gte=beginning, slug__lt=beginning[:-1] + chr(ord(beginning[-1]) + 1))
    slack = max(2, len(asked) // 4)
    found = (
        Page.objects.filter(begins)
        .annotate(length=Length("slug"))
        .filter(length__gte=len(asked) - slack, length__lte=len(asked) + slack)
        .only(*_SHOWN, "status", "published_at")
        .order_by("slug")[:MOST_LOOKED_AT]
    )
    # Asked in the database, this would tempt SQLite to go through all pages by date.
    return [page for page in found if page.is_public]


def _named(words: set[str]) -> Iterable[tuple[Page, set[str]]]:
    """Give pages of which a name holds one of the words, and the words of their names."""
    if not words:
        return
    pages = Page.objects.filter(pk__in=naming(words, MOST_LOOKED_AT)).only(*_SHOWN).prefetch_related("labels")
    for page in pages:
        yield page, set(chain(keys(page.title), *(label.key.split() for label in page.labels.all())))
