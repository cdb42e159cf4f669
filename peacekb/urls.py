"""Addresses: the public pages at the root, in other languages under /fr/ and /ar/, and editing under /admin/."""

from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path

from peacekb.pages.urls import for_programs


def nowhere(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Answer 404: the admin's redirect by content type is not used here, and fails on numbers that no column holds."""
    raise Http404("This address leads nowhere.")


urlpatterns = [
    path("admin/r/<path:rest>", nowhere),
    path("admin/", admin.site.urls),
    path("", include((for_programs, "programs"))),
    *i18n_patterns(path("", include("peacekb.pages.urls")), prefix_default_language=False),
]

handler400 = "peacekb.pages.faults.bad_request"
handler403 = "peacekb.pages.faults.permission_denied"
handler404 = "peacekb.pages.faults.page_not_found"
handler500 = "peacekb.pages.faults.server_error"
