"""The record: public cases and operations, with who took part and where, fetched whole for lists that narrow them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet, TextChoices, Value

from peacekb.models import Case, Claim, Contribution, Event, Evidence, Kind, Operation, Page, Participation, Source
from peacekb.models.prepared import prepared

from . import entries

#: What is joined to what: a table of pairs, and its two columns.
PAIRS: dict[str, tuple[type[Model], str, str]] = {
    "case countries": (Case.countries.through, "case", "actor"),
    "operation cases": (Case.operations.through, "operation", "case"),
    "operation countries": (Operation.countries.through, "operation", "actor"),
    "event cases": (Event.cases.through, "event", "case"),
    "event operations": (Event.operations.through, "event", "operation"),
}

#: Decades as an address names them, with their years.
DECADES = {f"{year}": f"{year}–{year + 9}" for year in range(1900, 2100, 10)}

Known = Mapping[int, Page]
#: Of each sort of pair, the second ones by the first.
Joined = Mapping[str, Mapping[int, list[int]]]


class Part(NamedTuple):
    """That an actor played a role in a case, perhaps through a person."""

    actor: Page
    role: Page
    person: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case, who took part in it, and the actors that are its countries."""

    page: Case
    parts: list[Part]
    countries: list[Page]

    @property
    def date(self) -> str:
        """Give the date signed, and of a case without one the last year of its talks."""
        return self.page.signed or str(self.page.end_year or self.page.start_year)


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation, and the actors in which it was."""

    page: Operation
    countries: list[Page]


def actors_and_roles() -> dict[int, Page]:
    """Give all public actors and roles by key, with the names that readers are shown. One query."""
    return {page.pk: page for page in _actors_and_roles()}


@prepared
def _actors_and_roles() -> QuerySet[Page]:
    pages = Page.objects.published().filter(kind__in=(Kind.ACTOR, Kind.ROLE))
    return entries.named_here(pages.only(*entries.NAMED).order_by())


def names(known: Known, kind: str) -> dict[str, str]:
    """Give the names of all pages of a kind by the last part of their address, A to Z."""
    return {page.slug: page.name for page in entries.by_name(page for page in known.values() if page.kind == kind)}


def labels(choices: type[TextChoices]) -> dict[str, str]:
    """Give the names of some choices by their values."""
    return {value: str(label) for value, label in choices.choices}


def joined(*sorts: str) -> Joined:
    """Give which rows are joined, drafts among them, for sorts of `PAIRS`. One query."""
    found: dict[str, dict[int, list[int]]] = {sort: defaultdict(list) for sort in sorts}
    for sort, one, other in _joined(*sorts):
        found[sort][one].append(other)
    return found


@prepared
def _joined(*sorts: str) -> QuerySet[Any, tuple[str, int, int]]:
    tables = [(Value(sort), *PAIRS[sort]) for sort in sorts]
    first, *others = [model._default_manager.values_list(sort, one, other) for sort, model, one, other in tables]
    pairs: QuerySet[Any, tuple[str, int, int]] = first.union(*others, all=True)
    return pairs


def cases(known: Known, pairs: Joined) -> list[CaseRow]:
    """Give the public cases with what is public of them, the date signed newest first. Two queries."""
    parts = defaultdict(list)
    for case, actor, role, person in _participations():
        if actor in known and role in known:
            parts[case].append(Part(known[actor], known[role], person))
    rows = [CaseRow(page, parts[page.pk], _of(known, pairs["case countries"], page)) for page in _cases()]
    return sorted(rows, key=lambda row: (row.date, row.page.slug), reverse=True)


@prepared
def _cases() -> QuerySet[Case]:
    facts = ("conflict", "region", "start_year", "end_year", "signed", "result")
    cases: QuerySet[Any] = Case.objects.published()
    found: QuerySet[Case] = entries.named_here(cases.only(*entries.NAMED, *facts).order_by())
    return found


@prepared
def _participations() -> QuerySet[Participation, tuple[int, int, int, str]]:
    return Participation.objects.order_by("pk").values_list("case", "actor", "role", "person")


def operations(known: Known, pairs: Joined) -> list[OperationRow]:
    """Give the public operations with the public ones of their countries, the first one first. One query."""
    return [OperationRow(page, _of(known, pairs["operation countries"], page)) for page in _operations()]


@prepared
def _operations() -> QuerySet[Operation]:
    facts = ("acronym", "region", "start", "end", "deployed_on")
    operations: QuerySet[Any] = Operation.objects.published()
    found: QuerySet[Operation] = entries.named_here(operations.only(*entries.NAMED, *facts).order_by("start", "slug"))
    return found


def works() -> QuerySet[Source]:
    """Give the works on which something rests that readers find: a text, a figure, an event, or evidence on a claim."""
    public = Page.objects.published()
    claims = Claim.objects.standing().filter(article__in=public)
    citing: list[QuerySet[Any]] = [
        Page.sources.through._default_manager.filter(page__in=public),
        Contribution.objects.filter(actor__in=public),
        Event.objects.all(),
        Evidence.objects.filter(claim__in=claims, source__isnull=False),
    ]
    return Source.objects.filter(reduce(or_, (Q(pk__in=rows.values("source")) for rows in citing)))


def resting_on(work: Source) -> QuerySet[Page]:
    """Give the public pages that cite a work, have a figure from it, or evidence on one of their sentences."""
    claims = Claim.objects.standing().filter(evidence__source=work)
    citing = Q(sources=work) | Q(actor__contributions__source=work) | Q(pk__in=claims.values("article"))
    return Page.objects.published().filter(citing).distinct()


def _of(known: Known, pairs: Mapping[int, Iterable[int]], page: Page) -> list[Page]:
    return entries.by_name(known[key] for key in pairs.get(page.pk, ()) if key in known)
