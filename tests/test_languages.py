"""The interface in English, French and Arabic: addresses, links, what leaves the site, and the catalogues."""

import re
from html import unescape

import messages
import pytest
from babel.messages.mofile import read_mo
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import get_language, override

from peacekb.models import FormerSlug, Section
from peacekb.pages import phases
from peacekb.publishing import publish, recompose, withdraw

from .factories import published_article, published_concept, published_role, published_task, source

ESSAY = "/articles/how-wars-end/"
#: Every type of page, by its plain address.
PAGES = [
    "/",
    "/about/",
    "/display/",
    "/articles/",
    ESSAY,
    f"{ESSAY}a-ceasefire/",
    f"{ESSAY}history/",
    f"{ESSAY}cite/",
    f"{ESSAY}mentions/",
    "/concepts/",
    "/concepts/?by=phase",
    "/concepts/ceasefire/",
    "/concepts/ceasefire/mentions/",
    "/concepts/ceasefire/mentions/?sort=before",
    "/roles/mediator/",
    "/phases/ceasefire/",
    "/tags/",
    "/tags/peace/",
    "/tags/peace+talks/",
    "/tags/peace,talks/",
    "/sources/",
    "/sources/un-charter/",
    "/search/",
    "/search/?q=ceasefire",
    "/search/?q=nowhere",
]
#: Pages that are interface alone.
INTERFACE = ["/", "/about/", "/articles/", "/concepts/", "/phases/ceasefire/", "/tags/", "/tags/peace/", "/sources/"]
PROGRAMS = [
    "/feed/",
    "/tags/peace/feed/",
    "/concepts/ceasefire/feed/",
    "/concepts/ceasefire/mentions.csv",
    "/sitemap.xml",
    "/robots.txt",
    "/site.webmanifest",
    "/favicon.ico",
    "/healthz/",
    "/readyz/",
    "/admin/login/",
]


@pytest.fixture
def library(db):
    source("un-charter")
    published_concept("Ceasefire", "truce", tags=["peace"], sources=["un-charter"], phases=["ceasefire"])
    published_role("Mediator", summary="Who helps.")
    published_task("Drafting an agreement")
    return published_article(
        title="How wars end",
        summary="From guns to words.",
        source=(
            "A truce holds, says the [list](/sources/) and a note.[^1]\n\n## A ceasefire\n\nOne ceasefire.\n\n"
            "The mediator waits for [[drafting an agreement|drafts]].\n\n[^1]: See [the tag](/tags/peace/)."
        ),
        tags=["peace", "talks"],
        published_at="2026-03-01T03:04:05Z",
    )


@pytest.fixture
def arabic(library):
    return published_article(
        title="كيف تنتهي الحروب",
        slug="kayfa",
        language="ar",
        source="نص عربي.",
        translation_of="how-wars-end",
        published_at="2026-11-24T00:00:00Z",
    )


def html_of(client, address, status=200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    text: str = response.content.decode()
    return text


def links(html: str) -> list[str]:
    """The addresses of links that readers follow, but for those to other languages and to a place in the page."""
    found = re.findall(r"<a ([^>]*)>", html.partition("<body>")[2])
    addresses = [re.search(r'href="([^"]*)"', one) for one in found if "hreflang=" not in one]
    return [unescape(one[1]) for one in addresses if one and not one[1].startswith(("#", "?"))]


def switch(html: str) -> dict[str, str]:
    menu = html.partition('<nav class="languages"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]*)" lang="(..)" hreflang="(..)">([^<]+)</a>', menu)
    assert all(lang == hreflang for _address, lang, hreflang, _name in found)
    assert all(name == {"en": "English", "fr": "Français", "ar": "العربية"}[lang] for _a, lang, _h, name in found)
    return {lang: unescape(address) for address, lang, _hreflang, _name in found}


def head(html: str, pattern: str) -> list:
    return re.findall(pattern, html.partition("</head>")[0])


def canonical(html: str) -> list[str]:
    return head(html, r'<link rel="canonical" href="([^"]*)">')


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prefix", "language", "way"), [("", "en", "ltr"), ("/fr", "fr", "ltr"), ("/ar", "ar", "rtl")])
def test_every_page_speaks_the_language_of_its_address(client, library, prefix, language, way):
    for address in PAGES:
        response = client.get(prefix + address)
        assert response.status_code == 200, address
        assert response["Content-Language"] == language, address
        assert f'<html lang="{language}" dir="{way}"' in response.content.decode(), address


def test_no_header_and_no_cookie_changes_the_language(library):
    reader = Client(headers={"accept-language": "fr"})
    reader.cookies["django_language"] = "ar"
    for prefix, language in (("", "en"), ("/fr", "fr")):
        for address in (*PAGES, "/nowhere/"):
            response = reader.get(prefix + address)
            assert response["Content-Language"] == language, address
            assert "Accept-Language" not in response.get("Vary", ""), address
            assert not response.cookies, address


def test_a_page_in_another_language_leaves_no_language_behind(client, library):
    before = get_language()
    client.get("/ar/")
    assert get_language() == before


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/en/", "/en/articles/", "/de/", "/FR/", "/fr-ca/", "/fr/fr/", "/fr/ar/articles/"])
def test_no_page_has_two_addresses_in_one_language(client, address):
    assert client.get(address).status_code == 404


def test_what_programs_read_has_one_address_and_is_english(client, library):
    for address in PROGRAMS:
        response = client.get(address)
        assert response.status_code in (200, 302), address
        assert response["Content-Language"] == "en", address
        assert client.get(f"/fr{address}").status_code == 404, address


def test_a_page_that_moved_is_found_in_the_same_language(client, library):
    FormerSlug.objects.create(kind="article", slug="old", page=library)
    response = client.get("/fr/articles/old/")
    assert response.status_code == 301
    assert response["Location"] == f"/fr{ESSAY}"


# --- links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/fr", "/ar"])
def test_every_link_keeps_the_reader_in_the_language(client, library, prefix):
    for address in PAGES:
        html = html_of(client, prefix + address)
        own = [link for link in links(html) if not link.startswith("http")]
        assert own, address
        left = [link for link in own if not link.startswith(f"{prefix}/")]
        assert all(link.partition("?")[0].endswith("/mentions.csv") for link in left), (address, left)


def test_names_linked_by_the_base_and_by_an_author_lead_on_in_the_language(client, library):
    html = html_of(client, f"/fr{ESSAY}")
    for address in (
        "concepts/ceasefire/",
        "roles/mediator/",
        "tasks/drafting-an-agreement/",
        "sources/",
        "tags/peace/",
    ):
        assert f'href="/fr/{address}"' in html, address
        assert f'href="/{address}"' not in html, address


def test_only_links_to_pages_of_ours_are_led_on(client, library):
    published_article(
        title="Links",
        source=(
            "[feed](/feed/) [file](/static/x.png) [theirs](//example.org/articles/) [out](https://example.org/a/)\n\n"
            '[arabic](/ar/about/) [place](#p1) [odd](/about/?a=1&b=2#cite) [title](/tags/ \'a "href="/x/" b\')\n\n'
            '`<a href="/about/">`'
        ),
    )
    essay = html_of(client, "/fr/articles/links/").partition('class="essay"')[2].partition('class="essay-end"')[0]
    addresses = [unescape(one) for one in re.findall(r'<a [^>]*?href="([^"]*)"', essay)]
    assert addresses[:5] == ["/feed/", "/static/x.png", "//example.org/articles/", "https://example.org/a/", "#p1"]
    assert {"/ar/about/", "/fr/about/?a=1&b=2#cite", "/fr/tags/"} <= set(addresses)
    assert '&lt;a href="/about/"&gt;' in essay


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_what_is_stored_has_plain_addresses_whatever_language_is_spoken(client, library, language):
    before = list(Section.objects.order_by("pk").values_list("html", "notes_html"))
    with override(language):
        publish(library)
        recompose([library])
        published_concept("Armistice", source="Like a truce, in [[how wars end|an essay]].")
        published_article(title="Second", source="An armistice, a ceasefire, [[armistice]].")
    stored = "".join(html + notes for html, notes in Section.objects.values_list("html", "notes_html"))
    assert 'href="/concepts/armistice/"' in stored
    assert 'href="/articles/how-wars-end/"' in stored
    assert not re.search(r'href="/(fr|ar)/', stored)
    assert before == list(Section.objects.order_by("pk").values_list("html", "notes_html")[: len(before)])


def test_a_redirect_and_a_form_stay_in_the_language(client, library):
    assert client.get("/fr/about")["Location"] == "/fr/about/"
    assert 'action="/fr/search/"' in html_of(client, "/fr/")


# --- what leaves the site ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/fr", "/ar"])
def test_a_text_has_one_address_for_search_engines(client, library, prefix):
    for address in (ESSAY, "/concepts/ceasefire/", "/concepts/ceasefire/mentions/"):
        html = html_of(client, prefix + address)
        assert canonical(html) == [f"http://127.0.0.1:8000{address}"]
        assert not head(html, r'hreflang="([^"]*)"')
        assert f"8000{prefix}/" not in html.partition("</head>")[0] or not prefix
    assert canonical(html_of(client, f"{prefix}{ESSAY}a-ceasefire/")) == [f"http://127.0.0.1:8000{ESSAY}"]


@pytest.mark.parametrize("prefix", ["", "/fr", "/ar"])
def test_a_page_of_interface_has_an_address_in_each_language(client, library, prefix):
    for address in INTERFACE:
        html = html_of(client, prefix + address)
        assert canonical(html) == [f"http://127.0.0.1:8000{prefix}{address}"]
        assert head(html, r'hreflang="([^"]*)" href="http://127.0.0.1:8000([^"]*)"') == [
            ("en", address),
            ("fr", f"/fr{address}"),
            ("ar", f"/ar{address}"),
            ("x-default", address),
        ]
    assert head(html_of(client, "/fr/"), r'"og:locale" content="([^"]*)"') == ["fr_FR"]


def test_a_citation_has_the_plain_address_and_the_words_of_its_reader(client, library):
    html = html_of(client, f"/fr{ESSAY}cite/?p=2")
    assert "http://127.0.0.1:8000/articles/how-wars-end/?v=1#p2" in html
    assert "8000/fr/" not in html
    text = html_of(client, f"/fr{ESSAY}cite/?p=2&format=text")
    assert text == (
        "«\u00a0How wars end\u00a0», PeaceKB, version 1, 1er mars 2026, par. 2, "
        "http://127.0.0.1:8000/articles/how-wars-end/?v=1#p2\n"
    )


# --- the switch --------------------------------------------------------------------------------------------------


def test_the_switch_keeps_the_page_and_what_was_asked(client, library):
    asked = "/search/?q=ceasefire&kind=concept"
    assert switch(html_of(client, asked)) == {"fr": f"/fr{asked}", "ar": f"/ar{asked}"}
    assert switch(html_of(client, f"/fr{asked}")) == {"en": asked, "ar": f"/ar{asked}"}
    assert switch(html_of(client, f"/ar{ESSAY}")) == {"en": ESSAY, "fr": f"/fr{ESSAY}"}


def test_both_menus_offer_the_languages(client, library):
    assert html_of(client, "/").count('hreflang="ar">العربية</a>') == 2


def test_on_an_article_the_switch_leads_to_its_translation(client, arabic):
    for address in (ESSAY, f"{ESSAY}a-ceasefire/"):
        assert switch(html_of(client, address))["ar"] == "/ar/articles/kayfa/"
        assert switch(html_of(client, address))["fr"] == f"/fr{address}"
    assert switch(html_of(client, "/ar/articles/kayfa/")) == {"en": ESSAY, "fr": "/fr/articles/kayfa/"}


def test_the_switch_never_leads_to_another_host(client, db):
    html = html_of(client, "/ar//example.org/", status=404)
    assert switch(html) == {"en": "/example.org/", "fr": "/fr/example.org/"}


# --- the language of a text --------------------------------------------------------------------------------------


def test_a_text_in_another_language_says_so_once(client, library):
    said = "Pas encore disponible en français · Vous lisez le texte anglais."
    for address in (ESSAY, f"{ESSAY}a-ceasefire/", "/concepts/ceasefire/"):
        assert re.sub(r"\s+", " ", html_of(client, f"/fr{address}")).count(said) == 1
        assert "You are reading" not in html_of(client, address)


def test_a_translation_is_offered_where_there_is_one(client, arabic):
    html = html_of(client, f"/ar{ESSAY}")
    assert '<a href="/ar/articles/kayfa/">القراءة بالعربية</a>' in html
    assert "غير متاح بالعربية بعد" not in html
    assert f'<a href="{ESSAY}">Read in English</a> · You are reading the Arabic text.' in html_of(
        client, "/articles/kayfa/"
    )
    assert "text-language" not in html_of(client, "/ar/articles/kayfa/")
    assert "Pas encore disponible en français · Vous lisez le texte arabe." in html_of(client, "/fr/articles/kayfa/")


def test_a_search_offers_the_texts_in_the_language_where_it_finds_some(client, arabic):
    offer = '<a href="/ar/search/?q=%D8%B9%D8%B1%D8%A8%D9%8A&amp;lang=ar">النصوص العربية وحدها (1)</a>'
    published_article(title="Quoting", source="They wrote عربي here.")
    assert offer in html_of(client, "/ar/search/?q=عربي")
    assert "seulement les textes" not in html_of(client, "/fr/search/?q=عربي").lower()
    assert "Only the texts" not in html_of(client, "/search/?q=عربي")


def test_titles_in_other_languages_say_which(client, arabic):
    assert 'lang="ar"><bdi>كيف تنتهي الحروب</bdi>' in html_of(client, "/fr/articles/")
    assert 'lang="en"><bdi>How wars end</bdi>' in html_of(client, "/ar/articles/")


def test_dates_and_numbers_are_those_of_the_language(client, arabic):
    assert "24 تشرين الثاني/نوفمبر 2026" in html_of(client, "/ar/articles/kayfa/")
    assert ">1er mars 2026<" in html_of(client, f"/fr{ESSAY}")
    assert "دقيقة واحدة" in html_of(client, f"/ar{ESSAY}")
    assert "2\u00a0articles" in html_of(client, "/fr/") or "1\u00a0article" in html_of(client, "/fr/")


# --- errors ------------------------------------------------------------------------------------------------------


def test_errors_speak_the_language_of_the_address(client, library):
    assert "<h1>Page introuvable</h1>" in html_of(client, "/fr/nowhere/", status=404)
    assert "<h1>الصفحة غير موجودة</h1>" in html_of(client, f"/ar{ESSAY}nowhere/", status=404)
    assert "<h1>Page not found</h1>" in html_of(client, "/nowhere/", status=404)
    assert "<h1>Cette adresse demande quelque chose" in html_of(client, "/fr/search/?kind=x", status=400)
    withdraw(library, reason="Outdated.")
    gone = html_of(client, f"/fr{ESSAY}", status=410)
    assert re.search(r"<h1>\s*Cet essai a été retiré\s*</h1>", gone)
    assert f'href="/fr{ESSAY}history/"' in gone


@pytest.mark.django_db
def test_a_fault_speaks_the_language_of_the_address(monkeypatch):
    def fail():
        raise RuntimeError("A fault.")

    monkeypatch.setattr(phases, "line_with_counts", fail)
    reader = Client(raise_request_exception=False)
    html = html_of(reader, "/fr/", status=500)
    assert '<html lang="fr" dir="ltr">' in html
    assert "La page n’a pas pu être affichée" in html
    assert '<a href="/fr/">Accueil</a>' in html


# --- cost --------------------------------------------------------------------------------------------------------


def test_another_language_costs_no_more_queries(client, arabic):
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        return len(asked)

    for address in PAGES:
        assert queries(f"/ar{address}") <= queries(address), address


# --- catalogues --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=messages.LANGUAGES)
def known(request):
    return messages.catalogue(request.param)


@pytest.fixture(scope="module")
def texts():
    return messages.collected()


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|%[sd]", text))


def test_a_catalogue_holds_every_text_that_readers_see_and_no_other(known, texts):
    assert {(one.context, one.id) for one in known} == {(one.context, one.id) for one in texts}, "Run make messages."


def test_every_text_is_translated(known):
    assert [one.id for one in messages.untranslated(known)] == []


def test_a_translation_has_the_placeholders_of_its_text(known):
    for one in known:
        if isinstance(one.id, tuple):
            *few, last = messages.forms(one)
            wanted = placeholders(one.id[1])
            assert placeholders(last) == wanted, one.id
            # "One minute" may be said without its number.
            assert all(placeholders(form) | {"%(number)s"} >= wanted for form in few), one.id
            assert all(placeholders(form) <= wanted for form in few), one.id
        elif one.id:
            assert placeholders(one.string) == placeholders(one.id), one.id


def test_a_translation_has_the_elements_of_its_text(known):
    for one in known:
        if one.id and not isinstance(one.id, tuple):
            assert re.findall(r"</?\w+", one.string) == re.findall(r"</?\w+", one.id), one.id


def test_what_django_reads_is_what_was_translated(known):
    with (messages.LOCALES / str(known.locale) / "LC_MESSAGES" / "django.mo").open("rb") as file:
        kept = read_mo(file)

    def told(texts) -> dict:
        return {key(one): messages.forms(one) for one in texts if one.id}

    def key(one) -> tuple:
        context = one.context.decode() if isinstance(one.context, bytes) else one.context  # Babel leaves it as it is
        return (context, *([one.id] if isinstance(one.id, str) else one.id))

    assert told(kept) == told(known), "Run make messages."


def test_french_signs_stand_behind_a_space_that_does_not_break():
    for one in messages.catalogue("fr"):
        for text in messages.forms(one) if one.id else ():
            assert not re.search(r"(?<![\u00a0\u202f\d/(])[:;?!»](?!\w*=)(?=[\s.,)]|$)|« | »", text), text
            assert "!" not in text, text
            assert "'" not in text, text


def test_arabic_is_written_in_arabic_letters_and_latin_digits():
    for one in messages.catalogue("ar"):
        for text in messages.forms(one) if one.id else ():
            assert not re.search(r"[\u0660-\u0669\u06f0-\u06f9]", text), text
            assert not re.search(r"[\u0600-\u06ff][,;?]", text), text


@pytest.fixture
def cessation(library):
    french = {"text": "cessation des hostilités", "language": "fr", "kind": "pref"}
    arabic = {"text": "وقف الأعمال العدائية", "language": "ar", "kind": "pref"}
    return published_concept(
        "Cessation of hostilities",
        label_rows=[french, arabic],
        broader=["ceasefire"],
        phases=["ceasefire"],
        tags=["peace"],
        source="A pause. A ceasefire may follow.",
    )


def test_an_entry_bears_its_name_in_the_language_of_the_reader(client, cessation):
    html = html_of(client, "/fr/concepts/cessation-of-hostilities/")
    assert '<h1 lang="fr" dir="ltr">Cessation des hostilités</h1>' in html
    assert "<title>Cessation des hostilités · PeaceKB</title>" in html
    assert "Cessation of hostilities" in html.partition('class="facts"')[2].partition("</ul>")[0]
    html = html_of(client, "/ar/concepts/cessation-of-hostilities/")
    assert '<h1 lang="ar" dir="rtl">وقف الأعمال العدائية</h1>' in html
    assert '<h1 lang="en" dir="ltr">Cessation of hostilities</h1>' in html_of(
        client, "/concepts/cessation-of-hostilities/"
    )


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/concepts/",
        "/concepts/?by=phase",
        "/concepts/ceasefire/",
        "/phases/ceasefire/",
        "/tags/peace/",
        "/preview/concept/cessation-of-hostilities/",
        "/search/?q=cessation+des+hostilités",
    ],
)
def test_lists_have_the_names_of_entries_in_the_language_of_the_reader(client, cessation, address):
    assert re.search(r'lang="fr"[^>]*>(<bdi>)?Cessation des hostilités', html_of(client, f"/fr{address}")), address


def test_an_entry_without_a_name_in_the_language_keeps_its_title(client, library):
    assert '<h1 lang="en" dir="ltr">Ceasefire</h1>' in html_of(client, "/fr/concepts/ceasefire/")


def test_names_cost_no_query_of_their_own(client, cessation):
    for address in ("/concepts/", "/concepts/ceasefire/", "/"):
        costs = []
        for prefix in ("", "/ar"):
            with CaptureQueriesContext(connection) as queries:
                client.get(f"{prefix}{address}")
            costs.append(len(queries))
        assert costs[0] == costs[1], address


def test_the_definition_box_does_not_tell_the_name_that_it_bears(client, cessation):
    box = html_of(client, "/fr/search/?q=cessation+des+hostilités").partition('class="definition-box"')[2]
    assert "autre nom" not in box.partition("</section>")[0]
    box = html_of(client, "/search/?q=cessation+des+hostilités").partition('class="definition-box"')[2]
    assert "also called" in box.partition("</section>")[0]
