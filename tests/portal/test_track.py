"""How far a course has come, what the learner can do about it, and how soon it goes on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from agent.credit.policy import load_policy
from agent.credit.reasons import REASONS
from agent.intake.models import Source, SourceState
from agent.localtime import now
from agent.portal import track_words
from agent.portal.reads import next_reads
from agent.portal.track import Mender, Step, drawn, mender_of, of_credited, of_waiting
from agent.portal.year_page import title_deadline
from agent.programmes.workdays import CalendarUnknown
from agent.quarantine.codes import CODES
from agent.quarantine.models import Held

POLICY = load_policy("370400", 2024)
NOTHING = "您不用做什么。"


def test_a_held_row_stands_before_what_it_lacks():
    assert of_waiting("E_ID_CHECKSUM").reached is Step.ARRIVED
    assert of_waiting("E_COURSE_UNMAPPED").reached is Step.MATCHED
    assert of_waiting("E_PROGRAMME_NOT_FILED").reached is Step.MAPPED
    assert of_credited(certificate=False, public=False, held="E_CERT_NOT_APPROVED").reached is Step.CREDITED
    assert of_credited(certificate=True, public=False, held="").reached is Step.CERTIFIED


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_place_and_its_waiting_says_what_comes_next(code):
    track = of_waiting(code)
    assert track_words.expected(track, None)
    assert track_words.you_can(code)
    if mender_of(code) is Mender.LMS and code.startswith(("E_ID", "E_NAME")):
        assert track_words.you_can(code) != NOTHING


COUNTED = {"credited", "rounded", "actual", "item", "prevailing", "secondment", "carried_over"}
"""Reasons that leave nothing out that the learner could do anything about."""


@pytest.mark.parametrize("reason", sorted(set(REASONS) - COUNTED))
def test_every_reason_for_leaving_hours_out_says_what_the_learner_can_do(reason):
    assert track_words.you_can_of_cut(reason) != NOTHING


def test_it_is_drawn_by_shape_and_word():
    waiting = drawn(of_waiting("E_COURSE_UNMAPPED"), "已认出本人，等待处理")
    assert [waiting.count(f'"track-{kind}"') for kind in ("done", "waits", "next")] == [2, 1, 3]
    assert 'aria-label="已认出本人，等待处理"' in waiting
    public = drawn(of_credited(certificate=False, public=True, held=""), "已计学时")
    assert [public.count(f'"track-{kind}"') for kind in ("done", "waits", "next")] == [4, 0, 0]
    assert "<script" not in drawn(of_waiting("E_X"), "<script>")


def test_by_when_a_source_is_read_next(town):
    town.source.recent_at = "15m"
    town.source.save()
    (at,) = next_reads({town.source.name}).values()
    assert timedelta(0) < at - now() <= timedelta(minutes=15)
    later = now() + timedelta(hours=5)
    SourceState.objects.update_or_create(source=town.source, defaults={"open_until": later})
    assert next_reads({town.source.name})[town.source.name] > later
    Source.objects.update(recent_at="nonsense")
    assert next_reads({town.source.name}) == {}
    Source.objects.update(recent_at="15m", scheduled=False)
    assert next_reads({town.source.name}) == {}


@pytest.mark.parametrize(
    ("filing", "by"),
    [
        (
            date(2024, 9, 20),
            date(2024, 9, 12),
        ),  # the 14th is worked, the 15th to 17th are not
        (date(2024, 10, 10), date(2024, 9, 27)),  # the National Day and its shifted workdays
        (date(2025, 3, 3), date(2024, 12, 31)),  # not later than the year's own end
    ],
)
def test_who_applies_for_a_title_has_done_five_working_days_before(filing, by):
    assert title_deadline(filing, POLICY) == by


def test_a_deadline_is_not_guessed():
    with pytest.raises(CalendarUnknown):
        title_deadline(date(2099, 3, 3), POLICY)


def test_the_page_says_it_for_the_day_that_was_named(town, text):
    client = town.client("xiaoming")
    assert "2024-09-20交材料的，要在2024-09-12前学完" in text(client.get("/2024/?filing=2024-09-20"))
    assert "日期看不懂" in text(client.get("/2024/?filing=someday"))
    assert "放假安排还没有公布" in text(client.get("/2024/?filing=2099-01-05"))
    assert "2024-09-12" in text(town.client("newcomer").get("/?filing=2024-09-20"))


def test_each_course_shows_its_steps_and_what_can_be_done(town, text):
    page = text(town.client("xiaoming").get("/"))
    assert page.count('class="track"') == 5
    assert "已发证书" in page
    assert "已认出本人，等待处理" in page
    assert "请它确认课程属于哪个备案项目" in page
    assert "如果实际学了更多天" in page
    assert "上报省市平台还没有开通" in page


def test_a_certificate_that_waits_says_why(town, text, certificate):
    entry = certificate.achievement_id
    certificate.__class__.objects.filter(achievement_id=entry).update(state="revoked")
    Held.objects.create(
        what="certificate", key=str(entry), code="E_CERT_NOT_APPROVED", opened_at=now(),
        params={"programme": "建筑施工新技术", "name": "李·小明"},
    )  # fmt: skip
    page = text(town.client("xiaoming").get("/"))
    assert "须经主办单位审批" in page
    assert "可以问主办单位什么时候办好" in page


def test_the_time_that_is_told_is_local():
    at = datetime(2024, 9, 20, 16, 30, tzinfo=UTC)
    assert "09-21 00:30" in track_words.expected(of_waiting("E_ID_CHECKSUM"), at)
