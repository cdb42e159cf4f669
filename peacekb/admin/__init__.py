"""Editing. Everything that an editor writes about a page goes through `peacekb.publishing`."""

from django.contrib import admin

from . import (
    articles,
    changes,
    claims,
    mentions,
    people,
    record,
    revisions,
    searches,
    suggested_names,
    tags,
    vocabulary,
)

__all__ = [
    "articles",
    "changes",
    "claims",
    "mentions",
    "people",
    "record",
    "revisions",
    "searches",
    "suggested_names",
    "tags",
    "vocabulary",
]

admin.site.site_header = "PeaceKB"
admin.site.site_title = "PeaceKB"
admin.site.index_title = "Editing"
