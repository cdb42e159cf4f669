"""The phase line: one row of stops from prevention to reconstruction."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from peacekb.languages import address_of
from peacekb.models import Kind, Mention, Page, PagePhase, Phase
from peacekb.models.prepared import prepared

#: The stops of the line; `any` is not one of them.
LINE = tuple(phase for phase in Phase if phase is not Phase.ANY)

_ONE_LINE: dict[str, Promise] = {
    Phase.PREVENTION: _("Keeping a dispute from turning into violence."),
    Phase.MEDIATION: _("Bringing the parties to talk and to agree."),
    Phase.CEASEFIRE: _("Stopping the fighting and watching that it holds."),
    Phase.TRANSITION: _("From an agreement to a working order."),
    Phase.RECONSTRUCTION: _("Rebuilding institutions, services and livelihoods."),
    Phase.ANY: _("What belongs to every phase."),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the line. `counts` says what there is to read, where that was asked."""

    phase: str
    label: str
    address: str
    text: str
    covered: bool = False
    counts: str = ""


def stop(phase: Phase, *, covered: bool = False, counts: str = "") -> Stop:
    """Make the stop of one phase."""
    address = address_of("pages:phase", phase.value)
    return Stop(phase.value, str(phase.label), address, str(_ONE_LINE[phase]), covered, counts)


def line(covered: Collection[str] = ()) -> tuple[Stop, ...]:
    """Give all stops, those in `covered` filled. No query."""
    return _line(frozenset(covered), get_language())


@cache
def _line(covered: frozenset[str], _language: str | None) -> tuple[Stop, ...]:
    return tuple(stop(phase, covered=phase.value in covered) for phase in LINE)


def line_with_counts() -> list[Stop]:
    """Give all stops with what each holds: "1 article · 2 roles". Two queries."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for phase, kind, number in _entries_by_phase():
        counts[phase][kind] = number
    for phase, number in _articles_by_phase():
        counts[phase][Kind.ARTICLE] = number
    return [stop(phase, covered=True, counts=_told(counts[phase.value])) for phase in LINE]


@prepared
def _entries_by_phase() -> QuerySet[PagePhase, tuple[str, str, int]]:
    entries = PagePhase.objects.filter(page__in=Page.objects.published()).values_list("phase", "page__kind")
    return entries.annotate(number=Count("pk")).order_by()


@prepared
def _articles_by_phase() -> QuerySet[Mention, tuple[str, int]]:
    return (
        Mention.objects.public()
        .filter(section__page__kind=Kind.ARTICLE, linked=True)
        .values_list("target__phase_set__phase")
        .annotate(number=Count("section__page", distinct=True))
        .order_by()
    )


def articles_in(phase: str) -> QuerySet[Page]:
    """Give the published articles that link a page of a phase, newest first: articles have no phase of their own."""
    linking = Mention.objects.filter(linked=True, target__in=Page.objects.published().in_phase(phase))
    articles = Page.objects.published().filter(kind=Kind.ARTICLE, pk__in=linking.values("section__page"))
    return articles.order_by("-published_at", "title")


def belongs(phase: str) -> Q:
    """Give the condition that a page is of a phase: an entry that has it, or an article that links one of those."""
    entries = PagePhase.objects.filter(phase=phase).values("page")
    return Q(pk__in=entries) | Q(pk__in=articles_in(phase).order_by().values("pk"))


def named(phases: Collection[str]) -> list[Stop]:
    """Give the stops of some phases in their order, `any` last."""
    return [stop(phase) for phase in Phase if phase.value in phases]


def _told(numbers: dict[str, int]) -> str:
    parts = [
        ngettext("%(number)s article", "%(number)s articles", numbers.get(Kind.ARTICLE, 0)),
        ngettext("%(number)s concept", "%(number)s concepts", numbers.get(Kind.CONCEPT, 0)),
        ngettext("%(number)s role", "%(number)s roles", numbers.get(Kind.ROLE, 0)),
        ngettext("%(number)s task", "%(number)s tasks", numbers.get(Kind.TASK, 0)),
    ]
    kinds = (Kind.ARTICLE, Kind.CONCEPT, Kind.ROLE, Kind.TASK)
    told = [part % {"number": numbers[kind]} for part, kind in zip(parts, kinds, strict=True) if numbers.get(kind)]
    told = [part.replace(" ", "\N{NO-BREAK SPACE}") for part in told]
    return " · ".join(told)
