"""The facts of a query, held against what there is: kinds, phases, languages, tags and roles."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import TextChoices
from taggit.models import Tag

from peacekb.models import Kind, Language, Page, Phase, TaggedPage, TagName, tag_shown, tag_slug
from peacekb.text.query import Either, Fact, Query, Words, read
from peacekb.text.vocabulary import name_key

_CHOICES: dict[str, type[TextChoices]] = {"kind": Kind, "phase": Phase, "lang": Language}
_YEAR = re.compile("[1-9][0-9]{3}")


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as it was written, and as it is meant: facts that nothing bears are words there, at the same places."""

    written: Query
    meant: Query

    @property
    def taken_as_words(self) -> list[tuple[Fact, Either]]:
        """Give what was written as a fact and is searched as words."""
        pairs = zip(self.written.parts, self.meant.parts, strict=True)
        return [(one, other) for one, other in pairs if isinstance(one, Fact) and isinstance(other, Either)]


def understood(text: str) -> Understood:
    """Read a query. At most three queries to the database where it names tags, one where it names roles."""
    written = read(text)
    tags = _tags({fact.value for fact in written.facts if fact.name == "tag"})
    roles = _roles() if any(fact.name == "role" for fact in written.facts) else {}

    def meant(fact: Fact) -> Fact | None:
        if fact.name == "tag":
            tag = tags.get(tag_slug(fact.value))
            return replace(fact, value=tag.slug, label=tag.shown) if tag else None
        if fact.name == "role":
            role = roles.get(name_key(fact.value))
            return replace(fact, value=role.slug, label=role.title) if role else None
        return _chosen(fact) if fact.name in _CHOICES else _dated(fact)

    parts: list[Either | Fact] = []
    for part in written.parts:
        fact = meant(part) if isinstance(part, Fact) else None
        parts.append(fact or (Either((Words(part.value),), part.without) if isinstance(part, Fact) else part))
    return Understood(written, Query(tuple(parts)))


def _chosen(fact: Fact) -> Fact | None:
    """Give a fact with its value as it is stored: it may be written as readers see it, in the language of the page."""
    choices, wanted = list(_CHOICES[fact.name]), name_key(fact.value)
    named = [choice for choice in choices if name_key(choice.value) == wanted]
    named += [choice for choice in choices if name_key(str(choice.label)) == wanted]
    return replace(fact, value=named[0].value, label=str(named[0].label)) if named else None


def _dated(fact: Fact) -> Fact | None:
    return replace(fact, label=fact.value) if _YEAR.fullmatch(fact.value) else None


def _tags(values: Iterable[str]) -> dict[str, Tag]:
    """Give tags of published pages by their slugs, or by that of a name that they have in any language or had before.

    Nothing tells of a draft's tags. Each has `shown`, its name in the language of the page.
    """
    slugs = {tag_slug(value) for value in values}
    if not slugs:
        return {}
    carried = TaggedPage.objects.filter(content_object__in=Page.objects.published())
    public = Tag.objects.filter(pk__in=carried.values("tag")).annotate(shown=tag_shown())
    own = {tag.slug: tag for tag in public.filter(slug__in=slugs)}
    meant = dict(TagName.objects.filter(slug__in=slugs - own.keys()).values_list("slug", "tag"))
    named = {tag.pk: tag for tag in public.filter(pk__in=meant.values())} if meant else {}
    return own | {slug: named[tag] for slug, tag in meant.items() if tag in named}


@dataclass(frozen=True, slots=True)
class _Role:
    slug: str
    title: str


def _roles() -> dict[str, _Role]:
    """Give the published roles by each of their names. There are few, and their number does not grow with the texts."""
    roles = Page.objects.published().filter(kind=Kind.ROLE).order_by("slug")
    rows = list(roles.values_list("slug", "title", "labels__text"))
    # The title goes before another role's other name.
    named = [(name, slug, title) for slug, title, _ in rows for name in (slug, title)]
    named += [(name, slug, title) for slug, title, name in rows if name]
    found: dict[str, _Role] = {}
    for name, slug, title in named:
        found.setdefault(name_key(name), _Role(slug, title))
    return found
