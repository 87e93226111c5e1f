"""What a file proves by itself, against published keys: no database, no network.

A file is tried step by step, and each step's result is told: a bare «invalid» helps nobody who holds the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.certificates.credential import read_credential
from agent.certificates.errors import CredentialInvalid
from agent.certificates.isolated import verify_isolated
from agent.certificates.status_files import Listed, StatusFiles
from agent.certificates.verify import Reason, Trusted, Verdict

FILE_STEPS = ("pdf", "signature", "issuer", "whole", "credential")
"""What a file itself must hold, in the order in which it is tried."""
_FAILS_AT = {
    Reason.NOT_PDF: "pdf",
    Reason.TOO_LARGE: "pdf",
    Reason.ENCRYPTED: "pdf",
    Reason.NOT_SIGNED: "signature",
    Reason.SEVERAL_SIGNATURES: "signature",
    Reason.ALTERED: "signature",
    Reason.UNTRUSTED: "issuer",
    Reason.APPENDED: "whole",
    Reason.CREDENTIAL_MISSING: "credential",
    Reason.CREDENTIAL: "credential",
    Reason.CREDENTIAL_OTHER: "credential",
}


@dataclass(slots=True)
class Checked:
    """``valid``: genuine, unchanged and in force. ``state``: as the register has it, ``unknown`` when it has none.

    ``checks``: each step and whether it holds; None where an earlier one failed, so that it says nothing.
    """

    valid: bool
    state: str = "unknown"
    reasons: list[str] = field(default_factory=list)
    number: str | None = None
    holder: str | None = None
    programme: str | None = None
    hours: str | None = None
    checks: dict[str, bool | None] = field(default_factory=dict)
    listed_at: datetime | None = None  # from when the saved status lists are that told the state

    def refuse(self, step: str, reason: str) -> None:
        """``step`` does not hold."""
        self.valid = False
        self.checks[step] = False
        self.reasons.append(reason)


def steps_of(verdict: Verdict) -> dict[str, bool | None]:
    """Which of `FILE_STEPS` hold: those before the one that failed, and none is known after it."""
    failed = _FAILS_AT[verdict.reasons[0]] if verdict.reasons else None
    at = FILE_STEPS.index(failed) if failed else len(FILE_STEPS)
    return {step: True if i < at else False if i == at else None for i, step in enumerate(FILE_STEPS)}


def check_offline(data: bytes, trusted: Sequence[Trusted], lists: StatusFiles | None = None) -> Checked:
    """Judge a PDF, or a credential as VC-JWT, by published keys alone.

    ``state`` is ``unchecked``, for no file knows it, unless saved status ``lists`` tell. With lists that can't tell it
    is not valid: who asks whether it is in force must not be told yes for want of an answer.
    """
    if data.startswith(b"eyJ"):
        checked, credential = _check_credential(data, trusted)
    else:
        verdict = verify_isolated(data, trusted)
        checked, credential = checked_of(verdict), verdict.credential
        checked.state = "unchecked"
    if credential:
        _facts(checked, credential)
    if lists is not None:
        checked.checks["in_force"] = None
        if credential and checked.valid:
            _look_up(checked, lists.look_up(credential))
    return checked


def _look_up(checked: Checked, listed: Listed) -> None:
    checked.state, checked.listed_at = listed.state, listed.fetched
    checked.checks["in_force"] = True
    for reason in listed.reasons:
        checked.refuse("in_force", f"{reason}: {reason.sentence}")
    if listed.state == "unchecked":
        checked.checks["in_force"] = None


def _check_credential(data: bytes, trusted: Sequence[Trusted]) -> tuple[Checked, dict[str, Any] | None]:
    try:
        credential = read_credential(data.decode("ascii", "replace").strip(), trusted)
    except CredentialInvalid as error:
        reasons = [f"{error.code}: {error.message}"]
        return Checked(valid=False, state="unchecked", reasons=reasons, checks={"credential": False}), None
    return Checked(valid=True, state="unchecked", checks={"credential": True}), credential


def checked_of(verdict: Verdict) -> Checked:
    """What a verdict on a file says, before any register is asked."""
    reasons = [f"{r}: {r.sentence}" for r in verdict.reasons]
    return Checked(verdict.valid, reasons=reasons, number=verdict.number, checks=steps_of(verdict))


def _facts(checked: Checked, credential: dict[str, Any]) -> None:
    subject = credential["credentialSubject"]
    checked.number = str(subject["licenseNumber"])
    checked.programme = str(subject["achievement"]["name"])
    names = [one for one in subject["identifier"] if one["identityType"] == "name"]
    checked.holder = str(names[0]["identityHash"])
    checked.hours = f"{subject['creditsEarned']:.2f}"
