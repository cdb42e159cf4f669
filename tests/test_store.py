"""Answers that are kept: what is sent again, for how long, to whom, and what never is."""

import gzip
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from taggit.models import Tag

from peacekb import publishing
from peacekb.models import Concept, Edition, Source
from peacekb.pages import store
from peacekb.pages.store import Editions, Now, PageStore

from .factories import draft_article, published_article, published_concept, source

pytestmark = pytest.mark.django_db

CEASEFIRE = "/concepts/ceasefire/"


@pytest.fixture(autouse=True)
def connection_stays(monkeypatch):
    """Keep the connection, which holds the transaction of the test, as Django's own test client does."""
    monkeypatch.setattr(store, "close_old_connections", lambda: None)
    request_finished.disconnect(close_old_connections)
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = int(status.split()[0])
        self.headers = {name.lower(): value for name, value in headers}
        assert len(self.headers) == len(headers), "a header is sent twice"
        self.body = body

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


Ask = Callable[..., Answer]


def asker(site: PageStore) -> Ask:
    """Give a function that asks as a server does: `ask("/path/", HTTP_COOKIE="…")`."""

    def ask(address: str, **environ: str) -> Answer:
        path, _, query = address.partition("?")
        sent = RequestFactory()._base_environ(  # type: ignore[attr-defined]
            PATH_INFO=path, QUERY_STRING=query
        )
        del sent["HTTP_COOKIE"]
        told: list[Any] = []
        parts = site(sent | {"HTTP_HOST": "127.0.0.1:8000"} | environ, lambda *args: told.append(args))
        body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        ((status, headers),) = told
        return Answer(status, headers, body)

    return ask


def ask_anew(**options: Any) -> Ask:
    """Ask a process that looks at the edition with every request."""
    return asker(PageStore(WSGIHandler(), editions=Editions(look_every=0), **options))


@pytest.fixture
def ask() -> Ask:
    return ask_anew()


@pytest.fixture
def patient() -> Ask:
    """Ask a process that has just looked, and does not look again while the test lasts."""
    return asker(PageStore(WSGIHandler(), editions=Editions(look_every=3_600)))


@pytest.fixture
def ceasefire():
    source("un-charter")
    return published_concept(
        "Ceasefire", source="An agreed end to fighting.", tags=["truce"], sources=["un-charter"], phases=["ceasefire"]
    )


def test_a_warm_page_costs_no_query_and_is_what_django_says(patient, ceasefire):
    cold = patient(CEASEFIRE, HTTP_ACCEPT_ENCODING="gzip, br")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        warm = patient(CEASEFIRE, HTTP_ACCEPT_ENCODING="gzip, br")
        plain = patient(CEASEFIRE)
    assert len(queries) == 0
    assert cold.status == warm.status == 200
    assert warm.headers == cold.headers
    assert warm.body == cold.body
    assert warm.text == plain.text == Client(headers={"host": "127.0.0.1:8000"}).get(CEASEFIRE).content.decode()
    assert int(warm.headers["content-length"]) == len(warm.body)
    assert int(plain.headers["content-length"]) == len(plain.body)
    assert "content-encoding" not in plain.headers
    assert warm.headers["content-security-policy"]
    assert warm.headers["vary"] == "Accept-Encoding, Cookie"
    assert warm.headers["cache-control"].startswith("public, max-age=0, s-maxage=1, stale-while-revalidate=")


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "gzip; q=0, br"])
def test_who_does_not_take_gzip_gets_none(ask, ceasefire, accepted):
    assert "content-encoding" not in ask(CEASEFIRE, HTTP_ACCEPT_ENCODING=accepted).headers


def test_a_look_costs_one_query(ask, ceasefire):
    ask(CEASEFIRE)
    with CaptureQueriesContext(connection) as queries:
        ask(CEASEFIRE)
    assert len(queries) == 1


def publishes_again(concept: Concept) -> None:
    concept.source = "A halt to fighting."
    concept.save()
    publishing.publish(concept)


def withdraws(concept: Concept) -> None:
    publishing.withdraw(concept, reason="It was wrong.")


def renames(concept: Concept) -> None:
    concept.slug = "cease-fire"
    concept.save()
    publishing.publish(concept)


def is_mentioned(concept: Concept) -> None:
    published_article(title="How wars end", source="A ceasefire opens the way.")


def corrects_a_source(concept: Concept) -> None:
    work = Source.objects.get()
    work.title = "Charter, corrected"
    work.save()


def renames_a_tag(concept: Concept) -> None:
    tag = Tag.objects.get()
    tag.name = "armistice"
    tag.save()


@pytest.mark.parametrize(
    "deed",
    [publishes_again, withdraws, renames, is_mentioned, corrects_a_source, renames_a_tag],
    ids=lambda d: d.__name__,
)
def test_what_readers_can_see_is_new_in_every_process(ceasefire, deed):
    processes = [ask_anew(), ask_anew()]
    before = [ask(CEASEFIRE) for ask in processes]
    deed(ceasefire)
    after = [ask(CEASEFIRE) for ask in processes]
    expected = Client(headers={"host": "127.0.0.1:8000"}).get(CEASEFIRE)
    for old, new in zip(before, after, strict=True):
        assert new.status == expected.status_code
        assert new.body != old.body
        assert new.text == expected.content.decode()


def test_a_rebuild_and_a_composing_count(ask, ceasefire):
    for deed in (lambda: list(publishing.rebuild()), lambda: publishing.recompose([ceasefire])):
        before = Edition.objects.get().number
        deed()
        assert Edition.objects.get().number > before


def test_a_draft_changes_nothing_for_readers(ask, ceasefire):
    before = Edition.objects.get().number
    publishing.save_draft(draft_article(title="Talks"))
    publishing.offer(ceasefire, {"title": "Ceasefire", "source": "Other words."})
    assert Edition.objects.get().number == before


def test_a_change_that_is_taken_back_counts_as_none(ceasefire):
    before = Edition.objects.get().number
    with transaction.atomic():
        publishes_again(ceasefire)
        transaction.set_rollback(True)
    assert Edition.objects.get().number == before


def test_a_scheduled_page_appears_when_it_is_due(patient):
    start = datetime(2026, 12, 1, 8, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        published_article(title="Tomorrow", slug="tomorrow", published_at=start + timedelta(hours=1))
        assert patient("/articles/tomorrow/").status == 404
        assert "Tomorrow" not in patient("/articles/").text
        clock.shift(timedelta(minutes=59))
        assert "Tomorrow" not in patient("/articles/").text
        clock.shift(timedelta(minutes=2))
        assert patient("/articles/tomorrow/").status == 200
        listed = patient("/articles/")
        assert "Tomorrow" in listed.text
        assert listed.headers["last-modified"] == "Tue, 01 Dec 2026 09:00:00 GMT"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_the_page_hears_304(ask, ceasefire, form):
    page = ask(CEASEFIRE, HTTP_ACCEPT_ENCODING="gzip")
    tag = page.headers["etag"].removeprefix("W/")
    answer = ask(CEASEFIRE, HTTP_IF_NONE_MATCH=form.format(tag))
    assert answer.status == 304
    assert answer.body == b""
    assert answer.headers["etag"] == page.headers["etag"]
    assert answer.headers["cache-control"] == page.headers["cache-control"]
    assert answer.headers["vary"] == page.headers["vary"]
    assert "content-length" not in answer.headers
    assert ask(CEASEFIRE, HTTP_IF_NONE_MATCH='"other"').status == 200
    publishes_again(ceasefire)
    if form != "*":
        assert ask(CEASEFIRE, HTTP_IF_NONE_MATCH=form.format(tag)).status == 200


def test_the_tag_says_what_stands_in_the_page(ask, ceasefire):
    """So it is the same in every process, and outlives changes elsewhere."""
    tag = ask("/about/").headers["etag"]
    publishes_again(ceasefire)
    assert ask("/about/").headers["etag"] == ask_anew()("/about/").headers["etag"] == tag
    assert ask("/about/", HTTP_IF_NONE_MATCH=tag).status == 304


def test_the_date_serves_where_there_is_no_tag(ask, ceasefire):
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        page = ask(CEASEFIRE)
        date = page.headers["last-modified"]
        assert ask(CEASEFIRE, HTTP_IF_MODIFIED_SINCE=date).status == 304
        assert ask(CEASEFIRE, HTTP_IF_MODIFIED_SINCE="Thu, 01 Jan 2026 00:00:00 GMT").status == 200
        assert ask(CEASEFIRE, HTTP_IF_MODIFIED_SINCE="yesterday").status == 200
        assert ask(CEASEFIRE, HTTP_IF_MODIFIED_SINCE=date, HTTP_IF_NONE_MATCH='"other"').status == 200
        publishes_again(ceasefire)
        # Two changes may fall into this second: a date of it would stand for both.
        assert "last-modified" not in ask(CEASEFIRE).headers


def test_head_says_what_get_says(ask, ceasefire):
    for warm in (False, True):
        head = ask(CEASEFIRE, REQUEST_METHOD="HEAD")
        assert (head.status, head.body) == (200, b""), warm
        assert head.headers == ask(CEASEFIRE).headers
    assert ask("/concepts/nowhere/", REQUEST_METHOD="HEAD").status == 404


def test_who_is_signed_in_gets_a_page_of_their_own(patient, ceasefire, client):
    patient(CEASEFIRE)
    client.force_login(User.objects.create_user("hala"))
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    publishes_again(ceasefire)
    own = patient(CEASEFIRE, HTTP_COOKIE=cookie)
    assert "A halt to fighting." in own.text
    assert own.headers["cache-control"] == "private, no-cache"
    assert "A halt to fighting." not in patient(CEASEFIRE).text


def test_a_strangers_cookie_makes_no_difference(patient, ceasefire):
    patient(CEASEFIRE)
    with CaptureQueriesContext(connection) as queries:
        for cookie in ("visited=1", "a" * 5_000, "display", "display=;", "=;;=", "\x80\xff"):
            assert patient(CEASEFIRE, HTTP_COOKIE=cookie).status == 200
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("address", "status"),
    [("/concepts/nowhere/", 404), ("/concepts/ceasefire", 301), ("/admin/", 302), ("/admin/login/", 200),
     ("/healthz/", 200), ("/articles/?page=9", 404), ("/search/?q=a&kind=b", 400)],
)  # fmt: skip
def test_what_is_not_for_all_or_not_for_long_is_not_kept(ceasefire, address, status):
    asked = []

    def inner(environ, start_response):
        asked.append(environ)
        return WSGIHandler()(environ, start_response)

    ask = asker(PageStore(inner, editions=Editions(look_every=0)))
    assert [ask(address).status, ask(address).status] == [status, status]
    assert len(asked) == 2
    assert "public" not in ask(address).headers.get("cache-control", "")


def test_a_form_that_is_sent_reaches_django(ask, ceasefire):
    ask(CEASEFIRE)
    assert ask(CEASEFIRE, REQUEST_METHOD="POST").status == 403


def test_each_host_has_its_own_and_a_strange_one_none(ask, ceasefire):
    assert ask(CEASEFIRE).status == 200
    assert ask(CEASEFIRE, HTTP_HOST="evil.example").status == 400


def test_what_was_asked_for_longest_ago_makes_room(ceasefire):
    asked = []

    def inner(environ, start_response):
        asked.append(environ["QUERY_STRING"])
        return WSGIHandler()(environ, start_response)

    ask = asker(PageStore(inner, editions=Editions(look_every=0), most=40_000))
    first = "q=peace"
    for number in range(60):
        ask(f"/search/?{first}")
        ask(f"/search/?q=word{number}")
    assert asked.count(first) == 1
    asked.clear()
    ask("/search/?q=word0")
    ask("/search/?q=word59")
    assert asked == ["q=word0"]


def test_django_answers_where_the_edition_cannot_be_read(ask, ceasefire):
    ask(CEASEFIRE)

    def refuse(execute, sql, params, many, context):
        if Edition._meta.db_table in sql:
            raise OperationalError("the table is out for lunch")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        answer = ask(CEASEFIRE)
    assert answer.status == 200
    assert "etag" not in answer.headers
    assert "etag" in ask(CEASEFIRE).headers


def test_a_page_that_many_ask_for_at_once_is_made_once():
    begun, let_go, made = threading.Event(), threading.Event(), []

    def inner(environ, start_response):
        made.append(environ["PATH_INFO"])
        begun.set()
        assert let_go.wait(10)
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", "5")])
        return [b"Peace"]

    class Fixed(Editions):
        def now(self) -> Now:
            return Now(0, 1, 0.0, ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"))

    ask = asker(PageStore(inner, editions=Fixed()))
    with ThreadPoolExecutor(8) as readers:
        first = readers.submit(ask, "/")
        assert begun.wait(10)
        others = [readers.submit(ask, "/") for _ in range(7)]
        let_go.set()
        assert {reader.result(10).body for reader in [first, *others]} == {b"Peace"}
    assert made == ["/"]


def test_a_page_that_fails_keeps_nobody_waiting(ceasefire):
    failures = iter([True, False])

    def inner(environ, start_response):
        if next(failures):
            raise RuntimeError("lost")
        return WSGIHandler()(environ, start_response)

    ask = asker(PageStore(inner, editions=Editions(look_every=0)))
    with pytest.raises(RuntimeError, match="lost"):
        ask(CEASEFIRE)
    assert ask(CEASEFIRE).status == 200


def test_files_and_the_sign_of_life_never_ask_for_the_edition(settings):
    class Asked(Editions):
        def now(self) -> Now:
            raise AssertionError("the edition was asked for")

    settings.WHITENOISE_USE_FINDERS = True  # no file is collected for tests
    ask = asker(PageStore(WSGIHandler(), editions=Asked()))
    assert ask("/healthz/").status == 200
    file = ask("/static/css/site.css")
    assert file.status == 200
    assert ask("/static/css/site.css", HTTP_IF_MODIFIED_SINCE=file.headers["last-modified"]).status == 304
    assert ask("/static/css/site.css", HTTP_RANGE="bytes=0-9").status == 206


def test_a_database_that_does_not_answer_is_asked_as_rarely_as_one_that_does(ceasefire):
    editions = Editions(look_every=3_600)
    asked = []

    def refuse(execute, sql, params, many, context):
        asked.append(sql)
        raise InterfaceError("nobody answers")

    with connection.execute_wrapper(refuse):
        assert [editions.now(), editions.now(), editions.now()] == [None, None, None]
    assert len(asked) == 1


def test_a_request_that_began_before_a_change_puts_nothing_of_before_in_its_place(ceasefire):
    class Told(Editions):
        def now(self) -> Now:
            return told

    site = PageStore(WSGIHandler(), editions=Told())
    ask = asker(site)
    early, late = (Now(place, place, 0.0, ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT")) for place in (1, 2))
    told = late
    ask(CEASEFIRE)
    told = early
    with CaptureQueriesContext(connection) as queries:
        assert ask(CEASEFIRE).status == 200
    assert len(queries) > 0
    told = late
    with CaptureQueriesContext(connection) as queries:
        ask(CEASEFIRE)
    assert len(queries) == 0


def test_the_date_of_a_change_never_goes_back(time_machine):
    time_machine.move_to("2026-12-01T12:00:00Z", tick=False)
    Edition.advance()
    time_machine.move_to("2026-12-01T11:00:00Z", tick=False)
    Edition.advance()
    assert Edition.objects.get().changed_at == datetime(2026, 12, 1, 12, tzinfo=UTC)
    time_machine.move_to("2026-12-01T12:30:00.5Z", tick=False)
    Edition.advance()
    assert Edition.objects.get().changed_at == datetime(2026, 12, 1, 12, 30, 0, 500_000, tzinfo=UTC)
    assert Edition.objects.get().number == 3


def test_an_address_is_read_as_utf_8_whatever_a_request_says_of_itself(ask, ceasefire):
    poisoned = ask("/search/?q=%D8%AD%D9%81%D8%B8", CONTENT_TYPE="text/plain; charset=us-ascii")
    assert "حفظ" in poisoned.text
    assert "حفظ" in ask("/search/?q=%D8%AD%D9%81%D8%B8").text
