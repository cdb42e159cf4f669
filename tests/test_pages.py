"""What the public reads: every page type, what stays hidden, what bad addresses answer, and what a page costs."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb import publishing
from peacekb.archive import read_file
from peacekb.search.marks import CLOSE, OPEN
from peacekb.templatetags.peacekb import marked, shortened

from .factories import (
    draft_article,
    published_article,
    published_concept,
    published_role,
    published_task,
    source,
)

pytestmark = pytest.mark.django_db

ESSAY = """A ceasefire opens the way to talks.

## How it begins

The mediator calls both sides.[^1] A ceasefire is written down.

## How it lasts

Building institutions takes years.

[^1]: Often by telephone.
"""
LONG = "word " * 40


@pytest.fixture
def library():
    source("un-charter")
    published_concept("Peace process", phases=["any"], source="All steps towards peace.", tags=["peace"])
    published_concept(
        "Ceasefire",
        "truce",
        label_rows=[{"text": "وقف إطلاق النار", "language": "ar", "kind": "pref"}],
        phases=["ceasefire"],
        broader=["peace-process"],
        sources=["un-charter"],
        tags=["ceasefire"],
        source="An agreed end to fighting.",
    )
    published_task("Building institutions", phase="reconstruction", concepts=["ceasefire"], tags=["reconstruction"])
    published_role(
        "Mediator",
        phases=["mediation"],
        performs=["building-institutions"],
        concepts=["ceasefire"],
        tags=["mediation"],
    )
    return published_article(
        title="How wars end",
        summary="What follows the last shot.",
        authors=["A. Author"],
        tags=["mediation", "ceasefire"],
        sources=["un-charter"],
        source=ESSAY,
        published_at="2026-01-02T00:00:00Z",
    )


def text_of(response) -> str:
    text: str = response.content.decode()
    return text


ADDRESSES = [
    "/",
    "/about/",
    "/articles/",
    "/articles/how-wars-end/",
    "/articles/how-wars-end/introduction/",
    "/articles/how-wars-end/how-it-begins/",
    "/concepts/",
    "/concepts/?by=phase",
    "/concepts/ceasefire/",
    "/roles/",
    "/roles/mediator/",
    "/tasks/",
    "/tasks/building-institutions/",
    "/articles/how-wars-end/mentions/",
    "/concepts/ceasefire/mentions/",
    "/concepts/ceasefire/mentions/?sort=before",
    "/roles/mediator/mentions/?sort=after",
    "/phases/ceasefire/",
    "/phases/any/",
    "/tags/",
    "/tags/mediation/",
    "/tags/mediation+ceasefire/",
    "/tags/mediation,ceasefire/",
    "/tags/reconstruction+peace/",
    "/sources/",
    "/sources/un-charter/",
    "/search/",
    "/search/?q=ceasefire",
    "/search/?q=truce",
    "/search/?q=ceasefire&tag=mediation",
    "/search/?q=nowhere",
    "/search/?kind=role",
    "/search/?q=%22%22",
    "/healthz/",
    "/readyz/",
]


# Loops instead of parameters: the library is made once.
def test_every_page_type_answers_without_a_cookie(client, library):
    for address in ADDRESSES:
        response = client.get(address)
        assert response.status_code == 200, address
        assert not response.cookies, address
        assert not response.wsgi_request.session.accessed, address
        assert "Accept-Language" not in response.get("Vary", ""), address
        assert client.head(address).status_code == 200, address
        assert client.post(address).status_code == 405, address


@pytest.mark.parametrize(
    "address", ["/", "/articles/", "/search/", "/tags/", "/concepts/", "/sources/", "/phases/ceasefire/"]
)
def test_an_empty_library_still_has_its_pages(client, address):
    assert client.get(address).status_code == 200


def test_every_page_is_sound(client, library):
    for address in ADDRESSES:
        if not address.endswith("z/"):
            check_page(text_of(client.get(address)), address)


def check_page(html: str, address: str) -> None:
    assert len(re.findall(r"<h1[ >]", html)) == 1, address
    assert html.count("<main") == 1, address
    assert "Skip to the text" in html, address
    assert "not speaking for, the United Nations" in html, address
    assert re.search(r"<title>[^<]+ · PeaceKB</title>", html), address
    assert re.search(r'<meta name="description" content="[^"]+">', html), address
    assert "csrfmiddlewaretoken" not in html, address
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)), address
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", html)]
    assert all(after - before <= 1 for before, after in pairwise(levels)), address


def test_what_lists_and_heads_say_of_a_page_is_escaped_once(client):
    published_concept("Truce", source="It's a pause for R&D.", tags=["rest"])
    published_article(title="A pause", summary="It's a pause for R&D.", tags=["rest"])
    addresses = ["/concepts/", "/concepts/truce/", "/articles/a-pause/", "/tags/rest/", "/search/?q=truce", "/"]
    for address in addresses:
        html = text_of(client.get(address))
        assert re.search(r"It(?:&#x27;|')s a pause for R&amp;D\.", html), address
        assert not re.search(r"&amp;(?:#x27|amp);", html), address


def test_every_link_of_a_page_leads_to_a_page(client, library):
    seen: set[str] = set()
    for address in ADDRESSES:
        for href in re.findall(r'href="(/[^"#]*)', text_of(client.get(address))):
            seen.add(href.replace("&amp;", "&"))
    broken = [href for href in seen if not href.startswith("/static/") and client.get(href).status_code != 200]
    assert broken == []


# --- the essay -----------------------------------------------------------------------------------


def test_the_time_that_an_essay_takes_to_read_is_that_of_its_text_without_the_notes(client):
    note = "word " * 1_000
    essay = published_article(title="Long notes", source=f"{'word ' * 399}word[^1]\n\n[^1]: {note}")
    html = text_of(client.get(essay.get_absolute_url()))
    assert "<li>2 minutes</li>" in html
    assert "2 minutes" in text_of(client.get("/articles/"))


def test_an_article_shows_its_parts(client, library):
    html = text_of(client.get("/articles/how-wars-end/"))
    for part in (
        "argues a point of view",
        "What follows the last shot.",
        "A. Author",
        "2 January 2026",
        "1 minute",
        "version 1",
        '<h2 id="how-it-begins">',
        '<p id="p1">',
        "Often by telephone.",
        'href="/concepts/ceasefire/"',
        'href="/roles/mediator/"',
        'href="/tasks/building-institutions/"',
        'href="/tags/mediation/"',
        "Charter of the United Nations",
        f"{settings.SITE_URL}/articles/how-wars-end/",
    ):
        assert part in html
    assert re.findall(r'stop( is-covered)?"><a href="/phases/(\w+)/', html) == [
        ("", "prevention"),
        (" is-covered", "mediation"),
        (" is-covered", "ceasefire"),
        ("", "transition"),
        (" is-covered", "reconstruction"),
    ]


def test_a_section_shows_itself_alone_with_its_notes(client, library):
    html = text_of(client.get("/articles/how-wars-end/how-it-begins/"))
    assert "The " in html
    assert 'id="p2"' in html
    assert 'id="p1"' not in html
    assert "Often by telephone." in html
    assert '<link rel="canonical" href="http://127.0.0.1:8000/articles/how-wars-end/">' in html
    assert 'rel="prev" href="/articles/how-wars-end/introduction/"' in html
    assert 'rel="next" href="/articles/how-wars-end/how-it-lasts/"' in html


def test_the_seed_essay_keeps_its_paragraphs_and_headings(client):
    path = Path(settings.BASE_DIR) / "fixtures" / "essays" / "diplomacy-in-peacekeeping.md"
    document = read_file(path.read_text(encoding="utf-8"), path=str(path)).document
    published_role("Mediator", "intermediary", "intermediaries")
    published_task("Building institutions")
    for title in ("Negotiation", "Ceasefire", "Human rights", "Diplomacy"):
        published_concept(title)
    document.pop("published_at")
    published_article(**document)
    html = text_of(client.get("/articles/diplomacy-in-peacekeeping/"))
    assert re.findall(r'<p id="(p\d+)"', html) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    essay = html[html.index('<div class="essay"') : html.index('<aside class="rail"')]
    headings = re.findall(r"<h2 id=\"[^\"]+\">(.*?)</h2>", essay)
    assert [re.sub(r"\s*<a.*", "", heading) for heading in headings] == [
        "The Equilibrium Art: Diplomacy in Peacekeeping",
        "Diplomacy: The Pivot for Conflict Resolution and Post-Conflict Reconstruction",
        "The Role and Promise of Islamic Nations",
        "Conclusion",
    ]
    assert not any("concept" in heading for heading in headings)
    assert '<a class="concept" href="/roles/mediator/">' in html or 'href="/roles/mediator/"' in essay


# --- entries -------------------------------------------------------------------------------------


def test_a_role_quotes_the_sentence_that_mentions_it(client, library):
    html = text_of(client.get("/roles/mediator/"))
    assert '<a href="/articles/how-wars-end/#p2">' in html
    assert "The <mark>mediator</mark> calls both sides." in html
    assert 'href="/tasks/building-institutions/"' in html


def test_a_concept_shows_its_names_definition_and_relations(client, library):
    html = text_of(client.get("/concepts/ceasefire/"))
    assert "truce" in html
    assert 'lang="ar" dir="rtl">وقف إطلاق النار' in html
    assert "An agreed end to fighting." in html
    assert 'href="/concepts/peace-process/"' in html
    assert "Charter of the United Nations" in html


def test_an_entry_that_nothing_mentions_says_so(client):
    published_concept("Armistice")
    assert "No text mentions this concept yet." in text_of(client.get("/concepts/armistice/"))


def test_headings_named_as_parts_of_the_page_share_no_id_with_them(client):
    names = ["Contents", "Notes", "Main", "Cite", "Tags", "Sources", "Mentioned in", "Below", "On notes", "Q wide"]
    body = "\n\n".join(
        f"## {name}\n\nA line.[^{n}]\n\n### {name}\n\nMore.\n\n[^{n}]: A note." for n, name in enumerate(names)
    )
    written = {"source": body, "tags": ["peace"], "sources": [source("un-charter").slug]}
    published_article(title="Parts", **written)
    published_concept("Parts", **written)
    for address in ("/articles/parts/", "/articles/parts/notes/", "/articles/parts/contents/", "/concepts/parts/"):
        html = text_of(client.get(address))
        check_page(html, address)
        ids = set(re.findall(r'\sid="([^"]+)"', html))
        pointers = re.findall(r'(?:\shref="#|\sfor="|\saria-labelledby=")([^"]+)', html)
        assert set(pointers) - ids == set(), address


def test_an_arabic_page_carries_its_language_and_direction(client):
    published_article(title="الوساطة", slug="الوساطة", language="ar", source="## السلام\n\nنص قصير.")
    response = client.get("/articles/الوساطة/")
    assert response.status_code == 200
    assert '<div class="essay" lang="ar" dir="rtl">' in text_of(response)
    assert f"{settings.SITE_URL}/articles/الوساطة/?v=1</bdi>" in text_of(response)
    assert f'<link rel="canonical" href="{settings.SITE_URL}/articles/%D8' in text_of(response)
    assert client.get("/articles/الوساطة/السلام/").status_code == 200


# --- what stays hidden ---------------------------------------------------------------------------


def test_drafts_and_scheduled_pages_are_found_nowhere(client, library):
    draft_article(
        title="Secret draft", tags=["secret-tag", "mediation"], source=f"A ceasefire. The mediator. {LONG}zebra"
    )
    tomorrow = timezone.now() + timedelta(days=1)
    published_article(
        title="Secret plan",
        tags=["secret-tag", "mediation"],
        source="A ceasefire. The mediator. zebra",
        published_at=tomorrow,
    )
    for address in [*ADDRESSES, "/search/?q=zebra", "/search/?q=secret"]:
        html = text_of(client.get(address))
        assert "Secret draft" not in html
        assert "Secret plan" not in html
        assert "secret-tag" not in html
    for address in (
        "/articles/secret-draft/",
        "/articles/secret-plan/",
        "/articles/secret-plan/introduction/",
        "/tags/secret-tag/",
        "/tags/mediation+secret-tag/",
        "/search/?tag=secret-tag",
    ):
        assert client.get(address).status_code == 404
    assert 'mediation</bdi></a> <span class="count">2<' in text_of(client.get("/tags/"))


def test_a_source_is_public_while_a_public_text_cites_it(client):
    source("hidden-report", title="A report nobody knows of")
    source("known-report", title="A report that is read")
    draft_article(title="Draft", sources=["hidden-report", "known-report"])
    published_article(title="Plan", sources=["hidden-report"], published_at=timezone.now() + timedelta(days=1))
    page = published_article(title="Essay", sources=["hidden-report"])
    published_article(title="Public", sources=["known-report"])
    assert client.get("/sources/hidden-report/").status_code == 200
    publishing.withdraw(page, reason="The figures were wrong.")
    assert client.get("/sources/hidden-report/").status_code == 404
    listed = text_of(client.get("/sources/"))
    assert "A report nobody knows of" not in listed
    assert "A report that is read" in listed
    assert "cited in 1 text<" in listed


def test_a_former_address_leads_to_the_new_one(client, library):
    library.slug = "how-peace-begins"
    library.save()
    publishing.publish(library)
    response = client.get("/articles/how-wars-end/")
    assert (response.status_code, response["Location"]) == (301, "/articles/how-peace-begins/")
    response = client.get("/articles/how-wars-end/how-it-begins/")
    assert (response.status_code, response["Location"]) == (301, "/articles/how-peace-begins/how-it-begins/")


def test_a_withdrawn_page_says_since_when_and_why(client, library):
    publishing.withdraw(library, reason="The figures were wrong.")
    for address in ("/articles/how-wars-end/", "/articles/how-wars-end/how-it-begins/"):
        response = client.get(address)
        assert response.status_code == 410
        assert "This essay was withdrawn" in text_of(response)
        assert "The figures were wrong." in text_of(response)
        assert timezone.now().strftime("%Y") in text_of(response)
    assert "How wars end" not in text_of(client.get("/roles/mediator/"))
    assert "How wars end" not in text_of(client.get("/search/?q=wars"))


def test_a_page_withdrawn_before_its_date_was_never_public(client):
    page = published_article(title="Plan", published_at=datetime(2999, 1, 1, tzinfo=UTC))
    publishing.withdraw(page, reason="Not now.")
    assert client.get("/articles/plan/").status_code == 404


# --- tags ----------------------------------------------------------------------------------------


def test_both_and_either(client, library):
    both = text_of(client.get("/tags/mediation+ceasefire/"))
    assert "How wars end" in both
    assert ">Mediator<" not in both.split("<main", 1)[1].replace("<bdi>", ">")
    either = text_of(client.get("/tags/mediation,ceasefire/"))
    assert "How wars end" in either
    assert 'href="/roles/mediator/"' in either
    assert 'href="/tags/mediation+ceasefire/"' in either


def test_a_combination_without_a_text_tells_the_counts_of_each(client, library):
    html = text_of(client.get("/tags/mediation+reconstruction/"))
    assert "No text carries both “mediation” and “reconstruction”" in html
    assert "2 carry mediation" in html
    assert "1 carries reconstruction" in html
    assert "both: none" in text_of(client.get("/tags/mediation,reconstruction/"))


def test_narrowing_by_a_tag_never_leads_to_nothing(client, library):
    html = text_of(client.get("/tags/mediation/"))
    narrow = html[html.index('class="narrow-by"') :].split("</nav>")[0]
    tags = re.findall(r'href="(/tags/[^"?]+)"><bdi>.*?count">(\d+)<', narrow)
    assert tags == [("/tags/mediation+ceasefire/", "1")]


# --- search --------------------------------------------------------------------------------------


def test_a_result_opens_at_its_paragraph(client, library):
    html = text_of(client.get("/search/?q=xylophone+OR"))
    assert "Nothing found for “xylophone OR”" in html
    html = text_of(client.get("/search/?q=written&tag=mediation"))
    assert 'href="/articles/how-wars-end/#p2"' in html
    assert "<mark>written</mark>" in html


def test_the_entry_that_bears_the_name_comes_first(client, library):
    html = text_of(client.get("/search/?q=Truce"))
    box = html[html.index('class="definition-box"') :].split("</section>")[0]
    assert 'href="/concepts/ceasefire/"' in box
    assert "An agreed end to fighting." in box


def test_a_box_says_by_which_other_name_the_entry_was_found(client, library):
    def box(query: str) -> str:
        html = text_of(client.get("/search/", {"q": query}))
        return re.sub(r"<[^>]+>", "", html[html.index('class="definition-box"') :].split("</section>")[0])

    assert "also called “truce”\n" in box("Truce")
    assert "also called “وقف إطلاق النار” (Arabic)" in box("وقف إطلاق النار")
    assert "also called" not in box("ceasefire")


def parts_of(client, query: str, **more: str) -> dict[str, str]:
    """What was understood, each part with the address that takes it off."""
    html = text_of(client.get("/search/", {"q": query, **more}))
    box = html[html.index('id="understood"') :].split("</ul>")[0]
    found = re.findall(r'is-active" href="([^"]+)"><span class="hidden">Remove filter </span><bdi>([^<]+)</bdi>', box)
    return {label.replace("\u2068", "").replace("\u2069", ""): href.replace("&amp;", "&") for href, label in found}


def test_what_was_understood_is_shown_in_words_and_each_part_can_be_taken_off(client, library):
    typed = 'talks -war truce OR "peace process" mediat* title:wars tag:mediation -kind:task role:mediator after:2015'
    parts = parts_of(client, typed, lang="en")
    assert list(parts) == [
        "talks", "without war", "either truce or “peace process”", "words beginning with mediat",
        "wars in the title",
        "mediation", "without Task", "a mention of Mediator", "texts after 2015", "English"
    ]  # fmt: skip
    words = typed.split()
    for label, part in (("talks", "talks"), ("without war", "-war"), ("texts after 2015", "after:2015")):
        rest = " ".join(word for word in words if word != part)
        assert parts[label] == "/search/?" + urlencode({"q": rest, "lang": "en"}), label
    assert parts["English"] == "/search/?" + urlencode({"q": typed})


def test_lone_words_are_not_told_again(client, library):
    assert 'id="understood"' not in text_of(client.get("/search/?q=ceasefire"))
    assert list(parts_of(client, "ceasefire", kind="article")) == ["ceasefire", "Article"]


def test_a_filter_that_there_is_not_is_told_to_be_searched_as_words(client, library):
    html = text_of(client.get("/search/?q=tag:telephone+kind:ceasefire"))
    assert "There is no filter “tag:telephone”; “telephone” is searched as words." in html
    assert "There is no filter “kind:ceasefire”; “ceasefire” is searched as words." in html
    assert "There is no filter" not in text_of(client.get("/search/?q=tag:mediation+foo:bar"))


def test_choices_of_a_sort_that_is_typed_are_not_offered(client, library):
    published_article(title="Another one", tags=["mediation", "law"], published_at="2020-01-01")
    html = text_of(client.get("/search/?q=kind:article+tag:mediation"))
    narrow = html[html.index('class="narrow-by"') :].split("</nav>")[0]
    assert ">Kind<" not in narrow
    assert "<bdi>law</bdi>" in narrow
    assert "<bdi>mediation</bdi>" not in narrow


def test_a_name_in_any_language_finds_the_english_essay_and_says_by_which_names(client, library):
    html = text_of(client.get("/search/", {"q": "وقف اطلاق النار"}))
    assert 'href="/concepts/ceasefire/"' in html[html.index('class="definition-box"') :].split("</section>")[0]
    assert 'href="/articles/how-wars-end/#p1"' in html
    assert "A <mark>ceasefire</mark> opens the way to talks." in html
    assert "also searched: <bdi>Ceasefire</bdi>, <bdi>truce</bdi> ·" in html
    (alone,) = re.findall(r'href="([^"]+)">Search only the words typed', html)
    html = text_of(client.get(alone.replace("&amp;", "&")))
    assert "also searched" not in html
    assert "how-wars-end" not in html
    assert "only the words typed" in html
    assert client.get("/search/?q=a&only=names").status_code == 400


def test_a_search_costs_as_many_queries_among_many_texts_as_among_few(client, library):
    for place, asked in enumerate(("truce", "truce -war tag:mediation role:mediator title:ends after:2000")):
        address = "/search/?" + urlencode({"q": asked})
        published_article(title=f"It ends {place}", source="A truce by the mediator.", tags=["mediation"])
        with CaptureQueriesContext(connection) as few:
            client.get(address)
        for number in range(12):
            title = f"It ends {place} {number}"
            published_article(title=title, source="A truce by the mediator.", tags=["mediation", f"t{number}"])
            published_concept(f"Truce {place} {number}", "truce of a kind")
        with CaptureQueriesContext(connection) as many:
            assert b"results-grid" in client.get(address).content
        assert len(many) == len(few) < 20, asked


def test_a_text_shows_three_sections_and_tells_of_more(client):
    published_article(title="Many", source="\n\n".join(f"## Part {n}\n\nA zebra here." for n in range(5)))
    html = text_of(client.get("/search/?q=zebra"))
    assert html.count('class="snippet"') == 3
    assert "2 more in this text" in html
    assert "1 text<" in html


def test_choices_that_narrow_a_search_lead_to_as_many_texts_as_they_say(client, library):
    html = text_of(client.get("/search/?q=ceasefire"))
    narrow = html[html.index('class="narrow-by"') :].split("</nav>")[0]
    choices = re.findall(r'href="([^"]+)"><bdi>[^<]+</bdi> <span class="count">(\d+)<', narrow)
    assert choices
    for href, number in choices:
        found = text_of(client.get(href.replace("&amp;", "&")))
        assert re.search(r'<h2 id="results">(\d+) ', found)[1] == number


def test_a_snippet_is_escaped_before_it_is_marked():
    assert marked(f"<b>{OPEN}a&b{CLOSE}") == "&lt;b&gt;<mark>a&amp;b</mark>"


def test_a_long_definition_ends_at_a_word():
    assert shortened("One two three four", 9) == "One two …"
    assert shortened("First. Second.", 40) == "First."
    assert shortened("Short", 40) == "Short"


# --- bad addresses -------------------------------------------------------------------------------


BAD_ADDRESSES = [
    ("/articles/?page=abc", 404),
    ("/articles/?page=0", 404),
    ("/articles/?page=-1", 404),
    ("/articles/?page=2", 404),
    ("/articles/?page=99999999999999999999", 404),
    ("/articles/?page=%D9%A1", 404),
    ("/articles/?page=", 404),
    ("/tags/mediation/?page=9", 404),
    ("/search/?q=ceasefire&page=1e3", 404),
    ("/search/?q=ceasefire&page=7", 404),
    ("/search/?q=%00", 200),
    ("/search/?q=cease%00fire", 200),
    ("/search/?q=%ED%A0%80%FF", 200),
    ("/search/?q=" + "a" * 10_000, 200),
    ("/search/?q=" + "%25_" * 3_000, 200),
    ("/search/?q=" + "%22NEAR(%22%20*%20OR%20NOT%20AND", 200),
    ("/search/?q=ceasefire&tag=%00", 404),
    ("/search/?q=ceasefire&tag=unknown", 404),
    ("/search/?tag=mediation+ceasefire", 200),
    ("/search/?tag=a+b+c+d+e+f", 404),
    ("/search/?q=ceasefire&kind=planet", 400),
    ("/search/?q=ceasefire&phase=%00", 400),
    ("/search/?q=ceasefire&lang=tlh", 400),
    ("/phases/planet/", 404),
    ("/phases/%00/", 404),
    ("/tags/unknown/", 404),
    ("/tags/%00/", 404),
    ("/tags/mediation+%00/", 404),
    ("/tags/mediation+/", 404),
    ("/tags/+/", 404),
    ("/tags/,/", 404),
    ("/tags/mediation+ceasefire,peace/", 404),
    ("/tags/mediation+ceasefire+peace+reconstruction+a+b/", 404),
    ("/tags/mediation+mediation/", 301),
    ("/tags/ceasefire+mediation/", 200),
    ("/tags/" + "a" * 5_000 + "/", 404),
    ("/articles/%00/", 404),
    ("/articles/" + "a" * 5_000 + "/", 404),
    ("/articles/how-wars-end/unknown/", 404),
    ("/articles/how-wars-end/%00/", 404),
    ("/planets/earth/", 404),
    ("/concepts/?by=size", 404),
    ("/concepts/ceasefire/introduction/", 404),
    ("/sources/unknown/", 404),
    ("/nowhere/", 404),
    ("/articles/?page=%00", 404),
    ("/articles/?page=%ED%A0%80", 404),
    ("/articles/?page=" + "9" * 10_000, 404),
    ("/articles/?page=1&page=abc", 404),
    ("/articles/?page=abc&page=1", 200),
    ("/tags/mediation/?page=%FF", 404),
    ("/concepts/?by=%00", 404),
    ("/search/?q=a&q=%00", 200),
    ("/search/?q=%F0%9F%98%80%E2%80%AE", 200),
    ("/search/?q=ceasefire&kind=" + "a" * 10_000, 400),
    ("/search/?q=ceasefire&lang=%ED%A0%80", 400),
    ("/search/?q=ceasefire&tag=" + "a" * 10_000, 404),
    ("/search/?" + "&".join(f"a{number}=1" for number in range(5_000)), 400),
    ("/sources/%00/", 404),
    ("/sources/%ED%A0%80/", 404),
    ("/sources/un-charter%2F/", 404),
    ("/articles/how-wars-end%2Fhow-it-begins/", 200),
    ("/articles/../../etc/passwd/", 404),
    ("/articles/%2e%2e/", 404),
    ("/articles/..%5c/", 404),
    ("/phases/%ED%A0%80/", 404),
    ("/tags/%FF+%ED%A0%80/", 404),
    ("/tags/..%2F../", 404),
    ("/static/../../manage.py", 404),
    ("/static/%2e%2e/settings.py", 404),
    ("/static/%00", 404),
    ("/%0d%0aX-Injected:1/", 404),
]

BAD_REQUESTS = [
    {"HTTP_COOKIE": "sessionid=%00\x01; csrftoken=%00; messages=junk"},
    {"HTTP_COOKIE": "django_language=../../etc"},
    {"HTTP_COOKIE": "django_language=" + "a" * 10_000},
    {"HTTP_COOKIE": ";;;===;"},
    {"HTTP_ACCEPT_LANGUAGE": "de-" + "a-" * 800},
    {"HTTP_ACCEPT_LANGUAGE": "en;q=abc,,,*;q=9"},
    {"HTTP_RANGE": "bytes=99999999999999999999-"},
    {"HTTP_RANGE": "bytes=abc"},
    {"HTTP_IF_MODIFIED_SINCE": "Mon, 99 Foo 99999 99:99:99 GMT"},
    {"HTTP_IF_MODIFIED_SINCE": "Thu, 01 Jan 0000 00:00:00 GMT"},
    {"HTTP_IF_NONE_MATCH": '"x'},
    {"HTTP_X_FORWARDED_HOST": "evil.example"},
    {"HTTP_X_FORWARDED_FOR": "junk, \xff"},
    {"CONTENT_TYPE": ";;;;"},
]


def test_a_bad_address_is_refused_and_never_breaks(library):
    # The exception itself would pass through the test's client: let it answer as a reader's browser sees it.
    client = Client(raise_request_exception=False)
    for address, status in BAD_ADDRESSES:
        response = client.get(address)
        assert response.status_code == status, address[:80]
        if status == 404:
            assert "Page not found" in text_of(response), address[:80]
            assert "/phases/ceasefire/" in text_of(response), address[:80]


@pytest.mark.parametrize("headers", BAD_REQUESTS, ids=repr)
def test_a_header_nobody_understands_changes_nothing(headers, settings):
    settings.WHITENOISE_USE_FINDERS = True  # no file is collected for tests
    client = Client(raise_request_exception=False)
    for address in ("/", "/articles/", "/search/?q=a", "/healthz/", "/admin/login/"):
        assert client.get(address, **headers).status_code == 200, address
    file = client.get("/static/css/site.css", **headers)
    file.getvalue()  # a file is closed when it was read
    assert file.status_code in (200, 416)


@pytest.mark.parametrize("host", ["evil.example", "", "testserver:abc", "[::1", "a b", "*", "testserver,evil.example"])
def test_another_host_is_refused(host):
    for address in ("/", "/search/?q=a", "/admin/login/", "/nowhere"):
        response = Client(raise_request_exception=False).get(address, HTTP_HOST=host)
        assert response.status_code == 400, address


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_a_page_is_only_read(method):
    client = Client(raise_request_exception=False)
    for address in ("/", "/articles/", "/tags/", "/sources/", "/search/", "/healthz/", "/readyz/", "/articles/a/b/"):
        response = client.generic(method, address, "a=%00", content_type="application/x-www-form-urlencoded")
        assert response.status_code == 405, address
        assert response["Allow"] == "GET, HEAD"


def test_the_page_after_a_fault_asks_the_database_nothing(client, monkeypatch, django_assert_num_queries):
    def broken(kind):
        raise RuntimeError

    monkeypatch.setattr("peacekb.pages.views.entries.few_or_most_mentioned", broken)
    with django_assert_num_queries(0):
        response = Client(raise_request_exception=False).get("/")
    assert response.status_code == 500
    assert "The page could not be shown" in text_of(response)


def test_readiness_names_what_is_missing(client, monkeypatch):
    monkeypatch.setattr("peacekb.search.sqlite.problems", lambda: ["a trigger is missing"])
    monkeypatch.setattr("peacekb.search.postgresql.problems", lambda: ["a trigger is missing"])
    response = client.get("/readyz/")
    assert response.status_code == 503
    assert text_of(response) == "search index: a trigger is missing"


# --- what a page costs ---------------------------------------------------------------------------


def queries_of(client, address) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_an_article_costs_at_most_nine_queries_whatever_its_length(client, library):
    short = queries_of(client, "/articles/how-wars-end/")
    body = "\n\n".join(f"## Part {n}\n\nThe mediator and a ceasefire, {n}." for n in range(60))
    published_article(title="A long one", source=body, tags=["mediation", "peace"], sources=["un-charter"])
    assert queries_of(client, "/articles/a-long-one/") <= 9
    assert short <= 9


def test_a_page_costs_the_same_with_more_to_show(client, library):
    def publish_more(numbers: range) -> None:
        for number in numbers:
            published_article(
                title=f"Another {number}",
                source=f"{ESSAY}\n\nWith peace process {number}.",
                tags=["mediation", "ceasefire", f"tag-{number}"],
                sources=["un-charter"],
            )
            published_concept(f"Notion {number}", phases=["ceasefire"], broader=["ceasefire"], sources=["un-charter"])

    addresses = [address for address in ADDRESSES if address != "/search/?q=nowhere"]
    publish_more(range(2))  # so that there is something to choose from
    before = {address: queries_of(client, address) for address in addresses}
    publish_more(range(2, 8))
    assert {address: queries_of(client, address) for address in addresses} == before


def test_results_are_for_the_search_page_and_narrowed_lists_for_no_index(client, library):
    results = text_of(client.get("/search/?q=ceasefire"))
    assert '<link rel="canonical" href="http://127.0.0.1:8000/search/">' in results
    assert "noindex" not in results
    assert '<meta name="robots" content="noindex, follow">' in text_of(client.get("/search/?q=ceasefire&kind=article"))


def test_an_entry_costs_at_most_eight_queries(client, library):
    for address in ("/concepts/ceasefire/", "/tasks/building-institutions/", "/", "/tags/peace/"):
        assert queries_of(client, address) <= 8, address
    # What it does, who has played it, and their names.
    assert queries_of(client, "/roles/mediator/") <= 11


def test_where_nothing_is_found_the_nearest_entries_are_offered(client, library):
    html = text_of(client.get("/search/?q=ceasfire&only=words"))
    offered = html.partition('aria-labelledby="nothing"')[2].partition("</section>")[0]
    assert 'href="/concepts/ceasefire/"' in offered
    assert "/concepts/ceasefire/" not in text_of(client.get("/search/?q=zebra")).partition('"nothing"')[2]
    assert client.get("/search/?q=" + "a" * 900).status_code == 200
