"""The conformance suite on the connector that it was written with: rows in memory, and all claimed that can be claimed,
so that every part of the suite is seen to pass: spans, a log of changes, blocks.
"""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from zlib import crc32

import pytest
from pydantic import SecretStr

from connectors import base
from connectors.base import Capabilities, Connector, SourceConfig
from connectors.errors import ConnectorError, FileBroken, FileMissing, LogCut
from connectors.records import EVERYTHING, Block, CheckResult, Course, Page, Problem
from connectors.testing import ConnectorTests
from connectors.testing.conformance import COURSES, FILE_FAULTS

ERRORS = {"missing": FileMissing(path="a notebook"), "broken": FileBroken(path="it", format="rows", reason="torn")}


class Notebook(Connector):
    """Reads what stands in a notebook; ``books`` has the open ones by their address."""

    kind = "notebook"
    options = {"page": "Rows of a page; seven when nothing is said."}
    books: dict[str, SimpleNamespace] = {}

    def __init__(self, config):
        super().__init__(config)
        self._calls = 0

    @property
    def book(self):
        return self.books[self.config.url]

    @property
    def calls(self):
        return self._calls

    @property
    def capabilities(self):
        return Capabilities(grades=True, reported_hours=True, spans=True, changes=True, blocks=True)

    def read(self):
        self._calls += 1
        if self.book.fault:
            raise type(ERRORS[self.book.fault])(**ERRORS[self.book.fault].params)
        return self.book.rows

    def check(self):
        problems = []
        try:
            self.read()
        except ConnectorError as error:
            problems.append(Problem(error.code, error.message, error.how_to_fix))
        return CheckResult(not problems, "a notebook", "", "memory", {"rows": not problems}, problems)

    def courses(self):
        self.read()
        return [Course(code, name) for code, name in COURSES.items()]

    def record(self, serial, one):
        said = {
            "key": f"{one.user}|{one.course}", "user": one.user, "course": one.course,
            "course_name": COURSES[one.course], "name": one.name[:500], "id_number": one.id_number,
            "completed_at": one.at, "precision": "second", "started_on": None, "hours": one.hours, "minutes": None,
            "passed": True, "active": True, "grade": one.grade, "employer": "", "filing_number": "",
        }  # fmt: skip
        return said | {"serial": serial, "mark": crc32(repr(said).encode()), "raw": {"name": one.name}}

    def records(self):
        return [self.record(*one) for one in self.read().values()]

    def within(self, row, span):
        at = row["completed_at"]
        return (span.since is None or span.since <= at) and (span.until is None or at < span.until)

    def completions(self, span=EVERYTHING):
        place, rows = len(self.book.log), sorted(self.records(), key=lambda row: row["completed_at"])
        rows = [row for row in rows if self.within(row, span)]
        for start in range(0, len(rows), 7):
            page = rows[start : start + 7]
            yield Page(page, total=len(rows), sequence=place, through=page[-1]["completed_at"])

    def changes(self, after):
        if not self.book.first <= after <= len(self.book.log):
            raise LogCut(first=self.book.first, after=after)
        now = {row["key"]: row for row in self.records()}
        for start in range(after, len(self.book.log), 9):
            keys = list(dict.fromkeys(self.book.log[start : start + 9]))
            page, gone = [now[key] for key in keys if key in now], [key for key in keys if key not in now]
            place, serials = min(start + 9, len(self.book.log)), [self.book.serials_of[key] for key in gone]
            yield Page(page, gone=gone, gone_serials=serials, sequence=place)

    def blocks(self):
        rows = self.records()
        for first in range(1, max((row["serial"] for row in rows), default=0) + 1, 6):
            marks = [row["mark"] for row in rows if first <= row["serial"] < first + 6]
            yield Block(first, first + 5, len(marks), sum(marks), len(self.book.log))

    def block(self, block):
        yield Page([row for row in self.records() if block.first <= row["serial"] <= block.last])


class NotebookCase(ConnectorTests):
    kind = "notebook"
    over_http = False
    faults = FILE_FAULTS
    connector = Notebook

    @pytest.fixture(autouse=True)
    def known(self, monkeypatch):
        found = {self.kind: SimpleNamespace(load=lambda: self.connector)}
        monkeypatch.setattr(base, "_installed", lambda: found)

    @pytest.fixture
    def site(self, tmp_path):
        return Notebook.books.setdefault(
            str(tmp_path),
            SimpleNamespace(url=str(tmp_path), rows={}, log=[], first=0, fault="", serials=count(1), serials_of={}),
        )

    def config(self, site):
        return SourceConfig("notebook", site.url, SecretStr("n0teb00k-t0ken"))

    def put(self, site, *finished):
        for one in finished:
            key = f"{one.user}|{one.course}"
            old = site.rows.get(key)
            site.rows[key] = (old[0] if old else next(site.serials), one)
            site.serials_of[key] = site.rows[key][0]
            site.log.append(key)

    def remove(self, site, one):
        del site.rows[f"{one.user}|{one.course}"]
        site.log.append(f"{one.user}|{one.course}")

    def break_it(self, site, fault, times=None):
        assert times is None
        site.fault = fault

    def heal(self, site):
        site.fault = ""

    def forget(self, site):
        site.first = len(site.log)


class TestNotebook(NotebookCase):
    """Sound."""
