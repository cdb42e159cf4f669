"""What is answered where there is no page to show: a bad request, a missing page, a fault, a database that is away."""

import sqlite3
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from . import phases
from .nearest import nearest

_TRY_AGAIN = 30  # seconds


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that asks for something that there cannot be."""
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is not allowed."""
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address without a page, with what may have been meant. At most two queries."""
    shown = {"stops": phases.line(phases.LINE), "near": nearest(request.path)}
    return render(request, "404.html", shown, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault, without a query: the database may be what failed. If it was, that is answered with 503."""
    return unavailable(request) if is_database_away(sys.exception()) else render(request, "500.html", status=500)


@never_cache
def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer while the database is locked or out of reach, and say when to come back."""
    response = render(request, "503.html", {"is_form": request.method == "POST"}, status=503)
    response["Retry-After"] = str(_TRY_AGAIN)
    return response


def is_database_away(fault: BaseException | None) -> bool:
    """Tell whether the database did not answer, other than refusing a statement that it does not understand."""
    if not isinstance(fault, OperationalError | InterfaceError):
        return False
    # SQLite calls a missing table an operational error, too.
    return getattr(fault.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
