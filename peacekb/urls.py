"""Addresses: the public pages at the root, editing under /admin/."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path


def nowhere(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Answer 404: the admin's redirect by content type is not used here, and fails on numbers that no column holds."""
    raise Http404("This address leads nowhere.")


urlpatterns = [
    path("admin/r/<path:rest>", nowhere),
    path("admin/", admin.site.urls),
    path("", include("peacekb.pages.urls")),
]

handler400 = "peacekb.pages.views.bad_request"
handler403 = "peacekb.pages.views.permission_denied"
handler404 = "peacekb.pages.views.page_not_found"
handler500 = "peacekb.pages.views.server_error"
