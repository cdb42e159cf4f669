"""Changes of names: the list of them, and what is done from here: merge, divide, take back, stop and carry on."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from peacekb import publishing
from peacekb.documents import DocumentRefused, specific
from peacekb.models import MODELS, ChangedPage, Label, NameChange, Page, Status
from peacekb.publishing import TextRefused, staging
from peacekb.publishing.proposals import ChangeRefused, Proposal, of_dividing, of_merging, of_undoing
from peacekb.text.worker import parse_within

from .confirming import AskFirst, ask, begin_job, change_address, counts, done, goes_back, look_at, told
from .fields import MarkdownField, OneLineField, spoken_time
from .mentions import ListAdmin
from .publishing_admin import form_address, may_publish, movable, revision_link
from .safety import is_key

_State = NameChange.State
_SENTENCE = forms.TextInput(attrs={"class": "vTextField"})


class PageChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.title} ({obj.slug})"


class MergeForm(forms.Form):
    into = PageChoice(
        queryset=Page.objects.none(),
        label="Into",
        help_text="It keeps its text and takes the names, tags, sources and relations of this page, and its address.",
        error_messages={"required": "Choose the page that stays.", "invalid_choice": "Choose a page from the list."},
    )
    note = OneLineField(label="Why?", max_length=300, required=False, widget=_SENTENCE)

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        into: Any = self.fields["into"]
        others = Page.objects.filter(kind=page.kind, status=Status.PUBLISHED).exclude(pk=page.pk)
        into.queryset = others.defer("source").order_by("title", "pk")


class DivideForm(forms.Form):
    names = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Names that the new page takes",
        error_messages={
            "required": "Choose at least one name.",
            "invalid_choice": "One of the names is not there any more. Choose again.",
        },
    )
    title = OneLineField(
        max_length=300,
        label="Title of the new page",
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
    )
    slug = forms.SlugField(
        max_length=120,
        allow_unicode=True,
        label="Address of the new page",
        error_messages={"invalid": "Use letters, digits and hyphens only."},
    )
    source = MarkdownField(label="Text of the new page", error_messages={"required": "Write the text of the new page."})
    note = OneLineField(label="Why?", max_length=300, required=False, widget=_SENTENCE)

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page
        names: Any = self.fields["names"]
        names.choices = [(str(label.pk), _spoken_name(label)) for label in movable(page).select_related("page")]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if Page.objects.filter(kind=self.page.kind, slug=slug).exists():
            kind = self.page.get_kind_display().lower()
            raise ValidationError(
                "Another %(kind)s has the address “%(slug)s”. Choose another one.",
                code="slug_taken",
                params={"kind": kind, "slug": slug},
            )
        return slug

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"]
        try:
            parse_within(source)
        except TextRefused as refused:
            raise ValidationError(str(refused), code="text_refused") from refused
        return source

    def new_page(self) -> Page:
        """Store the new page as a draft."""
        values = {key: self.cleaned_data[key] for key in ("title", "slug", "source")}
        new: Page = MODELS[self.page.kind](kind=self.page.kind, language=self.page.language, **values)
        new.save()
        return new


def _spoken_name(label: Label) -> str:
    return label.text if label.language == label.page.language else f"{label.text} ({label.language})"


class ChangedRow:
    """What the page of a change says of one page that it changed."""

    def __init__(self, changed: ChangedPage) -> None:
        self.page, self.form = changed.page, form_address(changed.page)
        self.before = revision_link(changed.before) if changed.before else "new"
        if changed.reason:
            self.after: SafeString | str = "withdrawn"
            if changed.successor is not None:
                address = form_address(changed.successor)
                self.after = format_html('merged into <a href="{}">{}</a>', address, changed.successor.title)
        else:
            self.after = revision_link(changed.after) if changed.after else "–"


@admin.register(NameChange)
class NameChangeAdmin(ListAdmin):
    """Read only for editors; what is done here, publishers do."""

    change_form_template = "admin/peacekb/name_change.html"
    list_display = ["summary", "now", "links", "who", "when"]
    list_filter = ["state", "deed"]
    list_per_page = 50
    search_fields = ["summary", "note", "editor_name"]
    search_help_text = "What changed, note or editor."
    show_full_result_count = False
    fields = ["kind_of_deed", "now", "who", "when", "note", "links", "connected"]
    readonly_fields = ["kind_of_deed", "now", "who", "when", "links", "connected"]

    @admin.display(description="deed", ordering="deed")
    def kind_of_deed(self, change: NameChange) -> str:
        return change.get_deed_display()

    @admin.display(description="who", ordering="editor_name")
    def who(self, change: NameChange) -> str:
        return change.editor_name or "–"

    @admin.display(description="when", ordering="created_at")
    def when(self, change: NameChange) -> str:
        return spoken_time(change.created_at)

    @admin.display(description="state", ordering="state")
    def now(self, change: NameChange) -> str:
        if change.state == _State.WAITING:
            return f"Being prepared: {change.sections_done:,} of {change.sections_total:,} sections"
        return f"{change.get_state_display()}. {change.problem}" if change.problem else change.get_state_display()

    @admin.display(description="in other pages")
    def links(self, change: NameChange) -> str:
        return f"{counts(change)}.".capitalize()

    @admin.display(description="together with")
    def connected(self, change: NameChange) -> SafeString | str:
        if change.undoes is not None:
            return format_html('Takes back <a href="{}">{}</a>', change_address(change.undoes), change.undoes)
        undone = change.undone_by.filter(state=_State.DONE).first()
        return format_html('Taken back by <a href="{}">{}</a>', change_address(undone), undone) if undone else "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        change: NameChange = context["original"]
        rows = change.pages.select_related("page", "before", "after", "successor").order_by("page__title", "pk")
        context |= {
            "title": change.summary,
            "subtitle": None,
            "changed_pages": [ChangedRow(row) for row in rows],
            "may_publish": may_publish(request),
            "waits": change.state == _State.WAITING,
            "is_done": change.state == _State.DONE,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- deeds ---

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "merge": ("merge/<str:key>/", self.merge_view),
            "divide": ("divide/<str:key>/", self.divide_view),
            "undo": ("<str:key>/undo/", self.undo_view),
            "stop": ("<str:key>/stop/", self.stop_view),
            "continue": ("<str:key>/continue/", self.continue_view),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"peacekb_namechange_{name}")
            for name, (address, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def merge_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Choose into which page another is merged, look at what it does to links, and do it."""
        page = self._page(request, key)
        form = MergeForm(page, request.POST or None)
        deed = partial(self._merging, page, form)
        return self._done_from(
            request, page, form, deed, title=f"Merge “{page.title}”", button="Merge and change links"
        )

    def divide_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Write a new page that takes some names of another, look at what it does to links, and do it."""
        page = self._page(request, key)
        form = DivideForm(page, request.POST or None)
        deed = partial(self._dividing, request, page, form)
        title = f"Divide “{page.title}”"
        return self._done_from(request, page, form, deed, title=title, button="Divide and change links")

    def _merging(self, page: Page, form: MergeForm) -> Proposal:
        return of_merging(page, specific(form.cleaned_data["into"]))

    def _dividing(self, request: HttpRequest, page: Page, form: DivideForm) -> Proposal:
        new = form.new_page()
        publishing.save_draft(new, editor=request.user, note=f"Divided from “{page.title}”")
        return of_dividing(page, new, [int(name) for name in form.cleaned_data["names"]])

    def _done_from(
        self,
        request: HttpRequest,
        page: Page,
        form: MergeForm | DivideForm,
        propose: Callable[[], Proposal],
        *,
        title: str,
        button: str,
    ) -> HttpResponse:
        trail = [(form_address(page), page.title)]
        if request.method == "POST" and form.is_valid() and not goes_back(request):
            try:
                return self._confirmed(request, propose, form.cleaned_data["note"])
            except AskFirst as asked:
                return ask(request, asked.look, deed=button, **self._frame(request, title, trail))
            except (ChangeRefused, TextRefused, DocumentRefused) as refused:
                form.add_error(None, str(refused))
            except IntegrityError:
                form.add_error(None, "Another page was stored with this address just now. Choose another one.")
        context = {**self._frame(request, title, trail), "form": form, "back": form_address(page)}
        return TemplateResponse(request, "admin/peacekb/name_deed.html", context)

    def undo_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Look at what taking a change back does to links, and do it."""
        change = self._change(request, key)
        here = change_address(change)
        if goes_back(request):
            return HttpResponseRedirect(here)
        try:
            return self._confirmed(request, lambda: of_undoing(change), "", undoes=change)
        except AskFirst as asked:
            frame = self._frame(request, "Take back?", [(here, change.summary)])
            return ask(request, asked.look, deed="Take it back", back=here, **frame)
        except (ChangeRefused, TextRefused, DocumentRefused) as refused:
            self.message_user(request, f"Nothing is taken back. {refused}", messages.ERROR)
        except IntegrityError:
            taken = "Nothing is taken back: another page has one of the addresses by now."
            self.message_user(request, taken, messages.ERROR)
        return HttpResponseRedirect(here)

    def _confirmed(
        self, request: HttpRequest, propose: Callable[[], Proposal], note: str, undoes: NameChange | None = None
    ) -> HttpResponse:
        """Do what is proposed and go to it. Raises `AskFirst` where it is not confirmed; nothing is stored then."""
        with transaction.atomic():
            publishing.take_turn()
            proposal = propose()
            change = done(request, look_at(request, proposal), note=note, undoes=undoes)
            for changed in change.pages.select_related("page"):
                self.log_change(request, changed.page, change.summary)
        self.message_user(request, told(change), messages.SUCCESS)
        return HttpResponseRedirect(change_address(change))

    def stop_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Give up a change that waits."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        change = self._change(request, key)
        staging.stop(change)
        change.refresh_from_db()
        if change.state == _State.STOPPED:
            self.message_user(request, "It is stopped. Readers have seen nothing of it.", messages.SUCCESS)
        else:
            self.message_user(request, "It was done before it could be stopped.", messages.WARNING)
        return HttpResponseRedirect(change_address(change))

    def continue_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Begin the process that prepares a change anew, where it was cut short. A second one does no harm."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        change = self._change(request, key)
        if change.state == _State.WAITING:
            begin_job()
            self.message_user(request, "It goes on from where it was.", messages.SUCCESS)
        return HttpResponseRedirect(change_address(change))

    def _page(self, request: HttpRequest, key: str) -> Page:
        """Give the published page that the address names, to those who may change and publish it."""
        page = Page.objects.filter(pk=key, status=Status.PUBLISHED).first() if is_key(key) else None
        if page is None:
            raise Http404("No published page is here.")
        if not (may_publish(request) and request.user.has_perm(f"peacekb.change_{page.kind}")):
            raise PermissionDenied
        return specific(page)

    def _change(self, request: HttpRequest, key: str) -> NameChange:
        change = NameChange.objects.filter(pk=key).first() if is_key(key) else None
        if change is None:
            raise Http404("No such change.")
        if not (may_publish(request) and self.has_view_permission(request)):
            raise PermissionDenied
        return change

    def _frame(self, request: HttpRequest, title: str, trail: list[tuple[str, str]]) -> dict[str, Any]:
        frame = self.admin_site.each_context(request)
        list_of_all = (reverse("admin:peacekb_namechange_changelist"), "Changes of names")
        return {**frame, "opts": self.opts, "media": self.media, "title": title, "trail": [list_of_all, *trail]}
