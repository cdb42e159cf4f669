from django.db import models
from django.utils.translation import gettext_lazy as _

from .page import Kind, Page


class Concept(Page):
    """A notion of the field; `broader` and `related` are those of SKOS."""

    KIND = Kind.CONCEPT

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    broader = models.ManyToManyField(
        "self", verbose_name=_("broader concepts"), related_name="narrower", symmetrical=False, blank=True
    )
    related = models.ManyToManyField("self", verbose_name=_("related concepts"), symmetrical=True, blank=True)

    class Meta:
        verbose_name = _("concept")
        verbose_name_plural = _("concepts")
