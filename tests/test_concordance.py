"""The concordance: every sentence that mentions a page, on screen and as a file, and its best ones on its page."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb import publishing
from peacekb.models import Mention, Page, Section

from .factories import (
    draft_article,
    published_article,
    published_concept,
    published_role,
    published_task,
)

pytestmark = pytest.mark.django_db

HERE = "/concepts/truce/mentions/"


def html_of(client, address: str = HERE) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    html: str = response.content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1
    return html


def text_in(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def sentences(html: str) -> list[str]:
    """The sentences shown, in order, the mention in square brackets."""
    found = re.findall(r'<p class="snippet.*?</p>|<h4[^>]*><a.*?</h4>', html, re.DOTALL)
    return [text_in(one.replace("<mark>", "[").replace("</mark>", "]")) for one in found]


def choices(html: str) -> dict[str, tuple[str, int]]:
    """The links that narrow: what each is called, where it leads, and how many it tells."""
    found = re.findall(r'<a class="tag" href="([^"]+)"><bdi>([^<]+)</bdi> <span class="count">(\d+)<', html)
    return {label: (href.replace("&amp;", "&"), int(number)) for href, label, number in found}


def total(html: str) -> int:
    return int(re.search(r'id="results">(\d+) mention', html)[1])


def file_of(client, address: str = "/concepts/truce/mentions.csv") -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


@pytest.fixture
def library():
    published_concept("Truce", source="An agreed pause.")
    published_role("Monitor", phases=["ceasefire"], tags=["watching"], source="Who watches that a truce holds.")
    published_article(
        title="Armistices",
        tags=["history"],
        source="Before the truce came talks.\n\n## After a truce\n\nEvery truce breaks. No monitor saw it.",
    )
    published_article(title="Bridges", tags=["history", "roads"], source="A bridge. Behind it, a brief truce began.")


def test_every_sentence_is_shown_by_text_and_section_with_its_place(client, library):
    html = html_of(client)
    assert sentences(html) == [
        "Before the [truce] came talks.",
        "After a [truce]",
        "Every [truce] breaks.",
        "Behind it, a brief [truce] began.",
        "Who watches that a [truce] holds.",
    ]
    assert re.findall(r'(?:class="place"|<h4 class="small-heading"><a) href="([^"]+)"', html) == [
        "/articles/armistices/#p1",
        "/articles/armistices/#after-a-truce",
        "/articles/armistices/#p2",
        "/articles/bridges/#p1",
        "/roles/monitor/#p1",
    ]
    headings = [text_in(one) for one in re.findall(r"<h[34].*?</h[34]>", html.split('class="narrow-by"')[0], re.DOTALL)]
    assert headings == [
        "Armistices", "Introduction", "After a truce", "Bridges", "Introduction", "Monitor",
    ]  # fmt: skip
    assert "5 mentions in 3 texts" in text_in(html)


def test_it_can_be_sorted_by_the_word_before_and_after(client, library):
    words_before = [re.search(r"(\w+) \[", line)[1] for line in sentences(html_of(client, HERE + "?sort=before"))]
    assert words_before == ["a", "a", "brief", "Every", "the"]
    words_after = [re.search(r"\] ?(\w*)", line)[1] for line in sentences(html_of(client, HERE + "?sort=after"))]
    assert words_after == ["", "began", "breaks", "came", "holds"]


def test_the_order_of_now_is_marked_and_the_others_keep_the_filters(client, library):
    html = html_of(client, HERE + "?tag=history&sort=before")
    orders = re.findall(r'<li><a href="([^"]+)"( aria-current="page")?>By', html)
    assert [(href.replace("&amp;", "&"), bool(here)) for href, here in orders] == [
        (HERE + "?tag=history", False),
        (HERE + "?tag=history&sort=before", True),
        (HERE + "?tag=history&sort=after", False),
    ]


def test_every_filter_leads_to_as_many_mentions_as_it_says(client, library):
    published_article(title="Trêve", language="fr", tags=["history"], source="On dit [[truce]]. Et encore [[truce]].")
    found = choices(html_of(client))
    assert {label: number for label, (_, number) in found.items()} == {
        "Article": 6, "Role": 1, "Ceasefire": 4, "English": 5, "Français": 2, "history": 6, "roads": 1, "watching": 1,
    }  # fmt: skip
    for label, (href, number) in found.items():
        narrowed = html_of(client, href)
        assert total(narrowed) == number, label
        removing = re.findall(r'class="tag is-active" href="([^"]+)"><span class="hidden">Remove filter', narrowed)
        assert removing == [HERE], label
        for further, (second, fewer) in choices(narrowed).items():
            assert 0 < total(html_of(client, second)) == fewer < number, (label, further)


def test_an_article_is_in_the_phases_of_what_it_links(client, library):
    lines = sentences(html_of(client, HERE + "?phase=ceasefire"))
    assert len(lines) == 4
    assert "Behind it, a brief [truce] began." not in lines


def test_filters_without_a_mention_can_be_taken_off(client, library):
    html = html_of(client, HERE + "?kind=task")
    assert "No mention is left." in html
    assert f'class="tag is-active" href="{HERE}"' in html


def test_an_entry_that_nothing_mentions_says_so(client):
    published_task("Building roads")
    assert "No text mentions this task yet." in html_of(client, "/tasks/building-roads/mentions/")
    assert file_of(client, "/tasks/building-roads/mentions.csv") == []


def test_an_article_has_a_concordance_too(client):
    published_article(title="How wars end")
    published_article(title="Other", source="As [[How wars end]] says.")
    assert sentences(html_of(client, "/articles/how-wars-end/mentions/")) == ["As [How wars end] says."]


def test_a_sentence_carries_the_language_and_direction_it_is_written_in(client):
    published_concept("Truce", label_rows=[{"text": "هدنة", "language": "ar", "kind": "pref"}])
    published_article(title="العربية", slug="ar", language="ar", source="كانت هدنة قصيرة.\n\nTruce [[truce]] here.")
    html = html_of(client, HERE + "?sort=before")
    arabic = html[: html.index("<mark>هدنة")].rpartition("<p ")[2]
    assert arabic.startswith('class="snippet" lang="ar" dir="rtl"><span class="line-before"><bdi dir="rtl">كانت ')
    quoted = html[: html.index("here.")].rpartition("<p ")[2]
    assert quoted.startswith('class="snippet" lang="ar" dir="ltr"')
    assert '<bdi lang="ar">العربية</bdi>' in html


def test_what_authors_write_is_escaped(client):
    published_concept("Truce")
    published_article(
        title="<b>Bold</b>", slug="bold", source="## A <i>truce</i>\n\n`<script>` before a truce & after."
    )
    for address in (HERE, HERE + "?sort=after"):
        html = html_of(client, address).partition("<main")[2].partition("</main>")[0]
        assert "<mark>truce</mark> &amp; after." in html
        assert not re.search(r"<script|<i>|<b>", html)


def test_drafts_scheduled_and_withdrawn_texts_are_found_nowhere(client, library):
    draft_article(title="Secret draft", source="A hidden truce.", tags=["secret-tag"])
    tomorrow = timezone.now() + timedelta(days=1)
    published_article(title="Secret plan", source="A hidden truce.", tags=["secret-tag"], published_at=tomorrow)
    gone = published_article(title="Secret error", source="A hidden truce.", tags=["secret-tag"])
    publishing.withdraw(gone, reason="Wrong.")
    # Publishing derives no rows for these; even if some were left, nobody would see them.
    for page in (gone, gone.__class__.objects.get(slug="secret-plan"), gone.__class__.objects.get(slug="secret-draft")):
        section, _ = Section.objects.get_or_create(
            page=page, position=0, defaults={"level": 1, "anchor": "introduction"}
        )
        Mention.objects.get_or_create(
            section=section, start=9, in_heading=False,
            defaults={"target_id": Page.objects.get(slug="truce").pk, "end": 14, "sentence_start": 0,
                      "sentence": "A hidden truce."},
        )  # fmt: skip
    for address in (HERE, HERE + "?sort=before", "/concepts/truce/"):
        html = html_of(client, address)
        assert "A hidden" not in html
        assert "ecret" not in html
    assert total(html_of(client)) == len(file_of(client)) == 5
    assert client.get(HERE + "?tag=secret-tag").status_code == 404
    for slug in ("secret-draft", "secret-plan"):
        assert client.get(f"/articles/{slug}/mentions/").status_code == 404
        assert client.get(f"/articles/{slug}/mentions.csv").status_code == 404


def test_a_former_address_leads_to_the_new_one_and_a_withdrawn_page_is_gone(client, library):
    page = published_concept("Pause")
    page.slug = "break"
    page.save()
    publishing.publish(page)
    for name in ("mentions/", "mentions.csv"):
        response = client.get(f"/concepts/pause/{name}")
        assert (response.status_code, response["Location"]) == (301, f"/concepts/break/{name}")
    publishing.withdraw(page, reason="Merged.")
    for name in ("mentions/", "mentions.csv"):
        response = client.get(f"/concepts/break/{name}")
        assert response.status_code == 410
        assert "This concept was withdrawn" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort=alphabet", 400),
        ("sort=", 400),
        ("sort=before%00", 400),
        ("kind=source", 400),
        ("phase=peace", 400),
        ("lang=de", 400),
        ("tag=unknown", 404),
        ("tag=%00", 404),
        ("tag=a+b+c+d+e+f", 404),
        ("page=0", 404),
        ("page=2", 404),
        ("page=x", 404),
        ("page=" + "9" * 5_000, 404),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(library, query, status):
    client = Client(raise_request_exception=False)
    assert client.get(f"{HERE}?{query}").status_code == status
    if not query.startswith("page"):
        assert client.get(f"/concepts/truce/mentions.csv?{query}").status_code == status


def test_it_is_only_read(library):
    client = Client()
    for address in (HERE, "/concepts/truce/mentions.csv"):
        assert client.post(address).status_code == 405
        assert client.head(address).status_code == 200
    assert client.get("/concepts/nowhere/mentions/").status_code == 404
    assert client.get("/sources/truce/mentions/").status_code == 404


def test_fifty_mentions_are_on_a_page_and_the_cost_is_the_same(client, library):
    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            html_of(client, address)
        return len(queries)

    addresses = [HERE, HERE + "?sort=before", HERE + "?sort=after&tag=history&kind=article&phase=ceasefire&lang=en"]
    before = [cost(address) for address in addresses]
    assert max(before) <= 10
    for number in range(12):
        body = "\n\n".join(f"## Part {n}\n\nA monitor saw truce {n}." for n in range(5))
        published_article(title=f"More {number:02}", tags=["history", f"tag-{number}"], source=body)
    assert [cost(address) for address in addresses] == before
    first, second = html_of(client), html_of(client, HERE + "?page=2")
    assert (len(sentences(first)), len(sentences(second))) == (50, 15)
    assert "Page 2 of 2" in text_in(second)
    assert len({*sentences(first), *sentences(second)}) == 10  # 5 that repeat, and the 5 of the library
    assert "?sort=before&amp;page=2" in html_of(client, HERE + "?sort=before")


def test_the_plain_list_is_for_search_engines_and_its_variants_are_not(client, library):
    assert f'<link rel="canonical" href="{settings.SITE_URL}{HERE}">' in html_of(client)
    for query in ("?sort=before", "?kind=article"):
        html = html_of(client, HERE + query)
        assert 'content="noindex, follow"' in html
        assert "canonical" not in html


# --- the file ------------------------------------------------------------------------------------


def test_the_file_has_every_mention_in_the_same_order(client, library):
    rows = file_of(client)
    assert list(rows[0]) == [
        "article", "address", "section", "paragraph", "before", "mention", "after", "sentence", "language", "linked",
    ]  # fmt: skip
    assert list(rows[0].values()) == [
        "Armistices", f"{settings.SITE_URL}/articles/armistices/#p1", "", "1", "Before the", "truce", "came talks.",
        "Before the truce came talks.", "en", "yes",
    ]  # fmt: skip
    assert [(row["sentence"], row["section"], row["paragraph"], row["linked"]) for row in rows[1:3]] == [
        ("After a truce", "After a truce", "", "no"),
        ("Every truce breaks.", "After a truce", "2", "yes"),
    ]
    shown = [
        line.replace("[", "").replace("]", "") for line in sentences(html_of(client, HERE + "?sort=after&kind=article"))
    ]
    assert [row["sentence"] for row in file_of(client, "/concepts/truce/mentions.csv?sort=after&kind=article")] == shown


def test_the_page_links_the_file_with_its_own_filters(client, library):
    html = html_of(client, HERE + "?tag=history&sort=before")
    assert 'href="/concepts/truce/mentions.csv?tag=history&amp;sort=before" download' in html


def test_the_file_is_streamed_with_a_name_and_kept_out_of_search_engines(client):
    published_concept("Truce")
    response = client.get("/concepts/truce/mentions.csv")
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        "attachment; filename=\"mentions-truce.csv\"; filename*=UTF-8''mentions-truce.csv"
    )
    assert response["X-Robots-Tag"] == "noindex"
    assert response.getvalue().startswith("\ufeffarticle,".encode())
    published_concept("هدنة", slug="هدنة", language="ar")
    response = client.get("/concepts/هدنة/mentions.csv")
    assert response["Content-Disposition"] == (
        "attachment; filename=\"mentions.csv\"; filename*=UTF-8''mentions-%D9%87%D8%AF%D9%86%D8%A9.csv"
    )


@pytest.mark.parametrize(
    "title",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\N{NO-BREAK SPACE}=1", "\ufeff=1", "\u200b@x",
     "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "\ufe661"],
)  # fmt: skip
def test_no_cell_is_taken_for_a_formula(client, title):
    published_concept("Truce")
    published_article(title=title, slug="formula", source="=A1 truce -1. Then @b truce +2.")
    for row in file_of(client):
        assert row["article"].startswith("'"), row
        assert row["before"].startswith("'=A1") or row["before"] == "Then @b"
        assert row["after"].startswith(("'-1", "'+2"))
        assert not [cell for cell in row.values() if re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)]


def test_a_cell_has_one_line_and_a_comma_or_quotation_mark_changes_nothing(client):
    published_concept("Truce")
    published_article(title='One, "two"', slug="one", source='Over\ntwo lines, a "truce",\nand more.')
    (row,) = file_of(client)
    assert row["article"] == 'One, "two"'
    assert row["sentence"] == 'Over two lines, a "truce", and more.'
    Mention.objects.update(sentence="First\r\nsecond\u2028third truce.", sentence_start=0, start=20, end=25)
    (row,) = file_of(client)
    assert row["sentence"] == "First second third truce."


# --- on the page itself --------------------------------------------------------------------------


def test_a_page_shows_the_best_sentence_of_five_texts_and_leads_to_all(client):
    published_concept("Truce")
    for number in range(3):
        published_concept(f"Notion {number}", source="A truce ends. A truce began. A truce again.")
    now = timezone.now()
    for number in range(3):
        body = f"## On truce {number}\n\n> Quoted truce.\n\nLinked truce {number}. Another truce."
        published_article(title=f"Essay {number}", source=body, published_at=now - timedelta(days=9 - number))
    published_article(title="Newest", source="## On a truce\n\n> Quoted truce.")
    html = html_of(client, "/concepts/truce/")
    quotes = re.findall(
        r'class="quote-source"><a [^>]*><span [^>]*>([^<]+)<.*?<blockquote[^>]*>(.*?)</blockquote>', html, re.DOTALL
    )
    assert [(title, text_in(quote)) for title, quote in quotes] == [
        ("Essay 2", "Linked truce 2."),
        ("Essay 1", "Linked truce 1."),
        ("Essay 0", "Linked truce 0."),
        ("Newest", "Quoted truce."),
        ("Notion 2", "A truce ends."),
    ]
    assert f'<a class="more" href="{HERE}">All 23 mentions</a>' in html
    assert total(html_of(client)) == 23


def test_a_single_mention_is_shown_without_a_link_to_all(client):
    published_concept("Truce")
    published_article(title="Only", source="One truce.")
    html = html_of(client, "/concepts/truce/")
    assert "One <mark>truce</mark>." in html
    assert HERE not in html
