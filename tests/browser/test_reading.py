"""Reading in a real browser: previews, contents that follow, copying, keys, and display settings without a script."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.factories import published_article, published_concept

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("complaints")]

ADDRESS = "/articles/how-wars-end/"
FILLER = "Delegations met again and again, and each time somebody found words that both could bear. " * 12
ESSAY = f"""A ceasefire opens the way to talks.[^1] {FILLER}

The parties keep it. {FILLER}

## How it begins

A mediation takes months. {FILLER}

## How it lasts

Institutions take years. {FILLER}

## What is left

Patience. {FILLER}

[^1]: Often by telephone."""


@pytest.fixture(autouse=True)
def texts(context: BrowserContext) -> None:
    published_concept("Ceasefire", source="An agreed end to fighting. " * 4, phases=["ceasefire"])
    published_concept("Mediation", source="Help from a third party.")
    published_article(title="How wars end", source=ESSAY, authors=["Hala Haddad"])


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The previews that a page has asked the server for."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url) if "/preview/" in request.url else None)
    return paths


@pytest.fixture
def tick(page: Page) -> Callable[[int], None]:
    """Open the essay and stop its clock: then so many milliseconds pass when they are told to, and no others."""
    page.clock.install(time=0)
    page.goto(ADDRESS)
    page.clock.pause_at(60_000)
    return page.clock.run_for


def link(page: Page) -> Locator:
    return page.locator(".essay a.concept", has_text="ceasefire").first


def peek(page: Page) -> Locator:
    return page.locator(".peek")


def move_to(page: Page, part: Locator) -> None:
    box = part.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def settled(page: Page) -> None:
    """Wait until answers have arrived and what hung on them is done."""
    page.wait_for_load_state("networkidle")
    page.evaluate("fetch('/healthz/').then((answer) => answer.text())")


# --- previews ----------------------------------------------------------------------------------------------------


def test_a_preview_is_fetched_at_150_ms_shown_at_400_and_stays_while_the_pointer_is_on_it(
    page: Page, tick: Callable[[int], None], asked: list[str]
):
    move_to(page, link(page))
    tick(140)
    assert asked == []
    with page.expect_response("**/preview/concept/ceasefire/"):
        tick(20)
    settled(page)
    tick(230)
    assert peek(page).is_hidden()
    tick(20)
    expect(peek(page)).to_be_visible()
    expect(peek(page)).to_contain_text("Concept · Ceasefire")
    expect(peek(page)).to_contain_text("An agreed end to fighting.")
    expect(link(page)).to_have_attribute("aria-describedby", "on.peek")

    # Into the box, where it stays for as long as one likes.
    move_to(page, peek(page).get_by_role("link", name="Read the full entry"))
    tick(5_000)
    assert peek(page).is_visible()

    # Out of it: 300 ms more.
    page.mouse.move(2, 2)
    tick(290)
    assert peek(page).is_visible()
    tick(20)
    assert peek(page).is_hidden()
    assert link(page).get_attribute("aria-describedby") is None

    # The second time, nothing is fetched.
    move_to(page, link(page))
    tick(160)
    tick(250)
    expect(peek(page)).to_be_visible()
    assert len(asked) == 1
    peek(page).get_by_role("link", name="Read the full entry").click()
    expect(page).to_have_url(re.compile(r"/concepts/ceasefire/$"))


def test_a_pointer_that_passes_fetches_nothing(page: Page, tick: Callable[[int], None], asked: list[str]):
    for _ in range(3):
        move_to(page, link(page))
        tick(100)
        page.mouse.move(2, 2)
        tick(500)
    assert asked == []
    assert peek(page).is_hidden()


def test_one_preview_at_a_time_and_none_inside_a_preview(page: Page, tick: Callable[[int], None], asked: list[str]):
    for name in ("ceasefire", "mediation"):
        target = page.locator(".essay a.concept", has_text=name).first
        target.scroll_into_view_if_needed()
        with page.expect_response(f"**/preview/concept/{name}/"):
            move_to(page, target)
            tick(160)
        settled(page)
        tick(250)
        expect(peek(page)).to_contain_text(name, ignore_case=True)
    assert page.locator(".peek:visible").count() == 1
    move_to(page, peek(page).get_by_role("link", name="Read the full entry"))
    tick(1_000)
    assert len(asked) == 2


def test_escape_closes_a_preview_until_the_pointer_has_left(page: Page, asked: list[str]):
    page.goto(ADDRESS)
    move_to(page, link(page))
    expect(peek(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(peek(page)).to_be_hidden()
    box = link(page).bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + 5)
    page.wait_for_timeout(700)
    assert peek(page).is_hidden()
    page.mouse.move(2, 2)
    move_to(page, link(page))
    expect(peek(page)).to_be_visible()


def test_focus_shows_a_preview_as_a_description_and_a_pointer_elsewhere_leaves_it(page: Page):
    page.goto(ADDRESS)
    page.locator(".contents-wide a").last.focus()
    page.keyboard.press("Tab")
    expect(link(page)).to_be_focused()
    expect(peek(page)).to_be_visible()
    expect(link(page)).to_have_accessible_description(re.compile("An agreed end to fighting"))
    move_to(page, page.locator("h1"))
    page.mouse.move(2, 2)
    page.wait_for_timeout(500)
    assert peek(page).is_visible()
    page.keyboard.press("Escape")
    expect(peek(page)).to_be_hidden()
    expect(link(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(peek(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect(peek(page)).to_be_hidden()


def test_a_preview_that_fails_says_so_and_leads_to_the_entry(page: Page, complaints: list[str]):
    page.route("**/preview/**", lambda route: route.abort())
    page.goto(ADDRESS)
    move_to(page, link(page))
    expect(peek(page)).to_contain_text("The preview could not be loaded · Open the entry")
    peek(page).get_by_role("link", name="Open the entry").click()
    expect(page).to_have_url(re.compile(r"/concepts/ceasefire/$"))
    complaints.clear()  # of the line that was cut here


def test_previews_stay_inside_a_narrow_window_and_begin_with_their_link(page: Page):
    for width in (1280, 420, 320):
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(ADDRESS)
        link(page).scroll_into_view_if_needed()
        move_to(page, link(page))
        expect(peek(page)).to_be_visible()
        box, start = peek(page).bounding_box(), link(page).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 1280:
            assert abs(box["x"] - start["x"]) < 2
            assert abs(box["y"] - start["y"] - start["height"]) < 8


def test_a_preview_begins_at_the_right_where_the_text_does(page: Page):
    published_concept("الوساطة", slug="wasata", source="طرف ثالث يساعد.", language="ar")
    published_article(title="نص", slug="nass", source=f"تبدأ الوساطة قبل الحرب. {'كلمة ' * 60}", language="ar")
    page.goto("/articles/nass/")
    target = page.locator(".essay a.concept").first
    move_to(page, target)
    expect(peek(page)).to_contain_text("طرف ثالث يساعد.")
    box, start = peek(page).bounding_box(), target.bounding_box()
    assert abs(box["x"] + box["width"] - start["x"] - start["width"]) < 2


def test_somebody_who_saves_data_gets_no_preview_on_hover(page: Page, asked: list[str]):
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page.goto(ADDRESS)
    move_to(page, link(page))
    page.wait_for_timeout(700)
    assert asked == []
    assert peek(page).is_hidden()


def test_a_finger_opens_a_sheet_first_and_follows_with_the_second_tap(browser: Browser, live_server: Any):
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone = context.new_page()
    phone.goto(ADDRESS)
    link(phone).tap()
    expect(peek(phone)).to_contain_text("An agreed end to fighting.")
    assert phone.url.endswith(ADDRESS)
    box = peek(phone).bounding_box()
    assert (box["x"], box["width"], round(box["y"] + box["height"])) == (0, 390, 844)
    for target in (peek(phone).get_by_role("link"), peek(phone).get_by_role("button", name="Close")):
        assert target.bounding_box()["height"] >= 44

    peek(phone).get_by_role("button", name="Close").tap()
    expect(peek(phone)).to_be_hidden()
    link(phone).tap()
    expect(peek(phone)).to_be_visible()
    phone.locator("h1").tap()
    expect(peek(phone)).to_be_hidden()

    link(phone).tap()
    expect(peek(phone)).to_be_visible()
    link(phone).tap()
    expect(phone).to_have_url(re.compile(r"/concepts/ceasefire/$"))
    phone.go_back()
    expect(peek(phone)).to_be_hidden()
    link(phone).tap()
    peek(phone).get_by_role("link", name="Read the full entry").tap()
    expect(phone).to_have_url(re.compile(r"/concepts/ceasefire/$"))
    context.close()


# --- contents and copying ----------------------------------------------------------------------------------------


def test_the_contents_follow_the_reader(page: Page):
    page.goto(ADDRESS)
    current = page.locator(".contents-wide [aria-current]")
    for heading in ("How it begins", "What is left", "How it lasts"):
        page.locator(".essay h2", has_text=heading).evaluate("(heading) => heading.scrollIntoView()")
        expect(current).to_have_count(1)
        expect(current).to_contain_text(heading)
    page.evaluate("scrollTo(0, 0)")
    page.locator("#p1").evaluate("(paragraph) => paragraph.scrollIntoView()")
    expect(current).to_contain_text("Introduction")


def test_a_paragraph_is_copied_as_a_link_and_as_a_quotation(page: Page, context: BrowserContext):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(ADDRESS)
    assert page.locator(".copy").count() == 0
    length = page.evaluate("document.documentElement.scrollHeight")
    page.locator("#p2 > a.pm").hover()
    tools = page.locator("#p2 .copy")
    expect(tools).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") == length  # nothing has moved
    tools.get_by_role("button", name="Copy link").click()
    expect(tools.get_by_role("status")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == "http://127.0.0.1:8000/articles/how-wars-end/?v=1#p2"

    # By keyboard: the tools come next after the number.
    page.mouse.move(2, 2)
    page.locator("#p1 .footnote-ref").focus()
    for target in (page.locator("#p1 > a.pm"), page.get_by_role("button", name="Copy link")):
        page.keyboard.press("Tab")
        expect(target).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Quote")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#p1").get_by_role("status")).to_have_text("Quotation copied, with its citation")
    quoted, cited = page.evaluate("navigator.clipboard.readText()").strip().split("\n\n")
    assert quoted == f"A ceasefire opens the way to talks. {FILLER}".strip()
    assert cited.startswith("Hala Haddad, “How wars end”, PeaceKB, version 1, ")
    assert cited.endswith(", para. 1, http://127.0.0.1:8000/articles/how-wars-end/?v=1#p1")

    page.locator("h1").click()
    expect(page.locator(".copy")).to_have_count(0)


def test_a_copy_that_the_browser_forbids_is_told(page: Page):
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    page.goto(ADDRESS)
    page.locator("#p2 > a.pm").hover()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#p2").get_by_role("status")).to_have_text("The browser does not allow copying.")


# --- keys --------------------------------------------------------------------------------------------------------


def test_keys_lead_through_a_text(page: Page):
    page.goto(ADDRESS)
    for key, heading in (("n", "How it begins"), ("n", "How it lasts"), ("p", "How it begins"), ("p", "How wars end")):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_contain_text(heading)
        expect(page.locator(":focus")).to_be_in_viewport()
    # A keyboard on which the same key writes an Arabic letter.
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ى', code: 'KeyN', bubbles: true}))")
    expect(page.locator(":focus")).to_contain_text("How it begins")

    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    expect(keys.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page.locator(":focus")).to_contain_text("How it begins")

    page.keyboard.press("/")
    expect(page.locator(".menu-wide input[type=search]")).to_be_focused()
    page.keyboard.type("n/p?")
    expect(page.locator(".menu-wide input[type=search]")).to_have_value("n/p?")
    expect(keys).to_be_hidden()


def test_keys_go_from_one_section_page_to_the_next(page: Page):
    page.goto(f"{ADDRESS}how-it-begins/")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/how-it-lasts/$"))
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("/how-it-begins/$"))


def test_the_key_of_the_search_opens_the_menu_of_a_narrow_window(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(ADDRESS)
    page.keyboard.press("/")
    expect(page.locator(".menu-narrow input[type=search]")).to_be_focused()
    expect(page.locator(".menu-narrow input[type=search]")).to_be_visible()


def test_keys_with_a_modifier_are_the_browsers(page: Page):
    page.goto(ADDRESS)
    for keys in ("ctrl+n", "alt+p", "meta+n", "shift+N"):
        page.evaluate(
            """(keys) => {
                const [modifier, key] = keys.split("+");
                const held = { [`${modifier}Key`]: true };
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...held }));
            }""",
            keys,
        )
    assert page.evaluate("document.activeElement === document.body")


# --- display settings --------------------------------------------------------------------------------------------


def test_previews_and_keys_are_switched_off(page: Page, asked: list[str]):
    page.goto(ADDRESS)
    page.get_by_role("contentinfo").get_by_role("link", name="Display").click()
    page.get_by_role("group", name="Previews").get_by_label("Off").check()
    page.get_by_role("group", name="Keys").get_by_label("Off").check()
    page.get_by_role("button", name="Keep this").click()
    expect(page).to_have_url(re.compile(f"{ADDRESS}$"))
    move_to(page, link(page))
    page.keyboard.press("n")
    page.keyboard.press("?")
    page.wait_for_timeout(700)
    assert asked == []
    assert page.locator(".peek, dialog").count() == 0
    assert page.evaluate("document.activeElement === document.body")


def test_display_settings_and_every_text_work_without_a_script(browser: Browser, live_server: Any):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, color_scheme="light")
    page = context.new_page()
    page.goto(ADDRESS)
    for words in ("A ceasefire opens the way", "A mediation takes months", "Patience."):
        expect(page.get_by_text(words)).to_be_visible()
    for added in (".peek", ".copy", "dialog", "[aria-current=location]"):
        assert page.locator(added).count() == 0
    size = style(page.locator("#p1"), "font-size")
    assert style(page.locator("body"), "background-color") == "rgb(255, 255, 255)"
    assert "underline" in style(link(page), "text-decoration-line")

    page.get_by_role("contentinfo").get_by_role("link", name="Display").click()
    page.get_by_label("Dark").check()
    page.get_by_label("Much larger").check()
    page.get_by_role("group", name="Underline of concepts").get_by_label("Off").check()
    page.get_by_role("button", name="Keep this").click()
    expect(page).to_have_url(re.compile(f"{ADDRESS}$"))
    assert style(page.locator("body"), "background-color") == "rgb(14, 23, 31)"
    assert float(style(page.locator("#p1"), "font-size")[:-2]) == pytest.approx(float(size[:-2]) * 1.25, abs=0.1)
    assert style(link(page), "text-decoration-line") == "none"
    page.goto("/ar/about/")
    assert style(page.locator("html"), "font-size") == "21.25px"  # 106.25 % of 16, and a quarter more
    page.go_back()
    assert [cookie["name"] for cookie in context.cookies()] == ["display"]

    page.get_by_role("contentinfo").get_by_role("link", name="Display").click()
    page.get_by_label("As the device has it").check()
    page.get_by_label("As the browser has it").check()
    page.get_by_role("group", name="Underline of concepts").get_by_label("On").check()
    page.get_by_role("button", name="Keep this").click()
    assert context.cookies() == []
    assert style(page.locator("body"), "background-color") == "rgb(255, 255, 255)"
    context.close()


def style(part: Locator, name: str) -> str:
    """Give a computed value. Playwright asks from outside the page, whose own scripts are off."""
    return str(part.evaluate("(part, name) => getComputedStyle(part).getPropertyValue(name)", name))


def test_the_reading_face_is_our_own_and_a_page_asks_nobody_else(page: Page, live_server: Any):
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(ADDRESS)
    page.evaluate("document.fonts.load('400 19px \"Source Serif 4\"')")
    loaded = page.evaluate("[...document.fonts].filter((face) => face.status === 'loaded').map((face) => face.weight)")
    assert "400" in loaded
    assert all(address.startswith(live_server.url) for address in addresses)
    # Nobody's name needs the letters of transliteration here.
    assert not [address for address in addresses if "latin-ext" in address]
