"""Progress that is true: done of all, rows a second, time left; and when one of these can't be known, nothing in its
place.
"""

from __future__ import annotations

from dataclasses import dataclass

_SOON = 0.5  # seconds; what is measured over less says nothing of a rate


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is. ``rows`` have come in ``seconds``; ``share`` of it is done (0 to 1; None: nobody knows)."""

    rows: int
    seconds: float
    total: int | None = None
    share: float | None = None
    left: float | None = None  # seconds

    @property
    def rate(self) -> float | None:
        """Rows a second."""
        return rate(self.rows, self.seconds)

    @property
    def percent(self) -> int | None:
        """The share in whole percent, never 100 before it is done."""
        return None if self.share is None else min(int(self.share * 100), 99)


def rate(rows: int, seconds: float | None) -> float | None:
    """Rows a second; None: too short to tell."""
    return rows / seconds if rows and seconds and seconds >= _SOON else None


def of_rows(rows: int, total: int | None, seconds: float) -> Progress:
    """Of a pull: ``total`` as the source counts; a source may count too few, and then nothing is left to say."""
    if not total or rows > total:
        return Progress(rows, seconds)
    speed = rate(rows, seconds)
    return Progress(rows, seconds, total, rows / total, (total - rows) / speed if speed else None)


def of_range(rows: int, seconds: float, *, done: float, done_before: float) -> Progress:
    """Of a range of time, of which ``done`` is read (0 to 1) and ``done_before`` was when these ``seconds`` began."""
    done, done_before = (min(max(each, 0.0), 1.0) for each in (done, done_before))
    moved = done - done_before
    left = (1 - done) * seconds / moved if moved > 0 and seconds >= _SOON else None
    return Progress(rows, seconds, None, done, left)
