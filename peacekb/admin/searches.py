"""The desk of failed searches: what readers looked for in vain, and how an editor mends it."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import slugify

from peacekb import asked, publishing, search
from peacekb.languages import plain
from peacekb.models import MODELS, Concept, Language, Page, SearchCheck, SearchQuery
from peacekb.search.alike import alike
from peacekb.suggestions import NewName
from peacekb.text.vocabulary import name_key
from peacekb.text.words import direction

from .confirming import AskFirst, ask, goes_back
from .fields import OneLineField, SeenField
from .giving_names import give_name
from .mentions import PER_PAGE, ListAdmin, may_change
from .names import doubt_about
from .page_forms import ask_once
from .publishing_admin import form_address, may_publish
from .safety import is_key

_SHOWN = {"waiting": "Waiting", "mended": "Mended", "dismissed": "Dismissed"}
_FOUND = {"none": "No text", "few": "One or two texts"}
_MOST_NEAR = 8
_ADDRESS = re.compile(rf"(?:https?://[^/]+)?/({'|'.join(MODELS)})s/([-\w]{{1,120}})/?(?:[?#].*)?")
_How = SearchCheck.How
_LIST = "admin:peacekb_searchquery_changelist"


class MendForm(forms.Form):
    """Which page a search is to find, and how. Each button is a deed."""

    page = forms.ChoiceField(
        label="Page that it should find",
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": "That page is not public any more. Choose another one."},
    )
    other = OneLineField(
        label="Or another page",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        help_text="Its title, or its address, such as /concepts/ceasefire/.",
    )
    name = OneLineField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        help_text="How the page is also called, and linked where texts hold it; or the title of a new concept.",
    )
    language = forms.ChoiceField(label="Language", choices=Language)
    hidden = forms.BooleanField(
        label="Misspelt or outdated: readers find the page by it and never see it", required=False
    )
    doubted = SeenField()

    def __init__(self, query: SearchQuery, deed: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.query, self.deed = query, deed
        self.initial = {"name": query.text, "language": _language_of(query.text)}
        pages: Any = self.fields["page"]
        pages.choices = [(str(page.pk), f"{page.title} ({page.get_kind_display().lower()})") for page in _near(query)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.deed in (_How.NAME, _How.CHOSEN) and not self.errors:
            cleaned["found"] = page = self._page_meant(cleaned)
            if page is not None and self.deed == _How.NAME:
                self._doubt(page, cleaned)
        elif self.deed == _How.STUB and "name" in cleaned and not slugify(cleaned["name"], allow_unicode=True):
            self.add_error("name", "Write the title of the new page here.")
        return cleaned

    def _page_meant(self, cleaned: dict[str, Any]) -> Page | None:
        """Give the page that is chosen or written; what is written goes first."""
        if not cleaned["other"]:
            page = Page.objects.published().filter(pk=int(cleaned["page"] or 0)).first()
            if page is None:
                self.add_error("page", "Choose the page that readers should find.")
            return page
        found = _written_pages(cleaned["other"])
        if len(found) == 1:
            return found[0]
        kinds = ", ".join(page.get_absolute_url() for page in found[:5])
        several = f"Several pages are called so. Write the address of one: {kinds}"
        self.add_error("other", several if found else "No public page has this title or address.")
        return None

    def _doubt(self, page: Page, cleaned: dict[str, Any]) -> None:
        name, language = cleaned["name"], cleaned["language"]
        if not name_key(name):
            self.add_error("name", "Write the name that the page is to have.")
        elif page.title == name or page.labels.filter(text=name, language=language).exists():
            self.add_error("name", f"“{page.title}” has this name already. Show the page first instead.")
        else:
            ask_once(self, "name", doubt_about(name, language, page))


@admin.register(SearchQuery)
class SearchQueryAdmin(ListAdmin):
    """Three lists: what waits, most asked first; what was mended, and stays as a check; what editors dismissed."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("peacekb.view_searchquery")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Any]] = {
            "changelist": ("", self.changelist_view),
            "mend": ("<str:key>/mend/", self.mend_view),
            "dismiss": ("<str:key>/dismiss/", self.dismiss_view),
            "undo": ("<str:key>/undo/", self.undo_view),
            "forget": ("<str:key>/forget/", self.forget_view),
        }
        return [
            path(address, self.admin_site.admin_view(view), name=f"peacekb_searchquery_{name}")
            for name, (address, view) in views.items()
        ]

    # --- the lists ---

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.check_request(request)
        show = _one_of(request, "show", _SHOWN) or "waiting"
        found, typed = _one_of(request, "found", _FOUND), request.GET.get("q", "")[:200].replace("\x00", " ").strip()
        lists: dict[str, models.QuerySet[Any]] = {
            "waiting": SearchQuery.objects.waiting(),
            "mended": SearchCheck.objects.select_related("page").defer("page__source").order_by("-mended_at", "-pk"),
            "dismissed": SearchQuery.objects.filter(dismissed=True),
        }
        rows = lists[show]
        if found and show == "waiting":
            rows = rows.filter(texts=0) if found == "none" else rows.filter(texts__gt=0)
        if typed:
            rows = rows.filter(words__contains=name_key(typed)) if name_key(typed) else rows.none()
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "show": show,
            "tabs": [(name, said, lists[name].count()) for name, said in _SHOWN.items()],
            "page": page,
            "rows": [(form_address(one.page), one) for one in page] if show == "mended" else [],
            "found": [(value, said, value == found) for value, said in _FOUND.items()],
            "typed": typed,
            "is_narrowed": bool(typed or (found and show == "waiting")),
            "may_mend": _may_mend(request),
        }
        return self.shown(request, "admin/peacekb/searches.html", "Failed searches", context)

    # --- deeds ---

    def mend_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Choose which page a search is to find, and how."""
        query = self._query(request, key)
        deed = request.POST.get("deed", "")
        deed = deed if deed in _How.values else ""
        form = MendForm(query, deed, request.POST if deed and not goes_back(request) else None)
        deeds: dict[str, Callable[[HttpRequest, SearchQuery, MendForm], str | None]] = {
            _How.NAME: self._name,
            _How.STUB: self._stub,
            _How.CHOSEN: self._choose,
        }
        here = reverse("admin:peacekb_searchquery_mend", args=[query.pk])
        title = f"“{query.text}”"
        if form.is_valid():
            try:
                leads_to = deeds[deed](request, query, form)
            except AskFirst as asks:
                frame = {**self.admin_site.each_context(request), "media": self.media, "title": title}
                trail = [(reverse(_LIST), "Failed searches"), (here, title)]
                return ask(
                    request, asks.look, deed="Add the name and change these links", back=here, trail=trail, **frame
                )
            return HttpResponseRedirect(leads_to or here)
        context = {
            "form": form,
            "query": query,
            "results": f"{plain(reverse('pages:search'))}?{urlencode({'q': query.text})}",
            "check": SearchCheck.objects.select_related("page").filter(words=query.words).first(),
            "publishes": may_publish(request),
            "may_add": request.user.has_perm("peacekb.add_concept"),
            "page": Paginator([], 1).get_page(1),
        }
        return self.shown(request, "admin/peacekb/search_mending.html", title, context)

    def _name(self, request: HttpRequest, query: SearchQuery, form: MendForm) -> str | None:
        """Make the words another name of the page."""
        page, text = form.cleaned_data["found"], form.cleaned_data["name"]
        if not may_change(request, [page.kind]):
            raise PermissionDenied
        name = NewName(text, form.cleaned_data["language"], form.cleaned_data["hidden"])
        gone = "The page is not public any more. Choose another one."
        with transaction.atomic():
            if not give_name(self, request, page, name, why=f"The name “{text}”, by which readers searched", gone=gone):
                return None
            self._mended(request, query, page, _How.NAME)
        return reverse(_LIST)

    def _choose(self, request: HttpRequest, query: SearchQuery, form: MendForm) -> str:
        """Show the page first to those who search the words."""
        page = form.cleaned_data["found"]
        self._mended(request, query, page, _How.CHOSEN)
        said = format_html(
            'Who searches “{}” sees <a href="{}">{}</a> first now.', query.text, form_address(page), page.title
        )
        self.message_user(request, said, messages.SUCCESS)
        return reverse(_LIST)

    def _stub(self, request: HttpRequest, query: SearchQuery, form: MendForm) -> str | None:
        """Begin a concept with the words as its title, and go on to its form."""
        if not request.user.has_perm("peacekb.add_concept"):
            raise PermissionDenied
        title = form.cleaned_data["name"]
        slug = slugify(title, allow_unicode=True)[:120].strip("-_")
        stub = Concept(title=title[:1].upper() + title[1:], slug=slug, language=form.cleaned_data["language"])
        try:
            with transaction.atomic():
                publishing.take_turn()
                stub.save()
                publishing.save_draft(stub, editor=request.user, note=f"Begun because readers searched “{query.text}”")
                self._mended(request, query, stub, _How.STUB)
        except IntegrityError:
            taken = Concept.objects.get(slug=slug)
            said = format_html(
                'There is a concept with this address already: <a href="{}">{}</a>.', form_address(taken), taken.title
            )
            self.message_user(request, said, messages.ERROR)
            return None
        self.message_user(request, "The draft is begun. Write its text here, and publish it.", messages.SUCCESS)
        return form_address(stub)

    def _mended(self, request: HttpRequest, query: SearchQuery, page: Page, how: str) -> None:
        asked.mend(query, page, how)
        self.log_change(request, page, f"Mended the search “{query.text}”: {_How(how).label.lower()}.")

    def dismiss_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Take a search from the list: nothing is to be found by it."""
        return self._set_dismissed(request, key, True, "“{}” is dismissed.")

    def undo_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Let a search that was dismissed wait again."""
        return self._set_dismissed(request, key, False, "“{}” waits again, if it still finds little.")

    def _set_dismissed(self, request: HttpRequest, key: str, dismissed: bool, said: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        query = self._query(request, key)
        SearchQuery.objects.filter(pk=query.pk).update(dismissed=dismissed)
        said = said.format(query.text)
        self.log_change(request, query, said)
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse(_LIST))

    def forget_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Check a search no more, and show no page first for it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._may_mend(request)
        check = SearchCheck.objects.select_related("page").filter(pk=key).first() if is_key(key) else None
        if check is None:
            raise Http404("No such search was mended.")
        asked.unmend(check)
        self.log_change(request, check.page, f"The search “{check.text}” is checked no more.")
        self.message_user(request, f"“{check.text}” is checked no more.", messages.SUCCESS)
        return HttpResponseRedirect(f"{reverse(_LIST)}?show=mended")

    def _query(self, request: HttpRequest, key: str) -> SearchQuery:
        self._may_mend(request)
        query = SearchQuery.objects.filter(pk=key).first() if is_key(key) else None
        if query is None:
            raise Http404("Nobody searched so of late.")
        return query

    def _may_mend(self, request: HttpRequest) -> None:
        self.check_request(request)
        if not _may_mend(request):
            raise PermissionDenied


def _may_mend(request: HttpRequest) -> bool:
    return request.user.has_perm("peacekb.change_searchquery")


def _one_of(request: HttpRequest, name: str, known: dict[str, str]) -> str:
    """Give what was asked for; what is none of the choices counts as not asked."""
    value = request.GET.get(name, "")
    return value if value in known else ""


def _language_of(text: str) -> str:
    return Language.ARABIC if direction(text) == "rtl" else Language.ENGLISH


def _near(query: SearchQuery) -> list[Page]:
    """Give the public pages that may be meant: spelt alike, found, or with one of the words. Five queries."""
    named = search.naming(query.words.split(), _MOST_NEAR)
    found = [hit.page for hit in search.find(query.text).hits][:_MOST_NEAR]
    keys = [page.pk for page in alike(slugify(query.text, allow_unicode=True))] + [*found] + [*named]
    pages = Page.objects.published().defer("source").in_bulk(list(dict.fromkeys(keys))[:_MOST_NEAR])
    return [pages[key] for key in dict.fromkeys(keys) if key in pages]


def _written_pages(text: str) -> list[Page]:
    """Give the public pages of an address, or of a title. One query."""
    pages = Page.objects.published().defer("source").order_by("kind", "pk")
    address = _ADDRESS.fullmatch(text)
    if address:
        return list(pages.filter(kind=address[1], slug=address[2]))
    return list(pages.filter(title__iexact=text)[:10])
