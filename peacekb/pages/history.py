"""The versions of a page that readers have had: their list, an old one as it was, and what changed between two.

A version that came before a withdrawal is closed: its text is not shown again, for the withdrawal may have been for
its sake. Publishing it again makes a new version.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from django.core.cache import cache
from django.core.exceptions import BadRequest
from django.db.models.fields.json import KT
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import conditional_page, require_safe

from peacekb.documents import Document
from peacekb.models import MODELS, Article, Page, Revision
from peacekb.text.compose import Section, compose
from peacekb.text.difference import Difference, difference, is_comparable
from peacekb.text.markdown_tree import TextRefused
from peacekb.text.vocabulary import Vocabulary

from . import entries
from .paging import page_of

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
# Characters of a text whose changes are counted for the list: 20 pairs of them take about a second, once a process.
_COUNTED = 60_000
_KEPT_SECONDS = 24 * 60 * 60
# An hour: the banner counts later versions, and a text that is withdrawn must leave shared caches.
_FRESH_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Version:
    """A published revision that readers have had, under the number by which they know it: drafts do not count."""

    number: int
    revision: int
    made: datetime
    since: datetime
    note: str
    authors: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That the page was taken from the public."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One event in the list; a version with the one before it and the words added and removed, where both are open."""

    event: Version | Withdrawal
    previous: Version | None = None
    counts: tuple[int, int] | None = None


class History:
    """What became of a page, from its first version on. One query, which leaves the texts where they are."""

    def __init__(self, page: Page) -> None:
        rows = (
            Revision.objects.filter(page=page.pk)
            .exclude(state=Revision.State.DRAFT)
            .order_by("number")
            .values_list("pk", "state", "created_at", "note", "content__published_at", "content__authors")
        )
        self.events: list[Version | Withdrawal] = _events(list(rows))

    @cached_property
    def versions(self) -> dict[int, Version]:
        """Give the versions by number."""
        return {event.number: event for event in self.events if isinstance(event, Version)}

    def pairs(self) -> list[tuple[Version, Version]]:
        """Give each version with the one before it."""
        return list(pairwise(self.versions.values()))

    def version(self, asked: str) -> Version:
        """Give the version of a number in an address. Raises `BadRequest` or `Http404`."""
        number = number_in(asked)
        if number not in self.versions:
            raise Http404(f"There is no version {number}.")
        return self.versions[number]


def _events(rows: Sequence[tuple[int, str, datetime, str, str | None, list[str] | None]]) -> list[Version | Withdrawal]:
    events: list[Version | Withdrawal] = []
    now = timezone.now()
    number = 0
    last_withdrawal = max((place for place, row in enumerate(rows) if row[1] != Revision.State.PUBLISHED), default=-1)
    for place, (pk, state, made, note, published_at, authors) in enumerate(rows):
        until = rows[place + 1][2] if place + 1 < len(rows) else now
        if state == Revision.State.WITHDRAWN:
            if events:
                events.append(Withdrawal(made, note))
            continue
        number += 1
        dated = parse_datetime(published_at or "") or made
        # One that was replaced before its date came was never read.
        if max(made, dated) <= until:
            since = version_date(number, made, dated)
            is_open = place > last_withdrawal
            # Of a closed one not even this: a note may quote it, and an author may be why it was withdrawn.
            note, authors = (note, authors or []) if is_open else ("", [])
            events.append(Version(number, pk, made, since, note, tuple(authors), is_open))
    return events


def version_date(number: int, made: datetime, published_at: datetime) -> datetime:
    """Give the date of a version: that of the text for the first, for later ones the time since which readers had it.

    The first may have been brought here long after the text came out.
    """
    return published_at if number == 1 else max(made, published_at)


def number_in(asked: str) -> int:
    """Read a number in an address. Raises `BadRequest`."""
    if not _NUMBER.fullmatch(asked):
        raise BadRequest(f"{asked[:20]!r} is not a number.")
    return int(asked)


# --- the list, and two versions side by side ---------------------------------------------------------------------


@require_safe
def history(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """List the versions of a page, newest first, or show what changed between two. Four queries at most.

    Of a withdrawn page the dates and the reasons are shown, no title and no text.
    """
    kind = kinds.removesuffix("s")
    page = MODELS[kind].objects.published().filter(slug=slug).defer("source").first()
    if page is None:
        page = entries.withdrawn(kind, slug)
        if page is None:
            return entries.elsewhere(request, kind, slug, view="pages:history")
    past = History(page)
    if "from" in request.GET or "to" in request.GET:
        return _comparison(request, page, past)
    return _listing(request, page, past)


def _listing(request: HttpRequest, page: Page, past: History, closed: Version | None = None) -> HttpResponse:
    listing = page_of(past.events[::-1], request)
    pairs = [(old, new) for old, new in past.pairs() if old.is_open and new in listing.object_list]
    before = {new.number: old for old, new in pairs}
    counts = _counts(pairs)
    rows = [
        Row(event, before.get(event.number), counts.get(event.number)) if isinstance(event, Version) else Row(event)
        for event in listing
    ]
    current = max(past.versions, default=None) if page.is_public else None
    shown = {"page": page, "listing": listing, "rows": rows, "current": current, "closed": closed}
    return render(request, "pages/history.html", shown, status=410 if closed else 200)


def _counts(pairs: Sequence[tuple[Version, Version]]) -> dict[int, tuple[int, int]]:
    """Give the words added and removed by the later version of each pair, by its number. One query, or none.

    Versions never change, so each process counts once. Long texts are left out.
    """
    keys = {f"words-{old.revision}-{new.revision}-{new.made.timestamp()}": (old, new) for old, new in pairs}
    known = cache.get_many(keys)
    missing = {key: pair for key, pair in keys.items() if key not in known}
    if missing:
        wanted = {version.revision for pair in missing.values() for version in pair}
        short = Revision.objects.annotate(length=Length(KT("content__source"))).filter(length__lte=_COUNTED)
        contents = dict(short.filter(pk__in=wanted).values_list("pk", "content"))
        counted = {}
        for key, (old, new) in missing.items():
            if old.revision in contents and new.revision in contents:
                comparison = Comparison(contents[old.revision], contents[new.revision])
                if comparison.is_possible:
                    counted[key] = (comparison.added, comparison.removed)
        cache.set_many(counted, _KEPT_SECONDS)
        known |= counted
    return {keys[key][1].number: counts for key, counts in known.items()}


class Comparison:
    """What changed from one document to another, in what readers read of it."""

    _PARTS: tuple[tuple[str, Promise | str], ...] = (
        ("title", _("Title")),
        ("summary", _("Summary")),
        ("authors", _("Authors")),
        ("source", _("Text")),
    )

    def __init__(self, old: Document, new: Document) -> None:
        pairs = [(title, _written(old, key), _written(new, key)) for key, title in self._PARTS]
        changed = [(title, was, became) for title, was, became in pairs if was != became]
        self.is_possible = all(is_comparable(was, became) for _title, was, became in changed)
        self.parts: list[tuple[Promise | str, Difference]] = []
        if self.is_possible:
            self.parts = [(title, difference(was, became)) for title, was, became in changed]
        self.added = sum(part.added for _title, part in self.parts)
        self.removed = sum(part.removed for _title, part in self.parts)


def _written(document: Document, key: str) -> str:
    value = document.get(key, "")
    return "; ".join(value) if isinstance(value, list) else str(value)


def _comparison(request: HttpRequest, page: Page, past: History) -> HttpResponse:
    old, new = (past.version(request.GET.get(name, "")) for name in ("from", "to"))
    if old.number >= new.number:
        raise BadRequest("The earlier version comes first.")
    if not old.is_open:
        return _listing(request, page, past, closed=old)
    contents = Revision.objects.in_bulk([old.revision, new.revision])
    comparison = Comparison(contents[old.revision].content, contents[new.revision].content)
    language = contents[new.revision].content.get("language", "en")
    shown = {"page": page, "old": old, "new": new, "comparison": comparison, "language": language}
    return render(request, "pages/comparison.html", shown)


# --- an old version ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version as it was: the page with the values that it had, and its sections, or its text where that fails."""

    page: Page
    sections: tuple[Section, ...]
    unrendered: str


def as_it_was(version: Version, kind: str) -> Earlier:
    """Compose a version, without links of names: those of today were not part of it. One query.

    A text of 3 KB takes 7 ms, one of 100 KB 150 ms; none takes more than the renderer's three seconds.
    """
    content: Document = Revision.objects.values_list("content", flat=True).get(pk=version.revision)
    page: Page = MODELS[kind](kind=kind, slug=content["slug"], title=content["title"], published_at=version.since)
    page.language = content.get("language", page.language)
    page.summary = content.get("summary", "")
    if isinstance(page, Article):
        page.authors = content.get("authors", [])
        page.standpoint = content.get("standpoint", page.standpoint)
    text = content.get("source", "")
    try:
        essay = compose(text, Vocabulary(), title=page.title, language=page.language)
    except TextRefused:
        # Once it could be rendered. Readers get it all the same.
        return Earlier(page, (), text)
    return Earlier(page, essay.sections, "")


def version_asked(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Answer `?v=` for a page found by `entries.find`: an old version, or `None` for the one that is current."""
    asked = request.GET.get("v")
    if asked is None or number_in(asked) == getattr(page, "version", None):
        return None
    past = History(page)
    version = past.version(asked)
    if not version.is_open:
        return _listing(request, page, past, closed=version)
    return _old(request, page, version)


@conditional_page
def _old(request: HttpRequest, page: Page, version: Version) -> HttpResponse:
    earlier = as_it_was(version, page.kind)
    shown = {"page": earlier.page, "current": page, "version": version, "earlier": earlier}
    response = render(request, "pages/version.html", shown)
    patch_cache_control(response, public=True, max_age=_FRESH_SECONDS)
    return response
