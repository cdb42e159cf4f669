"""Signing in: from where somebody tries, and how often an address may fail."""

import ipaddress

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest

#: How many times as often as a pair of name and address an address may fail, under all names together.
NAMES_OF_AN_ADDRESS = 5


def client_address(request: HttpRequest) -> str | None:
    """Give the address that a sign-in comes from; of IPv6 the network of 64 bits, all of which one client may use.

    With TRUST_PROXY it is the last one forwarded, which the proxy itself appended. Those before it are the reader's
    own words.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.TRUST_PROXY else ""
    for written in (forwarded.rpartition(",")[2].strip(), request.META.get("REMOTE_ADDR", "")):
        try:
            address = ipaddress.ip_address(written)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False).network_address)
    return None


class SignInGuard(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Count failures by name and address, as axes does, and those of an address under all names besides."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, str] | None = None) -> int:
        """Give the number to hold against AXES_FAILURE_LIMIT."""
        recent = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
            attempt_time__gte=get_cool_off_threshold(request),
        )
        of_address: int = recent.aggregate(times=Sum("failures_since_start", default=0))["times"]
        of_pair: int = super().get_failures(request, credentials)
        return max(of_pair, of_address // NAMES_OF_AN_ADDRESS)
