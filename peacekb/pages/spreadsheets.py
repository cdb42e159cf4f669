"""Tables as files that a spreadsheet opens."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from django.http import StreamingHttpResponse

_LINE_END = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
# What a spreadsheet may pass over before it looks for a formula.
_UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*")


def file(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """Answer with a table as a file to keep, which no search engine lists."""
    response = StreamingHttpResponse(_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = _attached(name)
    response["X-Robots-Tag"] = "noindex"
    return response


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give the file line by line. It begins with the mark by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(columns)
    for cells in rows:
        yield writer.writerow([_cell(cell) for cell in cells])


def _cell(text: str) -> str:
    """Give a text as one line that no spreadsheet takes for a formula: one that could be begins with an apostrophe."""
    beginning = _UNSEEN.match(text)
    first = text[beginning.end() :][:1] if beginning else ""
    # Full-width and small forms of the four signs count as the sign itself.
    formula = text[:1] in ("\t", "\r") or (first and unicodedata.normalize("NFKC", first) in "=+-@")
    line = _LINE_END.sub(" ", text).strip()
    return f"'{line}" if formula else line


def _attached(name: str) -> str:
    """Give the header of a file to keep, its name in ASCII and in its own letters (RFC 6266, appendix D)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("-.", ".")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
