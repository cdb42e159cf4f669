"""A real Chromium for tests marked `browser`; each test gets a page of its own on a live server."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = [
    "--no-sandbox",  # as root it does not start otherwise, and it only sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not program:
        pytest.fail("No Chromium: install it, or name one with CHROMIUM=/path/to/chromium.")
    # Playwright keeps an event loop in this thread, and Django then takes every query for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
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
