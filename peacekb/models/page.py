from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager
from taggit.models import ItemBase, Tag

from peacekb.languages import address_of

from .prepared import moment

if TYPE_CHECKING:
    from .section import Section


class Kind(models.TextChoices):
    """The kinds of page. The plural of the value is the first part of a page's address."""

    ARTICLE = "article", _("Article")
    CONCEPT = "concept", _("Concept")
    ROLE = "role", _("Role")
    TASK = "task", _("Task")
    ACTOR = "actor", _("Actor")
    OPERATION = "operation", _("Operation")
    CASE = "case", _("Case")


class Phase(models.TextChoices):
    """The phases of a peace process, in order; `any` is for what belongs to all of them."""

    PREVENTION = "prevention", _("Prevention")
    MEDIATION = "mediation", _("Peacemaking")
    CEASEFIRE = "ceasefire", _("Ceasefire")
    TRANSITION = "transition", _("Transition")
    RECONSTRUCTION = "reconstruction", _("Reconstruction")
    ANY = "any", _("Any phase")


class Status(models.TextChoices):
    """The life of a page. Only a published page with a date that has come is public."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Verified(models.TextChoices):
    """How a fact was checked: on a page that was seen, or as common knowledge."""

    PAGE = "page", _("Checked against a page")
    KNOWN = "known", _("Widely documented; not yet checked against a page")


class Language(models.TextChoices):
    """Languages of content. Their names are written in themselves."""

    ENGLISH = "en", "English"
    FRENCH = "fr", "Français"
    ARABIC = "ar", "العربية"


class TaggedPage(ItemBase):  # type: ignore[misc]  # taggit has no types
    """A tag on a page. One table for all kinds, so that a tag finds them in one query."""

    tag = models.ForeignKey(Tag, related_name="tagged_pages", on_delete=models.CASCADE)
    content_object = models.ForeignKey("Page", related_name="tagged", on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content_object", "tag"], name="tag_unique_on_page"),
        ]


def public_at(path: str) -> dict[str, Any]:
    """Give the conditions that the page to which a path of relations leads is public.

    By columns of that row: asked whether it is among all that are `published`, SQLite begins with those.
    """
    return {f"{path}__status": Status.PUBLISHED, f"{path}__published_at__lte": moment()}


class PageQuerySet(models.QuerySet["Page"]):
    """Rules about which pages."""

    def published(self) -> Self:
        """Keep what the public may read: published, and the date has come."""
        return self.filter(status=Status.PUBLISHED, published_at__lte=moment())

    def tagged_all(self, slugs: list[str]) -> Self:
        """Keep pages that carry every one of the tags."""
        kept = self
        for slug in slugs:
            kept = kept.filter(tagged__tag__slug=slug)
        return kept

    def tagged_any(self, slugs: list[str]) -> Self:
        """Keep pages that carry at least one of the tags."""
        return self.filter(pk__in=TaggedPage.objects.filter(tag__slug__in=slugs).values("content_object"))

    def in_phase(self, phase: str) -> Self:
        """Keep pages that belong to one phase."""
        return self.filter(phase_set__phase=phase)


class Page(models.Model):
    """Everything that can be read: what all kinds share.

    What editors write is here and in the child tables; sections, mentions and search entries are derived from it by
    `peacekb.publishing` alone.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=Kind, editable=False)
    slug = models.SlugField(
        _("address"),
        max_length=120,
        allow_unicode=True,
        help_text=_("The last part of the page's address: words in small letters, joined by hyphens."),
    )
    title = models.CharField(_("title"), max_length=300)
    summary = models.TextField(
        _("summary"),
        blank=True,
        validators=[MaxLengthValidator(200, _("Summary must be 200 characters or fewer."))],
        help_text=_("One sentence, 200 characters or fewer. Lists and search engines show it."),
    )
    language = models.CharField(_("language"), max_length=10, choices=Language, default=Language.ENGLISH)
    source = models.TextField(
        _("text"),
        blank=True,
        help_text=_(
            "Markdown. [[Ceasefire]] links a page, [[ceasefire|the truce]] with other words, "
            "[[!ceasefire]] keeps a word from being linked."
        ),
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    published_at = models.DateTimeField(
        _("published"),
        null=True,
        blank=True,
        help_text=_("Left empty, the time of publishing. A time to come keeps the page hidden until then."),
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_reason = models.CharField(_("public reason"), max_length=300, blank=True, editable=False)
    review_by = models.DateField(
        _("review by"), null=True, blank=True, help_text=_("The day by which an expert should read this again.")
    )
    verified = models.CharField(_("checked"), max_length=10, choices=Verified, blank=True)
    verified_url = models.URLField(_("checked at"), max_length=600, blank=True)
    unlinked = models.JSONField(
        _("labels not linked here"),
        default=list,
        blank=True,
        help_text=_('A list of words that are not linked on this page, such as ["mandate"].'),
    )
    sources: models.ManyToManyField[Any, Any] = models.ManyToManyField(
        "Source", verbose_name=_("sources"), related_name="pages", blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True)

    tags = TaggableManager(
        through=TaggedPage,
        blank=True,
        related_name="pages",
        verbose_name=_("tags"),
        help_text=_("Words by which readers find the page, separated by commas."),
    )

    objects = PageQuerySet.as_manager()

    #: Set by each child class.
    KIND: Kind

    class Meta:
        ordering = ["title", "pk"]
        permissions = [("publish_page", "Can publish and withdraw pages")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "slug"],
                name="slug_unique_in_kind",
                violation_error_message=_("Another page of this kind has this address. Choose another one."),
            ),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="page_kind_is_known"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="page_status_is_known"),
            models.CheckConstraint(condition=models.Q(language__in=Language.values), name="page_language_is_known"),
            models.CheckConstraint(condition=~models.Q(title=""), name="page_has_a_title"),
            models.CheckConstraint(condition=~models.Q(slug=""), name="page_has_a_slug"),
            models.CheckConstraint(
                condition=~models.Q(status=Status.PUBLISHED) | models.Q(published_at__isnull=False),
                name="published_page_is_dated",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=Status.WITHDRAWN) | models.Q(withdrawn_at__isnull=False),
                name="withdrawn_page_is_dated",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "status", "-published_at"], name="page_newest_by_kind"),
            models.Index(Lower("title"), name="page_by_title"),
            models.Index(fields=["status", "published_at"], name="page_by_date"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        """Store the row; a child gives it its kind. Line ends become one kind, as files and revisions have them."""
        self.source = tidy(self.source)
        if not self.kind:
            self.kind = type(self).KIND
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_absolute_url(self) -> str:
        """Give the public address. No query."""
        return address_of("pages:entry", f"{self.kind}s", self.slug)

    @property
    def is_public(self) -> bool:
        """Tell whether the public may read this page now."""
        return self.status == Status.PUBLISHED and self.published_at is not None and self.published_at <= timezone.now()

    @property
    def direction(self) -> str:
        """Give `rtl` or `ltr` for the page's language."""
        return "rtl" if self.language == Language.ARABIC else "ltr"

    @property
    def name(self) -> str:
        """Give the name that readers are shown: the one in their language where that was asked for, else the title."""
        here: str = self.__dict__.get("name_here") or ""
        return here[:1].upper() + here[1:] if here else self.title

    @property
    def name_language(self) -> str:
        """Give the language of `name`."""
        return (get_language() or self.language) if self.__dict__.get("name_here") else self.language

    @property
    def name_direction(self) -> str:
        """Give `rtl` or `ltr` for `name`."""
        return "rtl" if self.name_language == Language.ARABIC else "ltr"

    @property
    def lead(self) -> Section | None:
        """Give the first section, from a prefetched `sections` without a query."""
        return next(iter(self.sections.all()), None)


def tidy(source: str) -> str:
    """Give a text with one kind of line end and no empty lines around it."""
    return source.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


class PagePhase(models.Model):
    """That a page belongs to a phase. Articles have none of their own: theirs are those of the pages they mention."""

    page = models.ForeignKey(Page, related_name="phase_set", on_delete=models.CASCADE)
    phase = models.CharField(max_length=20, choices=Phase)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["page", "phase"], name="phase_unique_on_page"),
            models.CheckConstraint(condition=models.Q(phase__in=Phase.values), name="page_phase_is_known"),
        ]
        indexes = [models.Index(fields=["phase", "page"], name="pages_of_a_phase")]

    def __str__(self) -> str:
        return self.get_phase_display()


class FormerSlug(models.Model):
    """An address that a page had before; it answers with a permanent redirect."""

    kind = models.CharField(max_length=20, choices=Kind)
    slug = models.SlugField(max_length=120, allow_unicode=True)
    page = models.ForeignKey(Page, related_name="former_slugs", on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "slug"], name="former_slug_unique_in_kind")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.slug}"


language_code = RegexValidator(r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$", _("Enter a language code such as “en” or “ar”."))
