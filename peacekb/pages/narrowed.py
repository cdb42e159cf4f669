"""The facts of the index by which searches and lists of tagged texts are narrowed."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from peacekb import search
from peacekb.models import Kind, Language, Page, Phase
from peacekb.search.facts import YEARS

from . import entries
from .narrowing import Choice, Facet, one_of

MOST_CHOICES = 30

#: Label, number of texts, and what the address gets.
Row = tuple[Any, int, Any]


@dataclass(frozen=True, kw_only=True)
class Narrowed(ABC):
    """What narrows texts by their facts in the index. Facts that are empty narrow nothing."""

    kind: str = ""
    phase: str = ""
    role: Page | None = None
    language: str = ""
    year: str = ""

    @abstractmethod
    def address(self, **changes: Any) -> str:
        """Give the address of the first page, changed in some respects."""

    @staticmethod
    def facts_in(request: HttpRequest) -> dict[str, Any]:
        """Read the facts of an address. One query where it names a role.

        Raises `BadRequest` for an unknown kind, phase, language or year, `Http404` for a role that nobody can read.
        """
        return {
            "kind": one_of(request, "kind", Kind.values),
            "phase": one_of(request, "phase", Phase.values),
            "role": _role(request.GET.get("role", "").replace("\x00", " ")),
            "language": one_of(request, "lang", Language.values),
            "year": one_of(request, "year", [str(year) for year in YEARS]),
        }

    @property
    def parameters(self) -> dict[str, str]:
        """Give the facts as an address has them."""
        role = self.role.slug if self.role else ""
        named = {"kind": self.kind, "phase": self.phase, "role": role, "lang": self.language, "year": self.year}
        return {name: value for name, value in named.items() if value}

    @property
    def narrowed_by(self) -> search.Filters:
        """Give the facts as the index is asked for them."""
        role = self.role.pk if self.role else None
        return {"kind": self.kind, "phase": self.phase, "role": role, "language": self.language, "year": self.year}

    def facts_set(self) -> list[Choice]:
        """Give the facts that are set, each with the address that takes it off."""
        told = {
            "kind": str(Kind(self.kind).label) if self.kind else "",
            "phase": str(Phase(self.phase).label) if self.phase else "",
            "role": _("a mention of %(value)s") % {"value": self.role.name} if self.role else "",
            "language": str(Language(self.language).label) if self.language else "",
            "year": self.year,
        }
        return [
            Choice(label, None, self.address(**{name: None if name == "role" else ""}))
            for name, label in told.items()
            if label
        ]

    def facets_of_facts(
        self, counted: Mapping[str, Counter[str]], found: int, *, closed: Collection[str] = ()
    ) -> list[Facet]:
        """Give the choices that keep some, not all, of the texts found; `counted` is what `search.counted` gives.

        None of a fact that is set already, or is among `closed`. At most one query.
        """

        def rows(fact: str) -> list[tuple[str, int]]:
            is_closed = fact in closed or fact in self.parameters
            return [] if is_closed else [row for row in counted[fact].most_common() if row[1] < found]

        phases = sorted(rows("phase"), key=lambda row: Phase.values.index(row[0]))
        numbers = {int(key): number for key, number in rows("role")[:MOST_CHOICES]}
        roles = entries.named_by_key(numbers).values()
        return [
            self.facet(_("Kind"), "kind", commonest_first((Kind(one).label, n, one) for one, n in rows("kind"))),
            self.facet(_("Phase"), "phase", ((Phase(one).label, n, one) for one, n in phases)),
            self.facet(_("Mentioned role"), "role", commonest_first((one.name, numbers[one.pk], one) for one in roles)),
            self.facet(
                _("Language"), "language", commonest_first((Language(one).label, n, one) for one, n in rows("lang"))
            ),
            self.facet(_("Year"), "year", ((one, n, one) for one, n in sorted(rows("year"), reverse=True))),
        ]

    def facet(self, title: str, name: str, rows: Iterable[Row]) -> Facet:
        """Give the choices of one sort; `name` is what of the address each changes."""
        shown = islice(rows, MOST_CHOICES)
        return Facet(
            title, [Choice(str(label), number, self.address(**{name: value})) for label, number, value in shown]
        )


def commonest_first(rows: Iterable[Row]) -> list[Row]:
    """Give label, number and value of choices in order, of equals A to Z."""
    return sorted(rows, key=lambda row: (-row[1], entries.sort_key(str(row[0]))))


def _role(slug: str) -> Page | None:
    """Give the role of an address. Raises `Http404` where there is none. One query."""
    if not slug:
        return None
    roles = Page.objects.published().filter(kind=Kind.ROLE, slug=slug)
    role: Page | None = entries.named_here(roles.only("kind", "slug", "title")).first()
    if role is None:
        raise Http404(f"There is no role “{slug}”.")
    return role
