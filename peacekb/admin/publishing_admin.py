"""What the admin of every kind of page shares: two buttons, and `peacekb.publishing` behind them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from taggit.models import Tag

from peacekb import publishing
from peacekb.documents import NAMED_KINDS, Document, DocumentRefused, document_of, write
from peacekb.models import Claim, Label, Mention, NameChange, Page, Revision, Status
from peacekb.publishing import TextRefused
from peacekb.publishing.proposals import of_names
from peacekb.text.worker import parse_within

from .confirming import AskFirst, Look, ask, change_address, done, goes_back, look_at, told
from .fields import OneLineField, spoken_time
from .page_forms import LabelForm, LabelFormSet, PageForm
from .safety import SafeAdmin

if TYPE_CHECKING:
    LabelTabularInline = admin.TabularInline[Label, Page]
else:
    LabelTabularInline = admin.TabularInline

# Where one request keeps what its form's text was refused for, that its content became a draft, and that draft's text.
_REFUSAL, _OFFERED, _DRAFTED = "peacekb.refusal", "peacekb.offered", "peacekb.drafted"
# Where it keeps the change of names that its form began.
_CHANGE = "peacekb.change"
_NAMED_AT_MOST = 5
NAMES_AT_MOST = 150


def may_publish(request: HttpRequest) -> bool:
    """Tell whether the person may publish and withdraw."""
    return request.user.has_perm("peacekb.publish_page")


def state_of(page: Page) -> str:
    """Give the state of a page as a word."""
    return "Scheduled" if page.status == Status.PUBLISHED and not page.is_public else page.get_status_display()


def form_address(page: Page) -> str:
    """Give the address of the form of a page."""
    return reverse(f"admin:peacekb_{page.kind}_change", args=[page.pk])


def movable(page: Page) -> models.QuerySet[Label]:
    """Give the names of a page that another page may take: all but its title."""
    names = page.labels.order_by("pk")
    return names.exclude(kind="pref", language=page.language) if page.kind in NAMED_KINDS else names


def revision_link(revision: Revision, text: str = "") -> SafeString:
    """Give a link to a revision."""
    address = reverse("admin:peacekb_revision_change", args=[revision.pk])
    return format_html('<a href="{}">{}</a>', address, text or f"version {revision.number}")


def unmatched(page: Page) -> str:
    """Say which written links of a published page lead nowhere; nothing where all lead somewhere."""
    rows = Mention.objects.filter(section__page=page, target=None).exclude(wanted="")
    wanted = list(dict.fromkeys(rows.order_by("section__position", "start").values_list("wanted", flat=True)))
    named, more = [f"[[{name}]]" for name in wanted[:_NAMED_AT_MOST]], len(wanted) - _NAMED_AT_MOST
    if not named:
        return ""
    match = "matches" if len(wanted) == 1 else "match"
    if more > 0:
        named.append(f"{more} more")
    first, last = ", ".join(named[:-1]), named[-1]
    return f"{f'{first} and {last}' if first else last} {match} no page yet: readers see plain words."


def claims_to_look_at(page: Page) -> str:
    """Say how many claims of a page have lost their sentence; nothing where all have it."""
    number = Claim.objects.to_look_at_again().filter(article=page.pk).count()
    if not number:
        return ""
    address = f"{reverse('admin:peacekb_claim_changelist')}?article__page__id__exact={page.pk}&state=changed"
    claims = "1 claim" if number == 1 else f"{number} claims"
    return format_html('The sentence of <a href="{}">{}</a> has changed: look again at the evidence.', address, claims)


def open_drafts(page: Page) -> list[Revision]:
    """Give the drafts of changes that still wait, oldest first.

    They are newer than the version that was public before the last one and say something else than that one.
    A draft is done with once its own editor published from the form; publishing another draft leaves it open.
    """
    if page.status == Status.DRAFT:
        return []
    public = list(page.revisions.filter(state=Revision.State.PUBLISHED).order_by("-number")[:2])
    if not public:
        return []
    shown, before = public[0], public[-1]
    drafts = list(page.revisions.filter(number__gt=before.number, state=Revision.State.DRAFT).order_by("number"))
    content = _undated(shown)
    others = [draft for draft in drafts if _undated(draft) != content]
    if len(others) < len(drafts):
        return others
    return [draft for draft in others if draft.number > shown.number or draft.editor_name != shown.editor_name]


def _undated(revision: Revision) -> dict[str, Any]:
    return {key: value for key, value in revision.content.items() if key != "published_at"}


class TagFilter(admin.SimpleListFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        tags = Tag.objects.filter(tagged_pages__content_object__kind=model_admin.model.KIND).distinct()
        return list(tags.order_by("name").values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(tagged__tag__slug=self.value()) if self.value() else queryset


class LabelInline(LabelTabularInline):
    model = Label
    form = LabelForm
    formset = LabelFormSet
    extra = 1
    max_num = NAMES_AT_MOST
    verbose_name = "name"
    verbose_name_plural = "Other names by which texts mention this page"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Make no more rows than a page can use, whatever number was sent: each of them costs time."""
        return super().get_formset(request, obj, **{"absolute_max": NAMES_AT_MOST, **kwargs})

    # Names are part of the page: whoever may change the page may change them.
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class WithdrawForm(forms.Form):
    reason = OneLineField(
        label="Public reason",
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}),
        help_text="One sentence. Readers who open the page's address see it.",
        error_messages={"required": "Enter the reason; readers will see it."},
    )


class PublishingAdmin(SafeAdmin):
    """Lists and forms of one kind of page.

    Rows and tags are stored only after `save_related`, so the deed is done there. What may not become public is
    stored, read as a document, rolled back and kept as a draft revision.
    """

    change_form_template = "admin/peacekb/page_form.html"
    list_display = ["title", "state", "language", "published", "changed"]
    list_filter = ["status", "language", TagFilter]
    list_per_page = 50
    search_fields = ["title", "slug", "labels__text"]
    search_help_text = "Title, address or any other name."
    show_full_result_count = False
    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["sources"]
    actions = ["publish_selected"]
    inlines = [LabelInline]

    class Media:
        css = {"all": ["css/admin.css"]}

    # --- lists ---

    @admin.display(description="state", ordering="status")
    def state(self, page: Page) -> str:
        return state_of(page)

    @admin.display(description="published", ordering="published_at")
    def published(self, page: Page) -> str:
        return spoken_time(page.published_at) if page.published_at else "–"

    @admin.display(description="last change", ordering="updated_at")
    def changed(self, page: Page) -> str:
        return spoken_time(page.updated_at)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Publish the selected drafts", permissions=["publish"])
    def publish_selected(self, request: HttpRequest, queryset: models.QuerySet[Page]) -> None:
        pages = list(queryset)
        drafts = [page for page in pages if page.status == Status.DRAFT]
        written = [page for page in drafts if page.source]
        for page in drafts:
            if not page.source:
                said = f"“{page.title}” stays a draft. Write the text before publishing."
                self.message_user(request, said, messages.ERROR)
        published, recomposed = self._publish_all(request, written)
        if published:
            what = "1 page is published." if published == 1 else f"{published} pages are published."
            self.message_user(request, f"{what}{_linked_again(recomposed)}", messages.SUCCESS)
        if len(drafts) < len(pages):
            left = len(pages) - len(drafts)
            self.message_user(
                request,
                f"{left} of the selected pages were left as they are: only drafts are published here.",
                messages.INFO,
            )

    def _publish_all(self, request: HttpRequest, drafts: list[Page]) -> tuple[int, int]:
        """Publish drafts in one deed or, where a text is refused, each by itself. Counts both kinds."""
        try:
            outcome = publishing.publish_many(drafts, editor=request.user)
        except TextRefused:
            published = recomposed = 0
            for draft in drafts:
                draft.refresh_from_db()
                try:
                    recomposed += len(publishing.publish(draft, editor=request.user).recomposed)
                    published += 1
                except TextRefused as refused:
                    self.message_user(request, f"“{draft.title}” stays a draft. {refused}", messages.ERROR)
            return published, recomposed
        return len(drafts), len(outcome.recomposed)

    # --- permissions ---

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return may_publish(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are deleted; what readers have seen is withdrawn."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Status.DRAFT)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Names and versions go with their draft; nobody needs a permission of its own for them."""
        to_delete, counts, _, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, set(), protected

    def view_on_site(self, obj: Page) -> str | None:
        return obj.get_absolute_url() if obj.is_public else None

    # --- the form ---

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type[PageForm]:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = request.META.get(_REFUSAL, "")
        form.publishes = self._publishes(request)
        form.was_left_unconfirmed = goes_back(request)
        made: type[PageForm] = form
        return made

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            # Nothing is composed: this takes the turn of the deeds, so that what the form compares with stays.
            publishing.take_turn()
            try:
                response = super().changeform_view(request, object_id, form_url, extra_context)
            except AskFirst as asked:
                return self._ask(request, asked.look)
            if request.META.get(_REFUSAL):
                # Readers keep what they have and the draft is kept; show the form again with all that was typed.
                response = super().changeform_view(request, object_id, form_url, extra_context)
        if _DRAFTED in request.META:
            self._try(request, request.META[_DRAFTED])
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context |= {
            "may_save": self.has_add_permission(request) if add else self.has_change_permission(request, obj),
            "may_publish": self.has_publish_permission(request),
            "is_published": obj is not None and obj.status == Status.PUBLISHED,
            "names_to_move": obj is not None and movable(obj).exists(),
            "is_withdrawn": obj is not None and obj.status == Status.WITHDRAWN,
            "state": state_of(obj) if obj else "",
            "open_drafts": open_drafts(obj) if obj else [],
            # Django's own template tells of errors in its own words where it finds them under their own name.
            "errors": None,
            "problems": context.get("errors"),
            "fields_to_change": _fields_to_change(context),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer to open and to add what a page is joined to, not to delete it from here."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_delete_related = False
        return field

    # --- saving ---

    def save_model(self, request: HttpRequest, obj: Page, form: Any, change: bool) -> None:
        form.savepoint = transaction.savepoint()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            if isinstance(formset, LabelFormSet):
                formset.make_way()
        super().save_related(request, form, formsets, change)
        page: Page = form.instance
        form.save_phases(page)
        note = form.cleaned_data.get("note", "")
        if self._publishes(request):
            self._publish(request, page, note, form.savepoint)
        elif page.status != Status.DRAFT:
            self._offer(request, page, document_of(page), note, form.savepoint)
        else:
            outcome = publishing.save_draft(page, editor=request.user, note=note)
            said = "The draft is saved." if outcome.revisions else "Nothing had changed since the last save."
            self.message_user(request, f"{said} Readers do not see it.", messages.SUCCESS)
            request.META[_DRAFTED] = page.source

    def _publishes(self, request: HttpRequest) -> bool:
        return "_publish" in request.POST and self.has_publish_permission(request)

    def _try(self, request: HttpRequest, source: str) -> None:
        """Warn of a text that was kept but cannot be published as it is."""
        try:
            parse_within(source)
        except TextRefused as refused:
            self.message_user(request, f"The text is kept but cannot be published yet. {refused}", messages.WARNING)

    def _ask(self, request: HttpRequest, look: Look) -> HttpResponse:
        """Show the sentences of other pages that publishing the form would change. Nothing of the form is stored."""
        trail = (reverse(f"admin:peacekb_{self.opts.model_name}_changelist"), capfirst(self.opts.verbose_name_plural))
        context = {
            **self.admin_site.each_context(request),
            "title": "Publish and change links?",
            "media": self.media,
            "is_popup": IS_POPUP_VAR in request.POST,
            "trail": [trail],
        }
        return ask(request, look, deed="Publish and change these links", **context)

    def _publish(self, request: HttpRequest, page: Page, note: str, savepoint: str) -> None:
        was_draft, document = page.status == Status.DRAFT, _with_names_as_published(page)
        try:
            deed = self._publish_names(request, page, document, note, savepoint)
        except (TextRefused, DocumentRefused) as refused:
            page.refresh_from_db()
            if not was_draft:
                request.META[_REFUSAL] = str(refused)
                self._offer(request, page, document, note, savepoint, refused=True)
                return
            publishing.save_draft(page, editor=request.user, note=note)
            self.message_user(request, f"The page is saved as a draft but not published. {refused}", messages.ERROR)
            return
        page.refresh_from_db()
        if isinstance(deed, NameChange):
            request.META[_CHANGE] = deed
            again: str = format_html(" {}", told(deed))
            if deed.state == NameChange.State.WAITING:
                self.message_user(request, told(deed), messages.SUCCESS)
                return
        else:
            again = _linked_again(len(deed.recomposed))
        if page.is_public:
            link = format_html('<a href="{}">{}</a>', page.get_absolute_url(), page.title)
            said = format_html("“{}” is published.{}", link, again)
        else:
            when = spoken_time(page.published_at) if page.published_at else ""
            said = format_html("“{}” will be public from {}.{}", page.title, when, again)
        self.message_user(request, said, messages.SUCCESS)
        for warning in filter(None, (unmatched(page), claims_to_look_at(page))):
            self.message_user(request, warning, messages.WARNING)

    def _publish_names(
        self, request: HttpRequest, page: Page, document: Document, note: str, savepoint: str
    ) -> NameChange | publishing.Outcome:
        """Publish a page; where that changes links of other pages, as one event that was confirmed.

        Raises `AskFirst` for what was not, and as `publishing.publish` and `documents.write`.
        """
        was_draft = page.status == Status.DRAFT
        is_plain_text = page.kind not in NAMED_KINDS and "labels" not in document
        proposal = of_names(page, document)
        if (was_draft and is_plain_text) or not proposal.touched():
            return publishing.publish(page, editor=request.user, note=note)
        parse_within(page.source)  # nobody is asked about a text that will be refused
        if not was_draft:
            # Texts are compared with the names that readers have now.
            transaction.savepoint_rollback(savepoint)
            page.refresh_from_db()
        look = look_at(request, proposal)
        if not look.matters:
            written = page if was_draft else write(document, page.kind, page)
            return publishing.publish(written, editor=request.user, note=note)
        return done(request, look, note=note)

    def _offer(
        self, request: HttpRequest, page: Page, document: Document, note: str, savepoint: str, *, refused: bool = False
    ) -> None:
        """Put the rows back to what was published last, and keep what was written as a draft."""
        transaction.savepoint_rollback(savepoint)
        page.refresh_from_db()
        request.META[_OFFERED] = True
        newest = page.revisions.order_by("-number").first()
        if newest is not None and newest.content == document and not refused:
            self.message_user(request, "Nothing had changed since the last save.", messages.INFO)
            return
        revision = publishing.offer(page, document, editor=request.user, note=note) or newest
        if revision is None:  # only where somebody loaded a published page without its history
            return
        link, withdrawn = revision_link(revision), page.status == Status.WITHDRAWN
        if refused:
            still = "the page stays withdrawn" if withdrawn else "readers see the page as it was"
            said = format_html("The change is not published; {}. What you wrote is kept as a draft, {}.", still, link)
            self.message_user(request, said, messages.ERROR)
        else:
            still = "The page stays withdrawn" if withdrawn else "Readers see the page as it was"
            said = format_html("The change is kept as a draft, {}. {} until somebody publishes it.", link, still)
            self.message_user(request, said, messages.SUCCESS)
            request.META[_DRAFTED] = document.get("source", "")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, obj, "Kept a draft." if request.META.get(_OFFERED) else message)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return _after(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return _after(request, obj)

    # --- withdrawing ---

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.withdraw_view)
        name = f"peacekb_{self.opts.model_name}_withdraw"
        return [path("<path:object_id>/withdraw/", view, name=name), *super().get_urls()]

    def withdraw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the public reason, show what links to the page, and withdraw it."""
        page = self.get_object(request, unquote(object_id))
        if page is None:
            raise Http404
        if not (self.has_publish_permission(request) and self.has_change_permission(request, page)):
            raise PermissionDenied
        if page.status != Status.PUBLISHED:
            self.message_user(request, "Only a published page can be withdrawn.", messages.WARNING)
            return HttpResponseRedirect(form_address(page))
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            outcome = publishing.withdraw(page, editor=request.user, reason=form.cleaned_data["reason"])
            again = _linked_again(len(outcome.recomposed))
            self.log_change(request, page, "Withdrawn.")
            self.message_user(request, f"“{page.title}” is withdrawn.{again}", messages.SUCCESS)
            return HttpResponseRedirect(form_address(page))
        mentions = Mention.objects.filter(target=page, linked=True)
        linking = Page.objects.filter(pk__in=mentions.values("section__page")).exclude(pk=page.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Withdraw “{page.title}”?",
            "opts": self.opts,
            "original": page,
            "form": form,
            "media": self.media,
            "linking": [(other, form_address(other)) for other in linking],
        }
        return TemplateResponse(request, "admin/peacekb/withdraw.html", context)


def _after(request: HttpRequest, page: Page) -> HttpResponseRedirect:
    """Go on with the form of the page, or with the change of names that is being prepared."""
    change: NameChange | None = request.META.get(_CHANGE)
    waits = change is not None and change.state == NameChange.State.WAITING
    return HttpResponseRedirect(change_address(change) if change is not None and waits else form_address(page))


def _with_names_as_published(page: Page) -> Document:
    """Give the document that a form has stored, without the label that still holds the title of before."""
    document = document_of(page)
    if page.kind in NAMED_KINDS and "labels" in document:
        document["labels"] = [
            row
            for row in document["labels"]
            if (row.get("kind"), row.get("language", "en")) != ("pref", page.language) or row["text"] == page.title
        ]
    return {key: value for key, value in document.items() if value}


def _linked_again(count: int) -> str:
    if not count:
        return ""
    return " 1 other page was linked again." if count == 1 else f" {count} other pages were linked again."


def _fields_to_change(context: dict[str, Any]) -> list[dict[str, str]]:
    """Give the fields of a form and of its names that have an error, each with the place to go to."""
    formsets = [each.formset for each in context.get("inline_admin_formsets") or []]
    found = []
    for form in [context["adminform"].form, *(form for formset in formsets for form in formset.forms)]:
        for name, problems in form.errors.items() if form.is_bound else ():
            if name in form.fields and not form[name].is_hidden:
                place = form[name].id_for_label or form[name].auto_id
                found.append({"place": place, "label": form[name].label, "problem": problems[0]})
    for formset in formsets:
        own = [*formset.non_form_errors(), *(problem for form in formset.forms for problem in form.non_field_errors())]
        label = "Other names" if formset.model is Label else capfirst(str(formset.model._meta.verbose_name_plural))
        found += [{"place": f"{formset.prefix}-group", "label": label, "problem": problem} for problem in own]
    return found
