"""«Where is my hour?»: what a source said, when it was read, and asking it again by the queue; guarded and braked."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from agent.asking import asks
from agent.asking.models import Ask
from agent.crypto import vault
from agent.intake.models import Completion, MissingUpstream, Source, SyncRun
from agent.intake.sources import TOKEN
from agent.learners.identity import normalise_id
from agent.learners.models import Learner
from agent.localtime import local_date, now
from agent.mapping.courses import refresh
from agent.work import tasks
from agent.work.tasks import LEARNER
from connectors.testing.fake_moodle import FakeMoodle
from tests.portal.test_lti import known, launched, lms, lms_key, right_numbers

__all__ = ["known", "lms", "lms_key", "right_numbers"]
ASKED = {"q": "课程"}
pytestmark = pytest.mark.usefixtures("an_hour_ago")


@pytest.fixture
def an_hour_ago(town):
    """The town's last pull: one of this minute would answer at once."""
    SyncRun.objects.update(started_at=now() - timedelta(hours=1))


def jobs(task: str) -> list[dict[str, object]]:
    return list(ProcrastinateJob.objects.filter(task_name=task).values_list("args", flat=True))


def test_a_course_that_counts_waits_or_was_failed_is_told(town, text):
    town.completion(("370402199001010018", "李·小明"), "FAILED1", date(2024, 9, 1), 8)
    Completion.objects.filter(course="FAILED1").update(passed=False, grade="41")
    client = town.client("xiaoming")
    page = text(client.get("/where/?q=P1"))
    assert "2024-05-17完成，报40学时" in page
    assert "已经计入" in page
    assert '/2024/"' in page
    assert "没有对应的备案项目" in text(client.get("/where/?q=nobodys"))
    page = text(client.get("/where/?q=failed"))
    assert "2024-09-01未通过，成绩41" in page
    assert "没有通过，所以不计学时" in page


def test_nobody_finds_what_is_somebody_elses(town, text):
    page = text(town.client("wangwu").get("/where/?q=NOBODYS"))
    assert "还没有收到您的这门课程" in page
    assert "2024-08-01" not in page


def test_a_row_that_the_platform_shows_no_more_says_so(town, text):
    row = Completion.objects.get(course="P1", name="李·小明")
    MissingUpstream.objects.create(completion=row, run=town.run, since=now())
    assert "平台后来不再显示这一条" in text(town.client("xiaoming").get("/where/?q=P1"))


def test_who_came_from_the_lms_sees_rows_without_a_number_too(lms, known, town, text):
    from django.test import Client

    client = Client()
    launched(client, lms)
    row = Completion.objects.get(course="NOBODYS")
    Completion.objects.filter(pk=row.pk).update(id_fingerprint=None, id_code="E_ID_MISSING", course_name="缺号的课")
    assert "缺号的课" in text(client.get("/where/?q=缺号"))
    assert "缺号的课" not in text(town.client("wangwu").get("/where/?q=缺号")).replace('value="缺号"', "")


def test_the_source_that_teaches_it_comes_with_its_last_read(town, text):
    Source.objects.create(name="别处", kind="moodle", url="https://x.example")
    refresh(town.source)
    page = text(town.client("newcomer").get("/where/?q=P1"))
    assert "有这样的课程" in page
    assert "上次读取" in page
    assert "别处" not in page
    assert "别处" in text(town.client("newcomer").get("/where/?q=没有这门课"))


def test_a_question_goes_into_the_queue_for_that_day_only(town, text):
    client = town.client("xiaoming")
    said = {**ASKED, "source": town.source.pk, "day": "2024-08-02"}
    assert client.post("/where/", said)["Location"].startswith("/where/?q=")
    (job,) = jobs("look")
    assert job["source"] == town.source.pk
    assert (job["since"], job["until"]) == ("2024-08-01T00:00:00+08:00", "2024-08-04T00:00:00+08:00")
    page = text(client.get("/where/?q=课程"))
    assert "正在排队" in page
    assert 'http-equiv="refresh"' in page
    assert 'http-equiv="refresh"' not in text(client.get("/where/?q=课程&still"))
    town.client("wangwu").post("/where/", said)  # the same days: one look serves both
    assert len(jobs("look")) == 1
    assert Ask.objects.count() == 2


def test_without_a_day_what_is_new_is_read(town):
    town.client("xiaoming").post("/where/", {**ASKED, "source": town.source.pk})
    (job,) = jobs("pull")
    assert (job["mode"], job["because"], job["unless_within"]) == ("recent", LEARNER, 60)


@pytest.mark.parametrize(
    "wrong",
    [{"source": "0"}, {"source": "x"}, {"source": "9" * 30}, {"q": "", "source": "own"},
     {"day": "soon", "source": "own"},
     {"day": "2999-01-01", "source": "own"}, {"day": "1999-01-01", "source": "own"}],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(town, text, wrong):
    said = ASKED | wrong
    said["source"] = town.source.pk if said.get("source") == "own" else said["source"]
    answer = town.client("xiaoming").post("/where/", said)
    assert (answer.status_code, 'role="alert"' in text(answer)) == (400, True)
    assert not Ask.objects.exists()


def test_a_roster_is_not_asked_again(town):
    Source.objects.update(kind="roster")
    assert town.client("xiaoming").post("/where/", {**ASKED, "source": town.source.pk}).status_code == 400


def test_a_hundred_times_in_a_minute_is_refused_with_a_sentence(town, text, caplog):
    client, said = town.client("xiaoming"), {**ASKED, "source": town.source.pk}
    with caplog.at_level(logging.WARNING, logger="agent.portal.views.where"):
        answers = [client.post("/where/", said) for _ in range(100)]
    assert [each.status_code for each in answers] == [302] * 6 + [429] * 94
    assert "您刚才已经问了好几次" in text(answers[-1])
    assert "refused" in caplog.text
    assert (len(jobs("pull")), Ask.objects.count()) == (1, 6)
    assert client.get("/where/?q=课程").status_code == 200
    # and the brake is each learner's own
    assert town.client("wangwu").post("/where/", said).status_code == 302


class Told:
    """What a worker gives a task."""

    def __init__(self) -> None:
        self.additional_context: dict[str, object] = {}
        self.job = None


def looked(town, day: date) -> None:
    since, until = asks.window(day)
    tasks.look_again.func(Told(), source=town.source.pk, since=since.isoformat(), until=until.isoformat())


def test_the_answer_comes_onto_the_page(town, text):
    """The whole way: asked, read by the worker from a Moodle over HTTP, landed, told."""
    with FakeMoodle() as moodle:
        row = next(each for each in moodle.rows if each.user == "xy00012")
        number = normalise_id(moodle.people[row.user].sfzh).number or ""
        Learner.objects.filter(name="李·小明").update(fingerprint=vault().fingerprint(number))
        Source.objects.filter(pk=town.source.pk).update(
            url=moodle.url, allow_private=True, token=vault().seal(moodle.token.encode(), TOKEN),
            options={"report_id": "1"},
        )  # fmt: skip
        day = local_date(datetime.fromtimestamp(row.time or 0, UTC))
        client, name = town.client("xiaoming"), row.course
        assert "还没有收到您的这门课程" in text(client.get("/where/", {"q": name}))
        client.post("/where/", {"q": name, "source": town.source.pk, "day": day.isoformat()})
        looked(town, day)
        run = SyncRun.objects.latest("pk")
        assert (run.state, run.because, run.mode) == ("done", LEARNER, "backfill")
        assert 0 < run.new < 400  # of that day and those beside it, not of everything
        page = text(client.get("/where/", {"q": name}))
        assert "平台怎么说" in page
        assert f"新到{run.new}条" in page
        assert 'http-equiv="refresh"' not in page


def test_a_source_that_cannot_read_a_span_brings_what_it_has(town):
    with FakeMoodle(rows=5) as moodle:
        Source.objects.filter(pk=town.source.pk).update(
            url=moodle.url, allow_private=True, token=vault().seal(moodle.token.encode(), TOKEN),
            options={"route": "enrolled"}, most_missing=100,
        )  # fmt: skip
        looked(town, date(2024, 8, 2))
    run = SyncRun.objects.latest("pk")
    assert (run.state, run.new) == ("done", 4)  # that route does not show a course without criteria


def test_a_source_that_does_not_answer_is_told_and_tried_again(town, text):
    client = town.client("xiaoming")
    client.post("/where/", {**ASKED, "source": town.source.pk})
    SyncRun.objects.create(
        source=town.source, state="failed", mode="recent", error_code="E_UNREACHABLE", finished_at=now()
    )
    assert "没有读成（E_UNREACHABLE）" in text(client.get("/where/?q=课程"))
    SyncRun.objects.create(source=town.source, state="done", mode="recent", new=3, finished_at=now())
    assert "新到3条" in text(client.get("/where/?q=课程"))


def test_which_run_answers(town):
    learner = Learner.objects.get(name="李·小明")
    asks.ask(learner, town.source, "课程", date(2024, 8, 2))
    since, until = asks.window(date(2024, 8, 2))

    def run(**more):
        return SyncRun.objects.create(source=town.source, state="done", finished_at=now(), **more)

    def answer():
        return asks.newest(learner)[0].run

    run(mode="recent", since=until, until=now())
    run(mode="backfill", since=since - timedelta(9), until=since)
    other = Source.objects.create(name="别处", kind="moodle", url="https://x.example")
    SyncRun.objects.create(source=other, state="done", mode="full", finished_at=now())
    assert answer() is None
    right = run(mode="backfill", since=since, until=until)
    assert answer() == right


def test_old_questions_are_not_shown(town):
    learner = Learner.objects.get(name="李·小明")
    made = asks.ask(learner, town.source, "课程", None)
    Ask.objects.filter(pk=made.pk).update(asked_at=now() - timedelta(days=3))
    assert asks.newest(learner) == []
