"""SQLite FTS5. The table follows `SearchEntry` by triggers; `rank` is bm25 with the weights that the table keeps."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import ExpressionWrapper, F, FloatField, Lookup, Q, QuerySet, TextField

from peacekb.models import FullTextRow, SearchEntry
from peacekb.text.query import Phrase

from .wanted import Wanted

TABLE = "peacekb_fulltext"
COLUMNS = ("title", "labels", "heading", "tags", "text", "filters")
_COLUMNS_OF = {"": "{title labels heading tags text}", "title": "{title}", "name": "{title labels}"}
WEIGHTS = (10.0, 6.0, 4.0, 4.0, 1.0, 0.0)
TRIGGERS = ("peacekb_fulltext_insert", "peacekb_fulltext_delete", "peacekb_fulltext_update")


@TextField.register_lookup
class Match(Lookup):
    """`terms__match="…"`: the FTS5 MATCH operator."""

    lookup_name = "match"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write `column MATCH %s`."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} MATCH {right}", (*left_params, *right_params)


def matching(wanted: Wanted) -> QuerySet[SearchEntry]:
    """Give the entries that are as wanted."""
    return _scored(_expression(wanted))


def holds(wanted: Wanted) -> Q:
    """Give the condition that an entry is as wanted, for a query about entries."""
    rows = FullTextRow.objects.filter(terms__match=_expression(wanted))
    return Q(pk__in=rows.values("pk"))


def _expression(wanted: Wanted) -> str:
    words = " AND ".join(_either(phrases) for phrases in wanted.words)
    if wanted.also:
        words = f"(({words}) OR {_either(wanted.also)})"
    filters = ["filters : (" + " OR ".join(f'"{token}"' for token in tokens) + ")" for tokens in wanted.filters]
    needed = " AND ".join(part for part in (words, *filters) if part)
    unwanted = [*map(_term, wanted.without), *(f'filters : "{token}"' for token in wanted.without_filters)]
    return f"({needed}) NOT ({' OR '.join(unwanted)})" if unwanted else needed


def _either(phrases: Iterable[Phrase]) -> str:
    return "(" + " OR ".join(map(_term, phrases)) + ")"


def _term(phrase: Phrase) -> str:
    return f"{_COLUMNS_OF[phrase.column]} : {_phrase(phrase.keys)}" + (" *" if phrase.beginning else "")


def naming(words: Sequence[str]) -> QuerySet[SearchEntry]:
    """Give the entries whose title, names or tags hold at least one of the words."""
    return _scored("{title labels tags} : (" + " OR ".join(_phrase([word]) for word in words) + ")")


def _scored(match: str) -> QuerySet[SearchEntry]:
    score = ExpressionWrapper(F("full_text__rank") * -1.0, output_field=FloatField())
    return SearchEntry.objects.filter(full_text__terms__match=match).annotate(score=score)


def holding(phrases: Sequence[Sequence[str]], *, or_token: str) -> QuerySet[SearchEntry]:
    """Give the entries whose heading or text holds at least one of the phrases, or that bear a token."""
    either = " OR ".join([*(f"{{heading text}} : {_phrase(phrase)}" for phrase in phrases), f'filters : "{or_token}"'])
    return SearchEntry.objects.filter(full_text__terms__match=either)


def _phrase(words: Sequence[str]) -> str:
    # Keys hold letters and digits only; the quotes keep "NOT", "AND" and "NEAR" from being operators.
    return '"' + " ".join(words) + '"'


def create_statements() -> list[str]:
    """Give the statements that make the table and its triggers, for mending; the migration has its own, frozen."""
    names = ", ".join(COLUMNS)
    new = ", ".join(f"new.{name}" for name in COLUMNS)
    old = ", ".join(f"old.{name}" for name in COLUMNS)
    remove = f"INSERT INTO {TABLE}({TABLE}, rowid, {names}) VALUES ('delete', old.section_id, {old});"
    add = f"INSERT INTO {TABLE}(rowid, {names}) VALUES (new.section_id, {new});"
    return [
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5({names}, content='peacekb_searchentry', "
        "content_rowid='section_id', tokenize='unicode61 remove_diacritics 0')",
        f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('rank', 'bm25({', '.join(map(str, WEIGHTS))})')",
        *drop_trigger_statements(),
        f"CREATE TRIGGER {TRIGGERS[0]} AFTER INSERT ON peacekb_searchentry BEGIN {add} END",
        f"CREATE TRIGGER {TRIGGERS[1]} AFTER DELETE ON peacekb_searchentry BEGIN {remove} END",
        f"CREATE TRIGGER {TRIGGERS[2]} AFTER UPDATE ON peacekb_searchentry BEGIN {remove} {add} END",
    ]


def drop_trigger_statements() -> list[str]:
    """Give the statements that remove the triggers."""
    return [f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS]


def rebuild() -> None:
    """Make what is missing of the index, and fill it again where it does not say what the entries say."""
    missing = problems()
    with connection.cursor() as cursor:
        for statement in create_statements() if missing else ():
            cursor.execute(statement)
        try:
            with transaction.atomic():
                # With rank 1 the check compares the index with the entries too (FTS5, 6.4).
                cursor.execute(f"INSERT INTO {TABLE}({TABLE}, rank) VALUES ('integrity-check', 1)")
        except DatabaseError:
            cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")


def problems() -> list[str]:
    """Say what of the index is missing; nothing when it is whole."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name IN (%s, %s, %s, %s)", [TABLE, *TRIGGERS])
        found = {row[0] for row in cursor.fetchall()}
        missing = [f"{name} is missing" for name in (TABLE, *TRIGGERS) if name not in found]
        if TABLE in found:
            cursor.execute(f"SELECT (SELECT count(*) FROM {TABLE}_docsize), (SELECT count(*) FROM peacekb_searchentry)")
            indexed, entries = cursor.fetchone()
            if indexed != entries:
                missing.append(f"{TABLE} holds {indexed} rows for {entries} entries")
    return missing
