"""A brake on guessing: who missed too often in a while waits. In the database, so that all processes agree."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from agent.crypto import vault
from agent.localtime import now
from agent.portal.models import Misses

WINDOW = timedelta(minutes=15)
_MISS = """
INSERT INTO portal_misses (key, count, since) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN portal_misses.since < %(start)s THEN 1 ELSE portal_misses.count + 1 END,
    since = CASE WHEN portal_misses.since < %(start)s THEN %(now)s ELSE portal_misses.since END
"""


def client_of(request: HttpRequest) -> str:
    """Who asks: the connection's other end, or what the trusted proxy wrote (`XUESHI_CLIENT_HEADER`).

    Of a list the last counts: what stands before it, the client may have sent itself. Of an IPv6 address the network
    counts, for a household has 2^64 addresses.
    """
    direct = str(request.META.get("REMOTE_ADDR", ""))
    told = request.headers.get(settings.CLIENT_HEADER, "") if settings.CLIENT_HEADER else ""
    try:
        address = ipaddress.ip_address(told.rpartition(",")[2].strip() or direct)
    except ValueError:
        return direct
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Brake:
    """Of one kind of guess (``what``) and what it is about (an account name, or nothing) from the request's address.

    :param anywhere: count guesses from all addresses together
    """

    def __init__(self, request: HttpRequest, what: str, about: str = "", *, limit: int, anywhere: bool = False) -> None:
        place = "anywhere" if anywhere else client_of(request)
        self.key = vault().fingerprint(f"misses\n{what}\n{about.casefold()}\n{place}").hex()
        self.limit = limit

    def on(self) -> bool:
        """Whether to wait."""
        return Misses.objects.filter(key=self.key, since__gte=now() - WINDOW, count__gte=self.limit).exists()

    def release(self) -> None:
        """Forget the guesses."""
        Misses.objects.filter(key=self.key).delete()

    def miss(self) -> None:
        """Count a wrong guess; old counts are swept out on the way."""
        Misses.objects.filter(since__lt=now() - 4 * WINDOW).delete()
        with connection.cursor() as cursor:
            cursor.execute(_MISS, {"key": self.key, "now": now(), "start": now() - WINDOW})
