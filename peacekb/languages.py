"""The language of the interface: the address says it, `/fr/…` and `/ar/…`, and an address without either is English.

No cookie and no header is asked, so that one address is one page for everybody. What leaves the site, such as a
citation, and what is stored have the plain address, without a language.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve, reverse
from django.utils.formats import date_format
from django.utils.translation import get_language, get_language_from_path, override, pgettext

#: The territories are those that networks know: the spelling of the United Nations is British, Arabic has one for all.
LOCALES = {"en": "en_GB", "fr": "fr_FR", "ar": "ar_AR"}
_PREFIXES = {code: "" if code == settings.LANGUAGE_CODE else f"/{code}" for code, _name in settings.LANGUAGES}


def spoken() -> str:
    """Give the language of the page that is being made."""
    return get_language() or settings.LANGUAGE_CODE


def plain(path: str) -> str:
    """Take the language from the path of an address."""
    prefix = next((one for one in _PREFIXES.values() if one and path.startswith(f"{one}/")), "")
    # Two slashes would begin the name of another host.
    return f"/{path.removeprefix(prefix).lstrip('/')}"


def in_language(path: str, language: str) -> str:
    """Give the address of the same page in a language, whatever language `path` has."""
    return f"{_PREFIXES[language]}{plain(path)}"


def address_of(view: str, *parts: str) -> str:
    """Give the address of a view in the language of the page that is being made.

    Remembered: to make one costs 30 µs, and a page holds a hundred.
    """
    return _address(get_language(), view, parts)


@lru_cache(maxsize=8_192)
def _address(_language: str | None, view: str, parts: tuple[str, ...]) -> str:
    return reverse(view, args=parts)


def absolute(path: str) -> str:
    """Give a plain address with its host, as the settings name it: a request's Host may be anybody's."""
    return f"{settings.SITE_URL}{plain(path)}"


@contextmanager
def plain_addresses() -> Iterator[None]:
    """Speak English meanwhile, so that addresses are plain, whatever language an editor's request has."""
    with override(settings.LANGUAGE_CODE):
        yield


@lru_cache(maxsize=8_192)
def is_for_readers(address: str) -> bool:
    """Tell whether a plain address leads to a page that has a language, not to a file, a feed or the admin."""
    path = unquote(address.partition("#")[0].partition("?")[0])
    try:
        with plain_addresses():
            return resolve(path).app_name == "pages"
    except Resolver404:
        return False


def day(value: date) -> str:
    """Write a date as documents of the United Nations do: "24 November 2026"."""
    return _day(get_language(), value.year, value.month, value.day)


@lru_cache(maxsize=4_096)
def _day(_language: str | None, *parts: int) -> str:
    value = date(*parts)
    # Translators: how a date is written, in the letters of Django's filter `date`.
    form = pgettext("the first of a month", "j F Y") if value.day == 1 else pgettext("a date", "j F Y")
    return date_format(value, form)


def partial_date(value: str) -> str:
    """Write a date of which perhaps only the month or the year is known (see `models.dates`)."""
    if len(value) == len("2009-02-28"):
        return day(date.fromisoformat(value))
    if len(value) == len("2009-02"):
        # Translators: how a month is written, in the letters of Django's filter `date`.
        return date_format(date.fromisoformat(f"{value}-01"), pgettext("a month", "F Y"))
    return value


class LanguageOfAddress:
    """Middleware that answers in the language of the address, errors included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = get_language_from_path(request.path_info) or settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
