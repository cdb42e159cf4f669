"""Evidence in a real browser: a mark leads to it, with and without a script, and paper shows it open."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.public_pages import ESSAY

pytestmark = pytest.mark.browser

MARK, BOX = "a.evidence-mark", "details.evidence"


@pytest.mark.parametrize("with_script", [True, False])
def test_a_mark_opens_the_evidence_on_its_sentence(browser: Browser, library_site: str, with_script: bool) -> None:
    context = browser.new_context(base_url=library_site, java_script_enabled=with_script)
    page = context.new_page()
    page.goto(ESSAY)
    first = page.locator(BOX).first
    expect(first.locator("dl").first).to_be_hidden()
    page.locator(MARK).nth(1).click()
    claim = page.locator(":target")
    expect(claim).to_be_in_viewport()
    expect(claim.locator("blockquote")).to_have_text(
        "Islamic nations have been consistent contributors to these operations."
    )
    assert [text.split(":")[0] for text in claim.locator("dt").all_inner_texts()] == [
        "Supports",
        "Qualifies",
        "Contradicts",
    ]
    context.close()


def test_evidence_is_opened_by_keyboard_alone(reader: Page) -> None:
    reader.goto(ESSAY)
    reader.locator(f"{BOX} > summary").first.focus()
    reader.keyboard.press("Enter")
    expect(reader.locator(BOX).first.locator("dl").first).to_be_visible()


def test_the_three_sides_look_the_same(reader: Page) -> None:
    reader.goto(f"{ESSAY}evidence/")
    looks = reader.evaluate(
        """() => ["dt", "dd", "dd a", "dd p"].map(part => new Set(
            [0, 1, 2].map(side => {
                const { color, backgroundColor, fontSize, fontWeight, borderTopColor } =
                    getComputedStyle(document.querySelectorAll(".claim .side")[side].querySelector(part));
                return [color, backgroundColor, fontSize, fontWeight, borderTopColor].join();
            })).size)"""
    )
    assert looks == [1, 1, 1, 1]


def test_paper_shows_evidence_open(reader: Page) -> None:
    reader.emulate_media(media="print")
    reader.goto(ESSAY)
    expect(reader.locator(BOX).first.locator("dl").first).to_be_visible()
