"""What a page of facts tells besides its text: the names by which a reader may look for it."""

from collections.abc import Iterable, Sequence
from typing import Any

from peacekb.models import Case, Instrument, Kind, Operation, Page, Participation, Resolution


def told_of(pages: Sequence[Page]) -> dict[int, list[str]]:
    """Give the words of the facts of operations and cases, by page key; none of other pages. At most eight queries."""
    found: dict[int, list[str]] = {}

    def tell(rows: Iterable[tuple[int, *tuple[str | list[str], ...]]]) -> None:
        for key, *texts in rows:
            for text in texts:
                found.setdefault(key, []).extend([text] if isinstance(text, str) else text)

    if keys := [page.pk for page in pages if page.kind == Kind.OPERATION]:
        own: Any = Operation.objects.filter(pk__in=keys)
        tell(own.values_list("pk", "acronym"))
        tell(own.filter(countries__isnull=False).order_by("pk", "countries").values_list("pk", "countries__title"))
        tell(Resolution.objects.filter(operation__in=keys).values_list("operation_id", "symbol", "agenda_item"))
    if keys := [page.pk for page in pages if page.kind == Kind.CASE]:
        cases: Any = Case.objects.filter(pk__in=keys)
        tell(cases.values_list("pk", "conflict", "parties"))
        tell(cases.filter(countries__isnull=False).order_by("pk", "countries").values_list("pk", "countries__title"))
        tell(Participation.objects.filter(case__in=keys).values_list("case_id", "actor__title", "person"))
        tell(Instrument.objects.filter(case__in=keys).values_list("case_id", "name", "place"))
    return found
