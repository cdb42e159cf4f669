"""One question, two engines: SQLite FTS5 and PostgreSQL full text.

Both index the same folded keys (`peacekb.text.words`), so that they find the same sections.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection
from django.db.models import Case, F, FloatField, IntegerField, Q, QuerySet, When

from peacekb.models import Kind, Label, Language, Mention, Page, SearchEntry, Section
from peacekb.text.query import MOST_WORDS, Either, Fact, Phrase, Query, read
from peacekb.text.vocabulary import label_keys, phrases_of_label
from peacekb.text.words import folded_words, keys

from . import postgresql, sqlite
from .known import Understood as Understood
from .known import understood as understood
from .wanted import Wanted

# PostgreSQL holds at most 1 MB of words a row. A longer section is indexed to here, and marked as cut off.
_INDEXED_CHARACTERS = 250_000
_CUT_OFF = "zzcutoffzz"
# An essay speaks of many things at length, an entry of one in three lines, and engines prefer the short. Readers look
# for essays: with this they stand among the entries whose title holds the word, not behind all that only mention it.
_ARTICLE_BOOST = 3.0
# Words that were typed side by side and stand so, in their order.
_TOGETHER_BOOST = 2.0
_MOST_OTHER_NAMES = 12
# Entries whose names hold a query and more; the shortest come first, and the name itself is among them.
_MOST_NAMED = 100
# Facts that the index holds as tokens.
_FACETS = frozenset({"tag", "kind", "phase", "lang"})


class Engine(Protocol):
    """What a database must offer: the entries that are as wanted, each annotated with `score`, higher is better.

    `holds` gives the same as a condition, for a query about entries.
    """

    def matching(self, wanted: Wanted) -> QuerySet[SearchEntry]: ...

    def holds(self, wanted: Wanted) -> Any: ...

    def holding(self, phrases: Sequence[Sequence[str]], *, or_token: str) -> QuerySet[SearchEntry]: ...

    def naming(self, words: Sequence[str]) -> QuerySet[SearchEntry]: ...

    def rebuild(self) -> None: ...

    def problems(self) -> list[str]: ...


def engine() -> Engine:
    """Give the engine of the default database."""
    return postgresql if connection.vendor == "postgresql" else sqlite


def search(
    asked: str | Query,
    *,
    tags: Iterable[str] = (),
    any_tags: Iterable[str] = (),
    kind: str = "",
    phase: str = "",
    language: str = "",
    also: Iterable[str] = (),
) -> QuerySet[SearchEntry]:
    """Find the published sections that are as asked (see `peacekb.text.query`), best first.

    `tags` are slugs that the page must all carry, `any_tags` slugs of which it must carry one. `also` are names that
    may stand instead of the words; sections with the words go before them. Gives a queryset with `rank`, `section`
    and its page still to be joined; empty when nothing is asked. One query when evaluated, and where a text names
    tags or roles one each before.
    """
    query = understood(asked).meant if isinstance(asked, str) else asked
    facts = [*query.facts, *(Fact("tag", tag) for tag in tags)]
    facts += [Fact(name, value) for name, value in (("kind", kind), ("phase", phase), ("lang", language)) if value]
    alternatives = [filter_token("tag", tag) for tag in any_tags]
    if not query.parts and not facts and not alternatives:
        return SearchEntry.objects.none()
    wanted = _wanted(query, facts, alternatives, also)
    found = engine().matching(wanted).filter(section__page__in=Page.objects.published())
    for fact in facts:
        found = _where(found, fact)
    for either in _of_page(query):
        pages = engine().matching(Wanted(words=[either.phrases])).values("section__page")
        found = found.exclude(section__page__in=pages) if either.without else found.filter(section__page__in=pages)
    boost = Case(When(section__page__kind=Kind.ARTICLE, then=_ARTICLE_BOOST), default=1.0, output_field=FloatField())
    rank: Any = F("score") * boost
    order = ["-rank", "-section__page__published_at", "section_id"]
    together = tuple(keys(query.plain))
    if len(query.wanted) > 1 and together:
        rank *= _weight(Wanted(words=[[Phrase(together)]]), _TOGETHER_BOOST, 1.0)
    if wanted.also:
        found = found.annotate(exact=_weight(Wanted(words=wanted.words), 1, 0))
        order.insert(0, "-exact")
    return found.annotate(rank=rank).order_by(*order)


def _wanted(query: Query, facts: Sequence[Fact], any_tokens: Sequence[str], also: Iterable[str]) -> Wanted:
    """Give what the index is asked."""
    tokens = [(fact.without, filter_token(fact.name, fact.value)) for fact in facts if fact.name in _FACETS]
    filters = [[token] for without, token in tokens if not without]
    if any_tokens:
        filters.append(list(any_tokens))
    of_page = _of_page(query)
    words = [either.phrases for either in query.wanted if either not in of_page]
    if not words and not filters:
        # No engine finds what is only unwanted: it must have something to take it from.
        filters.append([filter_token("lang", language) for language in Language.values])
    return Wanted(
        words=words,
        also=[Phrase(tuple(keys(name))) for name in also] if words else (),
        filters=filters,
        without=[phrase for either in query.unwanted if either not in of_page for phrase in either.phrases],
        without_filters=[token for without, token in tokens if without],
    )


def _of_page(query: Query) -> list[Either]:
    """Give the words of titles by which whole pages are chosen: a title rides on its lead section alone.

    Where nothing else is asked, it is the lead section that is found.
    """
    titles = [one for one in (*query.wanted, *query.unwanted) if len(one.words) == 1 and one.words[0].title]
    others = [one for one in query.wanted if one not in titles]
    return [one for one in titles if one.without or others]


def _where(found: QuerySet[SearchEntry], fact: Fact) -> QuerySet[SearchEntry]:
    """Narrow by a fact that the index does not hold."""
    match fact.name:
        case "role":
            role = Page.objects.published().filter(kind=Kind.ROLE, slug=fact.value)
            holds = Q(section__page__in=Mention.objects.filter(target__in=role).values("section__page"))
        case "after":
            holds = Q(section__page__published_at__year__gt=int(fact.value))
        case "before":
            holds = Q(section__page__published_at__year__lt=int(fact.value))
        case _:
            return found
    return found.exclude(holds) if fact.without else found.filter(holds)


def _weight(wanted: Wanted, then: float, otherwise: float) -> Case:
    field = IntegerField() if isinstance(then, int) else FloatField()
    return Case(When(engine().holds(wanted), then=then), default=otherwise, output_field=field)


def phrases_of(asked: str | Query) -> list[Phrase]:
    """Give the phrases that a query looks for in the texts. No query to the database."""
    query = read(asked) if isinstance(asked, str) else asked
    return [phrase for either in query.wanted for phrase in either.phrases if not phrase.column]


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
    found = engine().naming(sorted(words)[:MOST_WORDS])
    return found.filter(section__page__in=Page.objects.published()).order_by(F("score").desc(), "section_id")


@dataclass(frozen=True, slots=True)
class Named:
    """The entry that bears a name: the key of its page, and its other names that are worth a search."""

    page: int
    others: tuple[str, ...]


def entry_named(text: str) -> Named | None:
    """Give the published concept, role or task that has `text` as a name in any language, if there is exactly one.

    Spelling is forgiven as in a search; who bears the name as it is written goes before who bears it so. Two queries.
    """
    asked = label_keys(text)
    if not asked:
        return None
    kinds = [filter_token("kind", kind) for kind in Kind.values if kind != Kind.ARTICLE]
    holding = engine().matching(Wanted(words=[[Phrase(asked, column="name")]], filters=[kinds]))
    holding = holding.filter(section__page__in=Page.objects.published()).order_by(F("score").desc(), "section_id")
    pages = list(holding.values_list("section__page", flat=True)[:_MOST_NAMED])
    labels = Label.objects.filter(page__in=pages).exclude(kind=Label.LabelKind.HIDDEN)
    named = [label for label in labels if label_keys(label.text) == asked] if pages else []
    for alike in (str, folded_words):
        bearers = {label.page_id for label in named if alike(label.text) == alike(text)}
        if bearers:
            break
    else:
        bearers = {label.page_id for label in named}
    if len(bearers) != 1:
        return None
    (page,) = bearers
    return Named(page, tuple(_others([label for label in labels if label.page_id == page], asked)))


def _others(labels: Iterable[Label], asked: Sequence[str]) -> list[str]:
    """Give the names that find more than the one asked for and than each other, preferred ones first, at most twelve.

    Names that are never shown are no names to tell readers of, and a word of every day would find what is not meant.
    """
    by_keys: dict[tuple[str, ...], str] = {}
    for label in sorted(labels, key=lambda label: (label.kind != Label.LabelKind.PREF, label.language, label.text)):
        named = label_keys(label.text)
        if named and not label.ambiguous and not set(asked) <= set(named):
            by_keys.setdefault(named, label.text)
    phrases = {named: f" {' '.join(named)} " for named in by_keys}
    wider = [
        text
        for named, text in by_keys.items()
        if not any(other in phrases[named] for other in phrases.values() if other != phrases[named])
    ]
    return wider[:_MOST_OTHER_NAMES]


def _joined(texts: Iterable[str]) -> str:
    return " ".join(" ".join(keys(text)) for text in texts)
