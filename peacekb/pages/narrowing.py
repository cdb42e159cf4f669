"""Links that narrow or widen a list."""

from dataclasses import dataclass


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
