"""Atom feeds (RFC 4287): new and revised texts, those of some tags, and sentences that mention a page."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.contrib.syndication.views import Feed
from django.db.models import F, Prefetch, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape, format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from peacekb.languages import absolute
from peacekb.models import MODELS, Mention, Page, TaggedPage

from . import entries, tags
from .citing import SITE
from .sharing import description

ENTRIES = 50
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# An empty feed needs a date that stays the same.
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class _Atom(Atom1Feed):
    """What Django's Atom leaves out: the language and all authors of an entry, and a date of an empty feed."""

    def latest_post_date(self) -> datetime:
        """Give the date of the newest entry."""
        return super().latest_post_date() if self.items else _BEGINNING

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        """Give the attributes of an entry."""
        return {"xml:lang": item["language"]}

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        """Write one entry. Where a text has no author, the feed's own counts."""
        super().add_item_elements(handler, item)
        for name in item["authors"]:
            handler.startElement("author", {})
            handler.addQuickElement("name", _xml(name))
            handler.endElement("author")


class _Feed(Feed):  # type: ignore[type-arg]  # Django's takes no arguments when it runs
    """What all feeds share. An entry is a `_Entry`; addresses come from the settings, never from a request's Host."""

    feed_type = _Atom
    author_name = SITE

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Give the source that the view made."""
        return kwargs["source"]

    def title(self, obj: "_Source") -> str:
        """Name the feed."""
        return _xml(f"{obj.title} · {SITE}")

    def link(self, obj: "_Source") -> str:
        """Give the address of the page that shows the same."""
        return absolute(obj.shown_at)

    def feed_url(self, obj: "_Source") -> str:
        """Give the feed's own address."""
        return absolute(obj.address)

    feed_guid = feed_url

    def items(self, obj: "_Source") -> "list[_Entry]":
        """Give the entries."""
        return obj.entries

    def item_title(self, item: "_Entry") -> str:
        """Give a title, in plain text."""
        return _xml(item.title)

    def item_description(self, item: "_Entry") -> str:
        """Give a summary in HTML."""
        return _xml(item.html)

    def item_link(self, item: "_Entry") -> str:
        """Give the address of the text."""
        return absolute(item.path)

    def item_guid(self, item: "_Entry") -> str:
        """Give an id that stays when the address changes."""
        return uuid5(NAMESPACE_URL, absolute(item.key)).urn

    def item_pubdate(self, item: "_Entry") -> datetime:
        """Give the date of the text."""
        return item.page.published_at  # type: ignore[return-value]  # a public page is dated

    def item_updateddate(self, item: "_Entry") -> datetime:
        """Give the date of its version."""
        changed: datetime = item.page.changed  # type: ignore[attr-defined]
        return changed

    def item_categories(self, item: "_Entry") -> list[str]:
        """Give the kind and the tags."""
        return [_xml(name) for name in item.categories]

    def item_extra_kwargs(self, item: "_Entry") -> dict[str, Any]:
        """Give what `_Atom` writes beyond Django's."""
        return {"language": item.page.language, "authors": getattr(getattr(item.page, "article", None), "authors", ())}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a feed. `page` has `changed` from `entries.with_versions`; `key` tells it from all others."""

    page: Page
    key: str
    title: str
    html: str
    path: str
    categories: list[str]


@dataclass(frozen=True, slots=True)
class _Source:
    """What one feed holds; `shown_at` is the path of the page that shows the same."""

    title: str
    address: str
    shown_at: str
    entries: list[_Entry]


def _xml(text: str) -> str:
    """Take away what XML has no way to write, such as a form feed in a copied text."""
    return _NOT_IN_XML.sub("", text)


def _feed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 304 to who has the same bytes. No date in a feed is its own: a text that is withdrawn leaves none."""

    @require_safe
    @conditional_page
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        del response["Last-Modified"]
        return response

    return answered


@_feed
def news(request: HttpRequest) -> HttpResponse:
    """Give the texts of every kind, the last changed first. Two queries."""
    found = _texts(Page.objects.published())
    source = _Source(_("New and revised texts"), reverse("programs:feed"), reverse("pages:home"), found)
    return _Feed()(request, source=source)


@_feed
def tag(request: HttpRequest, expression: str) -> HttpResponse:
    """Give the texts of a combination of tags, the last changed first. Three queries."""
    combination = tags.combination(expression)
    own = reverse("programs:tag_feed", kwargs={"expression": combination.expression})
    if combination.expression != expression:
        return HttpResponsePermanentRedirect(own)
    word = _("or") if combination.either else _("and")
    title = f" {word} ".join(tag.name for tag in combination.tags)
    return _Feed()(request, source=_Source(title, own, combination.address(), _texts(combination.pages())))


@_feed
def mentions(request: HttpRequest, kinds: str, slug: str) -> HttpResponse:
    """Give the sentences that mention a page, those of the text last changed first. Three queries.

    A sentence has the dates of its text. Its id is made of its words: it is new where they are, not where it moves.
    """
    kind = kinds.removesuffix("s")
    page = MODELS[kind].objects.published().filter(slug=slug).defer("source").first()
    if page is None:
        return entries.elsewhere(request, kind, slug, view="programs:mentions_feed")
    address = {"kinds": kinds, "slug": page.slug}
    source = _Source(
        _("Mentions of “%(title)s”") % {"title": page.title},
        reverse("programs:mentions_feed", kwargs=address),
        reverse("pages:mentions", kwargs=address),
        list(_sentences(page))[:ENTRIES],
    )
    return _Feed()(request, source=source)


def _last_changed(pages: QuerySet[Page]) -> QuerySet[Page]:
    """Give the texts last changed, with their authors where they have any."""
    order = ("-changed", "kind", "title", "pk")
    # Keys first: to sort whole rows takes twice as long.
    newest = entries.with_versions(pages).order_by(*order).values("pk")[:ENTRIES]
    found: QuerySet[Page] = entries.with_versions(entries.listed(Page.objects.filter(pk__in=newest)))
    return found.select_related("article").order_by(*order)


def _texts(pages: QuerySet[Page]) -> list[_Entry]:
    tagged = Prefetch("tagged", TaggedPage.objects.select_related("tag").order_by("tag__name"))
    return [
        _Entry(
            page=page,
            key=f"/{page.pk}",
            title=page.title,
            html=escape(description(page, page.definition)),  # type: ignore[attr-defined]
            path=page.get_absolute_url(),
            categories=[page.get_kind_display(), *(row.tag.name for row in page.tagged.all())],
        )
        for page in _last_changed(pages).prefetch_related(tagged)
    ]


def _sentences(target: Page) -> Iterator[_Entry]:
    """Give each sentence of the texts last changed once, in the order of the text."""
    all_of_them = Mention.objects.filter(target=target.pk, in_heading=False)
    mentioning = all_of_them.values("section__page")
    pages = {page.pk: page for page in _last_changed(Page.objects.published().filter(pk__in=mentioning))}
    nth = Window(RowNumber(), partition_by=F("section__page"), order_by=["section__position", "start"])
    found = (
        all_of_them.filter(section__page__in=pages)
        .annotate(nth=nth)
        .filter(nth__lte=ENTRIES)
        .select_related("section")
        .only("paragraph", "start", "end", "sentence_start", "sentence", "section__anchor", "section__page")
        .order_by("section__position", "start")
    )
    by_page: dict[int, dict[str, Mention]] = {pk: {} for pk in pages}
    for mention in found:
        by_page[mention.section.page_id].setdefault(mention.sentence, mention)
    for pk, sentences in by_page.items():
        page = pages[pk]
        for sentence, mention in sentences.items():
            place = f"p{mention.paragraph}" if mention.paragraph else mention.section.anchor
            paragraph = _("para. %(number)s") % {"number": mention.paragraph} if mention.paragraph else ""
            yield _Entry(
                page=page,
                key=f"/{target.pk}/{pk}/{sentence}",
                title=", ".join(filter(None, (page.title, paragraph))),
                html=format_html("{}<mark>{}</mark>{}", mention.before, mention.surface, mention.after),
                path=f"{page.get_absolute_url()}#{place}",
                categories=[page.get_kind_display()],
            )
