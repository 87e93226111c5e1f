"""The companion plugin as the fake plays it: keyset, marks, digests, and a log that tells what differs."""

import json
import subprocess
import sys

import pytest
import requests

from connectors.testing.fake_moodle import FakeMoodle

COMPLETIONS, DIGEST, CHANGES = (f"local_xueshi_get_{what}" for what in ("completions", "digest", "changes"))
INFO = "core_webservice_get_site_info"


@pytest.fixture
def site():
    with FakeMoodle(plugin=True) as running:
        yield running


@pytest.fixture
def ask(site):
    def call(function, **params):
        asked = {"wstoken": site.token, "wsfunction": function, "moodlewsrestformat": "json", **params}
        return requests.post(f"{site.url}/webservice/rest/server.php", data=asked, timeout=10).json()

    return call


def cursor(row):
    return row["timecompleted"], row["id"]


def test_it_is_offered_where_it_is_installed(site, ask):
    offered = {one["name"] for one in ask(INFO)["functions"]}
    assert offered >= {COMPLETIONS, DIGEST, CHANGES}
    site.faults.add("plugin_removed")
    assert not {one["name"] for one in ask(INFO)["functions"]} & {COMPLETIONS, DIGEST, CHANGES}
    assert ask(DIGEST)["errorcode"] == "invalidrecordunknown"


def test_elsewhere_nobody_knows_it():
    with FakeMoodle() as site:
        asked = {"wstoken": site.token, "wsfunction": COMPLETIONS, "moodlewsrestformat": "json"}
        answer = requests.post(f"{site.url}/webservice/rest/server.php", data=asked, timeout=10).json()
    assert answer["errorcode"] == "invalidrecordunknown"


@pytest.mark.parametrize("limit", [1000, 3786, 3787, 10_000])
def test_pages_by_cursor_are_the_whole_in_order(ask, limit):
    rows, at, more = [], (0, 0), True
    while more:
        answer = ask(COMPLETIONS, fromtime=at[0], fromid=at[1], limit=limit, count=1)
        assert answer["total"] == 3787 - len(rows)
        rows += answer["completions"]
        at, more = cursor(rows[-1]), answer["more"]
    assert len(rows) == 3787
    assert sorted(rows, key=cursor) == rows
    assert len({row["id"] for row in rows}) == len({(row["username"], row["courseshortname"]) for row in rows}) == 3787


def test_a_part_by_time_and_by_number(ask):
    whole = ask(COMPLETIONS, limit=10_000)["completions"]
    assert ask(COMPLETIONS)["completions"] == whole[:5000]
    start, end = whole[100]["timecompleted"], whole[200]["timecompleted"]
    assert ask(COMPLETIONS, fromtime=start, totime=end)["completions"] == [
        row for row in whole if start <= row["timecompleted"] < end
    ]
    held = ask(COMPLETIONS, firstid=11, lastid=20, fromtime=start, count=1)
    assert held["completions"] == [row for row in whole if 11 <= row["id"] <= 20 and row["timecompleted"] >= start]
    assert (held["total"], held["more"]) == (len(held["completions"]), False)
    assert ask(COMPLETIONS, fromtime=end, totime=start, count=1)["total"] == 0


@pytest.mark.parametrize(
    ("function", "params"),
    [
        (COMPLETIONS, {"limit": 10_001}), (COMPLETIONS, {"since": 1}), (COMPLETIONS, {"fromtime": "x"}),
        (DIGEST, {"blocksize": 99}), (DIGEST, {"limit": 1001}), (CHANGES, {"limit": -1}),
    ],
)  # fmt: skip
def test_what_it_does_not_take_is_refused(ask, function, params):
    assert ask(function, **params)["errorcode"] == "invalidparameter"


@pytest.mark.parametrize("size", [100, 1000, 5000])
def test_digests_are_the_sums_of_rows(ask, size):
    rows = ask(COMPLETIONS, limit=10_000)["completions"]
    blocks, at = [], 1
    while at:
        answer = ask(DIGEST, firstid=at, blocksize=size, limit=3)
        blocks += answer["blocks"]
        at = answer["nextid"]
    for block in blocks:
        marks = [row["mark"] for row in rows if block["first"] <= row["id"] <= block["last"]]
        assert (block["rows"], block["marks"]) == (len(marks), sum(marks))
    assert sum(block["rows"] for block in blocks) == 3787


def kinds(answer):
    return [(row["kind"], f"{row['username']}|{row['courseshortname']}") for row in answer["changes"]]


def test_the_log_tells_what_differs_since_it_was_last_asked(site, ask):
    assert ask(CHANGES)["last"] == 0
    site.add_row("xy00001", "JZSG", 1_700_000_000)
    site.change_row("xy00001", "AQSC", grade="61.00")
    site.remove_row("xy00001", "RGZN")
    answer = ask(CHANGES)
    assert sorted(kinds(answer)) == [
        *(("changed", "xy00001|AQSC"), ("completed", "xy00001|JZSG"), ("reset", "xy00001|RGZN")),
    ]
    assert (answer["first"], answer["last"], answer["more"]) == (1, 3, False)
    assert ask(CHANGES, after=3)["changes"] == []
    assert ask(COMPLETIONS, limit=1)["sequence"] == 3


def test_a_mark_changes_with_everything_that_a_row_says(site, ask):
    def mark():
        (row,) = [one for one in ask(COMPLETIONS, limit=10_000)["completions"] if one["id"] == number]
        return row["mark"]

    number = next(one["id"] for one in ask(COMPLETIONS)["completions"] if one["username"] == "xy00001")
    course = next(one["courseshortname"] for one in ask(COMPLETIONS)["completions"] if one["id"] == number)
    seen = [mark()]
    for change in (
        lambda: site.change_row("xy00001", course, time=1_700_000_001),
        lambda: site.change_row("xy00001", course, grade="61.00"),
        lambda: site.change_user("xy00001", sfzh="370402196401010003"),
        lambda: site.change_user("xy00001", family="赵"),
        lambda: site.suspend_enrolment("xy00001", course),
        lambda: site.suspend_user("xy00001"),
        lambda: site.change_course(course, name="另一名称"),
        lambda: site.rename_course(course, "NEW"),
        lambda: site.unenrol("xy00001", "NEW"),
        lambda: site.delete_user("xy00001"),
    ):
        change()
        seen.append(mark())
    assert len(set(seen)) == len(seen)


def test_whoever_is_enrolled_again_has_completed_the_course_already(site, ask):
    before = ask(DIGEST)
    row = site.enrolment("xy00002", "RGZN") or next(iter(site.enrolments_of("xy00002")))
    site.unenrol(row.user, row.course)
    assert len(site.rows) == 3763
    assert ask(DIGEST)["blocks"] != before["blocks"]
    site.enrol([row._replace(time=None)])
    assert len(site.rows) == 3764
    assert ask(DIGEST)["blocks"] == before["blocks"]


def test_a_process_of_its_own_plays_it_too_and_is_changed_over_http():
    command = [sys.executable, "-m", "connectors.testing.fake_moodle", "--rows", "50", "--plugin", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = json.loads(process.stdout.readline())
        asked = {"wstoken": said["token"], "moodlewsrestformat": "json"}
        url = f"{said['url']}/webservice/rest/server.php"
        answer = requests.post(url, data=asked | {"wsfunction": COMPLETIONS}, timeout=10).json()
        assert len(answer["completions"]) == 50
        change = {"do": "rename_user", "user": "xs0000001", "username": "another"}
        assert requests.post(f"{said['url']}/_fake/change", json=change, timeout=10).status_code == 200
        told = requests.post(url, data=asked | {"wsfunction": CHANGES}, timeout=10).json()["changes"]
        assert {(one["username"], one["oldusername"]) for one in told} == {("another", "xs0000001")}
        process.stdin.close()
        assert process.wait(timeout=20) == 0
