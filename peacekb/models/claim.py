from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from peacekb.languages import address_of

from .actor import Contribution
from .article import Article
from .dates import PartialDateField
from .page import Page
from .section import Section
from .source import Source


class Stance(models.TextChoices):
    """How evidence stands to a claim, in the order in which readers are shown all three."""

    SUPPORTS = "supports", _("Supports")
    QUALIFIES = "qualifies", _("Qualifies")
    CONTRADICTS = "contradicts", _("Contradicts")


class ClaimQuerySet(models.QuerySet["Claim"]):
    """Rules about which claims."""

    def standing(self) -> ClaimQuerySet:
        """Keep what readers are shown: not withdrawn, and its sentence stands in the text."""
        return self.filter(is_withdrawn=False, section__isnull=False)

    def to_look_at_again(self) -> ClaimQuerySet:
        """Keep those whose sentence has changed in the text."""
        return self.filter(is_withdrawn=False, has_changed=True)


class Claim(models.Model):
    """A sentence of an article that can be checked.

    `sentence` is what an editor marked, on one line. Where it stands is derived by `peacekb.publishing` whenever the
    article is composed: `end` counts the characters of its section, without white space, up to its end. Where it is
    not found, it `has_changed`, and `similar` is the sentence of the text that is most like it, if one is.
    """

    article = models.ForeignKey(Article, verbose_name=_("article"), related_name="claims", on_delete=models.CASCADE)
    number = models.PositiveSmallIntegerField(_("number"), editable=False)
    sentence = models.TextField(
        _("sentence"),
        validators=[MaxLengthValidator(1_000)],
        help_text=_("One whole sentence of the article as readers have it."),
    )
    is_withdrawn = models.BooleanField(_("withdrawn"), default=False, editable=False)
    section = models.ForeignKey(
        Section, related_name="claims", null=True, blank=True, editable=False, on_delete=models.SET_NULL
    )
    paragraph = models.PositiveIntegerField(null=True, blank=True, editable=False)
    end = models.PositiveIntegerField(default=0, editable=False)
    has_changed = models.BooleanField(default=False, editable=False)
    similar = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["article", "number"]
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="claim_number_unique_in_article"),
            models.CheckConstraint(condition=~models.Q(sentence=""), name="claim_has_a_sentence"),
            models.CheckConstraint(
                condition=models.Q(has_changed=False) | models.Q(section__isnull=True),
                name="claim_that_changed_stands_nowhere",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    def get_absolute_url(self) -> str:
        """Give the address of the claim among all of its article; needs `article` loaded."""
        return f"{address_of('pages:evidence', self.article.slug)}#claim-{self.number}"


class Evidence(models.Model):
    """What supports, qualifies or contradicts a claim: a page, a work, or the figure of an actor on a date.

    A figure is named by actor and date, not by its row: rows of figures are written anew whenever one of them changes.
    """

    claim = models.ForeignKey(Claim, related_name="evidence", on_delete=models.CASCADE)
    stance = models.CharField(_("stance"), max_length=12, choices=Stance)
    page = models.ForeignKey(
        Page, verbose_name=_("page"), related_name="evidence", null=True, blank=True, on_delete=models.PROTECT
    )
    figure_date = PartialDateField(
        _("date of the figure"),
        blank=True,
        help_text=_("For a figure: the page is the State, and this the date of its contribution."),
    )
    source = models.ForeignKey(
        Source, verbose_name=_("source"), related_name="evidence", null=True, blank=True, on_delete=models.PROTECT
    )
    note = models.CharField(
        _("note"), max_length=500, help_text=_("One neutral sentence: what this shows of the claim, with its date.")
    )

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(stance__in=Stance.values), name="evidence_stance_is_known"),
            models.CheckConstraint(
                condition=models.Q(page__isnull=False, source__isnull=True)
                | models.Q(page__isnull=True, source__isnull=False, figure_date=""),
                name="evidence_is_one_thing",
                violation_error_message=_("Choose either a page or a source. The date of a figure goes with a page."),
            ),
            models.CheckConstraint(condition=~models.Q(note=""), name="evidence_has_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stance_display()}: {self.page or self.source}"

    def clean(self) -> None:
        """Refuse an article as evidence for itself, and a figure that is not there, naming those that are."""
        if self.page_id is not None and self.page_id == self.claim.article_id:
            raise ValidationError({"page": _("An article is no evidence for itself.")})
        if self.page_id is None or not self.figure_date:
            return
        dates = Contribution.objects.filter(actor=self.page_id).values_list("date", flat=True)
        if self.figure_date not in dates:
            raise ValidationError(
                {
                    "figure_date": _("“%(page)s” has no figure of this date. It has: %(dates)s.")
                    % {"page": self.page, "dates": ", ".join(dates) or "–"}
                }
            )
