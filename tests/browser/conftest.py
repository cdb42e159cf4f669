"""A real Chromium for tests marked `browser`, and two sites: a live server whose rows a test makes, and the library."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from machine import CHROMIUM_FLAGS, need_chromium
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from trial_site import trial_site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django then takes every query for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need_chromium(), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, django_db_serialized_rollback: None, live_server: Any) -> Iterator[BrowserContext]:
    """A browser without memory. Addresses are relative to the live server: `page.goto("/articles/")`.

    The database is emptied after each test; `django_db_serialized_rollback` brings the rows of the
    migrations back, such as the groups of editors.
    """
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complains of, such as a style that the content security policy forbids."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    yield told
    assert told == []


@pytest.fixture(scope="session")
def library_site() -> Iterator[str]:
    """The address of the starter library as `make run` serves it. Tests read it and change nothing."""
    with trial_site(after_seeding="from tests.browser.past import make; make()") as site:
        yield site.address


@pytest.fixture
def reader(browser: Browser, library_site: str) -> Iterator[Page]:
    """A page of a browser without memory, on the library."""
    context = browser.new_context(base_url=library_site, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
