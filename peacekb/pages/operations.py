"""The table of operations: where they were, since when, and which of them run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from peacekb.languages import absolute, partial_date
from peacekb.models import Kind, Region, Resolution
from peacekb.models.prepared import prepared

from . import entries, record, spreadsheets
from .narrowing import Narrowing, Way, one_of
from .paging import page_of
from .record import OperationRow

PER_PAGE = 50
_BY_DATE, _BY_NAME = "start", "title"
_COLUMNS = "operation acronym address region countries from to deployed_on resolution adopted".split()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: an operation and the resolution that established it."""

    row: OperationRow
    region: str
    established: Resolution | None


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations that an address asks for, in its order."""

    narrowing: Narrowing[OperationRow]
    all: list[OperationRow]
    found: list[OperationRow]

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address and fetch the operations. Three queries. Raises `BadRequest` for what none could have."""
        known = record.actors_and_roles()
        rows = record.operations(known, record.joined("operation countries"))
        sort = one_of(request, "sort", _orders())
        narrowing = Narrowing.from_request(request, _ways(known, rows), sort="" if sort == _BY_DATE else sort)
        found = narrowing.found(rows)
        if sort == _BY_NAME:
            found.sort(key=lambda row: entries.sort_key(row.page.name))
        return cls(narrowing, rows, found)

    def cells(self) -> Iterator[tuple[str, ...]]:
        """Give the operations as lines of a file. One query."""
        for line in lines(self.found):
            operation = line.row.page
            yield (
                operation.title,
                operation.acronym,
                absolute(operation.get_absolute_url()),
                line.region,
                "; ".join(country.name for country in line.row.countries),
                operation.start,
                operation.end,
                operation.deployed_on,
                line.established.symbol if line.established else "",
                line.established.adopted if line.established else "",
            )


def lines(rows: list[OperationRow]) -> list[Line]:
    """Give the lines of some operations. One query."""
    # The first one established the operation, and is the one that stays.
    established = {resolution.operation_id: resolution for resolution in reversed(_resolutions())}
    regions = record.labels(Region)
    return [Line(row, regions[row.page.region], established.get(row.page.pk)) for row in rows]


@prepared
def _resolutions() -> QuerySet[Resolution]:
    return Resolution.objects.order_by("pk").only("operation", "symbol", "adopted")


def _orders() -> dict[str, str]:
    return {_BY_DATE: _("By start"), _BY_NAME: _("A to Z")}


def _ways(known: record.Known, rows: list[OperationRow]) -> list[Way[OperationRow]]:
    return [
        Way("running", _("State"), _running(rows), lambda row, _chosen: ["no" if row.page.end else "yes"]),
        Way("region", _("Region"), record.labels(Region), lambda row, _chosen: [row.page.region]),
        Way("decade", _("Decade of the start"), record.DECADES, lambda row, _chosen: [f"{row.page.start[:3]}0"]),
        Way(
            "actor",
            _("Country"),
            record.names(known, Kind.ACTOR),
            lambda row, _chosen: [country.slug for country in row.countries],
            by_number=True,
        ),
    ]


def _running(rows: list[OperationRow]) -> dict[str, str]:
    """Name the choices. The day is told where all that run were last known to be deployed on one."""
    days = {row.page.deployed_on for row in rows if not row.page.end}
    if len(days) == 1:
        running = _("Running on %(day)s") % {"day": partial_date(days.pop())}
    else:
        running = _("Running, as far as is known")
    return {"yes": running, "no": _("Ended")}


# --- views -------------------------------------------------------------------------------------------------------


def table(request: HttpRequest) -> HttpResponse:
    """Show the operations that the address asks for. Four queries."""
    operations = Operations.from_request(request)
    listing = page_of(operations.found, request, per_page=PER_PAGE)
    shown = {
        "narrowing": operations.narrowing,
        "orders": operations.narrowing.orders(_orders()),
        "switch": operations.narrowing.switch("running", operations.all, _("All operations")),
        "facets": operations.narrowing.facets(operations.all, but=["running"]),
        "listing": listing,
        "lines": lines(list(listing)),
    }
    return render(request, "pages/operations.html", shown)


@require_safe
def file(request: HttpRequest) -> HttpResponseBase:
    """Give the same operations, all of them, as a file for a spreadsheet."""
    return spreadsheets.file("operations.csv", _COLUMNS, Operations.from_request(request).cells())
