"""What anyone may know of a certificate whose number and token, or number and holder, they have. Always masked."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.urls import reverse

from agent.certificates.credential import read_credential
from agent.certificates.errors import CredentialInvalid, SigningKeyError
from agent.certificates.facts import hours_text
from agent.certificates.models import Certificate
from agent.certificates.trust import trusted, trusted_at
from agent.learners.identity import fold_name, mask_name
from agent.portal import register
from agent.portal.register import Row
from agent.portal.succession import Link, chain
from agent.portal.words import event_reason

_RELATED = ("programme__organiser", "programme__implementer", "programme_version")
_NOBODY = "\N{REPLACEMENT CHARACTER}"  # compared with when there is no such number, so that both ways do the same


class Logged(NamedTuple):
    """Where the public log has a certificate."""

    entry: int  # place of its newest step, as far as a signed head covers it
    uncovered: bool  # a step of it waits for the next head
    size: int  # entries that the newest head covers
    at: datetime  # when that was signed


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as the public page shows it."""

    number: str
    state: str
    holder: str
    id_masked: str
    programme: str
    category: str
    series: str
    hours: int
    organiser: str
    implementer: str
    filing_number: str
    learned_from: date | None
    learned_on: date
    issued_at: datetime
    signature: str  # valid | invalid | unchecked
    ended_at: datetime | None
    ended_why: str
    ended_class: str  # a stable word (``name_corrected``); empty where none was given
    token: str
    path: str
    credential: str  # VC-JWT; holds the full name, so it is in no page
    chain: Sequence[Link]  # oldest first, this one in it; empty: no other took its place, nor it another's
    logged: Logged | None  # None: no head covers it yet

    @property
    def sign(self) -> str:
        """What the page says in one glance: the state, or that the register and the signature differ."""
        return "doubtful" if self.signature == "invalid" and self.state == Certificate.State.ISSUED else self.state

    @property
    def successor(self) -> Link | None:
        """The newest of the chain, when that is another one."""
        return self.chain[-1] if self.chain and not self.chain[-1].shown else None

    @property
    def live(self) -> bool:
        """Whether it is in force, and what was signed is what is shown."""
        return self.state == Certificate.State.ISSUED and self.signature != "invalid"

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "number": self.number,
            "state": self.state,
            "signature": self.signature,
            "holder": self.holder,
            "id_masked": self.id_masked,
            "programme": self.programme,
            "category": self.category,
            "series": self.series,
            "hours": hours_text(self.hours),
            "organiser": self.organiser,
            "implementer": self.implementer,
            "filing_number": self.filing_number,
            "learned_from": self.learned_from.isoformat() if self.learned_from else None,
            "learned_on": self.learned_on.isoformat(),
            "issued_at": self.issued_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "ended_class": self.ended_class or None,
            "ended_why": self.ended_why or None,
            "page": settings.BASE_URL + self.path,
            "chain": [
                {
                    "number": each.number,
                    "state": each.state,
                    "issued_at": each.issued_at.isoformat(),
                    "page": settings.BASE_URL + each.path,
                }
                for each in self.chain
            ],
            "status_lists": status_lists(self.credential),
            "log": {
                "entry": self.logged.entry,
                "size": self.logged.size,
                "at": self.logged.at.isoformat(),
                "newer_step_waits": self.logged.uncovered,
                "proof": f"{settings.BASE_URL}{reverse('portal:transparency-inclusion')}?number={self.number}",
            }
            if self.logged
            else None,
        }


def by_token(number: str, token: str) -> Shown | None:
    """The certificate of an address from a QR code; None for a wrong token as for an unknown number."""
    found = register.by_number(number)
    right = hmac.compare_digest(_key(token), _key(found.token if found else _NOBODY))
    return _shown(found) if found and right else None


def by_token_alone(token: str) -> Shown | None:
    """The certificate with that token: 105 random bits are address enough for a machine."""
    found = register.by_token(token.upper())
    return _shown(found) if found else None


def decoded(jwt: str) -> dict[str, Any]:
    """What a signed credential says, unchecked: for reading.

    :raises ValueError: it is none
    """
    body = jwt.split(".")[1]
    return dict(orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def status_lists(jwt: str) -> list[str]:
    """Where the published lists stand that tell this credential's state, as the signed credential says."""
    try:
        status = decoded(jwt).get("credentialStatus", [])
        entries = status if isinstance(status, list) else [status]
        return [str(one["statusListCredential"]) for one in entries]
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return []


def public_page(number: str) -> str | None:
    """The address of a certificate's page here: only for who has shown the genuine file, on which it is printed."""
    url = Certificate.objects.filter(number=number).values_list("verify_url", flat=True).first()
    return urlsplit(url).path if url else None


def credential_of(number: str, token: str, name: str) -> Certificate | None:
    """The certificate whose credential may be given to who has its QR code and knows the holder's full name."""
    found = _find(number)
    right = hmac.compare_digest(_key(token), _key(found.token if found else _NOBODY))
    known = hmac.compare_digest(_key(fold_name(name)), _key(fold_name(found.holder) if found else _NOBODY))
    return found if found and right and known else None


def by_holder(number: str, name: str) -> Shown | None:
    """The certificate of that number if ``name`` is its holder's in full; None otherwise."""
    found = register.by_number("".join(number.split()))
    right = hmac.compare_digest(_key(fold_name(name)), _key(fold_name(found.holder) if found else _NOBODY))
    return _shown(found) if found and right else None


def _key(text: str) -> bytes:
    return text.upper().encode("utf-8", "surrogatepass")


def _find(number: str) -> Certificate | None:
    if not (number.isascii() and number.isdigit()):
        number = ""
    return Certificate.objects.select_related(*_RELATED).filter(number=number).first()


def _shown(found: Row) -> Shown:
    return Shown(
        number=found.number,
        state=found.state,
        holder=mask_name(found.holder),
        id_masked=found.id_masked,
        programme=found.programme,
        category=found.category,
        series=found.series,
        hours=found.hours,
        organiser=found.organiser,
        implementer=found.implementer,
        filing_number=found.filing_number,
        learned_from=found.learned_from,
        learned_on=found.learned_on,
        issued_at=found.issued_at,
        signature=_signature(found),
        ended_at=found.ended_at,
        ended_why=event_reason(found.ended_reason or ""),
        ended_class=found.ended_class or "",
        token=found.token,
        path=urlsplit(found.verify_url).path,
        chain=chain(found.id, found.predecessor, found.state),
        credential=found.credential,
        logged=Logged(found.entry, found.uncovered, found.head_size, found.head_at)
        if found.entry is not None and found.head_size and found.head_at
        else None,
    )


def _signature(found: Row) -> str:
    """Whether our key signed the credential, and it says what the register says."""
    try:
        try:
            credential = read_credential(found.credential, trusted_at((*found.keys, *found.ends)))
        except CredentialInvalid:  # unless by a key that is not written down yet
            credential = read_credential(found.credential, trusted())
    except CredentialInvalid:
        return "invalid"
    except SigningKeyError:
        return "unchecked"
    subject = credential["credentialSubject"]
    agrees = subject["licenseNumber"] == found.number and round(subject["creditsEarned"] * 100) == found.hours
    return "valid" if agrees else "invalid"
