from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from peacekb.languages import address_of

from .case import Case
from .dates import PartialDateField
from .operation import Operation
from .page import Verified
from .source import Source


class Event(models.Model):
    """One sentence of the timeline, with its date and its source."""

    slug = models.SlugField(_("address"), max_length=120, unique=True)
    date = PartialDateField(_("date"))
    title = models.CharField(_("title"), max_length=200)
    text = models.CharField(_("text"), max_length=600)
    note = models.CharField(_("note"), max_length=600, blank=True, help_text=_("What is disputed, such as the date."))
    operations: models.ManyToManyField[Operation, Any] = models.ManyToManyField(
        Operation, verbose_name=_("operations"), related_name="events", blank=True
    )
    cases: models.ManyToManyField[Case, Any] = models.ManyToManyField(
        Case, verbose_name=_("cases"), related_name="events", blank=True
    )
    source = models.ForeignKey(Source, verbose_name=_("source"), related_name="events", on_delete=models.PROTECT)
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events of the timeline")
        ordering = ["date", "slug"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(title=""), name="event_has_a_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Give the place on the timeline where it is told: that of its year, which is never long. No query."""
        year = self.date[:4]
        return f"{address_of('pages:timeline')}?from={year}&to={year}#{self.slug}"
