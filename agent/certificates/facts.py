"""What a certificate asserts: the one value that credential, page and check are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

NAME = "继续教育专业科目学时证书"
"""What the paper is called."""
LANGUAGES = {"zh": "中文", "zh-en": "中英双语"}
"""In which it can be drawn."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate. Holds no identity number, only its mask; so nothing made from it can leak one."""

    number: str
    token: str
    holder: str
    id_masked: str
    programme: str
    category: str  # "professional": public subjects get no certificate (R09)
    series: str
    organiser: str
    organiser_uscc: str
    implementer: str
    filing_number: str
    hours: int  # hundredths of an hour
    learned_from: date | None
    learned_on: date
    issued_at: datetime  # aware
    verify_url: str  # in upper case, so that its QR code stays small
    status_list: int | None = None  # None: issued before there were status lists
    status_index: int | None = None


def hours_text(hundredths: int) -> str:
    """Hours as people write them: 2400 → ``24``, 750 → ``7.5``."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def document_texts(number: str, *, holder: str, programme: str, hours: int, filing_number: str) -> tuple[str, str]:
    """Title and subject in the document's properties. A checker compares them with the credential inside."""
    return f"{NAME} {number}", f"{holder}｜{programme}｜{hours_text(hours)}学时｜{filing_number}"
