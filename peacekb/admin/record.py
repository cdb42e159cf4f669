"""Editing the record: actors, operations, cases and the timeline."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from peacekb.models import (
    Actor,
    Case,
    Contribution,
    Edition,
    Event,
    Instrument,
    Membership,
    Operation,
    Participation,
    Resolution,
)

from .page_forms import ActorForm, CaseForm, OperationForm
from .publishing_admin import LabelInline, PublishingAdmin, TagFilter
from .safety import OneOfMany, SafeAdmin

if TYPE_CHECKING:
    RowsOfPage = admin.TabularInline[Any, Any]
else:
    RowsOfPage = admin.TabularInline

ROWS_AT_MOST = 150
_CHECKS: Any = (
    "Dates and checks",
    {"classes": ["collapse"], "fields": ["published_at", "review_by", ("verified", "verified_url"), "unlinked"]},
)


class PartInline(RowsOfPage):
    """Rows that are part of a page: whoever may change the page may change them."""

    extra = 1
    max_num = ROWS_AT_MOST

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Make no more rows than a page can use, whatever number was sent: each of them costs time."""
        return super().get_formset(request, obj, **{"absolute_max": ROWS_AT_MOST, **kwargs})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = OneOfMany(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._of_page(request, "view") or self._of_page(request, "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._of_page(request, "change") or self._of_page(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._of_page(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._of_page(request, "change")

    def _of_page(self, request: HttpRequest, deed: str) -> bool:
        return request.user.has_perm(f"peacekb.{deed}_{self.parent_model._meta.model_name}")


class MembershipInline(PartInline):
    model = Membership
    fk_name = "actor"
    autocomplete_fields = ["organization"]


class ContributionInline(PartInline):
    model = Contribution
    autocomplete_fields = ["source"]


class ResolutionInline(PartInline):
    model = Resolution


class ParticipationInline(PartInline):
    model = Participation
    autocomplete_fields = ["actor", "role"]


class InstrumentInline(PartInline):
    model = Instrument


@admin.register(Actor)
class ActorAdmin(PublishingAdmin):
    form = ActorForm
    list_display = ["title", "type", "state", "language", "published", "changed"]
    list_filter = ["status", "type", "language", TagFilter]
    ordering = ["title", "pk"]
    autocomplete_fields = ["described_by", "sources"]
    inlines = [MembershipInline, ContributionInline, LabelInline]
    fieldsets = [
        (None, {"fields": ["title", "slug", "language", ("type", "iso_code"), "described_by", "summary", "source"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Operation)
class OperationAdmin(PublishingAdmin):
    form = OperationForm
    list_display = ["title", "acronym", "start", "end", "state", "changed"]
    list_filter = ["status", "region", "language", TagFilter]
    search_fields = [*PublishingAdmin.search_fields, "acronym"]
    ordering = ["start", "pk"]
    autocomplete_fields = ["countries", "sources"]
    inlines = [ResolutionInline, LabelInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("title", "slug", "language", ("acronym", "region"), ("start", "end", "deployed_on")),
                    *("countries", "summary", "source"),
                ]
            },
        ),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Case)
class CaseAdmin(PublishingAdmin):
    form = CaseForm
    list_display = ["title", "signed", "result", "state", "changed"]
    list_filter = ["status", "result", "region", "language", TagFilter]
    ordering = ["-signed", "pk"]
    autocomplete_fields = ["countries", "operations", "concepts", "sources"]
    inlines = [ParticipationInline, InstrumentInline, LabelInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("title", "slug", "language", "conflict", ("region", "start_year", "end_year")),
                    *(("signed", "result"), "parties", "summary", "source"),
                ]
            },
        ),
        ("Relations", {"fields": ["countries", "operations", "concepts"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        _CHECKS,
    ]


@admin.register(Event)
class EventAdmin(SafeAdmin):
    """The timeline. A change is public at once."""

    list_display = ["title", "date", "verified"]
    list_filter = ["verified"]
    list_per_page = 50
    search_fields = ["title", "text", "slug"]
    search_help_text = "Title, text or address."
    ordering = ["date", "slug"]
    show_full_result_count = False
    prepopulated_fields = {"slug": ["date", "title"]}
    autocomplete_fields = ["operations", "cases", "source"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "date", "text", "note"]}),
        ("Relations", {"fields": ["operations", "cases"]}),
        ("Checks", {"fields": ["source", "verified"]}),
    ]

    class Media:
        css = {"all": ["css/admin.css"]}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        Edition.advance()

    def delete_model(self, request: HttpRequest, obj: Event) -> None:
        super().delete_model(request, obj)
        Edition.advance()

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Event]) -> None:
        super().delete_queryset(request, queryset)
        Edition.advance()
