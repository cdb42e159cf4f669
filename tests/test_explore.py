"""The matrix of roles by phase, the graph of what is around an entry, and the page that leads to both."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from peacekb import publishing
from peacekb.models import Kind, Language
from peacekb.pages.drawing import Twig, draw

from .factories import (
    draft_article,
    published,
    published_article,
    published_concept,
    published_role,
    published_task,
)

MATRIX = "/explore/matrix/"
GRAPH = "/explore/graph/concept/truce/"


def html_of(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    html: str = response.content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1
    return html


def text_in(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def main_of(html: str) -> str:
    return html.partition("<main")[2].partition("</main>")[0]


def matrix(client, query: str = "") -> dict[str, list[str]]:
    """The rows of the matrix: a role, and what stands in its five cells."""
    table = html_of(client, MATRIX + query).partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("</tr>")[:-1]]
    return {text_in(head): [text_in(cell) for cell in cells] for head, *cells in rows}


def sentences(html: str) -> list[str]:
    return [text_in(one) for one in re.findall(r'<p class="snippet.*?</p>', html, re.DOTALL)]


def nodes(html: str) -> list[str]:
    """The names in the drawing, that of the centre first."""
    drawing = html.partition("<svg viewBox")[2].partition("</svg>")[0]
    return [text_in(one) for one in re.findall(r"<a [^>]*>(.*?)</a>", drawing, re.DOTALL)]


def relations(html: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'<text class="relation"[^>]*>([^<]*)</text>', html)]


GAP = "– none yet"


@pytest.fixture
def library(db):
    published_concept("Truce", phases=["ceasefire"], source="An agreed pause. A mediator may ask for it.")
    published_concept("Shuttle", phases=["mediation"])
    published_concept("Patience", phases=["any"])
    published_task("Watching", phase="ceasefire", pillar="security", concepts=["truce"])
    published_task("Drafting", phase="mediation", concepts=["shuttle"])
    published_role("Mediator", phases=["mediation"], performs=["drafting", "watching"])
    published_role("Monitor", phases=["ceasefire"], source="Unlike a mediator, one who counts.")
    published(Kind.ACTOR, title="Algeria", type="state")
    for number, year in enumerate((1975, 1981)):
        published(
            Kind.CASE,
            title=f"Accord {number}",
            conflict="A war",
            region="africa",
            start_year=year,
            end_year=year + 1,
            result="held",
            concepts=["truce", "patience"][: number + 1],
            participations=[{"actor": "algeria", "role": "mediator"}],
        )
    published_article(
        title="Talks",
        source="The mediator saw a truce. A mediator is a mediator.\n\nThe mediator rested with patience.\n\n"
        "By shuttle the mediator went. Nobody else went.",
    )
    published_article(title="Trêve", language="fr", source="[[mediator|Le médiateur]] et la [[truce|trêve]].")


# --- the matrix --------------------------------------------------------------------------------------------------


def test_a_cell_counts_sentences_tasks_and_cases(client, library):
    assert matrix(client) == {
        "Mediator": [
            GAP,
            "1 sentence, 1 task",
            # Two of “Talks”, one of “Trêve”, one of the text about truces itself.
            "4 sentences, 1 task, 2 cases",
            GAP,
            GAP,
        ],
        "Monitor": [GAP] * 5,
    }


def test_a_cell_opens_what_it_counts(client, library):
    html = html_of(client, f"{MATRIX}mediator/ceasefire/")
    assert sentences(html) == [
        "The mediator saw a truce.",
        "A mediator is a mediator.",
        "A mediator may ask for it.",
        "Le médiateur et la trêve.",
    ]
    assert '<a class="place" href="/articles/talks/#p1">' in html
    text = text_in(main_of(html))
    assert "Watching" in text
    assert "Drafting" not in text
    assert text.index("Accord 0 1975–1976 · Held") < text.index("Accord 1 1981–1982 · Held")


def test_every_number_of_the_matrix_leads_to_as_many_things(client, library):
    for query in ("", "?task=watching", "?language=fr", "?task=security&language=en"):
        table = html_of(client, MATRIX + query).partition("<tbody>")[2]
        cells = re.findall(r'<td><a href="([^"]+)">([^<]+)</a>', table)
        assert cells, query
        for address, told in cells:
            html = main_of(html_of(client, unescape(address)))
            counts = {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+)\xa0(\w+)", told)}
            assert len(sentences(html)) == counts.get("sentence", 0), address
            assert len(re.findall('href="/tasks/', html)) == counts.get("task", 0), address
            assert len(re.findall('href="/cases/', html)) == counts.get("case", 0), address


def test_a_task_leaves_what_has_to_do_with_it(client, library):
    assert matrix(client, "?task=drafting")["Mediator"] == [GAP, "1 sentence, 1 task", GAP, GAP, GAP]
    assert matrix(client, "?task=watching")["Mediator"][2] == "4 sentences, 1 task, 2 cases"


def test_a_pillar_stands_for_all_of_its_tasks(client, library):
    assert matrix(client, "?task=security") == matrix(client, "?task=watching")
    assert matrix(client, "?task=governance")["Mediator"] == [GAP] * 5


def test_a_language_is_that_of_the_texts(client, library):
    assert matrix(client, "?language=fr")["Mediator"] == [GAP, "1 task", "1 sentence, 1 task, 2 cases", GAP, GAP]
    assert sentences(html_of(client, f"{MATRIX}mediator/ceasefire/?language=fr")) == ["Le médiateur et la trêve."]


def test_filters_stay_on_the_way_to_a_cell_and_can_be_taken_off(client, library):
    html = html_of(client, f"{MATRIX}?task=watching&language=en")
    assert f'href="{MATRIX}mediator/ceasefire/?task=watching&amp;language=en"' in html
    cell = html_of(client, f"{MATRIX}mediator/ceasefire/?task=watching&language=en")
    assert f'href="{MATRIX}mediator/ceasefire/?language=en"' in cell
    assert f'href="{MATRIX}?task=watching&amp;language=en"' in cell


def test_one_phase_is_a_list_of_roles_with_their_tasks(client, library):
    html = main_of(html_of(client, f"{MATRIX}?phase=ceasefire"))
    assert "<table" not in html
    text = text_in(html)
    assert "Mediator 4 sentences, 1 task, 2 cases Tasks: Watching" in text
    assert f"Monitor {GAP}" in text


def test_an_empty_cell_says_that_it_is_a_gap(client, library):
    assert "There is nothing yet on “ Monitor ” in the phase “Prevention”" in text_in(
        html_of(client, f"{MATRIX}monitor/prevention/")
    )


def test_the_matrix_is_a_file_with_its_gaps(client, library):
    response = client.get("/explore/matrix.csv?language=fr")
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))
    assert len(rows) == 10
    assert rows[2] == {
        "role": "Mediator",
        "phase": "Ceasefire",
        "sentences": "1",
        "tasks": "1",
        "cases": "2",
        "names_of_tasks": "Watching",
        "address": f"{settings.SITE_URL}/explore/matrix/mediator/ceasefire/?language=fr",
    }
    assert rows[9]["sentences"] == rows[9]["tasks"] == rows[9]["cases"] == "0"


def test_nothing_of_a_hidden_page_is_counted(client, library):
    before = matrix(client)
    draft_article(title="Secret", source="A mediator hid the truce.")
    published_article(
        title="Tomorrow", source="A mediator plans a truce.", published_at=timezone.now() + timedelta(days=1)
    )
    gone = published_article(title="Gone", source="A mediator lost the truce.")
    assert matrix(client) != before
    publishing.withdraw(gone, editor=None, reason="Wrong.")
    assert matrix(client) == before
    publishing.withdraw(published_role("Envoy", performs=["watching"]), editor=None, reason="Wrong.")
    assert matrix(client) == before
    assert client.get(f"{MATRIX}envoy/ceasefire/").status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{MATRIX}?task=nothing", 400),
        (f"{MATRIX}?language=xx", 400),
        (f"{MATRIX}?phase=any", 400),
        ("/explore/matrix.csv?phase=ceasefire", 400),
        (f"{MATRIX}mediator/any/", 404),
        (f"{MATRIX}nobody/ceasefire/", 404),
        (f"{MATRIX}mediator/ceasefire/?page=9", 404),
        (f"{GRAPH}?steps=3", 400),
        ("/explore/graph/concept/nothing/", 404),
        ("/explore/graph/planet/mars/", 404),
    ],
)
def test_what_is_not_known_is_refused(client, library, address, status):
    assert client.get(address).status_code == status


def test_only_the_whole_matrix_is_for_search_engines(client, library):
    assert "noindex" not in html_of(client, MATRIX)
    for address in (f"{MATRIX}?language=fr", f"{MATRIX}?phase=ceasefire", f"{MATRIX}mediator/ceasefire/", GRAPH):
        assert '<meta name="robots" content="noindex, follow">' in html_of(client, address), address


# --- the graph ---------------------------------------------------------------------------------------------------


def test_the_graph_has_what_is_around_an_entry_and_says_how(client, library):
    html = html_of(client, GRAPH)
    assert nodes(html) == ["Truce", "Watching", "Accord 0", "Accord 1", "Mediator", "Talks", "Trêve"]
    assert relations(html) == [
        "concept of", "concept of", "concept of", "mentions (1)", "mentioned in (1)", "mentioned in (1)",
    ]  # fmt: skip
    listed = text_in(html.partition('id="list"')[2].partition("<svg")[0])
    assert "concept of Watching Accord 0 Accord 1 mentions Mediator 1 mentioned in Talks 1 Trêve 1" in listed


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("role/mediator", {"performs", "played by (2)", "played in", "mentioned in (5)"}),
        ("task/watching", {"performed by", "concept"}),
        ("actor/algeria", {"plays (2)", "played a role in"}),
        ("case/accord-1", {"role played", "took part", "concept"}),
        ("article/talks", {"mentions (5)", "mentions (1)"}),
    ],
)
def test_every_kind_of_entry_has_its_relations(client, library, address, expected):
    assert set(relations(html_of(client, f"/explore/graph/{address}/"))) >= expected


def test_operations_and_countries_are_related(client, library):
    published(
        Kind.OPERATION, title="UNX", acronym="UNX", region="africa", start="1999", end="2001", countries=["algeria"]
    )
    assert relations(html_of(client, "/explore/graph/operation/unx/")) == ["country"]
    assert "country of" in relations(html_of(client, "/explore/graph/actor/algeria/"))


def test_two_steps_show_whose_neighbours_they_are(client, library):
    html = html_of(client, "/explore/graph/task/drafting/?steps=2")
    beyond_the_role = ["Watching", "Algeria", "Accord 0", "Accord 1", "Monitor", "Trêve", "Truce"]
    assert nodes(html) == ["Drafting", "Mediator", *beyond_the_role, "Shuttle", "Talks"]
    listed = html.partition('id="list"')[2].partition("<svg")[0]
    assert listed.index("Watching") < listed.index("Shuttle")
    assert 'href="/explore/graph/role/mediator/?steps=2"' in html


@pytest.mark.parametrize("steps", [1, 2])
def test_of_many_neighbours_24_are_drawn_and_each_relation_gives_some(client, library, steps):
    for number in range(30):
        published_concept(f"Pause {number}", broader=["truce"])
        published_article(title=f"Essay {number}", source="A truce. A mediator and a shuttle.")
    html = html_of(client, f"{GRAPH}?steps={steps}")
    assert len(nodes(html)) == 25
    assert {"narrower", "concept of", "mentioned in (1)", "mentions (1)"} <= set(relations(html))
    assert "There are more than the 24 that are shown" in html
    assert html == html_of(client, f"{GRAPH}?steps={steps}")


def test_a_neighbour_in_several_relations_is_drawn_once(client, library):
    published_concept("Pause", broader=["truce"], related=["truce"], source="A truce.")
    html = html_of(client, GRAPH)
    assert nodes(html).count("Pause") == 1
    assert re.search(
        r"Pause</bdi></a>\s*<span class=\"note\">· related, mentions \(1\), mentioned in \(1\)</span>", html
    )


def test_names_are_text_in_the_drawing(client, library):
    published_concept("<script>alert(1)</script> & “x”", "Scripted", slug="script", broader=["truce"])
    html = html_of(client, GRAPH)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/scr" in html


def test_no_hidden_page_is_in_the_graph(client, library):
    draft_article(title="Secret", source="A mediator hid the truce.")
    gone = published_concept("Pause", broader=["truce"], source="A truce.")
    assert "Pause" in nodes(html_of(client, GRAPH))
    publishing.withdraw(gone, editor=None, reason="Wrong.")
    html = html_of(client, GRAPH)
    assert not {"Pause", "Secret"} & set(nodes(html))
    assert client.get("/explore/graph/concept/pause/").status_code == 410


def test_an_entry_without_neighbours_says_so(client, library):
    published_concept("Solitude")
    assert "Nothing is related to this entry yet." in html_of(client, "/explore/graph/concept/solitude/")


def test_an_entry_leads_to_what_is_around_it(client, library):
    assert f'href="{GRAPH}"' in html_of(client, "/concepts/truce/")
    assert 'href="/explore/graph/article/talks/"' in html_of(client, "/articles/talks/")


def test_a_name_leads_to_the_graph_of_its_entry(client, library):
    response = client.get("/explore/graph/?name=the+TRUCE")
    assert (response.status_code, response["Location"]) == (302, GRAPH)
    assert client.get("/explore/graph/")["Location"] == "/explore/"
    html = html_of(client, "/explore/graph/?name=truse%00<b>")
    assert f'href="{GRAPH}"' in html
    assert "<b>" not in html


# --- the drawing -------------------------------------------------------------------------------------------------


def _boxes(branches: list[Twig], mirrored: bool) -> list[tuple[int, int, int, int]]:
    drawing = draw("The centre of a drawing", branches, mirrored=mirrored)
    boxes = [drawing.centre, *drawing.boxes]
    assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in boxes)
    assert all(box.y >= 0 and box.y + box.height <= drawing.height for box in boxes)
    return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("twigs", [0, 1, 2, 5])
@pytest.mark.parametrize("number", [1, 2, 3, 8, 24])
def test_no_name_of_a_drawing_touches_another_one(number, twigs, mirrored):
    names = ["Short", "A name of some more words", "A name that is much longer than any place for it, whatever it is"]
    branches = [
        Twig(names[place % 3], "related", [Twig(names[twig % 3], "related") for twig in range(twigs)])
        for place in range(number)
    ]
    boxes = _boxes(branches, mirrored)
    for place, (x1, y1, x2, y2) in enumerate(boxes):
        for x3, y3, x4, y4 in boxes[place + 1 :]:
            assert x2 < x3 or x4 < x1 or y2 < y3 or y4 < y1


def test_a_drawing_for_lines_from_the_right_is_the_mirror_image():
    branches = [Twig("One", "a"), Twig("Two", "b"), Twig("Three", "c")]
    drawing, mirror = draw("Centre", branches, mirrored=False), draw("Centre", branches, mirrored=True)
    assert [drawing.width - box.x - box.width for box in drawing.boxes] == [box.x for box in mirror.boxes]
    assert [box.y for box in drawing.boxes] == [box.y for box in mirror.boxes]


# --- all of it ---------------------------------------------------------------------------------------------------


def test_the_page_of_ways_to_explore_leads_to_each(client, library):
    html = main_of(html_of(client, "/explore/"))
    for address in (MATRIX, "/cases/", "/operations/", "/actors/", "/sources/", "/tags/"):
        assert f'href="{address}"' in html
    assert re.search(r'href="/explore/graph/concept/[a-z]+/"', html)


@pytest.mark.parametrize("address", ["/explore/", MATRIX, f"{MATRIX}mediator/ceasefire/", GRAPH])
def test_the_menu_says_that_one_explores(client, library, address):
    menu = html_of(client, address).partition('class="menu"')[2].partition("</nav>")[0]
    assert re.findall(r'<a href="([^"]+)" aria-current="true">', menu) == ["/explore/"]


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/explore/", 1),
        (MATRIX, 6),
        (f"{MATRIX}?task=watching&language=en", 6),
        (f"{MATRIX}?phase=ceasefire", 6),
        (f"{MATRIX}mediator/ceasefire/", 7),
        ("/explore/matrix.csv", 6),
        (GRAPH, 5),
        (f"{GRAPH}?steps=2", 9),
    ],
)
def test_views_ask_as_often_however_much_there_is(client, library, address, most):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
            assert response.status_code == 200
            response.getvalue()
        return len(queries)

    assert asked() <= most
    for number in range(12):
        published_role(f"Envoy {number}", performs=["watching"])
        published_article(title=f"Essay {number}", source=f"The mediator and envoy {number} saw a truce by shuttle.")
    assert asked() <= most


@pytest.mark.parametrize("language", Language.values)
def test_the_views_are_there_in_every_language(client, library, language):
    prefix = "" if language == "en" else f"/{language}"
    for address in ("/explore/", MATRIX, f"{MATRIX}mediator/ceasefire/", GRAPH, f"{GRAPH}?steps=2"):
        html_of(client, prefix + address)
