"""The matrix and the graph of the starter library with a keyboard, on a telephone and on paper."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

pytestmark = pytest.mark.browser

GRAPH = "/explore/graph/concept/ceasefire/"
PHONE = ViewportSize(width=390, height=844)
IN_VIEW = "element => { const box = element.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth }"


def test_the_keyboard_reaches_a_cell_and_what_it_counts(reader: Page) -> None:
    reader.goto("/explore/matrix/")
    row = reader.get_by_role("row").filter(has=reader.get_by_role("rowheader", name="Mediator", exact=True))
    cell = row.get_by_role("link").nth(1)
    row.get_by_role("link").first.focus()
    reader.keyboard.press("Tab")
    expect(cell).to_be_focused()
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", level=1)).to_contain_text("Mediator · ")


def test_the_keyboard_walks_through_the_graph(reader: Page) -> None:
    reader.goto(GRAPH)
    drawing = reader.locator(".graph a")
    drawing.first.focus()
    for place in range(1, drawing.count()):
        reader.keyboard.press("Tab")
        expect(drawing.nth(place)).to_be_focused()
    name = drawing.last.text_content()
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", level=1)).to_contain_text(f"Around “{' '.join((name or '').split())}")


def test_on_a_telephone_the_list_comes_first_and_the_drawing_scrolls_in_its_frame(reader: Page) -> None:
    reader.set_viewport_size(PHONE)
    reader.goto(GRAPH)
    listed, frame = reader.locator("section[aria-labelledby=list]"), reader.locator(".graph")
    assert _top(listed) < _top(frame)
    last = reader.locator(".graph a").nth(3)
    last.focus()
    assert last.evaluate(IN_VIEW)
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_telephone_a_phase_is_chosen_before_its_roles(reader: Page) -> None:
    reader.set_viewport_size(PHONE)
    reader.goto("/explore/matrix/")
    expect(reader.get_by_role("table")).to_be_hidden()
    reader.get_by_role("navigation", name="Phase").get_by_role("link", name="Ceasefire").click()
    expect(reader.get_by_role("heading", level=2, name="Ceasefire")).to_be_visible()
    expect(reader.get_by_role("list").get_by_role("link", name="Mediator", exact=True)).to_be_visible()


def test_paper_has_the_matrix_and_the_whole_drawing(reader: Page) -> None:
    reader.set_viewport_size(ViewportSize(width=640, height=900))  # A4 without its margins
    reader.emulate_media(media="print")
    reader.goto("/explore/matrix/")
    expect(reader.get_by_role("table")).to_be_visible()
    reader.goto(GRAPH)
    assert reader.locator(".graph svg").evaluate(IN_VIEW)


def _top(part: Any) -> float:
    top: float = part.bounding_box()["y"]
    return top
