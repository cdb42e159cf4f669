from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from .actor import Actor
from .concept import Concept
from .dates import PartialDateField
from .operation import Operation, Region
from .page import Kind, Page
from .role import Role


class Result(models.TextChoices):
    """What became of a case: a judgement of the editors, explained in the text of the case."""

    HELD = "held", _("Held")
    PARTLY_HELD = "partly-held", _("Partly held")
    COLLAPSED = "collapsed", _("Collapsed")
    NO_AGREEMENT = "no-agreement", _("No agreement")
    OPEN = "open", _("Open")


class Case(Page):
    """A peace process: a conflict, its parties, who helped them, what they agreed on, and what became of it."""

    KIND = Kind.CASE

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    conflict = models.CharField(_("conflict"), max_length=300)
    region = models.CharField(_("region"), max_length=20, choices=Region)
    start_year = models.PositiveSmallIntegerField(_("from"))
    end_year = models.PositiveSmallIntegerField(_("to"), null=True, blank=True)
    signed = PartialDateField(_("signed"), blank=True)
    result = models.CharField(_("result"), max_length=20, choices=Result)
    parties = models.JSONField(
        _("parties"), default=list, blank=True, help_text=_("Names, one a line, as the sources have them.")
    )
    countries: models.ManyToManyField[Actor, Any] = models.ManyToManyField(
        Actor, verbose_name=_("countries"), related_name="cases", blank=True
    )
    operations: models.ManyToManyField[Operation, Any] = models.ManyToManyField(
        Operation, verbose_name=_("operations"), related_name="cases", blank=True
    )
    concepts: models.ManyToManyField[Concept, Any] = models.ManyToManyField(
        Concept, verbose_name=_("concepts"), related_name="cases", blank=True
    )

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints = [
            models.CheckConstraint(condition=models.Q(region__in=Region.values), name="case_region_is_known"),
            models.CheckConstraint(condition=models.Q(result__in=Result.values), name="case_result_is_known"),
            models.CheckConstraint(
                condition=models.Q(end_year__isnull=True) | models.Q(end_year__gte=models.F("start_year")),
                name="case_ends_after_its_start",
            ),
        ]

    @property
    def years(self) -> str:
        """Write the years of the talks: "1974–1975"."""
        return years(self.start_year, self.end_year)

    def clean(self) -> None:
        """Refuse a case that ended before it began."""
        if self.end_year is not None and self.start_year is not None and self.end_year < self.start_year:
            raise ValidationError({"end_year": _("A case cannot end before it starts.")})


def years(first: int, last: int | None) -> str:
    """Write the first and the last year of something, or the one year."""
    return f"{first}" if last in (None, first) else f"{first}–{last}"


class Participation(models.Model):
    """That an actor played a role in a case, perhaps through a person."""

    case = models.ForeignKey(Case, related_name="participations", on_delete=models.CASCADE)
    actor = models.ForeignKey(Actor, verbose_name=_("actor"), related_name="participations", on_delete=models.PROTECT)
    role = models.ForeignKey(Role, verbose_name=_("role"), related_name="participations", on_delete=models.PROTECT)
    person = models.CharField(_("person"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("who took part")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "actor", "role", "person"], name="participation_unique_in_case"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} · {self.role}"


class Instrument(models.Model):
    """A text on which the parties agreed; the first one is that of the case."""

    case = models.ForeignKey(Case, related_name="instruments", on_delete=models.CASCADE)
    name = models.CharField(_("name"), max_length=300)
    date = PartialDateField(_("date"), blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("instrument")
        verbose_name_plural = _("instruments")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
