"""A search as its address states it, and what was found, grouped by text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from taggit.models import Tag

from peacekb import search
from peacekb.languages import spoken
from peacekb.models import Kind, Language, Page, Phase, SearchEntry
from peacekb.search.marks import Snippet, snippet

from . import entries, tags
from .narrowing import Choice, Facet

SECTIONS_SHOWN = 3
_LONGEST_QUERY = 1_000
_LONGEST_NAME = 200
_MOST_CHOICES = 30
_UNSHOWN = ("section__html", "section__notes_html", "section__heading_html", "section__page__source")


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks: words, and the facts by which the answer is narrowed."""

    text: str = ""
    tags: tuple[Tag, ...] = ()
    kind: str = ""
    phase: str = ""
    language: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address. Raises `BadRequest` for an unknown kind, phase or language, `Http404` for a tag."""
        # "+" in a query string arrives as a space; both join tags.
        slugs = " ".join(request.GET.getlist("tag")).replace("+", " ").split()
        return cls(
            text=" ".join(request.GET.get("q", "").replace("\x00", " ")[:_LONGEST_QUERY].split()),
            tags=tags.known(slugs),
            kind=_one_of(request, "kind", Kind.values),
            phase=_one_of(request, "phase", Phase.values),
            language=_one_of(request, "lang", Language.values),
        )

    @property
    def phrases(self) -> list[list[str]]:
        """Give the words that are looked for."""
        return search.phrases_of(self.text)

    def hits(self) -> QuerySet[SearchEntry]:
        """Give the sections found, best first; none when words were written that hold no letter."""
        if self.text and not self.phrases:
            return SearchEntry.objects.none()
        slugs = [tag.slug for tag in self.tags]
        return search.search(self.text, tags=slugs, kind=self.kind, phase=self.phase, language=self.language)

    def address(self, **changes: Any) -> str:
        """Give the address of the question, changed in some respects."""
        asked = replace(self, **changes)
        query = QueryDict(mutable=True)
        named = {"q": asked.text, "kind": asked.kind, "phase": asked.phase, "lang": asked.language}
        for name, value in named.items():
            if value:
                query[name] = value
        query.setlist("tag", [tag.slug for tag in asked.tags])
        written = query.urlencode()
        return reverse("pages:search") + (f"?{written}" if written else "")

    def filters(self) -> list[Choice]:
        """Give the filters that are set, each with the address that takes it off."""
        set_ = [
            Choice(tag.name, None, self.address(tags=tuple(other for other in self.tags if other != tag)))
            for tag in self.tags
        ]
        if self.kind:
            set_.append(Choice(str(Kind(self.kind).label), None, self.address(kind="")))
        if self.phase:
            set_.append(Choice(str(Phase(self.phase).label), None, self.address(phase="")))
        if self.language:
            set_.append(Choice(str(Language(self.language).label), None, self.address(language="")))
        return set_

    def facets(self, hits: QuerySet[SearchEntry]) -> list[Facet]:
        """Give the choices that narrow what was found, with counts; none leads to nothing. At most four queries."""
        facets = []
        if not self.kind:
            rows = _counted(hits, "kind")
            facets.append(Facet(_("Kind"), [Choice(str(Kind(v).label), n, self.address(kind=v)) for v, n in rows]))
        if not self.phase:
            numbers = dict(_counted(hits, "phase_set__phase"))
            choices = [
                Choice(str(phase.label), numbers[phase.value], self.address(phase=phase.value))
                for phase in Phase
                if phase.value in numbers
            ]
            facets.append(Facet(_("Phase"), choices))
        if not self.language:
            rows = _counted(hits, "language")
            facets.append(
                Facet(_("Language"), [Choice(str(Language(v).label), n, self.address(language=v)) for v, n in rows])
            )
        if len(self.tags) < tags.MOST_TAGS:
            choices = [
                Choice(tag.name, number, self.address(tags=(*self.tags, tag)))
                for tag, number in _tags_of(hits)
                if tag.slug not in {one.slug for one in self.tags}
            ]
            facets.append(Facet(_("Tag"), choices[:_MOST_CHOICES]))
        # One choice of kind or language is all there is: it narrows nothing.
        few = (_("Kind"), _("Language"))
        return [facet for facet in facets if len(facet.choices) > (facet.title in few)]

    def in_own_language(self, facets: Sequence[Facet]) -> Choice | None:
        """Give the choice that keeps only texts in the language of the interface, where that is not English."""
        own = "" if spoken() == Language.ENGLISH else self.address(language=spoken())
        return next((choice for facet in facets for choice in facet.choices if choice.address == own), None)

    def entry(self) -> Page | None:
        """Give the entry that bears the words as its name, with its definition. Two queries."""
        named = search.entry_named(self.text) if len(self.text) <= _LONGEST_NAME else None
        return entries.listed(Page.objects.filter(pk=named.pk)).first() if named else None


@dataclass(frozen=True, slots=True)
class FoundSection:
    """One section found: its heading, the sentence, and the address that opens at it."""

    heading: str
    snippet: Snippet
    address: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One text found, with its best sections, and how many more there are."""

    page: Page
    sections: list[FoundSection]
    more: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one text found: its page, its sections, best first."""

    page: int
    sections: list[int]


def grouped(hits: QuerySet[SearchEntry]) -> list[Keys]:
    """Group what was found by text, the text with the best section first. One query, of keys alone."""
    groups: dict[int, list[int]] = {}
    for section, page in hits.values_list("section_id", "section__page_id"):
        groups.setdefault(page, []).append(section)
    return [Keys(page, sections) for page, sections in groups.items()]


def shown(groups: Sequence[Keys], phrases: list[list[str]]) -> list[FoundPage]:
    """Give the texts found as the page of results shows them. One query."""
    keys = [key for group in groups for key in group.sections[:SECTIONS_SHOWN]]
    rows = SearchEntry.objects.filter(pk__in=keys).select_related("section__page").defer(*_UNSHOWN)
    by_key = {row.pk: row for row in rows}
    found = []
    for group in groups:
        here = [by_key[key] for key in group.sections[:SECTIONS_SHOWN] if key in by_key]
        if here:
            sections = [_section(entry, phrases) for entry in here]
            found.append(FoundPage(here[0].section.page, sections, max(0, len(group.sections) - SECTIONS_SHOWN)))
    return found


def _section(entry: SearchEntry, phrases: list[list[str]]) -> FoundSection:
    found = snippet(entry, phrases)
    place = f"p{found.paragraph}" if found.paragraph else entry.section.anchor
    return FoundSection(entry.section.heading, found, f"{entry.section.page.get_absolute_url()}#{place}")


def _one_of(request: HttpRequest, name: str, known: Sequence[str]) -> str:
    value = request.GET.get(name, "")
    if value and value not in known:
        raise BadRequest(f"There is no such {name}.")
    return value


def _counted(hits: QuerySet[SearchEntry], field: str) -> list[tuple[str, int]]:
    """Count the texts found by one fact of theirs, the commonest first. One query."""
    path = f"section__page__{field}"
    rows = hits.filter(**{f"{path}__isnull": False}).order_by().values_list(path)
    return list(rows.annotate(number=Count("section__page", distinct=True)).order_by("-number", path))


def _tags_of(hits: QuerySet[SearchEntry]) -> list[tuple[Tag, int]]:
    """Count the texts found by tag, the commonest first. One query; the tags are as good as stored ones for a link."""
    name, slug = "section__page__tagged__tag__name", "section__page__tagged__tag__slug"
    rows = hits.filter(section__page__tagged__isnull=False).order_by().values_list(name, slug)
    counted = rows.annotate(number=Count("section__page", distinct=True)).order_by("-number", name)
    return [(Tag(name=name, slug=slug), number) for name, slug, number in counted]
