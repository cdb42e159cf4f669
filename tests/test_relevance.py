"""What readers look for stands where they look first: a table of queries, on the engine that runs (data/searches.yaml).

A query is asked in the interface of its language. Its place is that among the pages to which the page of results leads,
in the order in which they are read, the definition above the list first.
"""

import io
import re
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from peacekb.languages import in_language, plain
from peacekb.models import Section

TABLE = Path(__file__).parent / "data" / "searches.yaml"
QUERIES = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
LINK = re.compile(r'<a [^>]*href="((?:/fr|/ar)?/(?:articles|concepts|roles|tasks|sources)/[^/"?#]+/)(?:#([^"]+))?"')
LEAST = 0.9


def links(client: Client, query: dict) -> dict[str, set[str]]:
    """Give the pages to which the results lead, in order, each with the places in it."""
    answer = client.get(in_language("/search/", query["language"]), {"q": query["query"]})
    assert answer.status_code == 200, query["query"]
    _, _, main = answer.content.decode().partition("<main")
    found: dict[str, set[str]] = {}
    for address, place in LINK.findall(main.partition("</main>")[0]):
        found.setdefault(plain(address), set()).add(place)
    return found


def place_of(query: dict, found: dict[str, set[str]], anchors: dict[str, set[str]]) -> int | None:
    for place, (address, leads_to) in enumerate(found.items(), start=1):
        for expected in query["expected"]:
            page, _, anchor = expected.partition("#")
            if page == address and (not anchor or anchors[anchor] & leads_to):
                return place
    return None


@pytest.fixture(scope="module")
def places(django_db_setup, django_db_blocker) -> list[int | None]:
    """Where the expected page of each query stands; `None` where the first page of results does not lead to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed", verbosity=0, stdout=io.StringIO())
        anchors = {
            section.anchor: {section.anchor}
            | {f"p{number}" for number in range(section.first_paragraph, section.last_paragraph + 1)}
            for section in Section.objects.filter(page__kind="article")
            if section.first_paragraph and section.last_paragraph
        }
        client = Client()
        found = [place_of(query, links(client, query), anchors) for query in QUERIES]
        transaction.set_rollback(True)
    return found


def told(places: list[int | None]) -> str:
    rows = zip(QUERIES, places, strict=True)
    return "\n".join(f"{place or '–':>3}  {query['query']}  →  {query['expected'][0]}" for query, place in rows)


def test_the_mean_reciprocal_rank_of_what_experts_expect_is_at_least_nine_tenths(places):
    mean = sum(1 / place for place in places if place) / len(QUERIES)
    assert mean >= LEAST, f"{mean:.3f} on {connection.vendor}\n{told(places)}"


def test_a_query_stands_where_the_table_says_and_the_engines_differ_by_one_place_at_most(places):
    allowed = 1 if connection.vendor == "postgresql" else 0
    far = [
        f"{query['query']}: {place}, not {query.get('place', 1)}"
        for query, place in zip(QUERIES, places, strict=True)
        if place is None or (abs(place - query.get("place", 1)) > allowed and "differs" not in query)
    ]
    assert not far, f"on {connection.vendor}: {far}"


def test_the_table_has_sixty_queries_in_three_languages():
    assert len(QUERIES) >= 60
    assert {query["language"] for query in QUERIES} == {"en", "fr", "ar"}
