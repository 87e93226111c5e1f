"""The route by report: a custom report of *Course participants*, read in windows of the time of completion.

The filter is kept on the server, for the account and the report. Another program with the same account can change it
between two calls, and a report without that filter ignores it, both without an error. So it is set before every read,
every row is held against its window, and the sum of all windows against the whole.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from connectors.ahead import read_ahead
from connectors.errors import (
    ColumnMissing,
    ConnectorError,
    FilterIgnored,
    Malformed,
    PageRepeated,
    RecordMissing,
    ReportAmbiguous,
    ReportMissing,
    TotalsDiffer,
)
from connectors.moodle.client import REPORTS, RESET_FILTERS, RETRIEVE, SET_FILTERS, USERS, MoodleClient, text_of
from connectors.moodle.columns import IDENTITY_TITLES, IDNUMBER_TITLES, Columns, find, folded, identity_title, locate
from connectors.moodle.rows import Batch, read_rows
from connectors.moodle.sheet import Sheet, mark_of, sheet_of
from connectors.moodle.times import ReportTimes
from connectors.moodle.totals import agrees
from connectors.moodle.windows import Window
from connectors.records import EVERYTHING, Page, Span

UTC_TIMES = {"timezone": "UTC"}
_ATTEMPTS = 3  # another program may have set the filter between our two calls
SAMPLE = 20  # rows to look at before a pull: for headings, and for people whose profile fields may be asked
_A_PAGE_OF_REPORTS = 100
PARTICIPANTS = "of the source Course participants"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person said of the report."""

    report_id: int | None = None
    identity: str = ""  # heading, profile field's short name, or idnumber; "" finds it
    renamed: Mapping[str, str] = field(default_factory=dict)
    page_size: int = 5000
    since: int = 0  # seconds since 1970


class Report:
    """One custom report, as the service account sees it."""

    def __init__(self, client: MoodleClient, wanted: Wanted) -> None:
        self._client = client
        self._wanted = wanted
        self._times = ReportTimes()
        self._id = wanted.report_id
        self._identity = ""
        self._columns: Columns | None = None
        self._before: tuple[int, ...] = ()
        self._filter_is_set = False
        self._reading: Generator[object] | None = None

    # --- which report, which columns ---------------------------------------------------------------------------
    @property
    def number(self) -> int:
        """The report's number; looked for when nobody said it.

        :raises ReportMissing: none has the right source
        :raises ReportAmbiguous: more than one has
        """
        if self._id is None:
            found = {int(one["id"]): text_of(one.get("name")) for one in self._listed() if _of_participants(one)}
            fitting = [one for one in found if self._fits(one)] if len(found) > 1 else list(found)
            if not found:
                raise ReportMissing(report=PARTICIPANTS)
            if len(fitting) != 1:
                raise ReportAmbiguous(reports="、".join(f"{one} «{name}»" for one, name in found.items()))
            self._id = fitting[0]
        return self._id

    def _fits(self, number: int) -> bool:
        """Whether that report has the columns."""
        other = Report(self._client, replace(self._wanted, report_id=number))
        try:
            other.columns_of(other.look())
        except (ColumnMissing, Malformed, ReportMissing):
            return False
        finally:
            other.release()
        return True

    @property
    def whole(self) -> Window:
        """All that is to be read."""
        return Window(self._wanted.since)

    def _listed(self) -> Iterator[dict[str, Any]]:
        page = 0
        while True:
            answer = self._client.call(REPORTS, page=page, perpage=_A_PAGE_OF_REPORTS)
            reports = answer.get("reports") if isinstance(answer, dict) else None
            if not isinstance(reports, list):
                raise Malformed(what=REPORTS, url="the site", reason="it has no list of reports")
            yield from reports
            if len(reports) < _A_PAGE_OF_REPORTS:
                return
            page += 1

    def columns_of(self, sheet: Sheet) -> Columns:
        """Where the columns of an answer stand, looked at anew whenever the headings change.

        :raises ColumnMissing: one that is needed is not there
        """
        if self._columns is None or list(self._columns.headers) != sheet.headers:
            self._identity = self._identity or self._identity_title(sheet)
            self._columns = locate(sheet.headers, self._wanted.renamed, self._identity)
        return self._columns

    def _identity_title(self, sheet: Sheet) -> str:
        asked = self._wanted.identity
        if not asked:
            title = identity_title(sheet.headers)
            if title is None:
                missing = f"«{IDENTITY_TITLES[0]}» (identity number)"
                raise ColumnMissing(column=missing, headers="、".join(sheet.headers), name="identity_field")
            return title
        if find(sheet.headers, (asked,)) >= 0:
            return asked
        if folded(asked) == "idnumber":
            place = find(sheet.headers, IDNUMBER_TITLES)
            return sheet.headers[place] if place >= 0 else IDNUMBER_TITLES[0]
        return self._field_name(asked, sheet) or asked

    def _field_name(self, shortname: str, sheet: Sheet) -> str:
        """The name of a profile field, which is its heading; asked of people in the report who have it filled in."""
        place = find(sheet.headers, ("Username", "用户名", self._wanted.renamed.get("username", "Username")))
        people = {row["columns"][place] for row in sheet.rows if place >= 0 and len(row["columns"]) > place}
        found = self._client.call(USERS, field="username", values=sorted(people)) if people else []
        for user in found if isinstance(found, list) else ():
            for one in user.get("customfields", ()):
                if folded(text_of(one.get("shortname"))) == folded(shortname):
                    return text_of(one.get("name"))
        return ""

    # --- asking ------------------------------------------------------------------------------------------------
    def ask(self, window: Window, per_page: int, page: int = 0) -> Sheet:
        """Set the filter to ``window`` and read a page. ``total`` is the count of the window, 0 behind its last page.

        :raises ReportMissing: there is no such report for this account
        """
        self._filter_is_set = True
        self._call(SET_FILTERS, values=orjson.dumps(window.filter_values).decode())
        return sheet_of(self._call(RETRIEVE, settings=UTC_TIMES, page=page, perpage=per_page))

    def _call(self, function: str, **params: Any) -> Any:
        number = self.number
        try:
            return self._client.call(function, reportid=number, **params)
        except (RecordMissing, ReportMissing):  # deleted, or the account is not in its audience
            missing = ReportMissing(report=number)
        raise missing

    @property
    def _titles(self) -> tuple[str, ...]:
        return tuple(self._columns.titles) if self._columns else ()

    def release(self) -> None:
        """Take the filter back, so that people who open the report see all of it. Once, and without insisting."""
        if self._reading:
            with suppress(ValueError):  # it is in another thread's hands, which ends it
                self._reading.close()  # or it would set the filter again
            self._reading = None
        if self._filter_is_set:
            self._filter_is_set = False
            with suppress(ConnectorError):
                self._call(RESET_FILTERS, patient=False)

    def look(self, window: Window | None = None) -> Sheet:
        """The first rows of ``window`` (all that is to be read), and how many there are.

        :raises ColumnMissing: see `columns_of`
        """
        sheet = self.ask(window or self.whole, SAMPLE)
        if sheet.rows:
            self.columns_of(sheet)
        return sheet

    # --- reading -----------------------------------------------------------------------------------------------
    def pages(self, span: Span = EVERYTHING) -> Iterator[Page]:
        """All completions of ``span``, a page for each window, in the order of time.

        :raises ConnectorError: the report contradicts itself; pages yielded before stay true
        """
        whole = self.whole.within(span)
        if whole.empty:
            return
        try:
            self._call(RESET_FILTERS)
            at_first = self.look(whole).total
            got = 0
            with closing(read_ahead(self._windows(whole, at_first))) as windows:
                self._reading = windows
                for window, part, rows, last in windows:
                    # rows on the far edge are the next window's; behind the last window nobody else counts them
                    got += rows if window.end == whole.end else part.counted
                    through = window.ends_at if last else None
                    for some, rejected, more in part.in_parts():
                        yield Page(
                            some, rejected, str(window), at_first, through=None if more else through,
                            titles=self._titles, more=more,
                        )  # fmt: skip
            at_last = self.ask(whole, 1).total
            if not agrees(got, at_first, at_last):
                raise TotalsDiffer(expected=at_last, window=whole, got=got)
        finally:
            self.release()

    def _windows(self, whole: Window, total: int) -> Iterator[tuple[Window, Batch, int, bool]]:
        """Windows that a page holds, in the order of time: what their rows came to, how many rows, whether that is all
        of the window.
        """
        size = self._wanted.page_size
        waiting = [whole] if total <= size else whole.cut(total, size)
        waiting.reverse()
        while waiting:
            window = waiting.pop()
            if waiting and window.rough and window.divisible:
                # a few rows tell as well as a full page that it has to be cut
                there = self.ask(window, SAMPLE).total
                if there > size:
                    waiting += reversed(window.cut(there, size))
                    continue
                if not there:
                    continue
            sheet, batch = self._read(window)
            if sheet.total > size and window.divisible:
                waiting += reversed(window.cut(sheet.total, size))
                continue
            for part, rows, last in self._rest(window, sheet, batch):
                yield window, part, rows, last

    def _rest(self, window: Window, sheet: Sheet, batch: Batch) -> Iterator[tuple[Batch, int, bool]]:
        """The window's pages, the rows that each had, and whether it is the last: one page, except where a single
        minute has more rows than a page holds.
        """
        yield batch, len(sheet.rows), len(sheet.rows) >= sheet.total
        seen = {mark_of(row) for row in sheet.rows} if sheet.total > len(sheet.rows) else set()
        read, page = len(sheet.rows), 1
        while read < sheet.total:
            further, batch = self._read(window, page, sheet.total - read)
            marks = {mark_of(row) for row in further.rows}
            if seen & marks:
                raise PageRepeated(window=f"page {page + 1} of {window}")
            if further.total != sheet.total:
                raise TotalsDiffer(expected=sheet.total, window=window, got=further.total)
            seen |= marks
            read += len(further.rows)
            page += 1
            yield batch, len(further.rows), read >= sheet.total

    def _read(self, window: Window, page: int = 0, left: int | None = None) -> tuple[Sheet, Batch]:
        """One page, held against its window and its count; tried again when it does not fit (why: top of the file)."""
        attempt = 1
        while True:
            sheet = self.ask(window, self._wanted.page_size, page)
            try:
                return sheet, self._checked(sheet, window, left)
            except (FilterIgnored, TotalsDiffer, PageRepeated):
                if attempt == _ATTEMPTS:
                    raise
            attempt += 1

    def _checked(self, sheet: Sheet, window: Window, left: int | None) -> Batch:
        due = min(sheet.total if left is None else left, self._wanted.page_size)
        if len(sheet.rows) != due:
            raise TotalsDiffer(expected=due, window=window, got=len(sheet.rows))
        if not sheet.rows:
            return Batch()
        if sheet.total > self._wanted.page_size and left is None and window.divisible:
            # it will be cut, and its parts are checked; a look at some rows keeps us from cutting on without a filter
            read_rows(sheet.rows[:SAMPLE], self.columns_of(sheet), self._times, window)
            return Batch()
        shape = (mark_of(sheet.rows[0]), mark_of(sheet.rows[-1]), len(sheet.rows))
        try:
            batch = read_rows(sheet.rows, self.columns_of(sheet), self._times, window)
        except FilterIgnored:
            if shape != self._before:
                raise
        else:
            self._before = shape
            return batch
        raise PageRepeated(window=window)  # the rows of the window before: something answers out of a cache


def _of_participants(report: dict[str, Any]) -> bool:
    return text_of(report.get("source")).rpartition("\\")[2] == "participants"
