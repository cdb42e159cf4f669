"""Evidence on the claims of an article: what supports, what qualifies and what contradicts each, all three alike.

Where the sentence of a claim stands is stored; no text is searched here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from peacekb.models import Article, Claim, Contribution, Evidence, Kind, Page, Result, Section, Stance
from peacekb.models.prepared import AnyOf, prepared
from peacekb.text.cutting import pieces

from . import entries


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: a page, perhaps with the figure meant, or a work."""

    evidence: Evidence
    page: Page | None = None
    figure: Contribution | None = None

    @property
    def result(self) -> str:
        """Give what became of the case that this is."""
        return str(Result(self.page.result).label) if self.page is not None and self.page.result else ""  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Side:
    """The evidence that stands to a claim in one way; there may be none."""

    stance: Stance
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Shown:
    """A claim with its evidence, on all sides."""

    claim: Claim
    sides: list[Side]

    @property
    def has_evidence(self) -> bool:
        """Tell whether there is any to show."""
        return any(side.items for side in self.sides)

    @property
    def spoken(self) -> str:
        """Tell how much evidence there is of each kind."""
        supports, qualifies, contradicts = (len(side.items) for side in self.sides)
        return _("%(supports)s, %(qualifies)s, %(contradicts)s") % {
            "supports": ngettext("%(number)s supports", "%(number)s support", supports) % {"number": supports},
            "qualifies": ngettext("%(number)s qualifies", "%(number)s qualify", qualifies) % {"number": qualifies},
            "contradicts": ngettext("%(number)s contradicts", "%(number)s contradict", contradicts)
            % {"number": contradicts},
        }

    @property
    def counts(self) -> str:
        """Give the same three numbers, for the eye."""
        return ":".join(str(len(side.items)) for side in self.sides)


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A part of a section's HTML, the claims whose sentences end with it, and those whose evidence follows it."""

    html: str
    marked: list[Shown] = field(default_factory=list)
    below: list[Shown] = field(default_factory=list)


def claims_in(article: Page) -> list[Shown]:
    """Give the claims of an article in the order of its text. One query; three more where there are any."""
    claims = _claims(article=article.pk)
    if not claims:
        return []
    found: dict[int, list[Item]] = {claim.pk: [] for claim in claims}
    for item in _items(_evidence(article=article.pk)):
        found[item.evidence.claim_id].append(item)
    return [
        Shown(
            claim,
            [Side(stance, [one for one in found[claim.pk] if one.evidence.stance == stance]) for stance in Stance],
        )
        for claim in claims
    ]


def show_in_text(sections: Iterable[Section], claims: Sequence[Shown]) -> None:
    """Add to sections with claims their `pieces`, which templates show in the place of their HTML. No query."""
    for section in sections:
        own = [one for one in claims if one.claim.section_id == section.pk and one.has_evidence]
        if own:
            section.pieces = [  # type: ignore[attr-defined]
                ShownPiece(piece.html, [own[place] for place in piece.ended], [own[place] for place in piece.closed])
                for piece in pieces(section.html, [one.claim.end for one in own])
            ]


def _items(rows: Sequence[Evidence]) -> Iterable[Item]:
    """Give the evidence that is public, in order. Two queries at most."""
    keys = {one.page_id for one in rows if one.page_id is not None}
    pages = {page.pk: page for page in _pages(keys=sorted(keys))} if keys else {}
    actors = {one.page_id for one in rows if one.figure_date}
    figures = {(one.actor_id, one.date): one for one in _figures(keys=sorted(actors))} if actors else {}
    for one in rows:
        figure = figures.get((one.page_id, one.figure_date))
        if one.source_id is not None:
            yield Item(one)
        elif one.page_id in pages and (figure is not None or not one.figure_date):
            yield Item(one, pages[one.page_id], figure)


@prepared
def _claims(*, article: Any) -> QuerySet[Claim]:
    standing = Claim.objects.standing().filter(article=article).select_related("section")
    shown = ("number", "sentence", "paragraph", "end", "section__anchor")
    return standing.order_by("section__position", "end", "number").only(*shown)


@prepared
def _evidence(*, article: Any) -> QuerySet[Evidence]:
    standing = Evidence.objects.filter(claim__in=Claim.objects.standing().filter(article=article))
    return standing.select_related("source").order_by("pk")


@prepared
def _pages(*, keys: Any) -> QuerySet[Page]:
    public = Page.objects.published().filter(pk__in=AnyOf(keys)).annotate(result=F("case__result"))
    return entries.named_here(public.only(*entries.NAMED))


@prepared
def _figures(*, keys: Any) -> QuerySet[Contribution]:
    return Contribution.objects.filter(actor__in=AnyOf(keys)).select_related("source")


# --- the page of all evidence ------------------------------------------------------------------------------------


@require_safe
def evidence(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the claims of an article with their evidence. Five queries."""
    page = Article.objects.published().filter(slug=slug).defer("source").first()
    if page is None:
        return entries.elsewhere(request, Kind.ARTICLE, slug, "evidence")
    return render(request, "pages/evidence.html", {"page": page, "claims": claims_in(page)})
