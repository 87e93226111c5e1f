"""The stages rest while nothing was written and nothing outside is another; whatever happens wakes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from agent.certificates import life
from agent.certificates.approvals import ask_for_approval
from agent.certificates.life import Because
from agent.certificates.models import Certificate
from agent.changes.models import Change
from agent.flow import Through, policies, run_stages
from agent.intake.models import Completion, Source
from agent.intake.sync import Mode, pull
from agent.learners.models import Learner
from agent.matching.models import Achievement
from agent.organisations.models import Organisation
from agent.programmes.filing import find
from agent.programmes.models import CourseLink, Programme
from agent.quarantine.models import Held
from tests.house.houses import Base, file_programmes, filing_number, held, line, roster, sql


@pytest.fixture
def source(house: str, tmp_path: Path) -> Source:
    """Three who have certificates, one who waits for a filing; at rest."""
    file_programmes()
    people = [line(f"王{n}", n, filing_number("P1")) for n in (1, 2, 3)]
    source = roster(tmp_path / "a.csv", *people, line("李四", 4, "枣人社备〔2024〕999号"))
    pull(source)
    to_rest()
    return source


def to_rest() -> Through:
    """Run until there is nothing to do; the last pass that was one."""
    passes = []
    while not (through := run_stages()).rested:
        passes.append(through)
        assert len(passes) < 4
    return passes[-1] if passes else through


def test_a_pass_that_did_something_is_followed_by_one_that_finds_nothing_and_then_by_rest(house: str, tmp_path: Path):
    file_programmes()
    pull(roster(tmp_path / "a.csv", line("王一", 1, filing_number("P1"))))
    assert [(one.issued.issued, one.rested) for one in (run_stages(), run_stages(), run_stages(), run_stages())] == [
        (1, False), (0, False), (0, True), (0, True),
    ]  # fmt: skip


def test_at_rest_the_same_is_said_as_by_a_pass(source: Source):
    rested = run_stages()
    Change.objects.create(what="by hand")
    asked = run_stages()
    assert (rested.rested, asked.rested) == (True, False)
    assert (rested.matched, rested.credited, rested.issued) == (asked.matched, asked.credited, asked.issued)
    assert rested.matched.held == held() == {"E_FILING_UNKNOWN": 1}
    assert rested.seconds.keys() == asked.seconds.keys()


def test_a_pull_that_brings_nothing_wakes_nobody(source: Source):
    assert pull(source).new == 0
    assert run_stages().rested


def test_a_moodle_without_news_wakes_nobody(base: Base):
    base.learner("u1")
    base.done("u1")
    base.done("u1", "KC001")
    base.pull()
    to_rest()
    for mode in (Mode.FULL, Mode.RECENT):
        pull(base.source, mode)
        assert run_stages().rested
    base.done("u1", "RGZN")
    base.pull()
    assert not run_stages().rested


def _new_row(source: Source) -> None:
    path = Path(source.url)
    path.write_text(
        path.read_text(encoding="utf-8") + f"王五,{'37040219800101017X'},,2024-06-05,,x,,\n", encoding="utf-8"
    )
    assert pull(source).new + pull(source).rejected


def _revoke(_: Source) -> None:
    life.revoke([Certificate.objects.all()[0].number], Because("other", "x", "test"), policies())


WRITES: dict[str, Callable[[Source], object]] = {
    "a row comes": _new_row,
    "a row is changed by hand": lambda _: Completion.objects.all()[:1].get().save(),
    "a source gets another name": lambda source: Source.objects.filter(pk=source.pk).update(name="another"),
    "a programme's state": lambda _: Programme.objects.filter(key="P2").update(state="cancelled"),
    "an approval is asked for": lambda _: ask_for_approval(find("P1"), needed=True, by="test"),
    "a course is mapped": lambda source: CourseLink.objects.create(
        source=source, kind="roster", course="x", programme=find("P1"), valid_from=date(2024, 1, 1),
        valid_to=date(2024, 12, 31), confirmed_by="test",
    ),
    "a body is another kind": lambda _: Organisation.objects.update(kind="training_base"),
    "a name is put right": lambda _: Learner.objects.update(name="王一"),
    "an achievement by hand": lambda _: Achievement.objects.update(revision=7),
    "a held item by hand": lambda _: Held.objects.all().delete(),
    "a certificate is revoked": _revoke,
}  # fmt: skip


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_whatever_is_written_wakes_them(source: Source, write: Callable[[Source], object]):
    assert run_stages().rested
    write(source)
    assert not run_stages().rested


def test_what_was_written_and_undone_wakes_nobody(source: Source):
    with transaction.atomic():
        Learner.objects.update(name="王一")
        transaction.set_rollback(True)
    assert run_stages().rested


def test_another_day_another_program_and_other_policies_wake_them(source: Source, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patched:
        patched.setattr("agent.flow.local_date", lambda _: date.today() + timedelta(days=1))  # noqa: DTZ011 - any other
        assert not run_stages().rested
    to_rest()
    with monkeypatch.context() as patched:
        patched.setattr("agent.flow._program", lambda: "another")
        assert not run_stages().rested
    to_rest()
    monkeypatch.setattr("agent.flow.font_folders", lambda: [Path(__file__).parent])
    assert not run_stages().rested


def test_what_waits_for_a_key_is_asked_for_every_time(house: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XUESHI_SIGNING_P12", str(tmp_path / "missing.p12"))
    file_programmes()
    pull(roster(tmp_path / "a.csv", line("王一", 1, filing_number("P1"))))
    assert [run_stages().rested for _ in range(3)] == [False, False, False]
    monkeypatch.delenv("XUESHI_SIGNING_P12")
    assert run_stages().issued.issued == 1


def test_what_commits_during_a_pass_is_not_forgotten(source: Source, monkeypatch: pytest.MonkeyPatch):
    from agent.matching import stage

    run = stage.run

    def meanwhile(years: list[stage.YearRule]) -> stage.Matched:
        done = run(years)
        Learner.objects.update(name="王一")  # after matching looked
        return done

    Change.objects.create(what="by hand")
    with monkeypatch.context() as patched:
        patched.setattr("agent.flow.matching.run", meanwhile)
        run_stages()
    assert not run_stages().rested


def test_a_pass_that_was_killed_is_done_again(source: Source, monkeypatch: pytest.MonkeyPatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    Learner.objects.update(name="王一")
    with monkeypatch.context() as patched:
        patched.setattr("agent.flow.credit.run", killed)
        with pytest.raises(KeyboardInterrupt):
            run_stages()
    assert not run_stages().rested


def test_every_table_that_a_stage_reads_is_watched(house: str):
    """A new table in a stage's SQL has to be watched too, or named here with the reason."""
    watched = {
        table for (table,) in sql("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'changes%%'")
    }
    folder = Path(__file__).parents[2] / "agent"
    stages = ("matching/stage.py", "credit/stage.py", "certificates/due.py", "certificates/stage.py")
    text = "".join((folder / name).read_text(encoding="utf-8") for name in (*stages, "certificates/takeback.py"))
    text += (folder / "quarantine/settle.py").read_text(encoding="utf-8")
    read = {table for table in connection.introspection.table_names() if table in text}
    own = {
        "certificates_serial",  # written together with certificates
    }
    assert read - watched - own == set()
