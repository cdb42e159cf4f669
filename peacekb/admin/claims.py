"""Claims of articles and their evidence, for and against in one form. A change is public at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from peacekb import publishing
from peacekb.models import Claim, Evidence, Page, Status
from peacekb.publishing.claims import Sentences, keep_claim
from peacekb.text.difference import difference

from .fields import OneLineField
from .mentions import may_change
from .publishing_admin import form_address
from .record import PartInline
from .safety import ReadOnly, SafeAdmin

if TYPE_CHECKING:
    ClaimModelForm = forms.ModelForm[Claim]
    EvidenceModelForm = forms.ModelForm[Evidence]
else:
    ClaimModelForm = EvidenceModelForm = forms.ModelForm

_SHOWN_OF_SENTENCE = 90  # characters in the list


@admin.register(Page)
class AnyPageAdmin(ReadOnly, SafeAdmin):
    """The public pages of all kinds, for fields that choose among them. Each is changed in the form of its kind."""

    list_display = ["name", "kind"]
    list_display_links = None
    list_filter = ["kind"]
    list_per_page = 100
    search_fields = ["title", "labels__text"]
    search_help_text = "Title or any other name."
    ordering = ["title", "pk"]
    show_full_result_count = False

    @admin.display(description="page", ordering="title")
    def name(self, page: Page) -> SafeString:
        return format_html('<a href="{}">{}</a>', form_address(page), page.title)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Page]:
        return super().get_queryset(request).published().defer("source")  # type: ignore[attr-defined,no-any-return]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        page = self.get_object(request, unquote(object_id))
        if page is None:
            raise Http404("There is no such public page.")
        return HttpResponseRedirect(form_address(page))


class EvidenceForm(EvidenceModelForm):
    note = OneLineField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto", "spellcheck": "true", "class": "vLargeTextField"}),
        help_text="One neutral sentence of fact, with its date.",
    )


class EvidenceInline(PartInline):
    model = Evidence
    form = EvidenceForm
    template = "admin/edit_inline/stacked.html"  # rows would be wider than the screen
    fields = ["stance", ("page", "figure_date"), "source", "note"]
    autocomplete_fields = ["page", "source"]
    verbose_name = "piece of evidence"
    verbose_name_plural = "Evidence: what supports, what qualifies and what contradicts the sentence"


class ClaimForm(ClaimModelForm):
    sentence = OneLineField(
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "class": "vLargeTextField"}),
        help_text="One whole sentence, copied from the article as readers have it.",
    )

    def clean(self) -> dict[str, Any] | None:
        """Refuse a sentence that does not stand in the article, and name the nearest one that does."""
        said = super().clean()
        sentence, article = self.cleaned_data.get("sentence"), self.cleaned_data.get("article")
        key = article.pk if article else self.instance.article_id
        if not sentence or not key or not self.changed_data:
            return said
        others = Claim.objects.filter(article=key, sentence=sentence, is_withdrawn=False)
        if others.exclude(pk=self.instance.pk).exists():
            self.add_error("sentence", "There is a claim of this sentence already. Add the evidence to that one.")
        elif not Page.objects.filter(pk=key, status=Status.PUBLISHED).exists():
            self.add_error("article", "Readers have no text of this article. Publish it first.")
        elif sentence not in (sentences := Sentences(key)):
            nearest = sentences.nearest(sentence)
            way_out = f"The nearest is: “{nearest}”" if nearest else "Copy one from the page that readers have."
            self.add_error("sentence", f"No sentence of the article reads so. {way_out}")
        return said


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("changed", "Look again"), ("standing", "Shown in the text"), ("withdrawn", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "changed":
            return queryset.to_look_at_again()  # type: ignore[attr-defined,no-any-return]
        if self.value() == "standing":
            return queryset.standing()  # type: ignore[attr-defined,no-any-return]
        return queryset.filter(is_withdrawn=True) if self.value() == "withdrawn" else queryset


@admin.register(Claim)
class ClaimAdmin(SafeAdmin):
    """Claims are withdrawn, never deleted: their numbers stay theirs, and seeding knows that they were there."""

    form = ClaimForm
    change_form_template = "admin/peacekb/claim_form.html"
    list_display = ["beginning", "of", "state", "pieces"]
    list_filter = [StateFilter]
    list_select_related = ["article"]
    linked_lookups = ["article__page__id__exact"]
    list_per_page = 50
    search_fields = ["sentence", "article__title"]
    search_help_text = "Words of the sentence, or the title of its article."
    ordering = ["-has_changed", "article__title", "number"]
    show_full_result_count = False
    fields = ["article", "sentence"]
    autocomplete_fields = ["article"]
    inlines = [EvidenceInline]
    actions = None

    class Media:
        css = {"all": ["css/admin.css"]}

    # --- the list ---

    @admin.display(description="sentence", ordering="sentence")
    def beginning(self, claim: Claim) -> str:
        sentence = claim.sentence
        return sentence if len(sentence) <= _SHOWN_OF_SENTENCE else f"{sentence[:_SHOWN_OF_SENTENCE]} …"

    @admin.display(description="article", ordering="article__title")
    def of(self, claim: Claim) -> str:
        return claim.article.title

    @admin.display(description="state", ordering="-has_changed")
    def state(self, claim: Claim) -> str:
        return state_of(claim)

    @admin.display(description="supports : qualifies : contradicts")
    def pieces(self, claim: Any) -> str:
        return f"{claim.supporting} : {claim.qualifying} : {claim.contradicting}"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Claim]:
        stances = {"supporting": "supports", "qualifying": "qualifies", "contradicting": "contradicts"}
        counts = {
            name: models.Count("evidence", filter=models.Q(evidence__stance=stance)) for name, stance in stances.items()
        }
        counted: models.QuerySet[Claim] = super().get_queryset(request).annotate(**counts)
        return counted

    # --- the form ---

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["article"] if obj else []

    def view_on_site(self, obj: Claim) -> str | None:
        is_shown = obj.section_id is not None and not obj.is_withdrawn and obj.article.is_public
        return obj.get_absolute_url() if is_shown else None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        with transaction.atomic():
            if request.method == "POST":
                publishing.take_turn()
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Claim, form: Any, change: bool) -> None:
        keep_claim(obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        claim: Claim | None = context.get("original")
        if claim is not None:
            looks_again = claim.has_changed and not claim.is_withdrawn
            became = difference(claim.sentence, claim.similar).paragraphs if looks_again and claim.similar else []
            context |= {
                "subtitle": f"Claim {claim.number}",
                "state": state_of(claim),
                "looks_again": looks_again,
                "became": [piece for paragraph in became for piece in paragraph.pieces],
                "article_form": form_address(claim.article),
                "may_change": self.has_change_permission(request, claim),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what became of the sentence ---

    def get_urls(self) -> list[URLPattern]:
        deeds = {"take": self.take_view, "withdraw": self.withdraw_view, "show": self.show_view}
        return [
            *(
                path(f"<path:object_id>/{deed}/", self.admin_site.admin_view(view), name=f"peacekb_claim_{deed}")
                for deed, view in deeds.items()
            ),
            *super().get_urls(),
        ]

    def take_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the claim be the sentence that now resembles it most."""

        def take(claim: Claim) -> str:
            if not claim.similar:
                return ""
            claim.sentence = claim.similar
            return "The claim is the new sentence now. Look whether its evidence still fits."

        return self._do(request, object_id, take, "Took the new sentence.")

    def withdraw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take the claim and its evidence from readers."""

        def withdraw(claim: Claim) -> str:
            claim.is_withdrawn = True
            return "The claim is withdrawn. Readers are shown neither its mark nor its evidence."

        return self._do(request, object_id, withdraw, "Withdrawn.")

    def show_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let readers have a withdrawn claim again."""

        def show(claim: Claim) -> str:
            claim.is_withdrawn = False
            return "The claim is no longer withdrawn."

        return self._do(request, object_id, show, "Shown again.")

    def _do(self, request: HttpRequest, object_id: str, deed: Any, logged: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        with transaction.atomic():
            publishing.take_turn()
            claim = self.get_object(request, unquote(object_id))
            if claim is None:
                raise Http404("There is no such claim.")
            if not self.has_change_permission(request, claim):
                raise PermissionDenied
            said = deed(claim)
            if said:
                keep_claim(claim)
                self.log_change(request, claim, logged)
                self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:peacekb_claim_change", args=[object_id]))


def state_of(claim: Claim) -> str:
    """Say in a few words what readers have of a claim."""
    if claim.is_withdrawn:
        return "Withdrawn"
    if claim.has_changed:
        return "Look again: the sentence has changed"
    return "Shown in the text" if claim.section_id is not None else "Readers have no text of the article"
