"""What a database must offer for searching, and the engine of the one in use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from django.db import connection
from django.db.models import QuerySet

from peacekb.models import Section

from . import postgresql, sqlite
from .wanted import Candidates, Indexed, Text, Wanted


class Engine(Protocol):
    """What a database must offer: SQLite FTS5 and PostgreSQL full text do."""

    def candidates(self, wanted: Wanted, now: datetime) -> Candidates: ...

    def texts(self, wanted: Wanted, now: datetime) -> list[Text]: ...

    def naming(self, words: Sequence[str], now: datetime, most: int) -> list[int]: ...

    def number(self, word: str, now: datetime, most: int) -> int: ...

    def holding(self, phrases: Sequence[Sequence[str]], *, or_fact: str) -> QuerySet[Section]: ...

    def alike(self, column: str, beginning: str) -> tuple[str, list[str]]: ...

    def write(self, rows: Sequence[Indexed]) -> None: ...

    def write_facts(self, facts: dict[int, str]) -> None: ...

    def mend(self) -> None: ...

    def problems(self) -> list[str]: ...


def engine() -> Engine:
    """Give the engine of the default database."""
    return postgresql if connection.vendor == "postgresql" else sqlite
