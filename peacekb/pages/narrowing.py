"""Links that narrow or widen a list."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest

_MOST_CHOICES = 12
Row = TypeVar("Row")
#: What an address narrows by: parameter → value.
Chosen = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """One link: what it is called, how many texts it leads to (or `None`), and its address."""

    label: str
    number: int | None
    address: str


@dataclass(frozen=True, slots=True)
class Facet:
    """Choices of one sort, such as kinds; `more` are those that a long list shows when asked."""

    title: str
    choices: list[Choice]
    more: list[Choice] = field(default_factory=list)


def one_of(request: HttpRequest, name: str, known: Collection[str]) -> str:
    """Read what an address narrows by, nothing where it does not. Raises `BadRequest` for what is not known."""
    value = request.GET.get(name, "")
    if value and value not in known:
        raise BadRequest(f"There is no such {name}.")
    return value


@dataclass(frozen=True, slots=True)
class Way(Generic[Row]):
    """One way to narrow rows: a parameter of the address, and the values of it that a row has.

    `names` has every value that an address may ask for, in the order of the choices, or `by_number` the commonest
    first. `values` is told what else is chosen, since a row may have a value only together with another one.
    """

    parameter: str
    title: str
    names: Mapping[str, str]
    values: Callable[[Row, Chosen], Collection[str]]
    by_number: bool = False


@dataclass(frozen=True, slots=True)
class Narrowing(Generic[Row]):
    """What an address asks of a list whose rows are all at hand. `kept` are its other parameters, such as the order."""

    place: str
    ways: Sequence[Way[Row]]
    chosen: Chosen
    kept: Chosen

    @classmethod
    def from_request(cls, request: HttpRequest, ways: Sequence[Way[Row]], **kept: str) -> Self:
        """Read the address. Raises `BadRequest` for a value that no row could have."""
        asked = {way.parameter: one_of(request, way.parameter, way.names) for way in ways}
        return cls(request.path, ways, {name: value for name, value in asked.items() if value}, kept)

    def query(self, **changes: str) -> str:
        """Give the part of the address that narrows, changed in some respects, with its question mark."""
        values = {**self.chosen, **self.kept, **changes}
        written = urlencode({name: value for name, value in values.items() if value})
        return f"?{written}" if written else ""

    def address(self, **changes: str) -> str:
        """Give the address of the first page, changed in some respects."""
        return f"{self.place}{self.query(**changes)}"

    def orders(self, names: Mapping[str, str]) -> list[Choice]:
        """Give the orders of the list by their names, each with its address; the first one needs no parameter."""
        first = next(iter(names))
        return [Choice(name, None, self.address(sort="" if sort == first else sort)) for sort, name in names.items()]

    def found(self, rows: Iterable[Row]) -> list[Row]:
        """Give the rows that have all that was chosen."""
        return self._found(rows, self.chosen)

    def filters(self) -> list[Choice]:
        """Give what is chosen, each with the address that takes it off."""
        chosen = [way for way in self.ways if way.parameter in self.chosen]
        return [
            Choice(way.names[self.chosen[way.parameter]], None, self.address(**{way.parameter: ""})) for way in chosen
        ]

    def switch(self, parameter: str, rows: Iterable[Row], everything: str) -> list[Choice]:
        """Give one way as a row of links, first that to everything; it stays when one is chosen, and none is dead."""
        way = next(way for way in self.ways if way.parameter == parameter)
        left, numbers = self._counted(way, rows)
        choices = [Choice(everything, len(left), self.address(**{parameter: ""}))]
        return choices + self._choices(way, numbers, [value for value in way.names if numbers[value]])

    def facets(self, rows: Sequence[Row], *, but: Collection[str] = ()) -> list[Facet]:
        """Give the choices, each with how many of all rows it leads to under the other filters; none leads to nothing.

        Of what is chosen the other values are offered, instead of it.
        """
        facets = [self._facet(way, rows) for way in self.ways if way.parameter not in but]
        return [facet for facet in facets if facet.choices]

    def _facet(self, way: Way[Row], rows: Iterable[Row]) -> Facet:
        left, numbers = self._counted(way, rows)
        chosen = self.chosen.get(way.parameter)
        # What all rows have narrows nothing, unless it is another value than the one chosen.
        offered = [value for value in way.names if value != chosen and 0 < numbers[value] < len(left) + bool(chosen)]
        if way.by_number:
            offered.sort(key=lambda value: -numbers[value])
        choices = self._choices(way, numbers, offered)
        return Facet(way.title, choices[:_MOST_CHOICES], choices[_MOST_CHOICES:])

    def _counted(self, way: Way[Row], rows: Iterable[Row]) -> tuple[list[Row], "Counter[str]"]:
        others = {name: value for name, value in self.chosen.items() if name != way.parameter}
        left = self._found(rows, others)
        return left, Counter(value for row in left for value in set(way.values(row, others)))

    def _choices(self, way: Way[Row], numbers: Mapping[str, int], values: Iterable[str]) -> list[Choice]:
        return [Choice(way.names[value], numbers[value], self.address(**{way.parameter: value})) for value in values]

    def _found(self, rows: Iterable[Row], chosen: Chosen) -> list[Row]:
        asked = [(way, chosen[way.parameter]) for way in self.ways if way.parameter in chosen]
        return [row for row in rows if all(value in way.values(row, chosen) for way, value in asked)]
