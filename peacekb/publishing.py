"""The one writer of derived rows: sections, mentions and search entries are made here and nowhere else.

Each deed is one transaction. Deeds run one after the other (a lock on PostgreSQL, the write lock on SQLite), so that
a new label and a new text that holds it cannot miss each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from peacekb import search
from peacekb.documents import NAMED_KINDS, Document, document_of, write
from peacekb.models import (
    MODELS,
    FormerSlug,
    Label,
    Mention,
    Page,
    Revision,
    SearchEntry,
    Section,
    Status,
)
from peacekb.text.compose import Essay, compose
from peacekb.text.links import Mention as FoundMention
from peacekb.text.markdown_tree import TextRefused, written_links
from peacekb.text.vocabulary import Name, Vocabulary, label_keys
from peacekb.text.words import words

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
    "take_turn",
    "withdraw",
]

_LOCK = 0x70656163  # "peac"; any constant of our own serves
_BATCH = 200

User = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deed did: the new revisions by page key (none where nothing had changed) and the pages composed again."""

    revisions: dict[int, Revision] = field(default_factory=dict)
    recomposed: tuple[int, ...] = ()


# --- deeds -------------------------------------------------------------------------------------------------------


def publish(page: Page, *, editor: User = None, note: str = "", origin: str = Revision.Origin.EDITOR) -> Outcome:
    """Make what is stored of a page public: keep a revision, compose it, and compose again where its names occur.

    Raises `TextRefused` for a text that cannot be rendered; nothing is changed then.
    """
    return publish_many([page], editor=editor, note=note, origin=origin)


@transaction.atomic
def publish_many(
    pages: Sequence[Page], *, editor: User = None, note: str = "", origin: str = Revision.Origin.EDITOR
) -> Outcome:
    """Publish several pages in one deed: their names meet each other whatever the order. Raises as `publish`."""
    take_turn()
    given, pages = pages, _as_stored(pages)
    names_changed: set[str] = set()
    lost: set[int] = set()
    written: set[str] = set()
    revisions: dict[int, Revision] = {}
    now = timezone.now()
    for page in pages:
        before = _last_published(page)
        page.status = Status.PUBLISHED
        page.published_at = page.published_at or now
        page.withdrawn_at, page.withdrawn_reason = None, ""
        page.save(update_fields=["status", "published_at", "withdrawn_at", "withdrawn_reason", "updated_at"])
        _keep_preferred_label(page, before)
        document = document_of(page)
        _keep_old_address(page, before)
        revision = _revise(page, document, Revision.State.PUBLISHED, editor, note, origin)
        if revision is not None:
            revisions[page.pk] = revision
        # A page whose date has not come has no names yet: nothing may link it.
        old = _names_in(before, page.kind) if before and _was_public(before, now) else set()
        new = _names_in(document, page.kind) if page.is_public else set()
        names_changed |= {text for text, *_ in old ^ new}
        written |= _written_names(page.kind, before) ^ _written_names(page.kind, document)
        if before is not None and (before["slug"] != page.slug or old - new):
            lost.add(page.pk)
    own = [page.pk for page in pages]
    others = _touched(names_changed, lost, written) - set(own)
    _compose([*own, *sorted(others)])
    for page, stored in zip(given, pages, strict=True):
        page.status, page.published_at = stored.status, stored.published_at
        page.withdrawn_at, page.withdrawn_reason = stored.withdrawn_at, stored.withdrawn_reason
    return Outcome(revisions, tuple(sorted(others)))


@transaction.atomic
def withdraw(page: Page, *, editor: User = None, reason: str = "") -> Outcome:
    """Take a page from the public. Its derived rows go, links to it go, its revisions stay; it answers 410.

    A page that is not published is left as it is.
    """
    take_turn()
    given, (page,) = page, _as_stored([page])
    if page.status != Status.PUBLISHED:
        return Outcome()
    before = _last_published(page)
    linking = set(Mention.objects.filter(target=page).values_list("section__page_id", flat=True)) - {page.pk}
    page.status, page.withdrawn_at, page.withdrawn_reason = Status.WITHDRAWN, timezone.now(), reason
    page.save(update_fields=["status", "withdrawn_at", "withdrawn_reason", "updated_at"])
    revision = _revise(page, document_of(page), Revision.State.WITHDRAWN, editor, reason, Revision.Origin.EDITOR)
    # A label that two pages claimed belongs to the other one alone now.
    names = {text for text, *_ in _names_in(before, page.kind)}
    linking |= _touched(names, set(), _written_names(page.kind, before)) - {page.pk}
    Section.objects.filter(page=page).delete()
    _compose(sorted(linking))
    given.status, given.withdrawn_at, given.withdrawn_reason = page.status, page.withdrawn_at, page.withdrawn_reason
    return Outcome({page.pk: revision} if revision else {}, tuple(sorted(linking)))


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
    """Keep what is stored of an unpublished page as a draft revision. Nothing of it becomes public.

    Raises `ValueError` for a published page: a change of it that is not to be seen goes through `offer`.
    """
    take_turn()
    (page,) = _as_stored([page])
    if page.status == Status.PUBLISHED:
        raise ValueError("a published page keeps no draft of its own: use offer()")
    _keep_preferred_label(page, None)
    revision = _revise(page, document_of(page), Revision.State.DRAFT, editor, note, origin)
    return Outcome({page.pk: revision} if revision else {})


@transaction.atomic
def offer(page: Page, document: Document, *, editor: User = None, note: str = "") -> Revision | None:
    """Keep a changed document of a published page as a draft revision, without touching what readers see.

    Gives `None` where the newest revision says the same already.
    """
    take_turn()
    return _revise(page, document, Revision.State.DRAFT, editor, note, Revision.Origin.EDITOR)


@transaction.atomic
def recompose(pages: Iterable[Page]) -> Outcome:
    """Derive the rows of published pages again, writing only what differs."""
    take_turn()
    keys = [page.pk for page in pages]
    _compose(keys)
    return Outcome(recomposed=tuple(keys))


def rebuild() -> Iterator[int]:
    """Derive every row again, in batches; yields the number of pages done after each. The same rows come out."""
    with transaction.atomic():
        take_turn()
        Section.objects.exclude(page__status=Status.PUBLISHED).delete()
    keys = list(Page.objects.filter(status=Status.PUBLISHED).order_by("pk").values_list("pk", flat=True))
    done = 0
    for place in range(0, len(keys), _BATCH):
        with transaction.atomic():
            take_turn()
            _compose(keys[place : place + _BATCH])
        done += len(keys[place : place + _BATCH])
        yield done
    with transaction.atomic():
        search.engine().rebuild()


# --- names -------------------------------------------------------------------------------------------------------


def vocabulary() -> Vocabulary:
    """Give the names of all public pages. One query."""
    folders = {kind: reverse("pages:index", kwargs={"kinds": f"{kind}s"}) for kind in MODELS}
    rows = Label.objects.filter(page__in=Page.objects.published()).order_by("pk")
    return Vocabulary(
        Name(page, text, f"{folders[kind]}{quote(slug)}/", language, label, case_sensitive, ambiguous)
        for page, text, kind, slug, language, label, case_sensitive, ambiguous in rows.values_list(
            "page_id", "text", "page__kind", "page__slug", "language", "pk", "case_sensitive", "ambiguous"
        ).iterator()
    )


def _names_in(document: Document | None, kind: str) -> set[tuple[Any, ...]]:
    """Give the names that a document claims, with what decides how they are matched."""
    if document is None:
        return set()
    language = document.get("language", "en")
    names = {}
    if kind in NAMED_KINDS:
        names[document["title"], language] = (False, False)
    for row in document.get("labels", []):
        names[row["text"], row.get("language", "en")] = (row.get("case_sensitive", False), row.get("ambiguous", False))
    return {(text, spoken, *flags) for (text, spoken), flags in names.items()}


def _written_names(kind: str, document: Document | None) -> set[str]:
    """Give what an author may write in `[[…]]` to mean the page of a document."""
    return {document["title"], document["slug"], f"{kind}:{document['slug']}"} if document else set()


def _was_public(document: Document, now: datetime) -> bool:
    published_at = parse_datetime(document.get("published_at", ""))
    return published_at is not None and published_at <= now


def _as_stored(pages: Sequence[Page]) -> list[Page]:
    """Give the pages as the database has them now that it is our turn, each as its own kind. One query a kind."""
    keys: dict[str, list[int]] = {}
    for page in pages:
        keys.setdefault(page.kind, []).append(page.pk)
    stored = {pk: page for kind, pks in keys.items() for pk, page in MODELS[kind].objects.in_bulk(pks).items()}
    return [stored[page.pk] for page in pages]


def _touched(names: set[str], lost: set[int], written: set[str]) -> set[int]:
    """Give the published pages in which one of the names stands, and those that meant a page of `lost`.

    The index narrows the search, then the linker itself decides, so that no page is composed again for nothing.
    """
    touched = set(Mention.objects.filter(target__in=lost).values_list("section__page_id", flat=True)) if lost else set()
    if names:
        ours = Vocabulary(Name(page=0, text=name, href="", case_sensitive=False) for name in names)
        candidates = search.pages_with(names) - touched
        for page_id, text in Section.objects.filter(page__in=candidates).values_list("page_id", "text").iterator():
            if page_id not in touched and ours.matches(text, words(text), None):
                touched.add(page_id)
    wanted = {_wanted_key(name) for name in names | written} - {""}
    if wanted:
        meant = Mention.objects.exclude(wanted="").filter(wanted_key__in=wanted)
        touched.update(meant.values_list("section__page_id", flat=True))
    return touched


def _wanted_key(wanted: str) -> str:
    return " ".join(label_keys(wanted))[:400]


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
            current.save(update_fields=["text"])
            return
        else:
            current.delete()
    if same is not None:
        same.kind = Label.LabelKind.PREF
        same.save(update_fields=["kind"])
    else:
        Label.objects.create(page=page, language=page.language, text=page.title, kind=Label.LabelKind.PREF)


def _keep_old_address(page: Page, before: Document | None) -> None:
    """Let an address that was public redirect to the page, and an address that is in use again not."""
    if page.is_public:
        FormerSlug.objects.filter(kind=page.kind, slug=page.slug).delete()
    if before is not None and before["slug"] != page.slug:
        FormerSlug.objects.update_or_create(kind=page.kind, slug=before["slug"], defaults={"page": page})


# --- revisions ---------------------------------------------------------------------------------------------------


def _last_published(page: Page) -> Document | None:
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


# --- derived rows ------------------------------------------------------------------------------------------------


def take_turn() -> None:
    """Wait until no other deed is under way, and hold the turn to the end of the transaction.

    On SQLite nothing is left to do: its transactions take the write lock at their start (settings).
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _compose(keys: Sequence[int]) -> None:
    """Derive the rows of published pages, each from its text and the names of all."""
    if not keys:
        return
    names = vocabulary()
    for place in range(0, len(keys), _BATCH):
        batch = keys[place : place + _BATCH]
        pages = Page.objects.filter(pk__in=batch, status=Status.PUBLISHED).prefetch_related(
            "labels", "phase_set", "tagged__tag", "sections__mentions"
        )
        by_key = {page.pk: page for page in pages}
        for key in batch:
            if key in by_key:
                page = by_key[key]
                essay = compose(
                    page.source,
                    names,
                    title=page.title,
                    language=page.language,
                    resolve=_Resolver(names, page),
                    own=page.pk,
                    quiet=page.unlinked,
                )
                _store(page, essay)


class _Resolver:
    """Find the page that a written link means: by label, then by title, slug or `kind:slug`. At most one query."""

    def __init__(self, names: Vocabulary, page: Page) -> None:
        self._names = names
        self._source = page.source
        self._others: dict[str, list[Name]] | None = None

    def __call__(self, wanted: str) -> Name | None:
        named = {name.page: name for name in self._names.named(wanted)}
        if len(named) == 1:
            return next(iter(named.values()))
        others = {name.page: name for name in self._pages().get(wanted.casefold(), [])}
        return next(iter(others.values())) if len(others) == 1 else None

    def _pages(self) -> dict[str, list[Name]]:
        if self._others is None:
            self._others = {}
            written = written_links(self._source)
            spelled = {text.casefold() for text in written}
            slugs = {text.rpartition(":")[2] for text in spelled}
            # SQLite's LOWER knows ASCII only, hence the titles as they are written, too.
            asked = Q(folded_title__in=spelled) | Q(title__in=written) | Q(slug__in=slugs)
            public = Page.objects.published().annotate(folded_title=Lower("title"))
            for page in public.filter(asked).only("kind", "slug", "title") if spelled else []:
                name = Name(page=page.pk, text=page.title, href=page.get_absolute_url())
                for spelling in {page.title.casefold(), page.slug.casefold(), f"{page.kind}:{page.slug}".casefold()}:
                    self._others.setdefault(spelling, []).append(name)
        return self._others


def _store(page: Page, essay: Essay) -> None:
    """Bring the stored sections, mentions and search entries of a page in step with `essay`, writing what differs.

    A section keeps its row by position, a mention by its place in the section, so that deriving again changes nothing.
    """
    old = {section.position: section for section in page.sections.all()}
    gone = [section.pk for position, section in old.items() if position >= len(essay.sections)]
    if gone:
        Section.objects.filter(pk__in=gone).delete()
    # An anchor may move from one position to another: free those that change before they are taken.
    moving = [
        old[position]
        for position, made in enumerate(essay.sections)
        if position in old and old[position].anchor != made.anchor
    ]
    for section in moving:
        Section.objects.filter(pk=section.pk).update(anchor=f"-{section.pk}")
    stored = []
    for position, made in enumerate(essay.sections):
        values = {
            "level": made.level,
            "anchor": made.anchor,
            "heading": made.heading[:1000],
            "heading_html": made.heading_html,
            "html": made.html,
            "notes_html": made.notes_html,
            "text": made.text,
            "first_paragraph": made.first_paragraph,
            "last_paragraph": made.last_paragraph,
            "paragraph_starts": list(made.paragraph_starts),
        }
        known = old.get(position)
        section = known or Section.objects.create(page=page, position=position, **values)
        if known is not None and any(getattr(section, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(section, name, value)
            section.save()
        _store_mentions(section, made.mentions, fresh=position not in old)
        stored.append(section)
    _store_entries(page, stored)


_MENTION_FIELDS = [
    "paragraph",
    "target",
    "label",
    "end",
    "sentence_start",
    "sentence",
    "linked",
    "wanted",
    "wanted_key",
]


def _store_mentions(section: Section, found: Sequence[FoundMention], *, fresh: bool) -> None:
    old = {} if fresh else {mention.start: mention for mention in section.mentions.all()}
    new, changed = [], []
    for one in found:
        values: dict[str, Any] = {
            "paragraph": one.paragraph,
            "target_id": one.target,
            "label_id": one.label,
            "end": one.end,
            "sentence_start": one.sentence_start,
            "sentence": one.sentence,
            "linked": one.linked,
            "wanted": one.wanted,
            "wanted_key": _wanted_key(one.wanted),
        }
        mention = old.pop(one.start, None)
        if mention is None:
            new.append(Mention(section=section, start=one.start, **values))
        elif any(getattr(mention, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(mention, name, value)
            changed.append(mention)
    if old:
        Mention.objects.filter(pk__in=[mention.pk for mention in old.values()]).delete()
    Mention.objects.bulk_create(new, batch_size=500)
    Mention.objects.bulk_update(changed, _MENTION_FIELDS, batch_size=200)


def _store_entries(page: Page, sections: Sequence[Section]) -> None:
    tags = [(tagged.tag.name, tagged.tag.slug) for tagged in page.tagged.all()]
    facts = [("kind", page.kind), ("lang", page.language), *(("phase", row.phase) for row in page.phase_set.all())]
    labels = [label.text for label in page.labels.all() if label.text != page.title]
    fields = ("title", "labels", "heading", "tags", "text", "filters")
    old = SearchEntry.objects.in_bulk([section.pk for section in sections])
    for section in sections:
        entry = search.entry_for(section, title=page.title, labels=labels, tags=tags, facts=facts)
        known = old.get(section.pk)
        if known is None:
            entry.save(force_insert=True)
        elif any(getattr(known, name) != getattr(entry, name) for name in fields):
            entry.save(force_update=True)
