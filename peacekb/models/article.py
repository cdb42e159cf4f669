from django.db import models
from django.utils.translation import gettext_lazy as _

from .page import Kind, Page


class Standpoint(models.TextChoices):
    """Whether a text argues or describes. Readers see it above the title."""

    ESSAY = "essay", _("Essay · argues a point of view")
    REFERENCE = "reference", _("Reference entry · neutral")


class Article(Page):
    """An essay or a reference text."""

    KIND = Kind.ARTICLE

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    standpoint = models.CharField(_("standpoint"), max_length=10, choices=Standpoint, default=Standpoint.ESSAY)
    authors = models.JSONField(
        _("authors"), default=list, blank=True, help_text=_("Names, in the order in which they sign.")
    )
    translation_of = models.ForeignKey(
        "self",
        verbose_name=_("translation of"),
        related_name="translations",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standpoint__in=Standpoint.values), name="article_standpoint_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(translation_of__isnull=True) | ~models.Q(translation_of=models.F("page")),
                name="article_translates_another",
            ),
        ]
