"""Many rows at once, by the driver's `executemany`.

`bulk_create` and `bulk_update` spend most of an import on building SQL, and cannot write the rows of two tables that a
page has. No signal is sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import DateField, Field, JSONField, Model

#: Values in a query; SQLite takes three times as many.
MOST_ASKED = 10_000

Item = TypeVar("Item")


def batched(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut a sequence into pieces."""
    return (items[place : place + size] for place in range(0, len(items), size))


def reserve_keys(model: type[Model], count: int) -> Sequence[int]:
    """Give keys for so many new rows, rising; nobody else gets them. One query.

    On SQLite the transaction must hold the write lock, as all of ours do from their start.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
            cursor.execute(sequence, [table, model._meta.pk.column, count])
            return sorted(key for (key,) in cursor.fetchall())
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        (last,) = cursor.fetchone() or (0,)
        return range(last + 1, last + 1 + count)


def write_fields(rows: Sequence[Model], *names: str) -> None:
    """Write some fields of stored rows of one model. Fields that compute themselves do, if they are among them."""
    if rows:
        meta, quote = type(rows[0])._meta, connection.ops.quote_name
        fields: list[Any] = [meta.get_field(name) for name in names]
        assigned = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
        _execute(
            f"UPDATE {quote(fields[0].model._meta.db_table)} SET {assigned} "  # noqa: S608
            f"WHERE {quote(str(fields[0].model._meta.pk.column))} = %s",
            [*fields, meta.pk],
            ([*(field.pre_save(row, False) for field in fields), row.pk] for row in rows),
        )


def add_rows(rows: Sequence[Model], *, table: type[Model] | None = None) -> None:
    """Insert rows of one model; those without a key get one from the database and do not learn it.

    `table` is the base or child of which the columns are written, where a row has several.
    """
    if rows:
        model = table or type(rows[0])
        fields = [field for field in model._meta.local_concrete_fields if rows[0].pk or not field.primary_key]
        values = ([field.pre_save(row, True) for field in fields] for row in rows)
        add_values(model, [field.attname for field in fields], values)


def add_values(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, skip_known: bool = False
) -> None:
    """Insert rows that are given as the values of some attributes; none of them computes itself.

    With `skip_known`, rows that are there already are passed over.
    """
    quote = connection.ops.quote_name
    by_name = {field.attname: field for field in model._meta.local_concrete_fields}
    fields = [by_name[name] for name in names]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    signs = ", ".join(["%s"] * len(fields))
    known = " ON CONFLICT DO NOTHING" if skip_known else ""
    _execute(
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({signs}){known}",  # noqa: S608
        fields,
        rows,
    )


def _execute(sql: str, fields: "Sequence[Field[Any, Any]]", rows: Iterable[Sequence[Any]]) -> None:
    # What the driver takes as it is needs no preparation, which would cost as much as the rest.
    prepared = [(place, field) for place, field in enumerate(fields) if isinstance(field, JSONField | DateField)]
    values = list(map(list, rows))
    if not values:
        return
    for place, field in prepared:
        for row in values:
            row[place] = field.get_db_prep_save(row[place], connection)
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)
