"""Pages that somebody may have meant by an address that leads nowhere."""

import re

from peacekb.languages import plain
from peacekb.models import Page
from peacekb.search.alike import LONGEST, alike

_IN_SLUGS = re.compile(r"[-\w]+")


def nearest(path: str) -> list[Page]:
    """Give the public pages that are most like the end of a path, as `alike` does."""
    return alike(_asked(path))


def _asked(path: str) -> str:
    """Give the part of a path that names a page: the longest behind the kind, in small letters."""
    parts = [part for part in plain(path).split("/") if part][:4]
    part = max(parts[1:] or parts, key=len, default="").lower()
    return part if len(part) <= LONGEST and _IN_SLUGS.fullmatch(part) else ""
