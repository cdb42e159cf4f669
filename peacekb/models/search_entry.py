from django.db import models

from .page import Page
from .section import Section


class SearchEntry(models.Model):
    """One section in the index: what it is a part of, and the facts by which a search is narrowed.

    Its words are with the engine alone (`peacekb.search`); `digest` tells whether they are those of the section.
    `facts` holds one token a fact (see `peacekb.search.facts`).
    """

    section = models.OneToOneField(Section, primary_key=True, related_name="search_entry", on_delete=models.CASCADE)
    page = models.ForeignKey(Page, related_name="search_entries", on_delete=models.CASCADE)
    public_from = models.DateTimeField()
    digest = models.CharField(max_length=32)
    facts = models.TextField()

    class Meta:
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return f"{self.section_id}"


class IndexedWord(models.Model):
    """A word of the index, by which misspelt words are mended. `ending` is the word written backwards.

    A word stays when its last text goes; who offers one asks whether readers can find it.
    """

    word = models.CharField(primary_key=True, max_length=80)
    ending = models.CharField(max_length=80, db_index=True)

    def __str__(self) -> str:
        return self.word
