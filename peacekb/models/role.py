from django.db import models
from django.utils.translation import gettext_lazy as _

from .concept import Concept
from .page import Kind, Page
from .task import Task


class Role(Page):
    """Who acts: mediator, guarantor, special envoy."""

    KIND = Kind.ROLE

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    performs = models.ManyToManyField(Task, verbose_name=_("performs"), related_name="performed_by", blank=True)
    concepts = models.ManyToManyField(Concept, verbose_name=_("concepts"), related_name="roles", blank=True)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
