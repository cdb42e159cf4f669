"""Links that narrow or widen a list."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Choice:
    """One link: what it is called, how many texts it leads to (or `None`), and its address."""

    label: str
    number: int | None
    address: str


@dataclass(frozen=True, slots=True)
class Facet:
    """Choices of one sort, such as kinds."""

    title: str
    choices: list[Choice]


def one_of(request: HttpRequest, name: str, known: Collection[str]) -> str:
    """Read what an address narrows by, nothing where it does not. Raises `BadRequest` for what is not known."""
    value = request.GET.get(name, "")
    if value and value not in known:
        raise BadRequest(f"There is no such {name}.")
    return value
