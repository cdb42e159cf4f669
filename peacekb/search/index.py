"""What of a section is indexed, and the writing of it."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from peacekb.models import IndexedWord, Kind, Mention, Page, SearchEntry, Section
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
    page: Page, sections: Iterable[tuple[Section, SectionWords]], roles: Iterable[int], told: Iterable[str] = ()
) -> list[Indexed]:
    """Make the entries of the sections of a published page; `roles` are the keys of the roles that it mentions.

    `told` are texts that it is found by besides its own, behind that of the lead section. Title, names and tags ride on
    the lead section too. Costs a query for each of labels, phases and tags that is not prefetched.
    """
    assert page.published_at is not None  # noqa: S101  it is published
    tags = sorted((tagged.tag.slug, tagged.tag.name) for tagged in page.tagged.all())
    of_page = _facts_of(page, page.published_at.year, [slug for slug, _ in tags], roles)
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


def _facts_of(page: Page, year: int, tags: Iterable[str], roles: Iterable[int]) -> list[str]:
    return [
        facts.token("kind", page.kind),
        facts.token("lang", page.language),
        *(facts.token("year", year) for _ in range(year in facts.YEARS)),
        *(facts.token("phase", row.phase) for row in page.phase_set.all()),
        *(facts.token("tag", slug) for slug in tags),
        *(facts.token("role", key) for key in sorted(roles)),
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
        if (known.facts, known.public_from) != (entry.facts, entry.public_from):
            known.facts, known.public_from = entry.facts, entry.public_from
            moved.append(known)
    for row in moved:
        row.save(force_update=True)
    if words:
        engine().write(words)
        _learn(words)
    if only_facts:
        engine().write_facts(only_facts)


def mention_roles(pages: Iterable[int]) -> None:
    """Bring the facts of published pages in step with the roles that they mention.

    Two queries, and two more where something differs.
    """
    keys_of_pages = list(pages)
    roles = mentioned_roles(keys_of_pages)
    moved, only_facts = [], {}
    for row in SearchEntry.objects.filter(page__in=keys_of_pages):
        written = facts.with_roles(row.facts, roles.get(row.page_id, set()))
        if written != row.facts:
            row.facts = only_facts[row.pk] = written
            moved.append(row)
    SearchEntry.objects.bulk_update(moved, ["facts"], batch_size=500)
    if only_facts:
        engine().write_facts(only_facts)


def _learn(rows: Iterable[Indexed]) -> None:
    """Keep the words by which misspelt ones are mended."""
    words = sorted({word for row in rows for column in row.words for word in column.split()})
    add_values(IndexedWord, ("word", "ending"), [(word, word[::-1]) for word in words], skip_known=True)


def mentioned_roles(pages: Iterable[int]) -> dict[int, set[int]]:
    """Give the keys of the roles that pages mention, by page. One query."""
    found: dict[int, set[int]] = {}
    rows = Mention.objects.filter(section__page__in=list(pages), target__kind=Kind.ROLE)
    for page, role in rows.order_by().values_list("section__page_id", "target_id").distinct():
        found.setdefault(page, set()).add(role)
    return found


def _joined(texts: Iterable[str]) -> str:
    return " ".join(" ".join(keys(text)) for text in texts)
