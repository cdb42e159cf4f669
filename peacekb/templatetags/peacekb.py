"""How the public templates write values."""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape, unescape
from math import ceil
from typing import NamedTuple, Protocol

from django import template
from django.conf import settings
from django.template import Context
from django.template.base import FilterExpression, Parser, Token, token_kwargs
from django.utils import timezone
from django.utils.encoding import uri_to_iri
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, ngettext, pgettext
from django.utils.translation import gettext as _

from peacekb import languages
from peacekb.models import Kind, Language, Page, Section
from peacekb.search.marks import CLOSE, OPEN, Snippet

register = template.Library()
# A search of 1,000 characters in another script, each of them six letters in an address, and its filters.
_LONGEST_ADDRESS = 8_000
register.filter("day", languages.day, expects_localtime=True)

_WORDS_A_MINUTE = 200
_MOST_KEPT = 500  # pieces that a place of a template keeps
_OWN_LINK = re.compile(r'(<a\b[^>]*? href=")(/(?!/)[^"]*)')
_NAMES_OF_KINDS = {
    "articles": lambda: _("Articles"),
    "concepts": lambda: _("Concepts"),
    "roles": lambda: _("Roles"),
    "tasks": lambda: _("Tasks"),
    "actors": lambda: _("Actors"),
    "operations": lambda: _("Operations"),
    "cases": lambda: _("Cases"),
}


class _Choice(Protocol):
    label: str
    number: int
    address: str


class _Found(Protocol):
    heading: str
    snippet: Snippet
    address: str


class _FoundPage(Protocol):
    page: Page
    sections: Sequence[_Found]


@register.filter
def marked(text: str) -> SafeString:
    """Escape a text from the index, then turn the marks of its hits into `<mark>`."""
    # Safe: what is marked was escaped just before, and nothing but the two elements is put into it.
    return mark_safe(escape(text).replace(OPEN, "<mark>").replace(CLOSE, "</mark>"))  # noqa: S308


@register.filter
def shortened(text: str, longest: int) -> str:
    """Give the first sentence of a text, or as many whole words as fit into `longest` characters."""
    line = " ".join(text.split())
    sentence, end, _rest = line.partition(". ")
    if end and len(sentence) < longest:
        return f"{sentence}."
    return beginning(line, longest)


@register.filter
def beginning(text: str, longest: int) -> str:
    """Give as many whole words of a text as fit into `longest` characters."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return line[: longest + 1].rpartition(" ")[0].rstrip(",;:–") + " …"


@register.filter
def minutes(words: int) -> str:
    """Say how long a text takes to read."""
    number = max(1, ceil(words / _WORDS_A_MINUTE))
    return ngettext("%(number)s minute", "%(number)s minutes", number) % {"number": number}


@register.filter
def stored_html(html: str) -> SafeString:
    """Give HTML of a section, its links to pages of this site in the language of the page that shows it.

    Only for HTML made safe by `text/sanitize.py`: in it, no `<` stands unescaped in a text.
    """
    # Safe: it was before, and an address of ours gets nothing but the prefix of a language.
    return mark_safe(_OWN_LINK.sub(_led_on, html) if languages.spoken() != settings.LANGUAGE_CODE else html)  # noqa: S308


def _led_on(link: re.Match[str]) -> str:
    opening, address = link.groups()
    if languages.is_for_readers(unescape(address)):
        address = languages.in_language(address, languages.spoken())
    return f"{opening}{address}"


@register.filter
def has_notes(sections: Iterable[Section]) -> bool:
    """Tell whether one of the sections has notes."""
    return any(section.notes_html for section in sections)


@register.filter
def paragraph_range(section: Section) -> str:
    """Give "4" or "2–3", the paragraphs of a section, kept together in text of any direction."""
    first, last = section.first_paragraph, section.last_paragraph
    if first is None:
        return ""
    return format_html("<bdi>{}</bdi>", f"{first}" if first == last else f"{first}–{last}")


@register.filter
def language_name(code: str) -> str:
    """Give the name of a language in itself, or its code where Django knows none."""
    if code in Language.values:
        return str(Language(code).label)
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


@register.filter
def language_told(code: str) -> str:
    """Give the name of a language in the language of the page, or its code where Django knows none."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


@register.filter
def direction(code: str) -> str:
    """Give `rtl` or `ltr` for a language."""
    return "rtl" if code.split("-")[0] in ("ar", "fa", "he", "ps", "ur") else "ltr"


@register.filter
def readable(address: str) -> str:
    """Give an address with the letters of its script instead of their codes."""
    return uri_to_iri(address)


@register.filter
def plural_name(kinds: str) -> str:
    """Give the heading of a list of a kind: `roles` → "Roles"."""
    return _NAMES_OF_KINDS[kinds]()


@register.filter
def link(page: Page, look: str = "") -> SafeString:
    """Link an entry by its name, with a class for its looks; concepts have one of their own.

    A page holds dozens of such links, and to look up their values in a template takes five times as long.
    """
    looks = " ".join(filter(None, (look, "concept" if page.kind == Kind.CONCEPT else "")))
    shown = f' class="{escape(looks)}"' if looks else ""
    address, language, name = escape(page.get_absolute_url()), escape(page.name_language), escape(page.name)
    # Safe: all values were escaped just before.
    return mark_safe(f'<a{shown} href="{address}" lang="{language}"><bdi>{name}</bdi></a>')  # noqa: S308


@register.filter
def partial_date(value: str) -> SafeString | str:
    """Give a date of which perhaps only the month or the year is known, marked up as a time."""
    return format_html('<time datetime="{}">{}</time>', value, languages.partial_date(value)) if value else ""


@register.filter
def told(page: Page) -> SafeString:
    """Tell in a line what a page is: its kind, the day of its publishing, its language."""
    assert page.published_at is not None  # noqa: S101  lists hold what is published
    return _told(languages.spoken(), page.kind, page.published_at, page.language)


@lru_cache(maxsize=4_096)
def _told(_spoken: str, kind: str, published_at: datetime, language: str) -> SafeString:
    day = languages.day(timezone.localdate(published_at))
    return format_html('{} · {} · <span lang="{}">{}</span>', Kind(kind).label, day, language, Language(language).label)


@register.filter
def offered(choice: _Choice) -> SafeString:
    """Link a choice by which a list is narrowed, with the number of texts that it leads to.

    As with `link`: a page of results holds seventy.
    """
    address, label = escape(choice.address), escape(choice.label)
    # Safe: what is not a number was escaped just before.
    return mark_safe(  # noqa: S308
        f'<a class="tag" href="{address}"><bdi>{label}</bdi> <span class="count">{choice.number}</span></a>'
    )


@register.filter
def title_link(found: _FoundPage) -> SafeString:
    """Link a text that was found by its title, at the best place in it. Made as `link` makes one."""
    address, language, title = map(escape, (found.sections[0].address, found.page.language, found.page.title))
    # Safe: all values were escaped just before.
    return mark_safe(f'<a href="{address}" lang="{language}"><bdi>{title}</bdi></a>')  # noqa: S308


@register.filter
def place_link(section: _Found, language: str) -> SafeString:
    """Link the place in a text where something was found: the paragraph, and the heading, in the text's language."""
    number, heading = section.snippet.paragraph, escape(section.heading)
    told = escape(paragraph(number)) if number else heading or escape(_("Introduction"))
    if number and heading:
        comma = escape(pgettext("between the parts of a list", ", "))
        told = f'{told}{comma}<bdi lang="{escape(language)}">{heading}</bdi>'
    address, here = escape(section.address), escape(languages.spoken())
    # Safe: all values were escaped just before.
    return mark_safe(f'<a class="place" href="{address}" lang="{here}" dir="auto">{told}</a>')  # noqa: S308


@register.filter
def paragraph(number: int) -> str:
    """Write "para. 4"."""
    return _("para. %(number)s") % {"number": number}


class Choice(NamedTuple):
    """A language of the interface: its code, its name in itself, and an address."""

    code: str
    name: str
    address: str


@register.simple_tag(takes_context=True)
def here(context: Context) -> str:
    """Give the address of the page that is shown, without a query so long that no form of ours sends it."""
    # What answers a forged form has no request.
    if "request" not in context:
        return "/"
    address: str = context["request"].get_full_path()
    return address if len(address) <= _LONGEST_ADDRESS else address.partition("?")[0]


@register.simple_tag(takes_context=True)
def other_languages(context: Context) -> list[Choice]:
    """Give the other languages, each with the same page in it, or the translation of the text that is shown."""
    address, translations = here(context), getattr(context.get("sharing"), "translations", {})
    return [
        Choice(code, name, languages.in_language(translations.get(code, address), code))
        for code, name in settings.LANGUAGES
        if code != languages.spoken()
    ]


@register.simple_tag
def address_of(view: str, *parts: str) -> str:
    """Do what `{% url %}` does, in a tenth of the time where the address was made before."""
    return languages.address_of(view, *parts)


@register.simple_tag
def translation_here(translations: Mapping[str, str]) -> str:
    """Give the address of a text in the language of the page, empty where there is none."""
    language = languages.spoken()
    return languages.in_language(translations[language], language) if language in translations else ""


@register.simple_tag
def all_languages(address: str) -> list[Choice]:
    """Give the addresses with host of a page in each language, and the plain one for everybody else."""
    found = [Choice(code, name, _absolute_in(address, code)) for code, name in settings.LANGUAGES]
    return [*found, Choice("x-default", "", _absolute_in(address, settings.LANGUAGE_CODE))]


@register.simple_tag
def in_this_language(address: str) -> str:
    """Give the address with host of a page in the language that it is shown in."""
    return _absolute_in(address, languages.spoken())


def _absolute_in(address: str, language: str) -> str:
    # A block has escaped it; the template will do so again.
    path = unescape(address).removeprefix(settings.SITE_URL)
    return f"{settings.SITE_URL}{languages.in_language(path, language)}"


@register.simple_tag
def locale_of_page() -> str:
    """Give the locale of the interface, as networks write it."""
    return languages.LOCALES[languages.spoken()]


@register.simple_tag
def absolute(path: str) -> str:
    """Give the plain address of a page with its host, for citations and search engines."""
    return languages.absolute(path)


class _Kept(template.Node):
    def __init__(self, values: Mapping[str, FilterExpression], nodelist: template.NodeList) -> None:
        self.nodelist = nodelist
        self._values = values
        self._made: dict[Hashable, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self._values.items()}
        key = (languages.spoken(), *values.values())
        made = self._made.get(key)
        if made is None:
            if len(self._made) == _MOST_KEPT:
                self._made.clear()
            made = self._made[key] = self.nodelist.render(context.new(values))
        return made


@register.tag
def kept(parser: Parser, token: Token) -> _Kept:
    """Make what stands in the tag once a process, for each language and combination of the values named in it.

    It sees these values and nothing else, so it cannot depend on anything else. They must be few and hashable, and
    nothing of the database may be among them.
    """
    values = token_kwargs(token.split_contents()[1:], parser)
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return _Kept(values, nodelist)


@register.simple_block_tag
def written_once(content: str) -> str:
    """Give what stands between the tags, for `as`: a block that the head shows in several places."""
    return content
