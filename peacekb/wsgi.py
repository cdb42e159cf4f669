"""The entrance for a WSGI server."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
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
        start_response("400 Bad Request", _REFUSAL_HEADERS)
        return [b"Send the request in UTF-8."]

    return handle


django = get_wsgi_application()
# After Django is set up, for it reads models.
from peacekb.pages.store import PageStore  # noqa: E402

# While DEBUG is on, a template that was changed shows at once.
application = only_utf8(django if settings.DEBUG else PageStore(django))
