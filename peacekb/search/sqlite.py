"""SQLite FTS5 finds, and what it found is ranked here: its own `bm25` first counts all sections that hold a word, which
takes 0.1 s where they are half of 500,000.

The table holds no words, only where they stand: to take a section out, FTS5 must be told again what it was given. So
each entry has its words, compressed, in a column that Django does not know, and a trigger keeps those of an entry that
goes until something is written next.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from peacekb.models import Section
from peacekb.text.query import Phrase

from .bm25 import Ranking, packed, stands, unpacked
from .wanted import FACTS, MOST_HEADED, MOST_RANKED, Candidate, Candidates, Indexed, Text, Wanted

TABLE = "peacekb_fulltext"
TRIGGER = "peacekb_fulltext_delete"
#: What the table still holds of sections without an entry.
OUTDATED = "peacekb_outdated"
_COLUMNS = ("title", "labels", "heading", "tags", "text", FACTS)
_WEIGHTS = (1e-9, 10, 6, 4, 4, 1)  # of the columns, facts first: they are no words to rank by
_WORDS = "{title labels heading tags text}"
_HEADS = "{title labels heading tags}"
_BATCH = 1_000


def candidates(wanted: Wanted, now: datetime) -> Candidates:
    """Give the sections that are as wanted and public by a moment. Two queries, or three for very many sections.

    Of very many those with the largest keys are ranked, which are the newest.
    """
    found = _found(_expression(wanted), MOST_RANKED + 1)
    whole = len(found) <= MOST_RANKED
    if not whole and wanted.words:
        found = found[:MOST_RANKED]
        known = {row.section for row in found}
        found += [row for row in _found(_expression(wanted, _HEADS), MOST_HEADED) if row.section not in known]
    return Candidates(_ranked(found, wanted, now), whole)


def texts(wanted: Wanted, now: datetime) -> list[Text]:
    """Give all public pages whose first section is as wanted, in no order. One query."""
    rows = _asked(
        f"SELECT entry.page_id, entry.public_from, entry.facts FROM {TABLE} AS held JOIN peacekb_searchentry AS entry"
        f" ON entry.section_id = held.rowid WHERE {TABLE} MATCH %s AND entry.public_from <= %s",
        _expression(wanted),
        _moment(now),
    )
    return [Text(*row) for row in rows]


class _Row(NamedTuple):
    section: int
    page: int
    public_from: str
    facts: str
    words: bytes


def _found(expression: str, most: int) -> list[_Row]:
    rows = _asked(
        # As text: compared as it is stored, a moment need not be read.
        "SELECT entry.section_id, entry.page_id, CAST(entry.public_from AS text), entry.facts, entry.words"
        f" FROM (SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s ORDER BY rowid DESC LIMIT {most}) AS found"
        " JOIN peacekb_searchentry AS entry ON entry.section_id = found.rowid",
        expression,
    )
    return [_Row(*row) for row in rows]


def _ranked(found: Iterable[_Row], wanted: Wanted, now: datetime) -> list[Candidate]:
    moment = _moment(now)
    public = [row for row in found if row.public_from <= moment]
    sections = [b" %b \n%b" % (row.facts.encode(), zlib.decompress(row.words)) for row in public]
    # Counting all takes as long as finding; hardly a key is without its section.
    ((last,),) = _asked("SELECT max(section_id) FROM peacekb_searchentry")
    ranking = Ranking(sections, chain.from_iterable([*wanted.words, wanted.also]), _WEIGHTS, among=last or 0)
    together = [wanted.together is not None and stands(wanted.together, section) for section in sections]
    ranked = zip(public, ranking.scores(), ranking.holding(wanted.words), together, strict=True)
    return [Candidate(*row[:4], score, exact, side_by_side) for row, score, exact, side_by_side in ranked]


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
    """Give the pages whose title, names or tags hold at least one of the words, best first. Two queries."""
    phrases = [Phrase((word,)) for word in words]
    found = _found(_either(phrases, "{title labels tags}"), MOST_RANKED)
    ranked = _ranked(found, Wanted([phrases]), now)
    return [one.page for one in sorted(ranked, key=lambda one: (-one.score, one.section))][:most]


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
    _take_out([row.section for row in rows])
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO peacekb_searchentry (section_id, page_id, public_from, facts, digest, words)"
            " VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (section_id) DO UPDATE SET page_id = excluded.page_id, public_from = excluded.public_from,"
            " facts = excluded.facts, digest = excluded.digest, words = excluded.words",
            [
                (*row[:2], _moment(row.public_from), row.facts, row.digest, zlib.compress(packed(row.words)))
                for row in rows
            ],
        )
        cursor.executemany(_PUT_IN, [(row.section, *row.words, row.facts) for row in rows])


def write_facts(facts: dict[int, str]) -> None:
    """Write the facts of sections of which the words stay."""
    words = _take_out(facts)
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE peacekb_searchentry SET facts = %s WHERE section_id = %s",
            [(written, section) for section, written in facts.items()],
        )
        cursor.executemany(_PUT_IN, [(section, *words[section], written) for section, written in facts.items()])


_PUT_IN = f"INSERT INTO {TABLE} (rowid, {', '.join(_COLUMNS)}) VALUES (%s, %s, %s, %s, %s, %s, %s)"
_TAKE_OUT = f"INSERT INTO {TABLE} ({TABLE}, rowid, {', '.join(_COLUMNS)}) VALUES ('delete', %s, %s, %s, %s, %s, %s, %s)"


def _take_out(sections: Collection[int]) -> dict[int, list[str]]:
    """Take sections out of the table, and all that have no entry any more; give the words of those that have one."""
    with connection.cursor() as cursor:
        while outdated := _asked(f"SELECT rowid, section_id, words, facts FROM {OUTDATED} LIMIT {_BATCH}"):
            cursor.executemany(_TAKE_OUT, [_as_put_in(*row) for _, *row in outdated])
            cursor.executemany(f"DELETE FROM {OUTDATED} WHERE rowid = %s", [row[:1] for row in outdated])
        stored = [
            _as_put_in(*row)
            for row in _asked(
                "SELECT section_id, words, facts FROM peacekb_searchentry"
                " WHERE section_id IN (SELECT value FROM json_each(%s))",
                json.dumps(list(sections)),
            )
        ]
        cursor.executemany(_TAKE_OUT, stored)
    return {section: columns for section, *columns, _ in stored}


def _as_put_in(section: int, words: bytes, facts: str) -> tuple[Any, ...]:
    return section, *unpacked(zlib.decompress(words)), facts


def create_statements() -> list[str]:
    """Give the statements that make the tables and the trigger, for mending; the migration has its own, frozen."""
    return [
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5({', '.join(_COLUMNS)}, content='',"
        " tokenize='unicode61 remove_diacritics 0')",
        f"CREATE TABLE {OUTDATED} (section_id integer NOT NULL, words blob NOT NULL, facts text NOT NULL)",
        f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON peacekb_searchentry BEGIN"
        f" INSERT INTO {OUTDATED} (section_id, words, facts) VALUES (old.section_id, old.words, old.facts); END",
    ]


def mend() -> None:
    """Make the index anew where a part of it is missing or contradicts itself; no section has an entry then."""
    if problems() or not _is_sound():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")
            cursor.execute(f"DROP TABLE IF EXISTS {OUTDATED}")
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute("DELETE FROM peacekb_searchentry")
            if not _has_words():
                cursor.execute("ALTER TABLE peacekb_searchentry ADD COLUMN words blob")
            for statement in create_statements():
                cursor.execute(statement)


def _is_sound() -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('integrity-check')")
    except DatabaseError:
        return False
    return True


def _has_words() -> bool:
    return bool(_asked("SELECT 1 FROM pragma_table_info('peacekb_searchentry') WHERE name = 'words'"))


def problems() -> list[str]:
    """Say what of the index is missing; nothing when it is whole."""
    parts = (TABLE, OUTDATED, TRIGGER)
    there = {name for (name,) in _asked("SELECT name FROM sqlite_master WHERE name IN (%s, %s, %s)", *parts)}
    missing = [f"{name} is missing" for name in parts if name not in there]
    if not _has_words():
        missing.append("the column peacekb_searchentry.words is missing")
    if not missing:
        ((indexed, entries),) = _asked(
            f"SELECT (SELECT count(*) FROM {TABLE}_docsize),"
            f" (SELECT count(*) FROM peacekb_searchentry) + (SELECT count(*) FROM {OUTDATED})"
        )
        if indexed != entries:
            missing.append(f"{TABLE} holds {indexed} rows for {entries} entries")
    return missing
