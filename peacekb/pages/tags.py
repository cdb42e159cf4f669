"""Tags and their combinations: `a+b` is both, `a,b` is either."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, QuerySet, Value, When
from django.http import Http404
from taggit.models import Tag

from peacekb.languages import address_of, spoken
from peacekb.models import Page, Status, TagBroader, TaggedPage, TagName, tag_shown
from peacekb.models.prepared import AnyOf, moment, prepared

from . import entries
from .narrowing import Choice

MOST_TAGS = 5


@dataclass(frozen=True, slots=True)
class Combination:
    """The tags of one address. `either` tells whether a page needs only one of them."""

    tags: tuple[Tag, ...]
    either: bool

    @property
    def slugs(self) -> list[str]:
        """Give the slugs in the order of the address."""
        return [tag.slug for tag in self.tags]

    @property
    def expression(self) -> str:
        """Give the combination as addresses have it."""
        return ("," if self.either else "+").join(self.slugs)

    def pages(self) -> QuerySet[Page]:
        """Give the published pages of the combination, articles first, then by title."""
        published = Page.objects.published()
        found = published.tagged_any(self.slugs) if self.either else published.tagged_all(self.slugs)
        return found.order_by("kind", "-published_at", "title")

    def switched(self, *, either: bool) -> "Combination":
        """Give the same tags, combined in one way or the other."""
        return Combination(self.tags, either)

    def but(self, tag: Tag) -> "Combination":
        """Give the combination without one of its tags."""
        return Combination(tuple(other for other in self.tags if other != tag), self.either)

    def also(self, tag: Tag) -> "Combination":
        """Give the combination with one more tag."""
        return Combination((*self.tags, tag), self.either)

    def address(self) -> str:
        """Give the address of the combination; of all tags where it has none."""
        if not self.tags:
            return address_of("pages:tags")
        return address_of("pages:tag", self.expression)


def address(slug: str) -> str:
    """Give the address of one tag."""
    return address_of("pages:tag", slug)


def combination(expression: str) -> Combination:
    """Read `a`, `a+b` or `a,b`. Raises `Http404` for an unknown tag, for more than five and for both ways mixed.

    It says something else than `expression` where that has a synonym or an address that a tag had before.
    """
    if "+" in expression and "," in expression:
        raise Http404("“+” and “,” do not go together in an address of tags.")
    either = "," in expression
    tags = known(expression.split("," if either else "+"))
    return Combination(tags, either and len(tags) > 1)


def known(slugs: Sequence[str], *, counted: bool = True) -> tuple[Tag, ...]:
    """Give the tags with these slugs, or with a name that has one, as `public` does; without `number` unless `counted`.

    One query, and two more where a name is asked for. Raises `Http404` for more than five, and for one that no
    published page carries: nothing tells of a draft's tags.
    """
    wanted = list(dict.fromkeys(slugs))
    if len(wanted) > MOST_TAGS or any("\x00" in slug or len(slug) > 100 for slug in wanted):
        raise Http404("At most five tags can be combined.")
    if not wanted:
        return ()
    found = {tag.slug: tag for tag in (_public_with(slugs=wanted) if counted else _carried_with(slugs=wanted))}
    missing = [slug for slug in wanted if slug not in found]
    if missing:
        meant = dict(TagName.objects.filter(slug__in=missing).values_list("slug", "tag"))
        tags = public() if counted else carried().annotate(shown=tag_shown())
        named = {tag.pk: tag for tag in tags.filter(pk__in=meant.values())} if meant else {}
        found |= {slug: named[tag] for slug, tag in meant.items() if tag in named}
    if len(found) < len(wanted):
        raise Http404("No text carries this tag.")
    return tuple(dict.fromkeys(found[slug] for slug in wanted))


@prepared
def _public_with(*, slugs: Any) -> QuerySet[Tag]:
    return public().filter(slug__in=AnyOf(slugs, "text"))


@prepared
def _carried_with(*, slugs: Any) -> QuerySet[Tag]:
    tags: QuerySet[Tag] = carried().annotate(shown=tag_shown()).filter(slug__in=AnyOf(slugs, "text"))
    return tags


@prepared
def named(*, slugs: Any) -> QuerySet[Tag]:
    """Give the tags with these slugs, each with `shown`. One query."""
    tags: QuerySet[Tag] = Tag.objects.filter(slug__in=AnyOf(slugs, "text")).annotate(shown=tag_shown())
    return tags


@prepared
def numbers() -> QuerySet[TaggedPage, tuple[int, int]]:
    """Give each tag, by its key, with how many published pages carry it. One query.

    Of all tags: to leave out some takes SQLite many times as long.
    """
    carried: QuerySet[Any] = TaggedPage.objects.filter(content_object__in=Page.objects.published())
    counted: QuerySet[TaggedPage, tuple[int, int]] = carried.order_by().values_list("tag").annotate(number=Count("pk"))
    return counted


def public() -> QuerySet[Tag]:
    """Give the tags of published pages by name, each with `number`, how many pages carry it, and `shown`, its name in
    the language of the interface."""
    carried = Tag.objects.filter(tagged_pages__content_object__in=Page.objects.published())
    counted = carried.annotate(number=Count("tagged_pages"))
    tags: QuerySet[Tag] = counted.annotate(shown=tag_shown()).order_by("shown")
    return tags


def carried() -> QuerySet[Tag]:
    """Give the tags of published pages, uncounted."""
    public = When(content_object__status=Status.PUBLISHED, content_object__published_at__lte=moment(), then=Value(True))
    # A case, because SQLite would otherwise go through all pages by date for each tag.
    tagged = TaggedPage.objects.filter(tag=OuterRef("pk")).annotate(is_public=Case(public, default=Value(False)))
    tags: QuerySet[Tag] = Tag.objects.filter(Exists(tagged.filter(is_public=True)))
    return tags


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a tag: its synonyms in the language of the interface, broader and narrower tags."""

    also: list[str]
    broader: list[Choice]
    narrower: list[Choice]


def around(tag: Tag) -> Around:
    """Give what stands around a tag; of other tags those that published pages carry. One query."""
    found: defaultdict[str, list[Choice]] = defaultdict(list)
    for kind, label, slug, number in _around(tag=tag.pk):
        found[kind].append(Choice(label, number, address(slug) if slug else ""))
    for choices in found.values():
        choices.sort(key=lambda choice: entries.sort_key(choice.label))
    return Around([choice.label for choice in found["also"]], found["broader"], found["narrower"])


@prepared
def _around(*, tag: Any) -> QuerySet[Any, tuple[str, str, str, int]]:
    also = TagName.objects.filter(tag=tag, language=spoken(), kind=TagName.TagNameKind.ALT).order_by()
    others = {
        "broader": public().filter(pk__in=TagBroader.objects.filter(narrower=tag).values("broader")),
        "narrower": public().filter(pk__in=TagBroader.objects.filter(broader=tag).values("narrower")),
    }
    rows: QuerySet[Any, tuple[str, str, str, int]] = also.values_list(Value("also"), "text", Value(""), Value(0)).union(
        *(tags.order_by().values_list(Value(kind), "shown", "slug", "number") for kind, tags in others.items()),
        all=True,
    )
    return rows


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the list of all tags: a tag with narrower ones below it, or a synonym of the tag `see`."""

    label: str
    tag: Tag | None
    see: Tag | None = None
    below: "Sequence[Branch]" = ()


def branches() -> list[Branch]:
    """Give all tags and synonyms, A to Z. A tag stands below each broader one, what is below it only once.

    Three queries.
    """
    tags = {tag.pk: tag for tag in public()}
    below: defaultdict[int, list[Tag]] = defaultdict(list)
    lower: set[int] = set()
    for narrower, broader in TagBroader.objects.values_list("narrower", "broader"):
        if narrower in tags and broader in tags:
            below[broader].append(tags[narrower])
            lower.add(narrower)
    told: set[int] = set()

    def branch(tag: Tag) -> Branch:
        narrower = [] if tag.pk in told else below[tag.pk]
        told.add(tag.pk)
        return Branch(tag.shown, tag, below=_sorted(map(branch, narrower)))

    synonyms = TagName.objects.filter(language=spoken(), kind=TagName.TagNameKind.ALT, tag__in=tags)
    see = [Branch(text, None, see=tags[tag]) for text, tag in synonyms.values_list("text", "tag")]
    return _sorted([*(branch(tag) for tag in tags.values() if tag.pk not in lower), *see])


def _sorted(branches: Iterable[Branch]) -> list[Branch]:
    return sorted(branches, key=lambda branch: entries.sort_key(branch.label))


def on_pages(pages: QuerySet[Page]) -> list[Tag]:
    """Give the tags on some pages, the commonest first, each with `number` and `shown`. One query."""
    carried = TaggedPage.objects.filter(content_object__in=pages.order_by().values("pk"))
    columns = ("tag", "tag__slug", "tag__name")
    rows = carried.values_list(*columns, tag_shown("tag", "tag__name")).annotate(number=Count("pk"))
    return [_row(*row) for row in rows.order_by("-number", "tag__name")]


def _row(pk: int, slug: str, name: str, shown: str, number: int) -> Tag:
    tag = Tag(pk=pk, slug=slug, name=name)
    tag.shown, tag.number = shown, number
    return tag
