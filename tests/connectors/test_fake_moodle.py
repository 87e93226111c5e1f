"""The fake Moodle answers as the recorded one did, and fails as it is told to. Over real sockets."""

import hashlib
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from connectors.testing._synthetic import identity_number
from connectors.testing._wire import php_params
from connectors.testing.fake_moodle import KINDS, PROGRAMMES, FakeMoodle

RECORDED = Path(__file__).parent / "recorded"
ENDPOINT = "/webservice/rest/server.php"
RECORDED_AT = "http://127.0.0.1:8081"
INFO = "core_webservice_get_site_info"
RETRIEVE = "core_reportbuilder_retrieve_report"
STATUS = "core_completion_get_course_completion_status"
UTC = {"moodlewssettingtimezone": "UTC"}


def recorded(name):
    return json.loads((RECORDED / name).read_text("utf-8"))


class Client:
    """Asks as an agent would, without following redirects."""

    def __init__(self, site):
        self.site = site
        self.session = requests.Session()
        self.session.trust_env = False

    def post(self, function, *, token=None, form="json", timeout=10, **params):
        asked = {"wstoken": token or self.site.token, "wsfunction": function, **params}
        if form:
            asked["moodlewsrestformat"] = form
        return self.session.post(self.site.url + ENDPOINT, data=asked, allow_redirects=False, timeout=timeout)

    def __call__(self, function, **params):
        return self.post(function, **params).json()

    def report(self, page=0, perpage=0, **settings):
        return self(RETRIEVE, reportid=1, page=page, perpage=perpage, **UTC, **settings)["data"]

    def window(self, start, end):
        values = {"operator": 3, "from": start, "to": end}
        values = {f"completion:timecompleted_{key}": value for key, value in values.items()}
        return self("core_reportbuilder_set_filters", reportid=1, values=json.dumps(values))


@pytest.fixture
def site():
    with FakeMoodle() as running:
        yield running


@pytest.fixture
def ask(site):
    client = Client(site)
    yield client
    client.session.close()


@pytest.fixture(scope="module")
def whole():
    """A site that no test changes, for the many comparisons."""
    with FakeMoodle() as running:
        client = Client(running)
        yield client
        client.session.close()


def ours(value, url):
    """A recorded value as this site would say it: its address, and pictures of any revision."""
    text = json.dumps(value, ensure_ascii=False).replace(RECORDED_AT, url)
    return json.loads(re.sub(r"boost/core/\d+/", "boost/core/0/", text))


def same(was, now, place="answer"):
    """Compare with a recording whose lists may be cut (``"... N more"``), order of keys included."""
    if isinstance(was, dict):
        assert list(was) == list(now), place
        for key, value in was.items():
            same(value, now[key], f"{place}.{key}")
    elif isinstance(was, list):
        more = 0
        if was and str(was[-1]).startswith("... "):
            more = int(was[-1].split()[1])
            was = was[:-1]
        assert len(now) == len(was) + more, place
        for number, value in enumerate(was):
            same(value, now[number], f"{place}[{number}]")
    else:
        assert was == now, place


# --- like the recordings -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("call", recorded("answers.json"), ids=lambda call: call["name"])
def test_answers_as_recorded(whole, call):
    whole.site.filters = {}
    form = None if call.get("format") == "xml" else "json"
    answer = whole.post(call["function"], token=call.get("token"), form=form, **call["params"], **call["settings"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (call["http_status"], call["content_type"])
    if form is None:
        assert answer.text == call["body"]["_nonjson"]
        return
    same(ours(call["body"], whole.site.url), ours(answer.json(), whole.site.url))
    if "bytes" in call:  # as long as PHP wrote it, but for the digits of the port
        named = answer.content.count(whole.site.url.replace("/", "\\/").encode())
        longer = named * (len(whole.site.url) - len(RECORDED_AT))
        assert len(answer.content) - call["bytes"] == longer


@pytest.mark.parametrize("call", recorded("digests.json"), ids=lambda call: call["name"])
def test_whole_answers_are_the_recorded_ones(whole, call):
    people = sorted(one.username for one in whole.site.people.values() if not one.deleted)
    if "people" in call:
        wanted = people[slice(*call["people"])]
        call["params"] |= {f"values[{number}]": username for number, username in enumerate(wanted)}
    whole("core_reportbuilder_filters_reset", reportid=1)
    if "filter" in call:
        assert whole("core_reportbuilder_set_filters", reportid=1, values=call["filter"]) is True
    answer = whole(call["function"], **call["params"], **call["settings"])
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).replace(whole.site.url, RECORDED_AT)
    text = re.sub(r"boost/core/\d+/", "boost/core/0/", text)
    assert hashlib.sha256(text.encode()).hexdigest() == call["sha256"]


@pytest.mark.parametrize("call", recorded("refused.json"), ids=lambda call: call["name"])
def test_refuses_as_recorded(site, ask, call):
    site.faults.add(call["fault"])
    form = None if call.get("format") == "xml" else "json"
    answer = ask.post(call["function"], form=form, **call["params"])
    assert answer.status_code == call["http_status"]
    body = call["body"]
    if "_nonjson" in body:
        assert answer.text == body["_nonjson"]
    else:
        assert answer.json() == body


def test_offers_no_companion_plugin(whole):
    names = [one["name"] for one in whole(INFO)["functions"]]
    assert len(names) == 28
    assert not [name for name in names if name.startswith("local_")]
    assert whole("local_xc_get_completions")["errorcode"] == "invalidrecordunknown"


def test_speaks_xml_unless_json_is_asked_for(whole):
    answer = whole.post(INFO, form=None)
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert answer.text.startswith(
        '<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE>\n<SINGLE>\n<KEY name="sitename">'
    )


def test_get_works_too_and_a_json_body_is_ignored(whole):
    token = {"wstoken": whole.site.token, "moodlewsrestformat": "json"}
    url = whole.site.url + ENDPOINT
    assert whole.session.get(url, params={**token, "wsfunction": INFO}, timeout=10).json()["userid"] == 603
    ignored = whole.session.post(url, params=token, json={"wsfunction": INFO}, timeout=10).json()
    assert ignored["errorcode"] == "invalidparameter"
    assert whole.session.put(url, timeout=10).text.count("<ERRORCODE>invalidtoken</ERRORCODE>") == 1


def test_a_function_that_is_listed_but_not_played_says_so(whole):
    assert whole.post("core_user_get_users").status_code == 501


def test_php_reads_arrays_and_drops_what_is_too_much():
    assert php_params("a[0][b]=1&a[0][c]=2&x=3&x=4") == {"a": {"0": {"b": "1", "c": "2"}}, "x": "4"}
    assert php_params("v[]=p&v[]=q") == {"v": {"0": "p", "1": "q"}}
    assert len(php_params("&".join(f"v[{n}]=1" for n in range(6000)), 1000)["v"]) == 1000


def test_another_host_name_is_redirected(whole):
    url = whole.site.url.replace("127.0.0.1", "localhost") + ENDPOINT
    answer = whole.session.post(url, data={"wstoken": whole.site.token}, allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    assert answer.headers["Location"] == whole.site.url + ENDPOINT


# --- the report --------------------------------------------------------------------------------------------------
def test_times_are_in_the_accounts_zone_unless_asked(whole):
    whole.site.filters = {}
    plain = whole(RETRIEVE, reportid=1, page=0, perpage=1)["data"]["rows"][0]["columns"]
    assert plain[10] == "Monday, 23 September 2024, 10:21 AM"
    assert whole.report(0, 1)["rows"][0]["columns"][10] == "Monday, 23 September 2024, 2:21 AM"


def test_a_window_includes_both_ends_and_zero_is_open(site, ask):
    site.add_row("xy00001", "JSZY", "2031-01-01T00:00:00")
    end = 1924992000
    for start, stop, count in [(end, end, 1), (end - 1, end - 1, 0), (end, 0, 1), (0, end, 3765), (end + 1, 0, 0)]:
        ask.window(start, stop)
        assert ask.report()["totalrowcount"] == count


@pytest.mark.parametrize("values", ["{bad", "[]", '{"completion:nosuch_operator": 3}', '{"user:idnumber_operator": 2}'])
def test_filters_it_does_not_know_answer_true_and_filter_nothing(site, ask, values):
    ask.window(1704067200, 1706745599)
    assert ask("core_reportbuilder_set_filters", reportid=1, values=values) is True
    assert ask.report(0, 1)["totalrowcount"] == 3764


def test_the_filter_stays_on_the_server_until_reset(site, ask):
    ask.window(1704067200, 1706745599)
    other = Client(site)
    assert other.report(0, 1)["totalrowcount"] == 316
    other.session.close()
    assert site.filters
    ask("core_reportbuilder_filters_reset", reportid=1)
    assert not site.filters
    assert ask.report(0, 1)["totalrowcount"] == 3764


def test_pages_make_up_the_whole(whole):
    whole.site.filters = {}
    pages = [whole.report(page, 1000)["rows"] for page in range(4)]
    assert [len(page) for page in pages] == [1000, 1000, 1000, 764]
    assert [row for page in pages for row in page] == whole.report()["rows"]
    assert whole.report(4, 1000)["totalrowcount"] == 0


# --- changes -----------------------------------------------------------------------------------------------------
def test_rows_come_change_and_go(site, ask):
    before = ask.report()["rows"]
    site.add_row("xy00001", "JSZY", "2024-05-01T08:00", "88.00")
    site.change_row("xy00001", "AQSC", time="2023-05-01T00:00", grade="61.00")
    site.remove_row("xy00001", "XLJK")
    site.suspend_enrolment("xy00002", "DSJ")
    rows = {(row["columns"][0], row["columns"][6]): row["columns"] for row in ask.report()["rows"]}
    assert len(rows) == len(before)
    assert rows["xy00001", "JSZY"][10:] == ["Wednesday, 1 May 2024, 8:00 AM", "88.00", "Active"]
    assert rows["xy00001", "AQSC"][10:] == ["Monday, 1 May 2023, 12:00 AM", "61.00", "Active"]
    assert rows["xy00002", "DSJ"][12] == "Suspended"
    assert ("xy00001", "XLJK") not in rows
    site.unenrol("xy00001", "AQSC")
    assert ask(STATUS, courseid=4, userid=3)["errorcode"] == "usernotenroled"


def test_people_and_courses_change(site, ask):
    site.suspend_user("xy00001")
    site.change_user("xy00002", family="王", sfzh="")
    site.change_course("AQSC", name="安全 & 法规")
    first, *_, fifth = [row["columns"] for row in ask.report(0, 5)["rows"]]
    assert first[7] == "安全 & 法规"
    assert fifth[2:4] == ["", "王"]
    assert ask("core_user_get_users_by_field", **{"field": "username", "values[]": "xy00001"})[0]["suspended"] is True
    site.delete_user("xy00001")
    assert ask.report()["rows"][0]["columns"][0] == "xy00002"
    assert ask(STATUS, courseid=4, userid=3)["errorcode"] == "userdeleted"


def test_a_change_of_nobody_is_refused(site):
    with pytest.raises(ValueError, match="no user nobody"):
        site.remove_row("nobody", "AQSC")
    with pytest.raises(ValueError, match="no course NOPE"):
        site.add_row("xy00001", "NOPE", 0)


# --- faults ------------------------------------------------------------------------------------------------------
def test_a_fault_may_be_limited_to_a_function_and_a_count(site, ask):
    site.faults.add("unavailable", function=RETRIEVE, times=2, after=1)
    assert ask.post(INFO).status_code == 200
    assert [ask.post(RETRIEVE, reportid=1).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert Counter(site.calls) == {INFO: 1, RETRIEVE: 4}


def test_unknown_faults_are_refused(site):
    with pytest.raises(ValueError, match="unknown fault 'nonsense'"):
        site.faults.add("nonsense")
    with pytest.raises(ValueError, match="slow has no option minutes"):
        site.faults.add("slow", minutes=1)


def test_slow_and_drip_take_their_time(site, ask):
    site.faults.add("slow", times=1, seconds=0.2)
    start = time.monotonic()
    assert ask(INFO)["userid"] == 603
    assert time.monotonic() - start >= 0.2
    site.faults.add("drip", times=1, seconds=0.05, bytes=1000)
    start = time.monotonic()
    assert ask(INFO)["userid"] == 603
    assert time.monotonic() - start >= 0.15


def test_slow_does_not_hold_up_the_end():
    with FakeMoodle() as site:
        site.faults.add("slow", seconds=60)
        client = Client(site)
        with pytest.raises(requests.ReadTimeout):
            client.post(INFO, timeout=0.1)
        client.session.close()
        start = time.monotonic()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("kind", ["reset", "closed", "truncated"])
def test_connections_break(site, ask, kind):
    site.faults.add(kind, times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(INFO)
    assert ask(INFO)["userid"] == 603


@pytest.mark.parametrize("declared", [True, False])
def test_huge_bodies_are_huge(site, ask, declared):
    site.faults.add("huge", times=1, bytes=300_000, declared=declared)
    answer = ask.post(INFO)
    assert len(answer.content) == 300_000
    assert ("Content-Length" in answer.headers) is declared


@pytest.mark.parametrize(
    ("kind", "status"),
    [("maintenance", 503), ("unavailable", 503), ("rate_limited", 429), ("server_error", 500), ("html", 200)],
)
def test_pages_instead_of_json(site, ask, kind, status):
    site.faults.add(kind, times=1)
    answer = ask.post(INFO)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert ask.post(INFO).status_code == 200


def test_retry_after_is_sent(site, ask):
    site.faults.add("rate_limited", retry_after=7)
    assert ask.post(INFO).headers["Retry-After"] == "7"


def test_wrong_and_broken_json(site, ask):
    site.faults.add("wrong_json", times=1, answer=[1, 2])
    assert ask(INFO) == [1, 2]
    site.faults.add("broken_json", times=1)
    with pytest.raises(requests.JSONDecodeError):
        ask(INFO)


def test_an_expired_token_is_deleted_by_the_call_that_finds_it(site, ask):
    site.faults.add("expired_token")
    assert [ask(INFO)["errorcode"] for _ in range(2)] == ["accessexception", "invalidtoken"]
    site.clear_faults()
    assert ask(INFO)["userid"] == 603
    site.renew_token("f" * 32)
    assert ask(INFO, token="0" * 32)["errorcode"] == "invalidtoken"


def test_a_lock_that_is_taken_passes(site, ask):
    site.faults.add("unable_to_lock", function="core_course_get_courses", times=2)
    answers = [ask("core_course_get_courses") for _ in range(3)]
    assert [isinstance(one, list) or one["errorcode"] for one in answers] == ["ex_unabletolock"] * 2 + [True]


def test_a_missing_function_is_not_listed_and_not_answered(site, ask):
    site.faults.add("missing_function", function=RETRIEVE)
    assert RETRIEVE not in [one["name"] for one in ask(INFO)["functions"]]
    assert ask(RETRIEVE, reportid=1)["errorcode"] == "accessexception"
    with pytest.raises(ValueError, match="needs function"):
        site.faults.add("missing_function")


def test_the_report_goes_wrong_without_a_word(site, ask):
    ask.window(1704067200, 1706745599)
    first, second = ask.report(0, 10), ask.report(1, 10)
    site.faults.add("filter_ignored", times=1)
    assert ask.report(0, 10)["totalrowcount"] == 3764
    site.faults.add("page_repeated", times=1)
    assert ask.report(0, 10) == first
    assert ask.report(1, 10)["rows"] == first["rows"]
    assert ask.report(1, 10) == second
    site.faults.add("totals_lie", times=1, by=-2)
    assert ask.report(0, 10)["totalrowcount"] == 314
    site.faults.add("malformed_row", times=1, row=3, cells=2)
    assert [len(row["columns"]) for row in ask.report(0, 5)["rows"]] == [13, 13, 13, 11, 13]
    site.faults.add("bad_time", times=1, row=1, text="gestern")
    assert ask.report(0, 5)["rows"][1]["columns"][10] == "gestern"


def test_columns_vanish_and_are_renamed(site, ask):
    site.faults.add("column_missing", times=1)
    data = ask.report(0, 3)
    assert "身份证号" not in data["headers"]
    assert {len(row["columns"]) for row in data["rows"]} == {12}
    site.faults.add("column_renamed", times=1, column="Grade", to="成绩")
    assert ask.report(0, 3)["headers"][11] == "成绩"


def test_rights_that_are_missing_show_as_nothing(site, ask):
    site.faults.add("empty")
    assert ask("core_enrol_get_enrolled_users", courseid=2) == []
    site.faults.add("identity_hidden")
    assert "身份证号" not in ask.report(0, 1)["headers"]
    user = ask("core_user_get_users_by_field", **{"field": "id", "values[0]": 4})[0]
    assert not user.keys() & {"idnumber", "customfields"}


def test_every_fault_says_what_it_does():
    assert all(kind.does for kind in KINDS.values())


# --- over HTTP, and as a process -----------------------------------------------------------------------------------
def test_switches_and_changes_over_http(site, ask):
    def control(method, path, said=None):
        return ask.session.request(method, f"{site.url}/_fake/{path}", json=said, timeout=10)

    assert control("POST", "faults", {"kind": "server_error", "times": 1}).json()["faults"][0]["times"] == 1
    assert ask.post(INFO).status_code == 500
    control("POST", "faults", [{"kind": "slow", "seconds": 9}, {"kind": "html"}])
    assert control("DELETE", "faults").json()["faults"] == []
    assert control("GET", "calls").json() == {"calls": {INFO: 1}, "total": 1}
    assert control("DELETE", "calls").ok
    control("POST", "change", {"do": "remove_row", "user": "xy00001", "course": "AQSC"})
    assert control("GET", "state").json()["rows"] == 3763
    for path, said in [
        ("faults", {"kind": "x"}),
        ("change", {"do": "stop"}),
        ("change", {"do": "remove_row"}),
        ("y", {}),
    ]:
        answer = control("POST", path, said)
        assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_other_addresses_are_not_found(whole):
    assert whole.session.get(whole.site.url + "/nothing", timeout=10).status_code == 404
    assert whole.session.get(whole.site.url + "/", timeout=10).status_code == 200


def test_runs_as_a_process_until_its_input_ends():
    command = [
        sys.executable,
        "-m",
        "connectors.testing.fake_moodle",
        "--rows",
        "50",
        "--token",
        "t" * 32,
        "--until-eof",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        said = json.loads(process.stdout.readline())
        assert said["token"] == "t" * 32
        data = {"wstoken": said["token"], "wsfunction": RETRIEVE, "moodlewsrestformat": "json", "reportid": 1}
        answer = requests.post(said["url"] + ENDPOINT, data=data, timeout=10).json()
        assert answer["data"]["totalrowcount"] == 50
        process.stdin.close()
        assert process.wait(timeout=10) == 0


# --- synthetic ---------------------------------------------------------------------------------------------------
def test_synthetic_rows_are_valid_and_the_same_every_time():
    site, again = FakeMoodle(rows=20_005), FakeMoodle(rows=20_005)
    assert site.rows == again.rows
    assert len({(row.user, row.course) for row in site.rows}) == len(site.rows) == 20_005
    assert Counter(time.gmtime(row.time + 8 * 3600).tm_year for row in site.rows) == {2024: 20_005}
    months = Counter(time.gmtime(row.time).tm_mon for row in site.rows)
    assert min(months.values()) > 1_500
    numbers = [person.sfzh for person in site.people.values()]
    assert len(set(numbers)) == len(numbers) == 2_001
    assert all(_check_digit_is_right(number) for number in numbers)


def test_a_million_people_would_each_have_a_number_of_their_own():
    sample = range(0, 351_000, 7)
    assert len({identity_number(number) for number in sample}) == len(sample)


def test_synthetic_rows_are_served_in_windows():
    with FakeMoodle(rows=2_000) as site:
        client = Client(site)
        client.window(1704067200, 1719791999)
        first = client.report()
        client.window(1719792000, 0)
        assert len(first["rows"]) + len(client.report()["rows"]) == 2_000
        assert all(
            re.search(r", \d+ (January|February|March|April|May|June) 2024, ", row["columns"][10])
            for row in first["rows"]
        )
        client.session.close()


def test_the_filings_travel_with_the_site():
    assert "WSYS" in PROGRAMMES.read_text("utf-8")


def _check_digit_is_right(number):
    """GB 11643: the weighted sum, the check digit (X is ten) included, leaves 1 modulo 11."""
    values = [10 if digit == "X" else int(digit) for digit in number]
    return sum(value * pow(2, 17 - place, 11) for place, value in enumerate(values)) % 11 == 1
