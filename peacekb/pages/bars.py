"""Bars and marks over an axis of years, as numbers for a drawing: sixteenths of the size of the page's text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

_WIDTH, _AXIS = 1_120, 1_104  # beyond the axis there is room for the sign that something goes on
_HEAD, _LANE, _BAR, _GAP, _OVER = 24, 26, 22, 12, 4
_BASE = 15  # from the top of a bar to the line of its name
_LETTER = 7.4  # more than most letters of the drawing's size take
_ASIDE = 12  # from a point to its name
_MOST_TICKS = 12


class Span(NamedTuple):
    """What is drawn: its name, its address, and when it began, ended and was marked, in years and parts of years.

    Without an end it is a point in time; `is_open` says that it went on at its end.
    """

    name: str
    address: str
    start: float
    end: float | None = None
    mark: float | None = None
    is_open: bool = False


class Bar(NamedTuple):
    """A span as it is drawn. A point has no width; `sign` is the path of a point, of a mark or of an open end."""

    span: Span
    x: int
    y: int
    width: int
    sign: str
    text_x: int
    text_y: int

    @property
    def svg(self) -> SafeString:
        """Give it as a link. A timeline holds hundreds, and a template takes three times as long."""
        shape = f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{_BAR}"/>' if self.width else ""
        sign = f'<path d="{self.sign}"/>' if self.sign else ""
        name = f'<text x="{self.text_x}" y="{self.text_y}">{escape(self.span.name)}</text>'
        # Safe: all else is made of numbers.
        return mark_safe(f'<a href="{escape(self.span.address)}">{shape}{sign}{name}</a>')  # noqa: S308


class Band(NamedTuple):
    """Bars of one sort under their title."""

    title: str
    y: int
    bars: list[Bar]


class Tick(NamedTuple):
    """A year on the axis."""

    x: int
    year: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Bands under an axis from the beginning of the year `first` to the end of `last`; `mirrored` to run leftwards."""

    first: int
    last: int
    mirrored: bool
    bands: list[Band]
    height: int

    @classmethod
    def of(cls, bands: Iterable[tuple[str, Sequence[Span]]], first: int, last: int, *, mirrored: bool) -> "Drawing":
        """Draw the bands that have spans, each in as few lanes as its names need."""
        drawing, y = cls(first, last, mirrored, [], 0), _HEAD
        drawn = []
        for title, spans in bands:
            if spans:
                bars, lanes = drawing._packed(spans, y + _LANE)
                drawn.append(Band(title, y + _BASE, bars))
                y += (lanes + 1) * _LANE + _GAP
        return cls(first, last, mirrored, drawn, y)

    width = _WIDTH

    @property
    def size(self) -> tuple[str, str]:
        """Give width and height by which the drawing grows with the text of the page."""
        return f"{_WIDTH / 16:g}rem", f"{self.height / 16:g}rem"

    @property
    def start(self) -> int:
        """Give the side at which the axis begins."""
        return self._x(0)

    @property
    def ticks(self) -> list[Tick]:
        """Give the years to write on the axis."""
        years = range(self.first, self.last + 1)
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1_000) if len(years) / step <= _MOST_TICKS)
        return [Tick(self._x(self._from_start(year)), f"{year}") for year in years if year % step == 0]

    def _packed(self, spans: Iterable[Span], top: int) -> tuple[list[Bar], int]:
        """Put each span into the first lane that is free where it stands; tell how many lanes there are."""
        bars, lanes = [], list[int]()
        for span in spans:
            start, end = self._from_start(span.start), self._from_start(span.start if span.end is None else span.end)
            letters = round(len(span.name) * _LETTER)
            text = self._text(span, start, letters)
            free = min(start, text)
            lane = next((number for number, used in enumerate(lanes) if used <= free), len(lanes))
            lanes[lane : lane + 1] = [max(end + _GAP * span.is_open, text + letters) + _GAP]
            y = top + lane * _LANE
            x, width = self._x(end if self.mirrored else start), max(2, end - start) if span.end is not None else 0
            bars.append(Bar(span, x, y, width, self._sign(span, start, end, y), self._x(text), y + _BASE))
        return bars, len(lanes)

    def _text(self, span: Span, start: int, letters: int) -> int:
        """Give the place of a name: on its bar or after its point, where there is room, else before that."""
        if span.end is None:
            return start + _ASIDE if start + _ASIDE + letters <= _WIDTH else start - _ASIDE - letters
        return max(0, min(start + 4, _WIDTH - letters))

    def _sign(self, span: Span, start: int, end: int, y: int) -> str:
        if span.end is None:
            return f"M{self._x(start)} {y + 5}l6 6-6 6-6-6z"
        if span.is_open:
            ahead = -11 if self.mirrored else 11
            return f"M{self._x(end)} {y}l{ahead} 11 {-ahead} 11z"
        return "" if span.mark is None else f"M{self._x(self._from_start(span.mark))} {y}v5"

    def _from_start(self, time: float) -> int:
        """Give the place of a time. What lies beyond an end of the axis runs out of the drawing there."""
        place = round(_AXIS * (time - self.first) / (self.last + 1 - self.first))
        return -_OVER if place < 0 else _WIDTH + _OVER if place > _AXIS else place

    def _x(self, from_start: int) -> int:
        return _WIDTH - from_start if self.mirrored else from_start
