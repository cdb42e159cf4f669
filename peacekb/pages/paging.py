"""One page of a long list."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

PER_PAGE = 20
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def page_of(rows: QuerySet[Any] | Sequence[Any], request: HttpRequest, *, per_page: int = PER_PAGE) -> Page[Any]:
    """Give the page that `?page=` asks for, the first without it. Raises `Http404` where there is no such page."""
    asked = request.GET.get("page", "1")
    if not _NUMBER.fullmatch(asked):
        raise Http404(f"{asked[:20]!r} is not the number of a page.")
    try:
        return Paginator(rows, per_page).page(int(asked))
    except EmptyPage as error:
        raise Http404(f"There is no page {asked}.") from error
