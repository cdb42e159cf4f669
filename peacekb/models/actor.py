from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .concept import Concept
from .dates import PartialDateField
from .page import Kind, Page, Verified
from .source import Source


class ActorType(models.TextChoices):
    """What acts, or where. Neither implies an opinion on the status of any State or territory."""

    STATE = "state", _("State")
    ORGANIZATION = "organization", _("Organization or group")
    PLACE = "place", _("Place named in a mandate")


class Actor(Page):
    """A State, an organization, or a place where operations were: who takes part in cases, and where they happen."""

    KIND = Kind.ACTOR

    page = models.OneToOneField(Page, parent_link=True, primary_key=True, on_delete=models.CASCADE)
    type = models.CharField(_("type"), max_length=20, choices=ActorType)
    iso_code = models.CharField(
        _("ISO code"),
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Enter the three capital letters of ISO 3166-1."))],
    )
    described_by = models.ForeignKey(
        Concept,
        verbose_name=_("described by"),
        related_name="actors",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text=_("The concept that tells what this organization is, where there is one. Texts link that."),
    )

    class Meta:
        verbose_name = _("actor")
        verbose_name_plural = _("actors")
        constraints = [
            models.CheckConstraint(condition=models.Q(type__in=ActorType.values), name="actor_type_is_known"),
        ]


class Membership(models.Model):
    """That a State belongs to an organization, and since which year."""

    actor = models.ForeignKey(Actor, related_name="memberships", on_delete=models.CASCADE)
    organization = models.ForeignKey(
        Actor, verbose_name=_("organization"), related_name="members", on_delete=models.PROTECT
    )
    since = models.PositiveSmallIntegerField(_("member since"), null=True, blank=True)
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["actor", "organization"], name="membership_unique_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} · {self.organization}"


class Contribution(models.Model):
    """How many uniformed personnel a State had in operations of the United Nations on one date: a snapshot."""

    actor = models.ForeignKey(Actor, related_name="contributions", on_delete=models.CASCADE)
    date = PartialDateField(_("date"))
    personnel = models.PositiveIntegerField(_("uniformed personnel"))
    women = models.PositiveIntegerField(_("of them women"), null=True, blank=True)
    rank = models.PositiveSmallIntegerField(_("rank among contributors"), null=True, blank=True)
    source = models.ForeignKey(Source, verbose_name=_("source"), related_name="contributions", on_delete=models.PROTECT)
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)

    class Meta:
        verbose_name = _("contribution")
        verbose_name_plural = _("contributions of uniformed personnel")
        ordering = ["date", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["actor", "date"], name="contribution_unique_on_a_date"),
            models.CheckConstraint(
                condition=models.Q(women__isnull=True) | models.Q(women__lte=models.F("personnel")),
                name="contribution_counts_women_among_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor}, {self.date}: {self.personnel}"

    def clean(self) -> None:
        """Refuse more women than personnel."""
        if self.women is not None and self.personnel is not None and self.women > self.personnel:
            raise ValidationError({"women": _("Women are counted among all personnel: there cannot be more of them.")})
