from django.db import models
from django.utils.translation import gettext_lazy as _

from .page import Page


class DismissedName(models.Model):
    """A name that links suggested for a page and an editor did not want; `key` holds its index keys."""

    page = models.ForeignKey(Page, related_name="dismissed_names", on_delete=models.CASCADE)
    key = models.CharField(max_length=400)
    text = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("dismissed name")
        # The admin shows them where it suggests names.
        verbose_name_plural = _("suggested names")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["page", "key"], name="name_dismissed_once_for_a_page")]

    def __str__(self) -> str:
        return self.text
