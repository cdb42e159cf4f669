"""A search as its address states it, and what was found, grouped by text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import QuerySet, TextChoices
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from taggit.models import Tag

from peacekb import search
from peacekb.languages import address_of, spoken
from peacekb.models import Kind, Language, Page, Phase, Section, Source, tag_shown
from peacekb.models.prepared import AnyOf, prepared
from peacekb.search.facts import YEARS
from peacekb.search.marks import Snippet, snippet
from peacekb.text.query import Either, Fact, Phrase, Words
from peacekb.text.words import direction

from . import entries, tags
from .narrowing import Choice, Facet, one_of

SECTIONS_SHOWN = 3
_LONGEST_QUERY = 1_000
_MOST_CHOICES = 30
_SHOWN = (
    *("text", "heading", "anchor", "first_paragraph", "paragraph_starts"),
    *("page__kind", "page__slug", "page__title", "page__language", "page__published_at"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one text: its page, its facts in the index, its sections, best first."""

    page: int
    facts: str
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
    role: Page | None = None
    language: str = ""
    year: str = ""
    only: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address. Raises `BadRequest` for an unknown kind, phase, language or year, `Http404` for a tag or
        role."""
        # "+" in a query string arrives as a space; both join tags.
        slugs = " ".join(request.GET.getlist("tag")).replace("+", " ").split()
        return cls(
            text=" ".join(request.GET.get("q", "").replace("\x00", " ")[:_LONGEST_QUERY].split()),
            tags=tags.known(slugs),
            kind=one_of(request, "kind", Kind.values),
            phase=one_of(request, "phase", Phase.values),
            role=_role(request.GET.get("role", "").replace("\x00", " ")),
            language=one_of(request, "lang", Language.values),
            year=one_of(request, "year", [str(year) for year in YEARS]),
            only=one_of(request, "only", ["words"]),
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
        return search.answer(
            query,
            only_words=bool(self.only),
            tags=[tag.slug for tag in self.tags],
            kind=self.kind,
            phase=self.phase,
            role=self.role.slug if self.role else "",
            language=self.language,
            year=self.year,
        )

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
        pairs = [(name, value) for name, value in named.items() if value]
        written = urlencode([*pairs, *(("tag", tag.slug) for tag in asked["tags"])])
        return address_of("pages:search") + (f"?{written}" if written else "")

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
        set_ = [
            Choice(tag.shown, None, self.address(tags=tuple(other for other in self.tags if other != tag)))
            for tag in self.tags
        ]
        if self.kind:
            set_.append(Choice(str(Kind(self.kind).label), None, self.address(kind="")))
        if self.phase:
            set_.append(Choice(str(Phase(self.phase).label), None, self.address(phase="")))
        if self.role:
            set_.append(Choice(self.role.name, None, self.address(role=None)))
        if self.language:
            set_.append(Choice(str(Language(self.language).label), None, self.address(language="")))
        if self.year:
            set_.append(Choice(self.year, None, self.address(year="")))
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

    def facets(self, groups: Sequence[Group]) -> list[Facet]:
        """Give the choices that narrow what was found, with counts; none leads to nothing. At most two queries."""
        counted = search.counted(group.facts for group in groups)
        facets = []
        if not self.kind and not self._asks("kind"):
            facets.append(Facet(_("Kind"), self._choices(Kind, counted["kind"], "kind")))
        if not self.phase and not self._asks("phase"):
            ordered = Counter({phase: counted["phase"][phase] for phase in Phase.values if phase in counted["phase"]})
            facets.append(Facet(_("Phase"), self._choices(Phase, ordered, "phase", by_number=False)))
        if not self.role and not self._asks("role"):
            facets.append(Facet(_("Mentioned role"), self._role_choices(counted["role"])))
        if not self.language and not self._asks("lang"):
            facets.append(Facet(_("Language"), self._choices(Language, counted["lang"], "language")))
        if not self.year and not (self._asks("after") or self._asks("before")):
            years = sorted(counted["year"].items(), reverse=True)[:_MOST_CHOICES]
            facets.append(Facet(_("Year"), [Choice(year, n, self.address(year=year)) for year, n in years]))
        if len(self.tags) < tags.MOST_TAGS:
            facets.append(Facet(_("Tag"), self._tag_choices(counted["tag"])))
        # One choice is all there is, unless a text may have none of the sort: it narrows nothing.
        few = (_("Kind"), _("Language"), _("Year"))
        return [facet for facet in facets if len(facet.choices) > (facet.title in few)]

    def _choices(
        self, values: type[TextChoices], counted: "Counter[str]", name: str, *, by_number: bool = True
    ) -> list[Choice]:
        rows = counted.most_common() if by_number else counted.items()
        return [Choice(str(values(value).label), number, self.address(**{name: value})) for value, number in rows]

    def _role_choices(self, counted: "Counter[str]") -> list[Choice]:
        numbers = {int(key): number for key, number in counted.most_common(_MOST_CHOICES)}
        roles = _roles(keys=list(numbers)) if numbers else []
        ordered = sorted(roles, key=lambda role: (-numbers[role.pk], role.name))
        return [Choice(role.name, numbers[role.pk], self.address(role=role)) for role in ordered]

    def _tag_choices(self, counted: "Counter[str]") -> list[Choice]:
        carried = {tag.slug for tag in self.tags}
        carried |= {fact.value for fact in self.understood.meant.facts if fact.name == "tag"}
        common = [slug for slug, _number in counted.most_common(_MOST_CHOICES + len(carried)) if slug not in carried]
        named = Tag.objects.filter(slug__in=common[:_MOST_CHOICES]).annotate(shown=tag_shown()) if common else []
        ordered = sorted(named, key=lambda tag: (-counted[tag.slug], tag.shown))
        return [Choice(tag.shown, counted[tag.slug], self.address(tags=(*self.tags, tag))) for tag in ordered]

    def in_own_language(self, facets: Sequence[Facet]) -> Choice | None:
        """Give the choice that keeps only texts in the language of the interface, where that is not English."""
        own = "" if spoken() == Language.ENGLISH else self.address(language=spoken())
        return next((choice for facet in facets for choice in facet.choices if choice.address == own), None)

    def entry(self) -> Page | None:
        """Give the entry that bears the words as its name, with its definition. One query beside those of `answer`."""
        named = self.answer.named
        return next(iter(_entry(page=named.page)), None) if named else None


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


@prepared
def _entry(*, page: Any) -> QuerySet[Page]:
    return entries.listed(Page.objects.filter(pk=page))


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


@prepared
def _roles(*, keys: Any) -> QuerySet[Page]:
    return entries.named_here(Page.objects.published().filter(pk__in=AnyOf(keys)).only("kind", "slug", "title"))


def _role(slug: str) -> Page | None:
    """Give the role of an address. Raises `Http404` where there is none. One query."""
    if not slug:
        return None
    role = entries.named_here(Page.objects.published().filter(kind=Kind.ROLE, slug=slug)).first()
    if role is None:
        raise Http404(f"There is no role “{slug}”.")
    found: Page = role
    return found
