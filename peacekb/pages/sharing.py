"""What other programs are told of a page: pictures and titles for sharing, JSON-LD, translations, icons."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from peacekb.languages import LOCALES, absolute, address_of, plain_addresses
from peacekb.models import MODELS, Article, Kind, Page, Section
from peacekb.models.prepared import prepared
from peacekb.text.sentences import sentence_spans

from .citing import SITE
from .entries import Names

_LONGEST = 300  # characters of a description
_MOST_TERMS = 20  # what an article is about: the terms that it mentions most
_DEEP, _PAPER = "#0b3550", "#ffffff"
# A reader of HTML must find neither the end of the element nor a comment in it, one of JavaScript no line's end.
_ESCAPES = {character: f"\\u{ord(character):04X}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Alternate:
    """The same text in one language; `x-default` is the one for everybody else."""

    language: str
    address: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the head of a text says of it besides title, description and address."""

    picture: str
    language: str
    published: datetime
    changed: datetime
    json_ld: SafeString
    alternates: Sequence[Alternate] = ()
    #: The plain path of the same text in each other language that it is in.
    translations: Mapping[str, str] = field(default_factory=dict)

    @property
    def locale(self) -> str:
        """Give the locale of the text."""
        return LOCALES[self.language]

    @property
    def locales(self) -> list[str]:
        """Give the locales of the translations."""
        return sorted(LOCALES[language] for language in self.translations)


def description(page: Page, beginning: str) -> str:
    """Give the summary of a page, or the first sentence of its text, in at most 300 characters."""
    if page.summary:
        return page.summary
    start, end = next(iter(sentence_spans(beginning)), (0, 0))
    return textwrap.shorten(beginning[start:end], _LONGEST, placeholder=" …")


# --- the head ----------------------------------------------------------------------------------------------------


@plain_addresses()
def of_article(page: Article, mentioned: Sequence[Page]) -> Sharing:
    """Tell of an article found by `entries.find` and of the pages that it mentions. One query."""
    translations = _translations(page)
    return _sharing(page, _article(page, mentioned, translations), translations)


@plain_addresses()
def of_entry(page: Page, names: Names) -> Sharing:
    """Tell of a concept, a role or a task found by `entries.find`. No query."""
    return _sharing(page, _term(page, names), [])


@plain_addresses()
def of_section(page: Page, section: Section) -> Sharing:
    """Tell of one section of an article: where it stands. One query."""
    place = (section.heading or _("Introduction"), section.get_absolute_url())
    return _sharing(page, None, _translations(page), place)


def _sharing(page: Page, thing: dict[str, Any] | None, translations: list[Page], *below: tuple[str, str]) -> Sharing:
    things = [thing, _trail(page, *below)] if thing else [_trail(page, *below)]
    by_language = _by_language(page, translations)
    return Sharing(
        picture=picture(page.kind),
        language=page.language,
        published=page.published_at,  # type: ignore[arg-type]  # a public page is dated
        changed=page.changed,  # type: ignore[attr-defined]
        json_ld=written({"@context": "https://schema.org", "@graph": things}),
        # A section stands for itself: which one is its translation nobody knows.
        alternates=_alternates(page, translations, by_language) if thing else [],
        translations={code: text.get_absolute_url() for code, text in by_language.items() if code != page.language},
    )


def picture(kind: str) -> str:
    """Give the address of the picture of a kind, on this site."""
    return static(f"img/share-{kind}.png")


def written(data: dict[str, Any]) -> SafeString:
    """Write JSON for a `<script>` that holds data."""
    text = json.dumps(data, ensure_ascii=False)
    for character, escaped in _ESCAPES.items():
        text = text.replace(character, escaped)
    # Safe: every character that means something to HTML was escaped just before.
    return mark_safe(text)  # noqa: S308


def _translations(page: Page) -> list[Page]:
    """Give the public texts that are one in several languages, the page among them; none if it stands alone."""
    found = _same_text(original=getattr(page, "translation_of_id", None) or page.pk)
    return found if len(found) > 1 else []


@prepared
def _same_text(*, original: Any) -> QuerySet[Page]:
    same = Article.objects.published().filter(Q(pk=original) | Q(translation_of=original))
    return same.only("kind", "slug", "title", "language", "published_at").order_by("published_at", "pk")


def _by_language(page: Page, translations: list[Page]) -> dict[str, Page]:
    """Give one text a language: the page itself for its own, the oldest where there are two."""
    by_language: dict[str, Page] = {page.language: page}
    for text in translations:
        by_language.setdefault(text.language, text)
    return by_language


def _alternates(page: Page, translations: list[Page], by_language: dict[str, Page]) -> list[Alternate]:
    if not translations:
        return []
    found = [Alternate(language, absolute(text.get_absolute_url())) for language, text in by_language.items()]
    original = getattr(page, "translation_of_id", None) or page.pk
    default = [
        Alternate("x-default", absolute(text.get_absolute_url())) for text in translations if text.pk == original
    ]
    return sorted(found, key=lambda one: one.language) + default


# --- schema.org --------------------------------------------------------------------------------------------------


def _article(page: Article, mentioned: Sequence[Page], translations: list[Page]) -> dict[str, Any]:
    address = absolute(page.get_absolute_url())
    site = {"@type": "Organization", "name": SITE, "url": absolute("/")}
    others = [
        {"@type": "Article", "@id": absolute(text.get_absolute_url()), "inLanguage": text.language}
        for text in translations
        if (text.pk == page.translation_of_id if page.translation_of_id else text.pk != page.pk)
    ]
    return _without_empty(
        {
            "@type": "Article",
            "@id": address,
            "url": address,
            "mainEntityOfPage": address,
            "headline": page.title,
            "description": description(page, page.lead.text if page.lead else ""),
            "inLanguage": page.language,
            "author": [{"@type": "Person", "name": name} for name in page.authors] or site,
            "publisher": site,
            "datePublished": page.published_at.isoformat() if page.published_at else "",
            "dateModified": page.changed.isoformat(),  # type: ignore[attr-defined]
            "version": page.version,  # type: ignore[attr-defined]
            "wordCount": page.words,  # type: ignore[attr-defined]
            "image": absolute(picture(page.kind)),
            "isAccessibleForFree": True,
            "keywords": [row.tag.name for row in page.tagged.all()],
            "about": [
                {"@type": "DefinedTerm", "@id": _term_id(one), "name": one.title}
                for one in [one for one in mentioned if one.kind != Kind.ARTICLE][:_MOST_TERMS]
            ],
            "translationOfWork" if page.translation_of_id else "workTranslation": others,
        }
    )


def _term(page: Page, names: Names) -> dict[str, Any]:
    address = absolute(page.get_absolute_url())
    kinds = absolute(address_of("pages:index", f"{page.kind}s"))
    abroad = [{"@value": label.text, "@language": label.language} for label in names.abroad]
    return _without_empty(
        {
            "@type": "DefinedTerm",
            "@id": _term_id(page),
            "url": address,
            "name": page.title,
            "description": " ".join(page.lead.text.split()) if page.lead else "",
            "alternateName": [*names.also, *abroad],
            "inDefinedTermSet": {"@type": "DefinedTermSet", "@id": kinds, "name": _plural(page.kind)},
            "mainEntityOfPage": {
                "@type": "WebPage",
                "@id": address,
                "inLanguage": page.language,
                "datePublished": page.published_at.isoformat() if page.published_at else "",
                "dateModified": page.changed.isoformat(),  # type: ignore[attr-defined]
            },
        }
    )


def _trail(page: Page, *below: tuple[str, str]) -> dict[str, Any]:
    kinds = address_of("pages:index", f"{page.kind}s")
    steps = [
        (_("Home"), address_of("pages:home")),
        (_plural(page.kind), kinds),
        (page.title, page.get_absolute_url()),
        *below,
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": absolute(address)}
            for position, (name, address) in enumerate(steps, start=1)
        ],
    }


def _term_id(page: Page) -> str:
    """Name the notion apart from the page about it."""
    return f"{absolute(page.get_absolute_url())}#term"


def _plural(kind: str) -> str:
    return capfirst(str(MODELS[kind]._meta.verbose_name_plural))


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None, [])}


# --- machines ----------------------------------------------------------------------------------------------------


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Tell a telephone how the site is kept among its programs. No query."""
    told = {
        "name": f"{SITE}: {_('Diplomacy in peace operations')}",
        "short_name": SITE,
        "lang": settings.LANGUAGE_CODE,
        "start_url": reverse("pages:home"),
        "scope": reverse("pages:home"),
        "display": "minimal-ui",
        "background_color": _PAPER,
        "theme_color": _DEEP,
        "icons": [
            {"src": static("img/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            *(
                # The same file serves both: its ground reaches the edges, and its sign stays away from them.
                {"src": static(f"img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
                for size in (192, 512)
                for use in ("any", "maskable")
            ),
        ],
    }
    return JsonResponse(told, content_type="application/manifest+json")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead programs that look for the icon at the root, without reading a head, to the file. No query."""
    return HttpResponseRedirect(static("img/favicon.ico"))
