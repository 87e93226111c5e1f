"""The connector: a file on disk as a source."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from connectors.base import Capabilities, Connector, SourceConfig
from connectors.errors import ConnectorError, OptionInvalid
from connectors.records import EVERYTHING, CheckResult, Completion, Completions, Course, Page, Problem, Rejected, Span
from connectors.roster import keys, values
from connectors.roster.headings import Table, find_tables
from connectors.roster.reader import Book, read, to_path
from connectors.roster.rows import Defaults, Habits, data_rows, habits, read_row, row_trait
from connectors.roster.values import Unreadable

PAGE = 5_000
"""Rows of a page."""

_FIXES = {
    "E_ID_PRECISION_LOST": "Set the column to «text» and enter the numbers again from the source: their last digits are"
    " gone. The template (`xueshi roster template`) has the column set.",
    "E_DATE_INVALID": "Write a date as 2024-06-05, a period as 2024-06-03 — 2024-06-05, its end not before its start.",
    "E_HOURS_INVALID": "Write the hours as a number above 0, such as 24 or 24.5; minutes as 45分钟.",
    "E_RESULT_INVALID": "Write 合格 or 不合格, or a mark from 0 to 100.",
    "E_ROW_MALFORMED": "The row has neither a name nor an identity number: complete it or remove it.",
}
_SHOWN = 5


class RosterConnector(Connector):
    """Reads one roster. ``url`` is a path, also as ``file:///…``."""

    kind: ClassVar[str] = "roster"
    options: ClassVar[dict[str, str]] = {
        "course": "code of the course, for a file without a column for it",
        "course_name": "title of the course or programme, for a file without a column for it",
        "filing_number": "filing number of the programme, for a file without a column for it",
        "date": "date of completion (2024-06-05), for rows that have none",
        "hours": "hours, for rows that have none",
        "passed_mark": "lowest mark that passes, 60 by default",
    }

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config)
        self._calls = 0
        self._book: Book | None = None
        self._defaults = Defaults(
            course=self._option("course"),
            course_name=self._option("course_name"),
            filing_number=self._option("filing_number"),
            date=self._date(),
            hours=self._hours(),
            passed_mark=self._passed_mark(),
        )

    # --- options ------------------------------------------------------------------------------------------------
    def _option(self, name: str) -> str:
        return self.config.options.get(name, "").strip()

    def _date(self) -> date | None:
        text = self._option("date")
        try:
            return values.read_moment(text).at.date() if text else None
        except Unreadable as error:
            raise OptionInvalid(option="date", value=text, reason="write it as 2024-06-05") from error

    def _hours(self) -> int | None:
        text = self._option("hours")
        try:
            return values.read_hours(text).hundredths if text else None
        except Unreadable as error:
            raise OptionInvalid(option="hours", value=text, reason="a number above 0, up to 10000") from error

    def _passed_mark(self) -> float:
        text = self._option("passed_mark") or "60"
        try:
            mark = float(text)
        except ValueError:
            mark = math.nan
        if not 0 < mark <= values.FULL_MARK:
            raise OptionInvalid(option="passed_mark", value=text, reason="a number above 0, up to 100")
        return mark

    # --- the contract -------------------------------------------------------------------------------------------
    @property
    def calls(self) -> int:
        """Files opened so far."""
        return self._calls

    @property
    def capabilities(self) -> Capabilities:
        """A roster can say everything; what a row leaves out is refused or lands empty."""
        return Capabilities(completion_time=True, counts=True, grades=True, reported_hours=True)

    def check(self) -> CheckResult:
        """What the file has: in ``release`` the sheets, rows of headings, rows and columns that were recognised."""
        problems: list[Problem] = []
        found = ""
        try:
            book = self._read()
            found = book.format
            tables = self._tables()
            found = "; ".join([book.format, *map(_described, tables)])
            if book.hidden:
                found += f"; hidden and not read: {', '.join(book.hidden)}"
            problems = _problems([row for row in self._rows(tables) if isinstance(row, Rejected)])
        except ConnectorError as error:
            problems = [Problem(error.code, error.message, error.how_to_fix)]
        can = self.capabilities
        return CheckResult(
            ok=not problems,
            site=_file_name(self.config.url),
            release=found,
            route="file",
            capabilities={name: getattr(can, name) for name in can.__dataclass_fields__},
            problems=problems,
        )

    def courses(self) -> list[Course]:
        """The courses that the file's rows name, in the order in which they first do."""
        found: dict[tuple[str, str], Course] = {}
        for row in self._rows(self._tables()):
            if not isinstance(row, Rejected):
                course = Course(row["course"], row["course_name"], idnumber=row["filing_number"])
                found.setdefault((course.code, course.name), course)
        return list(found.values())

    def completions(self, span: Span = EVERYTHING) -> Iterator[Page]:  # noqa: ARG002 - a file comes whole
        """The rows in pages of `PAGE`; a file without rows is one empty page.

        :raises ConnectorError: the file as a whole can't be read; nothing was yielded then.
        """
        tables = self._tables()
        known = [habits(table) for table in tables]
        # Two readings, of which the first keeps what makes the keys: a row's key depends on rows below it.
        assigned = keys.assign(list(self._traits(tables, known)))
        total = sum(key is not None for key in assigned)
        good: list[Completion] = []
        refused: list[Rejected] = []
        for key, row in zip(assigned, self._rows(tables, known), strict=True):
            if key is None:
                continue
            if isinstance(row, Rejected):
                refused.append(Rejected(key, row.code, row.field, row.place, row.value, row.raw))
            else:
                good.append({**row, "key": key})
            if len(good) + len(refused) == PAGE:
                yield _checked(Page(good, refused, self._window(), total))
                good, refused = [], []
        if total == 0 or good or refused:
            yield _checked(Page(good, refused, self._window(), total))

    def close(self) -> None:
        """Let go of the file's content."""
        self._book = None

    # --- inside -------------------------------------------------------------------------------------------------
    def _read(self) -> Book:
        if self._book is None:
            self._calls += 1
            self._book = read(to_path(self.config.url))
        return self._book

    def _tables(self) -> list[Table]:
        try:
            return find_tables(self._read(), dated=self._defaults.date is not None)
        except ConnectorError:
            self._book = None  # the file may be corrected before it is asked for again
            raise

    def _rows(self, tables: list[Table], known: list[Habits] | None = None) -> Iterator[Completion | Rejected]:
        for table, habit in zip(tables, known or [habits(table) for table in tables], strict=True):
            for number, row in data_rows(table):
                yield read_row(table, number, row, self._defaults, habit)

    def _traits(self, tables: list[Table], known: list[Habits]) -> Iterator[keys.Trait]:
        for table, habit in zip(tables, known, strict=True):
            for number, row in data_rows(table):
                found = read_row(table, number, row, self._defaults, habit, whole=False)
                yield row_trait(table, row, self._defaults, found)

    def _window(self) -> str:
        return f"the file {_file_name(self.config.url)}"


def _file_name(url: str) -> str:
    """The file's name alone, for messages; the address as it stands where it names no file here."""
    try:
        return to_path(url).name
    except ConnectorError:
        return url


def _checked(page: Page) -> Page:
    """``page``, every record of it held against the contract: a bug here stops before anything is taken over."""
    Completions.validate_python(page.completions)
    return page


def _described(table: Table) -> str:
    count = sum(1 for _ in data_rows(table))
    titles = ", ".join(table.titles[at] for at in sorted(table.columns.values()))
    return f"{table.sheet.name or 'the file'}: headings in row {table.row} ({titles}), {count} rows"


def _problems(rejected: list[Rejected]) -> list[Problem]:
    counts = Counter(row.code for row in rejected)
    problems = []
    for code, count in counts.items():
        places = [row.place for row in rejected if row.code == code]
        shown = ", ".join(places[:_SHOWN]) + (" …" if count > _SHOWN else "")
        problems.append(Problem(code, f"{count} rows are refused: {shown}", _FIXES[code]))
    return problems
