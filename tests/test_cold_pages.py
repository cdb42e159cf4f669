"""Pages that are made, not found in the store: what is kept from one making to the next must never show."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.template import engines
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from peacekb.models import Kind, Page
from peacekb.models.prepared import Given, moment, prepared
from peacekb.pages import entries
from peacekb.publishing import withdraw
from tests.factories import published, published_article, published_concept

pytestmark = pytest.mark.django_db


# --- prepared queries --------------------------------------------------------------------------------------------


def counted():
    composed = []

    @prepared
    def titles(kind, *, slug):
        composed.append((kind, slug))
        return Page.objects.published().filter(kind=kind, slug=slug).values_list("title", flat=True)

    return titles, composed


def test_a_query_is_composed_once_and_run_with_each_value():
    published_concept("Ceasefire")
    published_concept("Truce")
    titles, composed = counted()
    with CaptureQueriesContext(connection) as queries:
        found = [titles("concept", slug=slug) for slug in ("ceasefire", "truce", "war")]
    assert found == [["Ceasefire"], ["Truce"], []]
    assert len(queries) == 3
    assert [kind for kind, _slug in composed] == ["concept"]
    assert isinstance(composed[0][1], Given)


def test_arguments_by_position_shape_a_query_of_their_own():
    published_concept("Ceasefire")
    titles, composed = counted()
    assert titles("concept", slug="ceasefire") == ["Ceasefire"]
    assert titles("role", slug="ceasefire") == []
    assert len(composed) == 2


def test_the_language_of_the_page_shapes_a_query(client):
    names = [{"text": "Ceasefire", "kind": "pref"}, {"text": "cessez-le-feu", "language": "fr", "kind": "pref"}]
    published_concept("Ceasefire", label_rows=names)
    published(Kind.ROLE, title="Mediator", concepts=["ceasefire"])
    for _ in range(2):
        assert "Cessez-le-feu" not in client.get("/roles/mediator/").content.decode()
        assert "Cessez-le-feu" in client.get("/fr/roles/mediator/").content.decode()


def test_a_query_composed_before_a_page_is_due_finds_it_afterwards(time_machine):
    published_article(title="Later", published_at=timezone.now() + timedelta(hours=1))
    assert entries.find("article", "later") is None
    time_machine.move_to(timezone.now() + timedelta(hours=2))
    assert entries.find("article", "later").title == "Later"


def test_a_query_composed_before_a_page_was_withdrawn_finds_it_no_more():
    page = published_article(title="Gone")
    assert entries.find("article", "gone") is not None
    withdraw(page)
    assert entries.find("article", "gone") is None


def test_outside_of_composing_the_moment_is_now():
    before = timezone.now()
    assert before <= moment() <= timezone.now()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_each_thread_asks_through_its_own_connection():
    published_concept("Ceasefire")
    titles, composed = counted()
    assert titles("concept", slug="ceasefire") == ["Ceasefire"]
    found = []

    def ask():
        try:
            found.append((titles("concept", slug="ceasefire"), len(connection.queries_log)))
        finally:
            connection.close()

    here = len(connection.queries_log)
    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert [titles for titles, _number in found] == [["Ceasefire"]]
    assert len(connection.queries_log) == here
    assert len(composed) == 1


# --- pieces of templates -----------------------------------------------------------------------------------------


def written(template, **values):
    return engines["django"].from_string("{% load i18n peacekb %}" + template).render(values)


def test_a_piece_is_made_once_for_each_value():
    class Value:
        def __init__(self, name):
            self.name, self.asked = name, 0

        def text(self):
            self.asked += 1
            return self.name

    a, b = Value("a"), Value("b")
    piece = "{% for one in many %}{% kept one=one %}{{ one.text }}{% endkept %}{% endfor %}"
    assert written(piece, many=[a, b, a, b, a]) == "ababa"
    assert (a.asked, b.asked) == (1, 1)


def test_a_piece_sees_nothing_but_its_values():
    assert written("{% kept one=one %}{{ one }}{{ two }}{% endkept %}", one="1", two="2") == "1"


def test_a_piece_escapes_its_values():
    assert written("{% kept one=one %}{{ one }}{% endkept %}", one="<b>") == "&lt;b&gt;"


def test_a_piece_has_the_words_of_each_language():
    template = engines["django"].from_string('{% load i18n peacekb %}{% kept %}{% translate "Search" %}{% endkept %}')
    shown = []
    for language in ("en", "fr", "en"):
        with override(language):
            shown.append(template.render())
    assert shown == ["Search", "Rechercher", "Search"]


def test_a_piece_keeps_no_more_than_its_limit(monkeypatch):
    monkeypatch.setattr("peacekb.templatetags.peacekb._MOST_KEPT", 2)
    shown = written("{% for one in many %}{% kept one=one %}{{ one }}{% endkept %}{% endfor %}", many=range(5))
    assert shown == "01234"
