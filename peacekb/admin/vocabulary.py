"""Editing the vocabulary: concepts, roles, tasks, and the names and sources that all pages share."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from peacekb.models import Concept, Label, Page, Role, Source, Task

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
