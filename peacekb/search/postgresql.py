"""PostgreSQL full text: a generated column of weighted words with a GIN index."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import BooleanField, FloatField, QuerySet
from django.db.models.expressions import RawSQL

from peacekb.models import SearchEntry

_COLUMN = '"peacekb_searchentry"."vector"'
# ts_rank takes the weights of D, C, B, A: text, heading, labels and tags, title.
_RANK = f"ts_rank('{{0.1, 0.4, 0.6, 1.0}}', {_COLUMN}, %s::tsquery, 1)"


def matching(phrases: Sequence[Sequence[str]], filters: Sequence[Sequence[str]]) -> QuerySet[SearchEntry]:
    """Give the entries that hold every phrase and one token of each filter."""
    words = " & ".join(_phrase(phrase) for phrase in phrases)
    narrowed = " & ".join(["(" + " | ".join(tokens) + ")" for tokens in filters])
    query = " & ".join(part for part in (words, narrowed) if part)
    return SearchEntry.objects.filter(_holds(query)).annotate(
        rank=RawSQL(_RANK, [words or query], output_field=FloatField())
    )


def holding(phrases: Sequence[Sequence[str]]) -> QuerySet[SearchEntry]:
    """Give the entries whose text holds at least one of the phrases."""
    return SearchEntry.objects.filter(_holds(" | ".join(_phrase(phrase) for phrase in phrases)))


def _holds(query: str) -> RawSQL:
    return RawSQL(f"{_COLUMN} @@ %s::tsquery", [query], output_field=BooleanField())


def _phrase(words: Sequence[str]) -> str:
    # Keys hold letters and digits only, so that no operator of tsquery can come in.
    return "(" + " <-> ".join(f"'{word}'" for word in words) + ")"


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
