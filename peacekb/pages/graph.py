"""The neighbourhood of an entry: what is related to it in one step or two, drawn, and as a list.

Which neighbours are shown, where there are more: in turn, each kind of relation gives the one with the highest count,
of equals the first from A to Z, until there are enough. Relations that editors or the data state go before mentions.
Who stands in several relations is shown once, in the first of them, and the others are told beside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import Count, F, Model, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import get_language_bidi
from django.utils.translation import pgettext_lazy as pgettext
from django.views.decorators.http import require_safe

from peacekb.languages import address_of
from peacekb.models import (
    Actor,
    Article,
    Case,
    Concept,
    Membership,
    Mention,
    Operation,
    Page,
    Participation,
    Role,
    Task,
    public_at,
)
from peacekb.models.prepared import AnyOf, prepared
from peacekb.search.alike import alike

from . import entries
from .drawing import Drawing, Twig, draw
from .narrowing import one_of

MOST = 24
#: In two steps: neighbours of the entry itself; the others are neighbours of theirs.
_MOST_NEAR = 8
_LONGEST_NAME = 200


# --- relations ---------------------------------------------------------------------------------------------------


class _Stored(NamedTuple):
    """A relation that rows of a model state: what it is called, and the fields of the one end and the other."""

    name: Promise
    model: type[Model]
    here: str
    there: str


#: In the order in which they are drawn. Each is named as it is read from the centre outward.
_STORED = (
    _Stored(pgettext("relation", "broader"), Concept.broader.through, "from_concept", "to_concept"),
    _Stored(pgettext("relation", "narrower"), Concept.broader.through, "to_concept", "from_concept"),
    _Stored(pgettext("relation", "related"), Concept.related.through, "from_concept", "to_concept"),
    _Stored(pgettext("relation", "performs"), Role.performs.through, "role", "task"),
    _Stored(pgettext("relation", "performed by"), Role.performs.through, "task", "role"),
    _Stored(pgettext("relation", "concept"), Role.concepts.through, "role", "concept"),
    _Stored(pgettext("relation", "concept of"), Role.concepts.through, "concept", "role"),
    _Stored(pgettext("relation", "concept"), Task.concepts.through, "task", "concept"),
    _Stored(pgettext("relation", "concept of"), Task.concepts.through, "concept", "task"),
    _Stored(pgettext("relation", "described by"), Actor, "pk", "described_by"),
    _Stored(pgettext("relation", "describes"), Actor, "described_by", "pk"),
    _Stored(pgettext("relation", "played by"), Participation, "role", "actor"),
    _Stored(pgettext("relation", "plays"), Participation, "actor", "role"),
    _Stored(pgettext("relation", "played in"), Participation, "role", "case"),
    _Stored(pgettext("relation", "role played"), Participation, "case", "role"),
    _Stored(pgettext("relation", "played a role in"), Participation, "actor", "case"),
    _Stored(pgettext("relation", "took part"), Participation, "case", "actor"),
    _Stored(pgettext("relation", "concept"), Case.concepts.through, "case", "concept"),
    _Stored(pgettext("relation", "concept of"), Case.concepts.through, "concept", "case"),
    _Stored(pgettext("relation", "operation"), Case.operations.through, "case", "operation"),
    _Stored(pgettext("relation", "operation of case"), Case.operations.through, "operation", "case"),
    _Stored(pgettext("relation", "country"), Case.countries.through, "case", "actor"),
    _Stored(pgettext("relation", "country of"), Case.countries.through, "actor", "case"),
    _Stored(pgettext("relation", "country"), Operation.countries.through, "operation", "actor"),
    _Stored(pgettext("relation", "country of"), Operation.countries.through, "actor", "operation"),
    _Stored(pgettext("relation", "member of"), Membership, "actor", "organization"),
    _Stored(pgettext("relation", "has member"), Membership, "organization", "actor"),
    _Stored(pgettext("relation", "translation of"), Article, "pk", "translation_of"),
    _Stored(pgettext("relation", "translated as"), Article, "translation_of", "pk"),
)
_MENTIONS = len(_STORED)
_MENTIONED_IN = _MENTIONS + 1
_NAMES = (
    *(stored.name for stored in _STORED),
    pgettext("relation", "mentions"),
    pgettext("relation", "mentioned in"),
)


class Edge(NamedTuple):
    """That one page stands in a relation to another, how often, and the place of the relation in the order."""

    here: int
    there: int
    number: int
    place: int

    @property
    def name(self) -> str:
        """Give the name of the relation."""
        return str(_NAMES[self.place])

    @property
    def is_counted(self) -> bool:
        """Tell whether it says something how often."""
        return self.number > 1 or self.place >= _MENTIONS

    @property
    def counted(self) -> str:
        """Give the name of the relation, with how often where that says something."""
        return f"{self.name} ({self.number})" if self.is_counted else self.name


def _edges(pages: Sequence[int]) -> Iterator[Edge]:
    """Give the relations of some pages, of mentions the most frequent. Three queries."""
    for rows in (_stated(pages=pages), _mentioned(pages=pages), _mentioning(pages=pages)):
        yield from (Edge(*row) for row in rows if row[0] != row[1] and row[1] is not None)


@prepared
def _stated(*, pages: Any) -> QuerySet[Any, Any]:
    found = [
        stored.model._default_manager.filter(**{f"{stored.here}__in": AnyOf(pages)})
        .order_by()
        .values_list(stored.here, stored.there)
        .annotate(number=Count("pk"), place=Value(place))
        for place, stored in enumerate(_STORED)
    ]
    stated: QuerySet[Any, Any] = found[0].union(*found[1:], all=True)
    return stated


@prepared
def _mentioned(*, pages: Any) -> QuerySet[Mention, Any]:
    """Give what the texts of pages mention."""
    found = Mention.objects.filter(section__page__in=AnyOf(pages), **public_at("target"))
    return _most_frequent(found, "section__page", "target", _MENTIONS)


@prepared
def _mentioning(*, pages: Any) -> QuerySet[Mention, Any]:
    """Give the texts that mention pages."""
    found = Mention.objects.filter(target__in=AnyOf(pages), **public_at("section__page"))
    return _most_frequent(found, "target", "section__page", _MENTIONED_IN)


def _most_frequent(found: QuerySet[Mention], here: str, there: str, place: int) -> QuerySet[Mention, Any]:
    counted = found.order_by().values_list(here, there).annotate(number=Count("pk"), place=Value(place))
    order = Window(RowNumber(), partition_by=F(here), order_by=[F("number").desc(), F(there)])
    most: QuerySet[Mention, Any] = counted.alias(order=order).filter(order__lte=2 * MOST)
    return most


# --- the neighbourhood -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A page beside another one: the relation that is drawn, the others, and in two steps its own neighbours."""

    page: Page
    edge: Edge
    others: list[Edge]
    address: str
    beyond: "list[Neighbour]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is around a page, and whether that is all."""

    page: Page
    steps: int
    near: list[Neighbour]
    is_all: bool

    @property
    def everybody(self) -> list[Neighbour]:
        """Give all neighbours in the order of the drawing: each before its own ones."""
        return [one for near in self.near for one in (near, *near.beyond)]

    def by_relation(self) -> list[tuple[str, list[Neighbour]]]:
        """Give the neighbours of the page itself under their relations."""
        groups: dict[str, list[Neighbour]] = defaultdict(list)
        for one in self.near:
            groups[one.edge.name].append(one)
        return list(groups.items())


def around(page: Page, steps: int) -> Neighbourhood:
    """Give what is around a page. Four queries a step."""
    known: dict[int, Page] = {page.pk: page}
    beside = _beside([page.pk], known)
    most = MOST if steps == 1 else _MOST_NEAR
    near = _in_turn(_by_place(beside[page.pk], known), most)
    is_all = len(near) == len({edge.there for edge in beside[page.pk]})
    if steps == 1:
        return Neighbourhood(page, steps, [_neighbour(edge, beside, known, steps) for edge in near], is_all)
    shown = {page.pk, *(edge.there for edge in near)}
    beside |= _beside([edge.there for edge in near], known)
    unseen = [[one for one in beside[edge.there] if one.there not in shown] for edge in near]
    further = [_in_turn(_by_place(edges, known), MOST) for edges in unseen]
    beyond: dict[int, list[Edge]] = defaultdict(list)
    found = _in_turn(further, MOST - len(near))
    for edge in found:
        beyond[edge.here].append(edge)
    is_all = is_all and len(found) == len({edge.there for edges in unseen for edge in edges})
    neighbours = [
        _neighbour(edge, beside, known, steps, [_neighbour(one, beside, known, steps) for one in beyond[edge.there]])
        for edge in near
    ]
    return Neighbourhood(page, steps, neighbours, is_all)


def _beside(pages: Sequence[int], known: dict[int, Page]) -> dict[int, list[Edge]]:
    """Give the relations of pages to public ones, which become known. Four queries."""
    found = list(_edges(pages))
    new = {edge.there for edge in found} - known.keys()
    known.update(entries.named_by_key(new))
    beside: dict[int, list[Edge]] = {page: [] for page in pages}
    for edge in found:
        if edge.there in known:
            beside[edge.here].append(edge)
    return beside


def _by_place(edges: Iterable[Edge], known: Mapping[int, Page]) -> list[list[Edge]]:
    """Give each page's first relation, by relation, the strongest first."""
    first: dict[int, Edge] = {}
    for edge in sorted(edges, key=lambda edge: (edge.place, -edge.number, entries.sort_key(known[edge.there].name))):
        first.setdefault(edge.there, edge)
    return [list(group) for _place, group in groupby(first.values(), key=lambda edge: edge.place)]


def _in_turn(groups: Sequence[Sequence[Edge]], most: int) -> list[Edge]:
    """Take from each group in turn the first page that no other one has given; give them in the order of the groups."""
    taken: dict[int, tuple[int, Edge]] = {}
    waiting = list(enumerate(iter(group) for group in groups))
    while waiting:
        for number, group in list(waiting):
            edge = next((one for one in group if one.there not in taken), None)
            if edge is None or len(taken) == most:
                waiting.remove((number, group))
            else:
                taken[edge.there] = (number, edge)
    # Sorting keeps the order within a group.
    return [edge for _number, edge in sorted(taken.values(), key=itemgetter(0))]


def _neighbour(
    edge: Edge,
    beside: Mapping[int, Sequence[Edge]],
    known: Mapping[int, Page],
    steps: int,
    beyond: Sequence[Neighbour] = (),
) -> Neighbour:
    page = known[edge.there]
    others = [one for one in beside[edge.here] if one.there == edge.there and one.place != edge.place]
    return Neighbour(page, edge, others, address(page, steps), list(beyond))


def address(page: Page, steps: int = 1) -> str:
    """Give the address of what is around a page."""
    place = address_of("pages:graph", f"{page.kind}s", page.slug)
    return f"{place}?steps={steps}" if steps != 1 else place


def drawn(found: Neighbourhood) -> Drawing:
    """Draw a neighbourhood, the other way round for readers whose lines begin on the right."""
    branches = [
        Twig(one.page.name, one.edge.counted, [Twig(two.page.name, two.edge.counted) for two in one.beyond])
        for one in found.near
    ]
    return draw(found.page.name, branches, mirrored=get_language_bidi())


# --- views -------------------------------------------------------------------------------------------------------


@require_safe
def explore(request: HttpRequest) -> HttpResponse:
    """Show the ways to explore, the concept with most related ones as an example. One query."""
    example = next(iter(_best_connected()), None)
    shown = {"example": example, "example_address": address(example) if example else ""}
    return render(request, "pages/explore.html", shown)


@prepared
def _best_connected() -> QuerySet[Concept]:
    concepts = Concept.objects.published().only("kind", "slug", "title", "language")
    related = concepts.annotate(number=Count("related")).order_by("-number", "title")
    return entries.named_here(related)[:1]


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Lead to what is around the entry that bears a name; where none does, show those that are most like it."""
    name = request.GET.get("name", "").strip()[:_LONGEST_NAME]
    if not name:
        return HttpResponseRedirect(address_of("pages:explore"))
    entry = entries.named(name)
    if entry is not None:
        return HttpResponseRedirect(address(entry))
    near = [(page, address(page)) for page in alike(slugify(name, allow_unicode=True))]
    return render(request, "pages/choose.html", {"name": name, "near": near})


@require_safe
def graph(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Show what is around an entry, in one step or two. At most nine queries."""
    kind = kinds.removesuffix("s")
    steps = int(one_of(request, "steps", ("1", "2")) or 1)
    page = next(iter(_centre(kind, slug=slug)), None)
    if page is None:
        return entries.elsewhere(request, kind, slug, view="pages:graph")
    found = around(page, steps)
    drawing = drawn(found)
    shown = {
        "page": page,
        "steps": [(number, address(page, number)) for number in (1, 2)],
        "found": found,
        "drawing": drawing,
        "nodes": list(zip(found.everybody, drawing.boxes, strict=True)),
        "most": MOST,
    }
    return render(request, "pages/graph.html", shown)


@prepared
def _centre(kind: str, *, slug: Any) -> QuerySet[Page]:
    shown = ("kind", "slug", "title", "language")
    return entries.named_here(Page.objects.published().filter(kind=kind, slug=slug).only(*shown))
