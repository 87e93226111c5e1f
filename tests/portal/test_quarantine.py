"""The quarantine in the console: what waits, why, what mends it, and what a person decides."""

from __future__ import annotations

from datetime import date

import orjson
import pytest

from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.flow import run_stages
from agent.intake.landing import PAYLOAD_PURPOSE, Lander
from agent.intake.models import Completion, RawPage
from agent.learners.identity import fold_name
from agent.learners.models import Learner
from agent.localtime import now
from agent.matching.models import Decision
from agent.organisations.models import Kind, Organisation
from agent.quarantine.models import Held
from tests.house.houses import held, number, one, sql
from tests.portal.conftest import NUMBER, Town


def _item(code: str) -> int:
    return int(
        one("SELECT id FROM quarantine_held WHERE code = %s AND released_at IS NULL ORDER BY id LIMIT 1", [code])
    )


@pytest.fixture
def nameless(town: Town) -> int:
    """A row of 李·小明 without a number, with its raw record."""
    town.completion((number(60), "李·小明"), "G1", date(2024, 6, 5), 8)
    raw = [["姓名", "身份证号", "电话"], [["李·小明", f" {NUMBER[:6]} {NUMBER[6:]} ", "13800001234"]]]
    page = RawPage.objects.create(run=town.run, rows=1, sealed=Lander(vault()).seal_page(*raw))
    row = Completion.objects.order_by("pk").last()
    Completion.objects.filter(pk=row.pk).update(
        id_fingerprint=None, id_masked="", id_code="E_ID_MISSING", account="u60", raw_page=page, raw_place=0
    )
    run_stages()
    return _item("E_ID_MISSING")


def test_what_waits_is_told_by_code_with_its_sentence_and_its_age(town: Town, text):
    page = text(town.client("operator").get("/quarantine/"))
    assert "2条记录在等待" in page
    assert "课程没有对应的项目" in page
    assert "等了多久" in page
    assert "xueshi" not in page.split("<main")[1].split("</main")[0]


def test_what_was_released_by_itself_is_shown(town: Town, text):
    sql("UPDATE programmes_programme SET state = 'filed', filing_number = 'X-2024' WHERE key = 'P4'")
    run_stages()
    page = text(town.client("operator").get("/quarantine/"))
    released = page.split("最近30天自动放行的", 1)[1]
    assert "项目尚未备案" in released


def test_items_of_a_code_are_filtered_and_paged(town: Town, text, monkeypatch):
    monkeypatch.setattr("agent.portal.quarantine_page.PAGE", 2)
    for serial in range(70, 73):
        town.completion((number(serial), f"王{serial}"), "NOBODYS", date(2024, 6, 5), 8)
    run_stages()
    client = town.client("operator")
    page = text(client.get("/quarantine/E_COURSE_UNMAPPED/"))
    assert "：4条" in page
    after = page.split("?after=")[1].split('"')[0]
    assert "下一页" not in text(client.get(f"/quarantine/E_COURSE_UNMAPPED/?after={after}"))
    found = text(client.get("/quarantine/E_COURSE_UNMAPPED/?q=王71"))
    assert found.count('class="why plain"') == 1
    monkeypatch.setattr("agent.portal.quarantine_page.SEARCHED", 2)
    cut = text(client.get("/quarantine/E_COURSE_UNMAPPED/?q=王72"))
    assert "只在最早的两万条里找过" in cut
    on = cut.split("after=")[1].split('"')[0]
    assert 'class="why plain"' in text(client.get(f"/quarantine/E_COURSE_UNMAPPED/?q=王72&after={on}"))
    assert "清除筛选再看" in text(client.get("/quarantine/E_COURSE_UNMAPPED/?q=nobody at all"))
    assert client.get("/quarantine/E_NOTHING/").status_code == 404
    assert client.get("/quarantine/E_COURSE_UNMAPPED/?source=elsewhere").status_code == 404


def test_an_item_shows_its_raw_record_and_no_number_in_clear(town: Town, nameless: int, text):
    page = text(town.client("operator").get(f"/quarantine/items/{nameless}/"))
    assert "来源给的原样" in page
    assert "身份证号" in page
    assert NUMBER not in page.replace(" ", "")
    assert "13800001234" not in page


def test_a_row_that_a_connector_refused_shows_its_own(town: Town, text):
    item = Held.objects.create(
        what="row", key="x", source=town.source.name, code="E_DATE_INVALID", params={"value": "soon", "place": "A1"},
        payload=vault().seal(orjson.dumps({"完成日期": "soon", "身份证号": NUMBER}), PAYLOAD_PURPOSE), opened_at=now(),
    )  # fmt: skip
    page = text(town.client("operator").get(f"/quarantine/items/{item.pk}/"))
    assert "soon" in page
    assert NUMBER not in page


def test_an_account_is_said_to_be_a_learner_after_a_trial(town: Town, nameless: int, text):
    client, who = town.client("operator"), Learner.objects.get(name="李·小明")
    page = text(client.get(f"/quarantine/items/{nameless}/"))
    assert "这个账号是谁" in page
    asked = {"chosen": nameless, "learner": who.pk, "reason": "核对过身份证"}
    trial = text(client.post("/quarantine/try/", asked))
    assert "预演" in trial
    assert not Decision.objects.exists()
    assert client.post("/quarantine/confirm/", asked).status_code == 302
    run_stages()
    assert "E_ID_MISSING" not in held()
    event = AuditEvent.objects.get(action="quarantine.same_person")
    assert (event.actor, event.organisation_id) == ("operator", town.bodies["base"].pk)
    twice = client.post("/quarantine/confirm/", asked)
    assert (twice.status_code, "已经放行" in text(twice)) == (409, True)


def test_a_decision_is_taken_back_after_its_impact_was_seen(town: Town, nameless: int, text):
    client, who = town.client("operator"), Learner.objects.get(name="李·小明")
    client.post("/quarantine/confirm/", {"chosen": nameless, "learner": who.pk, "reason": "核对过身份证"})
    run_stages()
    made = Decision.objects.get()
    assert "核对过身份证" in text(client.get("/quarantine/decisions/"))
    assert "1条记录将不再计入" in text(client.get(f"/quarantine/decisions/{made.pk}/"))
    assert client.post(f"/quarantine/decisions/{made.pk}/", {"reason": ""}).status_code == 409
    assert client.post(f"/quarantine/decisions/{made.pk}/", {"reason": "认错了人"}).status_code == 302
    run_stages()
    assert held()["E_ID_MISSING"] == 1


def test_only_who_was_offered_can_be_chosen_and_a_reason_is_asked_for(town: Town, nameless: int, text):
    client = town.client("operator")
    other = Learner.objects.get(name="王五")
    assert client.post("/quarantine/try/", {"chosen": nameless, "learner": other.pk, "reason": "x"}).status_code == 404
    who = Learner.objects.get(name="李·小明")
    refused = client.post("/quarantine/try/", {"chosen": nameless, "learner": who.pk, "reason": " "})
    assert (refused.status_code, "请写明原因" in text(refused)) == (409, True)


def test_late_rows_are_the_bureaus_and_decided_together(town: Town, text):
    for serial in (80, 81):
        town.completion((number(serial), f"王{serial}"), "P1", date(2024, 6, 5), 8)
    sql("UPDATE intake_source SET connected_at = '2024-01-01'")
    sql("UPDATE intake_completion SET first_landed_at = '2025-12-01' WHERE name LIKE '王8%%'")
    run_stages()
    items = [pk for (pk,) in sql("SELECT id FROM quarantine_held WHERE code = 'E_LATE_YEAR' ORDER BY id")]
    assert len(items) == 2
    base, bureau = town.client("operator"), town.client("reviewer")
    assert 'type="checkbox"' not in text(base.get("/quarantine/E_LATE_YEAR/"))
    asked = {"chosen": items, "reason": "平台停电", "code": "E_LATE_YEAR"}
    assert base.post("/quarantine/confirm/", asked).status_code == 404
    assert 'type="checkbox"' in text(bureau.get("/quarantine/E_LATE_YEAR/"))
    assert "2条记录将放行" in text(bureau.post("/quarantine/try/", asked))
    assert bureau.post("/quarantine/confirm/", asked).status_code == 302
    run_stages()
    assert "E_LATE_YEAR" not in held()
    waiver = Decision.objects.filter(kind="waiver").first()
    assert base.get(f"/quarantine/decisions/{waiver.pk}/").status_code == 404


def test_two_names_are_said_to_be_one_persons(town: Town, text):
    town.completion((NUMBER, "李晓明"), "G1", date(2024, 6, 5), 8)
    run_stages()
    item = _item("E_NAME_CONFLICT")
    client = town.client("operator")
    assert "两个姓名是同一人吗" in text(client.get(f"/quarantine/items/{item}/"))
    assert client.post("/quarantine/confirm/", {"chosen": item, "reason": "曾用名"}).status_code == 302
    run_stages()
    assert "E_NAME_CONFLICT" not in held()
    assert Decision.objects.get().name_folded == fold_name("李晓明")


def test_what_a_correction_mends_is_not_decided(town: Town):
    item = _item("E_COURSE_UNMAPPED")
    assert town.client("reviewer").post("/quarantine/confirm/", {"chosen": item, "reason": "x"}).status_code == 404


def test_somebody_elses_items_are_unknown(town: Town, nameless: int, text):
    town.bodies["other"] = Organisation.objects.create(
        uscc="9" * 18, kind=Kind.TRAINING_BASE, name="别的基地", region="370400", issuer_number=77
    )
    town.staff("elsewhere", "other", "base_operator")
    client, who = town.client("elsewhere"), Learner.objects.get(name="李·小明")
    assert "没有记录在等待" in text(client.get("/quarantine/"))
    assert client.get(f"/quarantine/items/{nameless}/").status_code == 404
    asked = {"chosen": nameless, "learner": who.pk, "reason": "x"}
    assert client.post("/quarantine/try/", asked).status_code == 404
    assert client.post("/quarantine/confirm/", asked).status_code == 404
    assert town.client("officer").get("/quarantine/").status_code == 404


def test_an_auditor_looks_and_decides_nothing(town: Town, nameless: int, text):
    town.staff("auditor", "bureau", "auditor")
    client, who = town.client("auditor"), Learner.objects.get(name="李·小明")
    page = text(client.get(f"/quarantine/items/{nameless}/"))
    assert "这个账号是谁" not in page
    asked = {"chosen": nameless, "learner": who.pk, "reason": "x"}
    assert client.post("/quarantine/confirm/", asked).status_code == 404


@pytest.mark.parametrize("chosen", ["", "x", "0", "99999999", "9" * 30, "1 OR 1=1"])
def test_forged_numbers_decide_nothing(town: Town, chosen: str):
    asked = {"chosen": chosen, "reason": "x", "code": "E_ID_MISSING"}
    assert town.client("reviewer").post("/quarantine/confirm/", asked).status_code in (302, 404)
    assert not Decision.objects.exists()


def test_a_page_sealed_with_another_key_is_said_not_to_be_there(town: Town, nameless: int, text):
    RawPage.objects.update(sealed=b"\1" + b"broken" * 9)
    assert "没有保存它的原样" in text(town.client("operator").get(f"/quarantine/items/{nameless}/"))
