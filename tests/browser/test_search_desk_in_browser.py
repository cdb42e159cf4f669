"""An editor mends in a real browser what readers searched in vain."""

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect

from peacekb.models import SearchCheck
from tests.factories import published_article, published_concept
from tests.test_search_desk import check_searches, searched

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("complaints")]

PASSWORD = "harbour-lantern-fig-31"


def test_an_editor_gives_a_page_a_name_and_chooses_a_result_and_readers_find_both(
    page: Page, browser: Browser, live_server
):
    published_concept("Ceasefire", source="An agreed end to fighting.")
    published_article(title="The long talks", source="A white flag was raised.")
    searched("white flags", "white flags")
    searched("slow diplomacy")
    editor = User.objects.create_user("hala", password=PASSWORD, is_staff=True)
    editor.groups.set(Group.objects.filter(name__in=["Editors", "Publishers"]))

    page.goto("/admin/")
    page.get_by_label("Username").fill("hala")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("main").get_by_role("link", name="Failed searches").first.click()
    page.get_by_role("link", name="white flags").click()
    page.get_by_label("Or another page").fill("Ceasefire")
    page.get_by_label("Name:").fill("white flag")
    page.get_by_role("button", name="Make it a name of the page").click()
    expect(page.get_by_text("1 link appears")).to_be_visible()
    page.get_by_role("button", name="Add the name and change these links").click()
    expect(page.get_by_text("“white flag” becomes a name of “Ceasefire”.")).to_be_visible()

    page.get_by_role("link", name="slow diplomacy").click()
    page.get_by_label("Or another page").fill("/articles/the-long-talks/")
    page.get_by_role("button", name="Show the page first").click()
    expect(page.get_by_text("Who searches “slow diplomacy” sees The long talks first now.")).to_be_visible()
    expect(page.get_by_role("link", name="Mended (2)")).to_be_visible()

    stranger = browser.new_context(base_url=live_server.url)
    reader = stranger.new_page()
    reader.goto("/search/?q=white+flags")
    expect(reader.get_by_role("region", name="Ceasefire")).to_be_visible()
    reader.goto("/search/?q=Slow+diplomacy")
    expect(reader.get_by_text("Editors suggest: The long talks")).to_be_visible()
    reader.get_by_role("link", name="The long talks").click()
    expect(reader.get_by_role("heading", level=1, name="The long talks")).to_be_visible()
    stranger.close()
    assert SearchCheck.objects.count() == 2
    assert check_searches() == "All 2 searches find what they should."
