"""Questions that a reader brings, each answered within two clicks from home, without a script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

ESSAY = "The Invaluable Place of International Diplomacy in Peacekeeping Operations"


@pytest.fixture
def home(browser: Browser, library_site: str) -> Iterator[Page]:
    """The home page of the library, in a browser that runs no script."""
    context = browser.new_context(base_url=library_site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def click(page: Page, name: str | re.Pattern[str]) -> None:
    """Follow the first link of the main part that is called so."""
    page.get_by_role("main").get_by_role("link", name=name).first.click()


def test_which_cases_did_algeria_mediate_and_did_they_hold(home: Page) -> None:
    click(home, re.compile("^Actors$"))
    click(home, re.compile("^Algeria$"))
    played = home.get_by_role("region", name="Roles played in cases")
    row = played.get_by_role("row").filter(has_text="Algiers Accords on the embassy hostages")
    expect(row).to_contain_text("Mediator")
    expect(row).to_contain_text("Held")
    expect(played.get_by_role("row").filter(has_text="Mali peace accord")).to_contain_text("Collapsed")


def test_who_has_been_a_guarantor(home: Page) -> None:
    click(home, "Guarantor")
    played = home.get_by_role("region", name="Who has played this role")
    for name in ("Türkiye", "Senegal", "Russian Federation", "Norway"):
        expect(played.get_by_role("link", name=name).first).to_be_visible()


def test_which_operations_run_today(home: Page) -> None:
    click(home, re.compile("^Operations$"))
    click(home, re.compile("31 December 2025"))
    main = home.get_by_role("main")
    for name in ("United Nations Interim Force in Lebanon", "United Nations Truce Supervision Organization"):
        expect(main.get_by_role("link", name=name).first).to_be_visible()
    expect(main.get_by_role("link", name="United Nations Operation in Burundi")).to_have_count(0)


def test_what_does_a_mediator_do_before_a_ceasefire(home: Page) -> None:
    click(home, "Mediator")
    work = home.locator("section", has=home.get_by_role("heading", name="What it does, by phase"))
    peacemaking = work.locator("section", has=home.get_by_role("heading", name="Peacemaking"))
    expect(peacemaking.get_by_role("link", name="Convening talks")).to_be_visible()
    expect(peacemaking.get_by_role("link", name="Mediating between the parties")).to_be_visible()


def test_which_sources_speak_of_consent(home: Page) -> None:
    click(home, "All concepts, A to Z")
    click(home, "Consent of the parties")
    sources = home.locator("section", has=home.get_by_role("heading", name="Sources"))
    assert sources.get_by_role("listitem").count() >= 2


def test_what_supports_the_claim_of_the_essay_and_what_speaks_against_it(home: Page) -> None:
    click(home, ESSAY)
    click(home, re.compile("^Evidence"))
    main = home.get_by_role("main")
    for heading in ("Supports", "Contradicts"):
        expect(main.get_by_text(heading).first).to_be_visible()
    expect(main.get_by_text("integral roles in negotiating peace treaties").first).to_be_visible()
