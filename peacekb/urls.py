"""Addresses: the public pages at the root, editing under /admin/."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("peacekb.pages.urls")),
]

handler400 = "peacekb.pages.views.bad_request"
handler403 = "peacekb.pages.views.permission_denied"
handler404 = "peacekb.pages.views.page_not_found"
handler500 = "peacekb.pages.views.server_error"
