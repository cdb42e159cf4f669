"""What the page of one entry and the lists of entries show. Everything is fetched here; templates start no query."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Greatest, RowNumber, Substr
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from peacekb import search
from peacekb.languages import address_of, spoken
from peacekb.models import (
    MODELS,
    Article,
    FormerSlug,
    Kind,
    Label,
    Mention,
    Page,
    PagePhase,
    Phase,
    Revision,
    Section,
    Source,
    Status,
    TaggedPage,
    tag_shown,
)
from peacekb.models.prepared import AnyOf, prepared
from peacekb.text.vocabulary import label_keys
from peacekb.text.words import fold

MOST_MENTIONS = 5
# What no list shows: every column of every row costs some microseconds.
_UNSHOWN = (
    *("source", "status", "withdrawn_at", "withdrawn_reason", "review_by", "verified", "verified_url", "unlinked"),
    *("created_at", "updated_at"),
)
#: What of a page its link needs.
NAMED = ("kind", "slug", "title", "language")
_DEFINITION = 400  # characters; lists shorten it further


# --- lists -------------------------------------------------------------------------------------------------------


def listed(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Add what lists show: `definition`, the beginning of the lead section, and leave the rest unread."""
    lead = Section.objects.filter(page=OuterRef("pk"), position=0).values(beginning=Substr("text", 1, _DEFINITION))
    definition = Coalesce(Subquery(lead[:1]), Value(""), output_field=CharField())
    shown: QuerySet[Any] = named_here(pages.defer(*_UNSHOWN).annotate(definition=definition))
    return shown


def with_keys(keys: Sequence[int]) -> list[Page]:
    """Give pages as lists show them, in the order of their keys. One query."""
    found = {page.pk: page for page in _with_keys(keys=keys)}
    return [found[key] for key in keys if key in found]


@prepared
def _with_keys(*, keys: Any) -> QuerySet[Page]:
    return listed(Page.objects.filter(pk__in=AnyOf(keys)))


def named_here(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Add `name_here`, the preferred name in the language of the interface, for `Page.name`.

    English readers get the titles: that is what entries are written in.
    """
    if spoken() == settings.LANGUAGE_CODE:
        return pages
    labels = Label.objects.filter(page=OuterRef("pk"), language=spoken(), kind=Label.LabelKind.PREF)
    named: QuerySet[Any] = pages.annotate(name_here=Subquery(labels.values("text")[:1]))
    return named


def named_by_key(keys: Iterable[int]) -> dict[int, Page]:
    """Give the published pages among some, by key, with the names that readers are shown. One query, none for none."""
    wanted = sorted(set(keys))
    return {page.pk: page for page in _named_by_key(keys=wanted)} if wanted else {}


@prepared
def _named_by_key(*, keys: Any) -> QuerySet[Page]:
    return named_here(Page.objects.published().filter(pk__in=AnyOf(keys)).only(*NAMED).order_by())


def with_words(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Add `words`, the length of the text without its notes."""
    total = Section.objects.filter(page=OuterRef("pk")).order_by().values("page").annotate(total=Sum("words"))
    words = Coalesce(Subquery(total.values("total")), 0, output_field=IntegerField())
    counted: QuerySet[Any] = pages.annotate(words=words)
    return counted


def with_versions(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Add `version`, its number as readers count them, `made`, when that was published, and `changed`, its date.

    `changed` is what `history.version_date` gives, in the database, where lists are ordered by it.
    """
    published = Revision.objects.filter(page=OuterRef("pk"), state=Revision.State.PUBLISHED)
    number = published.order_by().values("page").annotate(number=Count("pk"))
    made = published.order_by("-number").values("created_at")[:1]
    counted: QuerySet[Any] = pages.annotate(version=Subquery(number.values("number")), made=Subquery(made))
    later = When(version__gt=1, then=Greatest("published_at", "made"))
    shown: QuerySet[Any] = counted.annotate(changed=Case(later, default=F("published_at")))
    return shown


def articles() -> QuerySet[Page]:
    """Give the published articles, newest first, of equals the signed essays first, as lists show them."""
    published: QuerySet[Any] = Article.objects.published()
    return with_words(published.order_by("-published_at", "standpoint", "title").defer(*_UNSHOWN))


@prepared
def newest(number: int) -> QuerySet[Page]:
    """Give the newest of `articles`. One query."""
    return articles()[:number]


def of_kind(kind: str) -> QuerySet[Page]:
    """Give the published pages of a kind as lists show them."""
    return listed(Page.objects.published().filter(kind=kind))


@prepared
def most_mentioned(kind: str, number: int) -> QuerySet[Page]:
    """Give the pages of a kind that public texts mention most. One query."""
    mentions = Mention.objects.public().filter(target=OuterRef("pk")).order_by().values("target")
    times = Subquery(mentions.annotate(times=Count("pk")).values("times"))
    return of_kind(kind).annotate(times=Coalesce(times, 0)).order_by("-times", "title")[:number]


def few_or_most_mentioned(kind: str) -> tuple[list[Page], bool]:
    """Give all pages of a kind if they are twelve or fewer, else ten, and whether there are more. One query."""
    found = most_mentioned(kind, 13)
    return (found[:10], True) if len(found) > 12 else (by_name(found), False)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a list under one heading."""

    anchor: str
    title: str
    rows: Sequence[Any]


def by_letter(rows: Iterable[Any]) -> list[Group]:
    """Group pages by the first letter of their name, and other rows by that of their title, A to Z."""
    groups: dict[str, list[Any]] = {}
    for row in sorted(rows, key=lambda row: sort_key(_name(row))):
        groups.setdefault(_initial(_name(row)), []).append(row)
    return [Group(f"letter-{letter.lower()}", letter, found) for letter, found in groups.items()]


def by_phase(pages: QuerySet[Page]) -> list[Group]:
    """Group pages by phase; one in several phases stands under each. Two queries."""
    rows = by_name(pages.prefetch_related("phase_set"))
    groups = [Group(phase.value, str(phase.label), [row for row in rows if phase in _phases(row)]) for phase in Phase]
    groups.append(Group("none", str(_("Without a phase")), [row for row in rows if not _phases(row)]))
    return [group for group in groups if group.rows]


def by_name(pages: Iterable[Page]) -> list[Page]:
    """Give pages in the order of the names that readers are shown."""
    return sorted(pages, key=lambda page: sort_key(page.name))


def sort_key(title: str) -> tuple[bool, str]:
    """Order titles as a reader looks for them: without accents, case and quotation marks, Latin letters first."""
    key = "".join(fold(character) for character in title if character.isalnum() or character.isspace()).strip()
    return (not key[:1].isascii(), key)


def _name(row: Any) -> str:
    name: str = getattr(row, "name", row.title)
    return name


def _initial(title: str) -> str:
    letter = next((character for character in title if character.isalnum()), "#")
    return "0–9" if letter.isdigit() else unicodedata.normalize("NFKD", letter)[0].upper()


def _phases(page: Page) -> set[str]:
    return {row.phase for row in page.phase_set.all()}


# --- one entry ---------------------------------------------------------------------------------------------------


def find(kind: str, slug: str) -> Page | None:
    """Give a published page with what its own page shows: sections, tags and sources. Four queries.

    With the first come `words` and what `with_versions` adds.
    """
    for page in _published(kind, slug=slug):
        sections = _sections(page=page.pk)
        for section in sections:
            section.page = page
        # Where `prefetch_related` puts what it fetches.
        page._prefetched_objects_cache = {  # type: ignore[attr-defined]
            "sections": sections,
            "tagged": _tagged(page=page.pk),
            "sources": _sources(page=page.pk),
        }
        return page
    return None


@prepared
def _published(kind: str, *, slug: Any) -> QuerySet[Page]:
    pages = MODELS[kind].objects.published().filter(slug=slug).defer("source")
    return named_here(with_versions(with_words(pages)))


@prepared
def _sections(*, page: Any) -> QuerySet[Section]:
    return Section.objects.filter(page=page).order_by("position")


@prepared
def _tagged(*, page: Any) -> QuerySet[TaggedPage]:
    return tagged().filter(content_object=page)


@prepared
def _sources(*, page: Any) -> QuerySet[Source]:
    return Source.objects.filter(pages=page)


def tagged() -> QuerySet[Any]:
    """Give the tags on pages, each with `shown`, its name in the language of the interface."""
    rows = TaggedPage.objects.select_related("tag").annotate(shown=tag_shown("tag", "tag__name"))
    found: QuerySet[Any] = rows.order_by("shown")
    return found


def elsewhere(request: HttpRequest, kind: str, slug: str, anchor: str = "", view: str = "pages:entry") -> HttpResponse:
    """Answer for an address without a public page: 301 to its new one, 410 where it was withdrawn, else 404.

    A page that was merged into another is withdrawn and has a new address. What was asked of a page that was
    renamed, such as a version, is asked of its new address.
    """
    former = FormerSlug.objects.filter(kind=kind, slug=slug).select_related("page").first()
    if former is None:
        page = withdrawn(kind, slug)
        if page is not None:
            return render(request, "410.html", {"page": page}, status=410)
    known = Page.objects.published() | _withdrawn()
    if former is None or not known.filter(pk=former.page_id).exists():
        raise Http404("No public page has this address.")
    address = reverse(view, kwargs={"kinds": f"{former.page.kind}s", "slug": former.page.slug})
    if anchor:
        address = reverse("pages:section", kwargs={"slug": former.page.slug, "anchor": anchor})
    # The versions of a page that was merged are not those of the other one.
    is_renamed = request.GET and not Page.objects.filter(kind=kind, slug=slug).exists()
    asked = f"?{request.GET.urlencode()}" if is_renamed else ""
    return HttpResponsePermanentRedirect(address + asked)


def withdrawn(kind: str, slug: str) -> Page | None:
    """Give the withdrawn page that readers had at an address which leads nowhere else. One query."""
    moved = FormerSlug.objects.filter(kind=kind, slug=slug)
    return _withdrawn().filter(~Exists(moved), kind=kind, slug=slug).defer("source").first()


def _withdrawn() -> QuerySet[Page]:
    return Page.objects.filter(status=Status.WITHDRAWN, published_at__lte=F("withdrawn_at"))


@dataclass(frozen=True, slots=True)
class Mentions:
    """The best mentions of a page, how many there are in all, and the address of all."""

    shown: list[Mention]
    total: int
    address: str


def mentions_of(page: Page) -> Mentions:
    """Give the best sentence of each public text that mentions a page: articles first, then newest. One query.

    In a text, a linked mention comes before others, and a sentence before a heading.
    """
    found = _best_mentions(page=page.pk)
    address = address_of("pages:mentions", f"{page.kind}s", page.slug)
    return Mentions(found, getattr(found[0], "total", 0) if found else 0, address)


@prepared
def _best_mentions(*, page: Any) -> QuerySet[Mention]:
    nth = Window(
        RowNumber(),
        partition_by=F("section__page"),
        order_by=["-linked", "in_heading", "section__position", "start"],
    )
    public = Mention.objects.public().filter(target=page)
    total = public.order_by().values("target").annotate(number=Count("pk")).values("number")
    # Keys first: to number whole rows takes four times as long.
    first = public.annotate(nth=nth).filter(nth=1).values("pk")
    return (
        Mention.objects.filter(pk__in=first)
        .annotate(total=Subquery(total))
        .select_related("section__page")
        .only(
            *("paragraph", "start", "end", "sentence_start", "sentence", "section__anchor"),
            *("section__page__kind", "section__page__slug", "section__page__title", "section__page__language"),
        )
        # "article" comes before the other kinds in the alphabet, too.
        .order_by("section__page__kind", "-linked", "-section__page__published_at", "section__page__title", "pk")[
            :MOST_MENTIONS
        ]
    )


@prepared
def pages_in(*, article: Any) -> QuerySet[Page]:
    """Give the pages that an article mentions, the most mentioned first, with definitions. One query."""
    mentions = Mention.objects.filter(section__page=article)
    times = mentions.filter(target=OuterRef("pk")).order_by().values("target").annotate(times=Count("pk"))
    pages = Page.objects.published().filter(pk__in=mentions.filter(target__isnull=False).values("target"))
    found: QuerySet[Page] = listed(pages).annotate(times=Subquery(times.values("times"))).order_by("-times", "title")
    return found


@prepared
def phases_in(*, article: Any) -> QuerySet[PagePhase, str]:
    """Give the phases of the pages that an article mentions. One query."""
    pages = Page.objects.published().filter(mentioned_in__section__page=article)
    return PagePhase.objects.filter(page__in=pages).order_by().values_list("phase", flat=True).distinct()


@prepared
def phases_of(*, page: Any) -> QuerySet[PagePhase, str]:
    """Give the phases of a page. One query."""
    return PagePhase.objects.filter(page=page).values_list("phase", flat=True)


@dataclass(frozen=True, slots=True)
class Relation:
    """Pages that stand in one relation to the page shown."""

    title: Promise
    pages: list[Page]


#: What is related to a page of each kind: a title, and how the other page comes to this one.
_RELATIONS: dict[str, list[tuple[Promise, str]]] = {
    Kind.CONCEPT: [
        (_("Broader"), "concept__narrower"),
        (_("Narrower"), "concept__broader"),
        (_("Related"), "concept__related"),
        (_("Roles"), "role__concepts"),
        (_("Tasks"), "task__concepts"),
        (_("Organizations"), "actor__described_by"),
        (_("Cases"), "case__concepts"),
    ],
    # What it performs is told by phase: see `facts`.
    Kind.ROLE: [(_("Concepts"), "concept__roles")],
    Kind.TASK: [(_("Performed by"), "role__performs"), (_("Concepts"), "concept__tasks")],
    Kind.ACTOR: [
        (_("Described by"), "concept__actors"),
        (_("Conflicts there"), "case__countries"),
        (_("Operations there"), "operation__countries"),
        (_("Members"), "actor__memberships__organization"),
    ],
    Kind.OPERATION: [(_("Countries"), "actor__operations"), (_("Cases"), "case__operations")],
    Kind.CASE: [
        (_("Countries"), "actor__cases"),
        (_("Operations that followed"), "operation__cases"),
        (_("Concepts"), "concept__cases"),
    ],
}


def relations_of(page: Page) -> list[Relation]:
    """Give what is related to an entry, without empty relations. One query."""
    relations = [Relation(title, []) for title, _path in _RELATIONS[page.kind]]
    told: set[int] = set()  # a page that is broader or narrower is not told again as related
    for other in sorted(by_name(_related(page.kind, page=page.pk)), key=attrgetter("place")):
        if other.pk not in told:
            told.add(other.pk)
            relations[other.place].pages.append(other)  # type: ignore[attr-defined]
    return [relation for relation in relations if relation.pages]


@prepared
def _related(kind: str, *, page: Any) -> QuerySet[Any]:
    """Give the pages with `place`, that of their relation in `_RELATIONS`."""
    related = [
        named_here(Page.objects.published().filter(**{path: page}).defer(*_UNSHOWN).order_by()).annotate(
            place=Value(place)
        )
        for place, (_title, path) in enumerate(_RELATIONS[kind])
    ]
    found: QuerySet[Any] = related[0].union(*related[1:], all=True)
    return found


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a page: other ones in its own language, and the preferred ones in other languages than `name`."""

    also: list[str]
    abroad: list[Label]


def names_of(page: Page) -> Names:
    """Give the names that readers are told, plurals and other spellings of one name only once. One query."""
    labels = _told_labels(page=page.pk)
    told = {label_keys(page.title)}
    also = []
    for label in sorted(labels, key=lambda label: len(label.text)):
        keys = label_keys(label.text)
        if label.language == page.language and keys not in told:
            told.add(keys)
            also.append(label.text)
    preferred = [label for label in labels if label.kind == Label.LabelKind.PREF]
    abroad = [label for label in preferred if label.language != page.name_language]
    return Names(sorted(also, key=sort_key), abroad)


def named(name: str) -> Page | None:
    """Give the public entry that alone has a name, with its definition. Three queries."""
    found = search.entry_named(name)
    return next(iter(with_keys([found.page])), None) if found else None


def name_asked(page: Page, text: str) -> Label | None:
    """Give the name by which a page was asked for, `None` where that is the name shown. One query."""
    asked = label_keys(text)
    if asked == label_keys(page.name):
        return None
    named = [label for label in _told_labels(page=page.pk) if label_keys(label.text) == asked]
    return min(named, key=lambda label: label.language != page.language, default=None)


@prepared
def _told_labels(*, page: Any) -> QuerySet[Label]:
    return Label.objects.filter(page=page).exclude(kind=Label.LabelKind.HIDDEN)


def parts_around(
    sections: Sequence[Section], anchor: str
) -> tuple[Section | None, Section, Section | None, list[Section]]:
    """Give the section before, the one asked for, the one after, and those below it. Raises `Http404`."""
    for place, section in enumerate(sections):
        if section.anchor == anchor:
            below = []
            for deeper in sections[place + 1 :]:
                if deeper.level <= max(section.level, 2):
                    break
                below.append(deeper)
            before = sections[place - 1] if place else None
            after = sections[place + 1] if place + 1 < len(sections) else None
            return before, section, after, below if section.heading else []
    raise Http404("This text has no such section.")
