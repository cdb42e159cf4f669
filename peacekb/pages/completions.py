"""What somebody who types into a search form may mean, as a piece of HTML: entries, articles and tags, by their
names, and what others searched for.

Nothing here searches texts: names are found by how they begin (`peacekb.text.beginnings`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from peacekb import asked
from peacekb.languages import address_of, spoken
from peacekb.models import Beginning, Label, Page
from peacekb.models.prepared import AnyOf, prepared
from peacekb.search.marks import CLOSE, OPEN
from peacekb.text.beginnings import LONGEST, typed, typed_in
from peacekb.text.words import singular

from . import tags
from .entries import named_here

MOST_SHOWN = 8
LEAST_LETTERS = 2
_LONGEST_QUERY = 1_000
# Rows of a shelf that are read, and of them put in order. Two letters in a very large base have more.
_MOST_READ = 80
# Pages that are looked up: the date of some may not have come.
_LOOKED_AT = 12
# Each is searched for again, so that none leads to nothing.
_MOST_SEARCHES = 2
_GROUPS = ("concepts", "roles", "tasks", "actors", "operations", "cases", "articles", "tags", "searches")

Shelf = Beginning.Shelf


@dataclass(frozen=True, slots=True)
class Name:
    """A name, the typed letters between `OPEN` and `CLOSE`. Of tags nobody knows the language."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """In which group a choice stands, where it leads, and by which other name it was found, if it was by one."""

    group: str
    address: str
    name: Name
    other: Name | None = None


@require_safe
def complete(request: HttpRequest) -> HttpResponse:
    """Show what the letters typed so far may become; nothing for fewer than two. At most ten queries, and where others
    searched for such words one for these and a search for each of at most four; as many again for a plural.

    Raises `BadRequest` for what no search form of ours sends.
    """
    text = request.GET.get("q")
    if text is None or "\x00" in text or len(text) > _LONGEST_QUERY:
        raise BadRequest("What was typed is missing or too long.")
    begun = typed(text)
    found = completions(begun) or completions(_singular(begun))
    groups = [(group, [one for one in found if one.group == group]) for group in _GROUPS]
    shown = {"groups": [(group, some) for group, some in groups if some], "number": len(found)}
    response = render(request, "pages/completions.html", shown)
    response["X-Robots-Tag"] = "noindex"
    return response


def _singular(begun: str) -> str:
    """Give a beginning with its last word in the singular: a plural that was typed in full begins no name.

    Nothing where that is the same.
    """
    before, space, last = begun.rpartition(" ")
    alone = f"{before}{space}{singular(last)}"
    return "" if alone == begun else alone


def completions(begun: str) -> list[Completion]:
    """Give at most eight completions of what was typed (see `peacekb.text.beginnings.typed`)."""
    if len(begun.replace(" ", "")) < LEAST_LETTERS:
        return []
    found = [source(begun) for source, _ in _SOURCES]
    places = [min(len(some), share) for some, (_, share) in zip(found, _SOURCES, strict=True)]
    for place, some in enumerate(found):
        places[place] += min(len(some) - places[place], MOST_SHOWN - sum(places))
    return [one for some, most in zip(found, places, strict=True) for one in some[:most]]


def _entries(begun: str) -> list[Completion]:
    return _pages(begun, Shelf.ENTRY, Shelf.INSIDE_ENTRY)


def _articles(begun: str) -> list[Completion]:
    return _pages(begun, Shelf.ARTICLE, Shelf.INSIDE_ARTICLE)


def _tags(begun: str) -> list[Completion]:
    """Give tags that a public page carries. Two queries."""
    keys = list(dict.fromkeys(tag for (tag,) in _begun(begun, Shelf.TAG, "tag")))[:_LOOKED_AT]
    found = tags.carried().in_bulk(keys)
    named = ((tag, _marked(tag.name, begun)) for tag in (found[key] for key in keys if key in found))
    return [Completion("tags", tags.address(tag.slug), Name(name)) for tag, name in named if name]


def _searches(begun: str) -> list[Completion]:
    """Give what others searched for often and found."""
    found = [(text, _marked(text, begun)) for text in asked.asked_often(begun, _MOST_SEARCHES)]
    search = address_of("pages:search")
    return [Completion("searches", f"{search}?{urlencode({'q': text})}", Name(name)) for text, name in found if name]


# Where completions come from, and how many places each has for sure. Places left over go to the first that has more.
_SOURCES: Sequence[tuple[Callable[[str], list[Completion]], int]] = (
    (_entries, 4),
    (_articles, 2),
    (_tags, 1),
    (_searches, 1),
)


def _pages(begun: str, *shelves: Shelf) -> list[Completion]:
    """Give public pages, shelf by shelf. One query a shelf, and two more."""
    labels: dict[int, int | None] = {}
    for shelf in shelves:
        for key, label in _begun(begun, shelf, "page", "label"):
            labels.setdefault(key, label)
    keys = list(labels)[:_LOOKED_AT]
    # Who is public is asked here: in the database it would tempt SQLite to go through all pages by date.
    pages = {page.pk: page for page in _looked_up(keys=keys) if page.is_public}
    own = {key: _marked(page.name, begun) for key, page in pages.items()}
    others = Label.objects.in_bulk([labels[key] for key, name in own.items() if not name and labels[key]])
    found = (_of_page(pages[key], own[key], others.get(labels[key] or 0), begun) for key in keys if key in pages)
    return [completion for completion in found if completion]


@prepared
def _looked_up(*, keys: Any) -> QuerySet[Page]:
    shown = ("kind", "slug", "title", "language", "status", "published_at")
    return named_here(Page.objects.filter(pk__in=AnyOf(keys)).only(*shown))


def _of_page(page: Page, own: str, label: Label | None, begun: str) -> Completion | None:
    """Complete by the name that is shown of a page, else by a label or the title; `None` where it goes on otherwise."""
    group, address = f"{page.kind}s", page.get_absolute_url()
    if own:
        return Completion(group, address, Name(own, page.name_language))
    other = (
        Name(_marked(label.text, begun), label.language) if label else Name(_marked(page.title, begun), page.language)
    )
    if not other.text:
        return None
    is_hidden = label is not None and label.kind == Label.LabelKind.HIDDEN
    return Completion(group, address, Name(page.name, page.name_language), None if is_hidden else other)


def _begun(begun: str, shelf: Shelf, *fields: str) -> Iterator[Sequence[Any]]:
    """Give what is on a shelf: first what has the reader's language, is preferred, and is short, for that says most."""
    here = ("", spoken())
    first, behind = Beginning.bounds(begun[:LONGEST])
    rows = _rows(shelf, fields, first=first, behind=behind)
    ordered = sorted(rows, key=lambda row: (row[0] not in here, not row[1], len(row[2])))
    return (row[3:] for row in ordered)


@prepared
def _rows(shelf: Shelf, fields: tuple[str, ...], *, first: Any, behind: Any) -> QuerySet[Beginning, tuple[Any, ...]]:
    rows = Beginning.objects.filter(shelf=shelf, beginning__gte=first, beginning__lt=behind).order_by("beginning", "pk")
    return rows.values_list("language", "is_preferred", "beginning", *fields)[:_MOST_READ]


def _marked(name: str, begun: str) -> str:
    """Give a name with the typed letters marked, or an empty string where it does not begin so at any word."""
    plain = name.replace(OPEN, "").replace(CLOSE, "")
    span = typed_in(plain, begun)
    return f"{plain[: span[0]]}{OPEN}{plain[span[0] : span[1]]}{CLOSE}{plain[span[1] :]}" if span else ""
