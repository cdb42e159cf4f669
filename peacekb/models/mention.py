from django.db import models

from .label import Label
from .page import Page
from .section import Section


class MentionQuerySet(models.QuerySet["Mention"]):
    """Rules about which mentions."""

    def public(self) -> "MentionQuerySet":
        """Keep mentions in pages that the public may read."""
        return self.filter(section__page__in=Page.objects.published())


class MentionText(models.Model):
    """What a mention says of itself: place, sentence and neighbours."""

    paragraph = models.PositiveIntegerField(null=True)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    sentence_start = models.PositiveIntegerField()
    sentence = models.TextField()
    linked = models.BooleanField(default=False)
    wanted = models.CharField(max_length=200, blank=True)
    wanted_key = models.CharField(max_length=400, blank=True)
    in_heading = models.BooleanField(default=False)
    preceding = models.CharField(max_length=120, blank=True)
    following = models.CharField(max_length=120, blank=True)

    class Meta:
        abstract = True


class Mention(MentionText):
    """One occurrence of a page's name in a section: `section.text[start:end]`, in its sentence.

    Of one `in_heading` the offsets count in `section.heading`. A sentence of more than 1,000 characters is kept in
    part. `preceding` and `following` hold up to three folded words on each side, the nearest first: concordances are
    sorted by them.

    `target` is empty where the linker may not guess (an ambiguous label, a name that two pages claim) or where a
    written link has no page yet. `wanted` holds what a written link names, found or not; `wanted_key` the same as
    index keys, by which a page that takes or gives up a name finds the links that mean it.
    """

    # Each of the two is the first column of an index below, and needs none of its own.
    section = models.ForeignKey(Section, related_name="mentions", db_index=False, on_delete=models.CASCADE)
    target = models.ForeignKey(Page, related_name="mentioned_in", null=True, db_index=False, on_delete=models.CASCADE)
    label = models.ForeignKey(Label, related_name="mentions", null=True, on_delete=models.SET_NULL)

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["section", "-in_heading", "start"]
        constraints = [
            models.UniqueConstraint(fields=["section", "in_heading", "start"], name="mention_unique_at_a_place"),
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="mention_has_a_length"),
            models.CheckConstraint(
                condition=models.Q(sentence_start__lte=models.F("start")), name="mention_lies_in_its_sentence"
            ),
            models.CheckConstraint(
                condition=models.Q(linked=False) | models.Q(target__isnull=False), name="linked_mention_has_a_target"
            ),
        ]
        indexes = [
            models.Index(fields=["target", "section", "start"], name="mentions_of_a_page"),
            # All that the matrix counts by: read from the rows, which are wide, it takes three times as long.
            models.Index(
                fields=["target", "section", "paragraph", "sentence_start", "in_heading"], name="sentences_of_a_page"
            ),
            models.Index(fields=["section", "paragraph", "target"], name="mentions_in_a_paragraph"),
            models.Index(fields=["target", "preceding"], name="mentions_by_the_word_before"),
            models.Index(fields=["target", "following"], name="mentions_by_the_word_after"),
            models.Index(fields=["wanted_key"], name="mentions_written_as_links", condition=~models.Q(wanted="")),
        ]

    def __str__(self) -> str:
        return self.surface

    @property
    def surface(self) -> str:
        """Give the words as the text has them."""
        return self.sentence[self.start - self.sentence_start : self.end - self.sentence_start]

    @property
    def before(self) -> str:
        """Give the sentence up to the mention."""
        return self.sentence[: self.start - self.sentence_start]

    @property
    def after(self) -> str:
        """Give the sentence behind the mention."""
        return self.sentence[self.end - self.sentence_start :]
