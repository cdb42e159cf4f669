"""The texts of a combination of tags as an address asks for them, and what narrows them down."""

import re
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, NamedTuple, Self

from django.core.exceptions import BadRequest
from django.db.models import CharField, Count, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, ExtractYear
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from taggit.models import Tag

from peacekb.languages import spoken
from peacekb.models import Kind, Label, Language, Mention, Page, PagePhase, Phase, TaggedPage, tag_shown

from . import entries, phases
from .narrowing import Choice, Facet, one_of
from .tags import MOST_TAGS, Combination

_MOST_CHOICES = 30
_MOST_RELATED = 8
# In standard deviations above what chance would give. With two, a few hundred texts have hardly any related tags.
_MORE_THAN_CHANCE = 1
_YEAR = re.compile("[1-9][0-9]{3}")
_PARAMETERS = {"kind": "kind", "phase": "phase", "role": "role", "language": "lang", "year": "year"}


class Counted(NamedTuple):
    """How many texts have one fact. `overall` counts the tags on all texts, the others are those of the texts found."""

    fact: str
    value: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many texts were found, how many there are, and how many have which facts."""

    found: int
    texts: int
    rows: list[Counted]

    def of(self, fact: str) -> list[Counted]:
        """Give the values of a fact that keep some, not all, of the texts, the commonest first."""
        kept = [row for row in self.rows if row.fact == fact and 0 < row.number < self.found]
        return sorted(kept, key=lambda row: (-row.number, entries.sort_key(row.label or row.value)))


@dataclass(frozen=True, slots=True)
class Asked:
    """A combination of tags, narrowed down. Facts that are empty narrow nothing."""

    combination: Combination
    kind: str = ""
    phase: str = ""
    role: Page | None = None
    language: str = ""
    year: str = ""

    @classmethod
    def from_request(cls, combination: Combination, request: HttpRequest) -> Self:
        """Read the address. One query where it names a role. Raises `BadRequest` for a fact that is none."""
        year = request.GET.get("year", "")
        if year and not _YEAR.fullmatch(year):
            raise BadRequest("There is no such year.")
        return cls(
            combination,
            kind=one_of(request, "kind", Kind.values),
            phase=one_of(request, "phase", Phase.values),
            role=_role(request.GET.get("role", "")),
            language=one_of(request, "lang", Language.values),
            year=year,
        )

    def pages(self) -> QuerySet[Page]:
        """Give the texts, in the order of the combination."""
        pages = self.combination.pages()
        if self.kind:
            pages = pages.filter(kind=self.kind)
        if self.phase:
            pages = pages.filter(phases.belongs(self.phase))
        if self.role:
            pages = pages.filter(pk__in=Mention.objects.filter(target=self.role.pk).values("section__page"))
        if self.language:
            pages = pages.filter(language=self.language)
        if self.year:
            pages = pages.filter(published_at__year=int(self.year))
        return pages

    def address(self, **changes: Any) -> str:
        """Give the address of the first page, changed in some respects."""
        asked = replace(self, **changes)
        query = QueryDict(mutable=True)
        for name, parameter in _PARAMETERS.items():
            if value := getattr(asked, name):
                query[parameter] = value.slug if isinstance(value, Page) else value
        return asked.combination.address() + (f"?{query.urlencode()}" if query else "")

    def switched(self, *, either: bool) -> Self:
        """Give the same with the tags combined in one way or the other."""
        return replace(self, combination=self.combination.switched(either=either))

    @property
    def with_all(self) -> str:
        """Give the address of the texts that carry all of the tags."""
        return self.switched(either=False).address()

    @property
    def with_any(self) -> str:
        """Give the address of the texts that carry any of the tags."""
        return self.switched(either=True).address()

    def filters(self) -> list[Choice]:
        """Give the facts that are set, each with the address that takes it off."""
        role = self.role
        told = {
            "kind": str(Kind(self.kind).label) if self.kind else "",
            "phase": str(Phase(self.phase).label) if self.phase else "",
            "role": _("a mention of %(value)s") % {"value": role.name} if role else "",
            "language": str(Language(self.language).label) if self.language else "",
            "year": self.year,
        }
        return [Choice(label, None, self.address(**{name: ""})) for name, label in told.items() if label]

    def parts(self) -> list[Choice]:
        """Give all that was asked and can be taken off: the tags where there are several, and the facts."""
        tags = self.combination.tags if len(self.combination.tags) > 1 else ()
        without = [Choice(tag.shown, None, self.address(combination=self.combination.but(tag))) for tag in tags]
        return [*without, *self.filters()]

    def counts(self) -> Counts:
        """Count the texts, and the facts that they have. One query."""
        first, *others = _counting(self.pages().order_by().values("pk"))
        rows: dict[tuple[str, str], Counted] = {}
        for row in map(Counted._make, first.union(*others, all=True)):
            # Entries and articles are counted apart where they have a fact in different ways.
            same = rows.get((row.fact, row.value))
            rows[row.fact, row.value] = row._replace(number=row.number + same.number) if same else row
        numbers = {row.fact: row.number for row in rows.values()}
        return Counts(numbers.get("found", 0), numbers.get("texts", 0), list(rows.values()))

    def facets(self, counts: Counts) -> list[Facet]:
        """Give what narrows the texts down; no choice leads to nothing, or to all that there is already. No query."""
        facets = []
        if not self.combination.either and len(self.combination.tags) < MOST_TAGS:
            tags = [row for row in counts.of("tag") if row.value not in self.combination.slugs]
            overall = {row.value: row.number for row in counts.rows if row.fact == "overall"}
            above = {row: _above_chance(row.number, overall[row.value], counts) for row in tags}
            related = [row for row in tags if above[row] >= _MORE_THAN_CHANCE]
            related = sorted(related, key=lambda row: -above[row])[:_MOST_RELATED]
            others = [row for row in tags if row not in related]
            facets += [
                Facet(_("Related tags"), [self._with_tag(row) for row in related]),
                Facet(_("Other tags") if related else _("Tag"), [self._with_tag(row) for row in others]),
            ]
        in_order = list(Phase.values)
        by_phase = sorted(counts.of("phase"), key=lambda row: in_order.index(row.value))
        by_year = sorted(counts.of("year"), key=lambda row: row.value, reverse=True)
        facets += [
            Facet(_("Kind"), [self._with(row, Kind(row.value).label, kind=row.value) for row in counts.of("kind")]),
            Facet(_("Phase"), [self._with(row, Phase(row.value).label, phase=row.value) for row in by_phase]),
            Facet(
                _("Role"),
                [
                    self._with(row, row.label[:1].upper() + row.label[1:], role=Page(slug=row.value))
                    for row in counts.of("role")
                ],
            ),
            Facet(
                _("Language"),
                [self._with(row, Language(row.value).label, language=row.value) for row in counts.of("language")],
            ),
            Facet(_("Year"), [self._with(row, row.value, year=row.value) for row in by_year]),
        ]
        return [Facet(facet.title, facet.choices[:_MOST_CHOICES]) for facet in facets if facet.choices]

    def _with(self, row: Counted, label: object, **changes: Any) -> Choice:
        return Choice(str(label), row.number, self.address(**changes))

    def _with_tag(self, row: Counted) -> Choice:
        return self._with(row, row.label, combination=self.combination.also(Tag(slug=row.value)))


def _role(slug: str) -> Page | None:
    roles = Page.objects.published().filter(kind=Kind.ROLE, slug=slug.replace("\x00", ""))
    role: Page | None = entries.named_here(roles.defer("source")).first() if slug else None
    if slug and role is None:
        raise BadRequest("There is no such role.")
    return role


def _above_chance(number: int, overall: int, counts: Counts) -> float:
    """Tell how far a tag is above the number of the texts found that would carry it if all tags stood anywhere.

    In standard deviations of that number.
    """
    expected = overall * counts.found / counts.texts
    return (number - expected) / sqrt(expected)


def _counting(keys: QuerySet[Any]) -> list[QuerySet[Any, Any]]:
    """Give the queries that count what some pages have, each with the columns of `Counted`."""
    public = Page.objects.published()
    found = Page.objects.filter(pk__in=keys)
    # Articles have the phases of the entries that they link.
    articles = found.filter(kind=Kind.ARTICLE).values("pk")
    linking = Mention.objects.filter(section__page__in=articles, linked=True, target__phase_set__phase__isnull=False)
    acting = Mention.objects.filter(section__page__in=keys, target__in=public.filter(kind=Kind.ROLE))
    carried = TaggedPage.objects.filter(content_object__in=keys)
    # All tags: to leave out those that no text found carries takes SQLite six times as long.
    overall = TaggedPage.objects.filter(content_object__in=public)
    pages = Count("section__page", distinct=True)
    return [
        _counted(found, "found", Value("")),
        _counted(public, "texts", Value("")),
        _counted(found, "kind", F("kind")),
        _counted(found, "language", F("language")),
        _counted(found, "year", Cast(ExtractYear("published_at"), CharField())),
        _counted(PagePhase.objects.filter(page__in=keys), "phase", F("phase")),
        _counted(linking, "phase", F("target__phase_set__phase"), pages),
        _counted(acting, "role", F("target__slug"), pages, label=_role_shown()),
        _counted(carried, "tag", F("tag__slug"), label=tag_shown("tag", "tag__name")),
        _counted(overall, "overall", F("tag__slug")),
    ]


def _counted(
    rows: QuerySet[Any], fact: str, value: Combinable, number: Count | None = None, *, label: Combinable | None = None
) -> QuerySet[Any, Any]:
    grouped = rows.order_by().annotate(
        fact=Value(fact), found=Cast(value, CharField()), named=label or Value("", output_field=CharField())
    )
    counted = grouped.values("fact", "found", "named").annotate(number=number or Count("pk"))
    columns: QuerySet[Any, Any] = counted.values_list("fact", "found", "named", "number")
    return columns


def _role_shown() -> Combinable:
    """Give the name of the role that is mentioned, as `entries.named_here` does."""
    if spoken() == Language.ENGLISH:
        return F("target__title")
    names = Label.objects.filter(page=OuterRef("target"), language=spoken(), kind=Label.LabelKind.PREF)
    return Coalesce(Subquery(names.values("text")[:1]), F("target__title"))
