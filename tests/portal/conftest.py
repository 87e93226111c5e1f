"""A small town of invented people: one learner with a whole year, one without, a base, a department, a bureau."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from agent.certificates.models import Certificate
from agent.certificates.signer import signing_keys
from agent.crypto import vault
from agent.flow import run_stages
from agent.intake.models import Completion, Source, SyncRun
from agent.learners.identity import fold_name, mask_id
from agent.learners.models import Account, Learner
from agent.localtime import now
from agent.organisations.models import Kind, Membership, Organisation
from agent.programmes.models import CourseLink, FilingEvent, Programme, ProgrammeVersion
from tests.portal.doors import Things
from tests.portal.things import things_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The one that has no windows, where it is there: a page takes it a third of the work, by the same engine."""
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-extensions"]
PASSWORD = "a long enough one"
NUMBER = "370402199001010018"
OTHER_NUMBER = "370402198502020025"


@dataclass
class Town:
    """What stands in the database, and how to add to it."""

    bodies: dict[str, Organisation]
    source: Source
    run: SyncRun
    programmes: dict[str, Programme] = field(default_factory=dict)
    landed: int = 0

    def programme(
        self, key: str, title: str, category: str, hours: int, *, organiser: str = "health", state: str = "filed"
    ) -> Programme:
        """A programme of 2024 with its version and its course."""
        sequence = len(self.programmes) + 1
        made = Programme.objects.create(
            region="370400", year=2024, key=key, sequence=sequence, organiser=self.bodies[organiser],
            implementer=self.bodies["base"], state=state,
            filing_number=f"枣人社备〔2024〕{sequence:03d}号" if state == "filed" else None,
        )  # fmt: skip
        ProgrammeVersion.objects.create(
            programme=made, version=1, title=title, category=category, hours=hours * 100,
            subject="知识产权" if category == "public" else "", series="工程" if category == "professional" else "",
            starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31),
        )  # fmt: skip
        CourseLink.objects.create(
            source=self.source, kind="moodle", course=key, programme=made, valid_from=date(2024, 1, 1),
            valid_to=date(2024, 12, 31), confirmed_by="test",
        )  # fmt: skip
        FilingEvent.objects.create(programme=made, from_state="draft", to_state=state, actor="test", reason="")
        self.programmes[key] = made
        return made

    def completion(self, who: tuple[str, str], course: str, day: date, hours: int, started: date | None = None) -> None:
        """A row of the LMS, as intake would have landed it."""
        number, name = who
        at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
        self.landed += 1
        Completion.objects.create(
            source=self.source, run=self.run, key=str(self.landed), version=1, current=True, digest=b"",
            account=name, course=course, course_name=f"课程{course}", name=name, name_folded=fold_name(name),
            name_code="",
            id_masked=mask_id(number), id_fingerprint=vault().fingerprint(number), id_sealed=b"sealed", id_code="",
            completed_at=at, precision="second", learned_on=day, started_on=started or day, hours=hours * 100,
            minutes=None, passed=True, active=True, grade="", employer="", filing_number="", place="",
            raw_page_id=0, raw_place=0,
            first_landed_at=at, landed_at=at,
        )  # fmt: skip

    def client(self, username: str) -> Client:
        """A browser in which ``username`` has signed in."""
        client = Client()
        client.force_login(User.objects.get(username=username))
        return client

    def learner(self, username: str, number: str, name: str, password: str | None = None) -> Learner:
        """A learner and their way in."""
        learner, _ = Learner.objects.get_or_create(
            fingerprint=vault().fingerprint(number),
            defaults={
                "sealed": b"sealed", "id_masked": mask_id(number), "name": name, "name_folded": fold_name(name),
                "created_at": now(),
            },
        )  # fmt: skip
        Account.objects.create(user=User.objects.create_user(username, password=password), learner=learner)
        return learner

    def staff(self, username: str, body: str, role: str) -> None:
        """Somebody who acts for a body."""
        user = User.objects.create_user(username)  # signs in by `client` only: hashing takes its time
        Membership.objects.create(user=user, organisation=self.bodies[body], role=role)


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A request leaves its language in the thread, so each test begins in Chinese; Django's test client may come in."""
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", [*settings.ALLOWED_HOSTS, "testserver"])
    with translation.override("zh-hans"):
        yield


@dataclass(frozen=True)
class Standing:
    """A database in which a town stands that nobody writes to: it is copied, and the town comes out of the pickle."""

    database: str
    pickled: bytes

    @property
    def made(self) -> Any:
        """The town, or the things of one, anew."""
        return pickle.loads(self.pickled)  # noqa: S301 - our own


def _standing(databases: Any, of: str, build: Callable[[], Town | Things]) -> Standing:
    """Build a town in a copy of the database ``of``. What is kept is named anew each time, as fixtures may be twice."""
    name = f"town{os.urandom(4).hex()}"
    with databases.copy(of, keep=name):
        return Standing(name, pickle.dumps(build()))


@pytest.fixture(scope="session")
def empty_town_built(databases: Any) -> Standing:
    """The empty town, made once for each worker."""
    return _standing(databases, "xueshi", _empty_town)


@pytest.fixture(scope="session")
def town_built(databases: Any, empty_town_built: Standing) -> Callable[[], Standing]:
    """Gives the town, made once for each worker; and once more when a test has changed the key that signs."""
    made: list[tuple[str, Standing]] = []

    def standing() -> Standing:
        with databases.at(made[-1][1].database if made else empty_town_built.database):
            key = signing_keys().kid
        if not made or made[-1][0] != key:
            built = _standing(databases, empty_town_built.database, lambda: _town(empty_town_built.made))
            made.append((key, built))
        return made[-1][1]

    return standing


@pytest.fixture(scope="session")
def things_built(databases: Any, town_built: Callable[[], Standing]) -> Callable[[], Standing]:
    """Gives the town with its things, made once for each town."""
    made: dict[str, Standing] = {}

    def standing() -> Standing:
        town = town_built()
        if town.database not in made:
            made[town.database] = _standing(databases, town.database, lambda: things_of(town.made))
        return made[town.database]

    return standing


@pytest.fixture
def standing(request: pytest.FixtureRequest) -> Standing | None:
    """What the test asks for that stands already."""
    if "things" in request.fixturenames:
        return request.getfixturevalue("things_built")()  # type: ignore[no-any-return]
    if "town" in request.fixturenames:
        return request.getfixturevalue("town_built")()  # type: ignore[no-any-return]
    return request.getfixturevalue("empty_town_built") if "empty_town" in request.fixturenames else None


@pytest.fixture
def house(databases: Any, standing: Standing | None) -> Iterator[str]:
    """A database of this test's own, with the town in it that the test asks for; its URL."""
    with databases.copy(standing.database if standing else "xueshi") as url:
        yield url


@pytest.fixture
def empty_town(house: str, standing: Standing) -> Town:
    """Bodies and one source, and nothing learned yet."""
    return standing.made  # type: ignore[no-any-return]


@pytest.fixture
def town(request: pytest.FixtureRequest, house: str, standing: Standing) -> Town:
    """李·小明 has 30 public and 48 professional hours, one course capped and two that wait; and there are officials."""
    if "things" in request.fixturenames:
        return request.getfixturevalue("things").town  # type: ignore[no-any-return]
    return standing.made  # type: ignore[no-any-return]


def _empty_town() -> Town:
    kinds = {"base": Kind.TRAINING_BASE, "health": Kind.SECTOR_DEPARTMENT, "industry": Kind.SECTOR_DEPARTMENT}
    kinds |= {"bureau": Kind.HR_BUREAU}
    bodies = {
        name: Organisation.objects.create(
            uscc=f"{number:018d}", kind=kind, name=f"示例{name}", region="370400", issuer_number=number
        )
        for number, (name, kind) in enumerate(kinds.items(), 1)
    }
    source = Source.objects.create(
        name="在线学习中心", kind="moodle", url="https://lms.example", organisation=bodies["base"]
    )
    run = SyncRun.objects.create(source=source, state="done", finished_at=now(), new=5)
    return Town(bodies, source, run)


def _town(town: Town) -> Town:
    town.programme("G1", "知识产权基础", "public", 30, organiser="bureau")
    town.programme("P1", "建筑施工新技术", "professional", 40)
    town.programme("P2", "人工智能工程师培训", "professional", 24, organiser="industry")
    town.programme("P4", "大数据技术与应用", "professional", 40, organiser="industry", state="submitted")
    me = (NUMBER, "李·小明")
    town.completion(me, "G1", date(2024, 3, 10), 30, date(2024, 3, 1))
    town.completion(me, "P1", date(2024, 5, 17), 40, date(2024, 5, 6))
    town.completion(me, "P2", date(2024, 6, 1), 24)
    town.completion(me, "P4", date(2024, 7, 1), 40, date(2024, 6, 20))
    town.completion(me, "NOBODYS", date(2024, 8, 1), 4)
    town.completion((OTHER_NUMBER, "王五"), "P1", date(2024, 9, 17), 40, date(2024, 9, 1))
    run_stages()
    town.learner("xiaoming", NUMBER, "李·小明", PASSWORD)
    town.learner("wangwu", OTHER_NUMBER, "王五", PASSWORD)
    town.learner("newcomer", "37040219920303003X", "赵六")
    town.staff("operator", "base", "base_operator")
    town.staff("officer", "industry", "department_officer")
    town.staff("reviewer", "bureau", "bureau_reviewer")
    User.objects.create_user("stranger")
    return town


@pytest.fixture
def things(house: str, standing: Standing) -> Things:
    """The town with somebody in each role, and beside each thing one that is somebody else's."""
    return standing.made  # type: ignore[no-any-return]


@pytest.fixture
def certificate(town: Town) -> Certificate:
    """A certificate of 李·小明."""
    return Certificate.objects.filter(holder="李·小明").order_by("pk").first()  # type: ignore[return-value]


@pytest.fixture
def text() -> Callable[[Any], str]:
    """What a page says, in UTF-8."""
    return lambda response: response.content.decode()


@dataclass(frozen=True)
class Chromium:
    """A browser, and the loop in which playwright runs. Playwright leaves it behind as the loop of this thread, and
    Django's ORM and tests with loops of their own refuse such a thread: it is the thread's while a test has it.
    """

    browser: Browser
    loop: asyncio.AbstractEventLoop

    @contextmanager
    def taken(self) -> Iterator[Browser]:
        """The browser, for one test; whatever windows are left open are closed."""
        asyncio._set_running_loop(self.loop)
        try:
            yield self.browser
            for context in self.browser.contexts:
                context.close()
        finally:
            asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One browser for each worker: starting it takes longer than what most tests do with it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_BROWSER, args=_FLAGS)
        chromium = Chromium(started, asyncio.get_running_loop())
        asyncio._set_running_loop(None)
        yield chromium
        asyncio._set_running_loop(chromium.loop)
        started.close()
