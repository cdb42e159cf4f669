"""What other programs read: heads of pages, feeds, sitemaps, icons."""

import json
import re
import struct
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from peacekb import publishing
from peacekb.models import FormerSlug, Kind
from peacekb.pages import feeds, sharing, sitemaps

from .factories import draft_article, published, published_article, published_concept, published_role, source

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FEEDS = ["/feed/", "/tags/peace/feed/", "/concepts/ceasefire/feed/"]
MAPS = ["/sitemap.xml", "/sitemap-articles.xml", "/sitemap-tags.xml", "/sitemap-sources.xml", "/sitemap-site.xml"]


@pytest.fixture
def library():
    source("un-charter")
    published_concept(
        "Ceasefire", "truce", tags=["peace"], sources=["un-charter"], source="An agreed end. Of fighting."
    )
    published_role("Mediator", summary="Who helps.")
    published_article(
        title="How wars end",
        summary="From guns to words.",
        authors=["A. Author", "Second, B."],
        source="A truce holds.\n\n## A ceasefire\n\nOne ceasefire, and a ceasefire more.\n\nThe mediator waits.",
        tags=["peace", "talks"],
        published_at="2026-01-02T03:04:05Z",
    )


def text_of(response) -> str:
    text: str = response.content.decode()
    return text


def head_of(client, address) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return text_of(response).partition("</head>")[0]


def metas(head: str, name: str) -> list[str]:
    return [unescape(value) for value in re.findall(rf'<meta (?:name|property)="{name}" content="([^"]*)">', head)]


def graph(head: str) -> dict[str, dict]:
    data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', head, re.DOTALL)
    assert len(data) == 1
    read = json.loads(data[0])
    assert read["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in read["@graph"]}


def feed(client, address) -> ET.Element:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(response.content)


def titles(root: ET.Element) -> list[str | None]:
    return [entry.findtext(f"{ATOM}title") for entry in root.findall(f"{ATOM}entry")]


def places(client, address) -> list[str]:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/xml")
    return [loc.text or "" for loc in ET.fromstring(response.content).iter(f"{MAP}loc")]


def change(page, **values) -> None:
    page.refresh_from_db()
    for name, value in values.items():
        setattr(page, name, value)
    page.save()
    publishing.publish(page)


# --- heads -------------------------------------------------------------------------------------------------------


def test_an_article_tells_its_title_summary_dates_and_picture(client, library):
    head = head_of(client, "/articles/how-wars-end/")
    address = f"{settings.SITE_URL}/articles/how-wars-end/"
    assert f'<link rel="canonical" href="{address}">' in head
    assert metas(head, "description") == metas(head, "og:description") == ["From guns to words."]
    assert metas(head, "og:title") == ["How wars end"]
    assert metas(head, "og:type") == ["article"]
    assert metas(head, "og:url") == [address]
    assert metas(head, "og:locale") == ["en_GB"]
    assert metas(head, "twitter:card") == ["summary"]
    assert metas(head, "article:published_time") == ["2026-01-02T03:04:05+00:00"]
    assert metas(head, "article:modified_time") == ["2026-01-02T03:04:05+00:00"]
    assert metas(head, "og:image") == [f"{settings.SITE_URL}/static/img/share-article.png"]


def test_the_modified_time_is_that_of_the_last_version(client, library):
    page = published_article(title="Revised", published_at="2026-01-02T00:00:00Z")
    before = timezone.now()
    change(page, source="Other words.")
    modified = parse_datetime(metas(head_of(client, "/articles/revised/"), "article:modified_time")[0])
    assert before - timedelta(seconds=1) <= modified <= timezone.now()


def test_programs_that_keep_references_find_an_article(client, library):
    head = head_of(client, "/articles/how-wars-end/")
    assert metas(head, "citation_title") == ["How wars end"]
    assert metas(head, "citation_author") == ["A. Author", "Second, B."]
    assert metas(head, "citation_publication_date") == ["2026/01/02"]
    assert metas(head, "citation_language") == ["en"]
    assert metas(head, "citation_keywords") == ["peace", "talks"]
    assert metas(head, "citation_fulltext_html_url") == [f"{settings.SITE_URL}/articles/how-wars-end/"]
    assert "citation_" not in head_of(client, "/concepts/ceasefire/")


def test_an_article_says_in_json_ld_what_it_is_and_where_it_stands(client, library):
    things = graph(head_of(client, "/articles/how-wars-end/"))
    article = things["Article"]
    assert article["headline"] == "How wars end"
    assert article["description"] == "From guns to words."
    assert [author["name"] for author in article["author"]] == ["A. Author", "Second, B."]
    assert article["datePublished"] == "2026-01-02T03:04:05+00:00"
    assert {"@type": "DefinedTerm", "@id": f"{settings.SITE_URL}/concepts/ceasefire/#term", "name": "Ceasefire"} in (
        article["about"]
    )
    steps = things["BreadcrumbList"]["itemListElement"]
    assert [(step["position"], step["name"]) for step in steps] == [(1, "Home"), (2, "Articles"), (3, "How wars end")]
    assert [step["item"].removeprefix(settings.SITE_URL) for step in steps] == [
        "/",
        "/articles/",
        "/articles/how-wars-end/",
    ]


def test_a_text_without_authors_is_the_site_s(client):
    published_article(title="Unsigned")
    assert graph(head_of(client, "/articles/unsigned/"))["Article"]["author"]["name"] == "PeaceKB"


@pytest.mark.parametrize("kind", [Kind.CONCEPT, Kind.ROLE, Kind.TASK])
def test_an_entry_is_a_defined_term_with_its_names(client, kind):
    labels = [{"text": "brokering"}, {"text": "الوساطة", "language": "ar", "kind": "pref"}]
    published(kind, title="Mediation", slug="mediation", labels=labels, source="Help with talks. It is old.")
    head = head_of(client, f"/{kind}s/mediation/")
    term = graph(head)["DefinedTerm"]
    assert term["name"] == "Mediation"
    assert term["description"] == "Help with talks. It is old."
    assert term["alternateName"] == ["brokering", {"@value": "الوساطة", "@language": "ar"}]
    assert term["inDefinedTermSet"]["@id"] == f"{settings.SITE_URL}/{kind}s/"
    assert metas(head, "description") == ["Help with talks."]
    assert metas(head, "og:image") == [f"{settings.SITE_URL}/static/img/share-{kind}.png"]


def test_a_section_is_shared_as_part_of_its_article(client, library):
    head = head_of(client, "/articles/how-wars-end/a-ceasefire/")
    assert metas(head, "og:url") == [f"{settings.SITE_URL}/articles/how-wars-end/"]
    assert metas(head, "og:title") == ["A ceasefire · How wars end"]
    steps = graph(head)["BreadcrumbList"]["itemListElement"]
    assert steps[-1]["name"] == "A ceasefire"
    assert steps[-1]["item"] == f"{settings.SITE_URL}/articles/how-wars-end/a-ceasefire/"


@pytest.mark.parametrize(
    "address", ["/", "/articles/", "/tags/peace/", "/concepts/", "/phases/ceasefire/", "/sources/"]
)
def test_every_list_can_be_shared(client, library, address):
    head = head_of(client, address)
    assert metas(head, "og:url") == [f"{settings.SITE_URL}{address}"]
    assert metas(head, "og:type") == ["website"]
    assert metas(head, "og:image") == [f"{settings.SITE_URL}/static/img/share-site.png"]
    assert unescape(head.partition("<title>")[2].partition("</title>")[0]) == f"{metas(head, 'og:title')[0]} · PeaceKB"


@pytest.mark.parametrize(
    "address", ["/search/?q=ceasefire&kind=concept", "/articles/how-wars-end/history/", "/nowhere/"]
)
def test_what_is_not_to_be_found_has_nothing_to_share(client, library, address):
    shown = text_of(client.get(address))
    assert metas(shown, "robots")[0].startswith("noindex")
    assert "og:" not in shown
    assert 'rel="canonical"' not in shown


def test_an_old_version_is_not_shared_in_place_of_the_current_one(client, library):
    page = published_article(title="Revised", source="Old words.")
    change(page, source="New words.")
    head = head_of(client, "/articles/revised/?v=1")
    assert metas(head, "robots") == ["noindex"]
    assert "og:" not in head
    assert metas(head_of(client, "/articles/revised/?v=2"), "og:url") == [f"{settings.SITE_URL}/articles/revised/"]


def test_data_in_a_head_cannot_end_its_element_or_open_a_comment(client):
    title = "</script><!-- <script>alert('x')</script> & وقف"
    published_article(title=title, slug="trap", summary=title, tags=["<b>"], authors=[title])
    head = head_of(client, "/articles/trap/")
    assert graph(head)["Article"]["headline"] == title
    data = head.partition("ld+json")[2].partition("</script>")[0].partition(">")[2]
    assert not set(data) & set("<>&")
    assert "وقف" in data
    assert "alert('x')</script>" not in head
    assert metas(head, "og:title") == metas(head, "citation_author") == [title]
    assert sharing.written({"ends": "\u2028\u2029"}) == r'{"ends": "\u2028\u2029"}'


def test_translations_name_each_other_and_the_original_for_everybody_else(client):
    published_article(title="Mediation", slug="mediation")
    published_article(title="Médiation", slug="mediation-fr", language="fr", translation_of="mediation")
    published_article(title="الوساطة", slug="الوساطة", language="ar", translation_of="mediation")
    page = draft_article(title="Second", slug="second", language="fr", translation_of="mediation")
    arabic = "/articles/%D8%A7%D9%84%D9%88%D8%B3%D8%A7%D8%B7%D8%A9/"
    expected = [
        ("ar", f"{settings.SITE_URL}{arabic}"),
        ("en", f"{settings.SITE_URL}/articles/mediation/"),
        ("fr", f"{settings.SITE_URL}/articles/mediation-fr/"),
        ("x-default", f"{settings.SITE_URL}/articles/mediation/"),
    ]
    for address in ("/articles/mediation/", "/articles/mediation-fr/", arabic):
        head = head_of(client, address)
        assert re.findall(r'hreflang="([^"]*)" href="([^"]*)"', head) == expected
    assert metas(head, "og:locale") == ["ar_AR"]
    assert metas(head, "og:locale:alternate") == ["en_GB", "fr_FR"]
    assert graph(head)["Article"]["translationOfWork"][0]["@id"] == expected[1][1]
    assert page.slug not in head


def test_a_text_in_one_language_names_no_others(client, library):
    draft_article(title="Brouillon", language="fr", translation_of="how-wars-end")
    assert "hreflang" not in head_of(client, "/articles/how-wars-end/")


def test_addresses_do_not_come_from_the_host_of_a_request(library, settings):
    settings.ALLOWED_HOSTS = ["other.example"]
    client = Client(headers={"host": "other.example"})
    addresses = [
        "/",
        "/articles/how-wars-end/",
        "/site.webmanifest",
        "/robots.txt",
        "/sitemap-concepts.xml",
        *FEEDS,
        *MAPS,
    ]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        assert "other.example" not in text_of(response), address


# --- feeds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*FEEDS, "/tags/peace+talks/feed/", "/roles/mediator/feed/"])
def test_a_feed_has_what_atom_requires(client, library, address):
    root = feed(client, address)
    assert root.tag == f"{ATOM}feed"
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links["self"] == f"{settings.SITE_URL}{address}"
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "PeaceKB"
    ids = []
    for part in (root, *root.findall(f"{ATOM}entry")):
        one_each = [part.findall(f"{ATOM}{name}") for name in ("id", "title", "updated")]
        assert [len(found) for found in one_each] == [1, 1, 1]
        identity, title, updated = (found[0].text for found in one_each)
        assert urlsplit(identity).scheme in ("http", "urn")
        assert title
        assert parse_datetime(updated or "").tzinfo
        assert part.find(f"{ATOM}link[@rel='alternate']").get("href").startswith(f"{settings.SITE_URL}/")
        ids.append(identity)
    assert len(ids) == len(set(ids)) > 1


def test_the_feed_begins_with_the_text_last_changed(client, library):
    published_article(title="Newest", published_at=timezone.now() - timedelta(hours=1))
    old = published_article(title="Old", published_at="2020-01-01T00:00:00Z")
    assert titles(feed(client, "/feed/"))[-1] == "Old"
    before = feed(client, "/feed/").findall(f"{ATOM}entry")[-1]
    change(old, source="New words.")
    after = feed(client, "/feed/").findall(f"{ATOM}entry")[0]
    assert after.findtext(f"{ATOM}title") == "Old"
    assert after.findtext(f"{ATOM}id") == before.findtext(f"{ATOM}id")
    assert after.findtext(f"{ATOM}published") == before.findtext(f"{ATOM}published")
    assert after.findtext(f"{ATOM}updated") > before.findtext(f"{ATOM}updated")


def test_an_entry_of_the_feed_names_authors_language_kind_and_tags(client, library):
    published_article(title="الوساطة", slug="wasata", language="ar", authors=["ا. ب."], tags=["talks"])
    entry = next(
        one for one in feed(client, "/feed/").findall(f"{ATOM}entry") if one.findtext(f"{ATOM}title") == "الوساطة"
    )
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "ar"
    assert [name.text for name in entry.findall(f"{ATOM}author/{ATOM}name")] == ["ا. ب."]
    assert [one.get("term") for one in entry.findall(f"{ATOM}category")] == ["Article", "talks"]


def test_a_feed_of_tags_holds_the_texts_that_carry_them(client, library):
    assert set(titles(feed(client, "/tags/peace/feed/"))) == {"Ceasefire", "How wars end"}
    assert titles(feed(client, "/tags/peace+talks/feed/")) == ["How wars end"]
    assert '<link rel="alternate" type="application/atom+xml" href="/tags/peace/feed/"' in head_of(
        client, "/tags/peace/"
    )


def test_a_feed_of_mentions_leads_to_each_sentence_once(client, library):
    entries = feed(client, "/concepts/ceasefire/feed/").findall(f"{ATOM}entry")
    found = [(entry.findtext(f"{ATOM}summary"), entry.find(f"{ATOM}link").get("href")) for entry in entries]
    address = f"{settings.SITE_URL}/articles/how-wars-end/"
    assert found == [
        ("A <mark>truce</mark> holds.", f"{address}#p1"),
        ("One <mark>ceasefire</mark>, and a ceasefire more.", f"{address}#p2"),
    ]
    assert entries[0].findtext(f"{ATOM}title") == "How wars end, para. 1"
    assert 'href="/concepts/ceasefire/feed/"' in head_of(client, "/concepts/ceasefire/")


def test_a_sentence_that_moves_keeps_its_id_and_a_new_one_gets_its_own(client):
    published_concept("Ceasefire")
    essay = published_article(title="Essay", source="A ceasefire holds.")
    before = feed(client, "/concepts/ceasefire/feed/").find(f"{ATOM}entry")
    change(essay, source="First words.\n\nA ceasefire holds.\n\nAnother ceasefire.")
    after = feed(client, "/concepts/ceasefire/feed/").findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in after] == ["Essay, para. 2", "Essay, para. 3"]
    assert after[0].findtext(f"{ATOM}id") == before.findtext(f"{ATOM}id")
    assert after[1].findtext(f"{ATOM}id") != before.findtext(f"{ATOM}id")


def test_no_feed_is_longer_than_its_limit(client, monkeypatch):
    monkeypatch.setattr(feeds, "ENTRIES", 3)
    published_concept("Ceasefire")
    for number in range(3):
        published_article(title=f"Essay {number}", source="\n\n".join(f"Ceasefire {n}." for n in range(5)))
    assert len(titles(feed(client, "/feed/"))) == 3
    assert len(titles(feed(client, "/concepts/ceasefire/feed/"))) == 3


def test_an_empty_feed_is_valid_and_the_same_each_time(client):
    published_concept("Ceasefire")
    for address in ("/concepts/ceasefire/feed/", "/feed/"):
        first = client.get(address)
        assert ET.fromstring(first.content).findtext(f"{ATOM}updated")
        assert client.get(address).content == first.content


def test_markup_and_control_characters_do_not_break_a_feed(client):
    published_concept("Ceasefire")
    published_article(
        title="<b>\x1b\ufffe & ]]>",
        slug="trap",
        authors=["A\x08B"],
        tags=["x\x07y"],
        source="A <ceasefire> & so.",
    )
    for address in ("/feed/", "/concepts/ceasefire/feed/", "/articles/trap/feed/"):
        root = feed(client, address)
    assert "<b> & ]]>" in titles(feed(client, "/feed/"))
    summaries = [one.text or "" for one in feed(client, "/concepts/ceasefire/feed/").iter(f"{ATOM}summary")]
    assert summaries == ["A &lt;<mark>ceasefire</mark>&gt; &amp; so."]
    assert root.tag == f"{ATOM}feed"


@pytest.mark.parametrize("address", [*FEEDS, *MAPS, "/sitemap-concepts.xml"])
def test_who_has_the_same_bytes_is_told_so(client, library, address):
    first = client.get(address)
    again = client.get(address, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert not again.content
    assert "Last-Modified" not in first


def test_a_withdrawn_text_changes_a_feed_although_no_date_changes(client, library):
    page = published_article(title="Gone soon", published_at="2020-01-01T00:00:00Z")
    first = client.get("/feed/")
    publishing.withdraw(page, reason="An error.")
    headers = {"if-none-match": first["ETag"], "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    second = client.get("/feed/", headers=headers)
    assert second.status_code == 200
    assert "Gone soon" not in text_of(second)


def test_a_feed_of_a_renamed_page_moves_with_it(client, library):
    page = published_concept("New name")
    FormerSlug.objects.create(kind=Kind.CONCEPT, slug="old-name", page=page)
    response = client.get("/concepts/old-name/feed/")
    assert response.status_code == 301
    assert response["Location"] == "/concepts/new-name/feed/"


def test_a_section_cannot_take_the_address_of_a_feed(client):
    published_article(title="Essay", source="Words.\n\n## Feed\n\nMore.")
    assert client.get("/articles/essay/feed-section/").status_code == 200
    assert client.get("/articles/essay/feed/")["Content-Type"].startswith("application/atom+xml")


@pytest.mark.parametrize(
    "address",
    [
        "/tags/nothing/feed/",
        "/tags/peace+a,b/feed/",
        "/concepts/nothing/feed/",
        "/notions/ceasefire/feed/",
        "/sitemap-nothing.xml",
        "/sitemap-roles.xml?p=2",
        "/sitemap-roles.xml?p=0",
        "/sitemap-roles.xml?p=x",
        "/sitemap-tasks.xml",
    ],
)
def test_what_does_not_exist_answers_404(client, library, address):
    assert client.get(address).status_code == 404


# --- what stays hidden -------------------------------------------------------------------------------------------


def test_drafts_scheduled_and_withdrawn_pages_are_in_no_feed_and_no_sitemap(client, library):
    hidden = {"sources": ["secret-work"], "tags": ["peace", "secret-tag"], "source": "A secret ceasefire."}
    source("secret-work", title="Secret work")
    draft_article(title="Secret draft", **hidden)
    published_article(title="Secret plan", published_at=timezone.now() + timedelta(days=1), **hidden)
    publishing.withdraw(published_article(title="Secret past", **hidden), reason="An error.")
    changed = published_article(title="Open", source="Open words.")
    publishing.offer(changed, {"title": "Secret offer", "slug": "open", "source": "A secret ceasefire."})
    addresses = ["/feed/", "/tags/peace/feed/", "/concepts/ceasefire/feed/", *MAPS]
    addresses += [f"/sitemap-{kind}s.xml" for kind in ("concept", "role")]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        assert "ecret" not in text_of(response), address
    for slug in ("secret-draft", "secret-plan"):
        assert client.get(f"/articles/{slug}/feed/").status_code == 404
    assert client.get("/articles/secret-past/feed/").status_code == 410
    assert client.get("/tags/secret-tag/feed/").status_code == 404


# --- sitemaps ----------------------------------------------------------------------------------------------------


def test_the_sitemaps_lead_to_every_public_page_once(client, library):
    files = places(client, "/sitemap.xml")
    found = [place for file in files for place in places(client, file.removeprefix(settings.SITE_URL))]
    assert len(found) == len(set(found))
    paths = [place.removeprefix(settings.SITE_URL) for place in found]
    expected = {"/", "/about/", "/concepts/ceasefire/", "/roles/mediator/", "/articles/how-wars-end/"}
    expected |= {"/phases/any/", "/tags/talks/", "/tags/", "/sources/un-charter/", "/concepts/"}
    assert expected <= set(paths)
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        assert f'<link rel="canonical" href="{settings.SITE_URL}{path}">' in text_of(response), path


def test_a_sitemap_keeps_to_the_protocol(client, library):
    for address, root, element in (
        ("/sitemap.xml", "sitemapindex", "sitemap"),
        ("/sitemap-articles.xml", "urlset", "url"),
    ):
        tree = ET.fromstring(client.get(address).content)
        assert tree.tag == f"{MAP}{root}"
        assert len(tree) > 0
        for part in tree:
            assert part.tag == f"{MAP}{element}"
            assert {child.tag for child in part} <= {f"{MAP}loc", f"{MAP}lastmod"}
            lastmod = part.findtext(f"{MAP}lastmod")
            assert lastmod is None or parse_datetime(lastmod) or parse_date(lastmod)
    lastmod = ET.fromstring(client.get("/sitemap-articles.xml").content).findtext(f".//{MAP}lastmod")
    assert parse_date(lastmod or "") == datetime(2026, 1, 2, tzinfo=UTC).date()


def test_a_long_list_is_divided_into_files(client, monkeypatch):
    monkeypatch.setattr(sitemaps, "PER_FILE", 2)
    for number in range(5):
        published_concept(f"Notion {number}")
    parts = [place for place in places(client, "/sitemap.xml") if "sitemap-concepts" in place]
    assert [part.removeprefix(settings.SITE_URL) for part in parts] == [
        "/sitemap-concepts.xml",
        "/sitemap-concepts.xml?p=2",
        "/sitemap-concepts.xml?p=3",
    ]
    found = [place for part in parts for place in places(client, part.removeprefix(settings.SITE_URL))]
    assert len(set(found)) == len(found) == 5


def test_robots_are_kept_from_the_admin_and_shown_the_sitemaps(client):
    lines = text_of(client.get("/robots.txt")).splitlines()
    assert lines == ["User-agent: *", "Disallow: /admin/", f"Sitemap: {settings.SITE_URL}/sitemap.xml"]


# --- icons and pictures ------------------------------------------------------------------------------------------


def size_of_png(path: str | None) -> tuple[int, int]:
    content = Path(path or "").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) <= 60_000
    width, height = struct.unpack(">II", content[16:24])
    return width, height


@pytest.mark.parametrize("name", ["site", *Kind.values])
def test_each_kind_has_a_picture_of_the_size_that_networks_show(name):
    assert size_of_png(finders.find(f"img/share-{name}.png")) == (1200, 630)


def test_the_manifest_names_icons_that_exist_in_their_sizes(client):
    response = client.get("/site.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    for icon in json.loads(response.content)["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        if icon["type"] == "image/png":
            assert "{}x{}".format(*size_of_png(path)) == icon["sizes"]
        else:
            assert path


def test_programs_that_know_only_the_root_find_the_icon(client):
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    content = Path(finders.find(response["Location"].removeprefix("/static/")) or "").read_bytes()
    assert content[:6] == struct.pack("<HHH", 0, 1, 3)


# --- what it costs -----------------------------------------------------------------------------------------------


def queries_of(client, address) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_feeds_and_sitemaps_cost_the_same_with_more_to_tell(client, library):
    addresses = [*FEEDS, *MAPS, "/articles/how-wars-end/", "/concepts/ceasefire/"]
    before = {address: queries_of(client, address) for address in addresses}
    for number in range(6):
        published_article(
            title=f"Essay {number}",
            authors=["A. Author"],
            source=f"A ceasefire, {number}.\n\nThe mediator and a truce.",
            tags=["peace", f"tag-{number}"],
            translation_of="how-wars-end",
            language="fr" if number % 2 else "ar",
        )
    assert {address: queries_of(client, address) for address in addresses} == before
    assert [before[address] for address in FEEDS] == [2, 3, 3]
    assert before["/sitemap.xml"] <= 13
    assert before["/sitemap-articles.xml"] == 2
