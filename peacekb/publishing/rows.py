"""Derived rows: sections, mentions and search entries are written here and nowhere else.

What is composed is compared with what is stored, and what differs is written: deriving again changes nothing. A
section keeps its row by position, a mention by its place in the section.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model

from peacekb import search
from peacekb.models import Mention, Page, Section, SectionTree, Status
from peacekb.text.compose import Essay, compose, link_again
from peacekb.text.compose import Section as MadeSection
from peacekb.text.links import Mention as FoundMention
from peacekb.text.markdown_tree import written_links
from peacekb.text.vocabulary import Vocabulary, name_key
from peacekb.text.words import folded_words

from .beginnings import store_beginnings
from .names import Resolver, vocabulary

BATCH = 200
# Words on each side of a mention by which concordances are sorted.
_NEIGHBOURS = 3
_NEIGHBOURHOOD = 90  # characters that are searched for them


@dataclass(slots=True)
class LinkCount:
    """How many links appeared, lead elsewhere and vanished."""

    appeared: int = 0
    altered: int = 0
    vanished: int = 0

    def compare(self, was: Mapping[int, int], will: Mapping[int, int]) -> None:
        """Count the links of a section that differ (see `links`)."""
        self.appeared += len(will.keys() - was.keys())
        self.vanished += len(was.keys() - will.keys())
        self.altered += sum(was[start] != will[start] for start in was.keys() & will.keys())


def compose_pages(keys: Sequence[int]) -> None:
    """Derive the rows of published pages, each from its text and the names of all. Raises `TextRefused`."""
    if not keys:
        return
    names = vocabulary()
    for place in range(0, len(keys), BATCH):
        batch = keys[place : place + BATCH]
        pages = Page.objects.filter(pk__in=batch, status=Status.PUBLISHED).prefetch_related(
            "labels", "phase_set", "tagged__tag", "sections__mentions", "sections__tree"
        )
        by_key = {page.pk: page for page in pages}
        resolve = Resolver(names, chain.from_iterable(written_links(page.source) for page in by_key.values()))
        composed: list[tuple[Page, list[Section]]] = []
        for key in batch:
            if key in by_key:
                page = by_key[key]
                essay = compose(
                    page.source,
                    names,
                    title=page.title,
                    language=page.language,
                    resolve=resolve,
                    own=page.pk,
                    quiet=page.unlinked,
                )
                composed.append((page, _store(page, essay)))
        roles = search.mentioned_roles(by_key)
        search.store(
            [entry for page, stored in composed for entry in search.entries_for(page, stored, roles.get(page.pk, ()))]
        )
        store_beginnings(by_key.values())


def link_sections(keys: Iterable[int]) -> LinkCount:
    """Link stored sections again, because names have changed: their Markdown is not parsed again.

    Six queries for 200 sections, and as many again where something differs.
    """
    ordered = sorted(keys)
    counted = LinkCount()
    names = vocabulary() if ordered else None
    for place in range(0, len(ordered), BATCH):
        assert names is not None  # noqa: S101  there is a batch, so there are sections
        sections = linkable(ordered[place : place + BATCH])
        written = Resolver(names, {one.wanted for section in sections for one in section.mentions.all() if one.wanted})
        changed, mentions = [], _Mentions()
        for section in sections:
            made = linked_again(section, names, written)
            if (section.html, section.notes_html) != (made.html, made.notes_html):
                section.html, section.notes_html = made.html, made.notes_html
                changed.append(section)
            counted.compare(links(section.mentions.all()), links(made.mentions))
            mentions.compare(section, section.mentions.all(), made.mentions)
        write_fields(changed, "html", "notes_html")
        mentions.write()
        search.mention_roles({section.page_id for section in sections})
    return counted


def write_fields(rows: Sequence[Model], *names: str) -> None:
    """Write some fields of stored rows of one model.

    `bulk_update` and `bulk_create` spend most of a relinking on building SQL; the driver's own `executemany` does not.
    """
    if rows:
        meta, quote = type(rows[0])._meta, connection.ops.quote_name
        fields: list[Any] = [meta.get_field(name) for name in names]
        assigned = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
        _execute(
            f"UPDATE {quote(meta.db_table)} SET {assigned} WHERE {quote(str(meta.pk.column))} = %s",  # noqa: S608
            [*fields, meta.pk],
            rows,
        )


def add_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model whose keys the database chooses; they do not learn them."""
    if rows:
        meta, quote = type(rows[0])._meta, connection.ops.quote_name
        fields = [field for field in meta.concrete_fields if not field.primary_key]
        columns = ", ".join(quote(str(field.column)) for field in fields)
        signs = ", ".join(["%s"] * len(fields))
        _execute(f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({signs})", fields, rows)  # noqa: S608


def _execute(sql: str, fields: Sequence[Any], rows: Sequence[Model]) -> None:
    # What the driver takes as it is needs no preparation, which would cost as much as the rest.
    names = [(field.attname, field if isinstance(field, JSONField) else None) for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [
                [
                    getattr(row, name) if field is None else field.get_db_prep_save(getattr(row, name), connection)
                    for name, field in names
                ]
                for row in rows
            ],
        )


def linkable(keys: Sequence[int]) -> list[Section]:
    """Give sections with what `linked_again` needs of them: page, tree and mentions. Two queries.

    Pages stored before there were trees are composed first.
    """
    treeless = Section.objects.filter(pk__in=keys, tree=None).values_list("page_id", flat=True)
    stored = Section.objects.filter(pk__in=keys).select_related("page", "tree").defer("page__source")
    ordered = stored.prefetch_related("mentions").order_by("pk")
    found = list(ordered)
    if any(not hasattr(section, "tree") for section in found):
        compose_pages(sorted(set(treeless)))
        found = list(ordered.all())
    return found


def linked_again(section: Section, names: Vocabulary, resolve: Resolver) -> MadeSection:
    """Make a section with other names. Needs `page` and `tree` loaded."""
    page = section.page
    return link_again(
        section.tree.written, names, language=page.language, resolve=resolve, own=page.pk, quiet=page.unlinked
    )


def _store(page: Page, essay: Essay) -> list[Section]:
    """Bring the stored sections, trees and mentions of a page in step with `essay`; give the sections."""
    old = {section.position: section for section in page.sections.all()}
    gone = [section.pk for position, section in old.items() if position >= len(essay.sections)]
    if gone:
        Section.objects.filter(pk__in=gone).delete()
    # An anchor may move from one position to another: free those that change before they are taken.
    for position, made in enumerate(essay.sections):
        if position in old and old[position].anchor != made.anchor:
            Section.objects.filter(pk=old[position].pk).update(anchor=f"-{old[position].pk}")
    stored, new, mentions = [], [], _Mentions()
    for position, made in enumerate(essay.sections):
        values = _values(made)
        section = old.get(position)
        if section is None:
            section = Section(page=page, position=position, **values)
            new.append(section)
        elif _differs(section, values):
            _set(section, values)
            section.save()
        stored.append(section)
    Section.objects.bulk_create(new)
    trees, changed_trees = [], []
    for section, made in zip(stored, essay.sections, strict=True):
        tree = getattr(section, "tree", None)
        if tree is None:
            trees.append(SectionTree(section=section, written=made.tree))
        elif tree.written != made.tree:
            tree.written = made.tree
            changed_trees.append(tree)
        known = section.mentions.all() if section.position in old else ()
        mentions.compare(section, known, made.mentions)
    SectionTree.objects.bulk_create(trees)
    write_fields(changed_trees, "written")
    mentions.write()
    return stored


def _values(made: MadeSection) -> dict[str, Any]:
    return {
        "level": made.level,
        "anchor": made.anchor,
        "heading": made.heading[:1000],
        "heading_html": made.heading_html,
        "html": made.html,
        "notes_html": made.notes_html,
        "text": made.text,
        "first_paragraph": made.first_paragraph,
        "last_paragraph": made.last_paragraph,
        "paragraph_starts": list(made.paragraph_starts),
    }


def links(mentions: Iterable[Mention | FoundMention]) -> dict[int, int]:
    """Give the page that is linked at each offset of a section's text."""
    found = {}
    for one in mentions:
        target = one.target if isinstance(one, FoundMention) else one.target_id
        if one.linked and target is not None:
            found[one.start] = target
    return found


def mention_values(one: FoundMention) -> dict[str, Any]:
    """Give what a mention's row holds, beside its place."""
    place, behind = one.start - one.sentence_start, one.end - one.sentence_start
    before = folded_words(one.sentence[max(0, place - _NEIGHBOURHOOD) : place])
    after = folded_words(one.sentence[behind : behind + _NEIGHBOURHOOD])
    return {
        "paragraph": one.paragraph,
        "target_id": one.target,
        "label_id": one.label,
        "end": one.end,
        "sentence_start": one.sentence_start,
        "sentence": one.sentence,
        "linked": one.linked,
        "wanted": one.wanted,
        "wanted_key": name_key(one.wanted) if one.wanted else "",
        "preceding": " ".join(before[: -_NEIGHBOURS - 1 : -1])[:120],
        "following": " ".join(after[:_NEIGHBOURS])[:120],
    }


class _Mentions:
    """What of the mentions of some sections is new, changed or gone, written at once."""

    _FIELDS = ("paragraph", "target", "label", "end", "sentence_start", "sentence", "linked", "wanted", "wanted_key",
               "preceding", "following")  # fmt: skip

    def __init__(self) -> None:
        self._new: list[Mention] = []
        self._changed: list[Mention] = []
        self._gone: list[int] = []

    def compare(self, section: Section, stored: Iterable[Mention], found: Iterable[FoundMention]) -> None:
        """Note what differs between the mentions that are stored of a section and those that were found."""
        old = {(mention.in_heading, mention.start): mention for mention in stored}
        for one in found:
            mention = old.pop((one.in_heading, one.start), None)
            if mention is None:
                place = {"start": one.start, "in_heading": one.in_heading}
                self._new.append(Mention(section=section, **place, **mention_values(one)))
            elif is_other(mention, one) and _differs(mention, values := mention_values(one)):
                _set(mention, values)
                self._changed.append(mention)
        self._gone += [mention.pk for mention in old.values()]

    def write(self) -> None:
        """Write what was noted, in three queries or a few more."""
        for place in range(0, len(self._gone), 500):
            Mention.objects.filter(pk__in=self._gone[place : place + 500]).delete()
        add_rows(self._new)
        write_fields(self._changed, *self._FIELDS)


def is_other(mention: Mention, found: FoundMention) -> bool:
    """Tell quickly that most mentions are as they were. What stands around them follows from these."""
    return (
        mention.target_id != found.target
        or mention.label_id != found.label
        or mention.linked != found.linked
        or mention.end != found.end
        or mention.sentence != found.sentence
        or mention.sentence_start != found.sentence_start
        or mention.paragraph != found.paragraph
        or mention.wanted != found.wanted
    )


def _differs(row: Any, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _set(row: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
