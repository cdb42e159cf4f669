"""What the public reads. A view parses, asks and renders; what is asked stands in the modules beside it."""

from django.db import DatabaseError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from peacekb import asked
from peacekb import search as index_of_words
from peacekb.models import PHASED, Article, Kind, Page, Phase
from peacekb.search.alike import alike

from . import (
    asking,
    cases,
    citing,
    entries,
    evidence,
    facts,
    history,
    operations,
    phases,
    record,
    results,
    sharing,
    tagged,
)
from . import tags as tagging
from .paging import page_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the phase line and what there is to read."""
    roles, more_roles = entries.few_or_most_mentioned(Kind.ROLE)
    tasks, more_tasks = entries.few_or_most_mentioned(Kind.TASK)
    shown = {
        "stops": phases.line_with_counts(),
        "articles": entries.newest(5),
        "roles": roles,
        "more_roles": more_roles,
        "tasks": tasks,
        "more_tasks": more_tasks,
        "concepts": entries.most_mentioned(Kind.CONCEPT, 10),
    }
    return render(request, "pages/home.html", shown)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Tell who writes here and how to cite it."""
    return render(request, "pages/about.html")


@require_safe
def index(request: HttpRequest, kinds: str) -> HttpResponse:
    """List all of one kind: articles newest first, cases and operations as tables, the rest A to Z or by phase."""
    if kinds == "articles":
        return render(request, "pages/articles.html", {"listing": page_of(entries.articles(), request)})
    if kinds == "cases":
        return cases.table(request)
    if kinds == "operations":
        return operations.table(request)
    by = request.GET.get("by", "letter")
    if by not in ("letter", "phase"):
        raise Http404("Lists go by letter or by phase.")
    found = entries.of_kind(kinds.removesuffix("s"))
    groups = entries.by_letter(found) if by == "letter" else entries.by_phase(found)
    return render(request, "pages/index.html", {"kinds": kinds, "by": by, "groups": groups})


@require_safe
def entry(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Show one article, concept, role or task."""
    kind = kinds.removesuffix("s")
    page = entries.find(kind, slug)
    if page is None:
        return entries.elsewhere(request, kind, slug)
    if (earlier := history.version_asked(request, page)) is not None:
        return earlier
    if isinstance(page, Article):
        return _article(request, page)
    covered = entries.phases_of(page=page.pk)
    names = entries.names_of(page)
    shown = {
        "page": page,
        # What has no phase of its own, such as a State, has no place on the line.
        "stops": phases.line(covered) if kind in PHASED else (),
        "phases": phases.named(covered),
        "names": names,
        "relations": entries.relations_of(page),
        "facts": facts.of(page),
        "mentions": entries.mentions_of(page),
        "citation": citing.current(page),
        "sharing": sharing.of_entry(page, names),
    }
    return render(request, "pages/entry.html", shown)


def _article(request: HttpRequest, page: Article) -> HttpResponse:
    mentioned = entries.pages_in(article=page.pk)
    claims = evidence.claims_in(page)
    evidence.show_in_text(page.sections.all(), claims)
    shown = {
        "page": page,
        "claims": claims,
        "stops": phases.line(entries.phases_in(article=page.pk)),
        "concepts": [one for one in mentioned if one.kind == Kind.CONCEPT],
        "roles": [one for one in mentioned if one.kind == Kind.ROLE],
        "tasks": [one for one in mentioned if one.kind == Kind.TASK],
        "mentions": entries.mentions_of(page),
        "citation": citing.current(page),
        "sharing": sharing.of_article(page, mentioned),
    }
    return render(request, "pages/article.html", shown)


@require_safe
def section(request: HttpRequest, slug: str, anchor: str) -> HttpResponse:
    """Show one section of an article."""
    page = entries.find(Kind.ARTICLE, slug)
    if page is None:
        return entries.elsewhere(request, Kind.ARTICLE, slug, anchor)
    before, part, after, below = entries.parts_around(list(page.sections.all()), anchor)
    evidence.show_in_text([part], evidence.claims_in(page))
    shown = {
        "page": page,
        "section": part,
        "before": before,
        "after": after,
        "below": below,
        "citation": citing.current(page),
        "sharing": sharing.of_section(page, part),
    }
    return render(request, "pages/section.html", shown)


@require_safe
def phase(request: HttpRequest, phase: str) -> HttpResponse:
    """Show everything in one phase, and apart from it what belongs to any."""
    if phase not in Phase.values:
        raise Http404("There is no such phase.")
    kinds = (Kind.CONCEPT, Kind.ROLE, Kind.TASK)
    here = entries.by_name(entries.listed(Page.objects.published().in_phase(phase)))
    anywhere = Page.objects.published().in_phase(Phase.ANY).exclude(phase_set__phase=phase).defer("source")
    shown = {
        "stop": phases.stop(Phase(phase)),
        "stops": phases.line([phase]),
        "articles": list(entries.with_words(phases.articles_in(phase).defer("source"))),
        "groups": [(kind, [one for one in here if one.kind == kind]) for kind in kinds],
        "anywhere": entries.by_name(entries.named_here(anywhere)),
    }
    return render(request, "pages/phase.html", shown)


@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    """List the tags, A to Z."""
    return render(request, "pages/tags.html", {"branches": tagging.branches()})


@require_safe
def tag(request: HttpRequest, expression: str) -> HttpResponse:
    """List the texts that carry all, or any, of some tags. A name that a tag has or had leads to it."""
    combination = tagging.combination(expression)
    if combination.expression != expression:
        asked_too = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponsePermanentRedirect(combination.address() + asked_too)
    asked = tagged.Asked.from_request(combination, request)
    listing = page_of(asked.texts, request)
    lone = combination.tags[0] if len(combination.tags) == 1 else None
    shown = {
        "combination": combination,
        "asked": asked,
        "listing": listing,
        "found": entries.with_keys([text.page for text in listing]),
        "facets": asked.facets(),
        "no_text_with_all": combination.either and not asked.has_text_with_all,
        "around": tagging.around(lone) if lone else None,
        "entry": entries.named(lone.name) if lone else None,
    }
    return render(request, "pages/tag.html", shown)


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """List the bibliography, A to Z: the works on which something public rests."""
    texts = Count("pages", filter=Q(pages__in=Page.objects.published()))
    found = record.works().annotate(number=texts)
    return render(request, "pages/sources.html", {"groups": entries.by_letter(found)})


@require_safe
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one work with the texts and events that rest on it; without one, nothing tells of a draft's sources."""
    work = record.works().prefetch_related("events").filter(slug=slug).first()
    if work is None:
        raise Http404("Nothing cites a source of this name.")
    cited_in = entries.listed(record.resting_on(work)).order_by("kind", "title")
    return render(request, "pages/source.html", {"source": work, "cited_in": cited_in})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what was found, grouped by text; the form and the tags when nothing was asked."""
    question = results.Question.from_request(request)
    answer = question.answer
    groups = results.grouped(answer.found)
    listing = page_of(groups, request)
    entry = question.entry()
    facets = question.facets(groups) if listing.paginator.count else []
    words = asking.words_asked(question, listing)
    shown = {
        "question": question,
        "chosen": asked.chosen(words),
        "listing": listing,
        "answer": answer,
        "found": results.shown(list(listing), answer.phrases),
        "entry": entry,
        "near": [] if listing.paginator.count else alike(slugify(question.text, allow_unicode=True))[:3],
        "name": entries.name_asked(entry, answer.query.plain) if entry else None,
        "facets": facets,
        "own_language": question.in_own_language(facets),
        "tags": [] if question.text or question.filters() else list(tagging.public()),
    }
    response = render(request, "pages/search.html", shown)
    return asking.counted(request, response, question, words, texts=answer.texts, named=entry is not None)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process is alive. No query."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the site can serve, or what it lacks: the database or the index."""
    try:
        missing = [f"search index: {problem}" for problem in index_of_words.engine().problems()]
        Page.objects.exists()
    except DatabaseError:
        missing = ["database"]
    return HttpResponse(
        "; ".join(missing) or "ok", status=503 if missing else 200, content_type="text/plain; charset=utf-8"
    )
