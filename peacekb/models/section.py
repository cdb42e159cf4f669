from django.db import models

from peacekb.languages import address_of

from .page import Page


class Section(models.Model):
    """A part of a page, derived from its text: a heading and numbered paragraphs.

    `html`, `heading_html` and `notes_html` come out of `peacekb.text.sanitize` and are shown as they are. `text` is
    what a reader reads, without marks, notes last; `words` counts those before the notes, and `paragraph_starts` holds
    the offset of each paragraph, from `first_paragraph` on.
    """

    page = models.ForeignKey(Page, related_name="sections", on_delete=models.CASCADE)
    position = models.PositiveIntegerField()
    level = models.PositiveSmallIntegerField()
    anchor = models.CharField(max_length=120)
    heading = models.CharField(max_length=1000, blank=True)
    heading_html = models.TextField(blank=True)
    html = models.TextField(blank=True)
    notes_html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    words = models.PositiveIntegerField(default=0)
    first_paragraph = models.PositiveIntegerField(null=True)
    last_paragraph = models.PositiveIntegerField(null=True)
    paragraph_starts = models.JSONField(default=list)

    class Meta:
        ordering = ["page", "position"]
        constraints = [
            models.UniqueConstraint(fields=["page", "position"], name="section_position_unique_in_page"),
            models.UniqueConstraint(fields=["page", "anchor"], name="section_anchor_unique_in_page"),
            models.CheckConstraint(
                condition=models.Q(first_paragraph__isnull=True, last_paragraph__isnull=True)
                | models.Q(first_paragraph__gte=1, last_paragraph__gte=models.F("first_paragraph")),
                name="section_paragraphs_are_a_range",
            ),
        ]

    def __str__(self) -> str:
        return self.heading or self.anchor

    def get_absolute_url(self) -> str:
        """Give the section's own address; needs `page` loaded."""
        return address_of("pages:section", self.page.slug, self.anchor)

    def paragraph_at(self, offset: int) -> int | None:
        """Give the number of the paragraph in which an offset of `text` lies."""
        if self.first_paragraph is None:
            return None
        number = self.first_paragraph
        for place, start in enumerate(self.paragraph_starts):
            if start > offset:
                break
            number = self.first_paragraph + place
        return number


class SectionTree(models.Model):
    """A section as XML before its names were linked: names that change are linked anew without parsing the Markdown.

    A table of its own, so that what readers ask for does not carry it.
    """

    section = models.OneToOneField(Section, primary_key=True, related_name="tree", on_delete=models.CASCADE)
    written = models.TextField()

    def __str__(self) -> str:
        return f"tree of section {self.pk}"
