"""A large base to search in, written within minutes: the rows that publishing would leave, without the publishing.

The same essays for the same numbers: five sections of two paragraphs, the words of a Zipf vocabulary with names from
the starter library strewn in, one to four tags, dates of thirty years; of 100 essays six are French and four Arabic.
What reading needs is there; revisions and the trees of sections, which editing needs, are not.
"""

import json
import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from multiprocessing import get_context
from typing import Any, NamedTuple

from measuring import ARABIC, FRENCH, LATIN, Generator

SECTIONS = 5
_PARAGRAPHS = 2
_WORDS = (50, 75)  # of a paragraph
_NAME_IN = 12  # in so many paragraphs, one has no name
_TAGS = 60
_VOCABULARY = 60_000
# The commonest word is one word in 30, as in English; about fifteen stand in half of all sections.
_FLAT = 3
_DECK = 1_000_000
_STEP = 500  # essays that are made and written at once
_LETTERS = {"en": LATIN, "fr": FRENCH, "ar": ARABIC}


class Name(NamedTuple):
    """A label of the starter library, and whose it is."""

    text: str
    label: int
    page: int
    address: str


class Writer:
    """Writes the essays of one language."""

    def __init__(self, language: str, names: Sequence[Name]) -> None:
        self.language = language
        self.names = names
        self.words = list(dict.fromkeys(Generator([], _LETTERS[language], _VOCABULARY).words))
        self.shares = [1 / (rank + _FLAT) for rank in range(len(self.words))]
        whole = sum(self.shares)
        self.shares = [share / whole for share in self.shares]
        # Drawing from a deck that holds each word as often as it is wanted is ten times as fast as weighing.
        self.deck = [
            word
            for word, share in zip(self.words, self.shares, strict=True)
            for _ in range(max(1, round(share * _DECK)))
        ]

    def band(self, least: float, most: float) -> list[str]:
        """Give the words that stand in such a part of all sections, the commonest first."""
        length = _PARAGRAPHS * sum(_WORDS) / 2
        parts = (1 - (1 - share) ** length for share in self.shares)
        return [word for word, part in zip(self.words, parts, strict=True) if least <= part <= most]

    def phrase(self, chance: random.Random, length: int) -> str:
        return " ".join(chance.choices(self.deck, k=length))

    def paragraph(self, chance: random.Random) -> tuple[str, Name | None]:
        """Give a paragraph, and the name that stands in it, behind the first three words."""
        words = chance.choices(self.deck, k=chance.randint(*_WORDS))
        name = chance.choice(self.names) if chance.randrange(_NAME_IN) else None
        if name:
            words.insert(3, name.text)
        words[0] = words[0].capitalize()
        return " ".join(words) + ".", name


class Rows(NamedTuple):
    """Rows by table, each a dictionary by column."""

    page: list[dict[str, Any]]
    article: list[dict[str, Any]]
    tagged: list[dict[str, Any]]
    section: list[dict[str, Any]]
    mention: list[dict[str, Any]]


class Library:
    """All essays, as rows with the keys that follow those of the starter library."""

    def __init__(self, names: dict[str, list[Name]], tags: Sequence[int], first_page: int, first_section: int) -> None:
        self.writers = {language: Writer(language, names[language]) for language in _LETTERS}
        self.tags = tags
        self.tag_weights = list(accumulate(1 / (place + 3) for place in range(len(tags))))
        self.first_page = first_page
        self.first_section = first_section

    def rows(self, numbers: Iterable[int]) -> Rows:
        rows = Rows([], [], [], [], [])
        for number in numbers:
            self._write(number, rows)
        return rows

    def _write(self, number: int, rows: Rows) -> None:
        chance = random.Random(number)  # noqa: S311  repeatable on purpose
        language = chance.choices(("en", "fr", "ar"), weights=(90, 6, 4))[0]
        writer = self.writers[language]
        page, date = self.first_page + number, f"{chance.randint(1996, 2025)}-{chance.randint(1, 12):02}-15 12:00:00"
        source, title = [], writer.phrase(chance, chance.randint(3, 8)).capitalize()
        for position in range(SECTIONS):
            heading = writer.phrase(chance, 4).capitalize() if position else ""
            made = [writer.paragraph(chance) for _ in range(_PARAGRAPHS)]
            section = self.first_section + number * SECTIONS + position
            rows.section.append(_section(section, page, position, heading, made))
            rows.mention.extend(_mentions(section, position, made))
            source += [*([f"## {heading}"] if heading else []), *(text for text, _ in made)]
        rows.page.append(
            {
                "id": page, "kind": "article", "slug": f"essay-{number}", "title": title, "language": language,
                "summary": f"{writer.phrase(chance, 12).capitalize()}.", "source": "\n\n".join(source),
                "status": "published", "published_at": date, "created_at": date, "updated_at": date, "unlinked": "[]",
                "withdrawn_reason": "", "verified": "", "verified_url": "",
            }
        )  # fmt: skip
        rows.article.append({"page_id": page, "standpoint": "essay", "authors": "[]"})
        tags = {chance.choices(self.tags, cum_weights=self.tag_weights)[0] for _ in range(chance.randint(1, 4))}
        rows.tagged.extend({"content_object_id": page, "tag_id": tag} for tag in sorted(tags))


def _section(key: int, page: int, position: int, heading: str, made: Sequence[tuple[str, Name | None]]) -> Any:
    first = position * _PARAGRAPHS + 1
    html = "\n".join(
        f'<p id="p{first + place}">{_linked(text, name)} <a class="pm" href="#p{first + place}" '
        f'aria-label="Link to paragraph {first + place}">{first + place}</a></p>'
        for place, (text, name) in enumerate(made)
    )
    texts = [text for text, _ in made]
    starts = list(accumulate((len(text) + 2 for text in texts[:-1]), initial=0))
    anchor = f"part-{position}"
    return {
        "id": key, "page_id": page, "position": position, "level": 2 if heading else 1, "anchor": anchor,
        "heading": heading, "heading_html": f'<h2 id="{anchor}">{heading}</h2>' if heading else "", "html": html,
        "notes_html": "", "text": "\n\n".join(texts), "first_paragraph": first,
        "last_paragraph": first + len(made) - 1, "paragraph_starts": json.dumps(starts),
    }  # fmt: skip


def _linked(text: str, name: Name | None) -> str:
    return text.replace(name.text, f'<a class="concept" href="{name.address}">{name.text}</a>', 1) if name else text


def _mentions(section: int, position: int, made: Sequence[tuple[str, Name | None]]) -> Iterator[dict[str, Any]]:
    starts = 0
    for place, (text, name) in enumerate(made):
        if name:
            start = starts + text.index(name.text)
            before, after = text[: start - starts].split(), text[start - starts + len(name.text) :].split()
            yield {
                "section_id": section, "target_id": name.page, "label_id": name.label, "start": start,
                "end": start + len(name.text), "sentence_start": starts, "sentence": text,
                "paragraph": position * _PARAGRAPHS + place + 1, "linked": True, "wanted": "", "wanted_key": "",
                "in_heading": False, "preceding": " ".join(before[::-1])[:120], "following": " ".join(after[:3])[:120],
            }  # fmt: skip
        starts += len(text) + 2


# --- writing -----------------------------------------------------------------------------------------------------


def library() -> Library:
    """Give the library whose essays follow what the starter library holds."""
    from django.db.models import Max
    from taggit.models import Tag

    from peacekb.models import Label, Page, Section

    # A made word beside a name must not make another name of it, and an everyday word is none.
    names: dict[str, list[Name]] = {language: [] for language in _LETTERS}
    for label in Label.objects.filter(ambiguous=False).exclude(kind="hidden").select_related("page").order_by("pk"):
        if label.language in names and re.fullmatch(r"[\w -]+", label.text):
            address = f"/{label.page.kind}s/{label.page.slug}/"
            names[label.language].append(Name(label.text, label.pk, label.page_id, address))
    made = [f"topic {number}" for number in range(_TAGS - Tag.objects.exclude(name__startswith="topic ").count())]
    for name in made:
        Tag.objects.get_or_create(name=name, slug=name.replace(" ", "-"))
    tags = list(Tag.objects.order_by("pk").values_list("pk", flat=True))
    own = Page.objects.filter(slug="essay-0").first()
    last = Page.objects.aggregate(last=Max("pk"))["last"] + 1
    last_section = Section.objects.aggregate(last=Max("pk"))["last"] + 1
    return Library(
        names,
        tags,
        own.pk if own else last,
        own.sections.order_by("position")[0].pk if own else last_section,
    )


_library: Library


def _start() -> None:
    """Make a process ready to make rows."""
    import django

    django.setup()
    global _library
    _library = library()


def _rows(numbers: range) -> Rows:
    return _library.rows(numbers)


def entries_of(keys: range) -> list[Any]:
    """Give the search entries of the pages with such keys, as publishing makes them; not saved."""
    from peacekb import search
    from peacekb.models import Page

    found = Page.objects.filter(pk__range=(keys.start, keys.stop - 1)).defer("source")
    pages = list(found.prefetch_related("labels", "tagged__tag", "sections"))
    derived = search.derived_facts(page.pk for page in pages)
    entries = []
    for page in pages:
        sections = [(section, search.words_of(section.heading, section.text)) for section in page.sections.all()]
        entries += search.entries_for(page, sections, derived.get(page.pk, ()))
    return entries


def write_essays(count: int) -> None:
    """Write the rows of so many essays, all but the search entries."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from peacekb.models import Article, Mention, Page, Section, TaggedPage

    models: list[Any] = [Page, Article, TaggedPage, Section, Mention]
    library()  # its tags must be there before other processes ask for them
    with transaction.atomic():
        for rows in _made(_rows, _cut(0, count)):
            for model, some in zip(models, rows, strict=True):
                _insert(model._meta.db_table, some)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(statement)


def write_entries() -> None:
    """Write the search entries of all pages again."""
    from django.db import connection, transaction
    from django.db.models import Max, Min

    from peacekb import search
    from peacekb.models import Page, SearchEntry

    ends = Page.objects.aggregate(first=Min("pk"), last=Max("pk"))
    with transaction.atomic(), connection.cursor() as cursor:
        # Made at the end, an index of PostgreSQL takes a tenth of the time.
        indexes = []
        if connection.vendor == "postgresql":
            cursor.execute("TRUNCATE peacekb_searchentry")
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'peacekb_searchentry' "
                "AND indexdef LIKE '%%USING gin%%'"
            )
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
        else:
            SearchEntry.objects.all().delete()
        for entries in _made(entries_of, _cut(ends["first"], ends["last"] + 1)):
            search.store(entries)
        if indexes:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no index is made while foreign keys wait to be checked
        for _, definition in indexes:
            cursor.execute(definition)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def write_beginnings() -> None:
    """Write again what readers may begin to type for a page."""
    from django.db import transaction
    from django.db.models import Max, Min

    from peacekb.models import Beginning, Page
    from peacekb.publishing.beginnings import beginnings_of

    ends = Page.objects.aggregate(first=Min("pk"), last=Max("pk"))
    names = [field.attname for field in Beginning._meta.fields if not field.primary_key]
    with transaction.atomic():
        Beginning.objects.filter(page__isnull=False).delete()
        for part in _cut(ends["first"], ends["last"] + 1):
            pages = (
                Page.objects.filter(pk__range=(part.start, part.stop - 1)).defer("source").prefetch_related("labels")
            )
            made = [row for page in pages for row in beginnings_of(page)]
            _insert(Beginning._meta.db_table, [{name: getattr(row, name) for name in names} for row in made])


def _cut(start: int, stop: int) -> list[range]:
    return [range(place, min(place + _STEP, stop)) for place in range(start, stop, _STEP)]


def _made(make: Any, parts: Sequence[range]) -> Iterator[Any]:
    """Have each part made by another process, and give them in order; few at once, so that memory holds them."""
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start) as pool:
        waiting = [pool.submit(make, part) for part in parts[: 2 * workers]]
        for further in [*parts[2 * workers :], *([None] * len(waiting))]:
            yield waiting.pop(0).result()
            if further is not None:
                waiting.append(pool.submit(make, further))


def _insert(table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as fast as the database takes them."""
    from django.db import connection

    columns = ", ".join(f'"{name}"' for name in rows[0])
    values = [tuple(row.values()) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copying:
                for row in values:
                    copying.write_row(row)
        else:
            signs = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({signs})", values)  # noqa: S608
