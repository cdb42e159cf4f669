"""Make the index anew: its words are with the engine alone, its facts and those by which it ranks beside them.

The entries are derived: `manage.py rebuild` fills them. The statements are frozen here. SQLite drops triggers when a
later migration remakes `peacekb_searchentry`; such a migration must run `make` again at its end, and check peacekb.E002
looks for what is missing.
"""

from importlib import import_module
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from peacekb.models.source import keys_of_source
from peacekb.text.vocabulary import name_key

before: Any = import_module("peacekb.migrations.0002_full_text")

SQLITE = [
    "CREATE VIRTUAL TABLE peacekb_fulltext USING fts5(title, labels, heading, tags, text, facts, "
    "tokenize='unicode61 remove_diacritics 0')",
    "INSERT INTO peacekb_fulltext(peacekb_fulltext, rank) VALUES ('rank', 'bm25(10.0, 6.0, 4.0, 4.0, 1.0, 0.0)')",
    "CREATE TRIGGER peacekb_fulltext_delete AFTER DELETE ON peacekb_searchentry"
    " BEGIN DELETE FROM peacekb_fulltext WHERE rowid = old.section_id; END",
]
SQLITE_BACK = ["DROP TRIGGER IF EXISTS peacekb_fulltext_delete", "DROP TABLE IF EXISTS peacekb_fulltext"]
POSTGRESQL = [
    "ALTER TABLE peacekb_searchentry ADD COLUMN vector tsvector",
    "CREATE INDEX peacekb_searchentry_vector ON peacekb_searchentry USING gin (vector)",
]
POSTGRESQL_BACK = ["ALTER TABLE peacekb_searchentry DROP COLUMN IF EXISTS vector"]


def make(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def unmake(apps: Any, schema_editor: Any) -> None:
    for statement in POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK:
        schema_editor.execute(statement)


def write_keys(apps: Any, schema_editor: Any) -> None:
    labels = apps.get_model("peacekb", "Label").objects.using(schema_editor.connection.alias)
    for label in labels.all():
        labels.filter(pk=label.pk).update(key=name_key(label.text))
    sources = apps.get_model("peacekb", "Source").objects.using(schema_editor.connection.alias)
    for source in sources.all():
        sources.filter(pk=source.pk).update(keys=keys_of_source(source))


class Migration(migrations.Migration):
    dependencies = [("peacekb", "0006_edition")]

    operations = [
        migrations.RunPython(before.unmake, before.make),
        migrations.DeleteModel("FullTextRow"),
        migrations.DeleteModel("SearchEntry"),
        migrations.CreateModel(
            "SearchEntry",
            fields=[
                (
                    "section",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="peacekb.section",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="search_entries", to="peacekb.page"
                    ),
                ),
                ("public_from", models.DateTimeField()),
                ("digest", models.CharField(max_length=32)),
                ("facts", models.TextField()),
            ],
            options={"verbose_name_plural": "search entries"},
        ),
        migrations.RunPython(make, unmake),
        migrations.CreateModel(
            "IndexedWord",
            fields=[
                ("word", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("ending", models.CharField(db_index=True, max_length=80)),
            ],
        ),
        migrations.AddField(
            "label",
            "key",
            models.CharField(db_index=True, default="", editable=False, max_length=400),
            preserve_default=False,
        ),
        migrations.AddField("source", "keys", models.TextField(default="", editable=False), preserve_default=False),
        migrations.RunPython(write_keys, migrations.RunPython.noop),
    ]
