from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .page import Page


class Revision(models.Model):
    """The whole of what an editor wrote, kept for good: never changed afterwards.

    `content` is the page's document (see `peacekb.documents`), the same that an export writes to a file.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Origin(models.TextChoices):
        EDITOR = "editor", _("An editor")
        IMPORT = "import", _("Import")
        SEED = "seed", _("Starter library")

    page = models.ForeignKey(Page, related_name="revisions", on_delete=models.CASCADE)
    number = models.PositiveIntegerField()
    content = models.JSONField()
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.SET_NULL
    )
    editor_name = models.CharField(max_length=200, blank=True)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["page", "-number"]
        get_latest_by = "number"
        constraints = [
            models.UniqueConstraint(fields=["page", "number"], name="revision_number_unique_in_page"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="revision_numbers_start_at_one"),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "published", "withdrawn"]), name="revision_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        title = self.content.get("title", "")
        return gettext("%(title)s, version %(number)s") % {"title": title, "number": self.number}
