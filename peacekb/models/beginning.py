from django.db import models
from taggit.models import Tag

from .label import Label
from .page import Page


class Beginning(models.Model):
    """That a page or a tag may be named by beginning so: one row for each word of a name at which it can be begun.

    `beginning` holds folded words as UTF-8 bytes, which both databases compare and index as they are: the order of
    letters is that of no language. `label` is empty where the title is meant. A name `is_preferred` that readers of its
    language are shown. Of tags nobody knows the language.
    """

    class Shelf(models.IntegerChoices):
        """What is begun, and whether by its first word: a list is filled from each."""

        ENTRY = 0
        INSIDE_ENTRY = 1
        TAG = 2
        ARTICLE = 3
        INSIDE_ARTICLE = 4

    shelf = models.PositiveSmallIntegerField(choices=Shelf)
    beginning = models.BinaryField(max_length=250)
    language = models.CharField(max_length=10, blank=True)
    is_preferred = models.BooleanField()
    page = models.ForeignKey(Page, related_name="beginnings", null=True, on_delete=models.CASCADE)
    label = models.ForeignKey(Label, related_name="+", null=True, on_delete=models.CASCADE)
    tag = models.ForeignKey(Tag, related_name="+", null=True, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(page__isnull=False, tag=None) | models.Q(page=None, label=None, tag__isnull=False),
                name="beginning_is_of_a_page_or_a_tag",
            ),
        ]
        indexes = [models.Index(fields=["shelf", "beginning"], name="beginnings_of_a_shelf")]

    def __str__(self) -> str:
        return bytes(self.beginning).decode()

    @staticmethod
    def bounds(begun: str) -> tuple[bytes, bytes]:
        """Give the first of all beginnings that go on from `begun`, and what is behind the last.

        No byte of a letter is 255.
        """
        first = begun.encode()
        return first, first + b"\xff"
