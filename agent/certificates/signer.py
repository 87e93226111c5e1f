"""The installation's signing keys: made on first use under the home, or given as PKCS#12."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from agent.certificates.errors import SigningKeyMissing
from agent.certificates.keys import SigningKeys, load_or_create
from agent.certificates.models import Certificate
from agent.home import home


@lru_cache(maxsize=1)
def signing_keys() -> SigningKeys:
    """The keys that sign here (`XUESHI_SIGNING_P12` replaces those made on first use)."""
    given = os.environ.get("XUESHI_SIGNING_P12")
    folder = home() / "keys"
    empty = not folder.exists() or not any(folder.iterdir())
    if not given and empty and Certificate.objects.exists():
        # a new authority made in silence would leave every certificate given out so far without its own
        raise SigningKeyMissing(path=folder)
    password = os.environ.get("XUESHI_SIGNING_P12_PASSWORD")
    return load_or_create(
        folder,
        Path(given) if given else None,
        password.encode() if password else None,
        organisation="学时电子证书平台",
    )
