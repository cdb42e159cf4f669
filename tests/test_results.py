"""The page of results: what was asked, what was searched in the end, and how it can be narrowed."""

import re
from html import unescape

import pytest

from .factories import draft_article, published_article, published_concept, published_role, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def library():
    source("brahimi-report", title="Report of the Panel on Peace Operations", author="Brahimi", symbol="A/55/305",
           year=2000)  # fmt: skip
    source("uncited", title="Brahimi in drafts")
    published_concept("Ceasefire", "truce", phases=["ceasefire"], source="An agreed end to fighting.")
    published_role("Mediator", phases=["mediation"], source="One who mediates.")
    published_role("Guarantor", source="One who stands behind a ceasefire.")
    published_article(
        title="How wars end",
        source="A ceasefire, and a mediator.\n\n## After\n\nMediation of spoilers.",
        published_at="2020-05-01",
        sources=["brahimi-report"],
    )
    published_article(title="Le cessez-le-feu", language="fr", source="Un ceasefire.", published_at="2021-05-01")
    draft_article(title="Secret", source="A gondola.", sources=["uncited"])


def html_of(client, query: str, **more: str) -> str:
    response = client.get("/search/", {"q": query, **more})
    assert response.status_code == 200
    return unescape(response.content.decode())


def found(html: str) -> list[str]:
    return re.findall(r'<h3 class="item-title"><a href="([^"#]+)', html)


def choices(html: str) -> dict[str, tuple[str, int]]:
    narrow = html.partition('class="narrow-by"')[2].partition("</nav>")[0]
    found = re.findall(r'href="([^"]+)"><bdi>([^<]+)</bdi> <span class="count">(\d+)<', narrow)
    return {label: (address, int(number)) for address, label, number in found}


def test_a_slip_of_the_key_is_forgiven_and_said_and_can_be_insisted_on(client, library):
    html = html_of(client, "ceasefrie")
    assert "Showing results for <strong><bdi>Ceasefire</bdi></strong>" in html
    assert 'href="/concepts/ceasefire/"' in html.partition('class="definition-box"')[2].partition("</section>")[0]
    assert "/articles/how-wars-end/" in found(html)
    (alone,) = re.findall(r'href="([^"]+)">Search instead for <bdi>ceasefrie', html)
    html = unescape(client.get(alone).content.decode())
    assert "Nothing found for “ceasefrie”" in html
    assert "Showing results" not in html


def test_words_of_drafts_are_not_spelled_out(client, library):
    assert "gondola" not in html_of(client, "gondolas").replace("gondolas", "")
    assert "gondola" not in html_of(client, "gandola")


def test_words_of_every_day_need_not_stand_in_a_text(client, library):
    assert found(html_of(client, "who are the spoilers?")) == ["/articles/how-wars-end/"]
    assert "No text holds all" not in html_of(client, "who are the spoilers?")
    assert 'class="definition-box"' in html_of(client, "What is a truce?")


def test_where_no_text_holds_all_the_words_those_with_some_are_shown_and_it_is_said(client, library):
    html = html_of(client, "spoilers gondoliers")
    assert "No text holds all of these words" in html
    assert found(html) == ["/articles/how-wars-end/"]
    assert "Nothing found" in html_of(client, "spoilers gondoliers", only="words")


def test_works_of_the_bibliography_are_found_by_author_title_and_symbol(client, library):
    for words in ("Brahimi report", "A/55/305", "panel on peace operations 2000"):
        html = html_of(client, words)
        assert 'href="/sources/brahimi-report/"' in html.partition("In the bibliography")[2], words
    assert "uncited" not in html_of(client, "Brahimi")


def test_results_are_narrowed_by_role_and_year_and_each_choice_leads_to_as_many_texts_as_it_says(client, library):
    offered = choices(html_of(client, "ceasefire"))
    assert {"Mediator", "2020", "2021", "Français", "Article"} <= set(offered)
    for label, (address, number) in offered.items():
        narrowed = unescape(client.get(address).content.decode())
        assert re.search(r'<h2 id="results">(\d+) ', narrowed)[1] == str(number), label
        chosen = "a mention of Mediator" if label == "Mediator" else label
        assert f"<bdi>{chosen}</bdi> <span aria-hidden" in narrowed
    narrowed = html_of(client, "ceasefire", role="mediator", year="2020")
    assert found(narrowed) == ["/articles/how-wars-end/"]
    assert choices(narrowed).keys().isdisjoint({"Mediator", "2020"})


@pytest.mark.parametrize(
    ("query", "status"),
    [("role=nobody", 404), ("role=%00", 404), ("role=%ED%A0%80", 404), ("year=1", 400), ("year=20155", 400),
     ("year=%D9%A2%D9%A0%D9%A2%D9%A0", 400), ("kind=x", 400), ("tag=x", 404), ("only=x", 400)],
)  # fmt: skip
def test_what_cannot_be_narrowed_by_is_no_page(client, library, query, status):
    assert client.get(f"/search/?q=a&{query}").status_code == status
