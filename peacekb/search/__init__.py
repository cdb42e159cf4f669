"""One question, two engines: SQLite FTS5 and PostgreSQL full text.

Both index the same folded keys (`peacekb.text.words`), so that they find the same sections.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from django.db import connection
from django.db.models import Case, F, FloatField, QuerySet, When

from peacekb.models import Kind, Label, Page, SearchEntry, Section
from peacekb.text.vocabulary import phrases_of_label
from peacekb.text.words import keys

from . import postgresql, sqlite

# PostgreSQL holds at most 1 MB of words a row. A longer section is indexed to here, and marked as cut off.
_INDEXED_CHARACTERS = 250_000
_CUT_OFF = "zzcutoffzz"
_MOST_WORDS = 32
# An essay speaks of many things at length, an entry of one in three lines, and engines prefer the short. Readers look
# for essays: with this they stand among the entries whose title holds the word, not behind all that only mention it.
_ARTICLE_BOOST = 3.0
_PHRASE = re.compile(r'"([^"]*)"|([^"\s]+)')


class Engine(Protocol):
    """What a database must offer: the entries that hold all phrases, each annotated with `score`, higher is better."""

    def matching(self, phrases: Sequence[Sequence[str]], filters: Sequence[Sequence[str]]) -> QuerySet[SearchEntry]: ...

    def holding(self, phrases: Sequence[Sequence[str]], *, or_token: str) -> QuerySet[SearchEntry]: ...

    def naming(self, words: Sequence[str]) -> QuerySet[SearchEntry]: ...

    def rebuild(self) -> None: ...

    def problems(self) -> list[str]: ...


def engine() -> Engine:
    """Give the engine of the default database."""
    return postgresql if connection.vendor == "postgresql" else sqlite


def search(
    text: str,
    *,
    tags: Iterable[str] = (),
    any_tags: Iterable[str] = (),
    kind: str = "",
    phase: str = "",
    language: str = "",
) -> QuerySet[SearchEntry]:
    """Find the published sections that hold all words of `text`, best first.

    Words in double quotes must stand together. `tags` are slugs that the page must all carry, `any_tags` slugs of
    which it must carry one. Gives a queryset with `rank`, `section` and its page still to be joined; empty when
    neither a word nor a filter is left. One query when evaluated.
    """
    phrases = phrases_of(text)
    filters: list[list[str]] = [[filter_token("tag", tag)] for tag in tags]
    alternatives = [filter_token("tag", tag) for tag in any_tags]
    if alternatives:
        filters.append(alternatives)
    filters += [
        [filter_token(facet, value)] for facet, value in (("kind", kind), ("phase", phase), ("lang", language)) if value
    ]
    if not phrases and not filters:
        return SearchEntry.objects.none()
    found = engine().matching(phrases, filters)
    boost = Case(When(section__page__kind=Kind.ARTICLE, then=_ARTICLE_BOOST), default=1.0, output_field=FloatField())
    found = found.filter(section__page__in=Page.objects.published()).annotate(rank=F("score") * boost)
    return found.order_by("-rank", "section_id")


def phrases_of(text: str) -> list[list[str]]:
    """Give the keys of a query: one list for each quoted phrase or word."""
    phrases = []
    for quoted, word in _PHRASE.findall(text.replace("\x00", " ")[:2_000]):
        found = keys(quoted or word)
        if found:
            phrases.append(found)
    return phrases[:_MOST_WORDS]


def filter_token(facet: str, value: str) -> str:
    """Give the index token of one fact, such as a tag. Hexadecimal, so that no tokenizer cuts it into words."""
    return f"zz{facet}{value.encode(errors='replace').hex()}zz"


def entry_for(
    section: Section,
    *,
    title: str,
    labels: Iterable[str],
    tags: Iterable[tuple[str, str]],
    facts: Iterable[tuple[str, str]],
) -> SearchEntry:
    """Make the entry of one section, not saved. `tags` are pairs of name and slug, `facts` of facet and value."""
    is_lead = section.position == 0
    tags = list(tags)
    text = _joined([section.text])
    tokens = [filter_token("tag", slug) for _, slug in tags] + [filter_token(facet, value) for facet, value in facts]
    return SearchEntry(
        section=section,
        title=_joined([title]) if is_lead else "",
        labels=_joined(labels) if is_lead else "",
        heading=_joined([section.heading]),
        tags=_joined(name for name, _ in tags) if is_lead else "",
        text=text[:_INDEXED_CHARACTERS],
        filters=" ".join([*tokens, _CUT_OFF] if len(text) > _INDEXED_CHARACTERS else tokens),
    )


def sections_with(names: Iterable[str]) -> Iterator[tuple[int, int, str, str]]:
    """Give key, page, heading and text of all sections, public or not, in which one of the names may stand.

    A superset, from the index; a section may come more than once. One query for each 100 names.
    """
    ordered = sorted({phrase for name in names for phrase in phrases_of_label(name)})
    for place in range(0, len(ordered), 100):
        holding = engine().holding(ordered[place : place + 100], or_token=_CUT_OFF)
        yield from holding.values_list("section_id", "section__page_id", "section__heading", "section__text").iterator()


def naming(words: Iterable[str]) -> QuerySet[SearchEntry]:
    """Find the published pages of which title, another name or a tag holds at least one of the index keys, best first.

    `words` are as `peacekb.text.words.keys` gives them. One entry a page, that of its lead section.
    """
    found = engine().naming(sorted(words)[:_MOST_WORDS])
    return found.filter(section__page__in=Page.objects.published()).order_by(F("score").desc(), "section_id")


def entry_named(text: str) -> Page | None:
    """Give the published page that has `text` as a label, if there is exactly one."""
    wanted = text.strip()
    pages = Page.objects.published().filter(
        pk__in=Label.objects.filter(text__iexact=wanted).exclude(kind=Label.LabelKind.HIDDEN).values("page")
    )
    # A NUL and a lone surrogate can be in no database, and asking for one is an error.
    storable = wanted.isprintable() or not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in wanted)
    found = list(pages[:2]) if wanted and storable else []
    return found[0] if len(found) == 1 else None


def _joined(texts: Iterable[str]) -> str:
    return " ".join(" ".join(keys(text)) for text in texts)
