"""Make the full-text index: a table with triggers on SQLite, a generated column on PostgreSQL.

The statements are frozen here. SQLite drops triggers when a later migration remakes `peacekb_searchentry`; such a
migration must run `make` again at its end, and check peacekb.E002 looks for what is missing.
"""

from typing import Any

from django.db import migrations

_COLUMNS = "title, labels, heading, tags, text, filters"
_NEW = "new.title, new.labels, new.heading, new.tags, new.text, new.filters"
_OLD = "old.title, old.labels, old.heading, old.tags, old.text, old.filters"
_ADD = f"INSERT INTO peacekb_fulltext(rowid, {_COLUMNS}) VALUES (new.section_id, {_NEW});"
_REMOVE = (
    f"INSERT INTO peacekb_fulltext(peacekb_fulltext, rowid, {_COLUMNS}) VALUES ('delete', old.section_id, {_OLD});"
)

SQLITE = [
    f"CREATE VIRTUAL TABLE peacekb_fulltext USING fts5({_COLUMNS}, content='peacekb_searchentry', "
    "content_rowid='section_id', tokenize='unicode61 remove_diacritics 0')",
    "INSERT INTO peacekb_fulltext(peacekb_fulltext, rank) VALUES ('rank', 'bm25(10.0, 6.0, 4.0, 4.0, 1.0, 0.0)')",
    f"CREATE TRIGGER peacekb_fulltext_insert AFTER INSERT ON peacekb_searchentry BEGIN {_ADD} END",
    f"CREATE TRIGGER peacekb_fulltext_delete AFTER DELETE ON peacekb_searchentry BEGIN {_REMOVE} END",
    f"CREATE TRIGGER peacekb_fulltext_update AFTER UPDATE ON peacekb_searchentry BEGIN {_REMOVE} {_ADD} END",
]
SQLITE_BACK = [
    "DROP TRIGGER IF EXISTS peacekb_fulltext_update",
    "DROP TRIGGER IF EXISTS peacekb_fulltext_delete",
    "DROP TRIGGER IF EXISTS peacekb_fulltext_insert",
    "DROP TABLE IF EXISTS peacekb_fulltext",
]

_VECTOR = " || ".join(
    f"setweight(to_tsvector('simple'::regconfig, {text}), '{weight}')"
    for text, weight in (
        ("title", "A"),
        ("labels || ' ' || tags", "B"),
        ("heading", "C"),
        ("text", "D"),
        ("filters", "D"),
    )
)
POSTGRESQL = [
    f"ALTER TABLE peacekb_searchentry ADD COLUMN vector tsvector GENERATED ALWAYS AS ({_VECTOR}) STORED",
    "CREATE INDEX peacekb_searchentry_vector ON peacekb_searchentry USING gin (vector)",
]
POSTGRESQL_BACK = ["ALTER TABLE peacekb_searchentry DROP COLUMN IF EXISTS vector"]


def make(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("peacekb", "0001_initial")]

    operations = [migrations.RunPython(make, unmake)]
