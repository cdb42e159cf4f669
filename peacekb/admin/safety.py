"""What no list and no form may fail on, whoever wrote the address."""

from collections.abc import Sequence
from datetime import MAXYEAR
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import BadRequest
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin

# How the filters beside a list, and the dates above it, ask for the value of a field.
_ASKED_BY_FILTERS = ("", "__exact", "__isnull", "__id__exact", "__gte", "__lt")
_ASKED_BY_DATES = ("__year", "__month", "__day")
SEARCH_LENGTH = 200


def is_key(text: str) -> bool:
    """Tell whether a text can be the key of a row: a number that the column holds."""
    return text.isascii() and text.isdecimal() and len(text) < 19


# Stock widgets look up whatever was sent, and fail on a word. Nothing has the key 0, so the field refuses it.
class OneOfMany(AutocompleteSelect):
    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return value if not value or is_key(value) else "0"


class SomeOfMany(AutocompleteSelectMultiple):
    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        values = super().value_from_datadict(data, files, name)
        return [value if is_key(value) else "0" for value in values or ()]


class SafeAdmin(AnyModelAdmin):
    """An admin that answers addresses nobody's browser made: NUL bytes, numbers that no column holds, foreign keys
    that are words, patterns that a database would try for minutes."""

    #: What links of our own ask of a list, besides its filters.
    linked_lookups: Sequence[str] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow what the filters beside a list ask, and nothing else; other lookups are answered with 400."""
        asked = {*self.linked_lookups, *(f"{self.date_hierarchy}{part}" for part in _ASKED_BY_DATES)}
        filters: Any = self.list_filter
        for each in filters:
            if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                asked.add(str(each.parameter_name))
            else:
                path = each if isinstance(each, str) else each[0]
                asked.update(f"{path}{part}" for part in _ASKED_BY_FILTERS)
        if lookup.endswith(_ASKED_BY_DATES):
            return lookup in asked and is_key(value) and 0 < int(value) < MAXYEAR
        return lookup in asked and (is_key(value) or not lookup.endswith("__id__exact"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        asked = [value for values in request.GET.lists() for value in values[1]]
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if any("\x00" in value for value in asked) or not all(map(is_key, chosen)):
            return _without_filters(request)
        try:
            response = super().changelist_view(request, extra_context)
            if isinstance(response, SimpleTemplateResponse):
                response.render()  # Only now are the rows asked for, and the dates above them read.
        except (OverflowError, DataError):
            return _without_filters(request)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if "_saveasnew" in request.POST:
            # No form here has that button, and Django then forgets which row it shows.
            raise BadRequest("A row is not saved as a new one.")
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (OverflowError, DataError) as unfit:
            raise BadRequest("The form holds a number that no row can have.") from unfit

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term.replace("\x00", " ")[:SEARCH_LENGTH])

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id) if is_key(object_id) else None

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Let other forms refer to rows by their key alone; others are answered with 400."""
        return to_field in (self.opts.pk.name, self.opts.pk.attname)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.SlugField):
            field.error_messages["invalid"] = "Use letters, digits and hyphens only."
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = OneOfMany(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = SomeOfMany(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Forms begin empty: nothing is taken from the address, where it could be anything."""
        return {}

    def view_on_site(self, obj: Any) -> str | None:
        """Give the public address itself, not one that looks it up by two numbers."""
        address: str | None = obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None
        return address


class ReadOnly(AnyModelAdmin):
    """For rows that are looked at and never written here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _without_filters(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
