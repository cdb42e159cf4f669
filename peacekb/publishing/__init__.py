"""The one writer of derived rows: sections, mentions and search entries are made here and nowhere else.

Each deed is one transaction. Deeds run one after the other (a lock on PostgreSQL, the write lock on SQLite), so that
a new label and a new text that holds it cannot miss each other.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, transaction
from django.utils import timezone

from peacekb import search
from peacekb.documents import NAMED_KINDS, Document, document_of, write
from peacekb.models import MODELS, Edition, FormerSlug, Label, Page, Revision, Section, Status
from peacekb.text.markdown_tree import TextRefused

from .beginnings import drop_beginnings
from .names import Effect, forget, vocabulary, was_public
from .rows import BATCH, LinkCount, compose_pages, link_sections

__all__ = [
    "Outcome",
    "TextRefused",
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

User = AbstractBaseUser | AnonymousUser | None


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
    pages: Sequence[Page], *, editor: User = None, note: str = "", origin: str = Revision.Origin.EDITOR
) -> Outcome:
    """Publish several pages in one deed: their names meet each other whatever the order. Raises as `publish`."""
    return settle(pages, editor=editor, note=note, origin=origin)


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
    link: Callable[[Effect, Collection[int]], tuple[Collection[int], LinkCount]] | None = None,
) -> Outcome:
    """Publish pages and withdraw others, each with its public reason, in one deed. Raises as `publish`.

    `link` brings the links of all other pages in step, and gives back the pages it touched and what became of links.
    """
    take_turn()
    now = timezone.now()
    effect = Effect()
    has_lost_tags = False
    revisions: dict[int, Revision] = {}
    pages = _as_stored(published)
    for page in pages:
        before = last_published(page)
        page.status = Status.PUBLISHED
        page.published_at = page.published_at or now
        page.withdrawn_at, page.withdrawn_reason = None, ""
        page.save(update_fields=["status", "published_at", "withdrawn_at", "withdrawn_reason", "updated_at"])
        _keep_preferred_label(page, before)
        document = document_of(page)
        _keep_old_address(page)
        _keep(revisions, _revise(page, document, Revision.State.PUBLISHED, editor, note, origin))
        has_lost_tags |= bool(before and set(before.get("tags", ())) - set(document.get("tags", ())))
        # A page whose date has not come has no names yet: nothing may link it.
        effect.add(page.pk, page.kind, was_public(before, now), document if page.is_public else None)
    stored = _as_stored([page for page, _ in withdrawn])
    gone = [(page, given) for page, given in zip(stored, withdrawn, strict=True) if page.status == Status.PUBLISHED]
    for page, (_, reason) in gone:
        before = last_published(page)
        page.status, page.withdrawn_at, page.withdrawn_reason = Status.WITHDRAWN, now, reason
        page.save(update_fields=["status", "withdrawn_at", "withdrawn_reason", "updated_at"])
        state = Revision.State.WITHDRAWN
        _keep(revisions, _revise(page, document_of(page), state, editor, reason, Revision.Origin.EDITOR))
        has_lost_tags |= bool(before and before.get("tags"))
        # A label that two pages claimed belongs to the other one alone now.
        effect.add(page.pk, page.kind, before, None)
    Section.objects.filter(page__in=[page for page, _ in gone]).delete()
    own = [page.pk for page in pages]
    compose_pages(own)
    drop_beginnings([page for page, _ in gone], tags=has_lost_tags)
    others, links = (link or _link)(effect, {*own, *(page.pk for page, _ in gone)})
    Edition.advance()
    for given, page in [*zip(published, pages, strict=True), *((given, page) for page, (given, _) in gone)]:
        given.status, given.published_at = page.status, page.published_at
        given.withdrawn_at, given.withdrawn_reason = page.withdrawn_at, page.withdrawn_reason
    return Outcome(revisions, tuple(sorted(others)), links)


def _keep(revisions: dict[int, Revision], revision: Revision | None) -> None:
    if revision is not None:
        revisions[revision.page_id] = revision


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
    _keep_preferred_label(page, None)
    revision = _revise(page, document_of(page), Revision.State.DRAFT, editor, note, origin)
    return Outcome({page.pk: revision} if revision else {})


@transaction.atomic
def offer(page: Page, document: Document, *, editor: User = None, note: str = "") -> Revision | None:
    """Keep a changed document of a page that is or was published as a draft revision; readers see no difference.

    Gives `None` where the newest revision says the same already.
    """
    take_turn()
    return _revise(page, document, Revision.State.DRAFT, editor, note, Revision.Origin.EDITOR)


def keep_as_it_is(page: Page) -> Revision | None:
    """Give the revision that says what readers have of a page, made where a relation was set from the other side.

    `None` for a page that is not published.
    """
    if page.status != Status.PUBLISHED:
        return None
    shown = page.revisions.exclude(state=Revision.State.DRAFT).order_by("-number").first()
    document = document_of(page)
    if shown is not None and shown.content == document:
        return shown
    return _revise(page, document, Revision.State.PUBLISHED, None, "", Revision.Origin.EDITOR)


@transaction.atomic
def recompose(pages: Iterable[Page]) -> Outcome:
    """Derive the rows of published pages again, writing only what differs."""
    take_turn()
    keys = [page.pk for page in pages]
    compose_pages(keys)
    Edition.advance()
    return Outcome(recomposed=tuple(keys))


def rebuild() -> Iterator[int]:
    """Derive every row again, in batches; yields the number of pages done after each. The same rows come out."""
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
            compose_pages(keys[place : place + BATCH])
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


def _keep_preferred_label(page: Page, before: Document | None) -> None:
    """Keep the preferred label of a concept, role or task equal to its title; a public name stays as another label."""
    if page.kind not in NAMED_KINDS:
        return
    current = page.labels.filter(kind="pref", language=page.language).first()
    if current is not None and current.text == page.title:
        return
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


def _keep_old_address(page: Page) -> None:
    """Let an address that was public redirect to the page, and an address that is in use again not."""
    if page.is_public:
        FormerSlug.objects.filter(kind=page.kind, slug=page.slug).delete()
    shown = page.revisions.exclude(state=Revision.State.DRAFT).order_by("-number").first()
    if shown is not None and shown.content["slug"] != page.slug:
        FormerSlug.objects.update_or_create(kind=page.kind, slug=shown.content["slug"], defaults={"page": page})


# --- revisions ---------------------------------------------------------------------------------------------------


def last_published(page: Page) -> Document | None:
    """Give the document that readers have now, if any."""
    revision = page.revisions.exclude(state=Revision.State.DRAFT).order_by("-number").first()
    return revision.content if revision is not None and revision.state == Revision.State.PUBLISHED else None


def _revise(page: Page, document: Document, state: str, editor: User, note: str, origin: str) -> Revision | None:
    """Keep a document, unless the newest revision says the same in the same state."""
    newest = page.revisions.order_by("-number").first()
    if newest is not None and newest.state == state and newest.content == document:
        return None
    user = editor if isinstance(editor, AbstractBaseUser) else None
    return Revision.objects.create(
        page_id=page.pk,
        number=newest.number + 1 if newest else 1,
        content=document,
        editor=user,  # type: ignore[misc]
        editor_name=user.get_username() if user else "",
        note=note[:300],
        state=state,
        origin=origin,
    )
