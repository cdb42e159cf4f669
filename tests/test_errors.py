"""What readers and editors get when a page is not there, and when the database is not."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from .factories import draft_article, published_article, published_concept, published_role
from .test_operations import KEY, assert_safe_headers

# --- 404: what is near -------------------------------------------------------------------------------------------


@pytest.fixture
def library(db):
    published_concept("Ceasefire", "truce")
    published_concept("Confidence-building measure", slug="confidence-building-measure")
    published_role("Special envoy", slug="special-envoy")
    published_article(title="The long talks", slug="the-long-talks", tags=["patience"])
    draft_article(title="The long talks of a draft", slug="the-long-talks-of-a-draft")


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/articles/the-long-talk/", "/articles/the-long-talks/"),
        ("/articles/the-lnog-tlaks/", "/articles/the-long-talks/"),
        ("/articles/long-talks/", "/articles/the-long-talks/"),
        ("/articles/the-long-talkss/introduction/", "/articles/the-long-talks/"),
        ("/articles/the-long-talks", "/articles/the-long-talks/"),
        ("/articles/ceasefire/", "/concepts/ceasefire/"),
        ("/concepts/cesefire/", "/concepts/ceasefire/"),
        ("/concepts/truce/", "/concepts/ceasefire/"),
        ("/ceasefire", "/concepts/ceasefire/"),
        ("/roles/envoy/", "/roles/special-envoy/"),
        ("/roles/Special_Envoy/", "/roles/special-envoy/"),
        ("/concepts/confidence-building/", "/concepts/confidence-building-measure/"),
        ("/fr/roles/special-envoyy/", "/fr/roles/special-envoy/"),
    ],
)
def test_an_address_without_a_page_offers_the_nearest_pages(client, library, address, near):
    response = client.get(address, follow=True)
    if address == "/articles/the-long-talks":  # a slash was all that it lacked
        assert response.status_code == 200
        return
    assert response.status_code == 404
    html = response.content.decode()
    offered = html.partition('<ul class="nearest')[2].partition("</ul>")[0]
    assert f'href="{near}"' in offered
    assert "draft" not in offered
    assert offered.count("<li>") <= 5


@pytest.mark.parametrize(
    "address",
    [
        "/articles/zanzibar/",
        "/articles/%00/",
        "/articles/%ED%A0%80/",
        "/of/",
        "/static/css/ceasefire.css",
        "/ceasefire.php",
        "/concepts/" + "ceasefire-" * 500,
        "/concepts/" + "a" * 120 + "/",
        "/tags/%F4%8F%BF%BF/",
        "/" + "x/" * 2_000,
    ],
)
def test_an_address_that_is_like_no_page_offers_none(client, library, address):
    response = client.get(address)
    assert response.status_code == 404
    assert 'class="nearest' not in response.content.decode()


def test_the_nearest_pages_cost_five_queries_however_many_pages_there_are(
    client, library, django_assert_max_num_queries
):
    for number in range(30):
        published_concept(f"Ceasefire {number}", slug=f"ceasefire-{number}")
    with django_assert_max_num_queries(5):
        html = client.get("/planets/ceasefire-100/").content.decode()
    assert html.partition('<ul class="nearest')[2].partition("</ul>")[0].count("<li>") == 5


def test_the_page_for_a_missing_address_offers_a_search_and_the_phases(client, library):
    html = client.get("/nowhere/").content.decode()
    assert "Page not found" in html
    assert 'name="q"' in html
    assert html.count('class="stop is-covered"') == 5


# --- 503: the database does not answer ---------------------------------------------------------------------------


@contextlib.contextmanager
def a_writer_who_does_not_finish(table="peacekb_page"):
    """Hold what writing needs on a second connection, and let nobody wait for it longer than a moment."""
    if connection.vendor == "sqlite":
        other: Any = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        connection.cursor().execute("PRAGMA busy_timeout = 50")
    else:
        import psycopg

        own = connection.get_connection_params()
        other = psycopg.connect(
            **{name: own[name] for name in own if name in {"host", "port", "user", "password", "dbname"}}
        )
        other.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        connection.cursor().execute("SET lock_timeout = 50")
    try:
        yield
    finally:
        other.close()
        connection.close()


def assert_unavailable(response, what: str) -> str:
    assert response.status_code == 503, what
    assert int(response["Retry-After"]) > 0, what
    assert "no-store" in response["Cache-Control"], what
    assert_safe_headers(response, what)
    html: str = response.content.decode()
    assert "The page could not be shown" in html, what
    return html


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_while_another_writes_readers_read_and_an_editor_is_told_that_the_text_is_not_lost():
    published_concept("Ceasefire")
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser("ann"))
    form = client.get("/admin/peacekb/concept/add/")
    assert form.status_code == 200
    posted = {
        "title": "Truce",
        "slug": "truce",
        "language": "en",
        "source": "A pause.",
        "labels-TOTAL_FORMS": "0",
        "labels-INITIAL_FORMS": "0",
        "_draft": "1",
    }
    with a_writer_who_does_not_finish():
        assert client.get("/concepts/ceasefire/").status_code == 200
        html = assert_unavailable(client.post("/admin/peacekb/concept/add/", posted), "a form")
        assert "Nothing was saved, and your text is still in the form" in html
    assert client.post("/admin/peacekb/concept/add/", posted).status_code == 302


ASK = """
import json, sys
import django; django.setup()
from django.test import Client
client = Client(raise_request_exception=False, headers={"host": "127.0.0.1"})
client.cookies["sessionid"] = "a" * 32
answers = {}
for address in sys.argv[1:]:
    response = client.get(address)
    answers[address] = [response.status_code, dict(response.headers), response.content.decode()]
print(json.dumps(answers))
"""


def unreachable() -> str:
    """Give the address of a PostgreSQL that is not there: a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"postgresql://nobody@127.0.0.1:{probe.getsockname()[1]}/nothing"


@pytest.mark.parametrize(
    "database", [unreachable(), "sqlite:////nowhere/peacekb.sqlite3"], ids=["postgresql", "sqlite"]
)
def test_without_a_database_every_page_says_so_and_the_log_in_one_line(database):
    addresses = ["/", "/articles/how-wars-end/", "/fr/search/?q=ceasefire", "/admin/", "/feed/", "/sitemap.xml"]
    still = {"/about/": 200, "/nowhere/ceasefire/": 404, "/healthz/": 200}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", ASK, *addresses, *still],
        cwd=settings.BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    answers = json.loads(done.stdout)
    for address in addresses:
        status, headers, html = answers[address]
        assert status == 503, address
        assert int(headers["Retry-After"]) > 0, address
        assert "default-src 'self'" in headers["Content-Security-Policy"], address
        assert "<h1>" in html, address
    assert 'lang="fr"' in answers["/fr/search/?q=ceasefire"][2]
    assert {address: answers[address][0] for address in still} == still
    assert KEY not in done.stderr
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if "Service Unavailable" in line]
    assert len(told) == len(addresses)
    assert all(("refused" in line or "unable to open" in line) for line in told)


@pytest.mark.django_db
def test_a_statement_that_asks_for_what_the_database_does_not_hold_is_a_fault(monkeypatch):
    def broken(kind):
        connection.cursor().execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr("peacekb.pages.views.entries.few_or_most_mentioned", broken)
    assert Client(raise_request_exception=False).get("/").status_code == 500
