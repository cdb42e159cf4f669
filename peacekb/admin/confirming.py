"""Asking before names change: every sentence of other pages whose link would differ, with a box to tick.

The page that asks carries all that was sent, and sends it again to the same address; so it needs neither a script nor
a place to keep a form that is not done. Its own fields begin with `_names_`.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from peacekb.models import NameChange, Page
from peacekb.publishing import changes
from peacekb.publishing.changes import MOST_KEPT, Difference, Preview
from peacekb.publishing.proposals import ChangeRefused, Proposal

from .safety import is_key

#: Sections whose sentences one page shows.
SECTIONS = 100
#: With more sentences on a page, those of an essay are folded away.
_UNFOLDED = 20
_PLACE = re.compile(r"([0-9]{1,18}):([0-9]{1,9})")
_OTHERS_NOW = "The sentences are others than those you looked at. Here is how they are now."

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What a request showed, or shows, of a proposal: the sentences from section `first` on, and what was decided."""

    proposal: Proposal
    seen: Preview
    first: int = 0
    keep: frozenset[Place] = field(default_factory=frozenset)
    confirmed: bool = False
    problem: str = ""

    @property
    def matters(self) -> bool:
        """Tell whether a sentence of another page differs, or may: of the first sections each was looked at."""
        return bool(self.seen.differences) or self.seen.sections > SECTIONS


class AskFirst(Exception):
    """Leaves a transaction, so that nothing is stored, with what is to be confirmed."""

    def __init__(self, look: Look) -> None:
        super().__init__(look.proposal.summary)
        self.look = look


def goes_back(request: HttpRequest) -> bool:
    """Tell whether the answer was to go back to the form."""
    return "_names_back" in request.POST


def look_at(request: HttpRequest, proposal: Proposal) -> Look:
    """Look at a proposal as the request asks, and read what was decided. Only what was shown counts as confirmed."""
    sent = request.POST
    asked = sent.get("_names_go", sent.get("_names_first", ""))
    first = int(asked) // SECTIONS * SECTIONS if is_key(asked) else 0
    seen = changes.preview(proposal, first=first, most=SECTIONS)
    if first and first >= seen.sections:
        first = 0
        seen = changes.preview(proposal, most=SECTIONS)
    shown, ticked = _places(sent.get("_names_shown", "")), _places(" ".join(sent.getlist("_names_link")))
    keep = (_places(sent.get("_names_kept", "")) - shown) | (shown - ticked)
    if "_names_confirmed" not in sent:
        return Look(proposal, seen, first, keep)
    is_same = (sent.get("_names_shown"), sent.get("_names_sections")) == (_shown(seen), str(seen.sections))
    return Look(proposal, seen, first, keep, confirmed=is_same, problem="" if is_same else _OTHERS_NOW)


def done(request: HttpRequest, look: Look, *, note: str, undoes: NameChange | None = None) -> NameChange:
    """Do what was looked at, in the transaction in which it was. Raises `AskFirst` where it is not confirmed or cannot
    be done so; else as `changes.apply`."""
    if not look.confirmed:
        raise AskFirst(look)
    try:
        change = changes.apply(look.proposal, keep=look.keep, editor=request.user, note=note, undoes=undoes)
    except ChangeRefused as refused:
        raise AskFirst(replace(look, problem=str(refused))) from refused
    if change.state == NameChange.State.WAITING:
        begin_job()
    return change


def ask(request: HttpRequest, look: Look, *, deed: str, **context: Any) -> TemplateResponse:
    """Show the sentences. `deed` is said on the button; `context` is what frames the page, as in every admin view."""
    seen, last = look.seen, min(look.first + SECTIONS, look.seen.sections)
    essays: dict[Page, list[tuple[Difference, str, bool]]] = {}
    for one in seen.differences:
        row = (one, _written(one.place), one.place not in look.keep)
        essays.setdefault(one.section.page, []).append(row)
    was_not, will_not = ([getattr(one, side) is None for one in seen.differences] for side in ("was", "will"))
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and not name.startswith("_names_")
        for value in values
    ]
    asked = {
        "look": look,
        "deed": deed,
        "essays": list(essays.items()),
        "folded": len(seen.differences) > _UNFOLDED,
        "appear": sum(was_not),
        "vanish": sum(will_not),
        "alter": len(seen.differences) - sum(was_not) - sum(will_not),
        "shown": _shown(seen),
        "kept": " ".join(map(_written, sorted(look.keep))),
        "kept_elsewhere": len(look.keep - {one.place for one in seen.differences}),
        "most_kept": MOST_KEPT,
        "at_once": seen.sections <= changes.AT_ONCE,
        "sent": sent,
        "from": look.first + 1,
        "last": last,
        "before": look.first - SECTIONS if look.first else None,
        "next": last if last < seen.sections else None,
        "more": seen.sections - last,
    }
    return TemplateResponse(request, "admin/peacekb/confirm_names.html", {**context, **asked})


def begin_job() -> None:
    """Once the transaction is through, let a process of its own prepare the change that waits."""
    transaction.on_commit(_start)


def _start() -> None:
    program = [sys.executable, str(settings.BASE_DIR / "manage.py"), "apply_changes"]
    nothing = subprocess.DEVNULL
    subprocess.Popen(  # noqa: S603  our own program
        program, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, close_fds=True
    )


def change_address(change: NameChange) -> str:
    """Give the address of the page that tells of a change of names."""
    return reverse("admin:peacekb_namechange_change", args=[change.pk])


def told(change: NameChange) -> SafeString:
    """Say what a change of names did, or that it is being prepared, with a link to it."""
    address = change_address(change)
    if change.state == NameChange.State.WAITING:
        waits = 'The links of {} sections are <a href="{}">being prepared</a>; readers see all of it at once, then.'
        return format_html(waits, f"{change.sections_total:,}", address)
    return format_html('In other pages {}. <a href="{}">See the change, or take it back</a>.', counts(change), address)


def counts(change: NameChange) -> str:
    """Say how many links appeared, changed and vanished."""
    appeared, altered, vanished = change.links_appeared, change.links_altered, change.links_vanished
    links = "1 link" if appeared == 1 else f"{appeared:,} links"
    return f"{links} appeared, {altered:,} changed and {vanished:,} vanished"


def _shown(seen: Preview) -> str:
    return " ".join(_written(one.place) for one in seen.differences)


def _written(place: Place) -> str:
    return "{}:{}".format(*place)


def _places(text: str) -> frozenset[Place]:
    """Read places; what is none is left out."""
    found = (_PLACE.fullmatch(part) for part in text.split())
    return frozenset((int(match[1]), int(match[2])) for match in found if match)
