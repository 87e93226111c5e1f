"""The conformance suite on rosters: an .xlsx with date cells, and a .csv."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from connectors import errors
from connectors.base import SourceConfig
from connectors.roster import connector
from connectors.testing import ConnectorTests
from connectors.testing.conformance import COURSES, FILE_FAULTS
from tests.connectors.roster_files import csv, xlsx

HEAD = ["姓名", "身份证号", "课程编号", "课程名称", "完成时间", "学时", "成绩"]


class Roster(ConnectorTests):
    """A file, and the rows that stand in it by user and course."""

    kind = "roster"
    over_http = False
    suffix: str
    faults = FILE_FAULTS | {"headings": errors.HeaderMissing, "empty": errors.FileBroken}

    @pytest.fixture
    def site(self, tmp_path, monkeypatch):
        monkeypatch.setattr(connector, "PAGE", 9)
        site = SimpleNamespace(path=tmp_path / f"名册{self.suffix}", finished={})
        self.heal(site)
        return site

    def config(self, site):
        return SourceConfig("class3", str(site.path))

    def put(self, site, *finished):
        site.finished |= {(one.user, one.course): one for one in finished}
        self.heal(site)

    def remove(self, site, one):
        del site.finished[one.user, one.course]
        self.heal(site)

    def break_it(self, site, fault, times=None):
        assert times is None
        match fault:
            case "missing":
                site.path.unlink()
            case "headings":
                self.write(site.path, [["姓名", "学时"]])
            case "empty":
                site.path.write_bytes(b" \n")
            case "broken":
                site.path.write_bytes(site.path.read_bytes()[:500] + b'\0"')

    def heal(self, site):
        self.write(site.path, [HEAD, *map(self.line, site.finished.values())])

    def line(self, one):
        name, hours = one.name.replace("\0", ""), f"{one.hours / 100:g}"  # no file of text holds a NUL
        return [name, one.id_number, one.course, COURSES[one.course], self.cell(one.at), hours, one.grade]


class TestXlsx(Roster):
    suffix = ".xlsx"

    def cell(self, at):
        return at.replace(tzinfo=None)

    def write(self, path, lines):
        xlsx(path, lines)


class TestCsv(Roster):
    suffix = ".csv"

    def cell(self, at):
        return f"{at:%Y-%m-%d %H:%M:%S}"

    def write(self, path, lines):
        csv(path, "\n".join(",".join('"' + one.replace('"', '""') + '"' for one in line) for line in lines))
