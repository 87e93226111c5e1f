"""What may stand in the log: values as JSON can say them, and no identity number in clear. Knows no database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

_CERTIFICATE = 26
"""Digits of a certificate's number, which is public and stands in many a target."""
# Digits of any script, for people type full-width ones, too: as one run, or with gaps and hyphens as on the card.
_RUN = re.compile(r"\d{14,}[\dXxＸｘ]")
_SPACED = re.compile(
    r"(?<!\d)\d(?:[\s\-‐-―−－\u200b-\u200d\ufeff]{0,2}\d){13,16}[\s\-‐-―−－\u200b-\u200d\ufeff]{0,2}[\dXxＸｘ](?!\d)"
)
_DIGITS = (15, 18)


def masked(text: str) -> str:
    """``text`` with every run of digits starred that is, or may hold, an identity number (15 or 18 characters)."""
    return _SPACED.sub(_spaced, _RUN.sub(_run, text))


def plain(value: Any) -> Any:
    """``value`` as JSON can say it, masked through and through; what is neither is said as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {masked(str(key)): _known(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int):
        said = masked(str(value))
        return value if said == str(value) else said
    return masked(str(value))


def _known(key: str, value: Any) -> Any:
    """A body's public code may consist of 18 digits; under its own name, and when its check character is right."""
    from stdnum.cn import uscc  # noqa: PLC0415 - only here

    if key == "uscc" and isinstance(value, str) and uscc.is_valid(value):
        return value
    return plain(value)


def _run(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) == _CERTIFICATE and text.isdigit() else _starred(text)


def _spaced(found: re.Match[str]) -> str:
    bare = re.sub(r"[^\dXxＸｘ]", "", found[0])
    return _starred(bare) if len(bare) in _DIGITS else found[0]


def _starred(text: str) -> str:
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}"
