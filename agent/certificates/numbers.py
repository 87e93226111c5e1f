"""Certificate numbers and the tokens of their addresses.

Number: ``{region6}{year4}{category1}{issuer4}{programme5}{serial5}{check1}``, 26 digits, the last by ISO 7064
MOD 11,10, which finds every wrong digit and every swap of neighbours but one. Nothing in it is personal.
Token: what makes an address behind a QR code impossible to guess.
"""

from __future__ import annotations

import secrets
from functools import lru_cache

from agent.certificates.errors import NumberFull

NUMBER_LENGTH = 26
_TOKEN_LENGTH = 21  # of 32 letters each: 105 bits
# In QR's alphanumeric mode, without 0/O and 1/I, which people mix up when they type it from paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def check_digit(digits: str) -> str:
    """The ISO 7064 MOD 11,10 check digit of ``digits``."""
    return _closing(_fold(10, digits))


def _fold(product: int, digits: str) -> int:
    """The running product of MOD 11,10 after some more digits."""
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return product


def _closing(product: int) -> str:
    return str((11 - product) % 10)


def make_number(  # noqa: PLR0917 - in the order in which they stand in the number
    region6: str, year: int, category1: str, issuer: int, programme: int, serial: int
) -> str:
    """The certificate number.

    :param region6: six digits of GB/T 2260, the region that keeps the ledger
    :param category1: one digit
    :raises NumberFull: a part does not fit; no number is cut or wrapped around.
    """
    body, product = _beginning(region6, year, category1, issuer, programme)
    rest = _part("serial", serial, 5)
    return body + rest + _closing(_fold(product, rest))


@lru_cache(maxsize=256)
def _beginning(region6: str, year: int, category1: str, issuer: int, programme: int) -> tuple[str, int]:
    """What all numbers of a programme begin with, and the running product of it: made once for thousands."""
    body = (
        _part("region", region6, 6)
        + _part("year", year, 4)
        + _part("category", category1, 1)
        + _part("issuer", issuer, 4)
        + _part("programme", programme, 5)
    )
    return body, _fold(10, body)


def _part(name: str, value: str | int, digits: int) -> str:
    text = str(value).zfill(digits) if isinstance(value, int) else value
    if len(text) != digits or not (text.isascii() and text.isdigit()):
        raise NumberFull(part=name, value=value, digits=digits)
    return text


def is_number(text: str) -> bool:
    """Whether ``text`` has the form of a certificate number and its check digit is right."""
    return len(text) == NUMBER_LENGTH and text.isascii() and text.isdigit() and check_digit(text[:-1]) == text[-1]


def make_token() -> str:
    """A random token of 105 bits, in upper case."""
    return "".join([_ALPHABET[byte & 31] for byte in secrets.token_bytes(_TOKEN_LENGTH)])
