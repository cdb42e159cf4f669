"""What goes before what among the sections that were found, equal on both engines but for their scores."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Count, QuerySet

from peacekb.models import Kind, Mention
from peacekb.models.prepared import AnyOf, prepared

from . import facts
from .wanted import Candidate

# An essay speaks of many things at length, an entry of one in three lines, and engines prefer the short. Readers look
# for essays: with this they stand among the entries whose title holds the word, not behind all that only mention it.
_ARTICLE_BOOST = 1.5
# Words that were typed side by side and stand so, in their order.
_TOGETHER_BOOST = 2.0
_IS_ARTICLE = facts.token("kind", Kind.ARTICLE)


def best_first(candidates: Sequence[Candidate], *, by_mentions: bool) -> list[Candidate]:
    """Order what was found: of equals the newer go first, then those that other texts mention more.

    A query where there are equals that may be mentioned differently.
    """

    ranked = [(_rank(one), one) for one in candidates]
    mentions: dict[int, int] = {}
    if by_mentions:
        numbers = Counter(rank for rank, _ in ranked)
        mentions = _mentions_of({one.page for rank, one in ranked if numbers[rank] > 1})
    ordered = sorted([(rank, mentions.get(one.page, 0), -one.section, one) for rank, one in ranked], reverse=True)
    return [one for *_, one in ordered]


def _rank(one: Candidate) -> tuple[bool, float, Any]:
    boost = _ARTICLE_BOOST if _IS_ARTICLE in one.facts else 1.0
    return one.exact, one.score * boost * (_TOGETHER_BOOST if one.together else 1.0), one.public_from


def _mentions_of(pages: Collection[int]) -> dict[int, int]:
    """Give by how many sections pages are mentioned. One query, none for no pages."""
    return dict(_numbers_of_mentions(pages=pages)) if pages else {}


@prepared
def _numbers_of_mentions(*, pages: Any) -> QuerySet[Mention, tuple[int, int]]:
    rows = Mention.objects.filter(target__in=AnyOf(pages)).order_by().values_list("target")
    return rows.annotate(number=Count("section", distinct=True))
