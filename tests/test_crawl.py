"""Every public page of the starter library, as a visitor who follows every link meets it."""

import re
from collections import Counter
from html import unescape
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from peacekb.languages import plain
from peacekb.models import MODELS, Page, Phase, Source
from peacekb.models import Event as TimelineEvent

#: A page of an entry costs as many queries whatever it holds; what a search costs is shown elsewhere.
MOST_QUERIES = 12
#: Pages that tell of another one that stands: whether they answer is shown for one of each elsewhere.
BESIDE = {
    *("mentions", "history", "cite", "section", "mentions_file", "mentions_feed", "tag", "tag_feed", "search"),
    *("graph", "preview"),
}
KEYS = ("kinds", "slug")


class Links:
    """The addresses to which a page leads, and the places in it that have a name."""

    def __init__(self, html: str) -> None:
        self.addresses = set(map(unescape, re.findall(r'<(?:a|link)\b[^>]*?\bhref="([^"]*)"', html)))
        self.places = set(map(unescape, re.findall(r'\bid="([^"]*)"', html)))


@pytest.mark.django_db
def test_every_page_of_the_library_answers_and_every_link_on_it_leads_somewhere(client):
    call_command("seed", verbosity=0)
    pages = {page.get_absolute_url() for page in Page.objects.published()}
    cited = Source.objects.filter(pages__in=Page.objects.published()).distinct()
    works = {work.get_absolute_url() for work in cited}
    lists = {reverse("pages:index", args=[f"{kind}s"]) for kind in MODELS}
    phases = {reverse("pages:phase", args=[phase]) for phase in Phase.values}
    own = {reverse(f"pages:{name}") for name in ("home", "about", "tags", "sources")}
    assert len(pages) > 500

    found: dict[str, Links] = {}
    queries: Counter[str] = Counter()
    for address in sorted(pages | works | lists | phases | own):
        with CaptureQueriesContext(
            connection,
        ) as counted:
            response = client.get(address)
        assert response.status_code == 200, address
        queries[address] = len(counted)
        found[address] = Links(response.content.decode())
    costly = {address: number for address, number in queries.items() if number > MOST_QUERIES}
    assert costly == {}

    lost = set()
    for address, links in found.items():
        for link in links.addresses:
            path, place = urldefrag(link)
            if urlsplit(path).netloc or path.startswith(("/static/", "mailto:")):
                continue
            # Queries and languages of an address are shown elsewhere.
            target = plain(unquote(path.partition("?")[0])) if path and path[0] != "?" else address
            if target in found:
                whole = "?" not in path
                if place and whole and unquote(place) not in found[target].places:
                    lost.add(f"{address} → {link}")
                continue
            match = resolve(target)
            if match.url_name in BESIDE:
                entry = {"kinds": "articles", **{key: match.kwargs[key] for key in KEYS if key in match.kwargs}}
                is_there = "slug" not in entry or reverse("pages:entry", kwargs=entry) in pages
            else:
                is_there = client.get(target).status_code == 200
            if not is_there:
                lost.add(f"{address} → {link}")
    assert sorted(lost) == []
    assert TimelineEvent.objects.count() == 135
