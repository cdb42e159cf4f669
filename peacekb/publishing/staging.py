"""Changes of names that touch many sections: prepared in steps beside what readers see, then shown at once.

Each step is a transaction of its own, so that whoever carries on begins where the last one ended, and editors can save
in between. What was published meanwhile is looked at again before the end.
"""

import time
from collections.abc import Collection
from functools import partial
from itertools import chain

from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from peacekb import search
from peacekb.documents import NAMED_KINDS, DocumentRefused
from peacekb.models import (
    Label,
    Mention,
    NameChange,
    Page,
    Revision,
    Section,
    StagedMention,
    StagedSection,
)
from peacekb.models.many import add_rows, batched, write_fields
from peacekb.text.compose import Section as MadeSection
from peacekb.text.markdown_tree import TextRefused

from . import take_turn
from .changes import show
from .names import Effect, as_if
from .proposals import ChangeRefused, Proposal
from .rows import BATCH, LinkCount, is_other, link_sections, links, mention_values

_Names = dict[int, tuple[int, str, str]]  # count of a new name: page, language, text


def proceed(change: NameChange, *, seconds: float | None = None) -> bool:
    """Prepare a waiting change to its end, or by as many steps as begin in some seconds, and show it when all is ready.

    Gives whether nothing is left to do: it is done, or was stopped because a page of it was changed meanwhile. Several
    processes may carry on with one change.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        with transaction.atomic():
            take_turn()
            found = NameChange.objects.filter(pk=change.pk, state=NameChange.State.WAITING).select_related("editor")
            waiting = found.first()
            if waiting is None:
                return True
            _step(waiting)
        if until is not None and time.monotonic() >= until:
            return False


@transaction.atomic
def stop(change: NameChange) -> None:
    """Give up a change that waits. Readers have seen nothing of it; what it would have written stays as drafts."""
    take_turn()
    if NameChange.objects.filter(pk=change.pk, state=NameChange.State.WAITING).update(state=NameChange.State.STOPPED):
        _clear(change)


def _step(change: NameChange) -> None:
    proposal = _proposal_of(change)
    if change.prepared_from is None or _names_changed_since(change):
        _begin(change, proposal)
    elif not _prepare(change, proposal):
        try:
            with transaction.atomic():
                _finish(change, proposal)
        except (ChangeRefused, DocumentRefused, TextRefused) as refused:
            change.state, change.problem = NameChange.State.STOPPED, str(refused)[:500]
            change.save(update_fields=["state", "problem"])
            _clear(change)


def _proposal_of(change: NameChange) -> Proposal:
    pages = list(change.pages.select_related("after"))
    return Proposal(
        change.deed,
        change.summary,
        {one.page_id: one.after.content for one in pages if not one.reason and one.after is not None},
        {one.page_id: one.reason for one in pages if one.reason},
        {one.page_id: one.successor_id for one in pages if one.successor_id is not None},
    )


def _names_changed_since(change: NameChange) -> bool:
    """Tell whether a page that has names was published or withdrawn since: then all is prepared anew."""
    named = _revised_since(change).filter(page__labels__isnull=False)
    return named.exists() or _revised_since(change).filter(page__kind__in=NAMED_KINDS).exists()


def _revised_since(change: NameChange) -> QuerySet[Revision]:
    return Revision.objects.filter(pk__gt=change.prepared_from or 0).exclude(state=Revision.State.DRAFT)


def _begin(change: NameChange, proposal: Proposal) -> None:
    _clear(change)
    touched = sorted(proposal.touched())
    StagedSection.objects.bulk_create(
        (StagedSection(change=change, section_id=section) for section in touched), batch_size=2_000
    )
    newest = Revision.objects.order_by("-pk").values_list("pk", flat=True).first()
    change.prepared_from = newest or 0
    change.sections_total, change.sections_done = len(touched), 0
    change.links_appeared = change.links_altered = change.links_vanished = 0
    change.save()


def _prepare(change: NameChange, proposal: Proposal) -> bool:
    """Prepare some sections; gives whether there were any left."""
    waiting = change.staged_sections.filter(is_ready=False).order_by("section")[:BATCH]
    staged = {one.section_id: one for one in waiting}
    if not staged:
        return False
    counted, mentions = LinkCount(), []
    with as_if(proposal.names()) as names:
        for section, made in proposal.linked(sorted(staged), names):
            one = staged[section.pk]
            one.html, one.notes_html, one.is_ready = made.html, made.notes_html, True
            counted.compare(links(section.mentions.all()), links(made.mentions))
            mentions += _staged_mentions(one, section, made)
    add_rows(mentions)
    write_fields(list(staged.values()), "html", "notes_html", "replaced", "is_ready")
    NameChange.objects.filter(pk=change.pk).update(
        sections_done=F("sections_done") + len(staged),
        links_appeared=F("links_appeared") + counted.appeared,
        links_altered=F("links_altered") + counted.altered,
        links_vanished=F("links_vanished") + counted.vanished,
    )
    return True


def _staged_mentions(staged: StagedSection, section: Section, made: MadeSection) -> list[StagedMention]:
    """Give the mentions of a section that are new or other, and note in `staged` which rows they replace."""
    known = {(mention.in_heading, mention.start): mention for mention in section.mentions.all()}
    rows = []
    for one in made.mentions:
        mention = known.pop((one.in_heading, one.start), None)
        if mention is not None and not is_other(mention, one):
            continue
        values = mention_values(one)
        label = values.pop("label_id")
        rows.append(
            StagedMention(
                staged=staged,
                section=section,
                start=one.start,
                in_heading=one.in_heading,
                mention_id=mention.pk if mention is not None else None,
                label_id=label if label is None or label > 0 else None,
                new_name=-label if label is not None and label < 0 else None,
                **values,
            )
        )
    staged.replaced = [row.mention_id for row in rows if row.mention_id] + [gone.pk for gone in known.values()]
    return rows


def _finish(change: NameChange, proposal: Proposal) -> None:
    later = Revision.objects.filter(page__name_changes__change=change, created_at__gt=change.created_at)
    changed = later.exclude(state=Revision.State.DRAFT).select_related("page").first()
    if changed is not None:
        raise ChangeRefused(f"“{changed.page.title}” was changed while the links were prepared. Begin anew.")
    since = set(_revised_since(change).values_list("page_id", flat=True))
    change.staged_sections.filter(section__page__in=since).delete()
    new = {
        -name.label: (pk, name.language, name.text)
        for pk, names in proposal.names().items()
        for name in names
        if name.label is not None and name.label < 0
    }
    show(change, proposal, change.editor, link=partial(_swap, change, since, new))


def _swap(
    change: NameChange, since: set[int], new: _Names, effect: Effect, own: Collection[int]
) -> tuple[Collection[int], LinkCount]:
    """Put what was prepared in the place of what readers see, in a handful of statements, whatever the number."""
    fresh = {section: page for section, page in effect.sections(since).items() if page not in own} if since else {}
    counted = link_sections(fresh)
    counted.appeared += change.links_appeared
    counted.altered += change.links_altered
    counted.vanished += change.links_vanished
    mentions = StagedMention.objects.filter(staged__change=change)
    for number, (page, language, text) in new.items():
        label = Label.objects.filter(page=page, language=language, text=text).first()
        mentions.filter(new_name=number).update(label=label)
    staged = change.staged_sections.filter(section=OuterRef("pk"))
    sections = Section.objects.filter(pk__in=change.staged_sections.values("section"))
    others = set(Page.objects.filter(sections__in=sections).values_list("pk", flat=True))
    sections.update(html=Subquery(staged.values("html")), notes_html=Subquery(staged.values("notes_html")))
    replaced = list(chain.from_iterable(change.staged_sections.values_list("replaced", flat=True)))
    for place in range(0, len(replaced), 500):
        Mention.objects.filter(pk__in=replaced[place : place + 500]).delete()
    _insert(change, keeping_keys=True)
    _insert(change, keeping_keys=False)
    _clear(change)
    for batch in batched(sorted(others), BATCH):
        search.follow_mentions(batch)
    return others | set(fresh.values()), counted


def _insert(change: NameChange, *, keeping_keys: bool) -> None:
    """Copy staged mentions into the table; the ORM has no INSERT … SELECT."""
    quote = connection.ops.quote_name
    columns = [str(field.column) for field in Mention._meta.concrete_fields if not field.primary_key]
    into, taken = list(columns), list(columns)
    if keeping_keys:
        into, taken = ["id", *into], ["mention_id", *taken]
    names, values = ", ".join(map(quote, into)), ", ".join(f"m.{quote(column)}" for column in taken)
    known = "IS NOT NULL" if keeping_keys else "IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(Mention._meta.db_table)} ({names}) SELECT {values}"  # noqa: S608  names of our columns
            f" FROM {quote(StagedMention._meta.db_table)} m"
            f" JOIN {quote(StagedSection._meta.db_table)} s ON s.id = m.staged_id"
            f" WHERE s.change_id = %s AND m.mention_id {known}",
            [change.pk],
        )


def _clear(change: NameChange) -> None:
    StagedMention.objects.filter(staged__change=change).delete()
    change.staged_sections.all().delete()
