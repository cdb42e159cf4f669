from collections.abc import Collection

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.text import slugify
from taggit.models import Tag

from peacekb.languages import spoken

from .many import MOST_ASKED, batched
from .page import Language


class TagName(models.Model):
    """A name of a tag beside the English one that taggit stores. What had an address before keeps it by a redirect.

    `slug` finds the tag in an address, in a search and in a file; no other tag and no other name may have it. It may
    be that of the tag itself where another language has the same word.
    """

    class TagNameKind(models.TextChoices):
        """The first two are labels of SKOS; a `FORMER` name is understood and never shown."""

        PREF = "pref", "Name"
        ALT = "alt", "Synonym"
        FORMER = "former", "Former name or address"

    tag = models.ForeignKey(Tag, related_name="other_names", on_delete=models.CASCADE)
    text = models.CharField("name", max_length=100)
    slug = models.SlugField("address", max_length=100, allow_unicode=True)
    language = models.CharField("language", max_length=10, choices=Language, default=Language.ENGLISH)
    kind = models.CharField("use", max_length=10, choices=TagNameKind, default=TagNameKind.ALT)

    class Meta:
        verbose_name = "name of a tag"
        verbose_name_plural = "names of tags"
        ordering = ["language", "kind", "text", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="tag_name_has_a_slug_of_its_own"),
            models.UniqueConstraint(
                fields=["tag", "language"], condition=Q(kind="pref"), name="one_preferred_tag_name_a_language"
            ),
            models.CheckConstraint(condition=Q(kind__in=["pref", "alt", "former"]), name="tag_name_kind_is_known"),
            # The preferred English name is the tag's own.
            models.CheckConstraint(
                condition=~Q(kind="pref", language="en"), name="english_tag_name_is_that_of_the_tag"
            ),
            models.CheckConstraint(condition=~Q(text="") & ~Q(slug=""), name="tag_name_has_a_text_and_a_slug"),
        ]

    def __str__(self) -> str:
        return self.text


class TagBroader(models.Model):
    """That a tag means something of what another one means, as `broader` does in SKOS. No circle is stored."""

    narrower = models.ForeignKey(Tag, related_name="broader_rows", on_delete=models.CASCADE)
    broader = models.ForeignKey(Tag, related_name="narrower_rows", on_delete=models.CASCADE)

    class Meta:
        verbose_name = "broader tag"
        verbose_name_plural = "broader tags"
        constraints = [
            models.UniqueConstraint(fields=["narrower", "broader"], name="broader_tag_stated_once"),
            models.CheckConstraint(condition=~Q(narrower=F("broader")), name="tag_is_not_broader_than_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.narrower} < {self.broader}"


def tag_slug(name: str) -> str:
    """Give the address that a tag of this name has unless an editor chose another."""
    return slugify(name, allow_unicode=True)[:100]


def kept_tags(names: Collection[str]) -> list[str]:
    """Give the names of the tags that are meant, each once, as `meant_tags` does."""
    return list(dict.fromkeys(meant_tags(names).values()))


def meant_tags(names: Collection[str]) -> dict[str, str]:
    """Give the name of the tag that is meant by each: a synonym, a former name or one in another language means the
    tag's own. One query for some thousands; a name that is new stays as it is."""
    slugs = {name: tag_slug(name) for name in names}
    known: dict[str, str] = {}
    for some in batched(sorted(set(slugs.values())), MOST_ASKED):
        known.update(TagName.objects.filter(slug__in=some).values_list("slug", "tag__name"))
    return {name: known.get(slug, name) for name, slug in slugs.items()}


def tag_shown(tag: str = "pk", name: str = "name") -> Combinable:
    """Give the name of a tag in the language of the interface, the English one where it has none there.

    `tag` and `name` lead from the row of the query to the tag's key and to its English name.
    """
    if spoken() == Language.ENGLISH:
        return F(name)
    here = TagName.objects.filter(tag=OuterRef(tag), language=spoken(), kind=TagName.TagNameKind.PREF)
    return Coalesce(Subquery(here.values("text")[:1]), F(name))
