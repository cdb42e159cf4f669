"""What no list and no form may fail on, whoever wrote the address."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin


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
    that are words."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if any("\x00" in value for values in request.GET.lists() for value in values[1]):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        try:
            return super().changelist_view(request, extra_context)
        except (OverflowError, DataError, IncorrectLookupParameters):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term.replace("\x00", " "))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id, from_field) if is_key(object_id) else None

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
