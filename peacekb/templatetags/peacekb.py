"""How the public templates write values."""

from collections.abc import Iterable
from math import ceil

from django import template
from django.conf import settings
from django.utils.encoding import uri_to_iri
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from peacekb.models import Language, Section
from peacekb.search.marks import CLOSE, OPEN

register = template.Library()

_WORDS_A_MINUTE = 200
_NAMES_OF_KINDS = {
    "articles": lambda: _("Articles"),
    "concepts": lambda: _("Concepts"),
    "roles": lambda: _("Roles"),
    "tasks": lambda: _("Tasks"),
}


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
    if len(line) <= longest:
        return line
    return line[: longest + 1].rpartition(" ")[0].rstrip(",;:–") + " …"


@register.filter
def minutes(words: int) -> str:
    """Say how long a text takes to read."""
    number = max(1, ceil(words / _WORDS_A_MINUTE))
    return ngettext("%d minute", "%d minutes", number) % number


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


@register.simple_tag
def absolute(path: str) -> str:
    """Give an address of this site with its host, for citations and search engines."""
    return f"{settings.SITE_URL}{path}"


@register.simple_block_tag
def written_once(content: str) -> str:
    """Give what stands between the tags, for `as`: a block that the head shows in several places."""
    return content
