"""Names that links teach: an editor takes them up or dismisses them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from peacekb import suggestions
from peacekb.models import DismissedName, Language
from peacekb.suggestions import MOST_SENTENCES, NewName, Suggestion

from .confirming import AskFirst, ask
from .giving_names import give_name
from .mentions import PER_PAGE, ListAdmin, may_change
from .publishing_admin import form_address, may_publish, revision_link
from .safety import is_key

_GONE = "This name is not suggested any more. Here is what is suggested now."
_SHOWN = {"offered": "Suggested", "dropped": "Dropped", "dismissed": "Dismissed"}


@admin.register(DismissedName)
class SuggestedNameAdmin(ListAdmin):
    """Three lists: what is suggested, what was dropped and why, and what editors dismissed."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Any]] = {
            "changelist": ("", self.changelist_view),
            "decide": ("decide/", self.decide_view),
            "undo": ("<str:key>/undo/", self.undo_view),
        }
        return [
            path(address, self.admin_site.admin_view(view), name=f"peacekb_dismissedname_{name}")
            for name, (address, view) in views.items()
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self.check_request(request)
        asked = request.GET.get("show", "")
        show = asked if asked in _SHOWN else "offered"
        found = suggestions.suggested()
        dismissed = DismissedName.objects.select_related("page").defer("page__source")
        lists: dict[str, Any] = {"offered": found.offered, "dropped": found.dropped, "dismissed": dismissed}
        page = Paginator(lists[show], PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "show": show,
            "tabs": [(name, said, len(lists[name])) for name, said in _SHOWN.items()],
            "page": page,
            "rows": [_row(request, one) for one in page] if show == "dismissed" else _rows(request, list(page)),
            "later": found.later,
            "publishes": may_publish(request),
        }
        return self.shown(request, "admin/peacekb/suggested_names.html", "Suggested names", context)

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Accept or dismiss one name that is suggested now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self.check_request(request)
        deed, page, key = (request.POST.get(name, "") for name in ("deed", "page", "key"))
        one = _offered(page, key)
        if one is None:
            self.message_user(request, _GONE, messages.WARNING)
        elif not may_change(request, [one.page.kind]):
            raise PermissionDenied
        elif deed == "accept":
            try:
                self._accept(request, one)
            except AskFirst as asked:
                button, back = "Accept and change these links", reverse("admin:peacekb_dismissedname_changelist")
                frame = {**self.admin_site.each_context(request), "media": self.media}
                trail = [(back, "Suggested names")]
                title = f"Accept “{one.learnt.text}”?"
                return ask(request, asked.look, deed=button, back=back, trail=trail, title=title, **frame)
        elif deed == "dismiss":
            suggestions.dismiss(one.page, one.learnt.text)
            self.log_change(request, one.page, f"Dismissed the suggested name “{one.learnt.text}”.")
            said = f"“{one.learnt.text}” is dismissed and will not be suggested for “{one.page.title}” again."
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:peacekb_dismissedname_changelist"))

    def _accept(self, request: HttpRequest, one: Suggestion) -> None:
        """Accept a name and tell the editor what came of it."""
        text = one.learnt.text
        name = NewName(text, one.learnt.language)
        if give_name(self, request, one.page, name, why=f"The name “{text}”, learnt from links", gone=_GONE):
            deed = (
                "Accepted the suggested name “{}”."
                if may_publish(request)
                else "Kept the suggested name “{}” in a draft."
            )
            self.log_change(request, one.page, deed.format(text))

    def undo_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Let a dismissed name be suggested again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self.check_request(request)
        name = DismissedName.objects.select_related("page").filter(pk=key).first() if is_key(key) else None
        if name is None:
            raise Http404("No such name is dismissed.")
        if not may_change(request, [name.page.kind]):
            raise PermissionDenied
        name.delete()
        self.log_change(request, name.page, f"The name “{name.text}” may be suggested again.")
        said = f"“{name.text}” may be suggested for “{name.page.title}” again."
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:peacekb_dismissedname_changelist"))


def _offered(page: str, key: str) -> Suggestion | None:
    found = suggestions.suggested().offered if is_key(page) else []
    return next((one for one in found if one.page.pk == int(page) and one.learnt.key == key), None)


def _rows(request: HttpRequest, shown: list[Suggestion]) -> list[dict[str, Any]]:
    """Give what the list shows of each suggestion."""
    sentences = suggestions.sentences_of(shown) if shown else {}
    rows = []
    for one in shown:
        keys = one.learnt.mentions[:MOST_SENTENCES]
        found = [sentences[key] for key in keys if key in sentences]
        rows.append(
            {
                **_row(request, one),
                "language": Language(one.learnt.language).label,
                "sentences": [(mention, form_address(mention.section.page)) for mention in found],
                "others": [(other, form_address(other)) for other in one.others],
                "waits_in": revision_link(one.waits_in) if one.waits_in else "",
            }
        )
    return rows


def _row(request: HttpRequest, one: Suggestion | DismissedName) -> dict[str, Any]:
    return {"of": one, "form": form_address(one.page), "may_decide": may_change(request, [one.page.kind])}
