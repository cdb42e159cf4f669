"""Editing the vocabulary: concepts, roles, tasks, and the names, tags and sources that all pages share."""

from typing import Any

import taggit.admin  # noqa: F401  registers its own admin of tags, which ours replaces
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from taggit.models import Tag

from peacekb import publishing
from peacekb.models import Concept, Label, Page, Role, Source, Status, TaggedPage, Task

from .fields import TAG_LENGTH, OneLineField
from .page_forms import ConceptForm, RoleForm, TaskForm
from .publishing_admin import PublishingAdmin, TagFilter, form_address
from .safety import ReadOnly, SafeAdmin

_CHECKS: Any = (
    "Dates and checks",
    {"classes": ["collapse"], "fields": ["published_at", "review_by", ("verified", "verified_url"), "unlinked"]},
)


class VocabularyAdmin(PublishingAdmin):
    """What concepts, roles and tasks share."""

    list_filter = ["status", "language", ("phase_set__phase", admin.ChoicesFieldListFilter), TagFilter]
    ordering = ["title", "pk"]


@admin.register(Concept)
class ConceptAdmin(VocabularyAdmin):
    form = ConceptForm
    autocomplete_fields = ["broader", "related", "sources"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "language", "phases", "summary", "source"]}),
        ("Relations", {"fields": ["broader", "related"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Role)
class RoleAdmin(VocabularyAdmin):
    form = RoleForm
    autocomplete_fields = ["performs", "concepts", "sources"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "language", "phases", "summary", "source"]}),
        ("Relations", {"fields": ["performs", "concepts"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Task)
class TaskAdmin(VocabularyAdmin):
    form = TaskForm
    list_filter = [*VocabularyAdmin.list_filter, "pillar"]
    autocomplete_fields = ["concepts", "sources"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "language", ("phase", "pillar"), "seed", "summary", "source"]}),
        ("Relations", {"fields": ["concepts"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Label)
class LabelAdmin(ReadOnly, SafeAdmin):
    """Every name in one list. Names are changed in the form of their page."""

    list_display = ["name", "page_kind", "language", "kind", "case_sensitive", "ambiguous"]
    list_display_links = None
    list_filter = ["language", "kind", "ambiguous", "case_sensitive", "page__kind"]
    list_select_related = ["page"]
    list_per_page = 100
    search_fields = ["text", "page__title"]
    search_help_text = "A name, or the title of its page."
    ordering = ["text", "pk"]
    show_full_result_count = False

    @admin.display(description="name", ordering="text")
    def name(self, label: Label) -> SafeString:
        of = "" if label.text == label.page.title else f" → {label.page.title}"
        return format_html('<a href="{}">{}</a>{}', form_address(label.page), label.text, of)

    @admin.display(description="kind of page", ordering="page__kind")
    def page_kind(self, label: Label) -> str:
        return label.page.get_kind_display()


class UsedAdmin(SafeAdmin):
    """What pages use: it cannot be deleted as long as they do, and a change of it reaches their derived rows."""

    def pages_using(self, objs: list[Any]) -> models.QuerySet[Page]:
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        counted: models.QuerySet[Any] = super().get_queryset(request).annotate(uses=self.uses())
        return counted

    def uses(self) -> models.Count:
        raise NotImplementedError

    @admin.display(description="pages", ordering="uses")
    def count_of_pages(self, obj: Any) -> int:
        uses: int = obj.uses
        return uses

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Name the pages that stand in the way; the confirmation page then deletes nothing."""
        to_delete, counts, needed, protected = super().get_deleted_objects(objs, request)
        using = [
            format_html('{}: <a href="{}">{}</a> uses it', page.get_kind_display(), form_address(page), page.title)
            for page in self.pages_using(list(objs))
        ]
        return to_delete, counts, needed, [*protected, *using]


@admin.register(Source)
class SourceAdmin(UsedAdmin):
    list_display = ["title", "author", "year", "type", "symbol", "verified", "count_of_pages"]
    list_filter = ["type", "verified"]
    list_per_page = 50
    search_fields = ["title", "author", "symbol", "slug"]
    search_help_text = "Title, author, document symbol or address."
    prepopulated_fields = {"slug": ["title"]}
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["title", "slug", "type", "author", ("year", "date"), "publisher", "symbol", "url"]}),
        ("Checks", {"fields": ["verified", "verified_url", "note"]}),
    ]

    def pages_using(self, objs: list[Any]) -> models.QuerySet[Page]:
        return Page.objects.filter(sources__in=objs).distinct()

    def uses(self) -> models.Count:
        return models.Count("pages")


class TagForm(forms.ModelForm):  # type: ignore[type-arg]
    name = OneLineField(max_length=TAG_LENGTH, widget=forms.TextInput(attrs={"class": "vTextField", "dir": "auto"}))

    class Meta:
        model = Tag
        fields = ("name", "slug")
        help_texts = {"slug": "The last part of the tag's address. Changing it breaks links to the old one."}

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


admin.site.unregister(Tag)


@admin.register(Tag)
class TagAdmin(UsedAdmin):
    form = TagForm
    list_display = ["name", "slug", "count_of_pages"]
    list_per_page = 100
    search_fields = ["name", "slug"]
    ordering = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    show_full_result_count = False

    def pages_using(self, objs: list[Any]) -> models.QuerySet[Page]:
        return Page.objects.filter(pk__in=TaggedPage.objects.filter(tag__in=objs).values("content_object"))

    def uses(self) -> models.Count:
        return models.Count("tagged_pages")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the tag; the index knows pages by the names of their tags, so it follows."""
        with transaction.atomic():
            # Before the tag is stored, which counts as a change for readers: every deed has this order.
            publishing.take_turn()
            super().save_model(request, obj, form, change)
            if change and form.has_changed():
                publishing.recompose(self.pages_using([obj]).filter(status=Status.PUBLISHED))
