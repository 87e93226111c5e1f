"""The figures of the desks equal what the tables say, asked in another way; kept ones equal those asked now."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from django.db import connection

from agent.certificates.models import Certificate
from agent.credit.models import CreditEntry
from agent.figures import look, stage
from agent.figures.look import Scope, Span, looking
from agent.figures.models import Count, Figure
from agent.figures.questions import EARLIER, What
from agent.intake.models import Completion, Source, SyncRun
from agent.learners.models import Learner
from agent.localtime import local_date, now
from agent.organisations.models import Organisation
from agent.programmes.models import Programme
from agent.quarantine.models import Held

EVER = Span(date.min, date.max)


@pytest.fixture
def all_kept(monkeypatch):
    """Even a small house keeps its figures."""
    monkeypatch.setattr(look, "SMALL", 0)


def everything(scope=None, span=EVER):
    """All that a look can tell."""
    with looking(scope or Scope()) as seen:
        return {
            "landed": seen.landed(span), "public": seen.hours(span, What.PUBLIC),
            "professional": seen.hours(span, What.PROFESSIONAL), "certificates": seen.certificates(span),
            "held": seen.held(), "pulls": seen.pulls(span), "whole": seen.whole(), "programmes": seen.by_programme(),
        }  # fmt: skip


def by_hand(entries, category):
    """Hours by subject or series: entry by entry, as nobody would ask it of a million."""
    counted, credited = Counter(), Counter()
    for each in entries.filter(category=category).select_related("achievement__programme_version"):
        version = each.achievement.programme_version
        name = version.subject if category == "public" else version.series
        counted[name] += -1 if each.reverses_id else 1
        credited[name] += each.credited
    return {name: (counted[name], credited[name]) for name in counted}


def told(hours):
    return {each.name: (each.entries, each.credited) for each in hours}


def held_by_hand(items):
    found = defaultdict(Counter)
    for each in items.filter(released_at=None):
        found[each.code][local_date(each.opened_at)] += 1
    return {code: dict(days) for code, days in found.items()}


def test_figures_equal_what_the_tables_say_row_by_row(demo_house):
    found = everything()
    rows = Completion.objects.filter(current=True, passed=True)
    assert found["landed"] == Counter(local_date(row.first_landed_at) for row in rows)
    for category in ("public", "professional"):
        assert told(found[category]) == by_hand(CreditEntry.objects.all(), category)
        credited = [each.credited for each in found[category]]
        assert credited == sorted(credited, reverse=True)
        assert sum(each.credited for each in found[category]) > 0
    certificates = Counter((local_date(each.issued_at), each.state) for each in Certificate.objects.all())
    assert {(day, state): n for day, state, n in found["certificates"]} == certificates
    assert {each.code: each.days for each in found["held"]} == held_by_hand(Held.objects.all())
    assert found["whole"]["learners"][0] == Learner.objects.count()
    assert found["whole"]["landed"][0] == rows.count()
    assert found["whole"]["certificates"][0] == Certificate.objects.filter(state="issued").count()
    runs = list(SyncRun.objects.all())
    (pulls,) = found["pulls"].values()
    assert (pulls.runs, pulls.failed) == (len(runs), sum(run.state == "failed" for run in runs))
    assert (pulls.calls, pulls.rows) == (sum(run.calls for run in runs), sum(run.new + run.changed for run in runs))


def test_an_organisers_figures_are_those_of_its_programmes_and_all_together_are_the_whole(demo_house):
    organisers = list(Organisation.objects.filter(organised__isnull=False).distinct())
    assert len(organisers) > 1
    total = Counter()
    for body in organisers:
        found = everything(Scope(organisers=[body.pk]))
        mine = CreditEntry.objects.filter(achievement__programme_version__programme__organiser=body)
        for category in ("public", "professional"):
            assert told(found[category]) == by_hand(mine, category)
            total.update({name: hours for name, (_, hours) in told(found[category]).items()})
        certificates = Certificate.objects.filter(programme__organiser=body)
        assert sum(n for *_, n in found["certificates"]) == certificates.count()
        assert set(found["programmes"]) <= set(Programme.objects.filter(organiser=body).values_list("pk", flat=True))
    whole = Counter({name: n for c in ("public", "professional") for name, (_, n) in told(everything()[c]).items()})
    assert total == whole


def test_a_source_has_its_own_figures_and_a_stranger_none(demo_house):
    source = Source.objects.get()
    mine, whole = everything(Scope(sources=[source.pk])), everything()
    assert {k: mine[k] for k in ("landed", "public", "professional", "certificates", "held", "pulls")} == {
        k: whole[k] for k in ("landed", "public", "professional", "certificates", "held", "pulls")
    }
    for nobody in (Scope(sources=[]), Scope(sources=[source.pk + 1]), Scope(organisers=[])):
        assert not any(everything(nobody).values())


def test_a_day_belongs_to_the_span_that_names_it(demo_house):
    (day,) = {local_date(row.first_landed_at) for row in Completion.objects.filter(current=True)}
    one = timedelta(1)
    whole = everything()
    inside, outside = everything(span=Span(day, day)), everything(span=Span(day + one, day + 9 * one))
    assert inside == whole | {"pulls": inside["pulls"]}
    assert not any(outside[k] for k in ("landed", "public", "professional", "certificates"))
    assert outside["held"] == whole["held"]  # what waits, waits now


def test_kept_figures_are_those_that_are_asked_now_and_say_of_when(demo_copy, all_kept, monkeypatch):
    live = everything()
    taken = stage.count()
    assert taken.rows > Completion.objects.count()
    with looking(Scope()) as seen:
        assert (seen.kept, seen.as_of) == (True, taken.taken_at)
    assert everything() == live
    bodies = Organisation.objects.values_list("pk", flat=True)
    for scope in (Scope(organisers=bodies[:1]), Scope(sources=[Source.objects.get().pk])):
        kept = everything(scope)
        with monkeypatch.context() as patch:
            patch.setattr(look, "SMALL", 10**9)
            assert everything(scope) == kept
    # what happens afterwards is told by the next count, and lines that are as they were are not written again
    before = {each.pk: (each.n, each.amount) for each in Figure.objects.all()}
    Held.objects.filter(released_at=None, code="E_COURSE_UNMAPPED").update(released_at=now())
    assert everything() == live
    stage.count()
    after = {each.pk: (each.n, each.amount) for each in Figure.objects.all()}
    assert set(after) < set(before)
    assert {pk: after[pk] for pk in after} == {pk: before[pk] for pk in after}
    assert "E_COURSE_UNMAPPED" not in {each.code for each in everything()["held"]}
    assert Count.objects.count() == 1


def test_what_came_before_last_year_is_one_line_and_still_in_the_sum(demo_copy, all_kept):
    live = everything()["whole"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE intake_completion SET first_landed_at = '2019-05-05' WHERE id % 2 = 0")
        cursor.execute("UPDATE intake_completion SET first_landed_at = '2018-05-05' WHERE id % 4 = 0")
    stage.count()
    assert everything()["whole"] == live
    old = set(Figure.objects.filter(what="landed", day__lt=stage.since_of(local_date(now()))).values_list("day"))
    assert old == {(EARLIER,)}


def test_a_count_waits_twenty_times_as_long_as_the_last_one_took(house):
    assert not stage.pause()
    stage.count()
    Count.objects.update(seconds=3, taken_at=now() - timedelta(seconds=10))
    assert timedelta(seconds=40) < stage.pause() <= timedelta(seconds=50)
    Count.objects.update(taken_at=now() - timedelta(seconds=61))
    assert not stage.pause()
