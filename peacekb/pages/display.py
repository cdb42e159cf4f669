"""How a reader wants pages to look: the cookie `display`, and the form that sets it without JavaScript.

It is the only cookie that readers get, and only once they have chosen something.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Self

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

COOKIE = "display"
_A_YEAR = 365 * 24 * 60 * 60  # seconds
_LONGEST = 100  # characters of a cookie that are read; one with every setting has 60

_ON_OR_OFF: dict[str, Promise | str] = {"on": _("On"), "off": _("Off")}
#: What can be chosen, the default first: the values of a setting as the page names them.
CHOICES: dict[str, dict[str, Promise | str]] = {
    "theme": {"system": _("As the device has it"), "light": _("Light"), "dark": _("Dark")},
    "size": {"100": _("As the browser has it"), "112": _("Larger"), "125": _("Much larger")},
    "concepts": _ON_OR_OFF,
    "previews": _ON_OR_OFF,
    "keys": _ON_OR_OFF,
}
_TITLES: dict[str, tuple[Promise, Promise | str]] = {
    "theme": (_("Colours"), ""),
    "size": (_("Size of the text"), ""),
    "concepts": (_("Underline of concepts in a text"), ""),
    "previews": (_("Previews"), _("What a linked entry says, when the pointer rests on its link or a finger taps it.")),
    "keys": (
        _("Keys"),
        _("In a text, / leads to the search, n and p to the next and the previous section, ? to a list of them."),
    ),
}


@dataclass(frozen=True, slots=True)
class Display:
    """One choice of every setting. Two readers with equal ones see the same page."""

    theme: str = "system"
    size: str = "100"
    concepts: str = "on"
    previews: str = "on"
    keys: str = "on"

    @classmethod
    def chosen(cls, values: Mapping[str, str]) -> Self:
        """Take what is known among the values; the rest stays as it is by default."""
        return cls(**{name: values[name] for name, known in CHOICES.items() if values.get(name) in known})

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """Give name and value of what differs from the default: the `data-` attributes of `<html>`."""
        chosen = [(name, getattr(self, name)) for name in CHOICES]
        return [(name, value) for name, value in chosen if value != getattr(DEFAULT, name)]

    def written(self) -> str:
        """Give the text of the cookie, empty where all is default."""
        return ".".join(f"{name}-{value}" for name, value in self.attributes)


DEFAULT = Display()


@lru_cache(maxsize=256)
def normalised(cookie: str) -> Display:
    """Read the text of a cookie; what is not known in it counts as default. No query, some microseconds."""
    if not cookie:
        return DEFAULT
    parts = (part.partition("-") for part in cookie[:_LONGEST].split("."))
    return Display.chosen({name: value for name, _dash, value in parts})


def of(request: HttpRequest) -> Display:
    """Give the settings with which a page is asked for."""
    return normalised(request.COOKIES.get(COOKIE, ""))


def in_templates(request: HttpRequest) -> dict[str, Display]:
    """Context processor: the settings, as `display`."""
    return {"display": of(request)}


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting as the form shows it."""

    name: str
    title: Promise
    hint: Promise | str
    options: list[tuple[str, Promise | str, bool]]


# No token: it would need a cookie. All that a stranger's form could change is how pages look, and browsers say when a
# form stands on another site.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def display(request: HttpRequest) -> HttpResponse:
    """Show what can be chosen, and keep what was: `next` is the page to return to. No query."""
    if request.method == "POST":
        return _keep(request)
    now = of(request)
    choices = [
        Choice(field.name, *_TITLES[field.name], _options(field.name, getattr(now, field.name)))
        for field in fields(Display)
    ]
    return render(request, "pages/display.html", {"choices": choices, "next": _own(request.GET.get("next", ""))})


def _options(name: str, chosen: str) -> list[tuple[str, Promise | str, bool]]:
    return [(value, label, value == chosen) for value, label in CHOICES[name].items()]


def _keep(request: HttpRequest) -> HttpResponse:
    if not _is_from_here(request):
        raise PermissionDenied("The form was sent from another site.")
    wanted = Display.chosen(request.POST.dict())
    response = HttpResponseRedirect(_own(request.POST.get("next", "")) or reverse("pages:display"))
    if text := wanted.written():
        secure = settings.IS_HTTPS
        response.set_cookie(COOKIE, text, max_age=_A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE, path="/", samesite="Lax")
    return response


def _is_from_here(request: HttpRequest) -> bool:
    """Tell whether a form was sent from this site, as far as the browser says so. Old ones say nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin in (None, f"{request.scheme}://{request.get_host()}")


def _own(address: str) -> str:
    """Give an address of this site, a path; nothing where it leads elsewhere."""
    is_own = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_own else ""


def differs_by_cookie(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that tells shared caches what every page depends on, beside its address."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["Cookie"])
        return response

    return middleware
