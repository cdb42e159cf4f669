from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from peacekb.languages import address_of
from peacekb.text.words import keys

from .derived import Derived
from .page import Verified


def keys_of_source(source: Any) -> str:
    """Give the keys of author, title, document symbol, publisher and year, each between spaces."""
    told = (source.author, source.title, source.symbol, source.publisher, str(source.year or ""))
    return f" {' '.join(keys(' '.join(told)))} "


class Source(models.Model):
    """A work in the bibliography."""

    class SourceType(models.TextChoices):
        REPORT = "report", _("Report")
        RESOLUTION = "resolution", _("Resolution")
        TREATY = "treaty", _("Treaty")
        BOOK = "book", _("Book")
        ARTICLE = "article", _("Journal article")
        WEBPAGE = "webpage", _("Web page")
        GUIDELINE = "guideline", _("Guideline")

    slug = models.SlugField(_("address"), max_length=120, unique=True)
    type = models.CharField(_("type"), max_length=20, choices=SourceType)
    title = models.CharField(_("title"), max_length=500)
    author = models.CharField(_("author"), max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    date = models.CharField(
        _("date"),
        max_length=10,
        blank=True,
        validators=[RegexValidator(r"^\d{4}(-\d{2}(-\d{2})?)?$", _("Enter a date such as 2009-02-28 or 2009-02."))],
    )
    publisher = models.CharField(_("publisher"), max_length=300, blank=True)
    symbol = models.CharField(_("document symbol"), max_length=100, blank=True)
    url = models.URLField(_("address on the web"), max_length=600, blank=True)
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)
    verified_url = models.URLField(_("checked at"), max_length=600, blank=True)
    note = models.TextField(_("note"), blank=True)
    keys = Derived(of=keys_of_source, editable=False)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["title", "pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(title=""), name="source_has_a_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Give the public address."""
        return address_of("pages:source", self.slug)
