"""Reads a stranger's file in a process of its own, with little memory and little time.

A PDF of two megabytes may unpack to gigabytes, and a parser has more ways to be kept busy than anybody has listed.
What goes wrong in there ends there: the pages are served on.
"""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from agent.certificates.keys import TrustedKey, public_key_of
from agent.certificates.verify import MAX_BYTES, Reason, Trusted, Verdict, refused, verify_pdf

_MEMORY = 1 << 30  # bytes of address space; an honest file needs a third of it
_PROCESSOR = 20  # seconds; an honest file needs one
_PATIENCE = 90  # seconds on the wall, for a machine that is busy otherwise


def verify_isolated(data: bytes, trusted: Sequence[Trusted]) -> Verdict:
    """The verdict of `verify_pdf`, reached where a malicious file harms nobody. Never raises, whatever ``data`` is."""
    if len(data) > MAX_BYTES:
        return refused(Reason.TOO_LARGE)
    parts = [data, *map(_written, trusted)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module; the file goes in as input
            [sys.executable, "-m", __name__],
            input=b"".join(struct.pack(">I", len(part)) + part for part in parts),
            capture_output=True, timeout=_PATIENCE, check=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return refused(Reason.TOO_LARGE)
    found["reasons"] = [Reason(one) for one in found["reasons"]]
    found["signed_at"] = found["signed_at"] and datetime.fromisoformat(found["signed_at"])
    return Verdict(**found)


def _written(one: Trusted) -> bytes:
    if isinstance(one, TrustedKey):
        until = int(one.until.timestamp()) if one.until else 0
        return b"t" + struct.pack(">Q", until) + one.certificate.public_bytes(Encoding.DER)
    if isinstance(one, x509.Certificate):
        return b"c" + one.public_bytes(Encoding.DER)
    return b"k" + one.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(part: bytes) -> Trusted:
    if part[:1] == b"t":
        (until,) = struct.unpack(">Q", part[1:9])
        end = datetime.fromtimestamp(until, UTC) if until else None
        return TrustedKey(x509.load_der_x509_certificate(part[9:]), end)
    if part[:1] == b"c":
        return x509.load_der_x509_certificate(part[1:])
    return public_key_of(load_der_public_key(part[1:]))  # type: ignore[arg-type] # another kind raises


def main() -> None:
    """In the process: read the file and what is trusted, print the verdict as JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR, _PROCESSOR))
    if sys.platform == "linux":  # macOS knows the limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    given, parts = memoryview(sys.stdin.buffer.read()), []
    while given:
        (length,) = struct.unpack(">I", given[:4])
        parts.append(bytes(given[4 : 4 + length]))
        given = given[4 + length :]
    verdict = asdict(verify_pdf(parts[0], [_read(part) for part in parts[1:]]))
    verdict["signed_at"] = verdict["signed_at"] and verdict["signed_at"].isoformat()
    sys.stdout.write(json.dumps(verdict))


if __name__ == "__main__":
    main()
