"""Markdown files with front matter, in and out: the form in which pages are reviewed, exported and brought in.

A file is a document (`peacekb.documents`): YAML front matter between two `---` lines, an empty line, the body. The
folder says the kind. Works of the bibliography stand together in `sources.yaml`, events of the timeline in
`events.yaml`, claims of essays with their evidence in `claims.yaml`, and in `tags.yaml` what each tag is called beside
its name, and which tags are broader.
"""

import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from taggit.models import Tag

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
    with_references,
    write_facts,
    write_new_facts,
    write_new_references,
    write_references,
)
from peacekb.models import (
    MODELS,
    Article,
    Concept,
    Event,
    FormerSlug,
    Page,
    Revision,
    Source,
    Status,
    TaggedPage,
    kept_tags,
    meant_tags,
)
from peacekb.models.many import batched
from peacekb.text.compose import read_sections
from peacekb.text.crew import each
from peacekb.text.markdown_tree import TextRefused

from .files import FOLDERS, MARK, File, FileRefused, Refusal, text_of, yaml_of
from .files import Report as Report
from .files import read_file as read_file
from .lists import (
    CLAIMS_FILE,
    EVENTS_FILE,
    LATER_LISTS,
    LIST_FILES,
    LISTS,
    SOURCES_FILE,
    TAGS_FILE,
    all_claims,
    claims_file,
    events_file,
    sources_file,
    tags_file,
)

_FOLDER_OF = {kind: folder for folder, kind in FOLDERS.items()}
_MANY = 50  # pages that are worth forks, and after which the database counts its tables again
_PIECE = 20  # files that a process reads at a time
_BATCH = 1_000  # pages that are written and published at a time
_WAY_BACK = "Restore it in the admin first, or choose another slug."

# --- out ---------------------------------------------------------------------------------------------------------


def markdown_file(document: Document) -> str:
    """Give the text of a document's file. Equal documents give equal bytes."""
    front = {key: value for key, value in document.items() if key != "source"}
    return f"{MARK}\n{yaml_of(front)}{MARK}\n\n{document.get('source', '')}\n"


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
        CLAIMS_FILE: claims_file(all_claims().filter(is_withdrawn=False, article__in=Article.objects.published())),
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
        text = text_of(path)
        if path.name in LIST_FILES:
            return path, text
        file = read_file(text, path=str(path), folder=path.parent.name)
    except FileRefused as refusal:
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
            lists = [name for name in LIST_FILES if name in names and Path(folder) == path]
            inner = [Path(folder, name) for name in [*lists, *pages]]
            found += [file for file in inner if not file.is_symlink()]
            for link in (one for one in [*(Path(folder, name) for name in folders), *inner] if one.is_symlink()):
                refused.append(Refusal(str(link), 1, "links in a folder are not followed. Name its target itself."))
        yield from sorted(found)


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
        if path.name in LISTS:
            LISTS[path.name](path, text, report, seeding, dry_run)
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
    for name, bring_in_rows in LATER_LISTS.items():
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
