"""Tags and their combinations: `a+b` is both, `a,b` is either."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.http import Http404
from django.urls import reverse
from taggit.models import Tag

from peacekb.models import Page

from .narrowing import Choice

MOST_TAGS = 5
_MOST_CHOICES = 30


@dataclass(frozen=True, slots=True)
class Combination:
    """The tags of one address. `either` tells whether a page needs only one of them."""

    tags: tuple[Tag, ...]
    either: bool

    @property
    def slugs(self) -> list[str]:
        """Give the slugs in the order of the address."""
        return [tag.slug for tag in self.tags]

    def pages(self) -> QuerySet[Page]:
        """Give the published pages of the combination, articles first, then by title."""
        published = Page.objects.published()
        found = published.tagged_any(self.slugs) if self.either else published.tagged_all(self.slugs)
        return found.order_by("kind", "-published_at", "title")

    def switched(self, *, either: bool) -> "Combination":
        """Give the same tags, combined in one way or the other."""
        return Combination(self.tags, either)

    def address(self) -> str:
        """Give the address of the combination."""
        return address(self.slugs, either=self.either)

    def without(self) -> list[Choice]:
        """Give each tag with the address that leaves it out."""
        rest = [[other for other in self.slugs if other != tag.slug] for tag in self.tags]
        return [
            Choice(tag.name, None, address(slugs, either=self.either))
            for tag, slugs in zip(self.tags, rest, strict=True)
        ]

    def narrower(self, found: QuerySet[Page], total: int) -> list[Choice]:
        """Give the tags that some, not all, of the pages found carry too. One query; no choice leads to nothing."""
        if self.either or len(self.tags) >= MOST_TAGS:
            return []
        return [
            Choice(tag.name, number, address([*self.slugs, tag.slug]))
            for tag, number in tags_on(found, self.slugs)
            if number < total
        ]


def address(slugs: Sequence[str], *, either: bool = False) -> str:
    """Give the address of some tags; of all tags for none."""
    if not slugs:
        return reverse("pages:tags")
    return reverse("pages:tag", kwargs={"expression": ("," if either else "+").join(slugs)})


def combination(expression: str) -> Combination:
    """Read `a`, `a+b` or `a,b`. Raises `Http404` for an unknown tag, for more than five and for both ways mixed."""
    if "+" in expression and "," in expression:
        raise Http404("“+” and “,” do not go together in an address of tags.")
    either = "," in expression
    return Combination(known(expression.split("," if either else "+")), either)


def known(slugs: Sequence[str]) -> tuple[Tag, ...]:
    """Give the tags with these slugs, each with `number`, its published pages. One query.

    Raises `Http404` for more than five, and for one that no published page carries: nothing tells of a draft's tags.
    """
    wanted = list(dict.fromkeys(slugs))
    if len(wanted) > MOST_TAGS or any("\x00" in slug or len(slug) > 100 for slug in wanted):
        raise Http404("At most five tags can be combined.")
    found = {tag.slug: tag for tag in public().filter(slug__in=wanted)} if wanted else {}
    if len(found) < len(wanted):
        raise Http404("No text carries this tag.")
    return tuple(found[slug] for slug in wanted)


def public() -> QuerySet[Tag]:
    """Give the tags of published pages by name, each with `number`, how many pages carry it."""
    carried = Tag.objects.filter(tagged_pages__content_object__in=Page.objects.published())
    tags: QuerySet[Tag] = carried.annotate(number=Count("tagged_pages")).order_by("name")
    return tags


def tags_on(pages: QuerySet[Page], but: Collection[str]) -> list[tuple[Tag, int]]:
    """Give the tags on some pages but those in `but`, with their counts, the commonest first. One query."""
    carried = Tag.objects.filter(tagged_pages__content_object__in=pages.order_by().values("pk")).exclude(slug__in=but)
    found = carried.annotate(number=Count("tagged_pages")).order_by("-number", "name")[:_MOST_CHOICES]
    return [(tag, tag.number) for tag in found]
