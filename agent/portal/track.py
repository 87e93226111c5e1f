"""How far a course has come: arrived → matched → mapped → credited → certified → handed on; by word and by shapes.

Pure: what the tables say of a course in, the step out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from html import escape
from typing import Final


class Step(IntEnum):
    """The way of a course, in its order."""

    ARRIVED = 0  # its row has landed
    MATCHED = 1  # whose it is, is known
    MAPPED = 2  # which filed programme it belongs to, is known
    CREDITED = 3  # it stands in the ledger
    CERTIFIED = 4  # its certificate is issued
    HANDED_ON = 5  # the city's and the province's platforms have it


class Mender(Enum):
    """Where that is mended which a course waits for; says how soon it goes on afterwards."""

    LMS = "lms"  # corrected in the source: the next read brings it
    PERSON = "person"  # decided here: the stages follow at once
    HOUSE = "house"  # the house itself: nobody need do anything


_WAITS: Final[dict[str, Step]] = {
    # what a course has reached that waits for this reason; a reason that is not here: it has arrived
    "E_TIME_UNKNOWN": Step.MATCHED,
    **dict.fromkeys(("E_COURSE_UNMAPPED", "E_COURSE_AMBIGUOUS", "E_FILING_UNKNOWN"), Step.MATCHED),
    **dict.fromkeys(("E_PROGRAMME_NOT_FILED", "E_DATE_RANGE", "E_NO_POLICY", "E_LATE_YEAR"), Step.MAPPED),
}
_PERSONS = {
    "E_COURSE_UNMAPPED", "E_COURSE_AMBIGUOUS", "E_FILING_UNKNOWN", "E_PROGRAMME_NOT_FILED", "E_DATE_RANGE",
    "E_LATE_YEAR", "E_CERT_NOT_APPROVED", "E_CERT_NOT_FILED", "E_CERT_NOT_ENTITLED", "E_CERT_DATES",
}  # fmt: skip
_HOUSES = {"E_NO_POLICY", "E_GLYPH_MISSING", "E_CERT_HOURS", "E_PROOF_KEY_MISSING"}


@dataclass(frozen=True, slots=True)
class Track:
    """What a course has reached, what it waits for (a code; empty: nothing), and whether it goes on at all."""

    reached: Step
    waits_for: str = ""
    ends: Step = Step.HANDED_ON  # where its way ends: a public course gets no certificate (R09)

    @property
    def mender(self) -> Mender:
        """Where it is mended."""
        return mender_of(self.waits_for)


def mender_of(code: str) -> Mender:
    """Where that is mended which a code is about."""
    if code in _PERSONS:
        return Mender.PERSON
    return Mender.HOUSE if code in _HOUSES or code.startswith("E_SIGNING_KEY") else Mender.LMS


def of_waiting(code: str) -> Track:
    """A row that is held for ``code``."""
    return Track(_WAITS.get(code, Step.ARRIVED), code)


def of_credited(*, certificate: bool, public: bool, held: str) -> Track:
    """A row in the ledger.

    :param held: why its certificate waits, as a code
    """
    ends = Step.CREDITED if public else Step.HANDED_ON
    return Track(Step.CERTIFIED if certificate else Step.CREDITED, held, ends)


_PITCH = 15


def drawn(track: Track, said: str) -> str:
    """The six steps in a line: a disc for what is reached, a triangle where it waits for somebody, a ring for what
    is to come, nothing for what it does not have.
    """
    marks = []
    for step in Step:
        x = 7 + _PITCH * step
        if step > track.ends:
            break
        line = f'<path class="track-line" d="M{x - _PITCH + 5} 7h5" stroke="#56636f"/>' if step else ""
        if step <= track.reached:
            mark = f'<circle class="track-done" cx="{x}" cy="7" r="4" fill="#0f5c63"/>'
        elif step == track.reached + 1 and track.waits_for:
            mark = f'<path class="track-waits" d="M{x} 2.5l5 9h-10z" fill="none" stroke="#c8371f" stroke-width="1.5"/>'
        else:
            mark = f'<circle class="track-next" cx="{x}" cy="7" r="3.5" fill="none" stroke="#56636f"/>'
        marks.append(line + mark)
    width = 14 + _PITCH * track.ends
    return (
        f'<svg class="track" viewBox="0 0 {width} 14" width="{width}" height="14" role="img"'
        f' aria-label="{escape(said)}">{"".join(marks)}</svg>'
    )
