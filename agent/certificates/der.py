"""DER, as far as a signature needs it."""

from __future__ import annotations

INTEGER, OCTETS, SEQUENCE, SET, TAG_0, TAG_1 = b"\x02", b"\x04", b"\x30", b"\x31", b"\xa0", b"\xa1"
_LENGTH_IN_ONE_BYTE = 0x80


def tlv(tag: bytes, content: bytes) -> bytes:
    """One DER element."""
    size = len(content)
    if size < _LENGTH_IN_ONE_BYTE:
        return tag + bytes([size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return tag + bytes([_LENGTH_IN_ONE_BYTE | len(length)]) + length + content
