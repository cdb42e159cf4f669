"""The sections that are as asked. Both engines index the same folded keys (`peacekb.text.words`), so that they find the
same ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import TypedDict, Unpack

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat, StrIndex
from django.utils import timezone

from peacekb.models import Kind, Page, SearchEntry
from peacekb.text.query import MOST_WORDS, Fact, Phrase, Query, read
from peacekb.text.vocabulary import phrases_of_label
from peacekb.text.words import keys

from . import facts
from .engines import engine
from .known import understood
from .ranking import best_first
from .wanted import FACTS, Candidate, Text, Wanted


@dataclass(frozen=True, slots=True)
class Found:
    """The sections that are as asked, best first. `whole` is false where there are more than were ranked."""

    hits: list[Candidate]
    whole: bool = True


class Filters(TypedDict, total=False):
    """Facts by which a search is narrowed beside those that are typed.

    `tags` are slugs that the page must all carry, `any_tags` slugs of which it must carry one, `role` the key of a
    role that it mentions, `year` that in which it was published.
    """

    tags: Iterable[str]
    any_tags: Iterable[str]
    kind: str
    phase: str
    role: int | None
    language: str
    year: str


def search(asked: str | Query, *, also: Iterable[str] = (), **filters: Unpack[Filters]) -> QuerySet[SearchEntry]:
    """Find the published sections that are as asked (see `find`), best first, as rows with their page and section.

    What is found is found at once; the queryset that is given back holds its keys.
    """
    found = find(asked, also=also, **filters)
    if not found.hits:
        return SearchEntry.objects.none()
    sections = [hit.section for hit in found.hits]
    comma = Value(",", CharField())
    place = StrIndex(
        Value(f",{','.join(map(str, sections))},", CharField()), Concat(comma, Cast(F("pk"), CharField()), comma)
    )
    return SearchEntry.objects.filter(pk__in=sections).order_by(place)


def find(asked: str | Query, *, also: Iterable[str] = (), some: bool = False, **filters: Unpack[Filters]) -> Found:
    """Find the published sections that are as asked (see `peacekb.text.query`), best first.

    `also` are names that may stand instead of the words; sections with the words go before them. With `some`, one of
    the words is enough. Of words that stand in very many sections, 500 are ranked: the newest, and those with them in
    a heading. Two queries and one to order equals; where something was typed that names roles or tags one each more,
    and one more for very many sections.
    """
    query = understood(asked).meant if isinstance(asked, str) else asked
    wanted = _wanted(query, filters, also, some=some)
    if wanted is None:
        return Found([])
    candidates, whole = engine().candidates(wanted, timezone.now())
    return Found(best_first(candidates, by_mentions=bool(wanted.words)), whole)


def texts(**filters: Unpack[Filters]) -> list[Text]:
    """Give all published pages of which facts are true: by kind, the newest first, then by title. One query."""
    wanted = _wanted(Query(), filters, (), some=False)
    found = engine().texts(wanted, timezone.now()) if wanted else []
    rows = sorted(((*facts.kind_and_title(text.facts), text) for text in found), key=itemgetter(1))
    rows.sort(key=lambda row: row[2].public_from, reverse=True)
    return [text for _kind, _title, text in sorted(rows, key=itemgetter(0))]


def _wanted(query: Query, filters: Filters, also: Iterable[str], *, some: bool) -> Wanted | None:
    """Give what the index is asked, `None` where nothing is."""
    given = [Fact("tag", tag) for tag in filters.get("tags", ())]
    for name, value in (
        ("kind", filters.get("kind")),
        ("phase", filters.get("phase")),
        ("lang", filters.get("language")),
        ("year", filters.get("year")),
    ):
        given += [Fact(name, value)] if value else []
    typed_roles = [fact.value for fact in query.facts if fact.name == "role"]
    roles = dict(_role_keys(typed_roles)) if typed_roles else {}
    true: list[list[Phrase]] = [_tokens(fact, roles) for fact in (*query.facts, *given) if not fact.without]
    if role := filters.get("role"):
        true.append(facts.true(facts.token("role", role)))
    if alternatives := [facts.token("tag", tag) for tag in filters.get("any_tags", ())]:
        true.append(facts.true(*alternatives))
    words = []
    for either in query.telling:
        if all(one.title for one in either.words):
            true.append([facts.in_title(phrase) for phrase in either.phrases])
        else:
            words.append([facts.in_title(phrase) if phrase.column else phrase for phrase in either.phrases])
    if some:
        words = [[phrase for phrases in words for phrase in phrases]] if words else []
    without = [
        facts.in_title(phrase) if phrase.column else phrase for either in query.unwanted for phrase in either.phrases
    ]
    without += [token for fact in query.facts if fact.without for token in _tokens(fact, roles)]
    if not words and not true and not without:
        return None
    if not words and not any(phrase.column != FACTS for phrase in without):
        # Texts are asked for, not places in them.
        true.append(facts.true(facts.LEAD))
    elif not words and not true:
        # No engine finds what is only unwanted: it must have something to take it from.
        true.append(facts.true(*(facts.token("kind", kind) for kind in Kind.values)))
    together = tuple(keys(query.plain)) if len(query.wanted) > 1 else ()
    return Wanted(
        words=words,
        also=[Phrase(tuple(keys(name))) for name in also] if words else (),
        facts=true,
        without=without,
        together=Phrase(together) if together else None,
    )


def _role_keys(slugs: Iterable[str]) -> Iterable[tuple[str, int]]:
    return Page.objects.published().filter(kind=Kind.ROLE, slug__in=list(slugs)).values_list("slug", "pk")


def _tokens(fact: Fact, roles: dict[str, int]) -> list[Phrase]:
    """Give the tokens of which one is true where a fact is."""
    match fact.name:
        case "role":
            return facts.true(facts.token("role", roles.get(fact.value, 0)))
        case "after" | "before" | "year":
            year = int(fact.value)
            years = {
                "after": range(max(year + 1, facts.YEARS.start), timezone.now().year + 1),
                "before": range(facts.YEARS.start, min(year, timezone.now().year + 1)),
                "year": [year],
            }[fact.name]
            return facts.true(*(facts.token("year", one) for one in years or [0]))
        case _:
            return facts.true(facts.token(fact.name, fact.value))


def phrases_of(asked: str | Query) -> list[Phrase]:
    """Give the phrases that a query looks for in the texts. No query to the database."""
    query = read(asked) if isinstance(asked, str) else asked
    return [phrase for either in query.telling for phrase in either.phrases if not phrase.column]


def sections_with(names: Iterable[str]) -> Iterator[tuple[int, int, str, str]]:
    """Give key, page, heading and text of all sections, public or not, in which one of the names may stand.

    A superset, from the index; a section may come more than once. One query for each 100 names.
    """
    ordered = sorted({phrase for name in names for phrase in phrases_of_label(name)})
    for place in range(0, len(ordered), 100):
        holding = engine().holding(ordered[place : place + 100], or_fact=facts.CUT_OFF)
        yield from holding.order_by().values_list("pk", "page_id", "heading", "text").iterator()


def naming(words: Iterable[str], most: int) -> list[int]:
    """Give the keys of published pages of which title, another name or a tag holds one of the index keys, best first.

    `words` are as `peacekb.text.words.keys` gives them.
    """
    return engine().naming(sorted(words)[:MOST_WORDS], timezone.now(), most)
