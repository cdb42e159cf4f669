from django.db import models
from django.utils.translation import gettext_lazy as _

from .concept import Concept
from .page import Kind, Page


class Pillar(models.TextChoices):
    """The pillars of reconstruction of the CSIS/AUSA Task Framework (2002)."""

    SECURITY = "security", _("Security")
    JUSTICE = "justice", _("Justice and reconciliation")
    WELL_BEING = "well-being", _("Social and economic well-being")
    GOVERNANCE = "governance", _("Governance and participation")


class Task(Page):
    """The work: building institutions, disarmament, drafting an agreement."""

    KIND = Kind.TASK

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    pillar = models.CharField(_("pillar"), max_length=20, choices=Pillar, blank=True)
    seed = models.BooleanField(_("named in the first essay"), default=False)
    concepts = models.ManyToManyField(Concept, verbose_name=_("concepts"), related_name="tasks", blank=True)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        constraints = [
            models.CheckConstraint(condition=models.Q(pillar__in=["", *Pillar.values]), name="task_pillar_is_known"),
        ]
