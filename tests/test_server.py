"""The server of `make run` itself, with two processes: what one editor publishes, readers of both see."""

import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from machine import ROOT, free_port, own_environment
from taggit.models import Tag
from trial_site import served

from peacekb import publishing
from peacekb.models import Concept
from peacekb.wsgi import bodies_first

from .factories import published_concept

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

NEW_CONNECTIONS = 24  # the kernel gives each to one process or the other


def address_of_the_database() -> str:
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    who = f"{quote(known['USER'])}:{quote(known['PASSWORD'])}@" if known["USER"] else ""
    return f"postgresql://{who}{quote(known['HOST'], safe='')}:{known['PORT']}/{known['NAME']}"


@pytest.fixture
def site(tmp_path) -> Iterator[str]:
    port = free_port()
    environment = own_environment() | {
        "DATABASE_URL": address_of_the_database(),
        "DJANGO_SETTINGS_MODULE": "peacekb.settings",
        "LOG_LEVEL": "ERROR",
        "PORT": str(port),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "STATIC_ROOT": str(tmp_path / "static"),
        "WEB_CONCURRENCY": "2",
    }
    command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603
    with served(environment):
        yield environment["SITE_URL"]


def seen(address: str) -> set[str]:
    """Give what readers see at an address, in whatever process they meet: the status, and what the entry says."""
    answers = set()
    for _ in range(NEW_CONNECTIONS):
        try:
            with urlopen(address, timeout=30) as answer:  # noqa: S310  our own site
                text = answer.read().decode()
                told = next((word for word in ("An agreed end", "A halt") if word in text), "nothing")
                answers.add(f"{answer.status} {told} at {answer.url.rpartition('/concepts/')[2]}")
        except HTTPError as error:
            with error:
                answers.add(str(error.code))
    return answers


def test_a_deed_is_seen_in_every_process_within_a_second(site):
    concept = published_concept("Ceasefire", source="An agreed end to fighting.")
    address = f"{site}/concepts/ceasefire/"
    assert seen(address) == {"200 An agreed end at ceasefire/"}

    concept.source = "A halt to fighting."
    concept.save()
    publishing.publish(concept)
    time.sleep(1)
    assert seen(address) == {"200 A halt at ceasefire/"}

    concept.slug = "cease-fire"
    concept.save()
    publishing.publish(concept)
    time.sleep(1)
    assert seen(address) == {"200 A halt at cease-fire/"}

    publishing.withdraw(concept, reason="It was wrong.")
    time.sleep(1)
    assert seen(f"{site}/concepts/cease-fire/") == {"410"}
    with urlopen(f"{site}/concepts/", timeout=30) as answer:  # noqa: S310
        assert "cease-fire" not in answer.read().decode()


def test_a_tag_is_renamed_while_a_text_is_published(client):
    """Both count as a change for readers, and both take their turn first: in another order they would wait for ever."""
    published_concept("Ceasefire", source="An agreed end to fighting.", tags=["truce"])
    tag = Tag.objects.get()
    client.force_login(User.objects.create_superuser("hala"))
    holds, go_on = threading.Event(), threading.Event()

    def publish_slowly() -> None:
        try:
            with transaction.atomic():
                publishing.take_turn()
                holds.set()
                go_on.wait(2)
                publishing.publish(Concept.objects.get())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as editors:
        publishing_ = editors.submit(publish_slowly)
        assert holds.wait(10)
        threading.Timer(0.5, go_on.set).start()
        answer = client.post(f"/admin/taggit/tag/{tag.pk}/change/", {"name": "armistice", "slug": "truce"})
        publishing_.result(30)
    assert answer.status_code == 302
    assert Tag.objects.get().name == "armistice"


def test_forms_that_never_end_keep_no_reader_out(site):
    host, port = site.removeprefix("http://").split(":")
    request = f"POST /display/ HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 10\r\n\r\na".encode()
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(socket.create_connection((host, int(port)))).sendall(request)
        time.sleep(0.5)
        for _ in range(NEW_CONNECTIONS):
            with urlopen(f"{site}/about/", timeout=10) as answer:  # noqa: S310
                assert answer.status == 200


def send(body: bytes = b"", **environ: Any) -> tuple[str, bytes]:
    """Send a request to the entrance that the server calls, with a Django behind it that says what it was sent."""
    told: list[str] = []

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    entrance = bodies_first(inner, at_once=environ.pop("at_once", 1))
    parts = entrance({"wsgi.input": BytesIO(body)} | environ, lambda status, headers: told.append(status))
    return told[0], b"".join(parts)


def test_a_form_is_handed_on_whole():
    assert send(b"a=b", CONTENT_LENGTH="3") == ("200 OK", b"a=b")
    assert send(b"a=b&", CONTENT_LENGTH="3") == ("200 OK", b"a=b")
    assert send(b"", CONTENT_LENGTH="") == ("200 OK", b"")


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_LENGTH": "9"}, "400 Bad Request"),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "411 Length Required"),
        ({"CONTENT_LENGTH": "4000001"}, "413 Content Too Large"),
        ({"CONTENT_LENGTH": "9" * 5_000}, "413 Content Too Large"),
        ({"CONTENT_LENGTH": "-1"}, "413 Content Too Large"),
        ({"CONTENT_LENGTH": "3", "at_once": 0}, "503 Service Unavailable"),
    ],
)
def test_a_form_without_end_or_measure_is_refused(environ, status):
    assert send(b"a=b", **environ)[0] == status
