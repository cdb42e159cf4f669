"""Tags: their names and broader tags, merging, and the index of the pages that carry them.

Tags have no drafts: each deed is one transaction, and readers see it at once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from taggit.models import Tag

from peacekb.models import Edition, Language, Page, Status, TagBroader, TaggedPage, TagName, tag_slug

from . import recompose, take_turn

#: In characters: an address takes the name, and taggit may add a number to it; both columns hold 100.
LONGEST = 90
_Kind = TagName.TagNameKind


class TagRefused(ValueError):
    """A change of tags that cannot be: the message is a sentence that says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a tag to be stored; without a `slug` it gets the one that is made of its text."""

    text: str
    language: str = Language.ENGLISH
    kind: str = _Kind.ALT
    slug: str = ""

    @property
    def place(self) -> str:
        """Give the slug that it is found by."""
        return self.slug or tag_slug(self.text)


def pages_with(tags: Iterable[Tag]) -> QuerySet[Page]:
    """Give the pages of any state that carry one of the tags."""
    return Page.objects.filter(pk__in=TaggedPage.objects.filter(tag__in=tags).values("content_object"))


def check(tag: Tag, names: Sequence[Name], broader: Iterable[Tag]) -> None:
    """Raise `TagRefused` where another tag has one of the names, or a broader tag would lead back to this one."""
    own = {tag.slug, tag_slug(tag.name)}
    seen: set[str] = set()
    for name in names:
        if not name.place:
            raise TagRefused(f"“{name.text}” holds no letter and no digit. Write names as words.")
        if len(name.text) > LONGEST:
            raise TagRefused(f"“{name.text[:30]}…” is longer than {LONGEST} characters. Write names as words.")
        if name.place in seen:
            raise TagRefused(f"“{name.text}” stands here twice. Take it out of one place.")
        if name.place in own and name.kind == _Kind.ALT:
            raise TagRefused(f"“{name.text}” is the name of this tag itself. Take it out.")
        seen.add(name.place)
    preferred = [name.language for name in names if name.kind == _Kind.PREF]
    if len(set(preferred)) < len(preferred) or Language.ENGLISH in preferred:
        raise TagRefused(
            f"“{tag.name}” has one name in each language; the English one is its own. Make others synonyms."
        )
    other = Tag.objects.filter(slug__in=seen | {tag.slug}).exclude(pk=tag.pk).first()
    if other is not None:
        raise TagRefused(f"“{other.name}” is another tag. Merge the two, or choose another word.")
    taken = TagName.objects.filter(slug__in=own | seen).exclude(tag=tag.pk).select_related("tag").first()
    if taken is not None:
        former = "a former name" if taken.kind == _Kind.FORMER else "a name"
        raise TagRefused(f"“{taken.text}” is {former} of the tag “{taken.tag.name}”. Choose another word.")
    pairs = [pair for pair in _pairs() if pair[0] != tag.pk]
    for other in broader:
        if other == tag:
            raise TagRefused(f"“{tag.name}” cannot be broader than itself. Choose another tag.")
        if tag.pk is not None and _reaches(pairs, other.pk, tag.pk):
            raise TagRefused(f"“{other.name}” is narrower than “{tag.name}” already, so it cannot be broader as well.")


@transaction.atomic
def save_tag(tag: Tag, names: Sequence[Name], broader: Collection[Tag]) -> None:
    """Store a tag with its other names and broader tags. Raises `TagRefused`, as `check`.

    An address or a name that it had before is kept as a former one, and the index follows.
    """
    # Before the tag is stored, which counts as a change for readers: every deed has this order.
    take_turn()
    check(tag, names, broader)
    before = Tag.objects.filter(pk=tag.pk).first() if tag.pk else None
    tag.save()
    _keep_names(tag, names)
    wanted = {other.pk for other in broader}
    stored = set(TagBroader.objects.filter(narrower=tag).values_list("broader_id", flat=True))
    TagBroader.objects.filter(narrower=tag, broader__in=stored - wanted).delete()
    TagBroader.objects.bulk_create(TagBroader(narrower=tag, broader_id=other) for other in sorted(wanted - stored))
    Edition.advance()
    if before is not None and (before.name, before.slug) != (tag.name, tag.slug):
        _add_names(tag, _as_names(before, _Kind.FORMER))
        recompose(pages_with([tag]).filter(status=Status.PUBLISHED))


@transaction.atomic
def merge_tags(gone: Tag, kept: Tag) -> int:
    """Give the pages, names and relations of one tag to another, which is found under the name of the first from then
    on; gives how many pages got another tag. A relation that would close a circle goes.
    """
    take_turn()
    if gone == kept:
        raise TagRefused("A tag cannot be merged into itself. Choose another one.")
    pages = list(pages_with([gone]).filter(status=Status.PUBLISHED))
    carrying = TaggedPage.objects.filter(tag=kept).values("content_object")
    moved: int = TaggedPage.objects.filter(tag=gone).count()
    TaggedPage.objects.filter(tag=gone).exclude(content_object__in=carrying).update(tag=kept)
    _merge_broader(gone, kept)
    known = set(TagName.objects.filter(tag=kept, kind=_Kind.PREF).values_list("language", flat=True))
    TagName.objects.filter(tag=gone, kind=_Kind.PREF, language__in=known).update(kind=_Kind.ALT)
    TagName.objects.filter(tag=gone).update(tag=kept)
    gone.delete()
    _add_names(kept, _as_names(gone, _Kind.ALT))
    Edition.advance()
    recompose(pages)
    return moved


def _as_names(tag: Tag, kind: str) -> list[Name]:
    """Give what a tag is called, and its address as a former one, for the tag that it is from now on."""
    return [Name(tag.name, kind=kind), Name(tag.name, kind=_Kind.FORMER, slug=tag.slug)]


def _keep_names(tag: Tag, names: Sequence[Name]) -> None:
    """Make the names that are shown those that are given. Former ones stay, but for what the tag is called again."""
    given = {name.place: name for name in names}
    stored = TagName.objects.filter(tag=tag)
    stored.exclude(kind=_Kind.FORMER).exclude(slug__in=given).delete()
    if tag.slug == tag_slug(tag.name):
        stored.filter(kind=_Kind.FORMER, slug=tag.slug).delete()
    # Preferred names are written last and anew: at no time has a language two.
    stored.filter(slug__in=given).update(kind=_Kind.FORMER)
    for name in sorted(given.values(), key=lambda one: one.kind == _Kind.PREF):
        values = {"text": name.text, "language": name.language, "kind": name.kind}
        TagName.objects.update_or_create(tag=tag, slug=name.place, defaults=values)


def _add_names(tag: Tag, names: Iterable[Name]) -> None:
    """Add names that nothing has yet. What the tag is called itself is no synonym, but may be a former name of it."""
    own = {tag.slug, tag_slug(tag.name)}
    for name in names:
        taken = Tag.objects.filter(slug=name.place).exclude(pk=tag.pk).exists()
        if name.place and {name.place} != own and not taken:
            kind = _Kind.FORMER if name.place in own else name.kind
            values = {"tag": tag, "text": name.text, "language": name.language, "kind": kind}
            TagName.objects.get_or_create(slug=name.place, defaults=values)


def _pairs() -> list[tuple[int, int]]:
    return list(TagBroader.objects.values_list("narrower_id", "broader_id"))


def _reaches(pairs: Iterable[tuple[int, int]], narrower: int, broader: int) -> bool:
    """Tell whether going up from a tag leads to another, or is there already."""
    up: dict[int, list[int]] = {}
    for below, above in pairs:
        up.setdefault(below, []).append(above)
    seen: set[int] = set()
    todo = [narrower]
    while todo:
        tag = todo.pop()
        if tag == broader:
            return True
        if tag not in seen:
            seen.add(tag)
            todo += up.get(tag, [])
    return False


def _merge_broader(gone: Tag, kept: Tag) -> None:
    moved = [pair for pair in _pairs() if gone.pk in pair]
    TagBroader.objects.filter(Q(narrower=gone) | Q(broader=gone)).delete()
    for below, above in moved:
        narrower, broader = (kept.pk if tag == gone.pk else tag for tag in (below, above))
        if not _reaches(_pairs(), broader, narrower):
            TagBroader.objects.get_or_create(narrower_id=narrower, broader_id=broader)
