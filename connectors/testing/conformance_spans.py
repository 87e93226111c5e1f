"""What is asked of time: spans that bring their rows and no others, and a pull that goes on where it was cut."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.records import EVERYTHING, Completion, Span
from connectors.testing.conformance_completions import sound
from connectors.testing.conformance_people import COHORT, EXACT, local, told
from connectors.testing.conformance_subject import Subject, able, by_key, stop

SPANS = {
    "a day": ("2024-06-05", "2024-06-06"),
    "a minute": ("2024-11-23 20:31", "2024-11-23 20:32"),
    "seconds": ("2024-06-05 23:59:59", "2024-06-06 00:00:01"),
    "a year": ("2024-01-01", "2025-01-01"),
    "until": (None, "2024-07-01 09:30"),
    "since": ("2024-11-23 20:31:20", None),
    "the future": ("2080-01-01", None),
    "the past": (None, "1996-01-01"),
    "nobody": ("2024-03-01", "2024-04-01"),
    "nothing": ("2024-06-06", "2024-06-06"),
    "backwards": ("2025-06-01", "2024-01-01"),
    "all": (None, None),
}


def span_of(words: str) -> Span:
    """One of `SPANS`."""
    since, until = SPANS[words]
    return Span(local(since) if since else None, local(until) if until else None)


def _within(at: datetime, span: Span, room: timedelta = timedelta(0)) -> bool:
    """Whether ``at`` lies in the span; with ``room``, whether a source might think so that knows it only so exactly."""
    if span.since and span.until and span.since >= span.until:
        return False
    return (span.since is None or span.since - room < at or span.since <= at) and (
        span.until is None or at < span.until + room
    )


class SpanTests(Subject):
    """Reading a part, and the rest. A connector without ``spans`` brings everything whatever it is asked for."""

    @pytest.mark.parametrize("words", list(SPANS))
    def test_a_span_brings_its_rows_and_no_others(self, full: Any, words: str) -> None:
        """Each as in the whole pull. At its edges a source may bring what it can't tell apart: times in the same
        minute, where that is as exactly as it knows them.
        """
        span, whole = span_of(words), self.rows(full)
        with self.connect(full) as reader:
            pages = list(reader.completions(span))
            came = {row["key"]: row for row in sound(pages)}
            assert came.items() <= whole.items()
            if not able(reader).spans:
                assert came == whole
                return
            room = max((EXACT[row["precision"]] for row in whole.values() if row["completed_at"]), default=timedelta(0))
            must = {one.told for one in COHORT if _within(one.at, span)}
            may = {one.told for one in COHORT if _within(one.at, span, room)}
            assert must <= {told(row) for row in came.values()} <= may
            if able(reader).counts:
                assert all(page.total is not None and page.total >= len(must) for page in pages)

    def test_pages_come_in_the_order_of_time(self, full: Any) -> None:
        """With spans: nothing on a later page is older than anything before it."""
        with self.connect(full) as reader:
            reached: datetime | None = None
            for page in reader.completions():
                times = [row["completed_at"] for row in page.completions if row["completed_at"]]
                if able(reader).spans and times:
                    assert reached is None or reached <= min(times)
                    reached = max(times)

    def test_through_is_true(self, full: Any) -> None:
        """With spans: where a page says it got, everything older has come; it never goes back; some page says it.
        Without: nobody says it.
        """
        whole = self.rows(full)
        with self.connect(full) as reader:
            spans = able(reader).spans
            pages = list(reader.completions())
        said = [page.through for page in pages if page.through]
        assert bool(said) == spans
        assert said == sorted(said)
        for place, page in enumerate(pages, 1):
            if page.through:
                older = {
                    key for key, row in whole.items() if row["completed_at"] and row["completed_at"] < page.through
                }
                assert older <= by_key(pages[:place]).keys()

    def test_a_pull_that_was_cut_after_any_page_goes_on(self, full: Any) -> None:
        """Stop after page k, start anew from what it said of ``through``: together they are the whole, for every k.
        Without spans the next pull begins at the beginning, and is the whole by itself.
        """
        whole = self.rows(full)
        for k in range(1, len(self.pages(full)) + 1):
            with self.connect(full) as reader:
                came: dict[str, Completion] = {}
                since: datetime | None = None
                pages = iter(reader.completions())
                for _ in range(k):
                    page = next(pages)
                    came |= by_key([page])
                    since = page.through or since
                stop(pages)
            assert came | self.rows(full, Span(since) if since else EVERYTHING) == whole
