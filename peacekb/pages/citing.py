"""How a text is cited: its version, its paragraph, and the same as a file for programs that keep references.

The date of access is left out: what is cited is a version, and a version never changes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from zlib import crc32

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from peacekb.languages import absolute, day
from peacekb.models import Article, Page

from . import entries, history

SITE = "PeaceKB"


@dataclass(frozen=True, slots=True)
class Citation:
    """A version of a text, or one paragraph of it, as it is cited."""

    kind: str
    slug: str
    title: str
    language: str
    authors: tuple[str, ...]
    version: int | None
    date: date
    path: str
    paragraph: int | str | None = None

    @property
    def address(self) -> str:
        """Give the address of exactly what is cited, with its version and paragraph."""
        version = f"?v={self.version}" if self.version else ""
        paragraph = f"#p{self.paragraph}" if self.paragraph else ""
        return f"{absolute(self.path)}{version}{paragraph}"

    @property
    def _version(self) -> str:
        return _("version %(number)s") % {"number": self.version} if self.version else ""

    @property
    def _paragraph(self) -> str:
        return _("para. %(number)s") % {"number": self.paragraph} if self.paragraph else ""

    def text(self) -> str:
        """Write one line to be copied."""
        parts = [
            *map(_line, self.authors),
            _("“%(title)s”") % {"title": _line(self.title)},
            SITE,
            self._version,
            day(self.date),
            self._paragraph,
            self.address,
        ]
        comma = pgettext("between the parts of a list", ", ")
        return comma.join(part for part in parts if part) + "\n"

    @property
    def of_paragraphs(self) -> str:
        """Give the line of `text` for any paragraph, with `{n}` for its number, which a script fills in."""
        return replace(self, paragraph="{n}").text().strip()

    def bibtex(self) -> str:
        """Write an entry that every BibTeX style knows, `@misc`. Names that are not "Family, Given" stay whole."""
        authors = " and ".join(_bibtex(name) if "," in name else f"{{{_bibtex(name)}}}" for name in self.authors)
        note = ", ".join(part for part in (self._version, self._paragraph) if part)
        values = {
            "author": f"{{{authors}}}" if authors else "",
            "title": f"{{{{{_bibtex(self.title)}}}}}",
            "howpublished": f"{{{SITE}}}",
            "year": f"{{{self.date.year}}}",
            # The three letters are macros of BibTeX, and so without braces.
            "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")[
                self.date.month - 1
            ],
            "note": f"{{{_bibtex(note)}}}" if note else "",
            "language": f"{{{self.language}}}",
            "url": f"{{{self.address}}}",
        }
        fields = "".join(f"  {name} = {value},\n" for name, value in values.items() if value)
        return f"@misc{{{_key(self)},\n{fields}}}\n"

    def ris(self) -> str:
        """Write a record whose lines end as the format has it, in CR LF."""
        values = [
            ("TY", "ELEC"),
            *(("AU", name) for name in self.authors),
            ("TI", self.title),
            ("T2", SITE),
            ("PY", f"{self.date.year}"),
            ("DA", f"{self.date:%Y/%m/%d}"),
            ("ET", f"{self.version}" if self.version else ""),
            ("SP", f"para. {self.paragraph}" if self.paragraph else ""),
            ("LA", self.language),
            ("UR", self.address),
        ]
        return "".join(f"{tag}  - {_line(value)}\r\n" for tag, value in values if value) + "ER  - \r\n"

    def csl(self) -> str:
        """Write a list of one item in CSL-JSON."""
        item = {
            "id": _key(self),
            "type": "webpage",
            "title": self.title,
            "author": [_csl_name(name) for name in self.authors],
            "container-title": SITE,
            "issued": {"date-parts": [[self.date.year, self.date.month, self.date.day]]},
            "version": f"{self.version}" if self.version else "",
            "note": f"para. {self.paragraph}" if self.paragraph else "",
            "language": self.language,
            "URL": self.address,
        }
        return json.dumps([{key: value for key, value in item.items() if value}], ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Format:
    """A form in which a citation is taken away."""

    name: str
    title: str
    content_type: str
    ending: str
    write: Callable[[Citation], str]


FORMATS = {
    one.name: one
    for one in (
        Format("text", "Text", "text/plain", "txt", Citation.text),
        Format("bibtex", "BibTeX", "application/x-bibtex", "bib", Citation.bibtex),
        Format("ris", "RIS", "application/x-research-info-systems", "ris", Citation.ris),
        Format("csl", "CSL-JSON", "application/vnd.citationstyles.csl+json", "json", Citation.csl),
    )
}


def current(page: Page) -> Citation:
    """Give the citation of a page found by `entries.find`, in the version that it has. No query."""
    number = getattr(page, "version", None)
    day = page.published_at
    if number:
        day = history.version_date(number, page.made, page.published_at)  # type: ignore[attr-defined,arg-type]
    return _citation(page, page, number, day)  # type: ignore[arg-type]


def _citation(page: Page, shown: Page, number: int | None, day: date) -> Citation:
    return Citation(
        kind=page.kind,
        slug=page.slug,
        title=shown.title,
        language=shown.language,
        authors=tuple(shown.authors) if isinstance(shown, Article) else (),
        version=number,
        date=day,
        path=page.get_absolute_url(),
    )


@require_safe
def cite(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Show how to cite a page, `?v=` a version of it and `?p=` a paragraph, or give it as a file in one `?format=`.

    Five queries, and two for an old version.
    """
    kind = kinds.removesuffix("s")
    page = entries.find(kind, slug)
    if page is None:
        return entries.elsewhere(request, kind, slug, view="pages:cite")
    wanted = request.GET.get("format")
    if wanted is not None and wanted not in FORMATS:
        raise BadRequest("Citations are given as text, bibtex, ris or csl.")
    citation, last_paragraph = _asked(request, page)
    if wanted is not None:
        return _file(FORMATS[wanted], citation)
    forms = [(form, form.write(citation)) for form in FORMATS.values() if form.name != "text"]
    shown = {"page": page, "citation": citation, "forms": forms, "last_paragraph": last_paragraph}
    return render(request, "pages/cite.html", shown)


def _asked(request: HttpRequest, page: Page) -> tuple[Citation, int]:
    """Give the citation that an address asks for, and the number of the last paragraph that could be asked for."""
    citation = current(page)
    numbers = [section.last_paragraph for section in page.sections.all()]
    asked = request.GET.get("v")
    if asked is not None and history.number_in(asked) != citation.version:
        version = history.History(page).version(asked)
        if not version.is_open:
            raise Http404(f"Version {version.number} was withdrawn.")
        earlier = history.as_it_was(version, page.kind)
        citation = _citation(page, earlier.page, version.number, version.since)
        numbers = [section.last_paragraph for section in earlier.sections]
    last = max((number or 0 for number in numbers), default=0)
    if wanted := request.GET.get("p"):
        paragraph = history.number_in(wanted)
        if paragraph > last:
            raise Http404(f"There is no paragraph {paragraph}.")
        citation = replace(citation, paragraph=paragraph)
    return citation, last


def _file(form: Format, citation: Citation) -> HttpResponse:
    version = f"-v{citation.version}" if citation.version else ""
    name = f"{citation.slug}{version}.{form.ending}"
    response = HttpResponse(form.write(citation), content_type=f"{form.content_type}; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["X-Robots-Tag"] = "noindex"
    return response


# --- writing values ----------------------------------------------------------------------------------------------

_BIBTEX = {
    "\\": r"\textbackslash{}",
    # Braces are counted even behind a backslash, so an odd one would break the file.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "$&#_%"},
}


def _line(text: str) -> str:
    """Give a text on one line: every kind of line end counts, or a value could begin a field of its own."""
    return " ".join(text.split())


def _bibtex(text: str) -> str:
    return "".join(_BIBTEX.get(character, character) for character in _line(text))


def _key(citation: Citation) -> str:
    """Give the name by which authors call the entry in their texts: ASCII, and different for each version."""
    slug = citation.slug if citation.slug.isascii() else f"{crc32(citation.slug.encode()):08x}"
    return f"peacekb-{citation.kind}-{slug}" + (f"-v{citation.version}" if citation.version else "")


def _csl_name(name: str) -> dict[str, str]:
    family, comma, given = (part.strip() for part in name.partition(","))
    return {"family": family, "given": given} if comma and given else {"literal": name}
