from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from .actor import Actor
from .dates import PartialDateField
from .page import Kind, Page


class Region(models.TextChoices):
    """The regions under which United Nations peacekeeping lists its operations."""

    AFRICA = "africa", _("Africa")
    AMERICAS = "americas", _("Americas")
    ASIA_PACIFIC = "asia-pacific", _("Asia and the Pacific")
    EUROPE = "europe", _("Europe")
    MIDDLE_EAST = "middle-east", _("Middle East")


class Operation(Page):
    """A peacekeeping operation."""

    KIND = Kind.OPERATION

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    acronym = models.CharField(_("acronym"), max_length=30)
    region = models.CharField(_("region"), max_length=20, choices=Region)
    start = PartialDateField(_("start"))
    end = PartialDateField(_("end"), blank=True)
    deployed_on = PartialDateField(
        _("last known to be deployed"),
        blank=True,
        help_text=_("For an operation without an end: the day on which it was last known to be deployed."),
    )
    countries: models.ManyToManyField[Actor, Any] = models.ManyToManyField(
        Actor, verbose_name=_("countries"), related_name="operations", blank=True
    )

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        constraints = [
            models.CheckConstraint(condition=models.Q(region__in=Region.values), name="operation_region_is_known"),
            models.CheckConstraint(
                condition=~models.Q(end="") | ~models.Q(deployed_on=""), name="operation_has_an_end_or_is_deployed"
            ),
            models.CheckConstraint(
                condition=models.Q(end="") | models.Q(end__gte=models.F("start")), name="operation_ends_after_its_start"
            ),
        ]
        indexes = [models.Index(fields=["start"], name="operations_by_start")]

    def clean(self) -> None:
        """Refuse an operation that ended before it began, or of which nobody says whether it still goes on."""
        if self.end and self.start and self.end < self.start:
            raise ValidationError({"end": _("An operation cannot end before it starts.")})
        if not self.end and not self.deployed_on:
            raise ValidationError(
                {"deployed_on": _("Enter the end, or the day on which the operation was last known to be deployed.")}
            )


class Resolution(models.Model):
    """A decision on an operation; the first one established it."""

    operation = models.ForeignKey(Operation, related_name="resolutions", on_delete=models.CASCADE)
    symbol = models.CharField(_("document symbol"), max_length=100)
    adopted = PartialDateField(_("adopted"))
    vote = models.CharField(_("vote"), max_length=40, blank=True, help_text=_("In favour, against, abstaining."))
    agenda_item = models.CharField(_("agenda item"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("resolution")
        verbose_name_plural = _("resolutions")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "symbol"], name="resolution_unique_of_operation"),
        ]

    def __str__(self) -> str:
        return self.symbol
