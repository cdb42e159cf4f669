"""Queries whose SQL is composed once a process.

Of the time that a page's queries take, nine tenths went into composing the same SQL each time.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextvars import ContextVar
from copy import copy
from datetime import datetime
from functools import wraps
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import Expression, Field, QuerySet
from django.utils import timezone
from django.utils.translation import get_language

_Row = TypeVar("_Row", covariant=True)
_MOMENT = "moment"
_is_composing = ContextVar("is_composing", default=False)


class Given(Expression):
    """The place in a prepared query for a value that is put in when it runs."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Give the sign of a parameter, and this as what stands for its value."""
        return "%s", [self]

    def adapted(self, value: Any, connection: Any) -> Any:
        """Give the value as the driver takes it."""
        return connection.ops.adapt_unknown_value(value)


class AnyOf(Given):
    """The place for values of any number, as in `pk__in=AnyOf(keys)`, where `keys` is what composing was given.

    They are keys, or what `of` names as PostgreSQL does.
    """

    def __init__(self, given: Given, of: str = "bigint") -> None:
        super().__init__(given.name)
        self._of = of

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Give the values as rows of one column."""
        rows = f"unnest(%s::{self._of}[])" if connection.vendor == "postgresql" else "value FROM json_each(%s)"
        return f"(SELECT {rows})", [self]

    def adapted(self, value: Any, connection: Any) -> Any:
        """Give the values as the driver takes them, all in one."""
        return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))


def moment() -> datetime | Given:
    """Give the time to compare dates with: now, or in a prepared query the moment at which it runs."""
    return Given(_MOMENT) if _is_composing.get() else timezone.now()


def prepared(compose: Callable[..., QuerySet[Any, _Row]]) -> Callable[..., list[_Row]]:
    """Turn a function that gives a queryset into one that gives its rows and composes the SQL only once. One query.

    Arguments by position shape the query, such as a kind or how many rows; the SQL of each combination is kept, so
    there must be few. Arguments by name are values, put in whenever it runs: composing sees a `Given` in their place,
    and so they may only be compared with. The language of the page shapes every query.
    """
    known: dict[Hashable, _Prepared[_Row]] = {}

    @wraps(compose)
    def run(*shape: Hashable, **given: Any) -> list[_Row]:
        key = (get_language(), *shape)
        if key not in known:
            known[key] = _Prepared(compose, shape, given)
        return known[key].rows({**given, _MOMENT: timezone.now()})

    return run


class _Prepared(Generic[_Row]):
    """A queryset with its SQL: Django makes the rows of it, as it does of any other."""

    def __init__(
        self, compose: Callable[..., QuerySet[Any, _Row]], shape: tuple[Hashable, ...], names: Iterable[str]
    ) -> None:
        composing = _is_composing.set(True)
        try:
            self._queryset = compose(*shape, **{name: Given(name) for name in names})
            self._compiler = self._queryset.query.get_compiler(self._queryset.db)
            self._sql, self._params = self._compiler.as_sql()
        finally:
            _is_composing.reset(composing)

    def rows(self, given: Mapping[str, Any]) -> list[_Row]:
        # Each run has its own, for a connection belongs to a thread.
        compiler: Any = copy(self._compiler)
        compiler.connection = connections[self._queryset.db]
        params = [
            one.adapted(given[one.name], compiler.connection) if isinstance(one, Given) else one for one in self._params
        ]
        compiler.as_sql = lambda: (self._sql, params)
        queryset: Any = self._queryset.all()
        queryset.query.get_compiler = lambda using: compiler
        return list(queryset)
