"""What search engines may find: an index of sitemaps, one or more for each kind, and robots.txt."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe
from taggit.models import Tag

from peacekb.languages import absolute
from peacekb.models import MODELS, Page, Phase, Source

from . import entries, record, tags

#: The protocol allows 50,000 in a file; with fewer an answer, which is made whole, takes a third of a second and 2 MB.
PER_FILE = 1_000


class _Section(Sitemap):  # type: ignore[type-arg]  # Django's takes no arguments when it runs
    """A section of the site, under the name that the settings give it: a request's Host may be anybody's."""

    protocol = urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        """Give the host of the site."""
        return urlsplit(settings.SITE_URL).netloc

    @property
    def paginator(self) -> "Paginator[Any]":
        """Divide the addresses; where there are none there is no file, for the protocol has no empty one."""
        return Paginator(self.items(), PER_FILE, allow_empty_first_page=False)  # type: ignore[arg-type]


class _Pages(_Section):
    """The public pages of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def items(self) -> QuerySet[Page]:
        """Give the pages in an order that stays when pages are added."""
        pages: QuerySet[Page] = entries.with_versions(Page.objects.published().filter(kind=self.kind))
        return pages.only("kind", "slug").order_by("pk")

    def lastmod(self, item: Page) -> datetime:
        """Give the date of the page's version."""
        changed: datetime = item.changed  # type: ignore[attr-defined]
        return changed

    def get_latest_lastmod(self) -> datetime | None:
        """Give the date of the version last published. One query."""
        latest: datetime | None = self.items().aggregate(latest=Max("changed"))["latest"]
        return latest


class _Paths(_Section):
    """Addresses that are known without the database."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def items(self) -> Iterable[str]:
        """Give the paths."""
        return self.paths

    def location(self, item: str) -> str:
        """Give a path as it stands."""
        return item


class _Tags(_Section):
    """The tags of public pages."""

    def items(self) -> QuerySet[Tag]:
        """Give the tags."""
        return tags.public().order_by("pk")

    def location(self, item: Tag) -> str:
        """Give the address of a tag."""
        return tags.address(item.slug)


class _Sources(_Section):
    """The works on which something public rests."""

    def items(self) -> QuerySet[Source]:
        """Give the works."""
        return record.works().only("slug").order_by("pk")


def _sections() -> dict[str, _Section]:
    names = ("home", "about", "explore", "matrix", "timeline", "tags", "sources")
    lists = [reverse("pages:index", kwargs={"kinds": f"{kind}s"}) for kind in MODELS]
    return {
        "site": _Paths(*(reverse(f"pages:{name}") for name in names), *lists),
        **{f"{kind}s": _Pages(kind) for kind in MODELS},
        "phases": _Paths(*(reverse("pages:phase", kwargs={"phase": phase}) for phase in Phase.values)),
        "tags": _Tags(),
        "sources": _Sources(),
    }


@require_safe
@conditional_page
def index(request: HttpRequest) -> HttpResponse:
    """List the sitemaps. Two queries a kind and two more, however many pages there are."""
    files = []
    for name, sitemap in _sections().items():
        pages = sitemap.paginator.num_pages
        changed = sitemap.get_latest_lastmod() if pages else None
        address = absolute(reverse("programs:sitemap", kwargs={"section": name}))
        files += [
            {"location": address if number == 1 else f"{address}?p={number}", "last_mod": changed}
            for number in range(1, pages + 1)
        ]
    return render(request, "sitemap_index.xml", {"sitemaps": files}, content_type="application/xml")


@require_safe
@conditional_page
def section(request: HttpRequest, section: str) -> HttpResponse:
    """Give one sitemap, `?p=` a later part of it. Two queries at most.

    None of the dates in it is its own: a page that is withdrawn leaves none.
    """
    sitemap = _sections().get(section)
    if sitemap is None:
        raise Http404("There is no sitemap of this name.")
    try:
        found = sitemap.get_urls(request.GET.get("p", 1))
    except InvalidPage as error:
        raise Http404("The sitemap has no such part.") from error
    return render(request, "sitemap.xml", {"urlset": found}, content_type="application/xml")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Tell crawlers where the sitemaps are. Pages of results are not named: their own `noindex` must be read."""
    sitemap = absolute(reverse("programs:sitemaps"))
    lines = ["User-agent: *", f"Disallow: {reverse('admin:index')}", f"Sitemap: {sitemap}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
