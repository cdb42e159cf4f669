"""Bring the catalogues in `locale/` in step with the texts that readers see, and compile them. Needs no gettext.

Texts that are new are added without a translation, those that are gone are dropped, and what is left to translate is
listed; nothing is guessed. Editors work in English: the texts of the admin are not collected.
"""

import io
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize
from machine import ROOT

LOCALES = ROOT / "locale"
LANGUAGES = ("fr", "ar")
# What readers meet. Of the models, the names of choices; verbose names and hints are for the admin.
TEMPLATES = ("templates/*.html", "templates/pages/*.html")
MODULES = ("peacekb/languages.py", "peacekb/pages/*.py", "peacekb/templatetags/*.py")
CHOICES = ("peacekb/models/*.py",)
# Django's own names of months; in Arabic we write both, as the United Nations do.
MONTHS = "January February March April May June July August September October November December".split()
_TRANSLATORS = ["Translators:"]


def collected() -> Catalog:
    """Give every text that readers see, in the order of the files, without a translation."""
    texts = Catalog(project="PeaceKB", fuzzy=False)
    for path in _files(TEMPLATES):
        source = templatize(path.read_text(encoding="utf-8"))
        # The rest of a template is crossed out, and its indentation is none that Python knows.
        _add(texts, path, "\n".join(line.lstrip() for line in source.splitlines()))
    for path in _files(MODULES):
        _add(texts, path, path.read_text(encoding="utf-8"))
    for path in _files(CHOICES):
        _add(texts, path, "\n".join(_choices(path.read_text(encoding="utf-8"))))
    for month in MONTHS:
        texts.add(month, locations=[("django/utils/dates.py", 0)])
    return texts


def _files(patterns: tuple[str, ...]) -> Iterator[Path]:
    return chain.from_iterable(sorted(ROOT.glob(pattern)) for pattern in patterns)


def _choices(source: str) -> Iterator[str]:
    """Give the lines that name a choice, such as `DRAFT = "draft", _("Draft")`."""
    for line in source.splitlines():
        name, sign, value = line.strip().partition(" = ")
        if sign and name.isupper() and "_(" in value:
            yield value


def _add(texts: Catalog, path: Path, source: str) -> None:
    found = extract("python", io.BytesIO(source.encode()), DEFAULT_KEYWORDS, _TRANSLATORS, {"encoding": "utf-8"})
    for _line, text, comments, context in found:
        place = [(path.relative_to(ROOT).as_posix(), 0)]
        texts.add(text, locations=place, auto_comments=comments, context=context)


def catalogue(language: str) -> Catalog:
    """Give the catalogue of a language as it is kept."""
    with (_folder(language) / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str, texts: Catalog) -> Catalog:
    """Give the catalogue of a language with exactly the texts that there are."""
    known = catalogue(language)
    known.update(texts, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    known.obsolete.clear()
    return known


def written(known: Catalog) -> bytes:
    """Give a catalogue as a file: without line numbers, which every edit would move."""
    file = io.BytesIO()
    write_po(file, known, width=120, include_lineno=False, omit_header=False)
    return file.getvalue()


def compiled(known: Catalog) -> bytes:
    """Give a catalogue as Django reads it."""
    file = io.BytesIO()
    write_mo(file, known)
    return file.getvalue()


def untranslated(known: Catalog) -> list[Message]:
    """Give the texts without a translation, or with one that is only a guess."""
    return [one for one in known if one.id and (one.fuzzy or not all(forms(one)))]


def forms(message: Message) -> tuple[str, ...]:
    """Give the translation of a text, one for each form of a number where it has them."""
    return tuple(message.string) if isinstance(message.string, (list, tuple)) else (message.string or "",)


def _folder(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES"


def main() -> int:
    """Write both catalogues; say what is left to translate, and fail while something is."""
    texts = collected()
    missing = 0
    for language in LANGUAGES:
        known = merged(language, texts)
        (_folder(language) / "django.po").write_bytes(written(known))
        (_folder(language) / "django.mo").write_bytes(compiled(known))
        left = untranslated(known)
        missing += len(left)
        print(f"{language}: {len(known)} texts, {len(left)} to translate.")
        for message in left:
            print(f"  {message.id!r} ({', '.join(place for place, _line in message.locations)})")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
