"""What may stand in a document: its keys by kind, and the checks of their values."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import slugify

from peacekb.models import (
    ActorType,
    Contribution,
    Instrument,
    Kind,
    Label,
    Language,
    Membership,
    Participation,
    Phase,
    Pillar,
    Region,
    Resolution,
    Result,
    Standpoint,
    Verified,
)
from peacekb.models.dates import is_partial_date

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A key whose value is a list of rows, each a mapping: rows of `model`, which belong to the page by `owner`.

    `references` are keys whose value is the slug of another row, with the kind of page or `source`; `told_apart_by`
    are those in which no two rows of a page agree.
    """

    model: type[Model]
    owner: str
    keys: tuple[str, ...]
    needed: tuple[str, ...]
    references: Mapping[str, str]
    told_apart_by: tuple[str, ...]


#: The keys of each kind's document, in the order in which files show them. `source` is the body.
_OWN_KEYS: dict[str, tuple[str, ...]] = {
    Kind.ARTICLE: ("title", "slug", "language", "standpoint", "translation_of", "summary", "authors", "labels"),
    Kind.CONCEPT: ("title", "slug", "language", "summary", "phases", "labels", "broader", "related"),
    Kind.ROLE: ("title", "slug", "language", "summary", "phases", "labels", "performs", "concepts"),
    Kind.TASK: ("title", "slug", "language", "summary", "phase", "pillar", "seed", "labels", "concepts"),
    Kind.ACTOR: (
        *("title", "slug", "language", "summary", "type", "iso_code", "described_by", "labels"),
        *("memberships", "contributions"),
    ),
    Kind.OPERATION: (
        *("title", "slug", "language", "summary", "acronym", "region", "start", "end", "deployed_on", "labels"),
        *("countries", "resolutions"),
    ),
    Kind.CASE: (
        *("title", "slug", "language", "summary", "conflict", "region", "start_year", "end_year", "signed", "result"),
        *("labels", "countries", "parties", "participations", "instruments", "operations", "concepts"),
    ),
}
_SHARED = ("tags", "sources", "unlinked", "verified", "verified_url", "review_by", "published_at", "source")
KEYS: dict[str, tuple[str, ...]] = {kind: (*keys, *_SHARED) for kind, keys in _OWN_KEYS.items()}
#: Keys whose values are slugs of other rows: key → the kind of page, or `source`.
REFERENCES: dict[str, str] = {
    "broader": Kind.CONCEPT,
    "related": Kind.CONCEPT,
    "performs": Kind.TASK,
    "concepts": Kind.CONCEPT,
    "countries": Kind.ACTOR,
    "operations": Kind.OPERATION,
    "described_by": Kind.CONCEPT,
    "translation_of": Kind.ARTICLE,
    "sources": "source",
}
#: Those of them that name one row, not a list.
SINGLE = frozenset({"described_by", "translation_of"})
PARTS: dict[str, Part] = {
    "participations": Part(
        Participation,
        "case",
        ("actor", "role", "person"),
        ("actor", "role"),
        {"actor": Kind.ACTOR, "role": Kind.ROLE},
        ("actor", "role", "person"),
    ),
    "instruments": Part(Instrument, "case", ("name", "date", "place"), ("name",), {}, ("name", "date")),
    "memberships": Part(
        Membership,
        "actor",
        ("organization", "since", "verified"),
        ("organization",),
        {"organization": Kind.ACTOR},
        ("organization",),
    ),
    "contributions": Part(
        Contribution,
        "actor",
        ("date", "personnel", "women", "rank", "source", "verified"),
        ("date", "personnel", "source"),
        {"source": "source"},
        ("date",),
    ),
    "resolutions": Part(
        Resolution, "operation", ("symbol", "adopted", "vote", "agenda_item"), ("symbol", "adopted"), {}, ("symbol",)
    ),
}
#: Keys whose values are dates of which perhaps only the month or the year is known.
DATES = frozenset({"start", "end", "deployed_on", "signed"})
#: Kinds whose title is a name that prose uses: it is kept as the preferred label.
NAMED_KINDS = frozenset(Kind) - {Kind.ARTICLE}
_SLUG = re.compile(r"[-\w]{1,120}")
#: In any one list. The richest page of the starter library has 20; thousands of tags would take minutes to store.
_MOST_ENTRIES = 500
_LABEL_KEYS = ("text", "language", "kind", "case_sensitive", "ambiguous", "verified")
EMPTY: tuple[Any, ...] = ("", [], None)


class DocumentRefused(ValueError):
    """A document that cannot be stored: `problems` maps a key to a sentence that says what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def references_in(document: Document, kind: str) -> Iterator[tuple[str, str, str]]:
    """Give every reference of a document: its key, the kind of page (or `source`) and the slug."""
    for key in KEYS[kind]:
        value = document.get(key) or ()
        if key in REFERENCES:
            for slug in [value] if isinstance(value, str) else value:
                yield key, REFERENCES[key], slug
        elif key in PARTS:
            for row in value:
                for name, other in PARTS[key].references.items():
                    yield key, other, row[name]


def with_references(document: Document, kind: str, instead: Callable[[str, str], str | None]) -> Document:
    """Give a document with other references: `instead` gives a slug for a kind and a slug, or nothing.

    Without one, the entry of the list goes, or the row of the part. What occurs twice then is kept once.
    """
    changed: Document = {}
    for key, value in document.items():
        if key in REFERENCES:
            slugs = [instead(REFERENCES[key], slug) for slug in ([value] if isinstance(value, str) else value)]
            kept = list(dict.fromkeys(slug for slug in slugs if slug))
            value = (kept[0] if kept else "") if key in SINGLE else kept
        elif key in PARTS and key in KEYS[kind]:
            part, rows = PARTS[key], []
            for row in value:
                others = {name: instead(other, row[name]) for name, other in part.references.items()}
                if all(others.values()):
                    rows.append({**row, **others})
            place = {tuple(str(row.get(name, "")) for name in part.told_apart_by): row for row in reversed(rows)}
            value = list(reversed(place.values()))
        if value not in EMPTY:
            changed[key] = value
    return changed


# --- checks ------------------------------------------------------------------------------------------------------


def check(document: Document, kind: str) -> None:
    """Raise `DocumentRefused` for unknown keys and values of the wrong form. References are checked by `write`."""
    problems: dict[str, str] = {}
    unknown = [key for key in document if key not in KEYS[kind]]
    for key in unknown[:10]:
        problems[str(key)] = f"unknown key “{shown(key)}”. Keys of this kind: {', '.join(KEYS[kind][:-1])}."
    for key in KEYS[kind]:
        value = document.get(key)
        if value is not None and (problem := _CHECKS[key](value)):
            problems[key] = f"{key}: {problem}"
    for key in ("title", "slug"):
        if not document.get(key):
            problems.setdefault(key, f"{key} is missing.")
    for key in ("broader", "related", "translation_of"):
        named = document.get(key) or []
        if document.get("slug") in ([named] if isinstance(named, str) else named):
            problems.setdefault(key, f"{key}: a page cannot be so to itself.")
    if problems:
        raise DocumentRefused(problems)


def shown(value: Any) -> str:
    """Give a value as a message quotes it: no more than its beginning, and nothing that would act on a terminal."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[:81])
    return text if len(text) <= 80 else f"{text[:80]}…"


def storable(text: str) -> bool:
    """Tell whether both databases take a text: no NUL and no lone surrogate."""
    return not re.search("[\x00\ud800-\udfff]", text)


def _text(most: int, *, lines: bool = False) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if not isinstance(value, str):
            return "must be a text; put it in quotes."
        if not storable(value):
            return "holds a NUL or half a character, which cannot be stored; take it away."
        if not lines and "\n" in value.strip():
            return "must stand on one line."
        return f"must be {most} characters or fewer; it has {len(value)}." if len(value) > most else ""

    return problem


def _list_of(item: Callable[[Any], str]) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list."
        if len(value) > _MOST_ENTRIES:
            return f"has {len(value):,} entries; {_MOST_ENTRIES} are the most. Keep those that matter."
        return next((f"“{shown(one)}” {found}" for one in value if (found := item(one))), "")

    return problem


def _one_of(choices: Iterable[str]) -> Callable[[Any], str]:
    known = list(choices)
    return lambda value: "" if value in known else f"“{shown(value)}” is not one of {', '.join(known)}."


def _slug(value: Any) -> str:
    well_formed = isinstance(value, str) and _SLUG.fullmatch(value)
    return "" if well_formed else "must be words of letters and digits joined by hyphens, 120 characters or fewer."


def _label(value: Any) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or not value["text"].strip():
        return "must have a text."
    unknown = set(value) - set(_LABEL_KEYS)
    if unknown:
        return f"has unknown keys: {shown(', '.join(sorted(map(str, unknown))))}."
    if value.get("kind", "alt") not in Label.LabelKind.values:
        return "has an unknown kind; known are pref, alt, hidden."
    language = value.get("language", "en")
    if not isinstance(language, str) or len(language) > 10 or not re.fullmatch(r"[a-z]{2,3}(-\w{2,8})*", language):
        return "has no language code such as en or ar."
    for flag in ("case_sensitive", "ambiguous"):
        if not isinstance(value.get(flag, False), bool):
            return f"must have true or false as {flag}."
    if value.get("verified", "") not in ("", *Verified.values):
        return f"must have one of {', '.join(Verified.values)} as verified."
    return _text(200)(value["text"])


def _labels(value: Any) -> str:
    problem = _list_of(_label)(value)
    if not problem:
        languages = [row.get("language", "en") for row in value if row.get("kind") == "pref"]
        twice = next((language for language in languages if languages.count(language) > 1), None)
        problem = f"two preferred names in {twice}; one of them must be alt." if twice else ""
    return problem


def _rows_of(part: Part) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list."
        if len(value) > _MOST_ENTRIES:
            return f"has {len(value):,} entries; {_MOST_ENTRIES} are the most."
        seen: set[tuple[str, ...]] = set()
        for number, row in enumerate(value, start=1):
            if found := _row_problem(part, row):
                return f"entry {number} {found}"
            place = tuple(str(row.get(key, "")) for key in part.told_apart_by)
            if place in seen:
                return f"entry {number} says again what another one says. Take one of them away."
            seen.add(place)
        return ""

    return problem


def _row_problem(part: Part, row: Any) -> str:
    if not isinstance(row, dict):
        return f"must have keys and values: {', '.join(part.keys)}."
    if unknown := [key for key in row if key not in part.keys]:
        return f"has the unknown key “{shown(unknown[0])}”. Known: {', '.join(part.keys)}."
    if missing := [key for key in part.needed if row.get(key) in EMPTY]:
        return f"has no {missing[0]}."
    for key, value in row.items():
        if value is not None and (not isinstance(value, str | int | date) or isinstance(value, bool)):
            return f"must have a text or a number as {key}."
        if isinstance(value, str) and not storable(value):
            return f"holds a NUL or half a character in {key}, which cannot be stored; take it away."
        if key in part.references and (wrong := _slug(value)):
            return f"({key}) {wrong}"
    try:
        made = part.model(**values_of_row(part, row))
        made.clean_fields(exclude=["id", part.owner, *part.references])
        made.clean()
    except (ValidationError, ValueError) as error:
        return f"cannot be stored: {'; '.join(getattr(error, 'messages', [str(error)]))}"
    return ""


def values_of_row(part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a row of a part, without its references, as its model takes them."""
    values = {}
    for key in part.keys:
        if key not in part.references:
            field, value = part.model._meta.get_field(key), row.get(key)
            values[key] = field.get_default() if value in EMPTY else field.to_python(value)  # type: ignore[union-attr]
    return values


def _is_date(value: Any) -> str:
    told = str(value) if isinstance(value, str | int | date) and not isinstance(value, bool) else ""
    return "" if is_partial_date(told) else "must be a date such as 2009-02-28, 2009-02 or 2009."


def _is_year(value: Any) -> str:
    is_year = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000
    return "" if is_year else "must be a year such as 2009, without quotes."


def _is_moment(value: Any) -> str:
    return "" if parsed_moment(value) else "must be a date such as 2026-11-24 or 2026-11-24T09:00:00Z."


def _is_day(value: Any) -> str:
    return "" if parsed_day(value) else "must be a date such as 2027-03-31."


def parsed_day(value: Any) -> date | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return parse_date(value) if isinstance(value, str) else None
    except ValueError:
        return None


def parsed_moment(value: Any) -> datetime | None:
    if (day := parsed_day(value)) is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        moment = value if isinstance(value, datetime) else parse_datetime(str(value))
        if moment is None:
            return None
        # Also where the time zone takes it out of the years that there are.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def tag_problem(value: Any) -> str:
    """Say why a value cannot be the name of a tag; nothing where it can."""
    # An address has room for 100; one that is taken gets a number at its end.
    problem = _text(90)(value)
    if not problem and not 0 < len(slugify(value, allow_unicode=True)) <= 90:
        problem = "must hold letters or digits."
    return problem


_CHECKS: dict[str, Callable[[Any], str]] = {
    "title": _text(300),
    "slug": _slug,
    "language": _one_of(Language.values),
    "standpoint": _one_of(Standpoint.values),
    "translation_of": _slug,
    "summary": _text(200),
    "authors": _list_of(_text(200)),
    "phases": _list_of(_one_of(Phase.values)),
    "phase": _one_of(Phase.values),
    "pillar": _one_of(Pillar.values),
    "seed": lambda value: "" if isinstance(value, bool) else "must be true or false.",
    "type": _one_of(ActorType.values),
    "iso_code": _text(3),
    "described_by": _slug,
    "acronym": _text(30),
    "region": _one_of(Region.values),
    "start": _is_date,
    "end": _is_date,
    "deployed_on": _is_date,
    "signed": _is_date,
    "conflict": _text(300),
    "start_year": _is_year,
    "end_year": _is_year,
    "result": _one_of(Result.values),
    "parties": _list_of(_text(200)),
    "countries": _list_of(_slug),
    "operations": _list_of(_slug),
    **{key: _rows_of(part) for key, part in PARTS.items()},
    "labels": _labels,
    "broader": _list_of(_slug),
    "related": _list_of(_slug),
    "performs": _list_of(_slug),
    "concepts": _list_of(_slug),
    "tags": _list_of(tag_problem),
    "sources": _list_of(_slug),
    "unlinked": _list_of(_text(200)),
    "verified": _one_of(Verified.values),
    "verified_url": _text(600),
    "review_by": _is_day,
    "published_at": _is_moment,
    "source": _text(2_000_000, lines=True),
}
