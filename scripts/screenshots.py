"""Take the pictures in docs/ of the starter library: page types on a screen and a phone, by day, by night, in Arabic.

Run by `make screenshots`. What a picture shows depends on the texts, the templates and the fonts of this machine; run
twice, it gives the same bytes. Nothing that is started here outlives the run.
"""

import argparse
import base64
from typing import Literal, NamedTuple

from machine import CHROMIUM_FLAGS, ROOT, need_chromium, say
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from trial_site import trial_site

DOCS = ROOT / "docs"
LARGEST = 2_000_000  # bytes of all pictures
SCREEN, PHONE = ViewportSize(width=1280, height=1000), ViewportSize(width=390, height=844)
ESSAY = "/articles/diplomacy-in-peacekeeping/"
# Chromium writes WebP, too, though not for Playwright: a fifth of what PNG takes.
TO_WEBP = """
async png => {
    const image = new Image();
    image.src = "data:image/png;base64," + png;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.5).split(",")[1];
}
"""


class Picture(NamedTuple):
    """One file: a page at one size in one theme."""

    file: str
    path: str
    size: ViewportSize
    theme: Literal["light", "dark"] = "light"


PAGES = {
    "home": "/",
    "article": ESSAY,
    "concept": "/concepts/ceasefire/",
    "role": "/roles/mediator/",
    "search": "/search/?q=ceasefire",
    "tag": "/tags/mediation/",
    "phase": "/phases/ceasefire/",
}
PICTURES = [
    Picture("article.png", ESSAY, SCREEN),  # the one that README.md shows
    *(Picture(f"{name}.webp", path, SCREEN) for name, path in PAGES.items()),
    *(Picture(f"{name}-dark.webp", path, SCREEN, "dark") for name, path in PAGES.items()),
    *(Picture(f"{name}-arabic.webp", f"/ar{path}", SCREEN) for name, path in PAGES.items()),
    *(Picture(f"{name}-phone.webp", path, PHONE) for name, path in PAGES.items()),
    *(Picture(f"{name}-phone-dark.webp", path, PHONE, "dark") for name, path in PAGES.items()),
    *(Picture(f"{name}-phone-arabic.webp", f"/ar{path}", PHONE) for name, path in PAGES.items()),
]


def take(browser: Browser, site: str, picture: Picture) -> bytes:
    """Give the picture of what is seen of a page before anybody scrolls."""
    context = browser.new_context(
        base_url=site,
        viewport=picture.size,
        color_scheme=picture.theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = context.new_page()
    # The fonts are optional: a first visit may do without them, a second one has them.
    for _ in range(2):
        answer = page.goto(picture.path, wait_until="networkidle")
        if answer is None or not answer.ok:
            raise SystemExit(f"{picture.path} answers {answer.status if answer else 'nothing'} and has no picture.")
        page.evaluate("document.fonts.ready")
    taken = page.screenshot(animations="disabled", caret="hide")
    if picture.file.endswith(".webp"):
        page.goto("about:blank")  # where no policy forbids to read a picture
        taken = base64.b64decode(page.evaluate(TO_WEBP, base64.b64encode(taken).decode()))
    context.close()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only files whose name begins so, such as “home” or “article-dark”")
    names = tuple(parser.parse_args().names) or ("",)
    program = need_chromium()
    DOCS.mkdir(exist_ok=True)
    say("Starting the site on a database of its own …")
    with trial_site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        for picture in PICTURES:
            if picture.file.startswith(names):
                taken = take(browser, site.address, picture)
                (DOCS / picture.file).write_bytes(taken)
                say(f"{len(taken):>8} docs/{picture.file}")
        browser.close()
    pictures = [DOCS / picture.file for picture in PICTURES]
    total = sum(file.stat().st_size for file in pictures if file.exists())
    say(f"{total:>8} bytes in all")
    if total > LARGEST:
        raise SystemExit(f"The pictures have {total} bytes, more than {LARGEST}. Take fewer, or smaller ones.")


if __name__ == "__main__":
    main()
