"""Let the full-text index of SQLite hold no words: the entries have them, compressed, in a column of the engine. Let
PostgreSQL keep them in the row, with those of heads marked.

The entries are derived: `manage.py rebuild` fills them. The statements are frozen here. SQLite drops triggers and
columns that Django does not know when a later migration remakes `peacekb_searchentry`; such a migration must run `make`
again at its end, and check peacekb.E002 looks for what is missing.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

before: Any = import_module("peacekb.migrations.0007_search_index")

SQLITE = [
    *before.SQLITE_BACK,
    "DELETE FROM peacekb_searchentry",
    "ALTER TABLE peacekb_searchentry ADD COLUMN words blob",
    "CREATE VIRTUAL TABLE peacekb_fulltext USING fts5(title, labels, heading, tags, text, facts, content='', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TABLE peacekb_outdated (section_id integer NOT NULL, words blob NOT NULL, facts text NOT NULL)",
    "CREATE TRIGGER peacekb_fulltext_delete AFTER DELETE ON peacekb_searchentry BEGIN"
    " INSERT INTO peacekb_outdated (section_id, words, facts) VALUES (old.section_id, old.words, old.facts); END",
]
SQLITE_BACK = [
    *before.SQLITE_BACK,
    "DROP TABLE IF EXISTS peacekb_outdated",
    "DELETE FROM peacekb_searchentry",
    "ALTER TABLE peacekb_searchentry DROP COLUMN words",
    *before.SQLITE,
]
POSTGRESQL = [
    "DELETE FROM peacekb_searchentry",
    "ALTER TABLE peacekb_searchentry ALTER COLUMN vector SET STORAGE MAIN",
]
POSTGRESQL_BACK = [
    "DELETE FROM peacekb_searchentry",
    "ALTER TABLE peacekb_searchentry ALTER COLUMN vector SET STORAGE EXTENDED",
]


def make(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("peacekb", "0013_evidence")]

    operations = [migrations.RunPython(make, unmake)]
