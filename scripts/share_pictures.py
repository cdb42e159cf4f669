"""Draw the pictures in static/img/ that other sites and devices show for this one; run it when their words change.

    .venv/bin/python scripts/share_pictures.py

One picture of 1200 × 630 for each kind of page and one for all others: the name, the kind, the line of phases. The
icons are made from static/img/icon.svg. Chromium draws with the fonts of this machine; CHROMIUM names another one.
"""

import struct
from html import escape

from machine import CHROMIUM_FLAGS, ROOT, need_chromium
from playwright.sync_api import Browser, sync_playwright

IMAGES = ROOT / "static" / "img"
LARGEST = 60_000  # bytes of a picture

PICTURES = {
    "site": ("", "Diplomacy in peace operations"),
    "article": ("Diplomacy in peace operations", "Article"),
    "concept": ("Diplomacy in peace operations", "Concept"),
    "role": ("Diplomacy in peace operations", "Role"),
    "task": ("Diplomacy in peace operations", "Task"),
    "actor": ("Diplomacy in peace operations", "Actor"),
    "operation": ("Diplomacy in peace operations", "Operation"),
    "case": ("Diplomacy in peace operations", "Case"),
}
PHASES = ["Prevention", "Peacemaking", "Ceasefire", "Transition", "Reconstruction"]
# Colours as in static/css/tokens.css. What a network cuts to a square is the middle: the kind stands there.
STYLE = """
* { box-sizing: border-box; margin: 0 }
body {
  width: 1200px; height: 630px; padding: 64px 72px; background: #0b3550; color: #fff;
  display: flex; flex-direction: column; justify-content: space-between; text-align: center;
  font-family: "Source Serif 4", "Noto Serif", Georgia, serif;
}
.name { font-size: 46px; font-weight: 600 }
.about { margin-bottom: 12px; color: #b7d3e4; font-size: 32px }
.kind { font-size: 120px; font-weight: 600; letter-spacing: -.012em; line-height: 1.1 }
.kind.is-long { font-size: 76px; text-wrap: balance }
ol {
  display: flex; padding: 0; list-style: none; color: #b7d3e4; font: 25px "Noto Sans", system-ui, sans-serif;
}
li { position: relative; flex: 1; padding-top: 44px }
li::before, li::after { content: ""; position: absolute; background: #b7d3e4 }
li::before { top: 10px; inset-inline: 0; height: 4px }
li:first-child::before { inset-inline-start: 50% }
li:last-child::before { inset-inline-end: 50% }
li::after { top: 0; left: calc(50% - 12px); width: 24px; height: 24px; border-radius: 50%; background: #009edb }
"""


def picture(about: str, kind: str) -> str:
    """Give the page of which a picture is taken."""
    phases = "".join(f"<li>{escape(phase)}</li>" for phase in PHASES)
    size = " is-long" if len(kind) > 20 else ""
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><p class=name>PeaceKB</p>"
        f"<div><p class=about>{escape(about)}</p><p class='kind{size}'>{escape(kind)}</p></div><ol>{phases}</ol>"
    )


def icon(size: int, *, to_the_edges: bool) -> str:
    """Give the page of an icon: with round corners, or for devices that cut the corners themselves."""
    drawing = (IMAGES / "icon.svg").read_text(encoding="utf-8")
    if to_the_edges:
        drawing = drawing.replace(' rx="6"', "")
    style = f"* {{ margin: 0 }} svg {{ display: block; width: {size}px; height: {size}px }}"
    return f"<!doctype html><style>{style}</style>{drawing}"


def draw(browser: Browser, content: str, width: int, height: int) -> bytes:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(content)
    drawn = page.screenshot(omit_background=True)
    page.close()
    return drawn


def ico(drawings: dict[int, bytes]) -> bytes:
    """Put PNG files of some sizes, in pixels, into one ICO file: a head, an entry of 16 bytes for each, the files."""
    head = struct.pack("<HHH", 0, 1, len(drawings))
    place = len(head) + 16 * len(drawings)
    entries = b""
    for size, drawing in drawings.items():
        entries += struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(drawing), place)
        place += len(drawing)
    return head + entries + b"".join(drawings.values())


def main() -> None:
    files = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need_chromium(), args=CHROMIUM_FLAGS)
        for name, (about, kind) in PICTURES.items():
            files[f"share-{name}.png"] = draw(browser, picture(about, kind), 1200, 630)
        for name, size in {"apple-touch-icon": 180, "icon-192": 192, "icon-512": 512}.items():
            files[f"{name}.png"] = draw(browser, icon(size, to_the_edges=True), size, size)
        small = {size: draw(browser, icon(size, to_the_edges=False), size, size) for size in (16, 32, 48)}
        files["favicon.ico"] = ico(small)
        browser.close()
    for name, content in files.items():
        if len(content) > LARGEST:
            raise SystemExit(
                f"{name} has {len(content)} bytes, more than {LARGEST}. Use flatter colours or fewer words."
            )
        (IMAGES / name).write_bytes(content)
        print(f"{len(content):>7} {name}")


if __name__ == "__main__":
    main()
