"""What a reader is suggested while typing: which names, why, in which order, and what it costs."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from taggit.models import Tag

from peacekb.documents import document_of, write
from peacekb.models import Beginning
from peacekb.publishing import offer, publish, rebuild, recompose, withdraw
from peacekb.search.marks import OPEN
from peacekb.text.beginnings import beginnings, typed, typed_in

from .factories import draft_article, published_article, published_concept, published_role, published_task

pytestmark = pytest.mark.django_db

ARABIC = {"text": "وقف إطلاق النار", "language": "ar", "kind": "pref"}
FRENCH = {"text": "cessez-le-feu", "language": "fr", "kind": "pref"}


def html_for(text: str, language: str = "") -> str:
    answer = Client().get(f"{language}/search/suggest/?{urlencode({'q': text})}")
    assert answer.status_code == 200
    return answer.content.decode()


def offered(text: str, language: str = "") -> list[str]:
    """Give the suggestions as they are read, the typed letters in brackets."""
    options = re.findall(r'role="option".*?>(.*?)</a>', html_for(text, language))
    return [
        unescape(re.sub("<[^>]*>", "", option.replace("<mark>", "[").replace("</mark>", "]"))).strip()
        for option in options
    ]


def rows() -> list[tuple]:
    found = Beginning.objects.values_list("beginning", "shelf", "language", "is_preferred", "page", "label", "tag")
    return sorted(((bytes(beginning).decode(), *rest) for beginning, *rest in found), key=repr)


# --- names and letters -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "letters", "marked"),
    [
        ("Peace process", "pea", "[Pea]ce process"),
        ("Peace process", "PROC", "Peace [proc]ess"),
        ("Peace process", "peace pr", "[Peace pr]ocess"),
        ("Peace-process", "peace pr", "[Peace-pr]ocess"),
        ("Peace process", "process peace", None),
        ("Peace process", "paece", None),
        ("Truth and reconciliation", "and", None),
        ("The price of peace", "the pr", "[The pr]ice of peace"),
        ("Accord d’Évian", "evi", "Accord d’[Évi]an"),
        ("Me\u0301diation", "me", "[Me\u0301]diation"),
        ("Cœur", "coe", "[Cœ]ur"),
        ("U.N. Charter", "un ch", "[U.N. Ch]arter"),
        ("عملية السلام", "سلا", "عملية [السلام]"),
        ("عملية السلام", "السل", "عملية [السل]ام"),
        ("وساطة", "الوسا", "[وساطة]"),
        ("الحقيقة والمصالحة", "مصا", "الحقيقة [والمصالحة]"),
        ("خطة للسلام", "السلام", "خطة [للسلام]"),
    ],
)
def test_a_name_is_begun_at_any_of_its_words_and_the_typed_letters_are_known(name, letters, marked):
    begun = typed(letters)
    span = typed_in(name, begun)
    assert (span and f"{name[: span[0]]}[{name[span[0] : span[1]]}]{name[span[1] :]}") == marked
    assert any(beginning.startswith(begun) for beginning, _ in beginnings(name)) == (marked is not None)


# --- what is suggested -------------------------------------------------------------------------------------------


def test_suggestions_stand_in_groups_and_lead_to_their_pages():
    published_concept("Mediation", tags=["media work"])
    published_role("Mediator")
    published_task("Mediating talks")
    published_article(title="How to mediate", slug="how-to-mediate")
    html = html_for("med")
    assert re.findall(r'role="presentation">(.*?)</p>', html) == ["Concepts", "Roles", "Tasks", "Articles", "Tags"]
    assert re.findall(r'href="(.*?)"', html) == [
        "/concepts/mediation/",
        "/roles/mediator/",
        "/tasks/mediating-talks/",
        "/articles/how-to-mediate/",
        "/tags/media-work/",
    ]
    assert offered("med")[3:] == ["How to [med]iate", "[med]ia work"]
    assert 'data-said="5 suggestions"' in html


def test_an_entry_found_by_another_name_says_which():
    published_concept("Ceasefire", "truce", label_rows=[ARABIC])
    assert offered("tru") == ["Ceasefire also called “[tru]ce”"]
    assert offered("ce") == ["[Ce]asefire"]
    assert offered("إطلاق") == ["Ceasefire also called “وقف [إطلاق] النار” (Arabic)"]
    assert '<bdi class="name" lang="ar">' in html_for("إطلاق")


def test_readers_see_names_in_their_language():
    published_concept("Ceasefire", "truce", label_rows=[ARABIC, FRENCH])
    assert offered("cess", "/fr") == ["[Cess]ez-le-feu"]
    assert 'href="/fr/concepts/ceasefire/"' in html_for("cess", "/fr")
    assert offered("الوقف", "/ar") == ["[وقف] إطلاق النار"]
    assert '<bdi lang="ar">' in html_for("وقف", "/ar")
    (by_title,) = offered("cease", "/fr")
    assert by_title.startswith("Cessez-le-feu")
    assert "[Cease]fire" in by_title


def test_a_plural_that_is_typed_in_full_finds_the_name():
    published_concept("Peace agreement")
    published_concept("Crisis")
    assert offered("peace agreements") == ["[Peace agreement]"]
    assert offered("crises") == ["[Crisis]"]


def test_a_hidden_name_finds_and_is_not_shown():
    published_concept("Ceasefire", label_rows=[{"text": "seizefire", "kind": "hidden"}])
    assert offered("seiz") == ["Ceasefire"]
    assert "seize" not in html_for("seiz")


def test_the_reader_s_language_goes_first_then_preferred_names_then_short_ones():
    published_concept("Peace process")
    published_concept("Peace")
    published_concept("Negotiation", "peace")
    published_concept("Accord", label_rows=[{"text": "peac", "language": "fr", "kind": "alt"}])
    published_concept("Culture of peace")
    assert offered("peac") == [
        "[Peac]e",
        "[Peac]e process",
        "Negotiation also called “[peac]e”",
        "Accord also called “[peac]” (French)",
        "Culture of [peac]e",
    ]


def test_a_page_is_offered_once_and_no_sort_takes_all_places():
    for number in range(9):
        published_concept(f"Peace {number}", f"peace of {number}", f"peaceful {number}")
        published_article(title=f"On peace {number}", tags=[f"peace {number}"])
    found = offered("peace")
    assert len(found) == len(set(found)) == 8
    assert [sum(one.startswith(begun) for one in found) for begun in ("[Peace]", "On [", "[peace]")] == [5, 2, 1]


def test_without_entries_articles_have_their_places():
    for number in range(9):
        published_article(title=f"On peace {number}")
    assert len(offered("peace")) == 8


@pytest.mark.parametrize("text", ["", "p", " p ", "…", "p.", "؟", "zz", "paece", "peace" * 100])
def test_too_little_or_nothing_known_gets_an_empty_list(text):
    published_concept("Peace")
    html = html_for(text)
    assert "option" not in html
    assert "listbox" not in html
    assert 'data-said="No suggestions"' in html


def test_what_goes_on_behind_the_letters_that_are_kept_is_compared_too():
    long = "Recommendations on the rehabilitation of institutions in the north "
    published_article(title=f"{long} and south")
    assert offered(f"{long} and sou")
    assert not offered(f"{long} and wes")


def test_what_is_in_a_name_stays_text():
    published_concept("Peace <b>& co", f"pea{OPEN}ce <i>", slug="peace")
    assert "[Pea]ce <b>& co" in offered("pea")
    assert "<b>" not in html_for("pea")
    assert "<i>" not in html_for("pea")
    assert OPEN not in html_for("pea")


# --- what is not public ------------------------------------------------------------------------------------------


def test_drafts_withdrawn_and_scheduled_pages_are_not_suggested(time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    draft_article(title="Peace in draft", tags=["peace of drafts"])
    withdraw(published_article(title="Peace withdrawn", tags=["peace withdrawn"]))
    published_article(title="Peace to come", published_at=now + timedelta(days=1), tags=["peace to come"])
    concept = published_concept("Ceasefire")
    changed = document_of(concept) | {"title": "Peace offered"}
    offer(concept, changed)
    assert offered("peace") == []
    assert {row[0] for row in rows()} >= {"peace to come"}
    assert not any("draft" in row[0] or "withdrawn" in row[0] or "offered" in row[0] for row in rows())
    time_machine.move_to(now + timedelta(days=2), tick=False)
    assert offered("peace") == ["[Peace] to come", "[peace] to come"]


# --- derived rows ------------------------------------------------------------------------------------------------


def test_a_page_that_is_renamed_or_comes_back_is_suggested_by_its_names_of_today():
    page = published_concept("Ceasefire", "lull")
    publish(write(document_of(page) | {"title": "Armistice", "labels": []}, page.kind, page))
    assert offered("lull") == []
    assert offered("arm") == ["[Arm]istice"]
    withdraw(page)
    assert rows() == []
    publish(page)
    assert offered("arm") == ["[Arm]istice"]


def test_a_tag_that_is_renamed_is_suggested_by_its_new_name_and_a_lost_one_no_more():
    page = published_article(title="One", tags=["mediation"])
    tag = Tag.objects.get()
    tag.name = "talks"
    tag.save()
    recompose([page])
    assert offered("media") == []
    assert offered("tal") == ["[tal]ks"]
    publish(write(document_of(page) | {"tags": []}, page.kind, page))
    assert offered("tal") == []
    assert {row[-1] for row in rows()} == {None}


def test_rebuilding_gives_the_same_rows_and_mends_lost_and_strange_ones():
    page = published_concept("Ceasefire", "truce", label_rows=[ARABIC, FRENCH], tags=["a", "peace"])
    published_article(title="The price of peace", tags=["peace"])
    draft = draft_article(title="A draft", tags=["draft"])
    before = rows()
    list(rebuild())
    assert rows() == before
    Beginning.objects.filter(page=page).delete()
    Beginning.objects.create(shelf=0, beginning=b"draft", is_preferred=True, page=draft)
    Beginning.objects.create(shelf=2, beginning=b"draft", is_preferred=True, tag=Tag.objects.get(name="draft"))
    list(rebuild())
    assert rows() == before


# --- costs and refusals ------------------------------------------------------------------------------------------


def test_a_suggestion_costs_as_many_queries_among_many_names_as_among_few(client):
    def make(first: int, last: int) -> None:
        for number in range(first, last):
            published_concept(f"Peace {number}", f"truce {number}", label_rows=[{**FRENCH, "text": f"Paix {number}"}])
            published_article(title=f"On peace {number}", tags=[f"peace {number}"])

    def queries(text: str, language: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            offered(text, language)
        return len(asked)

    texts = [("pe", ""), ("peace", "/fr"), ("truce", ""), ("on peace", "/ar")]
    make(0, 1)
    few = [queries(*text) for text in texts]
    make(1, 20)
    assert [queries(*text) for text in texts] == few
    assert max(few) <= 10


def test_fewer_than_two_letters_ask_the_database_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/search/suggest/?q=p").status_code == 200


@pytest.mark.parametrize("query", ["", "?p=peace", "?q=%00peace", "?q=" + "a" * 1_001])
def test_what_no_form_sends_is_refused(query):
    assert Client(raise_request_exception=False).get(f"/search/suggest/{query}").status_code == 400


@pytest.mark.parametrize("query", ["?q=%ED%A0%80%FF", "?q=%F0%9F%98%80%E2%80%AE", "?q=%25_%5C'\"--", "?q=a&q=peace"])
def test_what_is_strange_is_answered(query):
    assert Client(raise_request_exception=False).get(f"/search/suggest/{query}").status_code == 200


def test_a_piece_of_html_is_for_no_index_and_is_only_read(client):
    answer = client.get("/search/suggest/?q=peace")
    assert answer["X-Robots-Tag"] == "noindex"
    assert "<html" not in answer.content.decode()
    assert client.post("/search/suggest/", {"q": "peace"}).status_code == 405
