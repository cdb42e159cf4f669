"""Tags: their names, synonyms and broader tags, and merging two of them."""

from typing import Any

import taggit.admin  # noqa: F401  registers its own admin of tags, which ours replaces
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from taggit.models import Tag

from peacekb.models import Language, Page, TagName
from peacekb.publishing.tags import Name, TagRefused, check, merge_tags, pages_with, save_tag

from .fields import TAG_LENGTH, LinesField, OneLineField, SeenField, TagsField
from .publishing_admin import form_address, state_of
from .safety import is_key
from .vocabulary import UsedAdmin

_Kind = TagName.TagNameKind
#: So many pages are named before a merge; the rest is counted.
_NAMED_AT_MOST = 100


_LINE = {"class": "vTextField", "dir": "auto"}


def _name_field(called: str) -> OneLineField:
    widget = forms.TextInput(attrs=_LINE)
    return OneLineField(required=False, max_length=TAG_LENGTH, label=f"Name in {called}", widget=widget)


def _synonyms_field(called: str) -> LinesField:
    said = "Other words for the same, one a line. They lead readers to this tag."
    return LinesField(required=False, label=f"Synonyms in {called}", help_text=said)


class TagForm(forms.ModelForm):  # type: ignore[type-arg]
    """A tag with what is stored beside it: one field a language for its name, and one for synonyms."""

    name = OneLineField(max_length=TAG_LENGTH, widget=forms.TextInput(attrs=_LINE))
    name_fr = _name_field("French")
    name_ar = _name_field("Arabic")
    also_en = _synonyms_field("English")
    also_fr = _synonyms_field("French")
    also_ar = _synonyms_field("Arabic")
    broader = TagsField(
        required=False, label="Broader tags", help_text="Tags that mean this and more, separated by commas."
    )

    class Meta:
        model = Tag
        fields = ("name", "slug")
        help_texts = {"slug": "The last part of the tag's address. An old one leads to the new one."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        names = list(self.instance.other_names.exclude(kind=_Kind.FORMER))
        for language in Language.values:
            self.initial[f"also_{language}"] = [
                name.text for name in names if (name.language, name.kind) == (language, _Kind.ALT)
            ]
        self.initial.update({f"name_{name.language}": name.text for name in names if name.kind == _Kind.PREF})
        self.initial["broader"] = list(Tag.objects.filter(narrower_rows__narrower=self.instance).order_by("name"))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        other = Tag.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).first()
        if other is not None:
            raise ValidationError(
                "The tag “%(name)s” exists already. Use that one.", code="tag_exists", params={"name": other.name}
            )
        if "," in name or '"' in name:
            raise ValidationError("A tag holds no commas and no quotation marks.", code="tag_not_writable")
        return name

    def clean_broader(self) -> list[Tag]:
        tags = []
        for name in self.cleaned_data["broader"]:
            tag = Tag.objects.filter(name__iexact=name).first()
            if tag is None:
                raise ValidationError(
                    "There is no tag “%(name)s”. Add it first.", code="tag_unknown", params={"name": name}
                )
            tags.append(tag)
        return tags

    def _post_clean(self) -> None:
        """Hold the whole against all other tags, once the tag has what was written."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                check(self.instance, self.names(), self.cleaned_data["broader"])
            except TagRefused as refused:
                self.add_error(None, ValidationError(str(refused), code="tag_refused"))

    def names(self) -> list[Name]:
        """Give the names that were written."""
        found = []
        for language in Language.values:
            if name := self.cleaned_data.get(f"name_{language}"):
                found.append(Name(name, language, _Kind.PREF))
            found += [Name(text, language) for text in self.cleaned_data[f"also_{language}"]]
        return found


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        queryset=Tag.objects.none(),
        label="Into",
        help_text="It stays, and takes the pages, names and addresses of the other one.",
        error_messages={"required": "Choose the tag that stays.", "invalid_choice": "Choose a tag from the list."},
    )
    seen = SeenField()

    def __init__(self, gone: Tag, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        into: Any = self.fields["into"]
        into.queryset = Tag.objects.exclude(pk=gone.pk).order_by("name")


admin.site.unregister(Tag)


@admin.register(Tag)
class TagAdmin(UsedAdmin):
    """Tags have no drafts: what is stored here, readers see at once."""

    form = TagForm
    change_form_template = "admin/peacekb/tag_form.html"
    list_display = ["name", "slug", "count_of_pages"]
    list_per_page = 100
    search_fields = ["name", "slug", "other_names__text"]
    search_help_text = "A name, synonym or address."
    ordering = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["count_of_pages", "former_names"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["name", "slug", "broader"]}),
        ("In other languages", {"fields": ["name_fr", "name_ar"]}),
        ("Synonyms", {"fields": ["also_en", "also_fr", "also_ar"]}),
        ("Use", {"fields": ["count_of_pages", "former_names"]}),
    ]

    class Media:
        css = {"all": ["css/admin.css"]}

    def pages_using(self, objs: list[Any]) -> models.QuerySet[Page]:
        return pages_with(objs)

    def uses(self) -> models.Count:
        return models.Count("tagged_pages")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:-1]

    @admin.display(description="former names and addresses")
    def former_names(self, tag: Tag) -> str:
        former = tag.other_names.filter(kind=_Kind.FORMER).order_by("slug")
        return ", ".join(f"{name.text} (/{name.slug}/)" for name in former) or "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the tag with all that is known of it; the index knows pages by the names of their tags, and follows."""
        save_tag(obj, form.names(), form.cleaned_data["broader"])

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Say the way out where pages use one of the tags: it can be merged into another."""
        to_delete, counts, needed, protected = super().get_deleted_objects(objs, request)
        if protected:
            protected += [
                format_html('<a href="{}">Merge “{}” into another tag</a> instead', merge_address(tag), tag.name)
                for tag in objs
            ]
        return to_delete, counts, needed, protected

    # --- merging ---

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.merge_view)
        return [path("<str:key>/merge/", view, name="taggit_tag_merge"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_merge": self._may_merge(request)}
        return super().change_view(request, object_id, form_url, context)

    def _may_merge(self, request: HttpRequest) -> bool:
        """Merging takes a tag away, so it needs what deleting one does."""
        return self.has_change_permission(request) and self.has_delete_permission(request)

    def merge_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Choose the tag that stays, look at the pages concerned, and merge. What changed meanwhile is shown again."""
        gone = Tag.objects.filter(pk=key).first() if is_key(key) else None
        if gone is None:
            raise Http404("No such tag.")
        if not self._may_merge(request):
            raise PermissionDenied
        form = MergeForm(gone, request.POST or None)
        kept = form.cleaned_data["into"] if form.is_valid() else None
        pages = list(pages_with([gone]).defer("source").order_by("title", "pk"))
        seen = " ".join(str(page.pk) for page in pages)
        if kept is not None and "_confirmed" in request.POST and form.cleaned_data["seen"] == f"{kept.pk}: {seen}":
            return self._merge(request, gone, kept)
        back = reverse("admin:taggit_tag_change", args=[gone.pk])
        shown = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": f"Merge “{gone.name}” into another tag",
            "form": form,
            "gone": gone,
            "kept": kept,
            "seen": f"{kept.pk}: {seen}" if kept else "",
            "others_now": "_confirmed" in request.POST and not form.errors,
            "pages": [(page, form_address(page), state_of(page)) for page in pages[:_NAMED_AT_MOST]],
            "number": len(pages),
            "more": max(0, len(pages) - _NAMED_AT_MOST),
            "back": back,
            "trail": [(reverse("admin:taggit_tag_changelist"), "Tags"), (back, gone.name)],
        }
        return TemplateResponse(request, "admin/peacekb/merge_tags.html", shown)

    def _merge(self, request: HttpRequest, gone: Tag, kept: Tag) -> HttpResponse:
        with transaction.atomic():
            self.log_deletions(request, Tag.objects.filter(pk=gone.pk))
            number = merge_tags(gone, kept)
            self.log_change(request, kept, f"Took the pages and names of “{gone.name}”.")
        pages = "1 page" if number == 1 else f"{number:,} pages"
        said = f"“{gone.name}” is merged into “{kept.name}”: {pages}. Its address leads there now."
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:taggit_tag_change", args=[kept.pk]))


def merge_address(tag: Tag) -> str:
    """Give the address at which a tag is merged into another."""
    return reverse("admin:taggit_tag_merge", args=[tag.pk])
