"""Markdown files with front matter, in and out: the form in which pages are reviewed, exported and brought in.

A file is a document (`peacekb.documents`): YAML front matter between two `---` lines, an empty line, the body. The
folder says the kind. Works of the bibliography stand together in `sources.yaml`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from peacekb import publishing
from peacekb.documents import (
    REFERENCES,
    Document,
    DocumentRefused,
    document_of,
    filled,
    normal,
    same,
    write_facts,
    write_references,
)
from peacekb.models import MODELS, Concept, FormerSlug, Kind, Page, Revision, Source, Status
from peacekb.text.markdown_tree import TextRefused
from peacekb.text.worker import parse_within

#: The folder of each kind. Essays are what readers call articles.
FOLDERS: dict[str, str] = {
    "essays": Kind.ARTICLE,
    "concepts": Kind.CONCEPT,
    "roles": Kind.ROLE,
    "tasks": Kind.TASK,
}
_FOLDER_OF = {kind: folder for folder, kind in FOLDERS.items()}
SOURCES_FILE = "sources.yaml"
_MARK = "---"
_LONGEST_FRONT_MATTER = 256 * 1024
_LARGEST_FILE = 4 * 1024 * 1024
_SOURCE_KEYS = (
    *("type", "title", "author", "year", "date", "publisher", "symbol", "url"),
    *("verified", "verified_url", "note"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file, or one work in it, was not taken."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.message}"


@dataclass(slots=True)
class File:
    """One page as a file has it. `lines` maps a key of the front matter to its line; the text starts at `body_line`."""

    path: str
    kind: str
    document: Document
    lines: dict[str, int]
    body_line: int


@dataclass(slots=True)
class Report:
    """What an import did, by the path of each file; `kept` are pages that an editor has changed since."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


# --- out ---------------------------------------------------------------------------------------------------------


def markdown_file(document: Document) -> str:
    """Give the text of a document's file. Equal documents give equal bytes."""
    front = {key: value for key, value in document.items() if key != "source"}
    return f"{_MARK}\n{_yaml(front)}{_MARK}\n\n{document.get('source', '')}\n"


def sources_file(sources: Iterable[Source]) -> str:
    """Give the text of the bibliography's file, sorted by id."""
    works = []
    for source in sorted(sources, key=lambda one: one.slug):
        values = {key: getattr(source, key) for key in _SOURCE_KEYS}
        works.append({"id": source.slug, **{key: value for key, value in values.items() if value not in ("", None)}})
    return _yaml({"sources": works})


def export(folder: Path) -> Iterator[Path]:
    """Write every public page and the bibliography into a folder; yields each path after it is written."""
    public = {(kind, slug) for kind, slug in Page.objects.published().values_list("kind", "slug")}
    for pages in (Page.objects.published().filter(kind=kind).order_by("slug") for kind in MODELS):
        for page in pages.iterator():
            path = folder / _FOLDER_OF[page.kind] / f"{page.slug}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(markdown_file(_public_part(document_of(page), public)), encoding="utf-8", newline="\n")
            yield path
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SOURCES_FILE
    path.write_text(sources_file(Source.objects.all()), encoding="utf-8", newline="\n")
    yield path


def _public_part(document: Document, public: set[tuple[str, str]]) -> Document:
    """Leave out the relations to pages that are not public: their names are nobody's business yet."""
    kept = {}
    for key, value in document.items():
        kind = REFERENCES.get(key, "source")
        if kind != "source":
            found = [slug for slug in ([value] if isinstance(value, str) else value) if (str(kind), slug) in public]
            value = (found[0] if found else "") if isinstance(value, str) else found
        if value:
            kept[key] = value
    return kept


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Write no aliases: a list that occurs twice is written twice. Enumeration values are plain texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))


# --- in ----------------------------------------------------------------------------------------------------------


def read_paths(paths: Iterable[Path]) -> tuple[list[File], list[tuple[Path, str]], list[Refusal]]:
    """Read files, and folders with what is below them: pages, the paths and texts of bibliographies, refusals."""
    files: list[File] = []
    bibliographies: list[tuple[Path, str]] = []
    refused: list[Refusal] = []
    for path in _expanded(paths):
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise ValueError(f"the file is larger than {_LARGEST_FILE // 1024**2} MB.")
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            refused.append(Refusal(str(path), 1, f"the file is not UTF-8 (byte {error.start}). Save it as UTF-8."))
            continue
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            refused.append(Refusal(str(path), 1, f"the file cannot be read: {reason}"))
            continue
        if path.name == SOURCES_FILE:
            bibliographies.append((path, text))
            continue
        try:
            files.append(read_file(text, path=str(path), folder=path.parent.name))
        except _FileRefused as refusal:
            refused.append(Refusal(str(path), refusal.line, str(refusal)))
    return files, bibliographies, refused


def _expanded(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob(SOURCES_FILE))
            yield from sorted(
                found for found in path.rglob("*.md") if found.is_file() and found.name.casefold() != "readme.md"
            )
        else:
            yield path


# The safe loader written in C where PyYAML has it: ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FileRefused(ValueError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_file(text: str, *, path: str, folder: str = "") -> File:
    """Read one page from the text of its file. Raises `ValueError` with a `line` where the form is not kept."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines[0].rstrip() != _MARK:
        raise _FileRefused("front matter is missing: the first line must be “---”.", 1)
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _MARK), None)
    if end is None:
        raise _FileRefused("the front matter is not closed: a second line “---” is missing.", 1)
    document, places = _mapping("\n".join(lines[1:end]), first_line=2)
    kind = document.pop("kind", None) or FOLDERS.get(folder, Kind.ARTICLE)
    if not isinstance(kind, str) or kind not in MODELS:
        raise _FileRefused(f"unknown kind “{kind}”. Kinds: {', '.join(MODELS)}.", places.get("kind", 1))
    if "source" in document:
        raise _FileRefused("unknown key “source”: the text stands below the front matter.", places["source"])
    # "summary:" with nothing behind it is no value.
    document = {key: value for key, value in document.items() if value is not None}
    body = "\n".join(lines[end + 1 :])
    body_line = end + 2 + (len(body) - len(body.lstrip("\n")))
    if body.strip("\n"):
        document["source"] = body.strip("\n")
    return File(path, kind, document, places, body_line)


def _mapping(text: str, *, first_line: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Read a YAML mapping with the line of each key. Aliases and repeated keys are refused."""
    if len(text) > _LONGEST_FRONT_MATTER:
        raise _FileRefused("the front matter is too long.", first_line)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):  # a few of them can stand for millions of values
                line = first_line + (event.start_mark.line if event.start_mark else 0)
                raise _FileRefused("“*” refers to another place; write the value itself.", line)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise _FileRefused(f"the front matter is not YAML: {error.problem}.", first_line + line) from error
    except _FileRefused:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _FileRefused(f"the front matter cannot be read: {' '.join(str(error).split())}.", first_line) from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(value, dict):
        raise _FileRefused("the front matter must be keys and values, such as “title: Ceasefire”.", first_line)
    places: dict[str, int] = {}
    for key, _value in node.value:
        if key.value in places:
            raise _FileRefused(f"the key “{key.value}” stands here twice.", first_line + key.start_mark.line)
        places[key.value] = first_line + key.start_mark.line
    return {str(key): one for key, one in value.items()}, places


@transaction.atomic
def bring_in(
    paths: Iterable[Path],
    *,
    editor: publishing.User = None,
    seeding: bool = False,
    draft: bool = False,
    dry_run: bool = False,
) -> Report:
    """Bring files into the base as published pages (or drafts), each file wholly or not at all.

    Files may refer to one another in any order. A file that says what the base says already changes nothing. With
    `seeding`, a page that an editor has changed since it was seeded is left alone. One transaction.
    """
    report = Report()
    files, bibliographies, report.refused = read_paths(paths)
    for path, text in bibliographies:
        _bring_in_sources(path, text, report, overwrite=not seeding, dry_run=dry_run)
    files = _well_formed(files, report)
    written: list[tuple[File, Page]] = []
    for file in files:
        page = Page.objects.filter(kind=file.kind, slug=file.document["slug"]).first()
        if page is not None and _says_the_same(file, page):
            report.unchanged.append(file.path)
        elif seeding and (changed := _changed_by_an_editor(file, page)):
            report.kept.append(f"{file.path}: {changed}")
        else:
            (report.created if page is None else report.updated).append(file.path)
            if not dry_run:
                if draft and page is not None and page.status == Status.PUBLISHED:
                    publishing.offer(page, normal(file.document, file.kind), editor=editor)
                else:
                    written.append((file, write_facts(file.document, file.kind, page)))
    _write_all_references(written)
    origin = Revision.Origin.SEED if seeding else Revision.Origin.IMPORT
    pages = [page for _, page in written]
    if draft:
        for page in pages:
            publishing.save_draft(page, editor=editor, origin=origin)
    elif pages:
        publishing.publish_many(pages, editor=editor, origin=origin)
    return report


def _write_all_references(written: list[tuple[File, Page]]) -> None:
    for file, page in written:
        write_references(file.document, page)
    # “Related” holds both ways, and setting it for one page takes it from those that are not named there: what any
    # file of this import says is said again at the end.
    for file, page in written:
        if isinstance(page, Concept) and file.document.get("related"):
            page.related.add(*Concept.objects.filter(slug__in=file.document["related"]))


def _well_formed(files: list[File], report: Report) -> list[File]:
    """Keep the files that can be stored: sound values, a text that renders, references that lead somewhere."""
    sound: dict[tuple[str, str], File] = {}
    for file in files:
        try:
            filled(file.document, file.kind)
            parse_within(file.document.get("source", ""))
        except DocumentRefused as refusal:
            _refuse(file, refusal, report)
            continue
        except TextRefused as refusal:
            line = file.body_line + (refusal.line or 1) - 1
            report.refused.append(Refusal(file.path, line, refusal.reason))
            continue
        place = (file.kind, file.document["slug"])
        if place in sound:
            line = file.lines.get("slug", 1)
            report.refused.append(Refusal(file.path, line, f"{sound[place].path} has this slug too."))
            continue
        sound[place] = file
    known = set(Page.objects.values_list("kind", "slug")) | {
        ("source", slug) for slug in Source.objects.values_list("slug", flat=True)
    }
    # A file that is refused may be what another one refers to: ask again until nothing changes.
    while True:
        lost = [(file, found) for file in sound.values() if (found := _leading_nowhere(file, known | set(sound)))]
        if not lost:
            return list(sound.values())
        for file, (key, message) in lost:
            report.refused.append(Refusal(file.path, file.lines.get(key, 1), message))
            del sound[file.kind, file.document["slug"]]


def _leading_nowhere(file: File, known: set[tuple[str, str]]) -> tuple[str, str] | None:
    for key, kind in REFERENCES.items():
        named = file.document.get(key) or []
        for slug in [named] if isinstance(named, str) else named:
            if (str(kind), slug) not in known:
                return key, f"{key}: no {kind} has the slug “{slug}”."
    return None


def _refuse(file: File, refusal: DocumentRefused, report: Report) -> None:
    for key, message in refusal.problems.items():
        report.refused.append(Refusal(file.path, file.lines.get(key, 1), message))


def _says_the_same(file: File, page: Page) -> bool:
    current = document_of(page)
    # A file without a date leaves the page the one it has.
    return page.status == Status.PUBLISHED and same(current, {"published_at": current["published_at"], **file.document})


def _changed_by_an_editor(file: File, page: Page | None) -> str:
    """Say who changed a seeded page since, in its text, its relations or its address; nothing where nobody did."""
    if page is None:
        former = FormerSlug.objects.filter(kind=file.kind, slug=file.document["slug"]).select_related("page").first()
        return f"left alone, it is at {former.page.get_absolute_url()} now" if former else ""
    newest = page.revisions.order_by("-number").first()
    if newest is None or newest.origin != Revision.Origin.SEED:
        who = (newest.editor_name or newest.get_origin_display()) if newest else _("an editor")
        return f"left alone, changed on {newest.created_at if newest else page.updated_at:%Y-%m-%d} by {who}"
    # Its tags can be renamed and its relations changed from the other side, without a revision of its own.
    return "" if same(newest.content, document_of(page)) else "left alone, its tags or relations were changed"


def _bring_in_sources(path: Path, text: str, report: Report, *, overwrite: bool, dry_run: bool) -> None:
    try:
        whole, _ = _mapping(text, first_line=1)
        works = whole.get("sources")
        if not isinstance(works, list):
            raise _FileRefused("the key “sources” with a list of works is missing.", 1)
    except _FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    existing = {source.slug: source for source in Source.objects.all()}
    for number, work in enumerate(works, start=1):
        name = work.get("id", f"number {number}") if isinstance(work, dict) else f"number {number}"
        place = f"{path} ({name})"
        try:
            source = _source_of(work, existing.get(str(name)))
        except ValidationError as error:
            problems = "; ".join(f"{key}: {' '.join(found)}" for key, found in error.message_dict.items())
            report.refused.append(Refusal(str(path), _line_of(text, str(name)), f"{name}: {problems}"))
            continue
        known = existing.get(source.slug)
        if known is None:
            report.created.append(place)
        elif sources_file([known]) == sources_file([source]):
            report.unchanged.append(place)
            continue
        elif not overwrite:
            report.kept.append(f"{place}: left alone, it differs from the starter library")
            continue
        else:
            report.updated.append(place)
        if not dry_run:
            source.save()


def _source_of(work: Any, known: Source | None) -> Source:
    if not isinstance(work, dict):
        raise ValidationError({"sources": ["each work must have keys and values."]})
    unknown = set(work) - {"id", *_SOURCE_KEYS}
    if unknown:
        raise ValidationError({str(key): ["is not a known key."] for key in unknown})
    source = Source(pk=known.pk if known else None, slug=str(work.get("id", "")))
    for key in _SOURCE_KEYS:
        value = work.get(key)
        if value is not None:
            setattr(source, key, value if key == "year" else str(value))
    source.full_clean(validate_unique=known is None)
    return source


def _line_of(text: str, name: str) -> int:
    place = text.find(f"id: {name}")
    return text.count("\n", 0, place) + 1 if place >= 0 else 1
