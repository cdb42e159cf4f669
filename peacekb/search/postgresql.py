"""PostgreSQL full text: a generated column of weighted words with a GIN index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Expression, F, Field, FloatField, QuerySet

from peacekb.models import SearchEntry
from peacekb.text.query import Phrase

from .wanted import Wanted

# ts_rank takes the weights of D, C, B, A: text, heading, labels and tags, title.
_WEIGHTS = "{0.4, 0.6, 0.8, 1.0}"
# The weights of the columns in which words may stand. Tokens of filters stand for no word of a query.
_WEIGHTS_OF = {"": "", "title": "A", "name": "AB"}


class _OnVector(Expression):
    """An expression on the column `vector`, which the model does not know: only PostgreSQL has it.

    It is reached through the primary key of the same row, so that it follows every alias that a query is given.
    """

    def __init__(self, template: str, query: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.row: Any = F("pk")
        self.template = template
        self.query = query

    def get_source_expressions(self) -> list[Any]:
        """Give the column by which the row is reached."""
        return [self.row]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Take the column again once Django has resolved it."""
        (self.row,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write the template with the column's full name; its one parameter is the tsquery."""
        row, _ = compiler.compile(self.row)
        table, _, _ = row.rpartition(".")
        return self.template.replace("{vector}", f'{table}."vector"'), (self.query,)


def matching(wanted: Wanted) -> QuerySet[SearchEntry]:
    """Give the entries that are as wanted."""
    query = _query(wanted)
    return _scored(query, by=_words(wanted) or query)


def holds(wanted: Wanted) -> Expression:
    """Give the condition that an entry is as wanted, for a query about entries."""
    return _holds(_query(wanted))


def _query(wanted: Wanted) -> str:
    filters = ["(" + " | ".join(tokens) + ")" for tokens in wanted.filters]
    unwanted = ["!" + _term(phrase) for phrase in wanted.without] + [f"!{token}" for token in wanted.without_filters]
    return " & ".join(part for part in (_words(wanted), *filters, *unwanted) if part)


def _words(wanted: Wanted) -> str:
    words = " & ".join(_either(phrases) for phrases in wanted.words)
    return f"(({words}) | {_either(wanted.also)})" if wanted.also else words


def _either(phrases: Iterable[Phrase]) -> str:
    return "(" + " | ".join(map(_term, phrases)) + ")"


def _term(phrase: Phrase) -> str:
    # Keys hold letters and digits only, so that no operator of tsquery can come in.
    weights = _WEIGHTS_OF[phrase.column]
    written = [f"'{word}'" + (f":{weights}" if weights else "") for word in phrase.keys]
    if phrase.beginning:
        written[-1] = f"'{phrase.keys[-1]}':*{weights}"
    return "(" + " <-> ".join(written) + ")"


def naming(words: Sequence[str]) -> QuerySet[SearchEntry]:
    """Give the entries whose title, names or tags hold at least one of the words: those of the weights A and B."""
    query = " | ".join(f"'{word}':AB" for word in words)
    return _scored(query, by=query)


def _scored(query: str, *, by: str) -> QuerySet[SearchEntry]:
    score = _OnVector(f"ts_rank('{_WEIGHTS}', {{vector}}, %s::tsquery, 1)", by, FloatField())
    return SearchEntry.objects.filter(_holds(query)).annotate(score=score)


def holding(phrases: Sequence[Sequence[str]], *, or_token: str) -> QuerySet[SearchEntry]:
    """Give the entries whose text holds all words of at least one of the phrases, or that bear a token.

    The words may stand anywhere: of a long text PostgreSQL keeps 16,383 places, and 256 of one word.
    """
    words = ["(" + " & ".join(f"'{word}'" for word in phrase) + ")" for phrase in phrases]
    return SearchEntry.objects.filter(_holds(" | ".join([*words, or_token])))


def _holds(query: str) -> _OnVector:
    return _OnVector("{vector} @@ %s::tsquery", query, BooleanField())


def create_statements() -> list[str]:
    """Give the statements that make the column and its index."""
    parts = (("title", "A"), ("labels || ' ' || tags", "B"), ("heading", "C"), ("text", "D"), ("filters", "D"))
    vector = " || ".join(f"setweight(to_tsvector('simple'::regconfig, {text}), '{weight}')" for text, weight in parts)
    return [
        "ALTER TABLE peacekb_searchentry ADD COLUMN IF NOT EXISTS vector tsvector "
        f"GENERATED ALWAYS AS ({vector}) STORED",
        "CREATE INDEX IF NOT EXISTS peacekb_searchentry_vector ON peacekb_searchentry USING gin (vector)",
    ]


def rebuild() -> None:
    """Make what is missing of the index; the column fills itself from its row."""
    missing = problems()
    with connection.cursor() as cursor:
        for statement in create_statements() if missing else ():
            cursor.execute(statement)


def problems() -> list[str]:
    """Say what of the index is missing; nothing when it is whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = 'peacekb_searchentry' AND column_name = 'vector'),"
            " (SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema()"
            " AND indexname = 'peacekb_searchentry_vector')"
        )
        columns, indexes = cursor.fetchone()
    return [
        *([] if columns else ["the column peacekb_searchentry.vector is missing"]),
        *([] if indexes else ["the index peacekb_searchentry_vector is missing"]),
    ]
