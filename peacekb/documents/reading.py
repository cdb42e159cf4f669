"""From the rows to a document."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from peacekb.models import MODELS, Label, Page, Standpoint, TaggedPage

from .form import DATES, EMPTY, KEYS, NAMED_KINDS, PARTS, REFERENCES, SINGLE, Document, Part, parsed_day, parsed_moment


def document_of(page: Page) -> Document:
    """Give everything that editors wrote about a page, without empty values, in the order of `KEYS`.

    Takes a page of any kind, base or child. Costs four to eight queries unless its relations are prefetched.
    """
    page = specific(page)
    values = {key: _value_of(page, key) for key in KEYS[page.kind]}
    return {key: value for key, value in values.items() if value not in EMPTY and value is not False}


def _value_of(page: Any, key: str) -> Any:
    match key:
        case "labels":
            return _labels_of(page)
        case "tags":
            return [tagged.tag.name for tagged in _tagged(page)]
        case "phases" | "phase":
            phases = [row.phase for row in page.phase_set.all()]
            return phases if key == "phases" else phases[0] if phases else ""
        case "review_by":
            return page.review_by.isoformat() if page.review_by else ""
        case "published_at":
            return _moment(page.published_at) if page.published_at else ""
    if key in PARTS:
        return rows_of(page, key)
    value = getattr(page, key)
    if key in SINGLE:
        return value.slug if value else ""
    if key in REFERENCES:
        return sorted(other.slug for other in value.all())
    return list(value) if isinstance(value, list) else value


def rows_of(page: Any, key: str) -> list[dict[str, Any]]:
    """Give the rows of a part as a document has them, in the order in which they were written."""
    return [_row(PARTS[key], row) for row in sorted(getattr(page, key).all(), key=lambda one: one.pk)]


def _row(part: Part, row: Any) -> dict[str, Any]:
    values = {key: getattr(row, key).slug if key in part.references else getattr(row, key) for key in part.keys}
    return {key: value for key, value in values.items() if value not in EMPTY}


def documents_of(pages: Sequence[Page]) -> list[Document]:
    """Give the documents of pages of any kinds, each given as its own kind; as many queries as for one of each kind.

    The pages keep what was read for it.
    """
    for kind, model in MODELS.items():
        own = [page for page in pages if page.kind == kind]
        lists = [field.name for field in model._meta.many_to_many if field.name != "tags"]
        lists += [key for key in KEYS[kind] if key in SINGLE]
        parts = [
            Prefetch(key, PARTS[key].model._default_manager.select_related(*PARTS[key].references))
            for key in KEYS[kind]
            if key in PARTS
        ]
        tagged = Prefetch("tagged", TaggedPage.objects.select_related("tag"))
        prefetch_related_objects(own, "labels", "phase_set", tagged, *lists, *parts)
    return [document_of(page) for page in pages]


def _tagged(page: Page) -> list[TaggedPage]:
    kept = getattr(page, "_prefetched_objects_cache", {}).get("tagged")
    return sorted(page.tagged.select_related("tag") if kept is None else kept, key=lambda one: one.pk)


def normal(document: Document, kind: str) -> Document:
    """Give a checked document of a file in the form that `document_of` has: ordered keys, dates as texts."""
    values = dict(document)
    for key, parsed in (("published_at", parsed_moment), ("review_by", parsed_day)):
        if values.get(key):
            found = parsed(values[key])
            values[key] = _moment(found) if isinstance(found, datetime) else str(found)
    for key in KEYS[kind]:
        if key in DATES and values.get(key):
            values[key] = str(values[key])
        elif key in PARTS:
            values[key] = [_plain(PARTS[key], row) for row in values.get(key, [])]
    return {key: values[key] for key in KEYS[kind] if values.get(key) not in EMPTY and values[key] is not False}


def _plain(part: Part, row: Document) -> Document:
    """Give a row of a file with its keys in order, and dates as texts."""
    told = {key: row[key] for key in part.keys if row.get(key) not in EMPTY}
    return {key: str(value) if isinstance(value, date) else value for key, value in told.items()}


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
    for key, value in values.items():
        if key in PARTS and isinstance(value, list):
            values[key] = [{name: str(told) for name, told in row.items() if told not in EMPTY} for row in value]
        elif (key == "tags" or key in REFERENCES) and isinstance(value, list):
            values[key] = sorted(value)
        elif key in DATES:
            values[key] = str(value)
    for key, parsed in (("published_at", parsed_moment), ("review_by", parsed_day)):
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


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
