"""The entrance for a WSGI server."""

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
#: Bytes of a form; the longest text takes 1.6 million when every byte of it is escaped.
MOST_SENT = 4_000_000
_UTF8 = frozenset({"utf-8", "utf8"})
# What the middleware sets elsewhere; this answer never passes it.
_REFUSAL_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]


def only_utf8(inner: Application) -> Application:
    """Answer 400 to a request that says it is written in another character set than UTF-8.

    Django decodes addresses with whatever codec a request names, before any middleware, and some of Python's
    (“rot13”, “idna”) fail in ways that end in a 500. Our own pages send UTF-8.
    """

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        written = environ.get("CONTENT_TYPE", "")
        if not written:
            return inner(environ, start_response)
        try:
            # Read as Django reads it, which takes the last of several and fails on what it cannot decode.
            charset = parse_header_parameters(written)[1].get("charset", "utf-8")
        except ValueError:
            charset = ""
        if charset.lower() in _UTF8:
            return inner(environ, start_response)
        return _refuse(start_response, "400 Bad Request", "Send the request in UTF-8.")

    return handle


def bodies_first(inner: Application, *, at_once: int) -> Application:
    """Read the whole of what is sent before a request is handled, for so many requests at once and no more.

    A thread waits while a body comes, and somebody who sends it slowly, or never ends, would hold all of them: readers,
    who send nothing, keep the others. What ended early is refused, for half a form may look like a whole one.
    """
    free = BoundedSemaphore(at_once)

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ:
            return _refuse(start_response, "411 Length Required", "Send the request with its length.")
        written = environ.get("CONTENT_LENGTH") or "0"
        length = int(written) if written.isascii() and written.isdecimal() and len(written) < 20 else MOST_SENT + 1
        if not length:
            return inner(environ, start_response)
        if length > MOST_SENT:
            return _refuse(start_response, "413 Content Too Large", f"Send at most {MOST_SENT:,} bytes.")
        if not free.acquire(blocking=False):
            busy = "The site is busy. Nothing was saved: go back to your text with the Back button, and send it again."
            return _refuse(start_response, "503 Service Unavailable", busy, ("Retry-After", "5"))
        try:
            body = environ["wsgi.input"].read(length)
        except OSError:
            body = b""
        finally:
            free.release()
        if len(body) != length:
            return _refuse(start_response, "400 Bad Request", "The request ended before all of it was sent.")
        return inner(environ | {"wsgi.input": BytesIO(body)}, start_response)

    return handle


def _refuse(start_response: Callable[..., Any], status: str, reason: str, *also: tuple[str, str]) -> Iterable[bytes]:
    start_response(status, [*_REFUSAL_HEADERS, *also])
    return [reason.encode()]


django = get_wsgi_application()
# After Django is set up, for it reads models.
from peacekb.pages.store import PageStore  # noqa: E402

# While DEBUG is on, a template that was changed shows at once.
application = bodies_first(
    only_utf8(django if settings.DEBUG else PageStore(django)), at_once=settings.WEB_THREADS // 2
)
