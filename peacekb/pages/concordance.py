"""The concordance of a page: every sentence of public texts that mentions it, by text or by the words around it.

Everything is read from the stored mentions; no text is searched.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple, Self

from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from peacekb.languages import absolute
from peacekb.models import Kind, Language, Mention, Page, PagePhase, Phase, Section, TaggedPage, tag_shown
from peacekb.text.words import direction

from . import entries, phases, spreadsheets, tags
from .narrowing import Choice, Facet
from .results import Question

PER_PAGE = 50
_MOST_CHOICES = 30
_BY_TEXT = "article"
_ORDERS: dict[str, tuple[Any, ...]] = {
    _BY_TEXT: (Lower("section__page__title"), "section__page_id", "section__position", "-in_heading", "start"),
    "before": ("preceding", "pk"),
    "after": ("following", "pk"),
}
_SHOWN = (
    "paragraph", "start", "end", "sentence_start", "sentence", "linked", "in_heading",
    "section__position", "section__anchor", "section__heading",
    "section__page__kind", "section__page__slug", "section__page__title", "section__page__language",
)  # fmt: skip


class Text(NamedTuple):
    """A text that mentions the page, and how often."""

    page: int
    kind: str
    language: str
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the concordance: a mention in its sentence, or in its heading."""

    mention: Mention

    @property
    def page(self) -> Page:
        """Give the text that the line is from."""
        return self.mention.section.page

    @property
    def direction(self) -> str:
        """Give `rtl` or `ltr`: that of the sentence, which may be quoted from another language than its text's."""
        return direction(self.mention.sentence) or self.page.direction

    @property
    def anchor(self) -> str:
        """Give the place in its text at which the sentence is read."""
        paragraph = self.mention.paragraph
        return f"p{paragraph}" if paragraph else self.mention.section.anchor

    @property
    def address(self) -> str:
        """Give the address at which the sentence is read."""
        return f"{self.page.get_absolute_url()}#{self.anchor}"


@dataclass(frozen=True, slots=True)
class Part:
    """The lines from one section: those in its heading, and those in its text."""

    section: Section
    headings: list[Line]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Group:
    """The lines from one text, by section."""

    page: Page
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Concordance:
    """The mentions of one page as an address asks for them: narrowed as a search is, in one of three orders."""

    target: Page
    asked: Question
    sort: str

    @classmethod
    def from_request(cls, target: Page, request: HttpRequest) -> Self:
        """Read the address. Raises what `Question` raises, and `BadRequest` for an unknown order."""
        sort = request.GET.get("sort", _BY_TEXT)
        if sort not in _ORDERS:
            raise BadRequest("There is no such order.")
        return cls(target, replace(Question.from_request(request), text="", only=""), sort)

    @property
    def by_text(self) -> bool:
        """Tell whether the lines are in the order of the texts, not of the words around the mention."""
        return self.sort == _BY_TEXT

    def mentions(self) -> QuerySet[Mention]:
        """Give the mentions asked for, in no order."""
        pages = Page.objects.published().tagged_all([tag.slug for tag in self.asked.tags])
        if self.asked.kind:
            pages = pages.filter(kind=self.asked.kind)
        if self.asked.language:
            pages = pages.filter(language=self.asked.language)
        if self.asked.phase:
            pages = pages.filter(phases.belongs(self.asked.phase))
        return Mention.objects.filter(target=self.target.pk, section__page__in=pages)

    def rows(self) -> QuerySet[Mention]:
        """Give the mentions asked for in their order, with what a line shows."""
        return in_order(self.mentions(), self.sort)

    def texts(self) -> list[Text]:
        """Give the texts in which the mentions are. One query."""
        facts = ("section__page__kind", "section__page__language")
        kept = self.mentions().values_list("section__page", *facts).order_by(*facts)
        return [Text(*row) for row in kept.annotate(number=Count("pk"))]

    def facets(self, texts: Sequence[Text]) -> list[Facet]:
        """Give the choices that keep some, not all, of the mentions, with how many they keep.

        At most three queries.
        """
        numbers = {text.page: text.number for text in texts}
        total = sum(numbers.values())

        def counted(facts: Iterable[tuple[int, str]]) -> Counter[str]:
            found: Counter[str] = Counter()
            for page, fact in facts:
                found[fact] += numbers[page]
            return found

        def facet(title: str, parameter: str, names: Mapping[str, Any], found: Counter[str]) -> Facet:
            kept = [value for value in names if 0 < found[value] < total][:_MOST_CHOICES]
            return Facet(
                title, [Choice(str(names[value]), found[value], self._narrowed(parameter, value)) for value in kept]
            )

        carried = TaggedPage.objects.filter(content_object__in=numbers).order_by("tag__name")
        tagged = list(carried.values_list("content_object", "tag__slug", tag_shown("tag", "tag__name")))
        names = {slug: name for _page, slug, name in tagged}
        with_tag = counted((page, slug) for page, slug, _name in tagged)
        commonest = {slug: names[slug] for slug, _number in with_tag.most_common()}
        in_phase = counted(() if self.asked.phase else _phases_of(numbers))
        facets = [
            facet(_("Kind"), "kind", dict(Kind.choices), counted((text.page, text.kind) for text in texts)),
            facet(_("Phase"), "phase", dict(Phase.choices), in_phase),
            facet(_("Language"), "lang", dict(Language.choices), counted((text.page, text.language) for text in texts)),
            facet(_("Tag"), "tag", commonest if len(self.asked.tags) < tags.MOST_TAGS else {}, with_tag),
        ]
        return [one for one in facets if one.choices]

    def filters(self) -> list[Choice]:
        """Give the filters that are set, each with the address that takes it off."""
        return [Choice(one.label, None, self._at(_query(one.address))) for one in self.asked.filters()]

    def orders(self) -> list[Choice]:
        """Give the orders, each with its address."""
        names = {_BY_TEXT: _("By text"), "before": _("By the word before"), "after": _("By the word after")}
        return [Choice(name, None, replace(self, sort=sort).address) for sort, name in names.items()]

    @property
    def address(self) -> str:
        """Give the address of the first page."""
        return self._at(_query(self.asked.address()))

    @property
    def file_address(self) -> str:
        """Give the address of the same lines as a file."""
        return self._at(_query(self.asked.address()), "programs:mentions_file")

    def _narrowed(self, parameter: str, value: str) -> str:
        query = _query(self.asked.address())
        query.appendlist(parameter, value)
        return self._at(query)

    def _at(self, query: QueryDict, view: str = "pages:mentions") -> str:
        if not self.by_text:
            query["sort"] = self.sort
        place = reverse(view, kwargs={"kinds": f"{self.target.kind}s", "slug": self.target.slug})
        return f"{place}?{query.urlencode()}" if query else place


def _query(address: str) -> QueryDict:
    """Give the part of an address that filters: searches and concordances write it alike."""
    return QueryDict(address.partition("?")[2], mutable=True)


def _phases_of(pages: Collection[int]) -> set[tuple[int, str]]:
    """Give each page with each phase: an entry's own ones, an article's from what it links. Two queries."""
    phases_of: defaultdict[int, list[str]] = defaultdict(list)
    for page, phase in PagePhase.objects.filter(page__in=Page.objects.published()).values_list("page", "phase"):
        phases_of[page].append(phase)
    own = {(page, phase) for page in pages for phase in phases_of[page]}
    # Phases are joined here, not in the query: that takes twice as long.
    linking = Mention.objects.filter(linked=True, section__page__kind=Kind.ARTICLE, section__page__in=pages)
    linked = linking.order_by().values_list("section__page", "target").distinct()
    return own | {(page, phase) for page, target in linked for phase in phases_of[target]}


def in_order(mentions: QuerySet[Mention], sort: str = _BY_TEXT) -> QuerySet[Mention]:
    """Give mentions in one of the orders, with what a line shows."""
    return mentions.select_related("section__page").only(*_SHOWN).order_by(*_ORDERS[sort])


def grouped(lines: Iterable[Line]) -> list[Group]:
    """Group lines that are in the order of the texts."""
    groups = []
    for _page, of_page in groupby(lines, key=lambda line: line.page.pk):
        parts = [_part(list(here)) for _section, here in groupby(of_page, key=lambda line: line.mention.section_id)]
        groups.append(Group(parts[0].section.page, parts))
    return groups


def _part(lines: list[Line]) -> Part:
    headings = [line for line in lines if line.mention.in_heading]
    return Part(lines[0].mention.section, headings, lines[len(headings) :])


# --- views -------------------------------------------------------------------------------------------------------


@require_safe
def mentions(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Show every sentence that mentions a page. At most ten queries, however many there are."""
    kind = kinds.removesuffix("s")
    target = _public(kind, slug)
    if target is None:
        return entries.elsewhere(request, kind, slug, view="pages:mentions")
    concordance = Concordance.from_request(target, request)
    texts = concordance.texts()
    paginator = Paginator(concordance.rows(), PER_PAGE)
    paginator.count = sum(text.number for text in texts)  # so that they are not counted again
    try:
        listing = paginator.page(request.GET.get("page", 1))
    except InvalidPage as error:
        raise Http404("There is no such page of the concordance.") from error
    lines = [Line(mention) for mention in listing]
    shown = {
        "page": target,
        "concordance": concordance,
        "texts": len(texts),
        "listing": listing,
        "lines": lines,
        "groups": grouped(lines) if concordance.by_text else [],
        "facets": concordance.facets(texts),
    }
    return render(request, "pages/concordance.html", shown)


@require_safe
def mentions_file(request: HttpRequest, kinds: str, slug: str) -> HttpResponseBase:
    """Give the same lines, all of them, as a file for a spreadsheet."""
    kind = kinds.removesuffix("s")
    target = _public(kind, slug)
    if target is None:
        return entries.elsewhere(request, kind, slug, view="programs:mentions_file")
    rows = Concordance.from_request(target, request).rows()
    return spreadsheets.file(f"mentions-{slug}.csv", _COLUMNS, _cells(rows))


def _public(kind: str, slug: str) -> Page | None:
    return Page.objects.published().filter(kind=kind, slug=slug).defer("source").first()


# --- the file ----------------------------------------------------------------------------------------------------

_COLUMNS = "article address section paragraph before mention after sentence language linked".split()


def _cells(rows: QuerySet[Mention]) -> Iterator[tuple[str, ...]]:
    addresses: dict[int, str] = {}  # of texts: made a line, they take two fifths of the time
    for mention in rows.iterator(chunk_size=1_000):
        line = Line(mention)
        if line.page.pk not in addresses:
            addresses[line.page.pk] = absolute(line.page.get_absolute_url())
        yield (
            line.page.title,
            f"{addresses[line.page.pk]}#{line.anchor}",
            mention.section.heading,
            "" if mention.paragraph is None else str(mention.paragraph),
            mention.before,
            mention.surface,
            mention.after,
            mention.sentence,
            line.page.language,
            "yes" if mention.linked else "no",
        )
