"""The names of all public pages, kept in step in each process, and what a change of them touches."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from peacekb import search
from peacekb.documents import NAMED_KINDS, Document
from peacekb.languages import plain_addresses
from peacekb.models import MODELS, FormerSlug, Label, Mention, Page, Revision, Status
from peacekb.models.many import MOST_ASKED, batched
from peacekb.text.vocabulary import Name, Vocabulary, name_key


class _Kept(NamedTuple):
    """What this process knows, and as of when: after revision `revision` of `created_at`, at the moment `seen`."""

    vocabulary: Vocabulary
    revision: int
    created_at: datetime
    seen: datetime


_kept: _Kept | None = None


def vocabulary() -> Vocabulary:
    """Give the names of all public pages, as the transaction sees them. Call it in a deed's turn only.

    A process reads all names once, one query; from then on the history says whose names may have changed: two
    queries, and a third for those pages. Nothing a request of a reader does comes here.
    """
    global _kept
    now = timezone.now()
    later: list[tuple[int, datetime, int]] = []
    if _kept is not None:
        since = Revision.objects.filter(pk__gte=_kept.revision).order_by("pk")
        known, *later = since.values_list("pk", "created_at", "page_id") or [(0, now, 0)]
        if known[:2] != (_kept.revision, _kept.created_at):
            _kept = None  # that revision was taken back with its transaction, or this is another database
    if _kept is None:
        newest = Revision.objects.order_by("-pk").values_list("pk", "created_at").first() or (0, now)
        _kept = _Kept(Vocabulary(_public_names()), *newest, seen=now)
        return _kept.vocabulary
    changed = {page for _, _, page in later}
    # Pages whose date came meanwhile; they were published before.
    due = Page.objects.filter(status=Status.PUBLISHED, published_at__gt=_kept.seen, published_at__lte=now)
    changed.update(due.values_list("pk", flat=True))
    if changed:
        names: dict[int, list[Name]] = {}
        for name in _public_names(changed):
            names.setdefault(name.page, []).append(name)
        for page in changed:
            _kept.vocabulary.replace(page, names.get(page, ()))
    newest = later[-1][:2] if later else known[:2]
    _kept = _Kept(_kept.vocabulary, *newest, seen=now)
    return _kept.vocabulary


def forget() -> None:
    """Read all names anew the next time, because they may have been changed behind the history's back."""
    global _kept
    _kept = None


def _public_names(pages: Collection[int] | None = None) -> Iterable[Name]:
    with plain_addresses():
        folders = {kind: reverse("pages:index", kwargs={"kinds": f"{kind}s"}) for kind in MODELS}
    rows = Label.objects.filter(page__status=Status.PUBLISHED, page__published_at__lte=timezone.now()).order_by("pk")
    if pages is not None:
        rows = rows.filter(page__in=pages)
    for page, text, kind, slug, language, label, case_sensitive, ambiguous in rows.values_list(
        "page_id", "text", "page__kind", "page__slug", "language", "pk", "case_sensitive", "ambiguous"
    ).iterator():
        yield Name(page, text, f"{folders[kind]}{quote(slug)}/", language, label, case_sensitive, ambiguous)


@dataclass(slots=True)
class Effect:
    """What a deed changes of the names that texts may use: names, what else `[[…]]` may say, and pages that move."""

    names: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)

    def add(self, page: int, kind: str, was: Document | None, shown: Document | None) -> None:
        """Add a page that readers had as `was` and will have as `shown`; `None` where they have it not."""
        self.names |= {text for text, *_ in _names_in(was, kind) ^ _names_in(shown, kind)}
        self.written |= _written_names(kind, was) ^ _written_names(kind, shown)
        if was is not None and (shown is None or was["slug"] != shown["slug"]):
            self.lost.add(page)

    def sections(self, within: Collection[int] | None = None) -> dict[int, int]:
        """Give the sections, each with its page, in which one of the names stands or that meant one of the pages.

        The index narrows the search, then the linker itself decides, so that none is linked again for nothing.
        `within` are the pages looked at, all where it is left out.
        """
        touched: dict[int, int] = {}
        mentions = Mention.objects.values_list("section_id", "section__page_id").distinct()
        if within is not None:
            mentions = mentions.filter(section__page__in=within)
        if self.lost:
            touched.update(mentions.filter(target__in=self.lost))
        if self.names:
            ours = Vocabulary(Name(page=0, text=name, href="") for name in self.names)
            for section, page, heading, text in search.sections_with(self.names):
                if section in touched or (within is not None and page not in within):
                    continue
                if ours.matches(text, None) or (heading and ours.matches(heading, None)):
                    touched[section] = page
        wanted = {name_key(name) for name in self.names | self.written} - {""}
        for some in batched(sorted(wanted), MOST_ASKED):
            touched.update(mentions.exclude(wanted="").filter(wanted_key__in=some))
        return touched


def was_public(document: Document | None, now: datetime) -> Document | None:
    """Give a document that was published if it was public by a moment."""
    published_at = parse_datetime(document.get("published_at", "")) if document else None
    return document if published_at is not None and published_at <= now else None


def address_of(kind: str, slug: str) -> str:
    """Give the plain address of a page of a kind."""
    with plain_addresses():
        return reverse("pages:entry", kwargs={"kinds": f"{kind}s", "slug": slug})


def names_of(page: int, kind: str, document: Document, labels: Mapping[tuple[str, str], int]) -> list[Name]:
    """Give the names that a page would have with a document; `labels` are the keys of its rows by language, text."""
    address = address_of(kind, document["slug"])
    return [
        Name(page, text, address, language, labels.get((language, text)), case_sensitive, ambiguous)
        for text, language, case_sensitive, ambiguous in sorted(_names_in(document, kind))
    ]


@contextmanager
def as_if(names: Mapping[int, Sequence[Name]]) -> Iterator[Vocabulary]:
    """Give the vocabulary in which some pages have other names, for as long as the context lasts. In a turn only."""
    everyone = vocabulary()
    kept = {page: everyone.names_of(page) for page in names}
    try:
        for page, own in names.items():
            everyone.replace(page, own)
        yield everyone
    finally:
        for page, own in kept.items():
            everyone.replace(page, own)


def _names_in(document: Document | None, kind: str) -> set[tuple[str, str, bool, bool]]:
    """Give the names that a document claims: text, language, and what decides how they are matched."""
    if document is None:
        return set()
    names = {}
    if kind in NAMED_KINDS:
        names[document["title"], document.get("language", "en")] = (False, False)
    for row in document.get("labels", []):
        names[row["text"], row.get("language", "en")] = (row.get("case_sensitive", False), row.get("ambiguous", False))
    return {(text, spoken, *flags) for (text, spoken), flags in names.items()}


def _written_names(kind: str, document: Document | None) -> set[str]:
    """Give what an author may write in `[[…]]` to mean the page of a document."""
    return {document["title"], document["slug"], f"{kind}:{document['slug']}"} if document else set()


class Resolver:
    """Find the page that a written link means: by label, then by title, slug, `kind:slug` or former address.

    `written` are all links that will be asked for. At most two queries, and none where labels answer. `instead` says
    how pages will be known that a proposal changes: with another title or address, as the page into which they are
    merged, or (`None`) not at all.
    """

    def __init__(
        self, names: Vocabulary, written: Iterable[str], instead: Mapping[int, Name | None] | None = None
    ) -> None:
        self._names = names
        self._written = set(written)
        self._instead = instead or {}
        self._others: dict[str, dict[int, Name]] | None = None

    def __call__(self, wanted: str) -> Name | None:
        names = self._names.named(wanted)
        # As in prose, a page that says that a name is not its alone leaves it to the one that does not.
        named = {name.page: name for name in names if not name.ambiguous} or {name.page: name for name in names}
        if len(named) != 1:
            named = self._pages().get(wanted.casefold(), {})
        return next(iter(named.values())) if len(named) == 1 else None

    def _pages(self) -> dict[str, dict[int, Name]]:
        if self._others is None:
            self._others = {}
            spelled = {text.casefold() for text in self._written}
            slugs = {text.rpartition(":")[2] for text in spelled}
            # SQLite's LOWER knows ASCII only, hence the titles as they are written, too.
            asked = Q(folded_title__in=spelled) | Q(title__in=self._written) | Q(slug__in=slugs)
            public = Page.objects.published().only("kind", "slug", "title")
            for page in public.annotate(folded_title=Lower("title")).filter(asked) if spelled else ():
                self._keep(page, page.kind, page.slug, page.title)
            former = FormerSlug.objects.filter(slug__in=slugs, page__in=public).select_related("page")
            for one in former if spelled else ():
                self._keep(one.page, one.kind, one.slug)
            for name in filter(None, self._instead.values()):
                self._others.setdefault(name.text.casefold(), {})[name.page] = name
        return self._others

    def _keep(self, page: Page, kind: str, slug: str, title: str = "") -> None:
        name = Name(page=page.pk, text=page.title, href=address_of(page.kind, page.slug))
        if page.pk in self._instead:
            replaced, title = self._instead[page.pk], ""
            if replaced is None:
                return
            name = replaced
        assert self._others is not None  # noqa: S101  called by `_pages` alone
        for spelling in filter(None, (slug, f"{kind}:{slug}", title)):
            self._others.setdefault(spelling.casefold(), {})[name.page] = name
