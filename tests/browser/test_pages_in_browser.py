"""What a browser makes of every page type: access, width, stillness, requests, the keyboard, no JavaScript."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, JSHandle, Page, ViewportSize, expect

from tests.public_pages import CONCEPT, ERRORS, ESSAY, HOME, PAGES, SEARCH

pytestmark = pytest.mark.browser

# What a library has when it is some years old: see `past`.
PAST = [
    "/articles/a-revised-text/?v=1",
    "/articles/a-revised-text/history/",
    "/articles/a-revised-text/history/?from=1&to=2",
    "/articles/a-withdrawn-text/",
]
ALL = [*PAGES, *PAST, *ERRORS]
# Read from the other side, and in other letters: the page types, each once.
IN_ARABIC = [
    f"/ar{address}"
    for address in (
        HOME,
        "/about/",
        "/display/",
        ESSAY,
        f"{ESSAY}introduction/",
        f"{ESSAY}history/",
        f"{ESSAY}cite/",
        f"{ESSAY}evidence/",
        "/concepts/",
        CONCEPT,
        f"{CONCEPT}mentions/",
        "/roles/mediator/",
        "/phases/ceasefire/",
        "/tags/mediation+negotiation/",
        "/sources/",
        SEARCH,
        "/search/?q=zanzibarine",
        "/nowhere/",
    )
]
FIRST_VIEWS = [HOME, ESSAY, CONCEPT, SEARCH]

WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
NARROW = ViewportSize(width=320, height=256)  # also 1280 × 1024 at 400 %
AXE = Axe().axe_script
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The dark theme differs in colours alone. To judge them takes two thirds of axe's time.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# Notes what decides the contrast of each element, and gives those that are seen and in which it is new.
NEW_LOOKS = """
() => [...document.querySelectorAll("body, body *")].filter(element => {
    const { color, backgroundColor, backgroundImage, opacity, fontSize, fontWeight } = getComputedStyle(element);
    const isLarge = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
    const isSeen = element.checkVisibility();
    const look = [isSeen, color, backgroundColor, backgroundImage, opacity, isLarge].join();
    const isNew = element.look !== look;
    element.look = look;
    return isSeen && isNew;
})
"""
# Leaves out what looks as one before it does, all the way up: of hundreds in a list, one stands for the others.
ONE_OF_EACH = """
() => {
    const known = new Set(), include = [document.body], exclude = [];
    const look = (element, above, isLeftOut) => {
        const { color, backgroundColor } = getComputedStyle(element);
        const way = [above, element.tagName, element.getAttribute("class"), color, backgroundColor].join();
        const isKnown = known.has(way);
        if (isKnown !== isLeftOut) (isKnown ? exclude : include).push(element);
        known.add(way);
        for (const child of element.children) look(child, way, isKnown);
    };
    look(document.body, "", false);
    return { include, exclude };
}
"""
NOTE_SHIFTS = """
window.shifts = [];
const told = node => node ? (node.outerHTML || node.textContent).slice(0, 120) : "";
new PerformanceObserver(list => {
    for (const entry of list.getEntries())
        window.shifts.push([entry.value, ...entry.sources.map(source => told(source.node))]);
}).observe({ type: "layout-shift", buffered: true });
"""


# The texts that are written in letters of less than 13 pixels.
SMALL_PRINT = """
() => [...document.querySelectorAll("body *")]
    .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(element => parseFloat(getComputedStyle(element).fontSize) < 13)
    .map(element => element.outerHTML.slice(0, 120))
"""


def complaints_of_axe(page: Page, where: JSHandle | None = None, **options: Any) -> list[str]:
    """Ask axe-core, which `page` has loaded, and give what it finds: the rule and where it is broken."""
    violations = page.evaluate(
        "([where, options]) => axe.run(where ?? document, options).then(found => found.violations)",
        [where, {"resultTypes": ["violations"], **options}],
    )
    return [f"{violation['id']}: {node['html'][:120]}" for violation in violations for node in violation["nodes"]]


@pytest.mark.parametrize("path", ALL + IN_ARABIC)
def test_axe_finds_nothing_on_screens_and_phones_by_day_and_by_night(reader, path):
    reader.goto(path)
    reader.evaluate(AXE)
    everything, colours = {"type": "tag", "values": STANDARD}, {"type": "rule", "values": OF_COLOURS}
    found = {}
    for scheme in ("light", "dark"):
        reader.emulate_media(color_scheme=scheme)
        reader.set_viewport_size(WIDE)
        if scheme == "light":
            found["wide"] = complaints_of_axe(reader, runOnly=everything)
        else:
            found["wide, dark"] = complaints_of_axe(reader, reader.evaluate_handle(ONE_OF_EACH), runOnly=colours)
        reader.evaluate(NEW_LOOKS)
        reader.set_viewport_size(PHONE)
        found[f"phone, {scheme}"] = complaints_of_axe(reader, reader.evaluate_handle(NEW_LOOKS), runOnly=colours)
    without_colours = {rule: {"enabled": False} for rule in OF_COLOURS}
    found["phone"] = complaints_of_axe(reader, runOnly=everything, rules=without_colours)
    assert {name: complaints for name, complaints in found.items() if complaints} == {}


@pytest.mark.parametrize("path", ALL + IN_ARABIC)
def test_a_page_fits_every_width_stands_still_and_asks_nobody_else(reader, library_site, path):
    asked: list[str] = []
    complaints: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.on("pageerror", lambda error: complaints.append(str(error)))
    reader.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    reader.add_init_script(NOTE_SHIFTS)
    reader.set_viewport_size(PHONE)
    answer = reader.goto(path)
    assert answer is not None
    reader.evaluate("document.fonts.ready")
    # 0.00 as the design says: on a busy machine Chromium paints while it still reads the masthead, which costs 0.002.
    shifts = reader.evaluate("window.shifts")
    assert round(sum(shift[0] for shift in shifts), 2) == 0, shifts
    assert reader.evaluate(SMALL_PRINT) == []
    for size in (NARROW, PHONE, WIDE):
        reader.set_viewport_size(size)
        width = reader.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{path} scrolls sideways at {size['width']} pixels"
    assert [url for url in asked if not url.startswith((library_site, "data:"))] == []
    # Of an answer such as 404, Chromium itself writes a line.
    own = [text for text in complaints if answer.ok or "responded with a status of" not in text]
    assert own == []


@pytest.mark.parametrize("path", FIRST_VIEWS)
def test_a_first_view_takes_at_most_seven_requests(reader, path):
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(path, wait_until="networkidle")
    assert len(asked) <= 7, asked


# --- the keyboard ------------------------------------------------------------------------------------------------

# Where the focus is, and what is wrong with how that is shown.
FOCUS = """
() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const rect = [...element.getClientRects()].find(rect => rect.width > 2 && rect.height > 2);
    const name = element.tagName + " " + (element.getAttribute("href") || element.name || element.textContent.trim());
    const wrong = [];
    if (!rect) return { name, inMain: Boolean(element.closest("main")), wrong: ["is not visible"] };
    const x = rect.left + rect.width / 2, y = rect.top + rect.height / 2;
    const top = document.elementFromPoint(x, y);
    if (!top) wrong.push("is outside the window");
    else if (!element.contains(top) && !top.contains(element)) wrong.push("is covered by " + top.tagName);
    const style = getComputedStyle(element);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 3) wrong.push("has no outline");
    return { name, inMain: Boolean(element.closest("main")), wrong };
}
"""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", [*FIRST_VIEWS, "/concepts/ceasefire/mentions/?sort=before"])
def test_the_focus_is_always_seen_on_its_way_through_the_page(reader, path, size):
    reader.set_viewport_size(size)
    reader.goto(path)
    stops = []
    for _ in range(500):
        reader.keyboard.press("Tab")
        stop = reader.evaluate(FOCUS)
        if stop is None:
            break
        stops.append(stop)
    assert stops[0]["name"].startswith("A #"), "the skip link comes first"
    assert [stop for stop in stops if stop["wrong"]] == []
    assert any(stop["inMain"] for stop in stops)


def test_the_skip_link_leads_past_the_masthead(reader):
    reader.goto(ESSAY)
    reader.keyboard.press("Tab")
    reader.keyboard.press("Enter")
    expect(reader.locator("main")).to_be_focused()
    reader.keyboard.press("Tab")
    assert reader.evaluate(FOCUS)["inMain"]


def test_the_menu_of_a_phone_opens_with_the_keyboard(reader):
    reader.set_viewport_size(PHONE)
    reader.goto(ESSAY)
    menu = reader.get_by_text("Menu and search")
    menu.focus()
    reader.keyboard.press("Enter")
    reader.keyboard.press("Tab")
    assert reader.evaluate(FOCUS) == {"name": "A /articles/", "inMain": False, "wrong": []}
    box = reader.locator("input[name=q]:visible")
    box.fill("ceasefire")
    box.press("Enter")
    expect(reader.get_by_role("heading", level=1)).to_contain_text("Search")


# --- without JavaScript ------------------------------------------------------------------------------------------


def test_without_javascript_a_reader_comes_from_a_phase_to_a_sentence_and_its_citation(
    browser: Browser, library_site: str
):
    context = browser.new_context(base_url=library_site, java_script_enabled=False, viewport=WIDE)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Ceasefire", exact=True).first.click()
    expect(page).to_have_url(f"{library_site}/phases/ceasefire/")
    page.get_by_role("main").get_by_role("link", name="Ceasefire", exact=True).last.click()
    expect(page).to_have_url(f"{library_site}/concepts/ceasefire/")
    page.locator("main .quotes a[href*='#p']").first.click()
    number = page.url.partition("#")[2]
    expect(page.locator(f"#{number}")).to_be_in_viewport()

    box = page.get_by_role("searchbox").first
    box.fill("ceasefire")
    box.press("Enter")
    expect(page.locator(".definition-box")).to_contain_text("Ceasefire")
    page.locator("main .results .place").first.click()
    expect(page.locator(f"#{page.url.partition('#')[2]}")).to_be_in_viewport()

    page.goto(ESSAY)
    page.get_by_role("main").get_by_role("link", name="mediation", exact=True).click()
    expect(page).to_have_url(f"{library_site}/tags/mediation/")
    page.get_by_role("link", name="The Invaluable Place").first.click()
    page.get_by_role("link", name="Cite", exact=True).first.click()
    expect(page.get_by_role("heading", name="Cite", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Cite a paragraph").click()
    expect(page).to_have_url(f"{library_site}{ESSAY}cite/")
    context.close()
