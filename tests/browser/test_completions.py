"""Suggestions while a reader types, in a real browser: by key, by click, by touch, and what a screen reader is told."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

from tests.factories import published_article, published_concept, published_role

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("complaints")]

AXE = Axe().axe_script


@pytest.fixture(autouse=True)
def texts(context: BrowserContext) -> None:
    arabic = {"text": "وساطة", "language": "ar", "kind": "pref"}
    published_concept("Mediation", "good offices", label_rows=[arabic], tags=["mediation"])
    published_role("Mediator")
    published_article(title="How mediation ends", slug="how-mediation-ends")


@pytest.fixture
def asked(page: Page) -> list[str]:
    """What a page has asked suggestions for."""
    texts: list[str] = []

    def note(request: Request) -> None:
        if "suggest" in request.url:
            texts.append(request.url.partition("?q=")[2])

    page.on("request", note)
    return texts


def field(page: Page) -> Locator:
    # A page without a text has a form of its own beside that of the masthead.
    # On the page of a text it is a combobox only once it has the focus.
    return page.locator("form[role=search] input[name=q]:visible").last


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def chosen(page: Page) -> str | None:
    """Give the option that a screen reader is told to be at."""
    key = field(page).get_attribute("aria-activedescendant")
    return page.locator(f"[id='{key}'][aria-selected=true]").inner_text() if key else None


def type_in(page: Page, text: str) -> None:
    field(page).press_sequentially(text)
    expect(options(page).first).to_be_visible()


def test_typing_opens_a_list_in_groups_and_says_how_many_there_are(page: Page):
    page.goto("/")
    assert field(page).get_attribute("aria-expanded") == "false"
    type_in(page, "med")
    assert options(page).all_inner_texts() == ["Mediation", "Mediator", "How mediation ends", "mediation"]
    assert [group.get_attribute("aria-labelledby") for group in page.get_by_role("group").all()]
    for name in ("Concepts", "Roles", "Articles", "Tags"):
        expect(page.get_by_role("group", name=name)).to_be_visible()
    expect(field(page)).to_have_attribute("aria-expanded", "true")
    controlled = field(page).get_attribute("aria-controls")
    expect(page.locator(f"[id='{controlled}'][role=listbox]")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("4 suggestions")
    assert chosen(page) is None
    expect(field(page)).to_be_focused()


def test_the_arrows_go_round_and_enter_opens_what_they_reached(page: Page):
    page.goto("/")
    type_in(page, "medi")
    told = []
    for key in ["ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown"]:
        field(page).press(key)
        told.append(chosen(page))
    assert told == ["Mediation", "Mediator", "Mediation", None, "mediation", None, "Mediation", "Mediator"]
    expect(field(page)).to_have_value("medi")
    field(page).press("Enter")
    page.wait_for_url("**/roles/mediator/")


def test_enter_without_a_choice_searches(page: Page):
    page.goto("/")
    type_in(page, "med")
    field(page).press("Enter")
    page.wait_for_url("**/search/?q=med")


def test_home_end_and_letters_lead_back_to_the_text(page: Page):
    page.goto("/")
    type_in(page, "med")
    for key in ("Home", "End", "i"):
        field(page).press("ArrowDown")
        assert chosen(page) == "Mediation"
        field(page).press(key)
        assert chosen(page) is None
    expect(field(page)).to_have_value("medi")


def test_escape_closes_the_list_then_empties_the_field(page: Page):
    page.goto("/")
    type_in(page, "med")
    field(page).press("ArrowDown")
    field(page).press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field(page)).to_have_value("med")
    expect(field(page)).to_have_attribute("aria-expanded", "false")
    assert chosen(page) is None
    field(page).press("ArrowDown")
    expect(options(page).first).to_be_visible()
    field(page).press("Escape")
    field(page).press("Escape")
    expect(field(page)).to_have_value("")


def test_tab_leaves_the_list_behind(page: Page):
    page.goto("/")
    type_in(page, "med")
    field(page).press("ArrowDown")
    field(page).press("Tab")
    expect(page.get_by_role("button", name="Search")).to_be_focused()
    expect(options(page)).to_have_count(0)


def test_a_click_opens_a_page_and_says_why_it_was_found(page: Page):
    page.goto("/")
    type_in(page, "good")
    expect(options(page)).to_have_text("Mediation also called “good offices”")
    expect(options(page).locator("mark")).to_have_text("good")
    options(page).click()
    page.wait_for_url("**/concepts/mediation/")


def test_a_finger_opens_a_page(browser: Browser, live_server: Any):
    context = browser.new_context(base_url=live_server.url, has_touch=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/")
    field(page).tap()
    type_in(page, "med")
    assert options(page).first.bounding_box()["height"] >= 44
    options(page).nth(1).tap()
    page.wait_for_url("**/roles/mediator/")
    context.close()


def test_the_server_is_asked_when_a_pause_is_made_and_for_two_letters(page: Page, asked: list[str]):
    page.clock.install(time=0)
    page.goto("/")
    page.clock.pause_at(60_000)
    field(page).press_sequentially("m")
    page.clock.run_for(1_000)
    field(page).press_sequentially("ed")
    page.clock.run_for(140)
    assert asked == []
    with page.expect_response("**/search/suggest/?q=med"):
        page.clock.run_for(20)
    assert asked == ["med"]


def test_a_late_answer_is_dropped(page: Page):
    held: list[Callable[[], None]] = []
    page.route("**/suggest/?q=me", lambda route: held.append(route.continue_))
    page.goto("/")
    with page.expect_request("**/suggest/?q=me"):
        field(page).press_sequentially("me")
    field(page).press_sequentially("diator")
    expect(options(page)).to_have_text(["Mediator"])
    page.unroute_all(behavior="ignoreErrors")
    assert held
    page.evaluate("fetch('/healthz/').then((answer) => answer.text())")
    expect(options(page)).to_have_text(["Mediator"])


def test_letters_that_are_being_composed_ask_nothing_until_they_are_done(page: Page, asked: list[str]):
    page.goto("/")
    session = page.context.new_cdp_session(page)
    field(page).focus()
    session.send("Input.imeSetComposition", {"text": "med", "selectionStart": 3, "selectionEnd": 3})
    page.wait_for_timeout(400)
    assert asked == []
    session.send("Input.insertText", {"text": "med"})
    expect(options(page).first).to_be_visible()


def test_nothing_known_closes_the_list_and_says_so(page: Page):
    page.goto("/")
    type_in(page, "med")
    field(page).press_sequentially("xx")
    expect(options(page)).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("No suggestions")
    expect(field(page)).to_have_attribute("aria-expanded", "false")


def test_a_server_that_fails_leaves_a_form_that_searches(page: Page, complaints: list[str]):
    page.route("**/suggest/**", lambda route: route.abort())
    page.goto("/")
    field(page).press_sequentially("med")
    page.wait_for_timeout(400)
    complaints.clear()  # Chromium writes a line of its own
    expect(options(page)).to_have_count(0)
    field(page).press("Enter")
    page.wait_for_url("**/search/?q=med")


@pytest.mark.parametrize("path", ["/", "/concepts/mediation/", "/search/?q=zz", "/nowhere/"])
def test_every_search_form_completes_and_axe_finds_nothing_on_the_open_list(
    page: Page, complaints: list[str], path: str
):
    page.goto(path)
    complaints.clear()  # of the page that is not there
    field(page).fill("")
    type_in(page, "me")
    field(page).press("ArrowDown")
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))")
    assert found == []


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}])
@pytest.mark.parametrize("path", ["/concepts/mediation/", "/ar/concepts/mediation/"])
def test_the_key_of_the_search_leads_to_a_list_inside_the_window(page: Page, path: str, size: Any):
    page.set_viewport_size(size)
    page.goto(path)
    page.keyboard.press("/")
    page.keyboard.type("me")
    box = page.get_by_role("listbox").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_reader_of_arabic_chooses_from_right_to_left(page: Page):
    page.goto("/ar/")
    page.locator("#q").press_sequentially("الوس")
    expect(options(page)).to_have_text(["وساطة"])
    page.locator("#q").press("ArrowDown")
    page.locator("#q").press("Enter")
    page.wait_for_url("**/ar/concepts/mediation/")


def test_without_a_script_the_form_searches(browser: Browser, live_server: Any):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("#q").fill("med")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search/?q=med")
    context.close()
