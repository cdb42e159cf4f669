"""The tables of cases and operations and the timeline: what they show, how they narrow, and as files."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb import publishing
from peacekb.models import Event, Page, Source
from peacekb.pages.bars import Bar, Drawing, Span

from .factories import (
    published_actor,
    published_article,
    published_case,
    published_concept,
    published_operation,
    published_role,
    source,
)

pytestmark = pytest.mark.django_db

CASES, OPERATIONS, TIMELINE = "/cases/", "/operations/", "/explore/timeline/"
MOST_QUERIES = 12


def html_of(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    html: str = response.content.decode()
    return html


def text_in(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def choices(html: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Give what narrows a list: title → label → address and number."""
    box = html[html.index('class="narrow-by"') :].split("</nav>")[0] if 'class="narrow-by"' in html else ""
    found = {}
    for part in box.split("<h3")[1:]:
        title = re.search(r">([^<]+)</h3>", part)[1]
        rows = re.findall(r'href="([^"]+)"><bdi>([^<]+)</bdi> <span class="count">(\d+)<', part)
        found[title] = {label: (unescape(href), int(number)) for href, label, number in rows}
    return found


def switches(html: str) -> dict[str, tuple[str, int]]:
    """Give the links of the rows above a list: label → address and number."""
    rows = re.findall(r'<li><a href="([^"]+)"[^>]*><bdi>([^<]+)</bdi></a> <span class="count">(\d+)<', html)
    return {label: (unescape(href), int(number)) for href, label, number in rows}


def total(html: str) -> int:
    found = re.search(r'id="found">(\d+) ', html)
    return int(found[1]) if found else 0


def rows(html: str) -> list[str]:
    """Give what the rows of all tables say."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    return [text_in(row) for body in bodies for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


def titles(html: str) -> list[str]:
    return re.findall(r'<th scope="row"><a[^>]*><bdi>([^<]+)<', html)


def file_of(client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200, address
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def some_choices(html: str) -> Iterator[tuple[str, int]]:
    """Give the first choices of each sort, and all that stand above a list."""
    for facet in choices(html).values():
        yield from list(facet.values())[:6]
    yield from switches(html).values()


# --- the starter library -----------------------------------------------------------------------------------------


def test_the_library_is_counted_as_its_data_count_and_no_choice_is_a_dead_end(client):
    call_command("seed", verbosity=0)
    cases = html_of(client, CASES)
    assert total(cases) == 77
    assert "17 held · 32 partly held · 22 collapsed · 1 without an agreement · 5 open" in text_in(cases)
    involved = choices(cases)["Organisation of Islamic Cooperation"]
    assert [number for _address, number in involved.values()] == [54, 4, 10, 9]
    operations = html_of(client, OPERATIONS)
    assert total(operations) == 71
    assert switches(operations)["Running on 31 December 2025"] == ("/operations/?running=yes", 11)
    assert len(rows(html_of(client, "/operations/?running=yes"))) == 11
    assert len(file_of(client, "/cases.csv")) == 77
    assert len(file_of(client, "/operations.csv")) == 71
    kinds = {label: switches(html_of(client, TIMELINE))[label][1] for label in ("Operations", "Cases", "Events")}
    assert kinds == {"Operations": 71, "Cases": 77, "Events": 135}

    for start in (CASES, "/cases/?actor=algeria", OPERATIONS, TIMELINE):
        for address, number in some_choices(html_of(client, start)):
            with CaptureQueriesContext(connection) as queries:
                led_to = html_of(client, address)
            assert total(led_to) == number > 0, f"{start} → {address}"
            assert len(queries) <= MOST_QUERIES, address


# --- cases -------------------------------------------------------------------------------------------------------


@pytest.fixture
def library() -> None:
    source("communique", title="A communiqué")
    published_role("Mediator")
    published_role("Host")
    published_role("Witness")
    published_actor("Organisation of Islamic Cooperation", type="organization")
    member = [{"organization": "organisation-of-islamic-cooperation", "since": 1969}]
    published_actor("Algeria", memberships=member)
    published_actor("Eritrea")
    published_actor("Norway")
    published_concept("Truce", phases=["ceasefire"])
    published_operation(
        "Mission in Eritrea", slug="unmee", acronym="UNMEE", start="2000-07", end="2008-07", countries=["eritrea"]
    )
    published_operation(
        "Observers in Norway",
        slug="unno",
        region="europe",
        start="1950-01",
        end=None,
        deployed_on="2025-12-31",
        countries=["norway"],
    )
    published_case(
        "Algiers Agreement",
        signed="2000-12-12",
        countries=["eritrea"],
        operations=["unmee"],
        concepts=["truce"],
        participations=[
            {"actor": "norway", "role": "witness"},
            {"actor": "algeria", "role": "mediator", "person": "=Abdelaziz"},
            {"actor": "algeria", "role": "host"},
        ],
    )
    published_case(
        "Bergen talks",
        region="europe",
        start_year=2011,
        end_year=2012,
        result="no-agreement",
        participations=[{"actor": "norway", "role": "mediator"}, {"actor": "algeria", "role": "witness"}],
    )


def test_cases_are_shown_with_those_who_helped_first_and_the_newest_first(client, library):
    html = html_of(client, CASES)
    assert titles(html) == ["Bergen talks", "Algiers Agreement"]
    assert rows(html)[1].endswith("1998–2000 12 December 2000 Algeria · Mediator , Host Norway · Witness Held")
    assert "2011–2012 not signed Norway · Mediator" in rows(html)[0]
    assert "1 held · 1 without an agreement" in text_in(html)
    assert "judgements of the editors as of 31 December 2025" in text_in(html)
    assert "Some core terms were carried out, others failed." in html


NARROWED = [
    ("region=africa", ["Algiers Agreement"]),
    ("result=no-agreement", ["Bergen talks"]),
    ("decade=2000", ["Algiers Agreement"]),
    ("decade=2010", ["Bergen talks"]),
    ("actor=algeria", ["Bergen talks", "Algiers Agreement"]),
    ("actor=algeria&role=mediator", ["Algiers Agreement"]),
    ("actor=norway&role=mediator", ["Bergen talks"]),
    ("oic=third-party", ["Algiers Agreement"]),
    ("oic=witness", ["Bergen talks"]),
    ("sort=title", ["Algiers Agreement", "Bergen talks"]),
    ("sort=result", ["Algiers Agreement", "Bergen talks"]),
    ("region=europe&decade=2000", []),
    ("actor=eritrea", []),
]


def test_cases_are_narrowed_and_ordered_by_the_address(client, library):
    for asked, found in NARROWED:
        html = html_of(client, f"{CASES}?{asked}")
        assert titles(html) == found, asked
        assert found or "No case is left. Remove a filter." in html
        assert [row["case"] for row in file_of(client, f"/cases.csv?{asked}")] == found, asked


def test_an_actor_and_a_role_are_asked_of_the_same_participation(client, library):
    offered = choices(html_of(client, f"{CASES}?role=mediator"))
    assert {label: number for label, (_address, number) in offered["Actor"].items()} == {"Algeria": 1, "Norway": 1}
    assert "Algeria" not in choices(html_of(client, f"{CASES}?role=mediator&region=europe")).get("Actor", {})


def test_a_filter_is_taken_off_or_exchanged_and_others_stay(client, library):
    html = html_of(client, f"{CASES}?role=mediator&actor=algeria&sort=title")
    active = re.findall(r'class="tag is-active" href="([^"]+)".*?<bdi>([^<]+)<', html)
    assert [(unescape(href), label) for href, label in active] == [
        ("/cases/?role=mediator&sort=title", "Algeria"),
        ("/cases/?actor=algeria&sort=title", "Mediator"),
    ]
    assert choices(html)["Actor"] == {"Norway": ("/cases/?actor=norway&role=mediator&sort=title", 1)}


IMPOSSIBLE = [
    "/cases/?region=moon",
    "/cases/?actor=nobody",
    "/cases/?actor=mediator",
    "/cases/?role=king",
    "/cases/?result=won",
    "/cases/?decade=1995",
    "/cases/?oic=yes",
    "/cases/?sort=size",
    "/cases/?actor=a%00b",
    "/cases.csv?region=moon",
    "/operations/?running=perhaps",
    "/operations/?actor=nobody",
    "/operations.csv?decade=x",
    "/explore/timeline/?phase=any",
    "/explore/timeline/?what=wars",
    "/explore/timeline/?from=0",
    "/explore/timeline/?to=20000",
    "/explore/timeline/?from=٢٠٠٠",
    "/explore/timeline/?from=2000&to=1999",
]


def test_what_no_row_can_have_is_a_bad_request(client, library):
    assert {address: client.get(address).status_code for address in IMPOSSIBLE} == dict.fromkeys(IMPOSSIBLE, 400)


def test_a_page_that_is_not_there_is_not_found(client, library):
    for place in (CASES, OPERATIONS, TIMELINE):
        assert client.get(f"{place}?page=2").status_code == 404
        assert client.get(f"{place}?page=x").status_code == 404


def test_a_file_of_cases_holds_everything_and_no_formula(client, library):
    (row,) = file_of(client, "/cases.csv?actor=algeria&role=host")
    assert row == {
        "case": "Algiers Agreement",
        "address": f"{settings.SITE_URL}/cases/algiers-agreement/",
        "conflict": "A border war",
        "region": "Africa",
        "from": "1998",
        "to": "2000",
        "signed": "2000-12-12",
        "result": "Held",
        "participants": "Norway (Witness); Algeria (Mediator, =Abdelaziz); Algeria (Host)",
        "countries": "Eritrea",
        "oic": "A member mediated, facilitated, hosted, guaranteed or convened",
    }
    published_case("=SUM(A1)", slug="sum", conflict="+1")
    formula = file_of(client, "/cases.csv?sort=title")
    assert {(row["case"], row["conflict"]) for row in formula} >= {("'=SUM(A1)", "'+1")}


# --- what is not public ------------------------------------------------------------------------------------------


def hide(page: Page, how: str) -> None:
    if how == "withdrawn":
        publishing.withdraw(page, reason="Wrong.")
    elif how == "scheduled":
        Page.objects.filter(pk=page.pk).update(published_at=timezone.now() + timedelta(days=1))
    else:
        Page.objects.filter(pk=page.pk).update(status="draft")


@pytest.mark.parametrize("how", ["draft", "withdrawn", "scheduled"])
def test_what_is_not_public_is_nowhere(client, library, how):
    event(title="Ceasefire signed", cases=["algiers-agreement"], operations=["unmee"])
    for slug in ("algiers-agreement", "unmee", "algeria"):
        hide(Page.objects.get(slug=slug), how)
    for address in (CASES, OPERATIONS, TIMELINE, f"{TIMELINE}?what=events", "/cases.csv", "/operations.csv"):
        shown = client.get(address).getvalue().decode()
        for name in ("Algiers", "UNMEE", "Algeria"):
            assert name not in shown, f"{name} at {address}"
    assert client.get("/cases/?actor=algeria").status_code == 400
    assert choices(html_of(client, CASES)) == {}
    assert Event.objects.get().title in html_of(client, TIMELINE)


# --- operations --------------------------------------------------------------------------------------------------


def test_operations_are_shown_from_the_first_with_what_established_them(client, library):
    published_operation(
        "A later mission",
        start="2011",
        end="2012-03-04",
        resolutions=[
            {"symbol": "S/RES/1990 (2011)", "adopted": "2011-06-27"},
            {"symbol": "S/RES/2000 (2011)", "adopted": "2011-07-27"},
        ],
    )
    html = html_of(client, OPERATIONS)
    assert titles(html) == ["Observers in Norway", "Mission in Eritrea", "A later mission"]
    assert "January 1950 still deployed on 31 December 2025 Norway Europe" in rows(html)[0]
    assert "2011 4 March 2012" in rows(html)[2]
    assert "S/RES/1990 (2011) , 27 June 2011" in rows(html)[2]
    assert "S/RES/2000" not in html


def test_the_running_ones_are_one_click_away(client, library):
    running, number = switches(html_of(client, OPERATIONS))["Running on 31 December 2025"]
    assert (titles(html_of(client, running)), number) == (["Observers in Norway"], 1)
    published_operation("Another one", end=None, deployed_on="2026-01-31")
    assert "Running, as far as is known" in switches(html_of(client, OPERATIONS))
    assert "Running" not in str(switches(html_of(client, f"{OPERATIONS}?actor=eritrea")))


def test_a_file_of_operations_follows_the_filters(client, library):
    (row,) = file_of(client, "/operations.csv?running=yes")
    assert (row["operation"], row["from"], row["to"], row["deployed_on"]) == (
        "Observers in Norway",
        "1950-01",
        "",
        "2025-12-31",
    )


# --- the timeline ------------------------------------------------------------------------------------------------


def event(**values: Any) -> Event:
    cases, operations = values.pop("cases", []), values.pop("operations", [])
    work = values.pop("source", None) or Source.objects.filter(slug="a-work").first() or source("a-work")
    made = Event.objects.create(
        **{"slug": f"event-{Event.objects.count()}", "date": "2000-06-18", "text": "It came.", "source": work, **values}
    )
    made.cases.set(Page.objects.filter(slug__in=cases).values_list("pk", flat=True))
    made.operations.set(Page.objects.filter(slug__in=operations).values_list("pk", flat=True))
    return made


def test_an_event_is_told_with_its_source_its_note_and_whether_it_was_checked(client, library):
    work = source("table", title="A table")
    made = event(
        title="Guns <fall> silent", slug="guns", date="2000-06", note="Another source says May.", verified="known",
        source=work, cases=["algiers-agreement"],
    )  # fmt: skip
    html = html_of(client, TIMELINE)
    row = next(row for row in rows(html) if "Guns" in row)
    assert "June 2000 Guns <fall> silent. It came. Another source says May. Algiers Agreement" in row
    assert "A table" in row
    assert "not yet checked against a page" in row
    assert "<fall>" not in html
    assert made.get_absolute_url() == f"{TIMELINE}?from=2000&to=2000#guns"
    assert 'id="guns"' in html_of(client, made.get_absolute_url())
    assert '<a href="#guns">' in html


def test_a_work_that_an_event_alone_rests_on_has_its_page(client, library):
    assert client.get("/sources/table/").status_code == 404
    made = event(title="Signed", source=source("table", title="A table"))
    page = html_of(client, "/sources/table/")
    assert f'href="{made.get_absolute_url().replace("&", "&amp;")}"' in page
    assert "Event · 18 June 2000" in text_in(page)
    assert "/sources/table/" in html_of(client, "/sources/")
    assert "/sources/table/" in html_of(client, "/sitemap-sources.xml")


ON_THE_TIMELINE = [
    ("what=operations", {"UNMEE", "UNX"}),
    ("what=events", {"Signed", "Elsewhere"}),
    ("region=africa", {"UNMEE", "Algiers Agreement", "Signed"}),
    ("phase=ceasefire", {"UNMEE", "Algiers Agreement", "Signed"}),
    ("actor=algeria", {"Algiers Agreement", "Bergen talks", "Signed"}),
    ("actor=eritrea", {"UNMEE", "Algiers Agreement", "Signed"}),
    ("decade=1950", {"UNX"}),
    ("from=2009&to=2011", {"UNX", "Bergen talks"}),
    ("to=1999", {"UNX", "Algiers Agreement"}),
    ("from=2026", set()),
]


def test_the_timeline_is_narrowed_by_the_address(client, library):
    event(title="Signed", cases=["algiers-agreement"])
    event(title="Elsewhere", date="2001")
    for asked, found in ON_THE_TIMELINE:
        html = html_of(client, f"{TIMELINE}?{asked}")
        assert set(re.findall(r"<text[^>]*>([^<]+)</text></a>", html)) == found, asked
        assert total(html) == len(found), asked


def test_an_operation_that_goes_on_is_drawn_with_an_arrow_that_points_ahead(client, library):
    shape = re.compile(r'<a href="[^"]*/unno/"><rect x="(\d+)"[^>]* width="(\d+)"[^>]*/><path d="M(\d+) \d+l(-?\d+)')
    x, width, end, ahead = map(int, shape.search(html_of(client, TIMELINE)).groups())
    assert (x, x + width, ahead) == (0, end, 11)
    x, width, end, ahead = map(int, shape.search(html_of(client, f"/ar{TIMELINE}")).groups())
    assert (x, ahead) == (end, -11)


def test_the_timeline_costs_as_many_queries_however_much_there_is(client, library):
    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            html_of(client, address)
        return len(queries)

    before = {address: cost(address) for address in (CASES, OPERATIONS, TIMELINE)}
    for number in range(5):
        published_case(f"Case {number}", participations=[{"actor": "norway", "role": "host"}], operations=["unmee"])
        published_operation(f"Operation {number}", countries=["eritrea"])
        event(title=f"Event {number}", source=source(f"work-{number}"), cases=[f"case-{number}"])
        published_article(title=f"Article {number}", source="Norway helped in Algiers Agreement.")
    assert {address: cost(address) for address in before} == before
    assert max(before.values()) <= MOST_QUERIES


# --- the drawing -------------------------------------------------------------------------------------------------


def bars(*spans: Span, mirrored: bool = False) -> list[Bar]:
    (band,) = Drawing.of([("Band", spans)], 1990, 1999, mirrored=mirrored).bands
    return band.bars


def test_names_of_one_lane_never_touch():
    spans = [Span("A name of a good length" * (1 + n % 2), "#", 1990 + n / 4, 1990 + n / 3) for n in range(30)]
    spans += [Span("A point in time", "#", 1990 + n / 7) for n in range(60)]
    lanes: dict[int, list[tuple[int, int]]] = {}
    for bar in bars(*spans):
        name = bar.text_x, bar.text_x + 7 * len(bar.span.name)
        lanes.setdefault(bar.y, []).append((min(bar.x, name[0]), max(bar.x + bar.width, name[1])))
    assert 1 < len(lanes) < len(spans)
    for lane in lanes.values():
        ordered = sorted(lane)
        assert all(one[1] <= other[0] for one, other in pairwise(ordered))


def test_a_drawing_for_readers_from_the_right_is_the_mirror_of_the_other():
    spans = [Span("One", "#", 1991, 1993.5), Span("Two", "#", 1995), Span("Three", "#", 1985, 2005)]
    plain, mirrored = bars(*spans), bars(*spans, mirrored=True)
    width = Drawing.width
    assert [(bar.x, bar.text_x) for bar in mirrored] == [
        (width - bar.x - bar.width, width - bar.text_x) for bar in plain
    ]


def test_what_lies_beyond_the_years_shown_runs_out_of_the_drawing():
    (bar,) = bars(Span("Long", "#", 1985, 2005, is_open=True))
    assert bar.x < 0
    assert bar.x + bar.width > Drawing.width
    assert bar.text_x == 0
