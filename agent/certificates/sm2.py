"""A second, detached signature by SM2 with SM3 (GB/T 32918, GB/T 32905), for who must have national algorithms.

It lies beside the credential, which stays as it is: verifiers abroad know ES256, a bureau at home may ask for SM2.
Who signs is a provider: ours asks the program ``openssl``; a cryptographic machine's is another class of this shape.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.certificates.errors import Sm2Unavailable

IDENTITY = "1234567812345678"
"""The signer's distinguishing identifier where none was agreed on (GM/T 0009)."""
_PATIENCE = 30  # seconds


class DetachedSigner(Protocol):
    """Signs bytes, and leaves them alone."""

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``: r and s as DER.

        :raises Sm2Unavailable: it can't be made now.
        """


@dataclass(frozen=True, slots=True)
class OpenSslSm2:
    """SM2 with SM3 by the command ``openssl`` (3.0 or newer); the key is a PEM file that only it reads."""

    key: Path
    program: str = "openssl"

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data`` (DER), with the identifier of GM/T 0009.

        :raises Sm2Unavailable: no program, no key, or a key of another kind.
        """
        with tempfile.NamedTemporaryFile() as file:  # `pkeyutl` wants to know the length beforehand
            file.write(data)
            file.flush()
            command = [
                self.program, "pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-inkey", str(self.key),
                "-pkeyopt", f"distid:{IDENTITY}", "-in", file.name,
            ]  # fmt: skip
            try:
                done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603 - our own words
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Sm2Unavailable(reason=type(error).__name__) from None
        if done.returncode or not done.stdout:
            raise Sm2Unavailable(reason=f"openssl said no to the key {self.key}")
        return done.stdout


def detached_signer(environment: Mapping[str, str]) -> DetachedSigner:
    """The provider that the settings name.

    :raises Sm2Unavailable: they name none.
    """
    key = environment.get("XUESHI_SM2_KEY")
    if not key:
        raise Sm2Unavailable(reason="XUESHI_SM2_KEY is not set")
    return OpenSslSm2(Path(key))
