"""SQLite FTS5. The table holds the words itself; `rank` is bm25 with the weights that the table keeps."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from peacekb.models import Section
from peacekb.text.query import Phrase

from .wanted import FACTS, MOST_HEADED, MOST_RANKED, Candidate, Candidates, Indexed, Text, Wanted

TABLE = "peacekb_fulltext"
TRIGGER = "peacekb_fulltext_delete"
TRIGGER = "peacekb_fulltext_delete"
_COLUMNS = ("title", "labels", "heading", "tags", "text", FACTS)
_WEIGHTS = (10.0, 6.0, 4.0, 4.0, 1.0, 0.0)
_WORDS = "{title labels heading tags text}"
_HEADS = "{title labels heading tags}"


def candidates(wanted: Wanted, now: datetime) -> Candidates:
    """Give the sections that are as wanted and public by a moment. One query, or up to six for very many sections.

    Numbers are measured with 500,000 sections: bm25 takes 3 µs for each section that it ranks, and first counts those
    that hold each word. So the sections with the largest keys, which are the newest, are ranked.
    """
    expression = _expression(wanted)
    public = _moment(now)
    least = _least_key(expression, MOST_RANKED)
    found = {one.section: one for one in _ranked(expression, public, least, MOST_RANKED)}
    if least is not None and wanted.words:
        heads = _expression(wanted, _HEADS)
        for one in _ranked(heads, public, _least_key(heads, MOST_RANKED), MOST_HEADED):
            found.setdefault(one.section, one)
    if wanted.also:
        exact = _keys(_expression(Wanted(wanted.words, (), wanted.facts, wanted.without)), least)
        found = {key: one._replace(exact=key in exact) for key, one in found.items()}
    if wanted.together:
        together = _keys(_expression(Wanted([[wanted.together]], (), wanted.facts, wanted.without)), least)
        found = {key: one._replace(together=key in together) for key, one in found.items()}
    return Candidates(list(found.values()), least is None)


def texts(wanted: Wanted, now: datetime) -> list[Text]:
    """Give all public pages whose first section is as wanted, in no order. One query."""
    rows = _asked(
        f"SELECT entry.page_id, entry.public_from, entry.facts FROM {TABLE} AS held JOIN peacekb_searchentry AS entry"
        f" ON entry.section_id = held.rowid WHERE {TABLE} MATCH %s AND entry.public_from <= %s",
        _expression(wanted),
        _moment(now),
    )
    return [Text(*row) for row in rows]


def _least_key(expression: str, number: int) -> int | None:
    """Give the key above which there are so many sections, `None` where there are no more."""
    rows = _asked(
        f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s ORDER BY rowid DESC LIMIT 1 OFFSET {number}", expression
    )
    return rows[0][0] if rows else None


def _ranked(expression: str, public: str, least: int | None, most: int) -> list[Candidate]:
    # The index sorts by rank only where nothing else is asked beside it.
    rows = _asked(
        "SELECT ranked.rowid, entry.page_id, entry.public_from, entry.facts, -ranked.score FROM"
        f" (SELECT rowid, rank AS score FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid > %s ORDER BY rank LIMIT {most})"
        " AS ranked JOIN peacekb_searchentry AS entry ON entry.section_id = ranked.rowid WHERE entry.public_from <= %s",
        expression,
        least or 0,
        public,
    )
    return [Candidate(*row) for row in rows]


def _keys(expression: str, least: int | None) -> set[int]:
    found = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid > %s ORDER BY rowid DESC LIMIT {MOST_RANKED}"
    return {key for (key,) in _asked(found, expression, least or 0)}


def _asked(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        return rows


def _moment(now: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(now))


def _expression(wanted: Wanted, columns: str = _WORDS) -> str:
    words = " AND ".join(_either(phrases, columns) for phrases in wanted.words)
    if wanted.also:
        words = f"(({words}) OR {_either(wanted.also, columns)})"
    needed = " AND ".join(part for part in (words, *(_either(facts, columns) for facts in wanted.facts)) if part)
    unwanted = " OR ".join(_term(phrase, _WORDS) for phrase in wanted.without)
    return f"({needed}) NOT ({unwanted})" if unwanted else needed


def _either(phrases: Iterable[Phrase], columns: str) -> str:
    return "(" + " OR ".join(_term(phrase, columns) for phrase in phrases) + ")"


def _term(phrase: Phrase, columns: str) -> str:
    return f"{phrase.column or columns} : {_phrase(phrase.keys)}" + (" *" if phrase.beginning else "")


def _phrase(words: Sequence[str]) -> str:
    # Keys hold letters and digits only; the quotes keep "NOT", "AND" and "NEAR" from being operators.
    return '"' + " ".join(words) + '"'


def naming(words: Sequence[str], now: datetime, most: int) -> list[int]:
    """Give the pages whose title, names or tags hold at least one of the words, best first. At most two queries."""
    expression = "{title labels tags} : (" + " OR ".join(_phrase([word]) for word in words) + ")"
    ranked = _ranked(expression, _moment(now), _least_key(expression, MOST_RANKED), most)
    return [one.page for one in sorted(ranked, key=lambda one: (-one.score, one.section))]


def number(word: str, now: datetime, most: int) -> int:
    """Count the public sections that hold a word, to a bound. One query."""
    rows = _asked(
        f"SELECT count(*) FROM (SELECT 1 FROM {TABLE} AS held JOIN peacekb_searchentry AS entry"
        f" ON entry.section_id = held.rowid WHERE {TABLE} MATCH %s AND entry.public_from <= %s LIMIT %s)",
        f"{_WORDS} : {_phrase([word])}",
        _moment(now),
        most,
    )
    return int(rows[0][0])


def holding(phrases: Sequence[Sequence[str]], *, or_fact: str) -> QuerySet[Section]:
    """Give the sections whose heading or text holds at least one of the phrases, or of which a fact is true."""
    held = [f"{{heading text}} : {_phrase(phrase)}" for phrase in phrases]
    either = " OR ".join([*held, f"{FACTS} : {_phrase([or_fact])}"])
    return Section.objects.filter(pk__in=RawSQL(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s", [either]))


def alike(column: str, beginning: str) -> tuple[str, list[str]]:
    """Give the condition, with its values, that a column begins so, of which SQLite can use the index."""
    return f"{column} >= %s AND {column} < %s", [beginning, beginning[:-1] + chr(ord(beginning[-1]) + 1)]


def write(rows: Sequence[Indexed]) -> None:
    """Write entries and words of sections, new or changed."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO peacekb_searchentry (section_id, page_id, public_from, facts, digest)"
            " VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (section_id) DO UPDATE SET page_id = excluded.page_id, public_from = excluded.public_from,"
            " facts = excluded.facts, digest = excluded.digest",
            [(row.section, row.page, _moment(row.public_from), row.facts, row.digest) for row in rows],
        )
        cursor.executemany(f"DELETE FROM {TABLE} WHERE rowid = %s", [(row.section,) for row in rows])
        cursor.executemany(
            f"INSERT INTO {TABLE}(rowid, {', '.join(_COLUMNS)}) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(row.section, *row.words, row.facts) for row in rows],
        )


def write_facts(facts: dict[int, str]) -> None:
    """Write the facts of sections of which the words stay."""
    with connection.cursor() as cursor:
        rows = [(written, section) for section, written in facts.items()]
        cursor.executemany(f"UPDATE {TABLE} SET {FACTS} = %s WHERE rowid = %s", rows)


def create_statements() -> list[str]:
    """Give the statements that make the table and its trigger, for mending; the migration has its own, frozen."""
    names = ", ".join(_COLUMNS)
    return [
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5({names}, tokenize='unicode61 remove_diacritics 0')",
        f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('rank', 'bm25({', '.join(map(str, _WEIGHTS))})')",
        f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON peacekb_searchentry"
        f" BEGIN DELETE FROM {TABLE} WHERE rowid = old.section_id; END",
    ]


def mend() -> None:
    """Make the index anew where a part of it is missing; no section has an entry then. Mend what contradicts itself."""
    with connection.cursor() as cursor:
        if problems():
            cursor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute("DELETE FROM peacekb_searchentry")
            for statement in create_statements():
                cursor.execute(statement)
        try:
            with transaction.atomic():
                cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('integrity-check')")
        except DatabaseError:
            cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")


def problems() -> list[str]:
    """Say what of the index is missing; nothing when it is whole."""
    found = {name for (name,) in _asked("SELECT name FROM sqlite_master WHERE name IN (%s, %s)", TABLE, TRIGGER)}
    missing = [f"{name} is missing" for name in (TABLE, TRIGGER) if name not in found]
    if TABLE in found:
        ((indexed, entries),) = _asked(
            f"SELECT (SELECT count(*) FROM {TABLE}_docsize), (SELECT count(*) FROM peacekb_searchentry)"
        )
        if indexed != entries:
            missing.append(f"{TABLE} holds {indexed} rows for {entries} entries")
    return missing
