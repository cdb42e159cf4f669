"""A search as its address states it, and what was found, grouped by text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from taggit.models import Tag

from peacekb import search
from peacekb.languages import address_of, spoken
from peacekb.models import Language, Page, Section, Source
from peacekb.models.prepared import AnyOf, prepared
from peacekb.search.marks import Snippet, snippet
from peacekb.text.query import Either, Fact, Phrase, Words
from peacekb.text.words import direction

from . import entries, tags
from .narrowed import MOST_CHOICES, Narrowed, commonest_first
from .narrowing import Choice, Facet, one_of

SECTIONS_SHOWN = 3
_LONGEST_QUERY = 1_000
_SHOWN = (
    *("text", "heading", "anchor", "first_paragraph", "paragraph_starts"),
    *("page__kind", "page__slug", "page__title", "page__language", "page__published_at"),
)


class Group(NamedTuple):
    """What was found of one text: its page, its facts in the index, its sections, best first."""

    page: int
    facts: str
    sections: list[int]


@dataclass(frozen=True, kw_only=True)
class Question(Narrowed):
    """What a reader asks: words and facts as they are typed, and the facts that the address adds.

    `only` is "words" where nothing else is searched than what was typed.
    """

    text: str = ""
    tags: tuple[Tag, ...] = ()
    only: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address. Raises what `facts_in` raises, and `Http404` for an unknown tag."""
        # "+" in a query string arrives as a space; both join tags.
        slugs = " ".join(request.GET.getlist("tag")).replace("+", " ").split()
        return cls(
            text=" ".join(request.GET.get("q", "").replace("\x00", " ")[:_LONGEST_QUERY].split()),
            tags=tags.known(slugs, counted=False),
            only=one_of(request, "only", ["words"]),
            **cls.facts_in(request),
        )

    @cached_property
    def understood(self) -> search.Understood:
        """Give the text as it is understood. At most two queries."""
        return search.understood(self.text)

    @cached_property
    def answer(self) -> search.Answer:
        """Give what was found (see `peacekb.search.answer`)."""
        query = self.understood.meant
        # Words were written that hold no letter: nothing is asked for, not everything.
        if self.text and not query.parts:
            return search.Answer(query)
        filters = self.narrowed_by
        filters["tags"] = [tag.slug for tag in self.tags]
        return search.answer(query, only_words=bool(self.only), **filters)

    @cached_property
    def works(self) -> list[Source]:
        """Give the works of the bibliography that the words name, if they are few. One query."""
        return [] if self.filters() or self.understood.meant.facts else search.sources_named(self.understood.meant)

    @property
    def mended(self) -> str:
        """Give the words that were searched instead of those typed, if they were."""
        return "" if self.answer.query == self.understood.meant else str(self.answer.query)

    @property
    def words_alone(self) -> str:
        """Give the address of the same question with nothing searched but the words typed."""
        return self.address(only="words")

    def address(self, **changes: Any) -> str:
        """Give the address of the question, changed in some respects."""
        asked = {**self._asked, **changes}
        role = asked["role"]
        named = {
            "q": asked["text"],
            "kind": asked["kind"],
            "phase": asked["phase"],
            "role": role.slug if role else "",
            "lang": asked["language"],
            "year": asked["year"],
            "only": asked["only"],
        }
        written = [_written(name, value) for name, value in named.items() if value]
        written += [_written("tag", tag.slug) for tag in asked["tags"]]
        return address_of("pages:search") + ("?" + "&".join(written) if written else "")

    @cached_property
    def _asked(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

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
        rest = {tag: tuple(other for other in self.tags if other != tag) for tag in self.tags}
        carried = [Choice(tag.shown, None, self.address(tags=others)) for tag, others in rest.items()]
        only = [Choice(_("only the words typed"), None, self.address(only=""))] if self.only else []
        return [*carried, *self.facts_set(), *only]

    def notes(self) -> list[str]:
        """Tell what was written as a filter and is searched as words."""
        return [
            _("There is no filter “%(filter)s”; “%(words)s” is searched as words.")
            % {"filter": _apart(str(replace(fact, without=False))), "words": _apart(fact.value)}
            for fact, _words in self.understood.taken_as_words
        ]

    def facets(self, groups: Sequence[Group]) -> list[Facet]:
        """Give the choices that narrow what was found, with counts; none leads to nothing. At most two queries."""
        counted = search.counted(group.facts for group in groups)
        typed = {fact.name for fact in self.understood.meant.facts if not fact.without}
        closed = {"year" if name in ("after", "before") else name for name in typed}
        facets = self.facets_of_facts(counted, len(groups), closed=closed)
        if len(self.tags) < tags.MOST_TAGS:
            facets.append(self._facet_of_tags(counted["tag"], len(groups)))
        return [facet for facet in facets if facet.choices]

    def _facet_of_tags(self, counted: "Counter[str]", found: int) -> Facet:
        common = [slug for slug, number in counted.most_common() if number < found][:MOST_CHOICES]
        named = tags.named(slugs=common) if common else []
        rows = commonest_first((tag.shown, counted[tag.slug], tag) for tag in named)
        return self.facet(_("Tag"), "tags", ((label, number, (*self.tags, tag)) for label, number, tag in rows))

    def in_own_language(self, facets: Sequence[Facet]) -> Choice | None:
        """Give the choice that keeps only texts in the language of the interface, where that is not English."""
        own = "" if spoken() == Language.ENGLISH else self.address(language=spoken())
        return next((choice for facet in facets for choice in facet.choices if choice.address == own), None)

    def entry(self) -> Page | None:
        """Give the entry that bears the words as its name, with its definition. One query beside those of `answer`."""
        named = self.answer.named
        return next(iter(entries.with_keys([named.page])), None) if named else None


@lru_cache(maxsize=1_024)
def _written(name: str, value: str) -> str:
    return urlencode({name: value})


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


def grouped(found: search.Found) -> list[Group]:
    """Group what was found by text, the text with the best section first."""
    groups: dict[int, Group] = {}
    for hit in found.hits:
        group = groups.get(hit.page)
        if group is None:
            groups[hit.page] = Group(hit.page, hit.facts, [hit.section])
        else:
            group.sections.append(hit.section)
    return list(groups.values())


def shown(groups: Sequence[Group], phrases: Sequence[Phrase]) -> list[FoundPage]:
    """Give the texts found as the page of results shows them. One query."""
    keys = [key for group in groups for key in group.sections[:SECTIONS_SHOWN]]
    by_key = {row.pk: row for row in _sections(keys=keys)}
    found = []
    for group in groups:
        here = [by_key[key] for key in group.sections[:SECTIONS_SHOWN] if key in by_key]
        if here:
            sections = [_section(section, phrases) for section in here]
            found.append(FoundPage(here[0].page, sections, max(0, len(group.sections) - SECTIONS_SHOWN)))
    return found


@prepared
def _sections(*, keys: Any) -> QuerySet[Section]:
    return Section.objects.filter(pk__in=AnyOf(keys)).select_related("page").only(*_SHOWN)


def _section(section: Section, phrases: Sequence[Phrase]) -> FoundSection:
    found = snippet(section, phrases)
    place = f"p{found.paragraph}" if found.paragraph else section.anchor
    return FoundSection(section.heading, found, f"{section.page.get_absolute_url()}#{place}")


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
