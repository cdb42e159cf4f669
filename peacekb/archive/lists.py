"""Files that hold no page but a list: works, tags, events and claims."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from taggit.models import Tag

from peacekb.documents import shown, storable, tag_problem
from peacekb.models import (
    MODELS,
    Claim,
    Contribution,
    Edition,
    Event,
    Evidence,
    Kind,
    Language,
    Page,
    Source,
    Stance,
    TagName,
    kept_tags,
    tag_slug,
)
from peacekb.publishing.claims import keep_claim
from peacekb.publishing.tags import Name, TagRefused, check, save_tag
from peacekb.text.sentences import on_one_line

from .files import FileRefused, Refusal, Report, mapping_of, yaml_of

SOURCES_FILE = "sources.yaml"
TAGS_FILE = "tags.yaml"
EVENTS_FILE = "events.yaml"
CLAIMS_FILE = "claims.yaml"
_SOURCE_KEYS = (
    *("type", "title", "author", "year", "date", "publisher", "symbol", "url"),
    *("verified", "verified_url", "note"),
)
_EVENT_KEYS = ("slug", "date", "title", "text", "note", "operations", "cases", "source", "verified")
_CLAIM_KEYS = ("article", "number", "sentence", "evidence")
_EVIDENCE_KEYS = ("stance", *MODELS, "date", "source", "note")
_TAG_KEYS = ("name", "slug", "names", "broader")
_TAG_ADDRESS = re.compile(r"[-\w]{1,100}")
_TAG_NAME_KEYS = ("text", "language", "kind", "slug")


def sources_file(sources: Iterable[Source]) -> str:
    """Give the text of the bibliography's file, sorted by id."""
    works = []
    for source in sorted(sources, key=lambda one: one.slug):
        values = {key: getattr(source, key) for key in _SOURCE_KEYS}
        works.append({"id": source.slug, **{key: value for key, value in values.items() if value not in ("", None)}})
    return yaml_of({"sources": works})


def tags_file(tags: Iterable[Tag]) -> str:
    """Give the text of the file of tags, by name. A broader tag that is not among them is left out."""
    rows = sorted((_tag_row(tag) for tag in tags), key=lambda row: str(row["name"]))
    names = {row["name"] for row in rows}
    for row in rows:
        row["broader"] = [name for name in row["broader"] if name in names]
    return yaml_of({"tags": [{key: value for key, value in row.items() if value} for row in rows]})


def _tag_row(tag: Tag) -> dict[str, Any]:
    names = sorted(tag.other_names.all(), key=lambda name: (name.kind != "pref", name.language, name.text, name.slug))
    return {
        "name": tag.name,
        "slug": tag.slug if tag.slug != tag_slug(tag.name) else "",
        "names": [_tag_name_row(name) for name in names],
        "broader": sorted(row.broader.name for row in tag.broader_rows.all()),
    }


def _tag_name_row(name: TagName) -> dict[str, str]:
    plain = {"language": Language.ENGLISH, "kind": TagName.TagNameKind.ALT, "slug": tag_slug(name.text)}
    values = {key: str(getattr(name, key)) for key in _TAG_NAME_KEYS}
    return {key: value for key, value in values.items() if value != plain.get(key)}


def events_file(events: Iterable[Event]) -> str:
    """Give the text of the file of events, by date; pages that are not public are left out."""
    public = set(Page.objects.published().values_list("pk", flat=True))
    rows = []
    for event in events:
        values: dict[str, Any] = {key: getattr(event, key) for key in _EVENT_KEYS}
        for key in ("operations", "cases"):
            values[key] = sorted(page.slug for page in values[key].all() if page.pk in public)
        values["source"] = event.source.slug
        rows.append({key: value for key, value in values.items() if value})
    return yaml_of({"events": rows})


def claims_file(claims: Iterable[Claim]) -> str:
    """Give the text of the file of claims, by article and number; evidence that is not public is left out."""
    public = set(Page.objects.published().values_list("pk", flat=True))
    rows = sorted((_claim_row(claim, public) for claim in claims), key=lambda row: (row["article"], row["number"]))
    return yaml_of({"claims": rows})


def _claim_row(claim: Claim, public: Collection[int]) -> dict[str, Any]:
    found = claim.evidence.all()
    evidence = [_evidence_row(one) for one in found if one.page_id is None or one.page_id in public]
    row = {"article": claim.article.slug, "number": claim.number, "sentence": claim.sentence, "evidence": evidence}
    return {key: value for key, value in row.items() if value}


def _evidence_row(evidence: Evidence) -> dict[str, Any]:
    row: dict[str, Any] = {"stance": evidence.stance}
    if evidence.page is not None:
        row[evidence.page.kind] = evidence.page.slug
    if evidence.figure_date:
        row["date"] = evidence.figure_date
    if evidence.source is not None:
        row["source"] = evidence.source.slug
    return {**row, "note": evidence.note}


def _rows_in(text: str, key: str, what: str) -> tuple[list[Any], dict[str, int]]:
    whole, lines = mapping_of(text, first_line=1)
    rows = whole.get(key)
    if not isinstance(rows, list):
        raise FileRefused(f"the key “{key}” with a list of {what} is missing.", 1)
    return rows, lines


def _told(error: ValidationError) -> str:
    return "; ".join(f"{key}: {' '.join(found)}" for key, found in error.message_dict.items())


def _bring_in_sources(path: Path, text: str, report: Report, seeding: bool, dry_run: bool) -> None:
    try:
        works, lines = _rows_in(text, "sources", "works")
    except FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    existing = {source.slug: source for source in Source.objects.all()}
    seen: set[str] = set()
    for number, work in enumerate(works):
        name = str(work.get("id", "")) if isinstance(work, dict) else ""
        place = f"{path} ({shown(name)})"
        try:
            if name in seen:
                raise ValidationError({"id": ["another work of this file has it. Give each its own."]})
            source = _source_of(work, existing.get(name))
        except ValidationError as error:
            message = f"{shown(name) or 'a work without an id'}: {_told(error)}"
            report.refused.append(Refusal(str(path), lines[f"sources[{number}]"], message))
            continue
        seen.add(name)
        known = existing.get(source.slug)
        if known is None:
            report.created.append(place)
        elif sources_file([known]) == sources_file([source]):
            report.unchanged.append(place)
            continue
        elif seeding:
            report.kept.append(f"{place}: left alone, it differs from the starter library")
            continue
        else:
            report.updated.append(place)
        if not dry_run:
            source.save()


def _source_of(work: Any, known: Source | None) -> Source:
    if not isinstance(work, dict):
        raise ValidationError({"sources": ["each work must have keys and values."]})
    _check_keys(work, ("id", *_SOURCE_KEYS))
    source = Source(pk=known.pk if known else None, slug=str(work.get("id", "")))
    for key in _SOURCE_KEYS:
        value = work.get(key)
        if value is None:
            continue
        if not isinstance(value, str | int | date) or isinstance(value, bool) or not storable(str(value)):
            raise ValidationError({key: ["must be a text; put it in quotes."]})
        if key == "year" and not (isinstance(value, int) and 0 < value < 10_000):
            raise ValidationError({key: ["must be a year such as 2009, without quotes."]})
        setattr(source, key, value if key == "year" else str(value))
    # The ids are compared with those of the base and of the file already, and asking the database of each is slow.
    source.full_clean(validate_unique=False, validate_constraints=False)
    return source


def _bring_in_events(
    path: Path, text: str, report: Report, coming: set[tuple[str, str]], seeding: bool, dry_run: bool
) -> None:
    """Bring in the timeline, after the pages that it names; `coming` are those of this import."""
    try:
        rows, lines = _rows_in(text, "events", "events")
    except FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    stored = Event.objects.select_related("source").prefetch_related("operations", "cases")
    existing = {event.slug: event for event in stored}
    sources = dict(Source.objects.values_list("slug", "pk"))
    kinds = {"operations": Kind.OPERATION, "cases": Kind.CASE}
    pages = {key: dict(MODELS[kind].objects.values_list("slug", "pk")) for key, kind in kinds.items()}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        name = str(row.get("slug", "")) if isinstance(row, dict) else ""
        place = f"{path} ({shown(name)})"
        known = existing.get(name)
        try:
            if name in seen:
                raise ValidationError({"slug": ["another event of this file has it. Give each its own."]})
            event = _event_of(row, known, sources)
            joined = {key: row.get(key) or [] for key in kinds}
            for key, slugs in joined.items():
                if not isinstance(slugs, list) or not all(isinstance(slug, str) for slug in slugs):
                    raise ValidationError({key: ["must be a list of addresses."]})
                if lost := [one for one in slugs if one not in pages[key] and (kinds[key], one) not in coming]:
                    raise ValidationError({key: [f"no {kinds[key]} has the slug “{shown(lost[0])}”."]})
        except ValidationError as error:
            message = f"{shown(name) or 'an event without a slug'}: {_told(error)}"
            report.refused.append(Refusal(str(path), lines[f"events[{number}]"], message))
            continue
        seen.add(name)
        if known is not None and _event_says_the_same(event, known, joined):
            report.unchanged.append(place)
            continue
        if known is not None and seeding:
            report.kept.append(f"{place}: left alone, it differs from the starter library")
            continue
        (report.created if known is None else report.updated).append(place)
        if not dry_run:
            event.save()
            for key, slugs in joined.items():
                getattr(event, key).set([pages[key][slug] for slug in slugs])
    if seen and not dry_run:
        Edition.advance()


def _event_of(row: Any, known: Event | None, sources: dict[str, int]) -> Event:
    if not isinstance(row, dict):
        raise ValidationError({"events": ["each event must have keys and values."]})
    _check_keys(row, _EVENT_KEYS)
    event = Event(pk=known.pk if known else None)
    for key in ("slug", "date", "title", "text", "note", "verified"):
        value = row.get(key) or ""
        if not isinstance(value, str | int | date) or isinstance(value, bool) or not storable(str(value)):
            raise ValidationError({key: ["must be a text; put it in quotes."]})
        setattr(event, key, str(value))
    if row.get("source") not in sources:
        raise ValidationError({"source": [f"no source has the slug “{shown(row.get('source'))}”."]})
    event.source_id = sources[row["source"]]
    event.full_clean(exclude=["source"], validate_unique=False, validate_constraints=False)
    return event


def _event_says_the_same(event: Event, known: Event, joined: dict[str, list[str]]) -> bool:
    fields = ("date", "title", "text", "note", "verified", "source_id")
    return all(getattr(event, name) == getattr(known, name) for name in fields) and all(
        sorted(slugs) == sorted(page.slug for page in getattr(known, key).all()) for key, slugs in joined.items()
    )


def all_claims() -> QuerySet[Claim]:
    claims = Claim.objects.select_related("article").defer("article__source")
    return claims.prefetch_related("evidence__page", "evidence__source")


def _bring_in_claims(
    path: Path, text: str, report: Report, coming: set[tuple[str, str]], seeding: bool, dry_run: bool
) -> None:
    """Bring in claims with their evidence, after the pages that they name; `coming` are those of this import."""
    try:
        rows, lines = _rows_in(text, "claims", "claims")
    except FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    existing = {(claim.article.slug, claim.number): claim for claim in all_claims()}
    known = _Known.of(rows, coming)
    seen: set[tuple[str, int]] = set()
    for number, row in enumerate(rows):
        try:
            claim, evidence = _claim_of(row, known)
            name = (row["article"], claim.number)
            if name in seen:
                raise ValidationError({"number": ["another claim of this article has it. Give each its own."]})
            stored = existing.get(name)
            if stored is not None and stored.is_withdrawn and not seeding:
                raise ValidationError({"number": ["the claim was withdrawn. Show it again in the admin first."]})
        except ValidationError as error:
            told = shown(row.get("sentence", "")) if isinstance(row, dict) else ""
            message = f"{told or 'a claim without a sentence'}: {_told(error)}"
            report.refused.append(Refusal(str(path), lines[f"claims[{number}]"], message))
            continue
        seen.add(name)
        place = f"{path} ({name[0]}, claim {name[1]})"
        if stored is not None and _claim_says_the_same(claim, evidence, stored):
            report.unchanged.append(place)
            continue
        if stored is not None and seeding:
            report.kept.append(f"{place}: left alone, it differs from the starter library")
            continue
        (report.created if stored is None else report.updated).append(place)
        if not dry_run:
            if stored is not None:
                stored.evidence.all().delete()
                claim.pk, claim.created_at = stored.pk, stored.created_at
            keep_claim(claim)
            Evidence.objects.bulk_create(evidence)


@dataclass(frozen=True, slots=True)
class _Known:
    """What claims of a file may refer to, by kind and slug; the key of a page that only a trial run brings is 0.

    `figures` are the dates of those of actors, or nothing where they are not known yet.
    """

    keys: dict[tuple[str, str], int]
    figures: dict[str, set[str]]

    @classmethod
    def of(cls, rows: Sequence[Any], coming: set[tuple[str, str]]) -> "_Known":
        """Ask for all that rows name. Three queries."""
        said = [row for row in rows if isinstance(row, dict)]
        lists = [row["evidence"] for row in said if isinstance(row.get("evidence"), list)]
        inner = [one for one in chain.from_iterable(lists) if isinstance(one, dict)]
        named = {str(row.get("article")) for row in said}
        named |= {str(one[key]) for one in inner for key in MODELS if key in one}
        pages = Page.objects.filter(slug__in=named).values_list("kind", "slug", "pk")
        keys = {**dict.fromkeys(coming, 0), **{(kind, slug): pk for kind, slug, pk in pages}}
        keys |= {("source", slug): pk for slug, pk in Source.objects.values_list("slug", "pk")}
        figures: dict[str, set[str]] = {}
        for slug, day in Contribution.objects.filter(actor__slug__in=named).values_list("actor__slug", "date"):
            figures.setdefault(slug, set()).add(day)
        return cls(keys, figures)

    def key(self, row: dict[str, Any], kind: str) -> int:
        """Give the key of what a row names under a kind. Raises `ValidationError`."""
        slug = row.get(kind)
        if not isinstance(slug, str) or (kind, slug) not in self.keys:
            raise ValidationError({kind: [f"no {kind} has the slug “{shown(slug)}”."]})
        return self.keys[kind, slug]


def _claim_of(row: Any, known: _Known) -> tuple[Claim, list[Evidence]]:
    if not isinstance(row, dict):
        raise ValidationError({"claims": ["each claim must have keys and values."]})
    _check_keys(row, _CLAIM_KEYS)
    number, sentence, found = row.get("number"), row.get("sentence"), row.get("evidence") or []
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10_000:
        raise ValidationError({"number": ["must be a number from 1 on, without quotes."]})
    if not isinstance(sentence, str) or not storable(sentence):
        raise ValidationError({"sentence": ["must be a text; put it in quotes."]})
    if not isinstance(found, list):
        raise ValidationError({"evidence": ["must be a list."]})
    claim = Claim(article_id=known.key(row, Kind.ARTICLE), number=number, sentence=on_one_line(sentence))
    claim.full_clean(exclude=["article"], validate_unique=False, validate_constraints=False)
    return claim, [_evidence_of(one, claim, known) for one in found]


def _evidence_of(row: Any, claim: Claim, known: _Known) -> Evidence:
    if not isinstance(row, dict):
        raise ValidationError({"evidence": ["each must have keys and values."]})
    _check_keys(row, _EVIDENCE_KEYS)
    things = [key for key in ("source", *MODELS) if key in row]
    if len(things) != 1:
        raise ValidationError({"evidence": [f"each must name one of {', '.join(('source', *MODELS))}."]})
    if row.get("stance") not in Stance.values:
        raise ValidationError({"stance": [f"“{shown(row.get('stance'))}” is not one of {', '.join(Stance.values)}."]})
    note, day, thing = row.get("note"), row.get("date", ""), things[0]
    if not isinstance(note, str) or not storable(note):
        raise ValidationError({"note": ["must be a text; put it in quotes."]})
    evidence = Evidence(claim=claim, stance=row["stance"], note=on_one_line(note), figure_date=str(day))
    setattr(evidence, "source_id" if thing == "source" else "page_id", known.key(row, thing))
    evidence.clean_fields(exclude=["claim", "page", "source"])
    is_there = thing == Kind.ACTOR and (not evidence.page_id or str(day) in known.figures.get(row[thing], ()))
    if day and not is_there:
        raise ValidationError({"date": [f"“{shown(row[thing])}” is no actor that has a figure of this date."]})
    return evidence


def _claim_says_the_same(claim: Claim, evidence: Sequence[Evidence], stored: Claim) -> bool:
    fields = ("stance", "page_id", "figure_date", "source_id", "note")
    said, was = (
        [[getattr(one, name) for name in fields] for one in some] for some in (evidence, stored.evidence.all())
    )
    return not stored.is_withdrawn and claim.sentence == stored.sentence and said == was


@dataclass(frozen=True, slots=True)
class _TagRow:
    """A tag as its file has it; `line` is where."""

    name: str
    slug: str
    names: list[Name]
    broader: list[str]
    line: int


def _bring_in_tags(path: Path, text: str, report: Report, seeding: bool, dry_run: bool) -> None:
    """Bring in what tags are called and what is broader. Seeding fills in tags of which nothing is said yet."""
    rows: dict[str, _TagRow] = {}
    try:
        found, lines = _rows_in(text, "tags", "tags")
    except FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    for number, one in enumerate(found):
        line = lines[f"tags[{number}]"]
        try:
            row = _tag_of(one, line)
            if row.name.casefold() in rows:
                raise ValidationError({"name": ["another tag of this file has it. Keep one of them."]})
            rows[row.name.casefold()] = row
        except ValidationError as error:
            name = str(one.get("name", "")) if isinstance(one, dict) else ""
            report.refused.append(Refusal(str(path), line, f"{shown(name) or 'a tag without a name'}: {_told(error)}"))
    stored = {tag.name.casefold(): tag for tag in Tag.objects.prefetch_related("other_names", "broader_rows__broader")}
    waiting: list[tuple[_TagRow, Tag]] = []
    for key, row in rows.items():
        place, tag = f"{path} ({shown(row.name)})", stored.get(key)
        if tag is None and seeding and (meant := kept_tags([row.name])) != [row.name]:
            report.kept.append(f"{place}: left alone, it is a name of the tag “{meant[0]}” now")
        elif tag is not None and _tag_says_the_same(row, tag):
            report.unchanged.append(place)
        elif tag is not None and seeding and (tag.other_names.all() or tag.broader_rows.all()):
            report.kept.append(f"{place}: left alone, it differs from the starter library")
        else:
            waiting.append((row, tag or Tag(name=row.name, slug=row.slug or tag_slug(row.name))))
    # A broader tag may stand further down: all are there before any is told of others.
    new = {tag.name.casefold(): tag for _row, tag in waiting if tag.pk is None}
    for row, tag in waiting:
        place = f"{path} ({shown(row.name)})"
        try:
            with transaction.atomic():
                for name in (row.name, *row.broader):
                    if (one := new.get(name.casefold())) is not None and one.pk is None and not dry_run:
                        save_tag(one, (), ())
                missing = [name for name in row.broader if name.casefold() not in stored | new]
                if missing:
                    raise TagRefused(f"broader: there is no tag “{missing[0]}”.")
                tag.slug = row.slug or tag.slug
                broader = [(stored | new)[name.casefold()] for name in row.broader]
                (check if dry_run else save_tag)(tag, row.names, broader)
        except TagRefused as refused:
            if seeding:
                report.kept.append(f"{place}: left alone. {refused}")
            else:
                report.refused.append(Refusal(str(path), row.line, f"{shown(row.name)}: {refused}"))
        else:
            (report.created if tag in new.values() else report.updated).append(place)


def _tag_says_the_same(row: _TagRow, tag: Tag) -> bool:
    """Tell whether a row of the file changes nothing. A former name that it does not tell stays."""
    former = TagName.TagNameKind.FORMER
    stored = {Name(one.text, one.language, one.kind, one.slug) for one in tag.other_names.all()}
    told = {Name(one.text, one.language, one.kind, one.place) for one in row.names}
    broader = sorted(one.broader.name.casefold() for one in tag.broader_rows.all())
    return (
        row.slug in ("", tag.slug)
        and told <= stored
        and all(one.kind == former for one in stored - told)
        and sorted(map(str.casefold, row.broader)) == broader
    )


def _tag_of(row: Any, line: int) -> _TagRow:
    if not isinstance(row, dict):
        raise ValidationError({"tags": ["each tag must have keys and values."]})
    _check_keys(row, _TAG_KEYS)
    names, broader = row.get("names") or [], row.get("broader") or []
    if not isinstance(names, list) or not isinstance(broader, list):
        raise ValidationError({"tags": ["names and broader must be lists."]})
    return _TagRow(
        name=_tag_text("name", row.get("name")),
        slug=_tag_address(row.get("slug", "")),
        names=[_tag_name_of(one) for one in names],
        broader=[_tag_text("broader", one) for one in dict.fromkeys(map(str, broader))],
        line=line,
    )


def _tag_name_of(row: Any) -> Name:
    if not isinstance(row, dict):
        raise ValidationError({"names": ["each name must have a text."]})
    _check_keys(row, _TAG_NAME_KEYS)
    language, kind = row.get("language", Language.ENGLISH), row.get("kind", TagName.TagNameKind.ALT)
    if language not in Language.values:
        raise ValidationError({"language": [f"“{shown(language)}” is not one of {', '.join(Language.values)}."]})
    if kind not in TagName.TagNameKind.values:
        raise ValidationError({"kind": [f"“{shown(kind)}” is not one of {', '.join(TagName.TagNameKind.values)}."]})
    return Name(_tag_text("text", row.get("text")), language, kind, _tag_address(row.get("slug", "")))


def _tag_text(key: str, value: Any) -> str:
    if problem := tag_problem(value):
        raise ValidationError({key: [problem]})
    return " ".join(str(value).split())


def _tag_address(value: Any) -> str:
    if value and not (isinstance(value, str) and _TAG_ADDRESS.fullmatch(value)):
        raise ValidationError({"slug": ["must be words of letters and digits joined by hyphens."]})
    return str(value or "")


def _check_keys(row: dict[str, Any], known: Sequence[str]) -> None:
    unknown = [key for key in row if key not in known]
    if unknown:
        raise ValidationError({"keys": [f"“{shown(unknown[0])}” is not known. Known: {', '.join(known)}."]})


#: Files that hold no page: how each is brought in. Those that are named first come first.
LISTS: dict[str, Callable[[Path, str, Report, bool, bool], None]] = {
    SOURCES_FILE: _bring_in_sources,
    TAGS_FILE: _bring_in_tags,
}
#: Those that refer to pages, and come after them; they are told which pages this import brings.
LATER_LISTS: dict[str, Callable[[Path, str, Report, set[tuple[str, str]], bool, bool], None]] = {
    EVENTS_FILE: _bring_in_events,
    CLAIMS_FILE: _bring_in_claims,
}
LIST_FILES = (*LISTS, *LATER_LISTS)
