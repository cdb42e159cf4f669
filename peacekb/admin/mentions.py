"""Mentions that the linker left to an editor: everyday words, names of several pages, links without a page."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import urlencode

from peacekb.models import Kind, Label, Language, Mention, Page, Status
from peacekb.suggestions import SURFACE, with_places
from peacekb.text.vocabulary import name_key

from .publishing_admin import form_address
from .safety import ReadOnly, SafeAdmin

PER_PAGE = 50
_WHAT = {"name": "Words in the text", "link": "Links without a page"}


def may_change(request: HttpRequest, kinds: Iterable[str] = Kind.values) -> bool:
    """Tell whether the person may change pages of one of the kinds."""
    return any(request.user.has_perm(f"peacekb.change_{kind}") for kind in kinds)


class ListAdmin(ReadOnly, SafeAdmin):
    """A list of its own for those who may change pages. There are no forms of its rows."""

    class Media:
        css = {"all": ["css/admin.css"]}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_change(request)

    def check_request(self, request: HttpRequest) -> None:
        """Refuse those who may not see the list, and lookups as other lists refuse them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if any("__" in name for name in request.GET):
            raise BadRequest("This list is not filtered so.")

    def shown(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        """Show one page of the list in the frame of the admin."""
        frame = self.admin_site.each_context(request)
        return TemplateResponse(
            request, template, {**frame, "opts": self.opts, "media": self.media, "title": title, **context}
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A page that has a name, and what to write where it is meant; nothing for one that readers do not have."""

    page: Page
    form: str
    write: str


@dataclass(slots=True)
class Group:
    """What is written in the same words, folded: `is_link` for links without a page."""

    key: str
    is_link: bool
    spellings: Counter[str] = field(default_factory=Counter)
    pages: set[int] = field(default_factory=set)
    claims: list[Claim] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Give the most common spelling; of several the shortest, in small letters if there is one."""
        return min(self.spellings, key=lambda text: (-self.spellings[text], len(text), text[:1].isupper(), text))

    @property
    def mentions(self) -> int:
        return self.spellings.total()

    @property
    def public_claims(self) -> list[Claim]:
        return [claim for claim in self.claims if claim.write]

    @property
    def why(self) -> str:
        """Say in a few words why nothing is linked."""
        if self.is_link:
            return "link without a page"
        return f"name of {len(self.public_claims)} pages" if len(self.public_claims) > 1 else "everyday word"

    @property
    def query(self) -> str:
        """Give the query of the address that shows its sentences."""
        return urlencode({"link" if self.is_link else "name": self.key})


@admin.register(Mention)
class MentionAdmin(ListAdmin):
    """Read only: what waits is decided in the text of the page."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name="peacekb_mention_changelist"),
            path("sentences/", self.admin_site.admin_view(self.sentences_view), name="peacekb_mention_sentences"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.check_request(request)
        asked = _asked(request)
        groups = _groups(_waiting(asked), asked.get("what", ""))
        page = Paginator(groups, PER_PAGE).get_page(request.GET.get("page"))
        _add_claims(list(page))
        filters = [
            ("what", "Kind of mention", _WHAT),
            ("kind", "Kind of text", Kind),
            ("language", "Language", Language),
        ]
        context = {
            "page": page,
            "filters": [
                (name, label, [(value, str(said), value == asked.get(name)) for value, said in _choices(choices)])
                for name, label, choices in filters
            ],
            "is_narrowed": bool(asked),
            "kept": urlencode({name: value for name, value in asked.items() if name != "what"}),
        }
        return self.shown(request, "admin/peacekb/unresolved.html", "Unresolved mentions", context)

    def sentences_view(self, request: HttpRequest) -> HttpResponse:
        """Show every sentence of one group, in the order of texts."""
        self.check_request(request)
        asked = _asked(request)
        is_link = "link" in request.GET
        key = request.GET.get("link" if is_link else "name", "")
        waiting = _waiting(asked)
        group = next((one for one in _groups(waiting, "link" if is_link else "name") if one.key == key), None)
        if group is None:
            raise Http404("Nothing waits in these words.")
        _add_claims([group])
        column = "wanted" if is_link else "spelled"
        rows = waiting.filter(**{f"{column}__in": list(group.spellings)})
        rows = rows.exclude(wanted="") if is_link else rows.filter(wanted="")
        rows = with_places(rows).order_by("section__page__title", "section__page", "section__position", "start")
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "group": group,
            "page": page,
            "sentences": [(mention, form_address(mention.section.page)) for mention in page],
        }
        title = f"[[{group.text}]]" if is_link else f"“{group.text}”"
        return self.shown(request, "admin/peacekb/unresolved_sentences.html", title, context)


def _asked(request: HttpRequest) -> dict[str, str]:
    """Give the filters that were asked for; what is none of the choices counts as not asked."""
    known: dict[str, Iterable[str]] = {"what": _WHAT, "kind": Kind.values, "language": Language.values}
    asked = {name: request.GET.get(name, "") for name in known}
    return {name: value for name, value in asked.items() if value in known[name]}


def _choices(choices: Any) -> Iterable[tuple[str, Any]]:
    found: Iterable[tuple[str, Any]] = choices.items() if isinstance(choices, dict) else choices.choices
    return found


def _waiting(asked: dict[str, str]) -> QuerySet[Any]:
    """Give the unresolved mentions in public texts of a kind and language, with their words as `spelled`."""
    rows = Mention.objects.public().filter(target=None).annotate(spelled=SURFACE)
    narrowed = {f"section__page__{name}": asked[name] for name in ("kind", "language") if name in asked}
    return rows.filter(**narrowed)


def _groups(waiting: QuerySet[Any], what: str) -> list[Group]:
    """Group mentions by what is written, the most frequent first. One query that gives a row a spelling and page."""
    if what:
        waiting = waiting.exclude(wanted="") if what == "link" else waiting.filter(wanted="")
    groups: dict[tuple[str, bool], Group] = {}
    rows = waiting.order_by().values_list("wanted", "spelled", "section__page").annotate(Count("pk"))
    for wanted, spelled, page, count in rows:
        key = name_key(wanted or spelled)
        group = groups.setdefault((key, bool(wanted)), Group(key, bool(wanted)))
        group.spellings[wanted or spelled] += count
        group.pages.add(page)
    return sorted(groups.values(), key=lambda group: (-group.mentions, group.key))


def _add_claims(groups: Collection[Group]) -> None:
    """Add to each group the pages that have the name, drafts last. Two queries."""
    keys = {group.key for group in groups} - {""}
    named: dict[str, set[int]] = {}
    for pk, text in Label.objects.exclude(page__status=Status.WITHDRAWN).values_list("page_id", "text"):
        key = name_key(text)
        if key in keys:
            named.setdefault(key, set()).add(pk)
    wanted = {text for group in groups if group.is_link for text in group.spellings}
    asked = Q(pk__in={pk for own in named.values() for pk in own}) | Q(title__in=wanted) | Q(slug__in=wanted)
    found = Page.objects.filter(asked).exclude(status=Status.WITHDRAWN).defer("source").order_by("title", "pk")
    pages = sorted(found, key=lambda page: not page.is_public)
    for group in groups:
        own = named.get(group.key, set())
        claiming = [
            page
            for page in pages
            if page.pk in own or (group.is_link and not {page.title, page.slug}.isdisjoint(group.spellings))
        ]
        alone = sum(page.is_public for page in claiming) == 1
        group.claims = [Claim(page, form_address(page), _to_write(group, page, alone=alone)) for page in claiming]


def _to_write(group: Group, page: Page, *, alone: bool) -> str:
    """Give the link that means a public page; its address where the words alone found nothing, or several pages."""
    if not page.is_public:
        return ""
    return f"[[{group.text}]]" if alone and not group.is_link else f"[[{page.kind}:{page.slug}|{group.text}]]"
