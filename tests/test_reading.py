"""What helps with reading: previews of links, display settings, the reading face, and what all of it weighs."""

import gzip
import hashlib
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from peacekb import publishing
from peacekb.documents import write
from peacekb.pages import display
from peacekb.pages.display import Display, normalised
from peacekb.templatetags.peacekb import beginning

from .factories import draft_article, published_article, published_concept, published_role

pytestmark = pytest.mark.django_db

DEFINITION = "An agreed end to fighting. It has rules on lines, movement and monitoring, " + "and on much else, " * 20
ESSAY = "A ceasefire opens the way.[^1]\n\n## Later\n\nTalks follow.\n\n[^1]: Often by night."
STATIC = settings.BASE_DIR / "static"


def changed(**values: str) -> dict[str, str]:
    """Give a form of the display page with the defaults and some other values."""
    return {"theme": "system", "size": "100", "concepts": "on", "previews": "on", "keys": "on", **values}


# --- previews ----------------------------------------------------------------------------------------------------


def test_a_preview_is_the_beginning_of_an_entry_without_a_page_around_it(client, django_assert_num_queries):
    published_concept("Ceasefire", source=DEFINITION, phases=["ceasefire", "transition"])
    with django_assert_num_queries(2):
        answer = client.get("/preview/concept/ceasefire/")
    html = answer.content.decode()
    assert answer["X-Robots-Tag"] == "noindex"
    assert "<html" not in html
    assert '<p class="peek-title" lang="en" dir="ltr">Ceasefire</p>' in html
    assert "Concept · Ceasefire, Transition" in html
    assert '<a href="/concepts/ceasefire/">Read the full entry</a>' in html
    told = re.search(r'<p lang="en" dir="ltr">(.*)</p>', html)[1]
    assert told.startswith("An agreed end to fighting. It has rules on lines")
    assert told.endswith(" …")
    assert 200 < len(told) <= 242
    assert DEFINITION.startswith(told.removesuffix(" …"))


def test_a_text_is_shortened_between_words():
    assert beginning("one  two\nthree", 100) == "one two three"
    assert beginning("one two, three", 8) == "one two …"
    assert beginning("one two, three", 9) == "one two …"
    assert beginning("one two, three", 14) == "one two, three"


def test_what_is_in_a_name_or_a_definition_stays_text_in_a_preview(client):
    published_concept("A <b>bold</b> claim", slug="claim", source="Said with `<script>alert(1)</script>` & more.")
    html = client.get("/preview/concept/claim/").content.decode()
    assert "A &lt;b&gt;bold&lt;/b&gt; claim" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html
    assert "<script" not in html


def test_a_preview_speaks_the_language_of_its_entry_and_the_address_that_of_the_reader(client):
    published_concept("الوساطة", slug="mediation", source="طرف ثالث يساعد.", language="ar")
    html = client.get("/preview/concept/mediation/").content.decode()
    assert '<p lang="ar" dir="rtl">طرف ثالث يساعد.</p>' in html
    assert 'href="/fr/concepts/mediation/"' in client.get("/fr/preview/concept/mediation/").content.decode()


@pytest.mark.parametrize("address", ["/preview/concepts/ceasefire/", "/preview/concept/", "/preview/source/charter/"])
def test_what_is_no_kind_has_no_preview(client, address):
    assert client.get(address).status_code == 404


def test_drafts_scheduled_and_withdrawn_pages_have_no_preview(client, django_assert_max_num_queries):
    draft_article(title="Unseen")
    published_article(title="Later", published_at=timezone.now() + timedelta(days=3))
    gone = published_role("Gone")
    publishing.withdraw(gone, reason="Wrong.")
    for address, status in (("article/unseen", 404), ("article/later", 404), ("role/gone", 410), ("role/never", 404)):
        with django_assert_max_num_queries(3):
            answer = client.get(f"/preview/{address}/")
        assert answer.status_code == status, address
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer.content.decode() == "The preview could not be loaded"


def test_the_preview_of_a_renamed_page_leads_to_its_new_address(client, django_assert_max_num_queries):
    page = published_concept("Truce")
    write({"title": "Ceasefire", "slug": "ceasefire", "source": "An end."}, "concept", page)
    publishing.publish(page)
    with django_assert_max_num_queries(3):
        answer = client.get("/preview/concept/truce/")
    assert (answer.status_code, answer["Location"]) == (301, "/preview/concept/ceasefire/")
    assert answer["X-Robots-Tag"] == "noindex"


# --- what the script is given ------------------------------------------------------------------------------------


def test_pages_of_text_hand_the_script_the_citation_of_their_paragraphs(client):
    published_concept("Ceasefire")
    published_article(title="How wars end", source=ESSAY, authors=["Hala Haddad"])
    line = 'data-citation="Hala Haddad, “How wars end”, PeaceKB, version 1, '
    for address in ("/articles/how-wars-end/", "/articles/how-wars-end/later/"):
        html = client.get(address).content.decode()
        assert 'data-address="http://127.0.0.1:8000/articles/how-wars-end/?v=1"' in html
        assert line in html
        assert "para. {n}, http://127.0.0.1:8000/articles/how-wars-end/?v=1#p{n}" in html
        assert re.search(r'<script type="module" src="[^"]*js/reading[^"]*"></script>', html)
    html = client.get("/fr/articles/how-wars-end/").content.decode()
    assert 'data-preview="/fr/preview/concept/slug/"' in html
    assert 'data-address="http://127.0.0.1:8000/articles/how-wars-end/?v=1"' in html
    assert 'data-citation="“Ceasefire”, PeaceKB, version 1, ' in client.get("/concepts/ceasefire/").content.decode()


def test_an_old_version_hands_the_script_its_own_address(client):
    page = published_article(title="How wars end", source=ESSAY)
    write({"title": "How wars end", "slug": "how-wars-end", "source": "Otherwise."}, "article", page)
    publishing.publish(page)
    html = client.get("/articles/how-wars-end/?v=1").content.decode()
    assert 'data-address="http://127.0.0.1:8000/articles/how-wars-end/?v=1"' in html
    assert "data-citation" not in html


@pytest.mark.parametrize("address", ["/", "/articles/", "/search/", "/about/", "/tags/", "/display/", "/nowhere/"])
def test_pages_without_a_text_load_no_script_but_that_of_the_search(client, address):
    assert re.findall(r"<script[^>]*>", client.get(address).content.decode()) == [
        '<script type="module" src="/static/js/completing.js">'
    ]


# --- display settings --------------------------------------------------------------------------------------------


def test_what_a_reader_chooses_is_kept_in_one_cookie_and_shown(client):
    published_article(title="How wars end")
    form = client.get("/display/?next=/articles/how-wars-end/").content.decode()
    assert '<input type="hidden" name="next" value="/articles/how-wars-end/">' in form

    answer = client.post("/display/", changed(theme="dark", size="125", next="/articles/how-wars-end/"))
    assert (answer.status_code, answer["Location"]) == (302, "/articles/how-wars-end/")
    assert list(answer.cookies) == ["display"]
    cookie = answer.cookies["display"]
    assert cookie.value == "theme-dark.size-125"
    assert (cookie["max-age"], cookie["path"], cookie["samesite"]) == (31_536_000, "/", "Lax")
    assert (cookie["httponly"], cookie["secure"]) == (True, "")

    html = client.get("/articles/how-wars-end/").content.decode()
    assert '<html lang="en" dir="ltr" data-theme="dark" data-size="125">' in html
    form = client.get("/display/").content.decode()
    assert '<input type="radio" name="theme" value="dark" checked>' in form
    assert '<input type="radio" name="keys" value="on" checked>' in form


def test_the_cookie_is_secure_where_the_site_is(client, settings):
    settings.IS_HTTPS = True
    assert client.post("/display/", changed(keys="off")).cookies["display"]["secure"] is True


def test_the_cookie_goes_when_all_is_default_again(client):
    client.cookies["display"] = "keys-off"
    assert ' data-keys="off"' in client.get("/").content.decode()
    answer = client.post("/display/", changed())
    assert answer.cookies["display"]["max-age"] == 0
    assert answer.cookies["display"].value == ""


@pytest.mark.parametrize("address", ["/", "/display/", "/articles/", "/concepts/ceasefire/", "/search/?q=peace"])
def test_readers_get_no_cookie_by_reading(client, address):
    published_concept("Ceasefire")
    answer = client.get(address)
    assert not answer.cookies
    assert '<html lang="en" dir="ltr">' in answer.content.decode()
    # Whoever keeps pages for many readers has to know that they differ.
    assert "Cookie" in answer["Vary"]


def test_the_footer_leads_to_the_settings_and_back(client):
    assert 'href="/display/?next=/search/%3Fq%3Dpeace%26kind%3Dconcept"' in (
        client.get("/search/?q=peace&kind=concept").content.decode()
    )
    assert 'href="/display/" rel' in client.get("/display/?next=/about/").content.decode()


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        " //evil.example",
        "/\t/evil.example",
        "http:///evil.example",
        "",
    ],
)
def test_the_settings_lead_to_no_other_site(client, elsewhere):
    answer = client.post("/display/", changed(next=elsewhere))
    assert (answer.status_code, answer["Location"]) == (302, "/display/")
    assert 'name="next"' not in client.get("/display/", {"next": elsewhere}).content.decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 302),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 302),
        ({"Sec-Fetch-Site": "none"}, 302),
        ({"Origin": "http://testserver"}, 302),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_form_on_another_site_changes_nothing(headers, status):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/display/", changed(theme="dark"), headers=headers)
    assert answer.status_code == status
    assert ("display" in answer.cookies) == (status == 302)


def test_what_is_unknown_counts_as_default():
    assert normalised("") == Display()
    assert normalised("theme-dark") == Display(theme="dark")
    assert normalised("theme-neon.size-9000.shoes-on.theme.-.keys-off") == Display(keys="off")
    assert normalised('"><script>') == Display()
    assert normalised("x" * 5_000 + ".theme-dark") == Display()
    assert normalised("theme-system.size-100") == Display()


def test_every_choice_comes_back_from_its_cookie():
    everything = {name: list(known)[-1] for name, known in display.CHOICES.items()}
    chosen = Display.chosen(everything)
    assert dict(chosen.attributes) == everything
    assert normalised(chosen.written()) == chosen
    assert {chosen: 1}[normalised(chosen.written())] == 1
    assert Display().attributes == []


def test_a_form_without_sense_is_the_default(client):
    answer = client.post("/display/", {"theme": "neon", "size": "12", "previews": "<b>"})
    assert answer.cookies["display"].value == ""


def test_every_choice_has_an_effect_in_the_style_or_the_script():
    where = "".join((STATIC / name).read_text() for name in ("css/tokens.css", "css/site.css", "js/reading.js"))
    for name, known in display.CHOICES.items():
        for value in list(known)[1:]:
            assert f'[data-{name}="{value}"]' in where or f'display.{name} !== "{value}"' in where


# --- weight ------------------------------------------------------------------------------------------------------


def weight(name: str) -> int:
    """Give the bytes of a file as a browser loads it."""
    return len(gzip.compress((STATIC / name).read_bytes(), 9))


def test_the_script_is_light():
    assert weight("js/reading.js") <= 4_500


def faces() -> list[tuple[str, str, str]]:
    """Give the file, the letters and the whole rule of each face in the style."""
    css = (STATIC / "css/site.css").read_text()
    rules = re.findall(r"@font-face \{(.*?)\}", css, re.DOTALL)
    return [
        (re.search(r'url\("\.\./(.*?)"\)', rule)[1], re.search(r"unicode-range: (.*?);", rule)[1], rule)
        for rule in rules
    ]


def test_a_page_in_english_loads_65_kb_of_faces_at_most():
    latin = [file for file, letters, _rule in faces() if letters.startswith("U+0-FF")]
    assert len(latin) == 3
    assert sum((STATIC / file).stat().st_size for file in latin) <= 65_000
    assert all("font-display: optional" in rule for _file, _letters, rule in faces())


def test_the_faces_are_those_that_the_readme_names_with_their_licence():
    readme = (STATIC / "fonts/README.md").read_text()
    names = {file.removeprefix("fonts/") for file, _letters, _rule in faces()}
    assert names == {path.name for path in (STATIC / "fonts").glob("*.woff2")}
    for name in names:
        digest = hashlib.sha256((STATIC / "fonts" / name).read_bytes()).hexdigest()
        assert f"| `{name}` | `{digest}` |" in readme
        assert finders.find(f"fonts/{name}")
    assert "SIL OPEN FONT LICENSE Version 1.1" in (STATIC / "fonts/OFL.txt").read_text()
