"""System checks: what `manage.py check` finds before readers do."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from peacekb import search


@register(Tags.database)
def search_index_is_whole(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Find a full-text index that lost its table, column or triggers. SQLite drops triggers when a table is remade."""
    if not databases or "default" not in databases:
        return []
    try:
        applied = MigrationRecorder(connection).applied_migrations()
        # Before, `migrate` would be refused for lacking what it is about to make.
        if ("peacekb", "0014_words_of_entries") not in applied:
            return []
        problems = search.engine().problems()
    except DatabaseError:
        return []  # no database yet: the command that needs one says so better
    return [
        Error(
            f"The search index is not whole: {problem}.",
            hint="Run `manage.py rebuild`, which makes it again.",
            id="peacekb.E002",
        )
        for problem in problems
    ]
