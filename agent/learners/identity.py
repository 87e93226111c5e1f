"""Identity numbers and names as people write them: plain functions, without Django or a database.

Vocabulary: an identity number is the 18 characters of GB 11643-1999 (17 digits and a check character) or the 15 digits
that came before it; *masked* is the form that may be shown (``370***********1234``); *folded* is a form of a name that
serves comparison and is never stored in the name's place.

The district at the front is never looked up: tables of districts lag behind (411302… and 411502… are missing in one).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from agent.localtime import local_date, now


class Identity(NamedTuple):
    """An identity number after judging: ``number`` or ``code``, never both."""

    number: str | None  # 18 characters, upper-case X
    code: str | None  # E_ID_MISSING, _MASKED, _PRECISION_LOST, _FORMAT, _CHECKSUM or _DATE
    masked: str  # may be shown to anyone who may see the row; "" when there was nothing
    converted_from_15: bool = False


class Name(NamedTuple):
    """A name as it may be stored. With a ``code`` it may be stored, but printed on nothing."""

    name: str
    code: str | None = None  # E_NAME_MISSING, E_NAME_PRIVATE_USE or E_NAME_DAMAGED
    code_points: str = ""  # those that the code is about: "U+E001 U+E002"


# --- numbers -----------------------------------------------------------------------------------------------------
_BODY = 17
_FULL = 18
_OLD = 15
_CHECKS = "10X98765432"
# The weights of ISO 7064 MOD 11-2 are powers of 2 modulo 11, and 13 is 2 modulo 11: 17 digits read to the base of 13
# are their weighted sum but for one doubling, at a fifth of the time.
_BASE = 13
_FIRST_YEAR = "1900"
_STARS = "*" * 11

_CROSSES = dict.fromkeys(map(ord, "xＸｘХхΧχⅩⅹ×✕"), "X")
_WIDE = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("．"): ".", ord("Ｅ"): "E", ord("＋"): "+"}
# Spaces (Zs, Zl, Zp), controls (Cc) and formats (Cf) by range: asking for each of 1.1 million categories takes 0.1 s.
_SPACES = [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
_NOT_SEEN = [
    *(c for first, last in ((0x00, 0x1F), (0x7F, 0x9F)) for c in range(first, last + 1) if c not in _SPACES),
    *(0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
    *(0xFEFF, *range(0xFFF9, 0xFFFC), 0xE0001, *range(0xE0020, 0xE0080)),
]
_INVISIBLE = [*_SPACES, *_NOT_SEEN]
_QUOTES = "'\"`=‘’“”＇＂"  # a spreadsheet's marks for text, which some exports leave in
_HYPHENS = "-‐‑‒–—―−－﹣"
_VISIBLE_FORM = dict.fromkeys([*_INVISIBLE, *map(ord, _QUOTES)]) | _CROSSES | _WIDE
_NO_HYPHENS = dict.fromkeys(map(ord, _HYPHENS))
_NOTHING = {"", "/", "\\", "无", "暂无", "NA", "N/A", "NULL", "NONE", "NIL", "同上", "."}
_MASK = re.compile(rf"[*＊●•○◯※…?？#_█■]|X{{2}}|[{_HYPHENS}]{{2}}")
_FIGURE = re.compile(r"[+]?\d(?:[.,]\d*)?[Ee][+]?\d{1,2}|\d{15,18}[.]\d*")


def normalise_id(text: str) -> Identity:
    """The identity number that ``text`` means, or why it means none.

    Rule: GB 11643-1999 (17 digits, check character by ISO 7064 MOD 11-2, a birth date that exists); 15 digits are those
    of GB 11643-1989, whose century is 19. Full-width digits, spaces, invisible characters, hyphens, a lower-case x
    and its lookalikes are ways of writing; anything else is not guessed at.
    """
    if len(text) == _FULL and text.isascii():
        body = text[:_BODY]
        # str.isdigit is enough for ASCII; the common case ends here without a regular expression
        if body.isdigit() and _CHECKS[2 * int(body, _BASE) % 11] == text[_BODY] and _was_born(text[6:14]):
            return Identity(text, None, f"{text[:3]}{_STARS}{text[14:]}")
    return _from_writing(text)


def _from_writing(text: str) -> Identity:
    """The slow way: what was written by hand, by a spreadsheet or by a careful registrar with stars."""
    shown = text.translate(_VISIBLE_FORM).upper()
    if shown.strip(_HYPHENS) in _NOTHING:
        return Identity(None, "E_ID_MISSING", "")
    if _MASK.search(shown):
        return Identity(None, "E_ID_MASKED", mask_id(shown))
    if _FIGURE.fullmatch(shown):
        return Identity(None, "E_ID_PRECISION_LOST", mask_id(shown))
    return _from_characters(shown.translate(_NO_HYPHENS))


def _from_characters(written: str) -> Identity:
    """``written`` holds nothing but what should be the number's own characters."""
    if len(written) == _OLD and _is_digits(written):
        body = f"{written[:6]}19{written[6:]}"
        return _dated(body + check_character(body), converted=True)
    if len(written) != _FULL or not _is_digits(written[:_BODY]) or written[_BODY] not in _CHECKS:
        return Identity(None, "E_ID_FORMAT", mask_id(written))
    if check_character(written[:_BODY]) != written[_BODY]:
        # A spreadsheet keeps 15 digits and writes noughts for the rest: no typing error, and mended otherwise.
        return Identity(None, "E_ID_PRECISION_LOST" if written.endswith("000") else "E_ID_CHECKSUM", mask_id(written))
    return _dated(written)


def check_character(body: str) -> str:
    """The 18th character for 17 ASCII digits (ISO 7064 MOD 11-2)."""
    return _CHECKS[2 * int(body, _BASE) % 11]


def mask_id(text: str) -> str:
    """``text`` with what would identify a person starred: three characters in front and four at the end stay.

    Anything shorter than an identity number shows less, so that a passport isn't given away; 20 characters at most.
    """
    if len(text) == _FULL:
        return f"{text[:3]}{_STARS}{text[-4:]}"
    if len(text) >= _OLD:
        return f"{text[:3]}{'*' * min(len(text) - 7, 12)}{text[-4:]}"
    return "*" * len(text) if len(text) <= 4 else f"{text[0]}{'*' * (len(text) - 3)}{text[-2:]}"  # noqa: PLR2004 - see above


def _dated(number: str, *, converted: bool = False) -> Identity:
    masked = f"{number[:3]}{_STARS}{number[-4:]}"
    if _was_born(number[6:14]):
        return Identity(number, None, masked, converted)
    return Identity(None, "E_ID_DATE", masked)


def _was_born(day: str) -> bool:
    return _exists(day) and (day <= _latest_day[0] or day <= _look_at_the_clock())


@lru_cache(maxsize=50_000)  # all birthdays of a century are 36,525
def _exists(day: str) -> bool:
    if day < _FIRST_YEAR:
        return False
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return True


# What was no future when the process last looked is none now: the clock is asked only for days after it.
_latest_day = ["19000101"]


def _look_at_the_clock() -> str:
    _latest_day[0] = local_date(now()).strftime("%Y%m%d")
    return _latest_day[0]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


# --- names -------------------------------------------------------------------------------------------------------
DOT = "\u00b7"
"""The dot inside a name, as stored (GB/T 30880 and the household registers write U+00B7)."""

_DOTS = "•‧∙⋅・･·᛫⸱ꞏ⦁﹒․"
_FULL_STOPS = ".．。｡"
_TO_DOT = dict.fromkeys(map(ord, _DOTS), DOT)
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇○"
_STOP_BESIDE_HAN = re.compile(
    rf"(?<=[{_HAN}])\s*[{_FULL_STOPS}]\s*(?=\S)|(?<=\S)\s*[{_FULL_STOPS}]\s*(?=[{_HAN}])",
)
_DOT_RUN = re.compile(rf"\s*{DOT}[\s{DOT}]*")
_PLAIN_HAN = re.compile("[\u4e00-\u9fff]+")  # nothing of it has another form
_SHORT_HAN = re.compile(rf"[{_HAN}](?:\s*[{_HAN}]){{1,3}}")
_NOTHING_SEEN = dict.fromkeys(_NOT_SEEN)
_SELECTORS = dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_FOLDED = dict.fromkeys(_INVISIBLE) | _SELECTORS | _TO_DOT | dict.fromkeys(map(ord, _FULL_STOPS), DOT)
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_DAMAGED = re.compile("[?？*＊●□〓\ufffc\ufffd\ud800-\udfff]")


def clean_name(text: str) -> Name:
    """``text`` as a name to store: NFC, trimmed, one kind of dot, no padding spaces inside a short Han name.

    NFKC is not applied: it changes names. Private-use characters show nowhere but on the machine that made them, and
    ``?``, ``*`` or U+FFFD stands where one was lost or hidden (edge case 12): such a name has a code, and says which.
    """
    if _PLAIN_HAN.fullmatch(text):
        return Name(text)  # nearly every name
    if _SHORT_HAN.fullmatch(text) and unicodedata.is_normalized("NFC", text):
        return Name("".join(text.split()))  # and nearly every other one of a roster
    name = unicodedata.normalize("NFC", text).translate(_NOTHING_SEEN).translate(_TO_DOT)
    name = _STOP_BESIDE_HAN.sub(DOT, " ".join(name.split()))
    name = _DOT_RUN.sub(DOT, name).strip(f"{DOT} ")
    if _SHORT_HAN.fullmatch(name):
        name = name.replace(" ", "")
    if not name:
        return Name("", "E_NAME_MISSING")
    for code, pattern in (("E_NAME_PRIVATE_USE", _PRIVATE), ("E_NAME_DAMAGED", _DAMAGED)):
        if found := pattern.findall(name):
            points = " ".join(dict.fromkeys(f"U+{ord(c):04X}" for c in found))
            # a lone surrogate can be stored and sent nowhere
            return Name(re.sub("[\ud800-\udfff]", "\ufffd", name), code, points)
    return Name(name)


def is_plain_name(text: str) -> bool:
    """Whether nothing of ``text`` has another form: it is as stored, and folded, already. Nearly every name is."""
    return _PLAIN_HAN.fullmatch(text) is not None


def fold_name(text: str) -> str:
    """``text`` for comparison only: width, case, spaces, invisible characters and kinds of dot no longer differ."""
    if _PLAIN_HAN.fullmatch(text):
        return text
    folded = unicodedata.normalize("NFKC", text.translate(_FOLDED)).casefold()
    # once more: compatibility forms bring spaces and dots of their own
    folded = unicodedata.normalize("NFC", folded.translate(_FOLDED))
    return re.sub(f"{DOT}+", DOT, folded).strip(DOT)


def mask_name(text: str) -> str:
    """``text`` for a page that anyone may open: the first character, and stars that keep dots and spaces (张*)."""
    shown = "".join(c for c in text.strip() if not unicodedata.category(c).startswith("M"))
    return shown[:1] + "".join(c if c in {DOT, " "} else "*" for c in shown[1:])
