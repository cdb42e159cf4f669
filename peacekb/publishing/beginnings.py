"""What readers may begin to type for a page or a tag, kept in step with what is published."""

from collections.abc import Collection, Iterator, Sequence

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When
from taggit.models import Tag

from peacekb.models import Beginning, Kind, Label, Page, Status, TaggedPage
from peacekb.text.beginnings import beginnings

Shelf = Beginning.Shelf
# Of two names of a language that begin alike the one is kept that readers are rather shown.
_ORDER: list[str] = [Label.LabelKind.PREF, Label.LabelKind.ALT, Label.LabelKind.HIDDEN]


def store_beginnings(pages: Collection[Page]) -> None:
    """Bring the rows of pages and of their tags in step. Needs `labels` and `tagged__tag`; four queries at most."""
    tags = {tagged.tag_id: tagged.tag for page in pages for tagged in page.tagged.all()}
    made = [
        *(row for page in pages for row in beginnings_of(page)),
        *(row for tag in tags.values() for row in _of_tag(tag)),
    ]
    stored = {_said(row): row.pk for row in Beginning.objects.filter(page__in=[page.pk for page in pages])}
    stored |= {_said(row): row.pk for row in Beginning.objects.filter(tag__in=tags)}
    new = [row for row in made if stored.pop(_said(row), None) is None]
    Beginning.objects.filter(pk__in=stored.values()).delete()
    Beginning.objects.bulk_create(new, batch_size=1_000)


def drop_beginnings(withdrawn: Sequence[Page] | QuerySet[Page], *, tags: bool = True) -> None:
    """Drop the rows of withdrawn pages and, if `tags`, of tags that no published page carries. Two queries.

    All tags are looked through, which takes 0.1 s for 3,000: a tag may have had another name in an old revision.
    """
    Beginning.objects.filter(page__in=withdrawn).delete()
    if tags:
        # A case, because SQLite would otherwise go through all published pages for each tag.
        published = When(content_object__status=Status.PUBLISHED, then=Value(True))
        carried = TaggedPage.objects.annotate(is_published=Case(published, default=Value(False)))
        carried = carried.filter(tag=OuterRef("tag"), is_published=True)
        Beginning.objects.filter(~Exists(carried), shelf=Shelf.TAG).delete()


def beginnings_of(page: Page) -> Iterator[Beginning]:
    """Make the rows of a page. Needs `labels`."""
    is_article = page.kind == Kind.ARTICLE
    whole, inside = (Shelf.ARTICLE, Shelf.INSIDE_ARTICLE) if is_article else (Shelf.ENTRY, Shelf.INSIDE_ENTRY)
    labels = sorted(page.labels.all(), key=lambda label: (_ORDER.index(label.kind), label.text))
    names: list[tuple[str, Label | None]] = [(page.title, None), *((label.text, label) for label in labels)]
    begun = [(is_first, beginning, label) for name, label in names for beginning, is_first in beginnings(name)]
    made = set()
    for is_first, beginning, label in sorted(begun, key=lambda one: not one[0]):
        language = label.language if label else page.language
        if (beginning, language) not in made:
            made.add((beginning, language))
            yield Beginning(
                shelf=whole if is_first else inside,
                beginning=beginning.encode(),
                language=language,
                is_preferred=label is None or label.kind == Label.LabelKind.PREF,
                page=page,
                label=label,
            )


def _of_tag(tag: Tag) -> Iterator[Beginning]:
    for beginning in dict.fromkeys(beginning for beginning, _ in beginnings(tag.name)):
        yield Beginning(shelf=Shelf.TAG, beginning=beginning.encode(), is_preferred=True, tag=tag)


def _said(row: Beginning) -> tuple[object, ...]:
    of = row.page_id, row.label_id, row.tag_id
    return row.shelf, bytes(row.beginning), row.language, row.is_preferred, *of
