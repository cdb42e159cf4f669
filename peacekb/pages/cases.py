"""The table of cases: who helped whom to agree, and what became of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from peacekb.languages import absolute
from peacekb.models import Kind, Membership, Page, Region, Result
from peacekb.models.prepared import prepared

from . import entries, record, spreadsheets
from .facts import MEANINGS
from .narrowing import Chosen, Narrowing, Way, one_of
from .paging import page_of
from .record import CaseRow, Part

PER_PAGE = 50
#: The roles of those who help parties to an agreement; who is only a witness or an observer does not.
_HELPING = frozenset({"mediator", "facilitator", "host", "guarantor", "convenor"})
_OIC = "organisation-of-islamic-cooperation"
_INVOLVEMENTS = {
    "third-party": gettext_lazy("A member mediated, facilitated, hosted, guaranteed or convened"),
    "witness": gettext_lazy("A member was only a witness or an observer"),
    "conflict": gettext_lazy("Only a country of the conflict is a member"),
    "none": gettext_lazy("No member was involved"),
}
_BY_DATE, _BY_NAME, _BY_RESULT = "signed", "title", "result"
_MOST_HELPERS = 4


@dataclass(frozen=True, slots=True)
class Helper:
    """An actor that took part in a case, and its roles."""

    actor: Page
    roles: list[Page]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a case, some of those who took part, and how many others did."""

    row: CaseRow
    result: str
    helpers: list[Helper]
    others: int


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases that an address asks for, in its order."""

    narrowing: Narrowing[CaseRow]
    members: Collection[int]
    all: list[CaseRow]
    found: list[CaseRow]

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address and fetch the cases. Five queries. Raises `BadRequest` for what no case could have."""
        known = record.actors_and_roles()
        members = frozenset(_members(organization=_OIC))
        sort = one_of(request, "sort", _orders())
        narrowing = Narrowing.from_request(request, _ways(known, members), sort="" if sort == _BY_DATE else sort)
        rows = record.cases(known, record.joined("case countries"))
        found = narrowing.found(rows)
        if sort == _BY_NAME:
            found.sort(key=lambda row: entries.sort_key(row.page.name))
        elif sort == _BY_RESULT:
            found.sort(key=lambda row: Result.values.index(row.page.result))
        return cls(narrowing, members, rows, found)

    def totals(self) -> list[str]:
        """Tell how many of the cases had which result."""
        numbers = Counter(row.page.result for row in self.found)
        return [_told(result, numbers[result]) for result in Result.values if numbers[result]]

    def lines(self, rows: Iterable[CaseRow]) -> list[Line]:
        """Give the lines of some cases."""
        results = record.labels(Result)
        return [self._line(row, results[row.page.result]) for row in rows]

    def _line(self, row: CaseRow, result: str) -> Line:
        """Give the line of a case: first those who were asked for, then those who helped the parties."""
        helpers: dict[int, Helper] = {}
        for part in sorted(row.parts, key=lambda part: (not self._is_asked(part), part.role.slug not in _HELPING)):
            roles = helpers.setdefault(part.actor.pk, Helper(part.actor, [])).roles
            roles.extend([part.role] * (part.role not in roles))
        return Line(row, result, list(helpers.values())[:_MOST_HELPERS], max(0, len(helpers) - _MOST_HELPERS))

    def _is_asked(self, part: Part) -> bool:
        asked = {"actor": part.actor.slug, "role": part.role.slug}
        return all(self.narrowing.chosen.get(name, slug) == slug for name, slug in asked.items())

    def cells(self) -> Iterator[tuple[str, ...]]:
        """Give the cases as lines of a file."""
        for row in self.found:
            case = row.page
            yield (
                case.title,
                absolute(case.get_absolute_url()),
                case.conflict,
                str(Region(case.region).label),
                str(case.start_year),
                str(case.end_year or ""),
                case.signed,
                str(Result(case.result).label),
                "; ".join(_written(part) for part in row.parts),
                "; ".join(country.name for country in row.countries),
                str(_INVOLVEMENTS[_involvement(row, self.members)]),
            )


_COLUMNS = "case address conflict region from to signed result participants countries oic".split()


def _written(part: Part) -> str:
    played = f"{part.role.name}, {part.person}" if part.person else part.role.name
    return f"{part.actor.name} ({played})"


def _orders() -> dict[str, str]:
    return {_BY_DATE: _("Signed, newest first"), _BY_NAME: _("A to Z"), _BY_RESULT: _("By result")}


def _ways(known: record.Known, members: Collection[int]) -> list[Way[CaseRow]]:
    involvements = {name: str(told) for name, told in _INVOLVEMENTS.items()}
    return [
        Way("result", _("Result"), record.labels(Result), lambda row, _chosen: [row.page.result]),
        Way("actor", _("Actor"), record.names(known, Kind.ACTOR), _actors, by_number=True),
        Way("role", _("Role"), record.names(known, Kind.ROLE), _roles, by_number=True),
        Way("region", _("Region"), record.labels(Region), lambda row, _chosen: [row.page.region]),
        Way("decade", _("Decade of signing"), record.DECADES, lambda row, _chosen: [f"{row.date[:3]}0"]),
        Way(
            "oic",
            _("Organisation of Islamic Cooperation"),
            involvements,
            lambda row, _chosen: [_involvement(row, members)],
        ),
    ]


def _actors(row: CaseRow, chosen: Chosen) -> set[str]:
    """Give who took part, in the role that is asked for."""
    return {part.actor.slug for part in row.parts if chosen.get("role", part.role.slug) == part.role.slug}


def _roles(row: CaseRow, chosen: Chosen) -> set[str]:
    """Give the roles that were played, by the actor that is asked for."""
    return {part.role.slug for part in row.parts if chosen.get("actor", part.actor.slug) == part.actor.slug}


def _involvement(row: CaseRow, members: Collection[int]) -> str:
    """Tell how members of the OIC, as it is today, were involved in a case."""
    parts = [part for part in row.parts if part.actor.pk in members]
    if any(part.role.slug in _HELPING for part in parts):
        return "third-party"
    if parts:
        return "witness"
    return "conflict" if any(country.pk in members for country in row.countries) else "none"


@prepared
def _members(*, organization: Any) -> QuerySet[Membership, int]:
    return Membership.objects.filter(organization__slug=organization).values_list("actor", flat=True)


def _told(result: str, number: int) -> str:
    told = {
        Result.HELD: ngettext("%(number)s held", "%(number)s held", number),
        Result.PARTLY_HELD: ngettext("%(number)s partly held", "%(number)s partly held", number),
        Result.COLLAPSED: ngettext("%(number)s collapsed", "%(number)s collapsed", number),
        Result.NO_AGREEMENT: ngettext("%(number)s without an agreement", "%(number)s without an agreement", number),
        Result.OPEN: ngettext("%(number)s open", "%(number)s open", number),
    }
    return told[Result(result)] % {"number": number}


# --- views -------------------------------------------------------------------------------------------------------


def table(request: HttpRequest) -> HttpResponse:
    """Show the cases that the address asks for. Five queries."""
    cases = Cases.from_request(request)
    listing = page_of(cases.found, request, per_page=PER_PAGE)
    shown = {
        "narrowing": cases.narrowing,
        "orders": cases.narrowing.orders(_orders()),
        "facets": cases.narrowing.facets(cases.all),
        "listing": listing,
        "lines": cases.lines(listing),
        "totals": cases.totals(),
        "meanings": [(label, MEANINGS[value]) for value, label in Result.choices],
    }
    return render(request, "pages/cases.html", shown)


@require_safe
def file(request: HttpRequest) -> HttpResponseBase:
    """Give the same cases, all of them, as a file for a spreadsheet."""
    return spreadsheets.file("cases.csv", _COLUMNS, Cases.from_request(request).cells())
