"""The texts of a combination of tags as an address asks for them, and what narrows them down."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from peacekb import search
from peacekb.models import Page
from peacekb.models.prepared import prepared

from . import tags
from .narrowed import Narrowed, commonest_first
from .narrowing import Choice, Facet
from .tags import MOST_TAGS, Combination

_MOST_RELATED = 8
# In standard deviations above what chance would give. With two, a few hundred texts have hardly any related tags.
_MORE_THAN_CHANCE = 1


@dataclass(frozen=True, kw_only=True)
class Asked(Narrowed):
    """A combination of tags, narrowed down."""

    combination: Combination

    @classmethod
    def from_request(cls, combination: Combination, request: HttpRequest) -> Self:
        """Read the address. Raises what `facts_in` raises."""
        return cls(combination=combination, **cls.facts_in(request))

    @cached_property
    def texts(self) -> list[search.Text]:
        """Give the texts: articles first, then by kind, the newest first. One query."""
        filters = self.narrowed_by
        filters["any_tags" if self.combination.either else "tags"] = self.combination.slugs
        return search.texts(**filters)

    @property
    def has_text_with_all(self) -> bool:
        """Tell whether one of the texts carries all of the tags."""
        return any(search.carries(text.facts, self.combination.slugs) for text in self.texts)

    def address(self, **changes: Any) -> str:
        """Give the address of the first page, changed in some respects."""
        asked = replace(self, **changes)
        return asked.combination.address() + (f"?{urlencode(asked.parameters)}" if asked.parameters else "")

    @property
    def with_all(self) -> str:
        """Give the address of the texts that carry all of the tags."""
        return self.address(combination=self.combination.switched(either=False))

    @property
    def with_any(self) -> str:
        """Give the address of the texts that carry any of the tags."""
        return self.address(combination=self.combination.switched(either=True))

    def parts(self) -> list[Choice]:
        """Give all that was asked and can be taken off: the tags where there are several, and the facts."""
        several = self.combination.tags if len(self.combination.tags) > 1 else ()
        without = [Choice(tag.shown, None, self.address(combination=self.combination.but(tag))) for tag in several]
        return [*without, *self.facts_set()]

    def facets(self) -> list[Facet]:
        """Give what narrows the texts down; no choice leads to nothing, or to all that there is already.

        Three queries beside that of `texts`.
        """
        counted = search.counted(text.facts for text in self.texts)
        facets = self.facets_of_facts(counted, len(self.texts))
        if not self.combination.either and len(self.combination.tags) < MOST_TAGS:
            facets = [*self._facets_of_tags(counted["tag"]), *facets]
        return [facet for facet in facets if facet.choices]

    def _facets_of_tags(self, counted: Mapping[str, int]) -> list[Facet]:
        """Give the tags that more of the texts carry than chance would have it, and the others."""
        here = {slug: number for slug, number in counted.items() if number < len(self.texts)}
        if not here:
            return []
        overall, share = dict(tags.numbers()), len(self.texts) / sum(_number_of_texts())
        rows = commonest_first((tag.shown, here[tag.slug], tag) for tag in tags.named(slugs=list(here)))
        above = {tag: _above_chance(number, overall[tag.pk] * share) for _shown, number, tag in rows}
        likely = [row for row in rows if above[row[2]] >= _MORE_THAN_CHANCE]
        related = sorted(likely, key=lambda row: -above[row[2]])[:_MOST_RELATED]
        others = [row for row in rows if row not in related]
        return [
            self.facet(title, "combination", ((label, n, self.combination.also(tag)) for label, n, tag in found))
            for title, found in ((_("Related tags"), related), (_("Other tags") if related else _("Tag"), others))
        ]


@prepared
def _number_of_texts() -> QuerySet[Page, int]:
    return Page.objects.published().order_by().values("status").values_list(Count("pk"), flat=True)


def _above_chance(number: int, expected: float) -> float:
    """Tell how far the number of texts that carry a tag is above what it would be if all tags stood anywhere.

    In standard deviations of that.
    """
    return (number - expected) / sqrt(expected)
