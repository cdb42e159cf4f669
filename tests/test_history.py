"""Versions, what changed between them, and citations, as readers meet them."""

import json
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb import publishing
from peacekb.models import FormerSlug, Kind, Page, Revision
from peacekb.text.difference import MOST_CHARACTERS, difference, is_comparable
from peacekb.text.markdown_tree import TextRefused

from .factories import draft_article, published, published_article, published_concept

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted_before():
    cache.clear()


def text_of(response) -> str:
    text: str = response.content.decode()
    return text


def words_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(response)).split())


def change(page: Page, *, note: str = "", **values) -> None:
    """Publish a page with other values."""
    page.refresh_from_db()
    for name, value in values.items():
        setattr(page, name, value)
    page.save()
    publishing.publish(page, note=note)


def offer(page: Page, **values) -> None:
    """Keep a changed text of a published page as a draft."""
    document = Revision.objects.filter(page=page).first().content
    publishing.offer(page, {**document, **values})


@pytest.fixture
def essay():
    """An essay in three versions, with drafts between them."""
    page = draft_article(
        title="How wars end",
        slug="how-wars-end",
        authors=["A. Author"],
        source="A first secret draft.",
        published_at="2026-01-02T00:00:00Z",
    )
    change(page, source="The talks begin.\n\n## Guns\n\nThe guns fall silent.", note="First text")
    offer(page, source="A second secret draft.")
    change(page, source="The talks begin.\n\n## Guns\n\nThe guns are silent at last.", note="Guns made clearer")
    change(
        page, source="The talks begin.\n\n## Guns\n\nThe guns are silent at last.\n\nNew words.", note="Added the end"
    )
    return page


# --- the list ----------------------------------------------------------------------------------------------------


def test_the_history_lists_the_versions_that_readers_had_newest_first_and_no_drafts(client, essay):
    response = client.get("/articles/how-wars-end/history/")
    shown = words_of(response)
    assert re.findall(r"Version (\d)", re.sub(r"<title>.*</title>", "", shown)) == ["3", "2", "1"]
    for told in ("First text", "Guns made clearer", "Added the end", "2 January 2026", "A. Author", "Current version"):
        assert told in shown
    assert "secret" not in text_of(response)


def test_the_history_says_how_many_words_came_and_went(client, essay):
    shown = words_of(client.get("/articles/how-wars-end/history/"))
    assert "+ 2 words added − 0 words removed Compare version 3 with version 2" in shown
    assert "+ 3 words added − 1 word removed Compare version 2 with version 1" in shown


@pytest.mark.parametrize("kind", [Kind.ARTICLE, Kind.CONCEPT, Kind.ROLE, Kind.TASK])
def test_every_kind_has_a_history_a_citation_and_old_versions(client, kind):
    page = published(kind, title="Mediation", slug="mediation", source="Old words.")
    change(page, source="New words.")
    address = f"/{kind}s/mediation/"
    shown = text_of(client.get(address))
    assert f"{address}history/" in shown
    assert f"{address}cite/" in shown
    assert "Version 2" in words_of(client.get(f"{address}history/"))
    assert "Old words." in text_of(client.get(f"{address}?v=1"))
    assert "version 2" in text_of(client.get(f"{address}cite/"))


def test_names_of_accounts_are_not_shown(client, django_user_model):
    page = published_concept("Ceasefire")
    user = django_user_model.objects.create_user("secret.account")
    page.source = "Another definition."
    page.save()
    publishing.publish(page, editor=user)
    shown = text_of(client.get("/concepts/ceasefire/history/"))
    assert "The editors" in shown
    assert "secret.account" not in shown


def test_a_text_replaced_before_its_date_came_was_never_a_version(client):
    page = published_article(
        title="Soon", source="An embargoed error.", published_at=timezone.now() + timedelta(days=1)
    )
    page.published_at = timezone.now() - timedelta(minutes=1)
    change(page, source="The right text.", published_at=timezone.now())
    shown = words_of(client.get("/articles/soon/history/"))
    assert "Version 2" in shown
    assert "Version 1" not in shown
    assert client.get("/articles/soon/?v=1").status_code == 404


@pytest.mark.parametrize("page_is", ["draft", "scheduled", "unknown"])
def test_what_is_not_public_has_no_history_and_no_citation(client, page_is):
    if page_is == "draft":
        draft_article(title="Secret")
    if page_is == "scheduled":
        published_article(title="Secret", published_at=timezone.now() + timedelta(days=1))
    for address in ("history/", "cite/", "?v=1", "history/?from=1&to=2"):
        assert client.get(f"/articles/secret/{address}").status_code == 404


def test_the_history_of_a_withdrawn_page_tells_dates_and_the_reason_but_nothing_it_said(client, essay):
    publishing.withdraw(essay, reason="The figures were wrong.")
    gone = client.get("/articles/how-wars-end/")
    assert gone.status_code == 410
    assert "/articles/how-wars-end/history/" in text_of(gone)
    response = client.get("/articles/how-wars-end/history/")
    assert response.status_code == 200
    shown = text_of(response)
    assert "The figures were wrong." in shown
    assert "Version 1" in shown
    for hidden in ("How wars end", "guns", "First text", "A. Author", "?v=", "?from="):
        assert hidden not in shown
    assert client.get("/articles/how-wars-end/?v=1").status_code == 410
    assert client.get("/articles/how-wars-end/cite/").status_code == 410
    assert client.get("/articles/how-wars-end/history/?from=1&to=2").status_code == 410


def test_versions_from_before_a_withdrawal_stay_closed_when_the_page_comes_back(client, essay):
    publishing.withdraw(essay, reason="It named a witness.")
    change(essay, source="Without the name.")
    shown = words_of(client.get("/articles/how-wars-end/history/"))
    assert "Version 4" in shown
    assert "It named a witness." in shown
    assert "No longer shown" in shown
    for address in ("?v=3", "history/?from=3&to=4"):
        closed = client.get(f"/articles/how-wars-end/{address}")
        assert closed.status_code == 410
        assert "Version 3 was withdrawn" in words_of(closed)
        assert "silent" not in text_of(closed)
    assert client.get("/articles/how-wars-end/cite/?v=3").status_code == 404


def test_an_old_address_leads_to_the_same_version_at_the_new_one(client, essay):
    change(essay, slug="how-a-war-ends")
    for address in ("?v=1", "history/", "history/?from=1&to=2", "cite/?p=2"):
        response = client.get(f"/articles/how-wars-end/{address}")
        assert response.status_code == 301
        assert response["Location"] == f"/articles/how-a-war-ends/{address}"


def test_a_version_of_a_page_that_was_merged_is_not_looked_for_in_the_other_page(client, essay):
    other = published_article(title="How peace begins", slug="how-peace-begins")
    publishing.withdraw(essay)
    FormerSlug.objects.create(kind=Kind.ARTICLE, slug="how-wars-end", page=other)
    for address, new in (("?v=1", ""), ("history/?from=1&to=2", "history/"), ("cite/?v=1", "cite/")):
        response = client.get(f"/articles/how-wars-end/{address}")
        assert response.status_code == 301
        assert response["Location"] == f"/articles/how-peace-begins/{new}"


def test_a_long_history_is_shown_in_pages_at_a_constant_number_of_queries(client):
    page = published_concept("Ceasefire", source="Text 0.")
    for number in range(1, 3):
        change(page, source=f"Text {number}.")
    costs = []
    for number in range(3, 30):
        if number in (3, 29):
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                client.get("/concepts/ceasefire/history/")
            costs.append(len(queries))
        change(page, source=f"Text {number}.")
    assert costs == [3, 3]
    with CaptureQueriesContext(connection) as queries:
        client.get("/concepts/ceasefire/history/")
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        client.get("/concepts/ceasefire/history/")
    assert len(queries) == 2, "the words of versions were counted again"
    assert "Version 1 " in words_of(client.get("/concepts/ceasefire/history/?page=2"))
    assert client.get("/concepts/ceasefire/history/?page=3").status_code == 404


# --- between two versions ----------------------------------------------------------------------------------------


def test_a_comparison_shows_paragraphs_and_words_with_signs(client, essay):
    response = client.get("/articles/how-wars-end/history/?from=1&to=3")
    shown = " ".join(text_of(response).split())
    assert '<del><span class="sign" aria-hidden="true">−</span>' in shown
    assert re.search(r"The guns <del>.*?fall<.*?</del> <ins>.*?are<.*?</ins> silent <ins>.*?at last<.*?</ins>\.", shown)
    assert re.search(r"<ins>.*?New words\.", shown)
    assert "2 paragraphs unchanged" in shown
    assert "secret" not in shown


def test_a_comparison_shows_other_titles_summaries_and_authors(client, essay):
    change(essay, title="How a war ends", authors=["A. Author", "B. Writer"])
    shown = words_of(client.get("/articles/how-wars-end/history/?from=3&to=4"))
    assert "+ 6 words added, − 3 words removed" in shown
    assert re.search(r"Title − \[removed: How wars end \] \+ \[added: How a war ends \]", shown)
    assert "Authors" in shown


def test_what_went_is_told_before_what_came_in_its_place():
    found = difference("Same.\n\nOne old thing.\n\nLast.", "Same.\n\nQuite another matter.\n\nLast.")
    assert [[piece.sign for piece in paragraph.pieces] for paragraph in found.paragraphs] == [[], ["-"], ["+"], []]


def test_a_comparison_of_equal_words_says_so(client, essay):
    essay.tags.add("mediation")
    change(essay)
    assert "The words are the same." in text_of(client.get("/articles/how-wars-end/history/?from=3&to=4"))


def test_words_of_a_version_are_escaped(client, essay):
    change(essay, source="The talks begin. <script>alert(1)</script>")
    shown = text_of(client.get("/articles/how-wars-end/history/?from=3&to=4"))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("from=1", 400),
        ("to=2", 400),
        ("from=a&to=2", 400),
        ("from=2&to=1", 400),
        ("from=1&to=1", 400),
        ("from=0&to=1", 400),
        ("from=1&to=9", 404),
        ("from=1&to=99999999999999999999", 400),
    ],
)
def test_a_comparison_of_what_there_is_not_is_refused(client, essay, asked, status):
    assert client.get(f"/articles/how-wars-end/history/?{asked}").status_code == status


def test_an_arabic_comparison_runs_from_right_to_left(client):
    page = published_article(title="السلام", slug="salam", language="ar", source="تبدأ المحادثات اليوم.")
    change(page, source="تبدأ المحادثات غدا.")
    shown = text_of(client.get("/articles/salam/history/?from=1&to=2"))
    assert '<div class="changes" lang="ar" dir="rtl">' in shown


def test_long_texts_are_not_compared_while_a_reader_waits(client, essay):
    change(essay, source="one, two, tree, four, five, " * (MOST_CHARACTERS // 27 + 1))
    shown = words_of(client.get("/articles/how-wars-end/history/?from=3&to=4"))
    assert "too long to be compared" in shown
    listed = words_of(client.get("/articles/how-wars-end/history/"))
    assert "Version 4" in listed
    assert listed.count("words added") == 2


def test_a_costly_paragraph_is_shown_as_removed_and_added_whole():
    old, new = ("".join(f"{letter}{number} " for number in range(2_500)) for letter in "ab")
    mixed = f"{old} {new}", f"{new} {old}"
    assert is_comparable(*mixed)
    assert [piece.sign for piece in difference(*mixed).paragraphs[0].pieces] == ["-", "+"]


def test_a_word_changed_in_a_huge_paragraph_is_found():
    text = "".join(f"word{number} " for number in range(15_000))
    found = difference(text, text.replace("word7000 ", "other "))
    assert (found.added, found.removed) == (1, 1)


@pytest.mark.parametrize(
    ("old", "new", "added", "removed"),
    [
        ("", "", 0, 0),
        ("", "One two.", 2, 0),
        ("One two.", "", 0, 2),
        ("One\ntwo.", "One two.", 0, 0),
        ("## One", "# One", 0, 0),
        ("A b c d.\n\nE f g h.", "E f g h.\n\nA b c d.", 4, 4),
        ("A b c d.", "X y.\n\nA b c e.", 3, 1),
    ],
)
def test_words_are_counted_and_marks_are_not(old, new, added, removed):
    found = difference(old, new)
    assert (found.added, found.removed) == (added, removed)


# --- an old version ----------------------------------------------------------------------------------------------


def test_an_old_version_reads_as_it_was_and_says_so(client, essay):
    published_concept("Guns")
    change(essay, title="Another title")
    response = client.get("/articles/how-wars-end/?v=1")
    shown = text_of(response)
    assert "You are reading version 1 of 4." in words_of(response)
    assert '<a href="/articles/how-wars-end/">Read the current version.</a>' in shown
    assert '<p id="p2">The guns fall silent.' in shown
    assert re.search(r"<h1[^>]*>How wars end</h1>", shown)
    assert '<meta name="robots" content="noindex">' in shown
    assert 'rel="canonical" href="http://127.0.0.1:8000/articles/how-wars-end/"' in shown
    assert 'class="concept"' not in shown


def test_the_current_version_asked_by_its_number_is_the_page_itself(client, essay):
    shown = text_of(client.get("/articles/how-wars-end/?v=3"))
    assert "You are reading version" not in shown
    assert "New words." in shown
    assert 'rel="canonical" href="http://127.0.0.1:8000/articles/how-wars-end/"' in shown


@pytest.mark.parametrize(
    ("asked", "status"), [("4", 404), ("0", 400), ("", 400), ("two", 400), ("-1", 400), ("1" * 20, 400), ("٢", 400)]
)
def test_a_version_that_there_is_not_is_refused(client, essay, asked, status):
    for address in ("", "cite/"):
        assert client.get(f"/articles/how-wars-end/{address}", {"v": asked}).status_code == status


def test_an_old_version_may_be_kept_for_an_hour_and_is_not_sent_twice(client, essay):
    response = client.get("/articles/how-wars-end/?v=1")
    assert "public" in response["Cache-Control"]
    assert "max-age=3600" in response["Cache-Control"]
    assert response["Vary"] == "Cookie"  # in which a reader keeps how pages look
    again = client.get("/articles/how-wars-end/?v=1", headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304


def test_an_old_version_that_cannot_be_rendered_any_more_is_shown_as_it_was_written(client, essay, monkeypatch):
    def refuse(*args, **kwargs):
        raise TextRefused("too intricate")

    monkeypatch.setattr("peacekb.pages.history.compose", refuse)
    response = client.get("/articles/how-wars-end/?v=1")
    assert response.status_code == 200
    assert "## Guns" in text_of(response)


def test_an_old_version_costs_the_same_queries_however_many_there_are(client, essay):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/articles/how-wars-end/?v=1").status_code == 200
        return len(queries)

    before = cost()
    for number in range(5):
        change(essay, source=f"Text {number}.")
    assert cost() == before == 6


# --- citing ------------------------------------------------------------------------------------------------------


def cited(client, address: str, form: str, **asked) -> str:
    response = client.get(address, {"format": form, **asked})
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


CITE = "/articles/how-wars-end/cite/"


def test_a_citation_names_authors_title_version_date_paragraph_and_address(client, essay):
    assert cited(client, CITE, "text", v=1, p=2) == (
        "A. Author, “How wars end”, PeaceKB, version 1, 2 January 2026, para. 2, "
        "http://127.0.0.1:8000/articles/how-wars-end/?v=1#p2\n"
    )


def test_a_later_version_carries_its_own_date(client, essay):
    today = timezone.now()
    assert f"version 3, {today.day} {today:%B %Y}" in cited(client, CITE, "text")
    assert f"version 3, {today.day} {today:%B %Y}" in words_of(client.get("/articles/how-wars-end/"))


def test_a_citation_costs_the_same_queries_for_every_format_and_two_more_for_an_old_version(client, essay):
    costs = []
    for asked in ({}, {"format": "ris", "p": 2}, {"v": 1}, {"v": 2, "p": 1, "format": "csl"}):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(CITE, asked).status_code == 200
        costs.append(len(queries))
    assert costs == [4, 4, 6, 6]


@pytest.mark.parametrize(
    ("form", "content_type", "name"),
    [
        ("text", "text/plain", "how-wars-end-v3.txt"),
        ("bibtex", "application/x-bibtex", "how-wars-end-v3.bib"),
        ("ris", "application/x-research-info-systems", "how-wars-end-v3.ris"),
        ("csl", "application/vnd.citationstyles.csl+json", "how-wars-end-v3.json"),
    ],
)
def test_a_citation_is_taken_away_as_a_file(client, essay, form, content_type, name):
    response = client.get(CITE, {"format": form})
    assert response["Content-Type"] == f"{content_type}; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert f"?format={form}" in text_of(client.get(CITE))


def test_bibtex_is_escaped_and_its_braces_are_even(client, essay):
    change(essay, title=r"50% of {wars & $ #1_ \ ~ ^", authors=["Author, Ann", "Institute of Peace and War"])
    written = cited(client, CITE, "bibtex", p=2)
    assert written.count("{") == written.count("}")
    assert r"50\% of \textbraceleft{}wars \& \$ \#1\_ \textbackslash{} \textasciitilde{} \textasciicircum{}" in written
    assert "author = {Author, Ann and {Institute of Peace and War}}," in written
    assert "url = {http://127.0.0.1:8000/articles/how-wars-end/?v=4#p2}," in written
    assert "note = {version 4, para. 2}," in written
    assert written.startswith("@misc{peacekb-article-how-wars-end-v4,\n")


def test_ris_ends_its_lines_as_the_format_has_it_and_lets_no_value_begin_a_field(client, essay):
    Page.objects.filter(pk=essay.pk).update(title="Wars\u2028ER  - \r\nTY  - BOOK")
    written = cited(client, CITE, "ris", v=3, p=2)
    lines = written.split("\r\n")
    assert lines[0] == "TY  - ELEC"
    assert lines[-2:] == ["ER  - ", ""]
    assert "\n" not in written.replace("\r\n", "")
    assert sum(line.startswith(("TY", "ER")) for line in written.splitlines()) == 2
    assert "AU  - A. Author" in lines
    assert "ET  - 3" in lines


def test_csl_json_can_be_read_and_keeps_its_letters(client):
    published_article(title='السلام "الدائم"', slug="salam", language="ar", authors=["أحمد"], source="نص.")
    written = cited(client, "/articles/salam/cite/", "csl", p=1)
    (item,) = json.loads(written)
    assert item["title"] == 'السلام "الدائم"'
    assert item["author"] == [{"literal": "أحمد"}]
    assert item["version"] == "1"
    assert item["URL"].endswith("/articles/salam/?v=1#p1")
    assert "السلام" in written


def test_entries_with_arabic_addresses_have_keys_of_their_own(client):
    for slug in ("سلام", "حوار"):
        published_article(title=slug, slug=slug)
    first, second = (cited(client, f"/articles/{slug}/cite/", "bibtex").split("\n")[0] for slug in ("سلام", "حوار"))
    assert first != second
    assert first.isascii()


def test_a_concept_is_cited_without_an_author(client):
    published_concept("Ceasefire")
    assert cited(client, "/concepts/ceasefire/cite/", "text").startswith("“Ceasefire”, PeaceKB, version 1, ")
    assert "author" not in cited(client, "/concepts/ceasefire/cite/", "bibtex")


@pytest.mark.parametrize(
    ("asked", "status"),
    [("format=word", 400), ("p=x", 400), ("p=0", 400), ("p=9", 404), ("v=2&p=3", 404), ("v=9", 404), ("p=", 200)],
)
def test_a_citation_of_what_there_is_not_is_refused(client, essay, asked, status):
    assert client.get(f"{CITE}?{asked}").status_code == status


def test_a_section_called_cite_keeps_an_address_of_its_own(client):
    published_article(title="Style", source="One.\n\n## Cite\n\nTwo.")
    assert "Two." in text_of(client.get("/articles/style/cite-section/"))
