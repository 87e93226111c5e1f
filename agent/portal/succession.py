"""The certificates that took each other's place, so that an old QR code leads on to what is in force today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from agent.certificates.models import Certificate

_LONGEST = 50  # nobody's name is corrected as often; a page must end


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a chain, oldest first."""

    number: str
    state: str
    issued_at: datetime
    path: str  # its page here
    shown: bool  # it is the one that the page is about


def chain(certificate: Certificate) -> list[Link]:
    """The whole chain that ``certificate`` is in, oldest first; empty when nothing took anything's place."""
    found = [certificate]
    while len(found) < _LONGEST and (earlier := _beside(found[0], "predecessor")):
        found.insert(0, earlier)
    while len(found) < _LONGEST and (later := _beside(found[-1], "successor")):
        found.append(later)
    if len(found) == 1:
        return []
    return [
        Link(one.number, one.state, one.issued_at, urlsplit(one.verify_url).path, one.pk == certificate.pk)
        for one in found
    ]


def _beside(certificate: Certificate, which: str) -> Certificate | None:
    """The neighbour; none where certificates have no such relation, or this one has no neighbour there."""
    found: Certificate | None = getattr(certificate, which, None)
    return found
