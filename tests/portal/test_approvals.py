"""The page on which a department approves who gets certificates."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils import translation

from agent.certificates.approvals import Approval, ApprovedAchievement, ask_for_approval, waiting
from agent.certificates.models import Certificate
from agent.flow import run_stages
from agent.intake.models import Completion
from agent.learners.identity import mask_id
from agent.matching.models import Achievement
from agent.portal import approval_page
from tests.house.houses import held, number, one
from tests.portal.conftest import Town

PEOPLE = ("赵一", "钱二", "孙三·买买提江", "李四")


@pytest.fixture
def asking(town: Town) -> Town:
    """P2 asks for an approval, and four more people completed it since."""
    ask_for_approval(town.programmes["P2"], needed=True, by="test")
    for serial, name in enumerate(PEOPLE, 50):
        town.completion((number(serial), name), "P2", date(2024, 6, serial % 28 + 1), 24)
    run_stages()
    assert held()["E_CERT_NOT_APPROVED"] == 4
    return town


def address(town: Town, key: str = "P2") -> str:
    return f"/approvals/{town.programmes[key].pk}/"


def values(town: Town) -> dict[str, str]:
    """What the form of each person sends, by name."""
    return {row.name: row.value for row in approval_page.people_of(town.programmes["P2"])}


def holders() -> set[str]:
    return set(Certificate.objects.filter(programme__key="P2", state="issued").values_list("holder", flat=True))


def test_the_overview_says_where_people_wait_and_the_desk_leads_there(asking, text):
    client = asking.client("officer")
    page = text(client.get("/approvals/"))
    assert "4人等您批准证书" in page
    assert re.search(r"人工智能工程师培训.*?须经审批.*?4", page, re.DOTALL)
    assert re.search(r'<a href="/approvals/"><b>4</b> <span>人等您批准证书</span></a>', text(client.get("/")))


def test_each_who_waits_is_shown_to_be_checked(asking, text):
    Completion.objects.filter(name="赵一").update(employer="枣庄市示例医院")
    page = text(asking.client("officer").get(address(asking)))
    assert "4人等您批准" in page
    for name in PEOPLE:
        assert name in page
    assert "枣庄市示例医院" in page
    assert mask_id(number(50)) in page
    assert number(50) not in page


def test_those_chosen_are_approved_and_get_their_certificates(asking, text):
    client, before = asking.client("officer"), holders()
    form = {"which": "chosen", "chosen": [values(asking)[n] for n in PEOPLE[:2]], "seen": "", "reason": "核对无误"}
    answer = client.post(address(asking), form)
    assert (answer.status_code, answer["Location"]) == (302, f"{address(asking)}?approved=2&left=0")
    assert "已批准2人" in text(client.get(answer["Location"]))
    # asked for in the same transaction, done by a worker
    assert one("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'stages' AND status = 'todo'") == 1
    run_stages()
    assert holders() - before == set(PEOPLE[:2])
    approval = Approval.objects.get(kind="batch")
    assert (approval.by, approval.reason, approval.count) == ("officer", "核对无误", 2)


def test_all_who_were_seen_are_approved_and_nobody_else(asking):
    client = asking.client("reviewer")  # the bureau may, too
    page = client.get(address(asking)).content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    asking.completion((number(77), "周八"), "P2", date(2024, 6, 9), 24)
    run_stages()
    client.post(address(asking), {"which": "all", "seen": seen})
    run_stages()
    assert set(PEOPLE) <= holders()
    assert waiting(asking.programmes["P2"]) == 1  # came later, and nobody saw it


def test_who_was_corrected_after_being_seen_waits_on(asking, text):
    seen = " ".join(values(asking).values())
    Achievement.objects.filter(name="李四").update(revision=9)
    answer = asking.client("officer").post(address(asking), {"which": "all", "seen": seen})
    assert answer["Location"].endswith("?approved=3&left=1")
    page = text(asking.client("officer").get(answer["Location"]))
    assert "1人没有批准" in page
    assert "李四" in page
    assert "赵一" not in page  # approved, though the stage did not come by yet


def test_pressing_twice_approves_once(asking):
    form = {"which": "all", "seen": " ".join(values(asking).values())}
    client = asking.client("officer")
    assert client.post(address(asking), form)["Location"].endswith("?approved=4&left=0")
    assert client.post(address(asking), form)["Location"].endswith("?approved=0&left=4")
    assert (Approval.objects.filter(kind="batch").count(), ApprovedAchievement.objects.count()) == (1, 4)


@pytest.mark.parametrize("chosen", [[], ["x"], ["1"], ["1.2.3"], ["١.١"], ["999999.1"]])
def test_nothing_and_nonsense_approve_nobody(asking, text, chosen):
    client = asking.client("officer")
    answer = client.post(address(asking), {"which": "chosen", "chosen": chosen})
    assert answer.status_code == 302
    assert client.get(answer["Location"]).status_code == 200
    assert not ApprovedAchievement.objects.exists()


def test_an_achievement_of_another_programme_is_not_approved_by_the_way(asking):
    foreign = Achievement.objects.exclude(programme_version__programme__key="P2").first()
    form = {"which": "chosen", "chosen": [f"{foreign.pk}.{foreign.revision}"]}
    asking.client("officer").post(address(asking), form)
    assert not ApprovedAchievement.objects.exists()


@pytest.mark.parametrize(("who", "key"), [("officer", "P1"), ("officer", "G1"), ("operator", "P2"), ("xiaoming", "P2")])
@pytest.mark.parametrize("rest", ["", "needed/"])
def test_somebody_elses_programme_is_as_if_it_did_not_exist(asking, who, key, rest):
    client = asking.client(who)
    for answer in (client.post(address(asking, key) + rest), client.post(f"/approvals/999999/{rest}")):
        assert answer.status_code == 404
    if who != "officer":
        assert client.get("/approvals/").status_code == 404


def test_the_switch_is_thrown_on_the_page_and_kept_with_who_and_why(asking, text):
    client, switch = asking.client("officer"), address(asking) + "needed/"
    client.post(switch, {"needed": "0", "reason": "已逐人考核"})
    run_stages()
    assert set(PEOPLE) <= holders()
    page = text(client.get(address(asking)))
    assert "现在无须审批" in page
    assert "已逐人考核" in page
    client.post(switch, {"needed": "1"})
    assert "没有人在等批准" in text(client.get(address(asking)))
    assert client.get(switch).status_code == 405


def test_only_so_many_at_once_and_the_rest_is_told(asking, text, monkeypatch):
    monkeypatch.setattr(approval_page, "AT_ONCE", 3)
    page = text(asking.client("officer").get(address(asking)))
    assert "批准本页全部3人" in page
    assert "后面还有1人" in page


def test_where_nothing_is_filed_the_page_says_what_comes(empty_town, text):
    empty_town.staff("officer", "industry", "department_officer")
    page = text(empty_town.client("officer").get("/approvals/"))
    assert "没有人在等您批准证书" in page
    assert "还没有已备案的专业科目项目" in page


def test_in_english_too(asking, text):
    client = asking.client("officer")
    client.cookies["django_language"] = "en"
    with translation.override("en"):
        assert "4 people wait for your approval" in text(client.get(address(asking)))
