"""What entries of the record show besides their text: who took part, what was agreed on, how many served and when."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Min, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from peacekb.languages import partial_date
from peacekb.models import (
    Contribution,
    Event,
    Instrument,
    Kind,
    Membership,
    Operation,
    Page,
    Participation,
    Phase,
    Resolution,
    Result,
    years,
)
from peacekb.models.prepared import prepared

from .entries import NAMED, by_name, named_by_key, named_here
from .phases import Stop, named

#: What each result means. They are judgements of the editors, which the text of the case explains.
MEANINGS: dict[str, Promise] = {
    Result.HELD: _("The core bargain was carried out and has lasted, or lasted for its purpose."),
    Result.PARTLY_HELD: _("Some core terms were carried out, others failed."),
    Result.COLLAPSED: _("The arrangement broke down or was ended."),
    Result.NO_AGREEMENT: _("The talks closed without a text."),
    Result.OPEN: _("It is too recent, or still contested."),
}


@dataclass(frozen=True, slots=True)
class Participant:
    """An actor in a role in a case, perhaps through persons."""

    actor: Page
    persons: list[str]


@dataclass(frozen=True, slots=True)
class Played:
    """A case in which somebody played roles. Of a role, `others` are the actors; of an actor, the roles."""

    case: Page
    result: str
    years: str
    others: list[tuple[Page, list[str]]]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some cases had a result."""

    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Span:
    """When an operation was deployed, on a line of months from the first operation to the last date of the record."""

    whole: int
    start: int
    length: int
    label: str


def of(page: Page) -> dict[str, Any]:
    """Give what the template of a kind shows of a page of the record, by name; nothing for other kinds.

    Costs four queries for a case and an actor, three for an operation and a role.
    """
    return _SHOWN[page.kind](page) if page.kind in _SHOWN else {}


def _of_case(page: Any) -> dict[str, Any]:
    rows = _participations_in(case=page.pk)
    known = named_by_key(key for row in rows for key in row[:2])
    roles: dict[int, dict[int, Participant]] = {}
    for actor, role, person in rows:
        if actor in known and role in known:
            part = roles.setdefault(role, {}).setdefault(actor, Participant(known[actor], []))
            part.persons.extend([person] * bool(person))
    return {
        "parts": [(known[role], list(parts.values())) for role, parts in roles.items()],
        "instruments": _instruments(case=page.pk),
        "events": _events_of_case(case=page.pk),
        "meaning": MEANINGS[page.result],
    }


def _of_actor(page: Any) -> dict[str, Any]:
    memberships = _memberships(actor=page.pk)
    rows = _participations_of(actor=page.pk)
    known = named_by_key([*(row[0] for row in memberships), *(key for row in rows for key in row[:2])])
    played = _played(rows, known)
    return {
        "memberships": [(known[key], since, verified) for key, since, verified in memberships if key in known],
        "contributions": _contributions(actor=page.pk),
        "played": played,
        "tally": _tally(played),
    }


def _of_operation(page: Any) -> dict[str, Any]:
    return {
        "span": _span(page),
        "resolutions": _resolutions(operation=page.pk),
        "events": _events_of_operation(operation=page.pk),
    }


def _span(page: Any) -> Span:
    first, last = _first_and_last()[0]
    end = page.end or page.deployed_on
    months = {"first": partial_date(first[:7]), "last": partial_date(last[:7])}
    label = gettext("The line runs from %(first)s to %(last)s.") % months
    origin = _month(first)
    return Span(_month(last) - origin + 1, _month(page.start) - origin, _month(end) - _month(page.start) + 1, label)


def _month(text: str) -> int:
    """Count months; a year alone is taken at its start."""
    year, _dash, rest = text.partition("-")
    return int(year) * 12 + int(rest[:2] or 1) - 1


def _of_role(page: Any) -> dict[str, Any]:
    rows = _participations_as(role=page.pk)
    known = named_by_key(key for row in rows for key in row[:2])
    played = _played(rows, known)
    return {"played": played, "tally": _tally(played), "work": _work_of(page)}


def _work_of(page: Any) -> list[tuple[Stop, list[Page]]]:
    """Give the tasks that a role performs, by phase in the order of a peace process."""
    tasks = by_name(_tasks(role=page.pk))
    stops = named({task.phase for task in tasks})  # type: ignore[attr-defined]
    return [(stop, [task for task in tasks if task.phase == stop.phase]) for stop in stops]  # type: ignore[attr-defined]


_SHOWN: dict[str, Callable[[Any], dict[str, Any]]] = {
    Kind.CASE: _of_case,
    Kind.ACTOR: _of_actor,
    Kind.OPERATION: _of_operation,
    Kind.ROLE: _of_role,
}


def _played(rows: Iterable[tuple[int, int, str, str, int, int | None]], known: dict[int, Page]) -> list[Played]:
    """Put rows of one actor, or of one role, together by case, in their order."""
    cases: dict[int, Played] = {}
    for case, other, person, result, start, end in rows:
        if case not in known or other not in known:
            continue
        played = cases.setdefault(case, Played(known[case], str(Result(result).label), years(start, end), []))
        told = next((persons for page, persons in played.others if page.pk == other), None)
        if told is None:
            played.others.append((known[other], told := []))
        told.extend([person] * bool(person))
    return list(cases.values())


def _tally(played: Collection[Played]) -> list[Tally]:
    numbers = Counter(one.result for one in played)
    return [Tally(str(label), numbers[str(label)]) for label in Result.labels if numbers[str(label)]]


@prepared
def _participations_in(*, case: Any) -> QuerySet[Participation, tuple[int, int, str]]:
    return Participation.objects.filter(case=case).order_by("pk").values_list("actor_id", "role_id", "person")


_OF_CASE = ("person", "case__result", "case__start_year", "case__end_year")


@prepared
def _participations_of(*, actor: Any) -> QuerySet[Participation, Any]:
    rows = Participation.objects.filter(actor=actor).order_by("-case__start_year", "-case__signed", "pk")
    return rows.values_list("case_id", "role_id", *_OF_CASE)


@prepared
def _participations_as(*, role: Any) -> QuerySet[Participation, Any]:
    rows = Participation.objects.filter(role=role).order_by("-case__start_year", "-case__signed", "case", "pk")
    return rows.values_list("case_id", "actor_id", *_OF_CASE)


@prepared
def _tasks(*, role: Any) -> QuerySet[Page]:
    tasks = Page.objects.published().filter(task__performed_by=role)
    found: QuerySet[Page] = named_here(tasks.only(*NAMED)).annotate(
        phase=Coalesce("phase_set__phase", Value(Phase.ANY.value))
    )
    return found


@prepared
def _instruments(*, case: Any) -> QuerySet[Instrument]:
    return Instrument.objects.filter(case=case).order_by("pk")


@prepared
def _events_of_case(*, case: Any) -> QuerySet[Event]:
    return Event.objects.filter(cases=case).select_related("source").order_by("date", "slug")


@prepared
def _events_of_operation(*, operation: Any) -> QuerySet[Event]:
    return Event.objects.filter(operations=operation).select_related("source").order_by("date", "slug")


@prepared
def _first_and_last() -> QuerySet[Operation, tuple[str, str]]:
    operations: Any = Operation.objects.published()
    ends = operations.annotate(whole=Value(1), last=Greatest("end", "deployed_on")).order_by().values("whole")
    found: QuerySet[Operation, tuple[str, str]] = ends.annotate(first=Min("start"), latest=Max("last")).values_list(
        "first", "latest"
    )
    return found


@prepared
def _resolutions(*, operation: Any) -> QuerySet[Resolution]:
    return Resolution.objects.filter(operation=operation).order_by("pk")


@prepared
def _memberships(*, actor: Any) -> QuerySet[Membership, tuple[int, int | None, str]]:
    rows = Membership.objects.filter(actor=actor).order_by("pk")
    return rows.values_list("organization_id", "since", "verified")


@prepared
def _contributions(*, actor: Any) -> QuerySet[Contribution]:
    return Contribution.objects.filter(actor=actor).select_related("source").order_by("date", "pk")
