"""A search as its address states it, and what was found, grouped by text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from peacekb.text.query import Either, Fact, Phrase, Words
from peacekb.text.vocabulary import label_keys
from peacekb.text.words import direction

from . import entries, tags
from .narrowing import Choice, Facet

SECTIONS_SHOWN = 3
_LONGEST_QUERY = 1_000
_LONGEST_NAME = 200
_MOST_CHOICES = 30
_MOST_NAMED = 2_000
_UNSHOWN = ("section__html", "section__notes_html", "section__heading_html", "section__page__source")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one text found: its page, its sections, best first."""

    page: int
    sections: list[int]


@dataclass(frozen=True)
class Question:
    """What a reader asks: words and facts as they are typed, and the facts that the address adds.

    `only` is "words" where nothing else is searched than what was typed.
    """

    text: str = ""
    tags: tuple[Tag, ...] = ()
    kind: str = ""
    phase: str = ""
    language: str = ""
    only: str = ""

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
            only=_one_of(request, "only", ["words"]),
        )

    @cached_property
    def understood(self) -> search.Understood:
        """Give the text as it is understood. At most two queries."""
        return search.understood(self.text)

    @cached_property
    def named(self) -> search.Named | None:
        """Give the entry of which the words, and nothing but them, are a name. Two queries."""
        words = self.understood.meant.plain
        return search.entry_named(words) if words and len(words) <= _LONGEST_NAME else None

    @property
    def also(self) -> tuple[str, ...]:
        """Give the other names of that entry, which are searched too."""
        return self.named.others if self.named and not self.only else ()

    @property
    def words_alone(self) -> str:
        """Give the address of the same question without them."""
        return self.address(only="words")

    @property
    def phrases(self) -> list[Phrase]:
        """Give the words that are looked for."""
        also = [Phrase(label_keys(name)) for name in self.also]
        return [*search.phrases_of(self.understood.meant), *also]

    def hits(self) -> QuerySet[SearchEntry]:
        """Give the sections found, best first; none when words were written that hold no letter."""
        query = self.understood.meant
        if self.text and not query.parts:
            return SearchEntry.objects.none()
        slugs = [tag.slug for tag in self.tags]
        return search.search(
            query, tags=slugs, kind=self.kind, phase=self.phase, language=self.language, also=self.also
        )

    def address(self, **changes: Any) -> str:
        """Give the address of the question, changed in some respects."""
        asked = replace(self, **changes)
        query = QueryDict(mutable=True)
        named = {
            "q": asked.text,
            "kind": asked.kind,
            "phase": asked.phase,
            "lang": asked.language,
            "only": asked.only,
        }
        for name, value in named.items():
            if value:
                query[name] = value
        query.setlist("tag", [tag.slug for tag in asked.tags])
        written = query.urlencode()
        return reverse("pages:search") + (f"?{written}" if written else "")

    def parts(self) -> list[Choice]:
        """Give what was understood in words, each part with the address that takes it off; lone words need none."""
        written, meant = self.understood.written, self.understood.meant
        typed = [
            Choice(_told(part), None, self.address(text=str(written.but(place))))
            for place, part in enumerate(meant.parts)
        ]
        is_lone = len(typed) == 1 and bool(meant.plain) and not self.filters()
        return [*([] if is_lone else typed), *self.filters()]

    def filters(self) -> list[Choice]:
        """Give the facts that the address adds, each with the address that takes it off."""
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
        if self.only:
            set_.append(Choice(_("only the words typed"), None, self.address(only="")))
        return set_

    def notes(self) -> list[str]:
        """Tell what was written as a filter and is searched as words."""
        return [
            _("There is no filter “%(filter)s”; “%(words)s” is searched as words.")
            % {"filter": _apart(str(replace(fact, without=False))), "words": _apart(fact.value)}
            for fact, _words in self.understood.taken_as_words
        ]

    def _asks(self, name: str) -> bool:
        """Tell whether a fact of some sort is typed, so that no choice of the sort is offered."""
        return any(fact.name == name and not fact.without for fact in self.understood.meant.facts)

    def facets(self, groups: Sequence[Keys]) -> list[Facet]:
        """Give the choices that narrow what was found, with counts; none leads to nothing. At most four queries."""
        found = self._pages(groups)
        facets = []
        if not self.kind and not self._asks("kind"):
            rows = _counted(found, "kind")
            facets.append(Facet(_("Kind"), [Choice(str(Kind(v).label), n, self.address(kind=v)) for v, n in rows]))
        if not self.phase and not self._asks("phase"):
            numbers = dict(_counted(found, "phase_set__phase"))
            choices = [
                Choice(str(phase.label), numbers[phase.value], self.address(phase=phase.value))
                for phase in Phase
                if phase.value in numbers
            ]
            facets.append(Facet(_("Phase"), choices))
        if not self.language and not self._asks("lang"):
            rows = _counted(found, "language")
            facets.append(
                Facet(_("Language"), [Choice(str(Language(v).label), n, self.address(language=v)) for v, n in rows])
            )
        if len(self.tags) < tags.MOST_TAGS:
            carried = {tag.slug for tag in self.tags}
            carried |= {fact.value for fact in self.understood.meant.facts if fact.name == "tag"}
            choices = [
                Choice(tag.name, number, self.address(tags=(*self.tags, tag)))
                for tag, number in _tags_of(found)
                if tag.slug not in carried
            ]
            facets.append(Facet(_("Tag"), choices[:_MOST_CHOICES]))
        # One choice of kind or language is all there is: it narrows nothing.
        few = (_("Kind"), _("Language"))
        return [facet for facet in facets if len(facet.choices) > (facet.title in few)]

    def _pages(self, groups: Sequence[Keys]) -> QuerySet[Page]:
        """Give the texts found, for counting. Asking the index again takes longer than naming up to two thousand."""
        if len(groups) <= _MOST_NAMED:
            return Page.objects.filter(pk__in=[group.page for group in groups])
        return Page.objects.filter(pk__in=self.hits().order_by().values("section__page"))

    def in_own_language(self, facets: Sequence[Facet]) -> Choice | None:
        """Give the choice that keeps only texts in the language of the interface, where that is not English."""
        own = "" if spoken() == Language.ENGLISH else self.address(language=spoken())
        return next((choice for facet in facets for choice in facet.choices if choice.address == own), None)

    def entry(self) -> Page | None:
        """Give the entry that bears the words as its name, with its definition. One query beside those of `named`."""
        return entries.listed(Page.objects.filter(pk=self.named.page)).first() if self.named else None


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


def grouped(hits: QuerySet[SearchEntry]) -> list[Keys]:
    """Group what was found by text, the text with the best section first. One query, of keys alone."""
    groups: dict[int, list[int]] = {}
    for section, page in hits.values_list("section_id", "section__page_id"):
        groups.setdefault(page, []).append(section)
    return [Keys(page, sections) for page, sections in groups.items()]


def shown(groups: Sequence[Keys], phrases: Sequence[Phrase]) -> list[FoundPage]:
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


def _section(entry: SearchEntry, phrases: Sequence[Phrase]) -> FoundSection:
    found = snippet(entry, phrases)
    place = f"p{found.paragraph}" if found.paragraph else entry.section.anchor
    return FoundSection(entry.section.heading, found, f"{entry.section.page.get_absolute_url()}#{place}")


def _told(part: Either | Fact) -> str:
    """Tell a part of a query in words."""
    if isinstance(part, Fact):
        told = _told_fact(part)
    elif len(part.words) == 1:
        told = _told_words(part.words[0])
    else:
        told = _("either %(words)s") % {"words": _(" or ").join(map(_told_words, part.words))}
    return _("without %(part)s") % {"part": told} if part.without else told


def _told_fact(fact: Fact) -> str:
    told = {
        "role": _("a mention of %(value)s"),
        "after": _("texts after %(value)s"),
        "before": _("texts before %(value)s"),
    }
    return told.get(fact.name, "%(value)s") % {"value": _apart(fact.label)}


def _told_words(words: Words) -> str:
    together = len(words.phrases[0].keys) > 1
    told = _("“%(words)s”") % {"words": _apart(words.text)} if together else _apart(words.text)
    if words.beginning:
        told = _("words beginning with %(words)s") % {"words": told}
    return _("%(words)s in the title") % {"words": told} if words.title else told


def _apart(text: str) -> str:
    """Keep the direction of what a reader wrote from turning the words around it (UAX 9, isolates)."""
    return text if direction(text) in ("", direction(_("without %(part)s"))) else f"\u2068{text}\u2069"


def _one_of(request: HttpRequest, name: str, known: Sequence[str]) -> str:
    value = request.GET.get(name, "")
    if value and value not in known:
        raise BadRequest(f"There is no such {name}.")
    return value


def _counted(pages: QuerySet[Page], field: str) -> list[tuple[str, int]]:
    """Count texts by one fact of theirs, the commonest first. One query."""
    rows = pages.filter(**{f"{field}__isnull": False}).order_by().values_list(field)
    return list(rows.annotate(number=Count("pk", distinct=True)).order_by("-number", field))


def _tags_of(pages: QuerySet[Page]) -> list[tuple[Tag, int]]:
    """Count texts by tag, the commonest first. One query; the tags are as good as stored ones for a link."""
    rows = pages.filter(tagged__isnull=False).order_by().values_list("tagged__tag__name", "tagged__tag__slug")
    counted = rows.annotate(number=Count("pk", distinct=True)).order_by("-number", "tagged__tag__name")
    return [(Tag(name=name, slug=slug), number) for name, slug, number in counted]
