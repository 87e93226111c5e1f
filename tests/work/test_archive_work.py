"""The pages of an archive are made by real workers, and one that is killed is followed by another that goes on."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from agent.certificates import archive, archive_work
from agent.certificates.models import Archive, CertificatePdf
from agent.flow import run_stages
from agent.intake.sync import pull
from agent.programmes.filing import find
from agent.work.queue import defer_archive
from agent.work.tasks import rescue
from tests.house.houses import file_programmes, filing_number, line, one, roster, sql
from tests.work.processes import fleet, wait_for

PEOPLE = 24


def crowd(tmp_path: Path) -> None:
    file_programmes()
    pull(
        roster(
            tmp_path / "a.csv", *(line(f"王{chr(0x4E00 + n)}", n, filing_number("P1")) for n in range(1, PEOPLE + 1))
        )
    )
    run_stages()
    sql("DELETE FROM procrastinate_jobs")  # nobody is told of anything here


def test_a_worker_that_is_killed_is_followed_by_one_that_goes_on(house: str, tmp_path: Path):
    crowd(tmp_path)
    asked = archive_work.ask(find("P1"), by="officer")
    assert defer_archive(asked.pk)
    assert not defer_archive(asked.pk)  # once is enough
    with fleet(house, XUESHI_HOME=os.environ["XUESHI_HOME"]) as ours:
        first = ours.start("--worker", "--concurrency", "1")
        wait_for(lambda: CertificatePdf.objects.count() >= 2, "the work goes on")
        ours.kill(first)
        kept = dict(CertificatePdf.objects.values_list("pk", "made_at"))
        assert archive_work.going(Archive.objects.get())
        # what the clock finds after a while, found at once
        sql("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - %s", [timedelta(hours=1)])
        rescue.configure().defer(seconds=60.0)
        ours.start("--worker", "--concurrency", "2")
        wait_for(lambda: not archive_work.going(Archive.objects.get()), "all are made")
    assert one("SELECT count(*) FROM certificates_certificatepdf") == PEOPLE
    assert kept.items() <= dict(CertificatePdf.objects.values_list("pk", "made_at")).items()
    assert archive.made(archive.of_programme(find("P1")))[:2] == (PEOPLE, PEOPLE)
    assert Archive.objects.get().failed == []
