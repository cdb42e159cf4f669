from django.db import models

from .section import Section


class SearchEntry(models.Model):
    """One section as the index sees it: folded keys (see `peacekb.text.words`), separated by spaces.

    Title, labels and tags ride on the page's lead section. `filters` holds one token a fact by which a search is
    narrowed (see `peacekb.search.filter_token`).
    """

    section = models.OneToOneField(Section, primary_key=True, related_name="search_entry", on_delete=models.CASCADE)
    title = models.TextField(blank=True)
    labels = models.TextField(blank=True)
    heading = models.TextField(blank=True)
    tags = models.TextField(blank=True)
    text = models.TextField(blank=True)
    filters = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return f"{self.section_id}"


class FullTextRow(models.Model):
    """The SQLite full-text table, which follows `SearchEntry` by triggers. PostgreSQL keeps a column instead.

    Not managed: the migration that makes the table and its triggers is written by hand.
    """

    entry = models.OneToOneField(
        SearchEntry, db_column="rowid", primary_key=True, related_name="full_text", on_delete=models.DO_NOTHING
    )
    # FTS5 gives every table a hidden column of its own name; a MATCH on it asks all columns.
    terms = models.TextField(db_column="peacekb_fulltext")
    rank = models.FloatField()

    class Meta:
        managed = False
        db_table = "peacekb_fulltext"

    def __str__(self) -> str:
        return f"{self.pk}"
