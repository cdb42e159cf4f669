"""What DESIGN.md promises of colours, sizes and budgets, computed from the files and pages themselves."""

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from .public_pages import ERRORS, PAGES

CSS = sorted((Path(settings.BASE_DIR) / "static" / "css").glob("*.css"))
TOKENS = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text(encoding="utf-8")

# --- colours: the table of DESIGN.md, section 3 ------------------------------------------------------------------

COLUMNS = "ink ink-2 ink-3 link link-hover visited concept error ok warn edge sky".split()
TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
PRINTED: dict[tuple[str, str], list[float | None]] = {
    ("light", "paper"): [16.33, 7.10, 5.25, 7.35, 11.22, 8.29, 7.02, 7.19, 6.94, 7.41, 3.45, 3.04],
    ("light", "wash"): [14.90, 6.48, 4.79, 6.71, 10.23, 7.56, 6.40, 6.56, 6.33, 6.76, 3.15, 2.77],
    ("light", "mark"): [14.71, 6.40, 4.73, 6.62, 10.10, 7.46, 6.32],
    ("dark", "paper"): [14.90, 9.45, 6.99, 9.82, 12.79, 9.16, 10.51, 9.05, 10.49, 11.11, 4.25, 7.65],
    ("dark", "wash"): [13.16, 8.35, 6.18, 8.68, 11.30, 8.09, 9.28, 7.99, 9.27, 9.82, 3.76, 6.76],
    ("dark", "mark"): [11.06, 7.01, 5.19, 7.29, None, 6.80, 7.80],
}
PAIRS = [  # text or shape, its ground, light, dark, what it must reach
    ("on-deep", "deep", 12.81, 12.99, TEXT),
    ("on-deep-2", "deep", 8.21, 8.17, TEXT),
    ("sky", "deep", 4.22, 6.68, SHAPE),
    ("on-sky", "sky", 5.66, 7.27, TEXT),
    ("on-button", "button", 7.35, 9.82, TEXT),
]


def colours_after(selector: str) -> dict[str, str]:
    """Give the colours that the first rule with a selector sets."""
    rule = TOKENS[TOKENS.index(selector + " {") :].partition("}")[0]
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,6})\b", rule))


LIGHT = colours_after(":root")
THEMES = {"light": LIGHT, "dark": LIGHT | colours_after(':root[data-theme="dark"]')}


def contrast(one: str, other: str) -> float:
    """Give the ratio of WCAG 2 between two colours like #fff or #0b5a8c."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "ground"), PRINTED, ids="-".join)
def test_colours_have_the_contrast_that_the_design_prints(theme, ground):
    colours = THEMES[theme]
    for name, printed in zip(COLUMNS, PRINTED[theme, ground], strict=False):
        ratio = contrast(colours[name], colours[ground])
        if printed is not None:
            assert ratio == pytest.approx(printed, abs=0.01), f"{name} on {ground}, {theme}"
        if (name, theme, ground) != ("sky", "light", "wash"):  # which is why it never stands there
            assert ratio >= (SHAPE if name in ("edge", "sky") else TEXT), f"{name} on {ground}, {theme}"


@pytest.mark.parametrize(("name", "ground", "light", "dark", "enough"), PAIRS)
def test_pairs_have_the_contrast_that_the_design_prints(name, ground, light, dark, enough):
    for theme, printed in (("light", light), ("dark", dark)):
        ratio = contrast(THEMES[theme][name], THEMES[theme][ground])
        assert ratio == pytest.approx(printed, abs=0.01), theme
        assert ratio >= enough, theme


def test_the_focus_is_seen_on_its_ring():
    assert contrast(LIGHT["focus"], LIGHT["ink"]) == pytest.approx(11.49, abs=0.01)


def test_a_reader_who_chose_dark_gets_the_colours_of_a_dark_system():
    chosen, systems = colours_after(':root[data-theme="dark"]'), colours_after(':root:not([data-theme="light"])')
    assert chosen == systems
    assert len(chosen) >= 19


# --- style sheets ------------------------------------------------------------------------------------------------

SIDES = "left|right|top|bottom"
PHYSICAL = re.compile(
    rf"(?:{SIDES}|(?:min-|max-)?(?:width|height)|(?:margin|padding|border|scroll-margin|scroll-padding)-(?:{SIDES})"
    r"(?:-(?:color|style|width))?|border-(?:top|bottom)-(?:left|right)-radius)"
)
SMALLEST = 0.8125  # rem: 13 px


def declarations(path: Path) -> Iterator[tuple[int, str, str]]:
    """Give line, property and value of each declaration. What stands in round brackets is no declaration."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), path.read_text(encoding="utf-8"), flags=re.S)
    for found in re.finditer(r"(?<=[{;])\s*([-a-z0-9]+)\s*:\s*([^;{}]+)(?=[;}])", text):
        yield text.count("\n", 0, found.start(1)) + 1, found[1], found[2].strip()


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_a_style_sheet_knows_no_left_and_right(path):
    wrong = []
    for line, name, value in declarations(path):
        four = value.split()
        if PHYSICAL.fullmatch(name):
            wrong.append(f"{path.name}, line {line}: {name}. Write the logical property, such as margin-inline-start.")
        elif name in ("text-align", "float", "clear") and value in ("left", "right"):
            wrong.append(f"{path.name}, line {line}: {name}: {value}. Write start or end, inline-start or inline-end.")
        elif name in ("margin", "padding", "inset", "border-radius") and len(four) == 4 and four[1] != four[3]:
            wrong.append(f"{path.name}, line {line}: {name}: {value} has a left and a right. Write …-inline.")
    assert wrong == []


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_letters_are_sized_in_rem_and_none_is_below_13_pixels(path):
    wrong = []
    for line, name, value in declarations(path):
        if name not in ("font", "font-size") and not re.fullmatch(r"--t-[a-z0-9]+", name):
            continue
        sizes = re.findall(r"(?<![\w-])(\d*\.?\d+)(px|rem|em|pt|%)", value.partition("/")[0])
        sound = {"rem": SMALLEST, "%": 100, "pt": 9}  # points on paper
        wrong += [
            f"{path.name}, line {line}: {name}: {value}"
            for number, unit in sizes
            if unit not in sound or float(number) < sound[unit]
        ]
    assert wrong == []


def packed(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def test_all_style_sheets_together_weigh_at_most_12_kilobytes():
    assert sum(packed(path.read_bytes()) for path in CSS) <= 12_000


# --- pages -------------------------------------------------------------------------------------------------------


class Parts(HTMLParser):
    """Collects what a strict content security policy forbids, and the scripts that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.scripts: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        values = dict(attrs)
        self.forbidden += [f"<{tag} {name}>" for name in values if name == "style" or name.startswith("on")]
        if tag == "style" or (
            tag == "script" and not values.get("src") and values.get("type") != "application/ld+json"
        ):
            self.forbidden.append(f"<{tag}>")
        if tag == "script" and (source := values.get("src")):
            self.scripts.add(source)
            if "defer" not in values and values.get("type") != "module":
                self.forbidden.append(f"<script src={source}> without defer")


@pytest.mark.django_db
def test_pages_of_the_starter_library_keep_their_budgets_and_hold_no_code(client, capsys):
    call_command("seed")
    scripts: set[str] = set()
    for address in [*PAGES, *ERRORS]:
        response = client.get(address)
        assert response.status_code == ERRORS.get(address, 200), address
        assert packed(response.content) <= 30_000, address
        parts = Parts()
        parts.feed(response.content.decode())
        assert parts.forbidden == [], address
        scripts |= parts.scripts
    files = [Path(settings.BASE_DIR) / source.lstrip("/") for source in scripts]
    assert files
    assert sum(packed(file.read_bytes()) for file in files) <= 8_000
