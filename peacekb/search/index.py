"""What of a section is indexed, and the writing of it."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from django.db.models import CharField, Value
from django.db.models.functions import Cast

from peacekb.models import IndexedWord, Kind, Mention, Page, PagePhase, SearchEntry, Section
from peacekb.models.many import add_values
from peacekb.text.words import keys

from . import facts
from .engines import engine
from .wanted import Indexed

# PostgreSQL holds at most 1 MB of words a row. A longer section is indexed to here, and marked as cut off.
_INDEXED_CHARACTERS = 250_000


class SectionWords(NamedTuple):
    """The words of a section, as keys separated by spaces."""

    heading: str
    text: str


def words_of(heading: str, text: str) -> SectionWords:
    """Give the words of a section, of which its entry is made: most of the work. No query, so a fork may do it."""
    return SectionWords(_joined([heading]), _joined([text]))


def entries_for(
    page: Page, sections: Iterable[tuple[Section, SectionWords]], derived: Iterable[str], told: Iterable[str] = ()
) -> list[Indexed]:
    """Make the entries of the sections of a published page; `derived` is what `derived_facts` gives for it.

    `told` are texts that it is found by besides its own, behind that of the lead section. Title, names and tags ride on
    the lead section too. Costs a query for each of labels and tags that is not prefetched.
    """
    assert page.published_at is not None  # noqa: S101  it is published
    tags = sorted((tagged.tag.slug, tagged.tag.name) for tagged in page.tagged.all())
    of_page = _facts_of(page, page.published_at.year, [slug for slug, _ in tags], derived)
    names = sorted(label.text for label in page.labels.all() if label.text != page.title)
    riding = _joined([page.title]), _joined(names), _joined(name for _, name in tags)
    entries = []
    for section, (heading, text) in sections:
        is_lead = section.position == 0
        title, labels, tagged = riding if is_lead else ("", "", "")
        text = " ".join(filter(None, (text, _joined(told)))) if is_lead else text
        own = [facts.LEAD] * is_lead + [facts.CUT_OFF] * (len(text) > _INDEXED_CHARACTERS)
        words = title, labels, heading, tagged, text[:_INDEXED_CHARACTERS]
        digest = blake2b("\n".join(words).encode(), digest_size=16).hexdigest()
        entries.append(Indexed(section.pk, page.pk, page.published_at, " ".join([*own, *of_page]), digest, *words))
    return entries


def _facts_of(page: Page, year: int, tags: Iterable[str], derived: Iterable[str]) -> list[str]:
    return [
        facts.token("kind", page.kind),
        facts.token("lang", page.language),
        *(facts.token("year", year) for _ in range(year in facts.YEARS)),
        *(facts.token("tag", slug) for slug in tags),
        *derived,
        *facts.title_tokens(page.title),
    ]


def store(entries: Sequence[Indexed]) -> None:
    """Write what differs from what is stored of some sections. A query, and a few more where something differs."""
    old = SearchEntry.objects.in_bulk([entry.section for entry in entries])
    words, moved, only_facts = [], [], {}
    for entry in entries:
        known = old.get(entry.section)
        if known is None or known.digest != entry.digest:
            words.append(entry)
            continue
        if known.facts != entry.facts:
            only_facts[entry.section] = entry.facts
        if known.public_from != entry.public_from:
            known.public_from = entry.public_from
            moved.append(known)
    if only_facts:
        engine().write_facts(only_facts)
    for row in moved:
        row.save(force_update=True, update_fields=["public_from"])
    if words:
        engine().write(words)
        _learn(words)


def follow_mentions(pages: Iterable[int]) -> None:
    """Bring the facts of published pages in step with what they mention (see `derived_facts`).

    Two queries, and two more where something differs.
    """
    keys_of_pages = list(pages)
    derived = derived_facts(keys_of_pages)
    only_facts = {}
    for row in SearchEntry.objects.filter(page__in=keys_of_pages):
        written = facts.with_derived(row.facts, derived.get(row.page_id, ()))
        if written != row.facts:
            only_facts[row.pk] = written
    if only_facts:
        engine().write_facts(only_facts)


def _learn(rows: Iterable[Indexed]) -> None:
    """Keep the words by which misspelt ones are mended."""
    words = sorted({word for row in rows for column in row.words for word in column.split()})
    add_values(IndexedWord, ("word", "ending"), [(word, word[::-1]) for word in words], skip_known=True)


def derived_facts(pages: Iterable[int]) -> dict[int, list[str]]:
    """Give the facts of pages that stand in other rows, by page: the roles that they mention, and their phases.

    An article has the phases of the entries that it links. One query.
    """
    keys_of_pages = list(pages)
    mentions = Mention.objects.filter(section__page__in=keys_of_pages).order_by()
    phase = Value("phase")
    own = PagePhase.objects.filter(page__in=keys_of_pages).order_by().values_list("page", phase, "phase")
    linked = mentions.filter(linked=True, section__page__kind=Kind.ARTICLE, target__phase_set__phase__isnull=False)
    roles = mentions.filter(target__kind=Kind.ROLE).values_list(
        "section__page", Value("role"), Cast("target", CharField())
    )
    found: dict[int, list[str]] = {}
    rows = own.union(linked.values_list("section__page", phase, "target__phase_set__phase"), roles)
    for page, fact, value in sorted(rows):
        found.setdefault(page, []).append(facts.token(fact, int(value) if fact == "role" else value))
    return found


def _joined(texts: Iterable[str]) -> str:
    return " ".join(" ".join(keys(text)) for text in texts)
