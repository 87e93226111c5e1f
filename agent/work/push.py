"""A push: the LMS says that something happened, signed, and the next pull comes sooner. It carries nobody's data, and
what it says is not believed but looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from datetime import timedelta

from django.db import IntegrityError, transaction

from agent.crypto import vault
from agent.intake.models import PushSeen, Source
from agent.intake.sync import Mode
from agent.localtime import now
from agent.work.errors import PushUnset
from agent.work.queue import ASKED, defer_pull

WINDOW = 300
"""Seconds that the sender's clock may be off, and a signature is accepted."""
LARGEST = 4096
"""Bytes of a body."""
_PURPOSE = b"push secret"
_HEADER = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def new_secret(source: Source) -> str:
    """A new secret for ``source``; the one before is worth nothing from now on."""
    secret = secrets.token_urlsafe(32)
    source.push_secret = vault().seal(secret.encode(), _PURPOSE)
    source.save(update_fields=["push_secret"])
    return secret


def secret_of(source: Source) -> str:
    """The secret of ``source``.

    :raises PushUnset: none was made
    """
    if not source.push_secret:
        raise PushUnset(name=source.name)
    return vault().open(bytes(source.push_secret), _PURPOSE).decode()


def signature(secret: str, at: int, body: bytes) -> bytes:
    """HMAC-SHA256 over ``<at>.<body>``."""
    return hmac.digest(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256)


def take(name: str, header: str, body: bytes) -> bool:
    """Whether the push is genuine and new; then the source's next pull is asked for.

    :param header: ``t=<seconds since 1970>,v1=<signature in hexadecimal>``
    """
    found = _HEADER.fullmatch(header)
    source = Source.objects.filter(name=name).first()
    secret = ""
    with suppress(PushUnset):
        secret = secret_of(source) if source else ""
    at = int(found[1]) if found else 0
    # reckoned in every case, so that the answer takes as long for a source that is not there
    genuine = hmac.compare_digest(signature(secret or "-", at, body), bytes.fromhex(found[2]) if found else b"")
    if not (source and secret and genuine) or abs(now().timestamp() - at) > WINDOW:
        return False
    try:
        with transaction.atomic():
            PushSeen.objects.create(signature=signature(secret, at, body))
            PushSeen.objects.filter(at__lt=now() - timedelta(seconds=2 * WINDOW)).delete()
            defer_pull(source, Mode.RECENT, "push", priority=ASKED)
    except IntegrityError:  # seen before
        return False
    return True
