"""Reading what editors wrote, version by version, and publishing one of them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from peacekb import publishing
from peacekb.documents import KEYS, DocumentRefused
from peacekb.models import NameChange, Revision
from peacekb.publishing import TextRefused
from peacekb.publishing.proposals import of_names
from peacekb.text.worker import parse_within

from .confirming import AskFirst, ask, change_address, done, look_at, told
from .fields import spoken_time
from .publishing_admin import claims_to_look_at, form_address, may_publish, unmatched
from .safety import ReadOnly, SafeAdmin


@admin.register(Revision)
class RevisionAdmin(ReadOnly, SafeAdmin):
    """Read only: a version is never changed."""

    change_form_template = "admin/peacekb/revision_form.html"
    list_display = ["page_title", "number", "state", "who", "note", "when"]
    list_display_links = ["page_title", "number"]
    list_filter = ["state", "origin", "page__kind"]
    list_select_related = ["page"]
    linked_lookups = ["page__id__exact"]
    list_per_page = 50
    search_fields = ["page__title", "page__slug", "editor_name", "note"]
    search_help_text = "Title, address, editor or note."
    ordering = ["-created_at", "-pk"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["page_link", "number", "state", "who", "when", "note"]}),
        ("What was written", {"fields": ["facts", "text"]}),
    ]
    readonly_fields = ["page_link", "who", "when", "facts", "text"]

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="page", ordering="page__title")
    def page_title(self, revision: Revision) -> str:
        return revision.page.title

    @admin.display(description="page")
    def page_link(self, revision: Revision) -> SafeString:
        page = revision.page
        return format_html('{}: <a href="{}">{}</a>', page.get_kind_display(), form_address(page), page.title)

    @admin.display(description="who", ordering="editor_name")
    def who(self, revision: Revision) -> str:
        return revision.editor_name or revision.get_origin_display()

    @admin.display(description="when", ordering="created_at")
    def when(self, revision: Revision) -> str:
        return spoken_time(revision.created_at)

    @admin.display(description="facts")
    def facts(self, revision: Revision) -> SafeString:
        content = revision.content
        keys = [key for key in KEYS[revision.page.kind] if key in content and key != "source"]
        rows = format_html_join(
            "", "<tr><th scope=row>{}</th><td>{}</td></tr>", ((_spoken(key), _shown(content[key])) for key in keys)
        )
        return format_html('<table class="facts">{}</table>', rows)

    @admin.display(description="text")
    def text(self, revision: Revision) -> SafeString:
        return format_html('<div class="written" dir="auto">{}</div>', revision.content.get("source", ""))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        revision: Revision = context["original"]
        context |= {
            "may_publish": may_publish(request),
            "page_address": form_address(revision.page),
            "title": f"Version {revision.number}",
            "subtitle": revision.page.title,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.publish_view)
        return [path("<path:object_id>/publish/", view, name="peacekb_revision_publish"), *super().get_urls()]

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Publish the content of this version as a new version."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_publish(request) or not self.has_view_permission(request):
            raise PermissionDenied
        revision = self.get_object(request, unquote(object_id))
        if revision is None:
            raise Http404
        here = reverse("admin:peacekb_revision_change", args=[revision.pk])
        if not revision.content.get("source"):
            said = f"Version {revision.number} is not published. Write the text before publishing."
            self.message_user(request, said, messages.ERROR)
            return HttpResponseRedirect(here)
        try:
            deed = self._restored(request, revision)
        except AskFirst as asked:
            frame = {**self.admin_site.each_context(request), "media": self.media, "title": "Publish and change links?"}
            trail = [(form_address(revision.page), revision.page.title), (here, f"Version {revision.number}")]
            return ask(request, asked.look, deed="Publish and change these links", back=here, trail=trail, **frame)
        except (TextRefused, DocumentRefused) as refused:
            self.message_user(request, f"Version {revision.number} is not published. {refused}", messages.ERROR)
            return HttpResponseRedirect(here)
        except IntegrityError:
            # The address is checked by the database alone.
            self.message_user(
                request,
                f"Version {revision.number} is not published: another page has its address by now.",
                messages.ERROR,
            )
            return HttpResponseRedirect(here)
        revision.page.refresh_from_db()
        if isinstance(deed, NameChange):
            self.message_user(request, told(deed), messages.SUCCESS)
            if deed.state == NameChange.State.WAITING:
                return HttpResponseRedirect(change_address(deed))
            made = revision.page.revisions.exclude(state=Revision.State.DRAFT).order_by("-number").first()
        else:
            made = deed.revisions.get(revision.page_id)
        self.message_user(request, self._said(revision, made), messages.SUCCESS)
        for warning in filter(None, (unmatched(revision.page), claims_to_look_at(revision.page))):
            self.message_user(request, warning, messages.WARNING)
        return HttpResponseRedirect(form_address(revision.page))

    def _restored(self, request: HttpRequest, revision: Revision) -> NameChange | publishing.Outcome:
        """Publish a version; where that changes links of other pages, as one event that was confirmed."""
        with transaction.atomic():
            publishing.take_turn()
            proposal = of_names(revision.page, revision.content)
            look = look_at(request, proposal) if proposal.touched() else None
            if look is None or not look.matters:
                return publishing.restore(revision, editor=request.user)
            parse_within(revision.content["source"])  # nobody is asked about a text that will be refused
            return done(request, look, note=f"Version {revision.number}")

    def _said(self, revision: Revision, made: Revision | None) -> SafeString:
        page = revision.page
        read = format_html(' <a href="{}">Read it on the site</a>', page.get_absolute_url()) if page.is_public else ""
        if made is None:
            return format_html("Version {} says what is published already.{}", revision.number, read)
        return format_html("Version {} is published as version {}.{}", revision.number, made.number, read)


def _spoken(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _shown(value: Any) -> str:
    """Give a value of a document as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        extra = [
            _spoken(key).lower() if flag is True else str(flag) for key, flag in value.items() if key != "text" and flag
        ]
        return f"{value.get('text', '')} ({', '.join(extra)})" if extra else str(value.get("text", ""))
    return str(value)
