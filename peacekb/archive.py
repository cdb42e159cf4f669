"""Markdown files with front matter, in and out: the form in which pages are reviewed, exported and brought in.

A file is a document (`peacekb.documents`): YAML front matter between two `---` lines, an empty line, the body. The
folder says the kind. Works of the bibliography stand together in `sources.yaml`, events of the timeline in
`events.yaml`, claims of essays with their evidence in `claims.yaml`, and in `tags.yaml` what each tag is called beside
its name, and which tags are broader.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from taggit.models import Tag
from yaml.reader import ReaderError

from peacekb import publishing
from peacekb.documents import (
    NAMED_KINDS,
    Document,
    DocumentRefused,
    document_of,
    documents_of,
    filled,
    normal,
    references_in,
    same,
    shown,
    storable,
    tag_problem,
    with_references,
    write_facts,
    write_new_facts,
    write_new_references,
    write_references,
)
from peacekb.models import (
    MODELS,
    Article,
    Claim,
    Concept,
    Contribution,
    Edition,
    Event,
    Evidence,
    FormerSlug,
    Kind,
    Language,
    Page,
    Revision,
    Source,
    Stance,
    Status,
    TaggedPage,
    TagName,
    kept_tags,
    meant_tags,
    tag_slug,
)
from peacekb.models.many import batched
from peacekb.publishing.claims import keep_claim
from peacekb.publishing.tags import Name, TagRefused, check, save_tag
from peacekb.text.compose import read_sections
from peacekb.text.crew import each
from peacekb.text.markdown_tree import TextRefused
from peacekb.text.sentences import on_one_line

#: The folder of each kind. Essays are what readers call articles.
FOLDERS: dict[str, str] = {
    "essays": Kind.ARTICLE,
    "concepts": Kind.CONCEPT,
    "roles": Kind.ROLE,
    "tasks": Kind.TASK,
    "actors": Kind.ACTOR,
    "operations": Kind.OPERATION,
    "cases": Kind.CASE,
}
_FOLDER_OF = {kind: folder for folder, kind in FOLDERS.items()}
SOURCES_FILE = "sources.yaml"
TAGS_FILE = "tags.yaml"
EVENTS_FILE = "events.yaml"
CLAIMS_FILE = "claims.yaml"
_MARK = "---"
# In characters; 500 labels and as many of everything else fit. YAML takes a second for so much, and 5 for a whole file.
_LONGEST_FRONT_MATTER = 256 * 1024
_LARGEST_FILE = 4 * 1024 * 1024
# Labels are the deepest there is, in the third level. YAML in C overflows the stack at some tens of thousands.
_DEEPEST = 8
_LONGEST_NUMBER = 20
# What is not written in quotes may be no more than this; “1.10” as a number would lose its nought.
_TYPES = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "bool", "null", "timestamp"))
_MANY = 50  # pages that are worth forks, and after which the database counts its tables again
_PIECE = 20  # files that a process reads at a time
_BATCH = 1_000  # pages that are written and published at a time
_WAY_BACK = "Restore it in the admin first, or choose another slug."
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
    """One page as a file has it. `lines` maps a key of the front matter to its line; the text starts at `body_line`.

    `trees` are the sections of the text (see `text.compose.read_sections`), once it was tried.
    """

    path: str
    kind: str
    document: Document
    lines: dict[str, int]
    body_line: int
    trees: list[str] = field(default_factory=list)


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


def tags_file(tags: Iterable[Tag]) -> str:
    """Give the text of the file of tags, by name. A broader tag that is not among them is left out."""
    rows = sorted((_tag_row(tag) for tag in tags), key=lambda row: str(row["name"]))
    names = {row["name"] for row in rows}
    for row in rows:
        row["broader"] = [name for name in row["broader"] if name in names]
    return _yaml({"tags": [{key: value for key, value in row.items() if value} for row in rows]})


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
    return _yaml({"events": rows})


def claims_file(claims: Iterable[Claim]) -> str:
    """Give the text of the file of claims, by article and number; evidence that is not public is left out."""
    public = set(Page.objects.published().values_list("pk", flat=True))
    rows = sorted((_claim_row(claim, public) for claim in claims), key=lambda row: (row["article"], row["number"]))
    return _yaml({"claims": rows})


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


def export(folder: Path) -> Iterator[Path]:
    """Write every public page, their tags, the bibliography, the timeline and the claims into a folder.

    Yields each path after it is written. Raises `OSError`, also where a file of that name is there already: none is
    written over.
    """
    folder.mkdir(parents=True, exist_ok=True)
    public = set(Page.objects.published().values_list("kind", "slug"))
    public |= {("source", slug) for slug in Source.objects.values_list("slug", flat=True)}
    for kind in MODELS:
        taken = {"readme"}  # which an import passes over
        for page in Page.objects.published().filter(kind=kind).order_by("slug").iterator():
            path = folder / _FOLDER_OF[kind] / f"{_file_name(page.slug, taken)}.md"
            path.parent.mkdir(exist_ok=True)
            _write_new(path, markdown_file(_public_part(document_of(page), kind, public)))
            yield path
    carried = TaggedPage.objects.filter(content_object__in=Page.objects.published())
    tags = Tag.objects.filter(pk__in=carried.values("tag")).prefetch_related("other_names", "broader_rows__broader")
    events = Event.objects.select_related("source").prefetch_related("operations", "cases")
    lists = {
        SOURCES_FILE: sources_file(Source.objects.all()),
        TAGS_FILE: tags_file(tags),
        EVENTS_FILE: events_file(events),
        CLAIMS_FILE: claims_file(_claims().filter(is_withdrawn=False, article__in=Article.objects.published())),
    }
    for name, text in lists.items():
        _write_new(folder / name, text)
        yield folder / name


def _file_name(slug: str, taken: set[str]) -> str:
    """Give a name for a page's file that every file system tells from those of `taken`, and add it to them."""
    name = slug.encode()[:200].decode(errors="ignore")  # most take 255 bytes
    while (folded := unicodedata.normalize("NFC", name).casefold()) in taken:
        name += "_"
    taken.add(folded)
    return name


def _write_new(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _public_part(document: Document, kind: str, public: set[tuple[str, str]]) -> Document:
    """Leave out the relations to pages that are not public: their names are nobody's business yet."""
    return with_references(document, kind, lambda other, slug: slug if (other, slug) in public else None)


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Write no aliases: a list that occurs twice is written twice. Enumeration values are plain texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))


# --- in ----------------------------------------------------------------------------------------------------------


def _read_paths(paths: Iterable[Path], report: Report, forks: int) -> tuple[list[File], list[tuple[Path, str]]]:
    """Read files, and folders with what is below them: pages that can be stored, lists by path and text.

    Refusals go to the report.
    """
    files: list[File] = []
    lists: list[tuple[Path, str]] = []
    found = list(_expanded(paths, report.refused))
    for read in chain.from_iterable(
        each(_read_pages, batched(found, _PIECE), forks=forks if len(found) >= _MANY else 1)
    ):
        if isinstance(read, File):
            files.append(read)
        elif isinstance(read, tuple):
            lists.append(read)
        else:
            report.refused += read
    return files, lists


def _read_pages(paths: Sequence[Path]) -> list[File | tuple[Path, str] | list[Refusal]]:
    """Read files, and check what of them can be checked without a query: this may run in a fork."""
    return [_read(path) for path in paths]


def _read(path: Path) -> File | tuple[Path, str] | list[Refusal]:
    try:
        text = _text_of(path)
        if path.name in _LIST_FILES:
            return path, text
        file = read_file(text, path=str(path), folder=path.parent.name)
    except _FileRefused as refusal:
        return [Refusal(str(path), refusal.line, str(refusal))]
    try:
        page = filled(file.document, file.kind)
        file.trees = read_sections(page.source, title=page.title, language=page.language)
    except DocumentRefused as refused:
        return _refusals(file, refused.problems)
    except TextRefused as refused:
        return [Refusal(file.path, file.body_line + (refused.line or 1) - 1, refused.reason)]
    return file


def _expanded(paths: Iterable[Path], refused: list[Refusal]) -> Iterator[Path]:
    """Give the files that are named and those below the folders that are named; links in these are refused."""

    def unreadable(error: OSError) -> None:
        refused.append(Refusal(str(error.filename), 1, f"the folder cannot be read: {error.strerror}."))

    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        found = []
        for folder, folders, names in os.walk(path, onerror=unreadable):
            pages = [name for name in names if name.endswith(".md") and name.casefold() != "readme.md"]
            lists = [name for name in _LIST_FILES if name in names and Path(folder) == path]
            inner = [Path(folder, name) for name in [*lists, *pages]]
            found += [file for file in inner if not file.is_symlink()]
            for link in (one for one in [*(Path(folder, name) for name in folders), *inner] if one.is_symlink()):
                refused.append(Refusal(str(link), 1, "links in a folder are not followed. Name its target itself."))
        yield from sorted(found)


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may have no end
            raise _FileRefused("this is no file that can be read to its end. Copy its text into a file.", 1)
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise _FileRefused(f"the file cannot be read: {error.strerror}.", 1) from error
    if len(content) > _LARGEST_FILE:
        raise _FileRefused(f"the file is larger than {_LARGEST_FILE // 1024**2} MB. Divide it.", 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _FileRefused(f"the file is not UTF-8 (byte {error.start}). Save it as UTF-8.", line) from error


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
    front = "\n".join(lines[1:end])
    if len(front) > _LONGEST_FRONT_MATTER:
        raise _FileRefused(
            f"the front matter is longer than {_LONGEST_FRONT_MATTER // 1024} kB. "
            "Shorten its lists; a long text belongs below it.",
            2,
        )
    document, places = _mapping(front, first_line=2)
    kind = document.pop("kind", None) or FOLDERS.get(folder, Kind.ARTICLE)
    if not isinstance(kind, str) or kind not in MODELS:
        raise _FileRefused(f"unknown kind “{shown(kind)}”. Kinds: {', '.join(MODELS)}.", places.get("kind", 1))
    if "source" in document:
        raise _FileRefused("unknown key “source”: the text stands below the front matter.", places["source"])
    # "summary:" with nothing behind it is no value.
    document = {key: value for key, value in document.items() if value is not None}
    body = "\n".join(lines[end + 1 :])
    body_line = end + 2 + (len(body) - len(body.lstrip("\n")))
    if body.strip("\n"):
        document["source"] = body.strip("\n")
        places["source"] = body_line
    return File(path, kind, document, places, body_line)


def _mapping(text: str, *, first_line: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Read a YAML mapping with the line of each key, and of each entry of a list as `key[number]`, from 0.

    Refuses what files have no need of: aliases, repeated keys, deep nesting, values that are not of `_TYPES`.
    """
    try:
        _check_nesting(text, first_line)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise _FileRefused("there must be keys and values here, such as “title: Ceasefire”.", first_line)
            _check_node(root, first_line)
            values: dict[str, Any] = {}
            places: dict[str, int] = {}
            for key, node in root.value:
                places[key.value] = first_line + key.start_mark.line
                values[key.value] = _value(loader, node, places[key.value])
                if isinstance(node, yaml.SequenceNode):
                    for number, entry in enumerate(node.value):
                        places[f"{key.value}[{number}]"] = first_line + entry.start_mark.line
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise _FileRefused(
            f"this is not YAML: {error.problem}. A text that has “: ” or begins with a sign goes in quotes.",
            first_line + line,
        ) from error
    except ReaderError as error:
        line = first_line + text.encode().count(b"\n", 0, error.position)
        raise _FileRefused(f"a control character stands here (U+{error.character:04X}). Delete it.", line) from error
    return values, places


def _check_nesting(text: str, first_line: int) -> None:
    """Refuse aliases, of which a few can stand for millions of values, and depth, before any of it is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.AliasEvent):
            raise _FileRefused("“*” refers to another place; write the value itself.", line)
        if tag := getattr(event, "tag", None):
            raise _FileRefused(f"“{shown(tag)}” gives a value a type; write the value alone.", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _FileRefused(
                "lists stand in lists too deeply here. A text that begins with “[” goes in quotes.", line
            )


def _check_node(node: yaml.Node, first_line: int) -> None:
    line = first_line + node.start_mark.line
    if node.tag not in _TYPES or (node.tag.endswith(":int") and len(node.value) > _LONGEST_NUMBER):
        raise _FileRefused(f"“{shown(node.value)}” reads as a number or a sign. Put it in quotes.", line)
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _check_node(entry, first_line)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            line = first_line + key.start_mark.line
            if not key.tag.endswith(":str"):
                raise _FileRefused("a key must be a word; this one is not. Put it in quotes.", line)
            if key.value in keys:
                raise _FileRefused(f"the key “{shown(key.value)}” stands here twice.", line)
            keys.add(key.value)
            _check_node(value, first_line)


def _value(loader: Any, node: yaml.Node, line: int) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except ValueError as error:  # such as the date 2027-13-01
        raise _FileRefused(
            f"a value here cannot be: {str(error).rstrip('.')}. Correct it, or put it in quotes.", line
        ) from error


@transaction.atomic
def bring_in(
    paths: Iterable[Path],
    *,
    editor: publishing.User = None,
    seeding: bool = False,
    draft: bool = False,
    dry_run: bool = False,
    forks: int = 1,
) -> Report:
    """Bring files into the base as published pages (or drafts), each file wholly or not at all.

    Files may refer to one another in any order. A file that says what the base says already changes nothing. With
    `seeding`, a page that an editor has changed since it was seeded is left alone. Many files are read and composed by
    `forks` processes (see `text.crew`). One transaction.
    """
    publishing.take_turn()
    report = Report()
    files, lists = _read_paths(paths, report, forks)
    for path, text in lists:
        if path.name in _LISTS:
            _LISTS[path.name](path, text, report, seeding, dry_run)
    new: list[File] = []
    changed: list[tuple[File, Page]] = []
    for some in batched(_well_formed(files, report), _BATCH):
        meant = meant_tags({name for file in some for name in file.document.get("tags", ())})
        stored = _stored(some)
        for file in some:
            if tags := file.document.get("tags"):
                file.document["tags"] = list(dict.fromkeys(meant[name] for name in tags))
            page, document = stored.get((file.kind, file.document["slug"]), (None, {}))
            if page is not None and page.status == Status.WITHDRAWN:
                reason = f": {page.withdrawn_reason.rstrip('.')}" if page.withdrawn_reason else ""
                withdrawn = f"withdrawn on {page.withdrawn_at:%Y-%m-%d}{reason}"
                if seeding:
                    report.kept.append(f"{file.path}: left alone, {withdrawn}")
                else:
                    problem = f"slug: the page that has it was {withdrawn}. {_WAY_BACK}"
                    report.refused += _refusals(file, {"slug": problem})
            elif page is not None and _says_the_same(file, page, document):
                report.unchanged.append(file.path)
            elif seeding and (why := _changed_by_an_editor(file, page)):
                report.kept.append(f"{file.path}: {why}")
            elif page is None:
                report.created.append(file.path)
                new.append(file)
            else:
                report.updated.append(file.path)
                changed.append((file, page))
    if not dry_run:
        _write(new, changed, draft=draft, editor=editor, seeding=seeding, forks=forks)
    coming = {(file.kind, file.document["slug"]) for file in (*new, *(file for file, _ in changed))}
    for name, bring_in_rows in _LATER_LISTS.items():
        for path, text in lists:
            if path.name == name:
                bring_in_rows(path, text, report, coming, seeding, dry_run)
    return report


def _stored(files: Sequence[File]) -> dict[tuple[str, str], tuple[Page, Document]]:
    """Give the pages that have the addresses of files, each with its document."""
    pages: list[Page] = []
    for kind, model in MODELS.items():
        pages += model.objects.filter(slug__in=[file.document["slug"] for file in files if file.kind == kind])
    return {(page.kind, page.slug): (page, document) for page, document in zip(pages, documents_of(pages), strict=True)}


def _write(
    new: list[File],
    changed: list[tuple[File, Page]],
    *,
    draft: bool,
    editor: publishing.User,
    seeding: bool,
    forks: int,
) -> None:
    if draft:
        for file, page in changed:
            if page.status == Status.PUBLISHED:
                publishing.offer(page, normal(file.document, file.kind), editor=editor)
        changed = [(file, page) for file, page in changed if page.status != Status.PUBLISHED]
    written = [(file, write_facts(file.document, file.kind, page)) for file, page in changed]
    fresh: list[tuple[File, Page]] = []
    for some in batched(new, _BATCH):
        fresh += zip(some, write_new_facts([(file.kind, file.document) for file in some]), strict=True)
    _write_all_references(written, fresh)
    written += fresh
    origin = Revision.Origin.SEED if seeding else Revision.Origin.IMPORT
    if draft:
        for _, page in written:
            publishing.save_draft(page, editor=editor, origin=origin)
        return
    # Names first, all in one deed, so that essays find them; then essays, of which no deed holds all.
    named = [(file, page) for file, page in written if page.kind in NAMED_KINDS]
    essays = [(file, page) for file, page in written if page.kind not in NAMED_KINDS]
    for some_written in filter(None, (named, *batched(essays, _BATCH))):
        trees = {page.pk: file.trees for file, page in some_written}
        own = [page for _, page in some_written]
        several = forks if len(own) >= _MANY else 1
        publishing.publish_many(own, editor=editor, origin=origin, trees=trees, forks=several)
    if len(written) >= _MANY:
        publishing.take_stock()


def _write_all_references(written: list[tuple[File, Page]], fresh: list[tuple[File, Page]]) -> None:
    for some in batched(fresh, _BATCH):
        write_new_references([(file.document, page) for file, page in some])
    for file, page in written:
        write_references(file.document, page)
    # “Related” holds both ways, and setting it for one page takes it from those that are not named there: what any
    # file of this import says is said again at the end.
    for file, page in [*written, *fresh] if written else ():
        if isinstance(page, Concept) and file.document.get("related"):
            page.related.add(*Concept.objects.filter(slug__in=file.document["related"]))


def _well_formed(files: list[File], report: Report) -> list[File]:
    """Keep the files whose addresses are theirs alone and whose references lead somewhere."""
    sound: dict[tuple[str, str], File] = {}
    for file in files:
        place = (file.kind, file.document["slug"])
        if place in sound:
            line = file.lines.get("slug", 1)
            report.refused.append(
                Refusal(file.path, line, f"{sound[place].path} has this slug too. Give one of them another.")
            )
            continue
        sound[place] = file
    known = set(Page.objects.values_list("kind", "slug")) | {
        ("source", slug) for slug in Source.objects.values_list("slug", flat=True)
    }
    # A file that is refused may be what another one refers to: ask again until nothing changes.
    while True:
        there = known | set(sound)
        lost = [(file, found) for file in sound.values() if (found := _leading_nowhere(file, there))]
        if not lost:
            return list(sound.values())
        for file, (key, message) in lost:
            report.refused.append(Refusal(file.path, file.lines.get(key, 1), message))
            del sound[file.kind, file.document["slug"]]


def _leading_nowhere(file: File, known: set[tuple[str, str]]) -> tuple[str, str] | None:
    for key, kind, slug in references_in(file.document, file.kind):
        if (str(kind), slug) not in known:
            return key, f"{key}: no {kind} has the slug “{slug}”."
    return None


def _refusals(file: File, problems: dict[str, str]) -> list[Refusal]:
    return [Refusal(file.path, file.lines.get(key, 1), message) for key, message in problems.items()]


def _says_the_same(file: File, page: Page, current: Document) -> bool:
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
    # Its tags can be renamed or merged, which changes nothing that was written, and its relations be changed from the
    # other side without a revision of its own.
    seeded = {**newest.content, "tags": kept_tags(newest.content.get("tags", []))}
    return "" if same(seeded, document_of(page)) else "left alone, its tags or relations were changed"


# --- lists -------------------------------------------------------------------------------------------------------


def _rows_in(text: str, key: str, what: str) -> tuple[list[Any], dict[str, int]]:
    whole, lines = _mapping(text, first_line=1)
    rows = whole.get(key)
    if not isinstance(rows, list):
        raise _FileRefused(f"the key “{key}” with a list of {what} is missing.", 1)
    return rows, lines


def _told(error: ValidationError) -> str:
    return "; ".join(f"{key}: {' '.join(found)}" for key, found in error.message_dict.items())


def _bring_in_sources(path: Path, text: str, report: Report, seeding: bool, dry_run: bool) -> None:
    try:
        works, lines = _rows_in(text, "sources", "works")
    except _FileRefused as refusal:
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
    except _FileRefused as refusal:
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


def _claims() -> QuerySet[Claim]:
    claims = Claim.objects.select_related("article").defer("article__source")
    return claims.prefetch_related("evidence__page", "evidence__source")


def _bring_in_claims(
    path: Path, text: str, report: Report, coming: set[tuple[str, str]], seeding: bool, dry_run: bool
) -> None:
    """Bring in claims with their evidence, after the pages that they name; `coming` are those of this import."""
    try:
        rows, lines = _rows_in(text, "claims", "claims")
    except _FileRefused as refusal:
        report.refused.append(Refusal(str(path), refusal.line, str(refusal)))
        return
    existing = {(claim.article.slug, claim.number): claim for claim in _claims()}
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
    except _FileRefused as refusal:
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
_LISTS: dict[str, Callable[[Path, str, Report, bool, bool], None]] = {
    SOURCES_FILE: _bring_in_sources,
    TAGS_FILE: _bring_in_tags,
}
#: Those that refer to pages, and come after them; they are told which pages this import brings.
_LATER_LISTS: dict[str, Callable[[Path, str, Report, set[tuple[str, str]], bool, bool], None]] = {
    EVENTS_FILE: _bring_in_events,
    CLAIMS_FILE: _bring_in_claims,
}
_LIST_FILES = (*_LISTS, *_LATER_LISTS)
