"""The one writer of derived rows: sections, mentions and search entries are made here and nowhere else.

Each deed is one transaction. Deeds run one after the other (a lock on PostgreSQL, the write lock on SQLite), so that
a new label and a new text that holds it cannot miss each other.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from peacekb import search
from peacekb.documents import NAMED_KINDS, Document, document_of, documents_of, write
from peacekb.models import MODELS, Edition, FormerSlug, Label, Mention, Page, Revision, Section, Status
from peacekb.models.many import batched, write_fields
from peacekb.text.markdown_tree import TextRefused

from .beginnings import drop_beginnings
from .names import Effect, forget, vocabulary, was_public
from .past import Past, User, last_published, pasts, revise
from .rows import BATCH, LinkCount, compose_pages, compose_stored, link_sections

__all__ = [
    "Outcome",
    "TextRefused",
    "User",
    "last_published",
    "offer",
    "publish",
    "publish_many",
    "rebuild",
    "recompose",
    "restore",
    "save_draft",
    "take_stock",
    "take_turn",
    "vocabulary",
    "withdraw",
]

_LOCK = 0x70656163  # "peac"; any constant of our own serves
_STATUS_FIELDS = ("status", "published_at", "withdrawn_at", "withdrawn_reason", "updated_at")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deed did: the new revisions by page key (none where nothing had changed), the pages composed or linked
    again, and what became of the links in other pages."""

    revisions: dict[int, Revision] = field(default_factory=dict)
    recomposed: tuple[int, ...] = ()
    links: LinkCount = field(default_factory=LinkCount)


# --- deeds -------------------------------------------------------------------------------------------------------


def publish(page: Page, *, editor: User = None, note: str = "", origin: str = Revision.Origin.EDITOR) -> Outcome:
    """Make what is stored of a page public: keep a revision, compose it, and link again where its names occur.

    Raises `TextRefused` for a text that cannot be rendered; nothing is changed then.
    """
    return publish_many([page], editor=editor, note=note, origin=origin)


def publish_many(
    pages: Sequence[Page],
    *,
    editor: User = None,
    note: str = "",
    origin: str = Revision.Origin.EDITOR,
    trees: Mapping[int, Sequence[str]] | None = None,
    forks: int = 1,
) -> Outcome:
    """Publish several pages in one deed: their names meet each other whatever the order. Raises as `publish`.

    `trees` are what `text.compose.read_sections` gave of the texts of some, by page key; `forks` processes compose the
    pages (see `text.crew`).
    """
    return settle(
        pages, editor=editor, note=note, origin=origin, compose=partial(compose_pages, known=trees, forks=forks)
    )


def withdraw(page: Page, *, editor: User = None, reason: str = "") -> Outcome:
    """Take a page from the public. Its derived rows go, links to it go, its revisions stay; it answers 410.

    A page that is not published is left as it is.
    """
    return settle(withdrawn=[(page, reason)], editor=editor)


@transaction.atomic
def settle(
    published: Sequence[Page] = (),
    withdrawn: Sequence[tuple[Page, str]] = (),
    *,
    editor: User = None,
    note: str = "",
    origin: str = Revision.Origin.EDITOR,
    compose: Callable[[Sequence[Page]], None] = compose_pages,
    link: Callable[[Effect, Collection[int]], tuple[Collection[int], LinkCount]] | None = None,
) -> Outcome:
    """Publish pages and withdraw others, each with its public reason, in one deed. Raises as `publish`.

    `compose` derives the rows of the published. `link` brings the links of all other pages in step, and gives back the
    pages it touched and what became of links.
    """
    take_turn()
    now = timezone.now()
    effect = Effect()
    pages = _as_stored(published)
    past = pasts(pages)
    for page in pages:
        page.status = Status.PUBLISHED
        page.published_at = page.published_at or now
        page.withdrawn_at, page.withdrawn_reason = None, ""
    write_fields(pages, *_STATUS_FIELDS)
    _keep_preferred_labels(pages, past)
    documents = documents_of(pages)
    _keep_old_addresses(pages, past)
    said = [(page, document, past[page.pk]) for page, document in zip(pages, documents, strict=True)]
    revisions = revise(said, Revision.State.PUBLISHED, editor=editor, note=note, origin=origin)
    lost_tags: set[str] = set()
    rephased = []
    for page, document, before in said:
        lost_tags |= _tags_in(before.public) - _tags_in(document)
        if before.public and _phases_in(before.public) != _phases_in(document):
            rephased.append(page.pk)
        # A page whose date has not come has no names yet: nothing may link it.
        effect.add(page.pk, page.kind, was_public(before.public, now), document if page.is_public else None)
    stored = _as_stored([page for page, _ in withdrawn])
    gone = [(page, given) for page, given in zip(stored, withdrawn, strict=True) if page.status == Status.PUBLISHED]
    past = pasts([page for page, _ in gone])
    for page, (_, reason) in gone:
        page.status, page.withdrawn_at, page.withdrawn_reason = Status.WITHDRAWN, now, reason
        write_fields([page], *_STATUS_FIELDS)
        state, said_last = Revision.State.WITHDRAWN, [(page, document_of(page), past[page.pk])]
        revisions |= revise(said_last, state, editor=editor, note=reason, origin=Revision.Origin.EDITOR)
        lost_tags |= _tags_in(past[page.pk].public)
        # A label that two pages claimed belongs to the other one alone now.
        effect.add(page.pk, page.kind, past[page.pk].public, None)
    Section.objects.filter(page__in=[page for page, _ in gone]).delete()
    compose(pages)
    drop_beginnings([page for page, _ in gone], tags=bool(lost_tags))
    others, links = (link or _link)(effect, {page.pk for page in (*pages, *(page for page, _ in gone))})
    if rephased:
        linking = Mention.objects.filter(target__in=rephased, linked=True).values_list("section__page", flat=True)
        for batch in batched(sorted(set(linking)), BATCH):
            search.follow_mentions(batch)
    Edition.advance()
    for given, page in [*zip(published, pages, strict=True), *((given, page) for page, (given, _) in gone)]:
        given.status, given.published_at = page.status, page.published_at
        given.withdrawn_at, given.withdrawn_reason = page.withdrawn_at, page.withdrawn_reason
    return Outcome(revisions, tuple(sorted(others)), links)


def _tags_in(document: Document | None) -> set[str]:
    return set(document.get("tags", ())) if document else set()


def _phases_in(document: Document) -> set[str]:
    return {document.get("phase", ""), *document.get("phases", ())}


@transaction.atomic
def restore(revision: Revision, *, editor: User = None, note: str = "") -> Outcome:
    """Publish the content of an old revision, or of a draft, as a new revision; the past is never rewritten.

    Raises `TextRefused` as `publish`, and `documents.DocumentRefused` where the content no longer fits, such as a
    source that is gone.
    """
    take_turn()
    page = write(revision.content, revision.page.kind, revision.page)
    return publish(page, editor=editor, note=note or f"Version {revision.number}")


@transaction.atomic
def save_draft(page: Page, *, editor: User = None, note: str = "", origin: str = Revision.Origin.EDITOR) -> Outcome:
    """Keep what is stored of a draft as a draft revision. Nothing of it becomes public.

    Raises `ValueError` for a page that is or was published: a change of it that waits goes through `offer`.
    """
    take_turn()
    (page,) = _as_stored([page])
    if page.status != Status.DRAFT:
        raise ValueError("only a draft is stored as one: what waits of another page goes through offer()")
    _keep_preferred_labels([page], {})
    said = [(page, document_of(page), pasts([page])[page.pk])]
    return Outcome(revise(said, Revision.State.DRAFT, editor=editor, note=note, origin=origin))


@transaction.atomic
def offer(page: Page, document: Document, *, editor: User = None, note: str = "") -> Revision | None:
    """Keep a changed document of a page that is or was published as a draft revision; readers see no difference.

    Gives `None` where the newest revision says the same already.
    """
    take_turn()
    said = [(page, document, pasts([page])[page.pk])]
    kept = revise(said, Revision.State.DRAFT, editor=editor, note=note, origin=Revision.Origin.EDITOR)
    return kept.get(page.pk)


def keep_as_it_is(page: Page) -> Revision | None:
    """Give the revision that says what readers have of a page, made where a relation was set from the other side.

    `None` for a page that is not published.
    """
    if page.status != Status.PUBLISHED:
        return None
    past, document = pasts([page])[page.pk], document_of(page)
    if past.shown is not None and past.shown.content == document:
        return past.shown
    said, state = [(page, document, past)], Revision.State.PUBLISHED
    return revise(said, state, editor=None, note="", origin=Revision.Origin.EDITOR).get(page.pk)


@transaction.atomic
def recompose(pages: Iterable[Page]) -> Outcome:
    """Derive the rows of published pages again, writing only what differs."""
    take_turn()
    keys = [page.pk for page in pages]
    compose_stored(keys)
    Edition.advance()
    return Outcome(recomposed=tuple(keys))


def rebuild(*, forks: int = 1) -> Iterator[int]:
    """Derive every row again, in batches; yields the number of pages done after each. The same rows come out.

    `forks` processes compose (see `text.crew`).
    """
    forget()
    with transaction.atomic():
        take_turn()
        search.engine().mend()
        Section.objects.exclude(page__status=Status.PUBLISHED).delete()
        drop_beginnings(Page.objects.exclude(status=Status.PUBLISHED))
    keys = list(Page.objects.filter(status=Status.PUBLISHED).order_by("pk").values_list("pk", flat=True))
    done = 0
    for place in range(0, len(keys), BATCH):
        with transaction.atomic():
            take_turn()
            compose_stored(keys[place : place + BATCH], forks=forks)
            Edition.advance()
        done += len(keys[place : place + BATCH])
        yield done
    take_stock()


def take_stock() -> None:
    """Let PostgreSQL count what the tables hold, after so much was written that its plans are for other ones.

    It does so by itself in time; until then a page of a phase of the starter library takes minutes, not milliseconds.
    SQLite plans without counts.
    """
    if connection.vendor == "postgresql":
        models = apps.get_app_config("peacekb").get_models(include_auto_created=True)
        tables = ", ".join(model._meta.db_table for model in models if model._meta.managed)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def take_turn() -> None:
    """Wait until no other deed is under way, and hold the turn to the end of the transaction.

    On SQLite nothing is left to do: its transactions take the write lock at their start (settings).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _link(effect: Effect, own: Collection[int]) -> tuple[Collection[int], LinkCount]:
    """Link again the sections of other pages that a deed touches."""
    others = {section: page for section, page in effect.sections().items() if page not in own}
    return set(others.values()), link_sections(others)


def _as_stored(pages: Sequence[Page]) -> list[Page]:
    """Give the pages as the database has them now that it is our turn, each as its own kind. One query a kind."""
    keys: dict[str, list[int]] = {}
    for page in pages:
        keys.setdefault(page.kind, []).append(page.pk)
    stored = {pk: page for kind, pks in keys.items() for pk, page in MODELS[kind].objects.in_bulk(pks).items()}
    return [stored[page.pk] for page in pages]


def _keep_preferred_labels(pages: Sequence[Page], past: Mapping[int, Past]) -> None:
    """Keep the preferred labels of concepts, roles and tasks equal to their titles; public names stay as other ones."""
    named = [page for page in pages if page.kind in NAMED_KINDS]
    if named:
        preferred = Label.objects.filter(page__in=named, kind=Label.LabelKind.PREF)
        known = set(preferred.values_list("page_id", "language", "text"))
        for page in named:
            if (page.pk, page.language, page.title) not in known:
                _keep_preferred_label(page, past[page.pk].public if page.pk in past else None)


def _keep_preferred_label(page: Page, before: Document | None) -> None:
    current = page.labels.filter(kind="pref", language=page.language).first()
    same = page.labels.filter(language=page.language, text=page.title).first()
    if current is not None:
        taken = Page.objects.filter(kind__in=NAMED_KINDS, title=current.text).exclude(pk=page.pk).exists()
        if before is not None and before["title"] == current.text and not taken:
            current.kind = Label.LabelKind.ALT
            current.save(update_fields=["kind"])
        elif same is None:
            current.text = page.title
            current.save(update_fields=["text", "key"])
            return
        else:
            current.delete()
    if same is not None:
        same.kind = Label.LabelKind.PREF
        same.save(update_fields=["kind"])
    else:
        Label.objects.create(page=page, language=page.language, text=page.title, kind=Label.LabelKind.PREF)


def _keep_old_addresses(pages: Sequence[Page], past: Mapping[int, Past]) -> None:
    """Let addresses that were public redirect to their pages, and addresses that are in use again not."""
    for page in pages:
        shown = past[page.pk].shown
        if shown is not None and shown.content["slug"] != page.slug:
            was = {"kind": page.kind, "slug": shown.content["slug"]}
            FormerSlug.objects.update_or_create(**was, defaults={"page": page})
    used: dict[str, list[str]] = {}
    for page in pages:
        if page.is_public:
            used.setdefault(page.kind, []).append(page.slug)
    for kind, slugs in used.items():
        FormerSlug.objects.filter(kind=kind, slug__in=slugs).delete()
