"""The certificates that took each other's place, so that an old QR code leads on to what is in force today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from agent.certificates import life
from agent.certificates.models import Certificate
from agent.certificates.transitions import LIVE


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a chain, oldest first."""

    number: str
    state: str
    issued_at: datetime
    path: str  # its page here
    shown: bool  # it is the one that the page is about


def chain(certificate: int, predecessor: int | None, state: str) -> list[Link]:
    """The whole chain that a certificate (its key) is in, oldest first; empty when nothing took anything's place."""
    if predecessor is None and state in LIVE:
        return []  # nothing has a live one's place; nearly every page is such a one's, and asks nothing more
    found = life.chain(Certificate.objects.get(pk=certificate))
    if len(found) == 1:
        return []
    return [
        Link(one.number, one.state, one.issued_at, urlsplit(one.verify_url).path, one.pk == certificate)
        for one in found
    ]
