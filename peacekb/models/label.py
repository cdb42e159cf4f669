from django.db import models
from django.utils.translation import gettext_lazy as _

from peacekb.text.vocabulary import name_key

from .derived import Derived
from .page import Page, Verified, language_code


class Label(models.Model):
    """A name that prose uses for a page: SKOS preferred, alternative or hidden label."""

    class LabelKind(models.TextChoices):
        PREF = "pref", _("Preferred name")
        ALT = "alt", _("Also called")
        HIDDEN = "hidden", _("Found, never shown")

    page = models.ForeignKey(Page, related_name="labels", on_delete=models.CASCADE)
    text = models.CharField(_("name"), max_length=200)
    #: By which it is found in any spelling.
    key = Derived(of=lambda label: name_key(label.text), editable=False, db_index=True)
    language = models.CharField(_("language"), max_length=10, default="en", validators=[language_code])
    kind = models.CharField(_("use"), max_length=10, choices=LabelKind, default=LabelKind.ALT)
    case_sensitive = models.BooleanField(
        _("exact case"),
        default=False,
        help_text=_("For acronyms: DDR is not “ddr”. Such a name is found in every language."),
    )
    ambiguous = models.BooleanField(
        _("everyday word"),
        default=False,
        help_text=_("Never linked by itself; an editor writes [[…]] where it is meant."),
    )
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)

    class Meta:
        ordering = ["language", "-kind", "text", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["page", "language", "text"],
                name="label_unique_on_page",
                violation_error_message=_("This page has this name already."),
            ),
            models.UniqueConstraint(
                fields=["page", "language"],
                condition=models.Q(kind="pref"),
                name="one_preferred_label_a_language",
                violation_error_message=_("A page has one preferred name in each language."),
            ),
            models.CheckConstraint(condition=models.Q(kind__in=["pref", "alt", "hidden"]), name="label_kind_is_known"),
            models.CheckConstraint(condition=~models.Q(text=""), name="label_has_a_text"),
        ]

    def __str__(self) -> str:
        return self.text
