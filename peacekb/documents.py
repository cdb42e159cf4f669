"""A page as a document: everything that an editor wrote about it, in one dictionary.

The same document is the content of a revision, the front matter and body of an exported file, and what an import or
the starter library brings. `document_of` reads it from the rows, `write` puts it into them. Sections, mentions and
the index are not part of it: `peacekb.publishing` derives them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model, Prefetch, prefetch_related_objects
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import slugify
from taggit.models import Tag

from peacekb.models import (
    MODELS,
    Article,
    Concept,
    Kind,
    Label,
    Language,
    Page,
    PagePhase,
    Phase,
    Pillar,
    Role,
    Source,
    Standpoint,
    TaggedPage,
    Task,
    Verified,
    kept_tags,
    meant_tags,
)
from peacekb.models.many import add_rows, add_values, batched, reserve_keys, write_fields
from peacekb.models.page import tidy

Document = dict[str, Any]

#: The keys of each kind's document, in the order in which files show them. `source` is the body.
KEYS: dict[str, tuple[str, ...]] = {
    Kind.ARTICLE: ("title", "slug", "language", "standpoint", "translation_of", "summary", "authors", "labels"),
    Kind.CONCEPT: ("title", "slug", "language", "summary", "phases", "labels", "broader", "related"),
    Kind.ROLE: ("title", "slug", "language", "summary", "phases", "labels", "performs", "concepts"),
    Kind.TASK: ("title", "slug", "language", "summary", "phase", "pillar", "seed", "labels", "concepts"),
}
_SHARED = ("tags", "sources", "unlinked", "verified", "verified_url", "review_by", "published_at", "source")
KEYS = {kind: (*keys, *_SHARED) for kind, keys in KEYS.items()}
#: Keys whose values are slugs of other rows: key → the kind of page, or `source`.
REFERENCES = {
    "broader": Kind.CONCEPT,
    "related": Kind.CONCEPT,
    "performs": Kind.TASK,
    "concepts": Kind.CONCEPT,
    "translation_of": Kind.ARTICLE,
    "sources": "source",
}
#: Kinds whose title is a name that prose uses: it is kept as the preferred label.
NAMED_KINDS = frozenset({Kind.CONCEPT, Kind.ROLE, Kind.TASK})
_SLUG = re.compile(r"[-\w]{1,120}")
#: In any one list. The richest page of the starter library has 20; thousands of tags would take minutes to store.
_MOST_ENTRIES = 500
_LABEL_KEYS = ("text", "language", "kind", "case_sensitive", "ambiguous", "verified")


class DocumentRefused(ValueError):
    """A document that cannot be stored: `problems` maps a key to a sentence that says what is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


# --- reading -----------------------------------------------------------------------------------------------------


def document_of(page: Page) -> Document:
    """Give everything that editors wrote about a page, without empty values, in the order of `KEYS`.

    Takes a page of any kind, base or child. Costs four to seven queries unless its relations are prefetched.
    """
    page = specific(page)
    values: Document = {
        "title": page.title,
        "slug": page.slug,
        "language": page.language,
        "summary": page.summary,
        "labels": _labels_of(page),
        "tags": [tagged.tag.name for tagged in _tagged(page)],
        "sources": sorted(source.slug for source in page.sources.all()),
        "unlinked": list(page.unlinked),
        "verified": page.verified,
        "verified_url": page.verified_url,
        "review_by": page.review_by.isoformat() if page.review_by else "",
        "published_at": _moment(page.published_at) if page.published_at else "",
        "source": page.source,
    }
    phases = [row.phase for row in page.phase_set.all()]
    if isinstance(page, Article):
        values |= {
            "standpoint": page.standpoint,
            "translation_of": page.translation_of.slug if page.translation_of else "",
            "authors": list(page.authors),
        }
    elif isinstance(page, Concept):
        values |= {"phases": phases, "broader": _slugs(page.broader.all()), "related": _slugs(page.related.all())}
    elif isinstance(page, Role):
        values |= {"phases": phases, "performs": _slugs(page.performs.all()), "concepts": _slugs(page.concepts.all())}
    elif isinstance(page, Task):
        values |= {
            "phase": phases[0] if phases else "",
            "pillar": page.pillar,
            "seed": page.seed,
            "concepts": _slugs(page.concepts.all()),
        }
    return {key: values[key] for key in KEYS[page.kind] if values[key] not in ("", [], False, None)}


def documents_of(pages: Sequence[Page]) -> list[Document]:
    """Give the documents of pages of any kinds, each given as its own kind; as many queries as for one of each kind.

    The pages keep what was read for it.
    """
    for kind, model in MODELS.items():
        lists = [field.name for field in model._meta.many_to_many if field.name != "tags"]
        lists += ["translation_of"] if issubclass(model, Article) else []
        tagged = Prefetch("tagged", TaggedPage.objects.select_related("tag"))
        prefetch_related_objects([page for page in pages if page.kind == kind], "labels", "phase_set", tagged, *lists)
    return [document_of(page) for page in pages]


def _tagged(page: Page) -> list[TaggedPage]:
    kept = getattr(page, "_prefetched_objects_cache", {}).get("tagged")
    return sorted(page.tagged.select_related("tag") if kept is None else kept, key=lambda one: one.pk)


def normal(document: Document, kind: str) -> Document:
    """Give a checked document of a file in the form that `document_of` has: ordered keys, dates as texts."""
    values = dict(document)
    for key, parsed in (("published_at", _parsed_moment), ("review_by", _parsed_day)):
        if values.get(key):
            found = parsed(values[key])
            values[key] = _moment(found) if isinstance(found, datetime) else str(found)
    return {key: values[key] for key in KEYS[kind] if values.get(key) not in (None, "", [], False)}


def same(one: Document, other: Document) -> bool:
    """Tell whether two documents say the same, whatever the order of their tags and labels and the form of dates."""
    return _comparable(one) == _comparable(other)


def _comparable(document: Document) -> Document:
    values = {key: value for key, value in document.items() if value not in (None, "", [], False)}
    values.setdefault("language", "en")
    values["title"] = " ".join(values.get("title", "").split())
    values["source"] = values.get("source", "").strip("\n")
    if values.get("standpoint") == Standpoint.ESSAY:
        del values["standpoint"]
    for key in ("tags", *REFERENCES):
        if isinstance(values.get(key), list):
            values[key] = sorted(values[key])
    for key, parsed in (("published_at", _parsed_moment), ("review_by", _parsed_day)):
        if key in values:
            values[key] = parsed(values[key])
    labels = []
    for row in values.pop("labels", []):
        label = {
            "language": "en",
            "kind": "alt",
            **{key: value for key, value in row.items() if value not in ("", False)},
        }
        title = {"text": values["title"], "language": values["language"], "kind": "pref"}
        if label != title:
            labels.append(sorted((key, str(value)) for key, value in label.items()))
    values["labels"] = sorted(labels)
    return values


def specific(page: Page) -> Page:
    """Give the page as its own kind. One query where it is the base row."""
    model = MODELS[page.kind]
    return page if isinstance(page, model) else model.objects.get(pk=page.pk)


def _labels_of(page: Page) -> list[dict[str, Any]]:
    rows = []
    for label in sorted(page.labels.all(), key=lambda one: one.pk):
        row: dict[str, Any] = {"text": label.text}
        if label.language != "en":
            row["language"] = label.language
        if label.kind != Label.LabelKind.ALT:
            row["kind"] = str(label.kind)
        for flag in ("case_sensitive", "ambiguous"):
            if getattr(label, flag):
                row[flag] = True
        if label.verified:
            row["verified"] = str(label.verified)
        plain_title = label.kind == "pref" and label.language == page.language and label.text == page.title
        if not (
            plain_title and page.kind in NAMED_KINDS and not {"case_sensitive", "ambiguous", "verified"} & set(row)
        ):
            rows.append(row)
    return rows


def _slugs(pages: Iterable[Page]) -> list[str]:
    return sorted(page.slug for page in pages)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- checking ----------------------------------------------------------------------------------------------------


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


def _is_moment(value: Any) -> str:
    return "" if _parsed_moment(value) else "must be a date such as 2026-11-24 or 2026-11-24T09:00:00Z."


def _is_day(value: Any) -> str:
    return "" if _parsed_day(value) else "must be a date such as 2027-03-31."


def _parsed_day(value: Any) -> date | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return parse_date(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parsed_moment(value: Any) -> datetime | None:
    if (day := _parsed_day(value)) is not None:
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


# --- writing -----------------------------------------------------------------------------------------------------


def write(document: Document, kind: str, page: Page | None = None) -> Page:
    """Put a document into the rows of a new page, or of `page`, exactly: what it leaves out becomes empty.

    Raises `DocumentRefused` for a document that `check` refuses and for references to unknown pages or sources.
    Must run inside a transaction. Publishes nothing.
    """
    written = write_facts(document, kind, page)
    if page is None:
        write_new_references([(document, written)])
    else:
        write_references(document, written)
    return written


def write_facts(document: Document, kind: str, page: Page | None = None) -> Page:
    """Put what a document says of the page itself into its rows; `write_references` does the rest."""
    is_new = page is None
    page = filled(document, kind, page)
    if Page.objects.filter(kind=kind, slug=page.slug).exclude(pk=page.pk).exists():
        raise DocumentRefused({"slug": "slug: another page of this kind has this address. Choose another one."})
    if is_new:
        return write_new_facts([(kind, document)])[0]
    page.save()
    _set_phases(page, _phases_of(document))
    _set_labels(page, document)
    page.tags.set(kept_tags(document.get("tags", [])))
    return page


def filled(document: Document, kind: str, page: Page | None = None) -> Page:
    """Give a new page, or `page`, with a document's own values, checked and not saved. Raises `DocumentRefused`.

    No query for a new page.
    """
    check(document, kind)
    page = _fill(document, specific(page) if page else MODELS[kind](kind=kind))
    try:
        # The checks of the database are left to it: asking each of them beforehand doubled the time of an import.
        page.full_clean(exclude=["page"], validate_constraints=False)
    except ValidationError as error:
        raise DocumentRefused({key: " ".join(messages) for key, messages in error.message_dict.items()}) from error
    return page


def _fill(document: Document, page: Page) -> Page:
    page.title = " ".join(document["title"].split())
    page.slug = document["slug"]
    page.language = document.get("language", Language.ENGLISH)
    page.summary = document.get("summary", "")
    page.source = tidy(document.get("source", ""))
    page.unlinked = document.get("unlinked", [])
    page.verified = document.get("verified", "")
    page.verified_url = document.get("verified_url", "")
    page.review_by = _parsed_day(document["review_by"]) if document.get("review_by") else None
    page.published_at = _parsed_moment(document["published_at"]) if document.get("published_at") else page.published_at
    if isinstance(page, Article):
        page.standpoint = document.get("standpoint", Standpoint.ESSAY)
        page.authors = document.get("authors", [])
    if isinstance(page, Task):
        page.pillar = document.get("pillar", "")
        page.seed = document.get("seed", False)
    return page


def write_new_facts(documents: Sequence[tuple[str, Document]]) -> list[Page]:
    """Write what documents, each with its kind, say of new pages themselves, as `write_facts` does for one.

    They must have passed `filled`, and their addresses be free. A few queries a kind, and one a tag.
    """
    pages = [_fill(document, MODELS[kind](kind=kind)) for kind, document in documents]
    for page, key in zip(pages, reserve_keys(Page, len(pages)), strict=True):
        page.pk = page.id = key
        page._state.adding, page._state.db = False, connection.alias
    add_rows(pages, table=Page)
    for model in MODELS.values():
        add_rows([page for page in pages if isinstance(page, model)], table=model)
    both = [(page, document) for page, (_, document) in zip(pages, documents, strict=True)]
    phases = [(page.pk, phase) for page, document in both for phase in _phases_of(document)]
    add_values(PagePhase, ("page_id", "phase"), phases)
    add_rows(
        [
            Label(page=page, language=language, text=text, **values)
            for page, document in both
            for (language, text), values in _labels_in(document, page).items()
        ]
    )
    meant = meant_tags({name for _, document in both for name in document.get("tags", [])})
    tags: dict[str, int] = {}
    tagged = [
        (page.pk, tag)
        for page, document in both
        for tag in dict.fromkeys(_tag_key(meant[name], tags) for name in document.get("tags", []))
    ]
    add_values(TaggedPage, ("content_object_id", "tag_id"), tagged)
    return pages


def _tag_key(name: str, known: dict[str, int]) -> int:
    """Give the key of a tag, which is made where there is none: as taggit does, whatever the case of its letters."""
    if name not in known:
        tag = Tag.objects.filter(name__iexact=name).order_by("pk").first() or Tag.objects.create(name=name)
        known[name] = tag.pk
    return known[name]


def write_references(document: Document, page: Page) -> None:
    """Set the relations of a page to those of a document. Raises `DocumentRefused` where one leads nowhere."""
    found = _referred([(document, page)])[page.pk]
    if isinstance(page, Article):
        (original,) = found.pop("translation_of") or (None,)
        if page.translation_of_id != original:
            page.translation_of_id = original
            page.save(update_fields=["translation_of"])
    for key, others in found.items():
        getattr(page, key).set(others)


def write_new_references(written: Sequence[tuple[Document, Page]]) -> None:
    """Set the relations of pages that had none, as `write_references` does for one. A few queries for all."""
    rows: dict[type[Model], dict[tuple[int, int], None]] = {}
    found = _referred(written)
    for _, page in written:
        for key, others in found[page.pk].items():
            if key == "translation_of":
                page.translation_of_id = others[0] if others else None  # type: ignore[attr-defined]
                continue
            through = getattr(type(page), key).through
            pairs = [(page.pk, other) for other in others]
            # “Related” holds both ways.
            both = [*pairs, *((other, one) for one, other in pairs)] if key == "related" else pairs
            rows.setdefault(through, {}).update(dict.fromkeys(both))
    write_fields([page for _, page in written if getattr(page, "translation_of_id", None)], "translation_of")
    for through, pairs_of in rows.items():
        one, other = (field.attname for field in through._meta.concrete_fields if field.is_relation)
        add_values(through, (one, other), pairs_of)


def _referred(written: Sequence[tuple[Document, Page]]) -> dict[int, dict[str, list[int]]]:
    """Give the keys of the rows to which documents refer, by page and key of the document; one query a kind of row.

    Raises `DocumentRefused` where a reference leads nowhere.
    """
    named: dict[int, dict[str, list[str]]] = {}
    for document, page in written:
        for key in REFERENCES:
            if key in KEYS[page.kind]:
                slugs = document.get(key) or []
                named.setdefault(page.pk, {})[key] = [slugs] if isinstance(slugs, str) else list(dict.fromkeys(slugs))
    rows: dict[str, dict[str, int]] = {}
    for kind in sorted(set(REFERENCES.values())):
        asked = {
            slug for keys in named.values() for key, own in keys.items() if REFERENCES[key] == kind for slug in own
        }
        model: Any = Source if kind == "source" else MODELS[kind]
        rows[kind] = {}
        for some in batched(sorted(asked), 500):
            rows[kind].update(model.objects.filter(slug__in=some).values_list("slug", "pk"))
    problems = {
        key: f"{key}: no {REFERENCES[key]} has the slug “{slug}”."
        for keys in named.values()
        for key, slugs in keys.items()
        for slug in reversed(slugs)
        if slug not in rows[REFERENCES[key]]
    }
    if problems:
        raise DocumentRefused(problems)
    return {
        page: {key: [rows[REFERENCES[key]][slug] for slug in slugs] for key, slugs in keys.items()}
        for page, keys in named.items()
    }


def _phases_of(document: Document) -> list[str]:
    return list(dict.fromkeys(document.get("phases") or ([document["phase"]] if document.get("phase") else [])))


def _set_phases(page: Page, phases: list[str]) -> None:
    if [row.phase for row in page.phase_set.all()] != phases:
        page.phase_set.all().delete()
        PagePhase.objects.bulk_create(PagePhase(page=page, phase=phase) for phase in phases)


def _labels_in(document: Document, page: Page) -> dict[tuple[str, str], dict[str, Any]]:
    """Give the values of the labels that a document has, by language and text."""
    wanted: dict[tuple[str, str], dict[str, Any]] = {}
    if page.kind in NAMED_KINDS:
        wanted[page.language, page.title] = {"text": page.title, "language": page.language, "kind": "pref"}
    for row in document.get("labels", []):
        language, text = row.get("language", "en"), " ".join(row["text"].split())
        previous = wanted.get((language, text), {})
        wanted[language, text] = {**previous, **row, "text": text, "kind": row.get("kind", previous.get("kind", "alt"))}
    preferred: set[str] = set()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (language, text), row in wanted.items():
        kind = row["kind"]
        if kind == "pref" and language in preferred:
            kind = "alt"
        preferred |= {language} if kind == "pref" else set()
        found[language, text] = {
            "kind": kind,
            "case_sensitive": bool(row.get("case_sensitive", False)),
            "ambiguous": bool(row.get("ambiguous", False)),
            "verified": row.get("verified", ""),
        }
    return found


def _set_labels(page: Page, document: Document) -> None:
    """Make the labels those of the document; a label that stays keeps its row, so that mentions keep their label."""
    wanted = _labels_in(document, page)
    existing = {(label.language, label.text): label for label in page.labels.all()}
    gone = [label.pk for place, label in existing.items() if place not in wanted]
    if gone:
        page.labels.filter(pk__in=gone).delete()
    kept: list[tuple[Label, bool]] = []
    for (language, text), values in wanted.items():
        label = existing.get((language, text)) or Label(page=page, language=language, text=text)
        changed = label.pk is None or any(getattr(label, name) != value for name, value in values.items())
        for name, value in values.items():
            setattr(label, name, value)
        kept.append((label, changed))
    # Preferred last: two of them in one language must never stand in the table at once.
    for label, changed in sorted(kept, key=lambda one: one[0].kind == "pref"):
        if changed and label.pk:
            label.save()
    Label.objects.bulk_create(label for label, _ in kept if label.pk is None)
