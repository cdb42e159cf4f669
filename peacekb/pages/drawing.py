"""Where the parts of a drawing of neighbours stand: numbers alone, without a query and without markup.

The centre stands in the middle. Its branches go round it, beginning above on the side where a line of text ends: half
of them down that side, half up the other one. Each has a band of its own height, so that no name touches another one,
whatever the names are. Twigs stand outside their branch. One unit is a sixteenth of a rem.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt
from textwrap import wrap

LINE = 16  # from one line of a name to the next
_PADDING = 7  # above and below the lines of a name
_BETWEEN = 10  # two names
_LETTERS = 19  # of a name in one line
_MOST_LINES = 3
_WIDTH = 144  # of a name
_EDGE = 8  # around the whole
_REACH = 348  # from the centre to the middle of the outermost branch, where there are no twigs
_STEP = 260  # from one step to the next, where there are
_BENT = 0.8  # how far round an ellipse the first and last branch of a side stand
_ON_LINE = 0.69  # where on a line its relation is written, from the centre


@dataclass(frozen=True, slots=True)
class Twig:
    """What is drawn beside another name: its own name, and the relation on the line."""

    name: str
    relation: str
    twigs: "Sequence[Twig]" = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and the point below its middle."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Box:
    """A name in its frame."""

    x: int
    y: int
    width: int
    height: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Join:
    """A line between two names, with the relation on it."""

    x1: int
    y1: int
    x2: int
    y2: int
    relation: Line


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole. `boxes` has a box for each branch and behind it for each of its twigs, as they were given."""

    width: int
    height: int
    centre: Box
    boxes: list[Box] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)

    @property
    def rem(self) -> str:
        """Give the width for a reader's size of letters."""
        return f"{self.width / 16:g}rem"


def draw(centre: str, branches: Sequence[Twig], *, mirrored: bool) -> Drawing:
    """Draw names around one; `mirrored` for a page whose lines begin on the right."""
    split = _half(branches)
    sides = [branches[:split], branches[split:]]
    heights = [sum(map(_band, side)) for side in sides]
    own = _height(centre)
    height = max(*heights, own) + 2 * _EDGE
    has_twigs = any(branch.twigs for branch in branches)
    width = 2 * ((2 * _STEP if has_twigs else _REACH) + _WIDTH // 2 + _EDGE)
    middle, level = width // 2, height // 2
    drawing = Drawing(width, height, _box(centre, middle, level))
    for side, downward, tall in zip(sides, (1, -1), heights, strict=True):
        direction = -downward if mirrored else downward
        tops = accumulate((_band(branch) for branch in side), initial=0)
        for branch, top in zip(side, tops, strict=False):
            away = (top + _band(branch) / 2 - tall / 2) * downward
            reach = _STEP if has_twigs else _REACH * sqrt(1 - (_BENT * away / (height / 2)) ** 2)
            _add(drawing, branch, (middle, level), (middle + round(direction * reach), level + round(away)), _ON_LINE)
            _add_twigs(drawing, branch, middle + direction * _STEP, level + round(away), direction, downward)
    return drawing


def _add_twigs(drawing: Drawing, branch: Twig, x: int, y: int, direction: int, downward: int) -> None:
    tall = sum(map(_band, branch.twigs))
    tops = accumulate((_band(twig) for twig in branch.twigs), initial=0)
    for twig, top in zip(branch.twigs, tops, strict=False):
        away = round((top + _band(twig) / 2 - tall / 2) * downward)
        # From the outer edge of the branch, halfway: there the twigs of one branch are apart.
        start = x + direction * _WIDTH // 2
        _add(drawing, twig, (start, y), (x + direction * _STEP, y + away), 0.5)


def _add(drawing: Drawing, twig: Twig, start: tuple[int, int], end: tuple[int, int], place: float) -> None:
    (x1, y1), (x, y) = start, end
    x2 = x - _WIDTH // 2 if x > x1 else x + _WIDTH // 2
    relation = Line(round(x1 + place * (x2 - x1)), round(y1 + place * (y - y1)) + LINE // 4, twig.relation)
    drawing.boxes.append(_box(twig.name, x, y))
    drawing.joins.append(Join(x1, y1, x2, y, relation))


def _half(branches: Sequence[Twig]) -> int:
    """Give how many branches make the first side half as tall as all, or a little more."""
    bands = [_band(branch) for branch in branches]
    return next((place for place, tall in enumerate(accumulate(bands), start=1) if 2 * tall >= sum(bands)), 0)


def _band(twig: Twig) -> int:
    return max(_height(twig.name) + _BETWEEN, sum(map(_band, twig.twigs)))


def _height(name: str) -> int:
    return len(_lines(name)) * LINE + 2 * _PADDING


def _box(name: str, x: int, y: int) -> Box:
    lines, height = _lines(name), _height(name)
    top = y - height // 2
    first = top + _PADDING + LINE - LINE // 4
    placed = [Line(x, first + number * LINE, text) for number, text in enumerate(lines)]
    return Box(x - _WIDTH // 2, top, _WIDTH, height, placed)


def _lines(name: str) -> list[str]:
    return wrap(name, _LETTERS, max_lines=_MOST_LINES, placeholder=" …") or [name]
