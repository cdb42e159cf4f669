"""Whole answers kept in each process, compressed, and sent again for as long as they hold.

A warm page is answered here, before Django: without sessions, templates and queries. Whether it still holds is asked of
the database a few times a second (`Edition`), not with each request, so that every process notices what another one
published.
"""

import gzip
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from math import inf
from threading import Event, Lock
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import close_old_connections
from django.http.cookie import parse_cookie
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date, parse_http_date_safe

from peacekb.models import Edition, Page, Status

from . import display

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
#: Host, protocol that a proxy names, path, query, and how the reader wants pages to look.
Key = tuple[str, str, str, str, display.Display]

#: Seconds between two looks at the database: readers see a change this much later at most.
LOOK_EVERY = 0.25
#: Bytes of answers kept in a process: some 1,000 pages of the starter library.
MOST_KEPT = 8_000_000
_LARGEST = 1_000_000  # bytes of one answer before it is compressed
_PATIENCE = 5  # seconds that a request waits for another one to make its answer
# Browsers ask each time and mostly hear 304. A cache that is shared asks once a second, whatever the number of readers,
# and may send what it has while it waits for the answer.
_CACHE_CONTROL = "public, max-age=0, s-maxage=1, stale-while-revalidate=1"
_VARY = "Accept-Encoding, Cookie"
# What is said anew of an answer that is kept, or tells of one request only.
_OWN = {"cache-control", "content-length", "content-encoding", "etag", "last-modified", "vary", "date"}

log = logging.getLogger(__name__)


class Now(NamedTuple):
    """What readers have at the moment: the edition, and the newest change in it, in seconds since 1970 and in words.

    `place` counts what this process has seen, so that of two the later one is known.
    """

    place: int
    edition: int
    changed: float
    date: tuple[str, str]


class Editions:
    """The edition that readers have, as this process knows it."""

    def __init__(self, look_every: float = LOOK_EVERY) -> None:
        self._look_every = look_every
        self._look_at = 0.0
        self._has_looked = False
        self._places = count()
        self._now: Now | None = None
        self._due = 0.0  # when the next scheduled page is due
        self._looking = Lock()

    def now(self) -> Now | None:
        """Give what readers have, or `None` where the database does not say. One query a look, three after a change."""
        # One thread asks; the others go on meanwhile with what is known, but for the first time.
        if self._is_old() and self._looking.acquire(blocking=not self._has_looked):
            try:
                if self._is_old():
                    self._look()
            finally:
                self._looking.release()
        return self._now

    def _is_old(self) -> bool:
        return time.monotonic() >= self._look_at or time.time() >= self._due

    def _look(self) -> None:
        try:
            row = Edition.objects.filter(pk=1).values_list("number", "changed_at").first()
            number, changed = (row[0], row[1].timestamp()) if row else (0, 0.0)
            if self._now is None or self._now.edition != number or time.time() >= self._due:
                last_due, self._due = _scheduled()
                changed = max(changed, last_due)
                self._now = Now(next(self._places), number, changed, ("Last-Modified", http_date(changed)))
        except DatabaseFault as error:
            log.error("The edition could not be read: %s", error)
            # Nothing is due either: a database that does not answer is asked no more often than one that does.
            self._now, self._due = None, inf
        finally:
            self._look_at = time.monotonic() + self._look_every
            self._has_looked = True
            # Otherwise a thread that answers from here alone would keep its connection for ever.
            close_old_connections()


def _scheduled() -> tuple[float, float]:
    """Give when the last page came due, and when the next will (seconds since 1970). Two queries, by index."""
    now = timezone.now()
    dates = Page.objects.filter(status=Status.PUBLISHED).values_list("published_at", flat=True)
    last = dates.filter(published_at__lte=now).order_by("-published_at").first()
    following = dates.filter(published_at__gt=now).order_by("published_at").first()
    return last.timestamp() if last else 0.0, following.timestamp() if following else inf


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is sent to those who take gzip; the others get it unpacked."""

    etag: str
    headers: Headers
    compressed: bytes
    weight: int

    @classmethod
    def of(cls, headers: Headers, body: bytes) -> "Answer":
        """Keep an answer. The tag says what stands in it, and so is the same in every process."""
        etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        said = [(name, value) for name, value in headers if name.lower() not in _OWN]
        said += [("Cache-Control", _CACHE_CONTROL), ("Vary", _VARY), ("ETag", etag)]
        compressed = gzip.compress(body, 9, mtime=0)
        return cls(etag, said, compressed, len(compressed) + sum(len(name) + len(value) for name, value in said))


class PageStore:
    """A WSGI application that keeps what another one answers to readers without a session."""

    def __init__(self, inner: Application, *, editions: Editions | None = None, most: int = MOST_KEPT) -> None:
        self._inner = inner
        self._editions = editions or Editions()
        self._most = most
        self._session = settings.SESSION_COOKIE_NAME
        # Files know best how they are kept, and whether the process lives must not hang on the database.
        self._passed_on = (settings.STATIC_URL, reverse("programs:healthz"))
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._making: dict[Key, Event] = {}
        self._weight = 0
        self._now: Now | None = None
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer from what is kept, or pass the request on and keep the answer."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or environ["PATH_INFO"].startswith(self._passed_on):
            return self._inner(environ, start_response)
        # As Django reads it: WSGI has bytes of headers as Latin-1.
        cookies = environ.get("HTTP_COOKIE", "").encode("latin-1", "replace").decode("utf-8", "replace")
        if self._session in cookies:
            return self._inner(environ, _for_one(start_response))
        now = self._editions.now()
        if now is None:
            return self._inner(environ, start_response)
        key = (
            environ.get("HTTP_HOST", ""),
            environ.get("HTTP_X_FORWARDED_PROTO", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
            # Only what Django would make of the cookie matters.
            display.normalised(parse_cookie(cookies).get(display.COOKIE, "")) if cookies else display.DEFAULT,
        )
        answer = self._find(key, now)
        if answer is not None:
            return _send(answer, now, environ, start_response)
        # Otherwise every thread would make the page that everybody reads, each time something is published.
        own = Event()
        with self._lock:
            making = self._making.setdefault(key, own)
        if making is not own:
            making.wait(_PATIENCE)
            now = self._editions.now() or now
            answer = self._find(key, now)
            if answer is not None:
                return _send(answer, now, environ, start_response)
        try:
            made = self._make(environ, start_response)
            if not isinstance(made, Answer):
                return made
            self._keep(key, now, made)
        finally:
            if making is own:
                with self._lock:
                    del self._making[key]
                own.set()
        return _send(made, now, environ, start_response)

    def _find(self, key: Key, now: Now) -> Answer | None:
        with self._lock:
            if self._now is None or now.place > self._now.place:
                self._answers.clear()
                self._weight = 0
                self._now = now
            # A request that began before the newest change gets none of what was made since.
            answer = self._answers.get(key) if now == self._now else None
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def _keep(self, key: Key, now: Now, answer: Answer) -> None:
        with self._lock:
            # Made for an edition that is past, or by two threads at once.
            if now != self._now or key in self._answers:
                return
            self._answers[key] = answer
            self._weight += _weight(key, answer)
            while self._weight > self._most:
                old, gone = self._answers.popitem(last=False)
                self._weight -= _weight(old, gone)

    def _make(self, environ: Environ, start_response: Callable[..., Any]) -> "Answer | Iterable[bytes]":
        """Ask for the whole page; give the answer to be kept, or else the body of one that was sent on its way."""
        asked = environ | {"REQUEST_METHOD": "GET"}
        # The type says how Django is to read the address, and there is no body that it could be meant for.
        for one in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "CONTENT_TYPE"):
            asked.pop(one, None)
        told: list[Any] = []
        parts = self._inner(asked, lambda *args: told.append(args))
        status, headers = told[0][0], told[0][1]
        if not _is_for_all(status, {name.lower(): value for name, value in headers}):
            start_response(*told[0])
            return parts if environ["REQUEST_METHOD"] == "GET" else _closed(parts)
        try:
            return Answer.of(headers, b"".join(parts))
        finally:
            _closed(parts)


def _weight(key: Key, answer: Answer) -> int:
    return answer.weight + sum(map(len, key[:4]))


def _is_for_all(status: str, headers: dict[str, str]) -> bool:
    """Tell whether an answer is the same for all readers: whole, and nothing in it says otherwise.

    What speaks of its own caching, as the admin and files do, keeps to that.
    """
    return (
        status.startswith("200")
        and not headers.keys() & {"cache-control", "set-cookie", "content-encoding"}
        and headers.get("vary", "").lower() in ("", "cookie", "accept-encoding")
        and int(headers.get("content-length") or _LARGEST + 1) <= _LARGEST
    )


def _send(answer: Answer, now: Now, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = answer.headers
    # A date counts whole seconds: one of this very second could stand for two different pages.
    if time.time() - now.changed > 2:
        headers = [*headers, now.date]
    if _is_known(answer, now, environ):
        start_response("304 Not Modified", [pair for pair in headers if pair[0] != "Content-Type"])
        return []
    body = answer.compressed
    if _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        headers = [*headers, ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))]
    else:
        body = gzip.decompress(body)
        headers = [*headers, ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body] if environ["REQUEST_METHOD"] == "GET" else []


def _is_known(answer: Answer, now: Now, environ: Environ) -> bool:
    """Tell whether the reader has this answer (RFC 9110, 13.1): the tag decides, the date only where there is none."""
    tags = environ.get("HTTP_IF_NONE_MATCH", "")
    if tags:
        return tags.strip() == "*" or answer.etag.removeprefix("W/") in (
            tag.strip().removeprefix("W/") for tag in tags.split(",")
        )
    date = environ.get("HTTP_IF_MODIFIED_SINCE", "")
    since = parse_http_date_safe(date) if date else None
    return since is not None and int(now.changed) <= since


def _takes_gzip(accepted: str) -> bool:
    return "gzip" in accepted and "gzip;q=0" not in accepted.replace(" ", "")


def _for_one(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Let no shared cache keep what somebody gets who is signed in."""

    def start(status: str, headers: Headers, *rest: Any) -> Any:
        if not any(name.lower() == "cache-control" for name, _ in headers):
            headers = [*headers, ("Cache-Control", "private, no-cache")]
        return start_response(status, headers, *rest)

    return start


def _closed(parts: Iterable[bytes]) -> Iterable[bytes]:
    close = getattr(parts, "close", None)
    if close is not None:
        close()
    return []
