"""The entrance for a WSGI server."""

import os
from collections.abc import Callable, Iterable
from email.message import Message
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peacekb.settings")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


def only_utf8(inner: Application) -> Application:
    """Answer 400 to a request that says it is written in another character set than UTF-8.

    Django decodes addresses with whatever codec a request names, before any middleware, and some of Python's
    (“rot13”, “idna”) fail in ways that end in a 500. Our own pages send UTF-8.
    """

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        content_type = Message()
        content_type["Content-Type"] = environ.get("CONTENT_TYPE", "")
        charset = content_type.get_content_charset("utf-8")
        if charset in _UTF8:
            return inner(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Send the request in UTF-8."]

    return handle


application = only_utf8(get_wsgi_application())
