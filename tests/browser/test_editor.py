"""An editor's morning in a real browser: sign in, write, keep a draft, publish, and find it as a reader."""

import random
import re

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import BrowserContext, Page, expect

from peacekb import publishing
from peacekb.models import Article, Role

pytestmark = pytest.mark.browser

PASSWORD = "harbour-lantern-fig-31"
PROSE = (
    "the parties met in the capital and spoke about borders water roads schools courts soldiers and the families "
    "who had fled each side asked for time and neither wished to be seen as first to yield"
)
SENTENCE = "A mediator carried the proposal between the two delegations."
TABLE = "| Year | Step |\n| --- | --- |\n| 1995 | The mediator opened the zanzibarine round |\n| 1996 | Signature |"


def essay_of(words: int) -> str:
    """Give Markdown of at least so many words, with headings, a footnote and a table that name the mediator."""
    chance = random.Random(7)  # noqa: S311  the same text in every run
    words_of_prose = PROSE.split()
    blocks = [f"{SENTENCE} It was the first in years.[^1]"]
    for number in range(words // 120 + 1):
        if number % 8 == 0:
            blocks.append(f"## Round {number // 8 + 1}")
        blocks.append(" ".join(chance.choice(words_of_prose) for _ in range(120)).capitalize() + ".")
    blocks += ["## Steps", TABLE, "[^1]: The minutes name the mediator, too."]
    return "\n\n".join(blocks)


@pytest.fixture
def vocabulary() -> None:
    role = Role.objects.create(
        title="Mediator", slug="mediator", source="Somebody whom the parties accept as a go-between."
    )
    publishing.publish(role)
    editor = User.objects.create_user("hala", password=PASSWORD, is_staff=True)
    editor.groups.set(Group.objects.filter(name__in=["Editors", "Publishers"]))


def found_by_readers(reader: Page, title: str) -> list[str]:
    """Give the addresses at which a reader meets a title."""
    addresses = ["/", "/articles/", "/tags/", "/tags/patience/", "/roles/mediator/", "/search/?q=zanzibarine"]
    met = []
    for address in addresses:
        reader.goto(address)
        if title in reader.locator("main").inner_text():
            met.append(address)
    return met


def test_an_editor_writes_an_essay_of_3000_words_and_readers_find_it(
    page: Page, context: BrowserContext, browser, live_server, vocabulary
):
    # What the browser complains of, such as a script that the content security policy forbids.
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto("/admin/")
    page.get_by_label("Username").fill("hala")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Editing")).to_be_visible()

    page.goto("/admin/peacekb/article/add/")
    page.get_by_label("Title").press_sequentially("The Patience of Talks")
    expect(page.get_by_label("Address:", exact=True)).to_have_value("the-patience-of-talks")
    page.get_by_label("Authors").fill("Hala Haddad\nOmar Said")
    page.get_by_label("Summary").fill("Talks take time.")
    page.get_by_label("Text", exact=False).first.fill(essay_of(3000))
    page.get_by_label("Tags").fill("patience, peace talks")
    page.get_by_label("What changed?").fill("First version")

    # The Enter key keeps a draft and never publishes.
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_text("The draft is saved. Readers do not see it.")).to_be_visible()
    expect(page.get_by_label("Text", exact=False).first).to_have_value(essay_of(3000))

    stranger = browser.new_context(base_url=live_server.url)
    reader = stranger.new_page()
    assert found_by_readers(reader, "The Patience of Talks") == []
    answer = reader.goto("/articles/the-patience-of-talks/")
    assert answer is not None
    assert answer.status == 404

    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is published.")).to_be_visible()
    assert Article.objects.get().revisions.count() == 2

    met = found_by_readers(reader, "The Patience of Talks")
    assert met == ["/", "/articles/", "/tags/patience/", "/roles/mediator/", "/search/?q=zanzibarine"]

    reader.goto("/roles/mediator/")
    expect(reader.get_by_text(SENTENCE).first).to_be_visible()
    reader.goto("/tags/patience+peace-talks/")
    reader.get_by_role("link", name="The Patience of Talks").first.click()
    expect(reader.get_by_role("heading", level=1, name="The Patience of Talks")).to_be_visible()
    expect(reader.get_by_role("table")).to_contain_text("zanzibarine")
    expect(reader.get_by_role("link", name="mediator").first).to_have_attribute("href", "/roles/mediator/")
    assert re.search(r"The minutes name the", reader.locator("main").inner_text())
    stranger.close()

    assert complaints == []
