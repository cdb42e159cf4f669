"""The timeline: operations, cases and events, drawn over an axis of years and told below it."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from peacekb.models import Event, Kind, Page, PagePhase, Phase, Region, Result
from peacekb.models.prepared import prepared

from . import record
from .bars import Drawing, Span
from .narrowing import Narrowing, Way
from .paging import page_of
from .record import CaseRow, OperationRow

PER_PAGE = 50

_OPERATIONS, _CASES, _EVENTS = "operations", "cases", "events"
_YEAR = re.compile("[1-9][0-9]{3}")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the timeline: an operation, a case or an event, with the dates and facts by which it is found.

    `end` is empty for what happened on one date, `deployed_on` the day on which it was last known to go on. `note` says
    what an operation or a case is. Facts of an event are those of its operations and cases.
    """

    what: str
    name: str
    address: str
    subject: Any
    note: str
    start: str
    end: str
    signed: str
    deployed_on: str
    regions: frozenset[str]
    phases: frozenset[str]
    actors: frozenset[str]
    related: Sequence[Page] = ()

    @property
    def date(self) -> str:
        """Give the date by which it is told: that of signing, else that of the beginning."""
        return self.signed or self.start

    @property
    def first_year(self) -> int:
        """Give the year in which it began."""
        return int(self.start[:4])

    @property
    def last_year(self) -> int:
        """Give the last year in which it is known to have gone on."""
        return int((self.end or self.deployed_on or self.start)[:4])

    @property
    def decades(self) -> list[str]:
        """Give the decades that it touches."""
        return [f"{year}" for year in range(self.first_year // 10 * 10, self.last_year + 1, 10)]

    def span(self, address: str) -> Span:
        """Give what is drawn of it, with the address to which that leads."""
        last = self.end or self.deployed_on
        return Span(
            self.name,
            address,
            _begins(self.start),
            _ends(last) if last else None,
            _begins(self.signed) if self.signed else None,
            is_open=bool(self.deployed_on),
        )


def _begins(date: str) -> float:
    """Give the beginning of a day, a month or a year, in years."""
    year, month, day = (*map(int, date.split("-")), 1, 1)[:3]
    return year + (month - 1) / 12 + (day - 1) / 372


def _ends(date: str) -> float:
    """Give the end of a day, a month or a year, in years."""
    return _begins(date) + {4: 1, 7: 1 / 12}.get(len(date), 1 / 372)


def items() -> tuple[record.Known, list[Item]]:
    """Give the public actors and roles, and all that is on the timeline in the order of time. Seven queries."""
    known = record.actors_and_roles()
    pairs = record.joined(*record.PAIRS)
    results = record.labels(Result)
    phases = defaultdict(set)
    for case, phase in _phases_of_cases():
        phases[case].add(phase)
    cases = {
        row.page.pk: _case(row, results[row.page.result], phases[row.page.pk]) for row in record.cases(known, pairs)
    }
    operations = {
        row.page.pk: _operation(row, [cases[key] for key in pairs["operation cases"][row.page.pk] if key in cases])
        for row in record.operations(known, pairs)
    }
    events = []
    for event in _events():
        around = [operations[key] for key in pairs["event operations"][event.pk] if key in operations]
        around += [cases[key] for key in pairs["event cases"][event.pk] if key in cases]
        events.append(_event(event, around))
    return known, sorted([*operations.values(), *cases.values(), *events], key=lambda item: item.date)


@prepared
def _phases_of_cases() -> QuerySet[Any, tuple[int, str]]:
    concepts = Page.objects.published().filter(kind=Kind.CONCEPT)
    rows = PagePhase.objects.filter(page__in=concepts, page__concept__cases__isnull=False).exclude(phase=Phase.ANY)
    return rows.order_by().values_list("page__concept__cases", "phase")


@prepared
def _events() -> QuerySet[Event]:
    return Event.objects.select_related("source").order_by("date", "slug")


def _case(row: CaseRow, result: str, phases: Iterable[str]) -> Item:
    page = row.page
    return Item(
        what=_CASES,
        name=page.name,
        address=page.get_absolute_url(),
        subject=row,
        note=f"{_('Case')} · {result}",
        start=f"{page.start_year}",
        end=f"{page.end_year or page.start_year}",
        signed=page.signed,
        deployed_on="",
        regions=frozenset([page.region]),
        phases=frozenset(phases),
        actors=frozenset([part.actor.slug for part in row.parts] + [country.slug for country in row.countries]),
    )


def _operation(row: OperationRow, cases: Sequence[Item]) -> Item:
    page = row.page
    return Item(
        what=_OPERATIONS,
        name=page.acronym,
        address=page.get_absolute_url(),
        subject=row,
        note=f"{_('Operation')} · {page.acronym}",
        start=page.start,
        end=page.end,
        signed="",
        deployed_on=page.deployed_on,
        regions=frozenset([page.region]),
        phases=frozenset[str]().union(*(case.phases for case in cases)),
        actors=frozenset(country.slug for country in row.countries),
    )


def _event(event: Event, around: Sequence[Item]) -> Item:
    none = frozenset[str]()
    return Item(
        what=_EVENTS,
        name=event.title,
        address=event.get_absolute_url(),
        subject=event,
        note="",
        start=event.date,
        end="",
        signed="",
        deployed_on="",
        regions=none.union(*(item.regions for item in around)),
        phases=none.union(*(item.phases for item in around)),
        actors=none.union(*(item.actors for item in around)),
        related=[item.subject.page for item in around],
    )


def _ways(known: record.Known) -> list[Way[Item]]:
    phases = {value: str(label) for value, label in Phase.choices if value != Phase.ANY}
    return [
        Way("what", _("What"), _names(), lambda item, _chosen: [item.what]),
        Way("decade", _("Decade"), record.DECADES, lambda item, _chosen: item.decades),
        Way("region", _("Region"), record.labels(Region), lambda item, _chosen: item.regions),
        Way("phase", _("Phase"), phases, lambda item, _chosen: item.phases),
        Way("actor", _("Actor"), record.names(known, Kind.ACTOR), lambda item, _chosen: item.actors, by_number=True),
    ]


def _names() -> dict[str, str]:
    return {_OPERATIONS: _("Operations"), _CASES: _("Cases"), _EVENTS: _("Events")}


def _year(request: HttpRequest, name: str) -> str:
    year = request.GET.get(name, "")
    if year and not _YEAR.fullmatch(year):
        raise BadRequest("There is no such year.")
    return year


# --- the view ----------------------------------------------------------------------------------------------------


@require_safe
def timeline(request: HttpRequest) -> HttpResponse:
    """Show operations, cases and events, all or those that the address asks for. Seven queries."""
    since, until = _year(request, "from"), _year(request, "to")
    if since and until and since > until:
        raise BadRequest("The years end before they begin.")
    known, rows = items()
    narrowing = Narrowing.from_request(request, _ways(known), **{"from": since, "to": until})
    rows = [row for row in rows if int(since or 0) <= row.last_year and row.first_year <= int(until or 9999)]
    found = narrowing.found(rows)
    listing = page_of(found, request, per_page=PER_PAGE)
    shown = {
        "narrowing": narrowing,
        "since": since,
        "until": until,
        "sorts": narrowing.switch("what", rows, _("Everything")),
        "decades": narrowing.switch("decade", rows, _("All years")),
        "facets": narrowing.facets(rows, but=["what", "decade"]),
        "listing": listing,
        "drawing": _drawing(found, narrowing, list(listing)) if found else None,
        "groups": [
            (record.DECADES[decade], list(group))
            for decade, group in groupby(listing, key=lambda item: f"{item.date[:3]}0")
        ],
    }
    return render(request, "pages/timeline.html", shown)


def _drawing(found: Sequence[Item], narrowing: Narrowing[Item], told: Collection[Item]) -> Drawing:
    """Draw what was found, on the years that were asked for, as far as there is something in them.

    Events lead to the place where they are told: on this page those in `told`.
    """
    since, until = narrowing.kept["from"], narrowing.kept["to"]
    decade = narrowing.chosen.get("decade")
    first = max(min(item.first_year for item in found), int(since or 0), int(decade or 0))
    last = min(max(item.last_year for item in found), int(until or 9999), int(decade or 9990) + 9)
    here = {id(item): f"#{item.subject.slug}" for item in told if item.what == _EVENTS}
    bands = [
        (name, [item.span(here.get(id(item), item.address)) for item in found if item.what == what])
        for what, name in _names().items()
    ]
    return Drawing.of(bands, first, last, mirrored=get_language_bidi())
