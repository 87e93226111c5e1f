"""A Moodle as a source: by the companion plugin where it is installed, by its report builder where there is a report,
by enrolment and completion status where there is neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.base import Capabilities, Connector, SourceConfig
from connectors.errors import FunctionMissing, OptionInvalid, ReportMissing
from connectors.http import Limits
from connectors.moodle.check import Check
from connectors.moodle.client import COMPLETIONS, ENROLLED_FUNCTIONS, REPORT_FUNCTIONS, REPORTS, MoodleClient
from connectors.moodle.columns import TITLES
from connectors.moodle.courses import CHINA, courses
from connectors.moodle.enrolled import Enrolments
from connectors.moodle.plugin import Plugin
from connectors.moodle.plugin_columns import TITLES as PLUGIN_TITLES
from connectors.moodle.plugin_rows import read_objects
from connectors.moodle.report import Report, Wanted
from connectors.moodle.rows import read_rows
from connectors.moodle.sheet import Sheet
from connectors.moodle.times import ReportTimes
from connectors.moodle.windows import Window
from connectors.records import EVERYTHING, Block, CheckResult, Course, Page, Span

ROUTES = ("auto", "plugin", "report", "enrolled")
_LARGEST_PAGE = 50_000


class MoodleConnector(Connector):
    """Reads one Moodle through its web services. What an administrator sets up there: docs/moodle.md."""

    kind: ClassVar[str] = "moodle"
    options: ClassVar[dict[str, str]] = {
        "report_id": "Number of the report (it stands in its address). Without it, the only fitting one is taken.",
        "identity_field": "Where the identity number stands: the heading of a column (身份证号), the short name of a "
        "profile field (sfzh), or idnumber. Without it, usual headings are looked for; the plugin has its own setting.",
        "page_size": "Rows a call, 1 to 50,000; 5,000 when nothing is said (by the plugin at most 10,000). Less where "
        "the LMS runs out of memory.",
        "since": "Only completions from that day on, YYYY-MM-DD, in China. Everything when nothing is said.",
        "column": f"A heading that was renamed: column.time=结业日期. Names: {', '.join(TITLES)}.",
        "route": "auto, plugin, report or enrolled. auto takes the companion plugin where the service offers it, else "
        "the report; enrolment only where none was named or found.",
        "ca_file": "File with the certificates (PEM) of your own authority, where the LMS's is signed by it.",
    }

    def __init__(self, config: SourceConfig, *, limits: Limits | None = None) -> None:
        super().__init__(config)
        self._wanted = _wanted(config.options)
        self._option = config.options.get("route", "auto")
        if self._option not in ROUTES:
            raise OptionInvalid(option="route", value=self._option, reason=f"it is one of {', '.join(ROUTES)}")
        self._client = MoodleClient(config, limits=limits)
        self._report = Report(self._client, self._wanted)
        wanted = self._wanted
        self._plugin = Plugin(self._client, wanted.identity, wanted.page_size, wanted.since)
        self._route = "" if self._option == "auto" else self._option

    @property
    def calls(self) -> int:
        """HTTP calls so far, repetitions too."""
        return self._client.http.calls

    @property
    def capabilities(self) -> Capabilities:
        """By the route taken; nothing before it is known."""
        if self._route not in ("plugin", "report"):
            return Capabilities(completion_time=False, counts=False, grades=False)
        plugin = self._route == "plugin"
        return Capabilities(
            grades=True,
            spans=True,
            changes=plugin and self._plugin.keeps_log,
            blocks=plugin and self._plugin.has_digests,
        )

    def check_address(self) -> None:
        """Refuse what is no address of a web site, and one with a password in it."""
        self._client.http.check_address()

    def look(self) -> None:
        """Find the route, and what the plugin can do.

        :raises FunctionMissing: the service offers what no route needs
        """
        self._route = self._route or self._found_route()
        if self._route == "plugin" and COMPLETIONS not in self._client.functions:
            self._client.forget()
            raise FunctionMissing(function=COMPLETIONS)

    def check(self) -> CheckResult:
        """Look whether a sync would work, and say what to click where it would not. Never raises for that."""
        look = Check(self._client, self._report, self._plugin, self._wanted.identity)
        return look.run(self._option, self._found_route)

    def courses(self) -> list[Course]:
        """All courses that the account sees, hidden ones too, by their names as typed (of several, the Chinese one)."""
        return list(courses(self._client))

    def completions(self, span: Span = EVERYTHING) -> Iterator[Page]:
        """The completions of ``span`` by the plugin or the report (a page a part of the time), or all by enrolment (a
        page a list of people).

        :raises ConnectorError: the source failed or contradicts itself; pages yielded before stay true
        """
        self.look()
        if self._route == "plugin":
            yield from self._plugin.pages(span)
        elif self._route == "report":
            yield from self._report.pages(span)
        else:
            yield from Enrolments(self._client, self._wanted.identity).pages()

    def changes(self, after: int) -> Iterator[Page]:
        """By the plugin, what its log holds behind ``after``."""
        self.look()
        return self._plugin.log.pages(after) if self.capabilities.changes else super().changes(after)

    def blocks(self) -> Iterator[Block]:
        """By the plugin, all rows as digests."""
        self.look()
        return self._plugin.digests.all() if self.capabilities.blocks else super().blocks()

    def block(self, block: Block) -> Iterator[Page]:
        """By the plugin, the rows of a block."""
        self.look()
        return self._plugin.block(block) if self.capabilities.blocks else super().block(block)

    def reread(self, raw: dict[str, Any]) -> Page:
        """A row of the plugin or of the report by its titles, as it was kept; which of them, its titles say.

        :raises ColumnMissing: it has not all the columns that are needed
        :raises Malformed: the same of the plugin's
        """
        if raw.keys() >= {"courseshortname", "timecompleted"}:
            rows = read_objects([raw], idnumber=self._plugin.by_idnumber)
            return Page(rows.completions, rows.rejected, "replay", titles=PLUGIN_TITLES)
        titles, cells = list(raw), list(raw.values())
        columns = self._report.columns_of(Sheet(titles, [], 1))
        batch = read_rows([{"columns": cells}], columns, ReportTimes(), Window())
        return Page(batch.completions, batch.rejected, "replay", titles=titles)

    def close(self) -> None:
        """Take the report's filter back and close the connection."""
        self._report.release()
        self._client.http.close()

    def _found_route(self) -> str:
        """``plugin`` where the service offers it. Else ``report`` wherever one was named: a slower route that knows
        less must not take its place unasked, because every completion would change. ``enrolled`` only where there is
        none, or the service can't read any.

        :raises FunctionMissing: none can be taken
        """
        if COMPLETIONS in self._client.functions:
            return "plugin"
        if self._wanted.report_id is not None:
            return "report"
        missing = [one for one in (REPORTS, *REPORT_FUNCTIONS) if one not in self._client.functions]
        can_enrol = self._client.functions.issuperset(ENROLLED_FUNCTIONS)
        if missing:
            if can_enrol:
                return "enrolled"
            raise FunctionMissing(function=missing[0])
        try:
            return "report" if self._report.number else ""
        except ReportMissing:
            if can_enrol:
                return "enrolled"
            raise


def _wanted(options: dict[str, str]) -> Wanted:
    """The options that concern the report, judged.

    :raises OptionInvalid: one makes no sense
    """
    renamed = {}
    for option, value in options.items():
        head, dot, name = option.partition(".")
        if head == "column" and name not in TITLES:
            raise OptionInvalid(
                option=option, value=value, reason=f"write column.<name>, name one of {', '.join(TITLES)}"
            )
        if dot and head != "column":
            raise OptionInvalid(option=option, value=value, reason="it has no parts")
        if dot:
            renamed[name] = value
    return Wanted(
        report_id=_whole("report_id", options["report_id"], 1 << 53) if "report_id" in options else None,
        identity=options.get("identity_field", "").strip(),
        renamed=renamed,
        page_size=_whole("page_size", options.get("page_size", "5000"), _LARGEST_PAGE),
        since=_since(options["since"]) if options.get("since") else 0,
    )


def _whole(option: str, value: str, most: int) -> int:
    if value.isascii() and value.isdigit() and 1 <= int(value) <= most:
        return int(value)
    raise OptionInvalid(option=option, value=value, reason=f"it is a whole number from 1 to {most}")


def _since(value: str) -> int:
    """The first second of a Chinese day."""
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=CHINA)
    except ValueError:
        raise OptionInvalid(option="since", value=value, reason="write a day as 2024-01-31") from None
    return max(0, int((day.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)))
