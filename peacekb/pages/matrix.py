"""The matrix of roles and phases, by task: what the base holds on each role in each phase, and where it holds nothing.

How it is counted: concepts and tasks tell of the phases that they belong to. In the cell of a role and a phase are

- the sentences of public texts that name the role, each once, in a paragraph that names a concept or a task of the
  phase, or in the text about such a concept or task;
- the tasks of the phase that the role performs, as editors entered them;
- the cases in which somebody played the role and to which editors gave a concept of the phase.

A choice of tasks leaves of the concepts and tasks only those tasks and their concepts. A choice of language is one of
the texts whose sentences are counted. What belongs to any phase tells of none, and is counted in no cell. Everything
is read from stored rows; no text is searched.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from peacekb.languages import absolute, address_of
from peacekb.models import (
    Case,
    Kind,
    Language,
    Mention,
    Page,
    PagePhase,
    Participation,
    Phase,
    Pillar,
    Role,
    Status,
    Task,
    public_at,
)
from peacekb.models.prepared import AnyOf, prepared

from . import concordance, entries, phases, spreadsheets
from .narrowing import Choice, one_of
from .paging import page_of

_TELLING = (Kind.CONCEPT, Kind.TASK)
_SQLITE_KEYS = "value FROM json_each(%s)"


# --- what is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address narrows the matrix to: `task`, the slug of a task or a pillar, a language, one phase."""

    offered: Sequence[Any]
    task: str = ""
    language: str = ""
    phase: str = ""

    @classmethod
    def from_request(cls, request: HttpRequest) -> Self:
        """Read the address. Raises `BadRequest` for what is not known. One query."""
        offered = entries.by_name(_public_tasks())
        task = one_of(request, "task", {*Pillar.values, *(task.slug for task in offered)})
        language = one_of(request, "language", Language.values)
        return cls(offered, task, language, one_of(request, "phase", phases.LINE))

    @property
    def tasks(self) -> list[int] | None:
        """Give the keys of the tasks that were chosen, a pillar before a task of the same name; `None` for all."""
        if not self.task:
            return None
        return [task.pk for task in self.offered if self.task == (task.pillar if self._by_pillar else task.slug)]

    def telling(self) -> list[tuple[int, str]]:
        """Give the concepts and tasks that tell of phases, each with each of its phases. One query."""
        return _telling(self.tasks is not None, tasks=self.tasks or [])

    def performed(self) -> list[tuple[int, int, str]]:
        """Give each role with each task that counts, and each phase of that. One query."""
        return _performed(self.tasks is not None, tasks=self.tasks or [])

    @property
    def _by_pillar(self) -> bool:
        return self.task in Pillar.values

    @property
    def pillars(self) -> list[Pillar]:
        """Give the pillars that the tasks have."""
        return [pillar for pillar in Pillar if any(task.pillar == pillar for task in self.offered)]

    def filters(self, role: str = "") -> list[Choice]:
        """Give what narrows the counts, each with the address that takes it off: of the cell of a role, or of all."""
        found = []
        if self.task:
            names = dict(Pillar.choices) if self._by_pillar else {task.slug: task.name for task in self.offered}
            found.append(Choice(str(names[self.task]), None, replace(self, task="").address(role)))
        if self.language:
            name = str(Language(self.language).label)
            found.append(Choice(name, None, replace(self, language="").address(role)))
        return found

    def address(self, role: str = "") -> str:
        """Give the address of the matrix, or of the cell of a role in the phase that is asked for."""
        if role:
            return address_of("pages:cell", role, self.phase) + self._query()
        return address_of("pages:matrix") + self._query(phase=self.phase)

    def choices(self) -> list[tuple[str, str, bool]]:
        """Give the name of all phases together and of each, the address, and whether it is the one of now."""
        names = [("", _("All phases")), *((phase.value, str(phase.label)) for phase in phases.LINE)]
        return [(name, replace(self, phase=phase).address(), phase == self.phase) for phase, name in names]

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Give the languages that texts may have, with their names in themselves."""
        return Language.choices

    @property
    def file_address(self) -> str:
        """Give the address of the matrix as a file."""
        return address_of("programs:matrix_file") + self._query()

    def _query(self, **more: str) -> str:
        values = {"task": self.task, "language": self.language, **more}
        written = urlencode({name: value for name, value in values.items() if value})
        return f"?{written}" if written else ""


@prepared
def _public_tasks() -> QuerySet[Task]:
    tasks: QuerySet[Any] = Task.objects.published()
    return entries.named_here(tasks.only(*entries.NAMED, "pillar"))


# --- counting ----------------------------------------------------------------------------------------------------


@prepared
def _telling(narrowed: bool, *, tasks: Any) -> QuerySet[PagePhase, tuple[int, str]]:
    """Give each public concept and task with each of its phases."""
    found = PagePhase.objects.filter(page__kind__in=_TELLING, phase__in=phases.LINE, **public_at("page"))
    if narrowed:
        found = found.filter(Q(page__in=AnyOf(tasks)) | Q(page__concept__tasks__in=AnyOf(tasks)))
    return found.order_by().values_list("page", "phase").distinct()


def _sentence_counts(roles: list[int], telling: list[int], language: str) -> Counter[tuple[int, str]]:
    """Give the number of sentences of each role and phase. One query.

    Written by hand, for it is fast in one order alone, from the roles on to the few texts that do not count: CROSS JOIN
    keeps that on SQLite, and leaves PostgreSQL its choice.
    """
    read = [language] if language else Language.values
    languages = ", ".join(["%s"] * len(read))
    keys, given = ("unnest(%s::bigint[])", list) if connection.vendor == "postgresql" else (_SQLITE_KEYS, json.dumps)
    sql = f"""
        WITH telling AS (
            SELECT page_id, phase FROM peacekb_pagephase WHERE page_id IN (SELECT {keys}) AND phase <> %s
        ),
        counted AS (
            SELECT named.target_id AS role, telling.phase, named.section_id, named.sentence_start
            FROM peacekb_mention named
            CROSS JOIN peacekb_mention beside
            CROSS JOIN telling
            WHERE named.target_id IN (SELECT {keys}) AND NOT named.in_heading
            AND beside.section_id = named.section_id AND beside.paragraph = named.paragraph
            AND telling.page_id = beside.target_id
            UNION
            SELECT named.target_id, telling.phase, named.section_id, named.sentence_start
            FROM peacekb_mention named
            CROSS JOIN peacekb_section section
            CROSS JOIN telling
            WHERE named.section_id IN (
                SELECT section.id FROM telling CROSS JOIN peacekb_section section
                WHERE section.page_id = telling.page_id
            )
            AND +named.target_id IN (SELECT {keys}) AND NOT named.in_heading
            AND section.id = named.section_id AND telling.page_id = section.page_id
        )
        SELECT role, phase, COUNT(*) FROM counted
        WHERE section_id NOT IN (
            SELECT section.id FROM peacekb_page text CROSS JOIN peacekb_section section
            WHERE section.page_id = text.id
            AND (text.status <> %s OR text.published_at > %s OR text.language NOT IN ({languages}))
        )
        GROUP BY role, phase
    """  # noqa: S608  what is put in are signs of parameters
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    values = [given(telling), Phase.ANY, given(roles), given(roles), Status.PUBLISHED, now, *read]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return Counter({(role, phase): number for role, phase, number in cursor.fetchall()})


@prepared
def _case_counts(*, telling: Any) -> QuerySet[Participation, tuple[int, str, int]]:
    """Give role, phase, and the number of cases."""
    played = Participation.objects.filter(case__concepts__in=AnyOf(telling), **public_at("case"))
    found = played.values_list("role", "case__concepts__phase_set__phase").annotate(number=Count("case", distinct=True))
    return found.order_by()


@prepared
def _performed(narrowed: bool, *, tasks: Any) -> QuerySet[Any, tuple[int, int, str]]:
    """Give role, task, and each phase of the task."""
    performing = Role.performs.through.objects.filter(**public_at("task"))
    if narrowed:
        performing = performing.filter(task__in=AnyOf(tasks))
    found: QuerySet[Any, Any] = performing.values_list("role", "task", "task__phase_set__phase").order_by("pk")
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """What the base holds on a role in a phase. `told` says how much, in words; it is empty where there is nothing."""

    phase: phases.Stop
    address: str
    sentences: int
    tasks: Sequence[Page]
    cases: int
    told: str


def _told(sentences: int, tasks: int, cases: int) -> str:
    """Say how many of each there are, without what there is none of."""
    parts = []
    if sentences:
        parts.append(ngettext("%(number)s sentence", "%(number)s sentences", sentences) % {"number": sentences})
    if tasks:
        parts.append(ngettext("%(number)s task", "%(number)s tasks", tasks) % {"number": tasks})
    if cases:
        parts.append(ngettext("%(number)s case", "%(number)s cases", cases) % {"number": cases})
    between = pgettext("between the parts of a list", ", ")
    return between.join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


@dataclass(frozen=True, slots=True)
class Row:
    """A role and its cells, one a phase."""

    role: Page
    cells: list[Cell]


def rows(asked: Asked) -> list[Row]:
    """Give a row for each public role, A to Z, with the phases asked for. Five queries."""
    line = [stop for stop in phases.line() if asked.phase in ("", stop.phase)]
    roles = entries.by_name(_public_roles())
    telling = list({page for page, _phase in asked.telling()})
    sentences = _sentence_counts([role.pk for role in roles], telling, asked.language)
    cases = {(role, phase): number for role, phase, number in _case_counts(telling=telling)}
    offered = {task.pk: task for task in asked.offered}
    performed = defaultdict(list)
    for role, task, phase in asked.performed():
        if task in offered:
            performed[role, phase].append(offered[task])

    def cell(role: Page, stop: phases.Stop) -> Cell:
        place = role.pk, stop.phase
        tasks = entries.by_name(performed.get(place, ()))
        counts = sentences[place], len(tasks), cases.get(place, 0)
        address = replace(asked, phase=stop.phase).address(role.slug)
        return Cell(stop, address, counts[0], tasks, counts[2], _told(*counts))

    return [Row(role, [cell(role, stop) for stop in line]) for role in roles]


@prepared
def _public_roles() -> QuerySet[Page]:
    return entries.named_here(Page.objects.published().filter(kind=Kind.ROLE).only(*entries.NAMED))


# --- one cell ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What a cell counts."""

    sentences: QuerySet[Mention]
    tasks: list[Task]
    cases: list[Case]


def held(role: Page, asked: Asked) -> Held:
    """Give what the cell of a role counts, in the order of the texts, A to Z, and by year. Three queries."""
    telling = [page for page, phase in asked.telling() if phase == asked.phase]
    sentences = Mention.objects.filter(in_heading=False, target=role.pk, **public_at("section__page"))
    if asked.language:
        sentences = sentences.filter(section__page__language=asked.language)
    beside = Mention.objects.filter(section=OuterRef("section"), paragraph=OuterRef("paragraph"), target__in=telling)
    earlier = Mention.objects.filter(
        target=role.pk,
        section=OuterRef("section"),
        sentence_start=OuterRef("sentence_start"),
        in_heading=False,
        start__lt=OuterRef("start"),
    )
    told = Exists(beside.order_by()) | Q(section__page__in=telling)
    sentences = sentences.filter(told).exclude(Exists(earlier.order_by()))
    performed = {task for who, task, phase in asked.performed() if (who, phase) == (role.pk, asked.phase)}
    cases: QuerySet[Any] = Case.objects.published()
    played = cases.filter(participations__role=role.pk, concepts__in=telling)
    shown = played.distinct().only(*entries.NAMED, "start_year", "end_year", "result")
    return Held(
        concordance.in_order(sentences),
        [task for task in asked.offered if task.pk in performed],
        list(entries.named_here(shown).order_by("start_year", "title")),
    )


# --- views -------------------------------------------------------------------------------------------------------


@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    """Show the matrix, or of one phase the list of roles. Six queries, whatever is chosen."""
    asked = Asked.from_request(request)
    return render(request, "pages/matrix.html", {"asked": asked, "line": phases.line(), "rows": rows(asked)})


@require_safe
def cell(request: HttpRequest, slug: str, phase: str) -> HttpResponse:
    """Show what a cell counts: its sentences, tasks and cases. Seven queries."""
    if phase not in phases.LINE:
        raise Http404("There is no such phase.")
    asked = replace(Asked.from_request(request), phase=phase)
    role = next((role for role in _public_roles() if role.slug == slug), None)
    if role is None:
        raise Http404("There is no such role.")
    found = held(role, asked)
    listing = page_of(found.sentences, request)
    shown = {
        "asked": asked,
        "role": role,
        "stop": phases.stop(Phase(phase)),
        "filters": asked.filters(slug),
        "matrix": replace(asked, phase="").address(),
        "listing": listing,
        "lines": [concordance.Line(mention) for mention in listing],
        "found": found,
    }
    return render(request, "pages/cell.html", shown)


_COLUMNS = "role phase sentences tasks cases names_of_tasks address".split()


@require_safe
def matrix_file(request: HttpRequest) -> StreamingHttpResponse:
    """Give the matrix as a file for a spreadsheet: a line for each cell, also for those that hold nothing."""
    asked = Asked.from_request(request)
    if asked.phase:
        raise BadRequest("The file has all phases.")
    return spreadsheets.file("matrix.csv", _COLUMNS, _cells(rows(asked)))


def _cells(found: Collection[Row]) -> Iterator[tuple[str, ...]]:
    for row in found:
        for cell in row.cells:
            names = ", ".join(task.title for task in cell.tasks)
            numbers = (cell.sentences, len(cell.tasks), cell.cases)
            yield (row.role.title, cell.phase.label, *map(str, numbers), names, absolute(cell.address))
