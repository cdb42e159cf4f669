"""Editing essays and reference entries."""

from django.contrib import admin

from peacekb.models import Article

from .page_forms import ArticleForm
from .publishing_admin import PublishingAdmin, TagFilter


@admin.register(Article)
class ArticleAdmin(PublishingAdmin):
    form = ArticleForm
    list_display = ["title", "state", "standpoint", "language", "published", "changed"]
    list_filter = ["status", "standpoint", "language", TagFilter]
    date_hierarchy = "published_at"
    ordering = ["-updated_at", "pk"]
    autocomplete_fields = ["sources", "translation_of"]
    fieldsets = [
        (None, {"fields": ["title", "slug", ("language", "standpoint"), "authors", "summary", "source"]}),
        ("Found by", {"fields": ["tags", "sources"]}),
        (
            "Dates and checks",
            {
                "classes": ["collapse"],
                "fields": ["published_at", "review_by", ("verified", "verified_url"), "translation_of", "unlinked"],
            },
        ),
    ]
