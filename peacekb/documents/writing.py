"""From a document to the rows."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model
from taggit.models import Tag

from peacekb.models import (
    MODELS,
    Label,
    Page,
    PagePhase,
    Source,
    TaggedPage,
    kept_tags,
    meant_tags,
)
from peacekb.models.many import add_rows, add_values, batched, reserve_keys, write_fields
from peacekb.models.page import tidy

from .form import (
    EMPTY,
    KEYS,
    NAMED_KINDS,
    PARTS,
    REFERENCES,
    SINGLE,
    Document,
    DocumentRefused,
    check,
    parsed_day,
    parsed_moment,
    references_in,
    values_of_row,
)
from .reading import rows_of, specific

#: Keys that are not the field of that name, or are written by themselves.
_APART = frozenset(
    {"title", "source", "phase", "phases", "labels", "tags", "review_by", "published_at", *REFERENCES, *PARTS}
)


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
    page.source = tidy(document.get("source", ""))
    page.review_by = parsed_day(document["review_by"]) if document.get("review_by") else None
    page.published_at = parsed_moment(document["published_at"]) if document.get("published_at") else page.published_at
    for key in KEYS[page.kind]:
        if key not in _APART:
            field: Any = page._meta.get_field(key)
            value = document.get(key)
            setattr(page, key, field.get_default() if value is None else field.to_python(value))
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
    found = _referred([(document, page)])
    for key in KEYS[page.kind]:
        if key in SINGLE:
            field: Any = page._meta.get_field(key)
            other = next(iter(_keys(document, key, found)), None)
            if getattr(page, field.attname) != other:
                setattr(page, field.attname, other)
                page.save(update_fields=[key])
        elif key in REFERENCES:
            getattr(page, key).set(_keys(document, key, found))
        elif key in PARTS:
            rows = _part_rows(document, page, key, found)
            if rows_of(page, key) != [_without_empty(row) for row in document.get(key, [])]:
                getattr(page, key).all().delete()
                add_rows(rows)


def write_new_references(written: Sequence[tuple[Document, Page]]) -> None:
    """Set the relations of pages that had none, as `write_references` does for one. A few queries for all."""
    joined: dict[type[Model], dict[tuple[int, int], None]] = {}
    parts: dict[str, list[Model]] = {}
    single: dict[tuple[type[Page], str], list[Page]] = {}
    found = _referred(written)
    for document, page in written:
        for key in KEYS[page.kind]:
            if key in SINGLE and document.get(key):
                setattr(page, f"{key}_id", _keys(document, key, found)[0])
                single.setdefault((type(page), key), []).append(page)
            elif key in PARTS:
                parts.setdefault(key, []).extend(_part_rows(document, page, key, found))
            elif key in REFERENCES and key not in SINGLE:
                pairs = [(page.pk, other) for other in _keys(document, key, found)]
                # “Related” holds both ways.
                both = [*pairs, *((other, one) for one, other in pairs)] if key == "related" else pairs
                joined.setdefault(getattr(type(page), key).through, {}).update(dict.fromkeys(both))
    for (_, key), pages in single.items():
        write_fields(pages, key)
    for rows in parts.values():
        add_rows(rows)
    for through, pairs_of in joined.items():
        one, other = (field.attname for field in through._meta.concrete_fields if field.is_relation)
        add_values(through, (one, other), pairs_of)


def _keys(document: Document, key: str, found: dict[str, dict[str, int]]) -> list[int]:
    slugs = document.get(key) or []
    return [found[REFERENCES[key]][slug] for slug in dict.fromkeys([slugs] if isinstance(slugs, str) else slugs)]


def _part_rows(document: Document, page: Page, key: str, found: dict[str, dict[str, int]]) -> list[Model]:
    part = PARTS[key]
    return [
        part.model(
            **{f"{part.owner}_id": page.pk},
            **{f"{name}_id": found[kind][row[name]] for name, kind in part.references.items()},
            **values_of_row(part, row),
        )
        for row in document.get(key, [])
    ]


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value not in EMPTY}


def _referred(written: Sequence[tuple[Document, Page]]) -> dict[str, dict[str, int]]:
    """Give the keys of the rows to which documents refer, by kind and slug; one query a kind of row.

    Raises `DocumentRefused` where a reference leads nowhere.
    """
    named = [one for document, page in written for one in references_in(document, page.kind)]
    rows: dict[str, dict[str, int]] = {kind: {} for kind in {*REFERENCES.values(), *(kind for _, kind, _ in named)}}
    for kind in sorted(rows):
        model: Any = Source if kind == "source" else MODELS[kind]
        for some in batched(sorted({slug for _, other, slug in named if other == kind}), 500):
            rows[kind].update(model.objects.filter(slug__in=some).values_list("slug", "pk"))
    problems = {
        key: f"{key}: no {kind} has the slug “{slug}”." for key, kind, slug in reversed(named) if slug not in rows[kind]
    }
    if problems:
        raise DocumentRefused(problems)
    return rows


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
