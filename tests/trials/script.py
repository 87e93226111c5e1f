"""What happens at the LMS: people finish courses, rows are corrected, vanish, come back. The same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.testing.fake_moodle import FakeMoodle
from tests.house.houses import number

COURSES = ("WSYS", "RGZN", "JZSG", "DSJ", "SZJS", "ZSCQ", "AQSC", "STWM", "JSZY", "YFGL")
"""What is filed (demo's programmes), and one that is not."""
_BEGIN = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
_AT_ONCE = 3  # rows that vanish in one act, below what the guard of an emptied site lets through


@dataclass(frozen=True, slots=True)
class Route:
    """A way to read the LMS: the source's kind and options. What follows is the same for each."""

    name: str
    kind: str = "moodle"
    options: dict[str, str] = field(default_factory=dict)


REPORT = Route("report", options={"report_id": "1", "page_size": "20"})
"""By the report builder, in pages so small that a pull has many of them."""


@dataclass
class Script:
    """The acts, drawn from a seed."""

    site: FakeMoodle
    seed: int
    acts: int = 0
    gone: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - to be repeated, no secret
        self._people = 0

    def begin(self, people: int) -> None:
        """The first people, three courses each."""
        for _ in range(people):
            self._arrive()

    def act(self) -> str:
        """One act; what happened, for whoever reads of a difference."""
        self.acts += 1
        moves: list[Callable[[], str]] = [self._arrive, self._correct, self._renamed, self._refused, self._suspended]
        done = [self._arrive(), self._vanish(), self._return()]
        done += [self._chance.choice(moves)() for _ in range(3)]
        return "; ".join(one for one in done if one)

    def _moment(self) -> int:
        """A second of 2024; two rows hardly ever share one."""
        return int((_BEGIN + timedelta(seconds=self._chance.randrange(260 * 86_400))).timestamp())

    def _user(self) -> str:
        return f"u{self._chance.randrange(1, self._people + 1):04d}"

    def _row(self) -> tuple[str, str, int]:
        row = self._chance.choice(self.site.rows)
        assert row.time is not None
        return row.user, row.course, row.time

    def _arrive(self) -> str:
        self._people += 1
        user = f"u{self._people:04d}"
        serial, year = self._people % 1000, 1970 + self._people // 1000
        self.site.add_user(
            user, "王李张刘陈"[serial % 5], "伟芳秀敏静"[serial // 5 % 5], sfzh=number(serial, f"{year}0101")
        )
        for course in self._chance.sample(COURSES, 3):
            self.site.add_row(user, course, self._moment(), "90.00")
        return f"{user} arrived"

    def _correct(self) -> str:
        user, course, _ = self._row()
        self.site.change_row(user, course, time=self._moment(), grade=f"{self._chance.randrange(60, 100)}.00")
        return f"{user} {course} corrected"

    def _renamed(self) -> str:
        user = self._user()
        self.site.change_user(user, family=self._chance.choice("赵钱孙周吴"))
        return f"{user} renamed"

    def _refused(self) -> str:
        """The number is mistyped, or put right again."""
        user = self._user()
        serial = int(user[1:])
        right = number(serial % 1000, f"{1970 + serial // 1000}0101")
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        self.site.change_user(user, sfzh=wrong if self.site.people[user].sfzh == right else right)
        return f"{user} has another number"

    def _suspended(self) -> str:
        user, course, _ = self._row()
        self.site.suspend_enrolment(user, course)
        return f"{user} {course} suspended"

    def _vanish(self) -> str:
        rows = [self._row() for _ in range(self._chance.randrange(1, _AT_ONCE + 1))]
        for user, course, time in dict.fromkeys(rows):
            self.site.remove_row(user, course)
            self.gone.append((user, course, time))
        return f"{len(set(rows))} rows vanished"

    def _return(self) -> str:
        """Half of the time a row comes back, as it was."""
        if len(self.gone) < 2 * _AT_ONCE or self._chance.random() < 0.5:
            return ""
        user, course, time = self.gone.pop(self._chance.randrange(len(self.gone) - _AT_ONCE))
        self.site.add_row(user, course, time, "90.00")
        return f"{user} {course} came back"
