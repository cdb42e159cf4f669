from datetime import date, timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .page import Page

#: Days for which a query is kept after it was last asked.
KEPT_FOR = timedelta(days=90)
#: With so few texts, and no entry of that name, readers found next to nothing.
FEW_TEXTS = 2


def is_poor(texts: int, *, named: bool) -> bool:
    """Tell whether a search found nothing, or little and no entry that bears the words as its name."""
    return texts == 0 or (texts <= FEW_TEXTS and not named)


class SearchQueryQuerySet(models.QuerySet["SearchQuery"]):
    """Rules about which queries."""

    def poor(self) -> Self:
        """Keep what found nothing or little when it was last asked (see `is_poor`)."""
        return self.filter(models.Q(texts=0) | models.Q(texts__lte=FEW_TEXTS, named=False))

    def waiting(self) -> Self:
        """Keep what an editor may still mend: poor, not dismissed, and not mended."""
        return self.poor().filter(dismissed=False).exclude(words__in=SearchCheck.objects.values("words"))

    def past(self, today: date) -> Self:
        """Keep what nobody asked for longer than queries are kept."""
        return self.filter(last_day__lt=today - KEPT_FOR)


class SearchQuery(models.Model):
    """Words that readers searched, whatever their case, accents and plurals; nothing tells who asked, or at what time.

    `peacekb.asked.recording` counts them. Texts and name are what the search found when it was last asked.
    """

    #: Index keys in the order of the words.
    words = models.CharField(max_length=400, unique=True)
    text = models.CharField(_("as written"), max_length=100)
    #: The votes for `text`, less those for other spellings (see `peacekb.asked.recording`).
    lead = models.PositiveIntegerField(default=0)
    texts = models.PositiveIntegerField(_("texts found"), default=0)
    named = models.BooleanField(_("names an entry"), default=False)
    asked = models.PositiveIntegerField(_("times asked"), default=0)
    days = models.PositiveIntegerField(_("days on which it was asked"), default=0)
    first_day = models.DateField(_("first asked"))
    last_day = models.DateField(_("last asked"))
    dismissed = models.BooleanField(default=False)

    objects = SearchQueryQuerySet.as_manager()

    class Meta:
        verbose_name = _("search")
        # The admin shows those that found little.
        verbose_name_plural = _("failed searches")
        ordering = ["-asked", "-last_day", "words"]
        indexes = [
            models.Index(fields=["last_day"], name="search_query_by_last_day"),
            models.Index(fields=["-asked", "-last_day"], name="search_query_most_asked"),
        ]

    def __str__(self) -> str:
        return self.text


class SearchCheck(models.Model):
    """A search that editors mended: the words, and the page that they are to find from now on.

    A chosen page is shown first to those who search these words; changing one advances the edition.
    """

    class How(models.TextChoices):
        """What mended it. Only the admin names it, in English."""

        NAME = "name", "Another name"
        STUB = "stub", "New page"
        CHOSEN = "chosen", "Chosen result"

    words = models.CharField(max_length=400, unique=True)
    text = models.CharField(_("as written"), max_length=100)
    page = models.ForeignKey(Page, related_name="search_checks", on_delete=models.CASCADE)
    how = models.CharField(_("mended by"), max_length=10, choices=How)
    mended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["words"]
        constraints = [
            models.CheckConstraint(condition=models.Q(how__in=["name", "stub", "chosen"]), name="mending_is_known"),
            models.CheckConstraint(condition=~models.Q(words=""), name="search_check_has_words"),
        ]

    def __str__(self) -> str:
        return self.text
