"""What the tests of the house build with: small bases that teach invented people, and questions to the database."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from agent.flow import Through, run_stages
from agent.intake.models import Source
from agent.intake.sources import save
from agent.intake.sync import Landed, pull
from agent.learners.identity import check_character
from agent.programmes.file import read_programmes
from agent.programmes.filing import Imported, import_programmes
from connectors.testing.fake_moodle import PROGRAMMES, FakeMoodle


def number(serial: int, born: str = "19800101") -> str:
    """A valid identity number of an invented person."""
    body = f"370402{born}{serial:03d}"
    return body + check_character(body)


def sql(query: str, params: Iterable[object] = ()) -> list[tuple[Any, ...]]:
    """What a query answers; nothing for one that has no answer."""
    with connection.cursor() as cursor:
        cursor.execute(query, list(params))
        return cursor.fetchall() if cursor.description else []


def one(query: str, params: Iterable[object] = ()) -> Any:
    """The one value that a query answers."""
    ((value,),) = sql(query, params)
    return value


def held() -> dict[str, int]:
    """What waits, by code."""
    return dict(sql("SELECT code, count(*) FROM quarantine_held WHERE released_at IS NULL GROUP BY 1 ORDER BY 1"))


def released() -> dict[str, int]:
    """What waited once, by code."""
    return dict(sql("SELECT code, count(*) FROM quarantine_held WHERE released_at IS NOT NULL GROUP BY 1 ORDER BY 1"))


def credited() -> dict[str, int]:
    """Hundredths of an hour that count, by the name on the row."""
    return dict(
        sql(
            "SELECT l.name, sum(e.credited)::int FROM credit_creditentry e JOIN learners_learner l"
            " ON l.id = e.learner_id GROUP BY 1 HAVING sum(e.credited) <> 0 ORDER BY 1"
        )
    )


def in_force() -> list[tuple[Any, ...]]:
    """The ledger's entries that stand, by what they say and not by when they were written."""
    return sql(
        "SELECT l.id_masked, e.year, s.name, a.key, e.category, e.claimed, e.recognised, e.credited, e.rule, e.reason,"
        " e.params::text FROM credit_creditentry e JOIN learners_learner l ON l.id = e.learner_id"
        " JOIN matching_achievement a ON a.id = e.achievement_id JOIN intake_source s ON s.id = a.source_id"
        " WHERE e.reverses_id IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM credit_creditentry r WHERE r.reverses_id = e.id) ORDER BY 1, 2, 3, 4"
    )


def certificates(state: str = "issued") -> list[str]:
    """Numbers of the certificates in ``state``."""
    return [n for (n,) in sql("SELECT number FROM certificates_certificate WHERE state = %s ORDER BY 1", [state])]


def rows(table: str) -> list[tuple[Any, ...]]:
    """Where each row of a table lies and who wrote it: equal means that nothing at all was written."""
    return sql(f"SELECT ctid::text, xmin::text, xmax::text, * FROM {table} ORDER BY 1")  # noqa: S608 - a name of ours


@dataclass
class Base:
    """A training base: a fake Moodle over real sockets, connected as a source."""

    site: FakeMoodle
    source: Source
    landed: Landed = field(default_factory=Landed)

    def learner(self, user: str, name: str = "王小明", id_number: str | None = None) -> None:
        """An account there; without a number given, a valid one that follows from the account's own digits."""
        serial = int("".join(c for c in user if c.isdigit()) or 0)
        self.site.add_user(user, name[0], name[1:], sfzh=number(serial) if id_number is None else id_number)

    def done(self, user: str, course: str = "WSYS", time: str = "2024-05-06T02:00") -> None:
        """The account completes a course."""
        self.site.add_row(user, course, time, "90.00")

    def pull(self) -> Landed:
        """Land what the base shows."""
        self.landed = pull(self.source)
        return self.landed

    def sync(self) -> Through:
        """Land what the base shows, and take everything that waits through the house."""
        self.pull()
        return run_stages()


def connect(site: FakeMoodle, name: str = "base", **options: str) -> Base:
    """The site as a source."""
    source, _ = save(
        name, kind="moodle", url=site.url, token=site.token, options={"report_id": "1"} | options, allow_private=True
    )
    return Base(site, source)


def file_programmes(source: Source | None = None, path: Path = PROGRAMMES) -> Imported:
    """The demo's programmes (P1 to P4, G1 to G5), its courses taught by ``source``."""
    return import_programmes(read_programmes(path), path=str(path), source=source, actor="test")


HEADINGS = ("姓名", "身份证号", "开始日期", "完成日期", "学时", "备案编号", "课程编号", "考核结果")


def roster(path: Path, *people: dict[str, Any], name: str = "roster", **options: str) -> Source:
    """A roster file as a source; each of ``people`` names the cells by their headings."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADINGS)
        writer.writeheader()
        writer.writerows(people)
    return save(name, kind="roster", url=str(path), token=None, options=options, allow_private=False)[0]


def line(name: str, serial: int, filing: str, day: str = "2024-06-05", **cells: Any) -> dict[str, Any]:
    """One person's row in a roster."""
    return {"姓名": name, "身份证号": number(serial), "完成日期": day, "备案编号": filing} | cells


def filing_number(key: str) -> str:
    """The filing number of a programme."""
    return str(one("SELECT filing_number FROM programmes_programme WHERE key = %s", [key]))
