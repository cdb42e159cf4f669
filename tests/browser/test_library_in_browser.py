"""The tables of the record and the timeline in a browser: two clicks from home, by keyboard, without a script."""

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

pytestmark = pytest.mark.browser


def row_of(reader: Page, name: str) -> str:
    return reader.get_by_role("row", name=name).first.inner_text()


def test_which_cases_algeria_mediated_and_whether_they_held(reader: Page) -> None:
    reader.goto("/")
    reader.get_by_role("main").get_by_role("link", name="Cases", exact=True).click()
    reader.get_by_role("navigation", name="Narrow by").get_by_role("link", name="Algeria", exact=False).click()
    expect(reader.get_by_role("heading", name="9 cases")).to_be_visible()
    expect(reader.get_by_text("3 held · 3 partly held · 3 collapsed")).to_be_visible()
    accords = row_of(reader, "Algiers Accords on the embassy hostages")
    assert "Algeria · Mediator" in accords
    assert "Held" in accords


def test_the_timeline_is_walked_by_keyboard_and_scrolls_in_its_own_frame(browser: Browser, library_site: str) -> None:
    phone = ViewportSize(width=390, height=844)
    with browser.new_context(base_url=library_site, viewport=phone, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/explore/timeline/?what=operations&decade=1940")
        frame = page.get_by_role("region", name="Drawing of the years")
        frame.focus()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="UNTSO").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{library_site}/operations/untso/")


def test_an_event_of_another_page_of_the_timeline_is_one_click_away(reader: Page) -> None:
    reader.goto("/explore/timeline/")
    reader.get_by_role("link", name="Mali accord completed", exact=True).click()
    expect(reader.get_by_role("row", name="Mali accord completed")).to_be_in_viewport()
