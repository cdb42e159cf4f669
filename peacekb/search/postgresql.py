"""PostgreSQL full text: a column of weighted words with a GIN index. Django does not know it; only this room does."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from peacekb.models import Section
from peacekb.text.query import Phrase

from .wanted import FACTS, MOST_HEADED, MOST_RANKED, Candidate, Candidates, Indexed, Text, Wanted

Term = Callable[[Phrase, str], str]
# ts_rank takes the weights of D, C, B, A: text, heading, labels and tags, title.
_WEIGHTS = "{0.4, 0.6, 0.8, 1.0}"
_HEADS = "ABC"
_NAMES = "AB"
# A word of title, labels, heading or tags stands in the vector with this sign, too: GIN knows no weights, and to look
# for them in the vector of each section with the word takes seconds. No key has it.
_HEAD = "@"
_WORDS = " || ".join(
    [
        # title, labels, heading, tags, text, facts
        *(f"setweight(to_tsvector('simple', %s), '{weight}')" for weight in ("A", "B", "C", "B", "D", "D")),
        "array_to_tsvector(%s::text[])",
    ]
)
# To look into a vector is not the work of an addition, as PostgreSQL believes: it would go through all sections, the
# newest first, rather than ask the index for a word that stands in one of thirty. The setting ends with the statement
# behind it, for both are sent as one.
_COSTLY = "SELECT set_config('cpu_operator_cost', '0.1', true)"


def candidates(wanted: Wanted, now: datetime) -> Candidates:
    """Give the sections that are as wanted and public by a moment. One query, or two for very many sections."""
    found, whole = _ranked(wanted, "", now, MOST_RANKED)
    if not whole and wanted.words:
        known = {one.section for one in found}
        heads, _ = _ranked(wanted, _HEADS, now, MOST_HEADED)
        found += [one for one in heads if one.section not in known]
    return Candidates(found, whole)


def texts(wanted: Wanted, now: datetime) -> list[Text]:
    """Give all public pages whose first section is as wanted, in no order. One query."""
    rows = _asked(
        "SELECT page_id, public_from, facts FROM peacekb_searchentry WHERE vector @@ %s::tsquery AND public_from <= %s",
        _query(wanted, ""),
        now,
    )
    return [Text(*row) for row in rows]


def _ranked(wanted: Wanted, weights: str, now: datetime, most: int) -> tuple[list[Candidate], bool]:
    """Rank the newest sections; ranking takes longer than finding. Facts are no words to rank by."""
    query = _query(wanted, weights)
    by = _words(wanted, weights) or query
    exact = _words(Wanted(wanted.words), weights) if wanted.also else by
    together = _term(wanted.together, weights) if wanted.together else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_COSTLY}; WITH held AS MATERIALIZED (SELECT section_id, page_id, public_from, facts, vector"
            " FROM peacekb_searchentry WHERE vector @@ %s::tsquery AND public_from <= %s"
            " ORDER BY section_id DESC LIMIT %s)"
            f" SELECT section_id, page_id, public_from, facts, ts_rank('{_WEIGHTS}', vector, %s::tsquery, 1),"
            " vector @@ %s::tsquery, vector @@ %s::tsquery FROM held",
            [query, now, most + 1, by, exact, together],
        )
        cursor.nextset()  # the first is that of the setting
        rows = cursor.fetchall()
    return [Candidate(*row) for row in rows[:most]], len(rows) <= most


def _asked(sql: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        return rows


def _query(wanted: Wanted, weights: str) -> str:
    heads = _words(wanted, weights, _head) if weights else ""
    facts = [_either(facts, weights) for facts in wanted.facts]
    unwanted = ["!" + _term(phrase, "") for phrase in wanted.without]
    return " & ".join(part for part in (heads, _words(wanted, weights), *facts, *unwanted) if part)


def _words(wanted: Wanted, weights: str, term: Term | None = None) -> str:
    words = " & ".join(_either(phrases, weights, term) for phrases in wanted.words)
    return f"(({words}) | {_either(wanted.also, weights, term)})" if wanted.also else words


def _either(phrases: Iterable[Phrase], weights: str, term: Term | None = None) -> str:
    return "(" + " | ".join((term or _term)(phrase, weights) for phrase in phrases) + ")"


def _term(phrase: Phrase, weights: str) -> str:
    # Keys hold letters and digits only, so that no operator of tsquery can come in.
    weights = "" if phrase.column == FACTS else weights
    written = [f"'{word}'" + (f":{weights}" if weights else "") for word in phrase.keys]
    if phrase.beginning:
        written[-1] = f"'{phrase.keys[-1]}':*{weights}"
    return "(" + " <-> ".join(written) + ")"


def _head(phrase: Phrase, weights: str) -> str:
    """Give what is true of each section that has the phrase in its head, and asks the index alone."""
    if phrase.column == FACTS:
        return _term(phrase, weights)
    written = [f"'{_HEAD}{word}'" for word in phrase.keys]
    return "(" + " & ".join(written) + (":*" if phrase.beginning else "") + ")"


def naming(words: Sequence[str], now: datetime, most: int) -> list[int]:
    """Give the pages whose title, names or tags (weights A and B) hold at least one of the words, best first.

    One query.
    """
    wanted = Wanted([[Phrase((word,)) for word in words]])
    ranked, _ = _ranked(wanted, _NAMES, now, MOST_RANKED)
    return [one.page for one in sorted(ranked, key=lambda one: (-one.score, one.section))][:most]


def number(word: str, now: datetime, most: int) -> int:
    """Count the public sections that hold a word, to a bound. One query."""
    rows = _asked(
        "SELECT count(*) FROM (SELECT 1 FROM peacekb_searchentry"
        " WHERE vector @@ %s::tsquery AND public_from <= %s LIMIT %s) AS held",
        f"'{word}'",
        now,
        most,
    )
    return int(rows[0][0])


def holding(phrases: Sequence[Sequence[str]], *, or_fact: str) -> QuerySet[Section]:
    """Give the sections whose text holds all words of at least one of the phrases, or of which a fact is true.

    The words may stand anywhere: of a long text PostgreSQL keeps 16,383 places, and 256 of one word.
    """
    words = ["(" + " & ".join(f"'{word}'" for word in phrase) + ")" for phrase in phrases]
    either = " | ".join([*words, f"'{or_fact}'"])
    found = RawSQL("SELECT section_id FROM peacekb_searchentry WHERE vector @@ %s::tsquery", [either])
    return Section.objects.filter(pk__in=found)


def alike(column: str, beginning: str) -> tuple[str, list[str]]:
    """Give the condition, with its values, that a column begins so; its index is one for patterns."""
    return f"{column} LIKE %s", [f"{beginning}%"]


def write(rows: Sequence[Indexed]) -> None:
    """Write entries and words of sections, new or changed."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO peacekb_searchentry (section_id, page_id, public_from, facts, digest, vector)"
            f" VALUES (%s, %s, %s, %s, %s, {_WORDS})"
            " ON CONFLICT (section_id) DO UPDATE SET page_id = excluded.page_id, public_from = excluded.public_from,"
            " facts = excluded.facts, digest = excluded.digest, vector = excluded.vector",
            [(*row[:5], *row.words, row.facts, _heads(row)) for row in rows],
        )


def _heads(row: Indexed) -> list[str]:
    words = " ".join((row.title, row.labels, row.heading, row.tags)).split()
    return [f"{_HEAD}{word}" for word in dict.fromkeys(words)]


def write_facts(facts: dict[int, str]) -> None:
    """Write the facts of sections of which the words stay. Tokens of facts are no words."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE peacekb_searchentry SET facts = %s, vector = ts_delete(vector, array(SELECT word FROM"
            " unnest(tsvector_to_array(vector)) AS word WHERE word LIKE 'zz%%')) || to_tsvector('simple', %s)"
            " WHERE section_id = %s",
            [(written, written, section) for section, written in facts.items()],
        )


def create_statements() -> list[str]:
    """Give the statements that make the column and its index, for mending; the migration has its own, frozen."""
    return [
        "ALTER TABLE peacekb_searchentry ADD COLUMN IF NOT EXISTS vector tsvector",
        # In the row itself: to fetch one that is stored apart takes longer than to rank it.
        "ALTER TABLE peacekb_searchentry ALTER COLUMN vector SET STORAGE MAIN",
        "CREATE INDEX IF NOT EXISTS peacekb_searchentry_vector ON peacekb_searchentry USING gin (vector)",
    ]


def mend() -> None:
    """Make what is missing of the index; no section has an entry then."""
    if problems():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM peacekb_searchentry")
            for statement in create_statements():
                cursor.execute(statement)


def problems() -> list[str]:
    """Say what of the index is missing; nothing when it is whole."""
    ((columns, indexes),) = _asked(
        "SELECT (SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = 'peacekb_searchentry' AND column_name = 'vector'),"
        " (SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema()"
        " AND indexname = 'peacekb_searchentry_vector')"
    )
    return [
        *([] if columns else ["the column peacekb_searchentry.vector is missing"]),
        *([] if indexes else ["the index peacekb_searchentry_vector is missing"]),
    ]
