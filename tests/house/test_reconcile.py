"""The figures that must be equal are, and a difference is named."""

from __future__ import annotations

import pytest
from django.db import connection

from agent.flow import run_stages
from agent.intake.models import SyncRun
from agent.quarantine.models import Held
from agent.reconcile import reconcile
from tests.house.houses import Base


@pytest.fixture
def five(base: Base) -> Base:
    """Five people who completed a filed course, one of them also a course that is filed nowhere."""
    for serial in range(1, 6):
        base.learner(f"u{serial}")
        base.done(f"u{serial}", "WSYS", f"2024-05-{serial:02d}T02:00")
    base.done("u1", "XLJK", "2024-05-09T02:00")
    base.sync()
    return base


def differing() -> dict[str, int]:
    return {line.name: len(line.differing) or abs(line.left - line.right) for line in reconcile() if not line.equal}


def test_a_house_in_order_is_equal_everywhere(five: Base, xueshi):
    lines = reconcile()
    assert differing() == {}
    assert [line.left for line in lines[:2]] == [6, 6]
    said = xueshi("reconcile", "--json")
    assert (said.exit, len(said.json)) == (0, len(lines))
    five.site.remove_row("u2", "WSYS")
    five.site.change_row("u3", "WSYS", grade="60.00")
    five.sync()
    run_stages()
    assert differing() == {}


def test_a_completion_that_nobody_judged_is_named(five: Base, xueshi):
    Held.objects.all().delete()
    assert differing() == {"landed = judged": 1}
    assert xueshi("reconcile").exit == 1
    assert "landed = judged: " in xueshi("reconcile").out


def test_a_source_that_counts_more_than_came_is_told(five: Base):
    SyncRun.objects.update(counted=9)
    assert differing() == {f"LMS = landed: {five.source.name}": 3}


def test_an_entry_or_a_certificate_that_stands_alone_is_named(five: Base):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE matching_achievement SET withdrawn = true WHERE id = (SELECT min(id) FROM matching_achievement)"
        )
    assert differing() == {"judged = ledger": 1}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE certificates_certificate SET hours = hours + 1")
        cursor.execute("SELECT count(*) FROM certificates_certificate")
        certificates = cursor.fetchone()[0]
    assert certificates > 0
    assert differing()["certificates = ledger"] == certificates
