"""Calls of a Moodle: forms as PHP reads them, and what its errors mean, by recorded answers."""

import logging

import orjson
import pytest
import responses
from pydantic import SecretStr

from connectors import errors
from connectors.base import SourceConfig
from connectors.http import Limits
from connectors.moodle import MoodleConnector
from connectors.moodle.client import COMPLETIONS, SITE_INFO, MoodleClient, php_fields
from connectors.moodle.errorcodes import ERRORCODES, error_for
from connectors.testing._wire import php_params
from connectors.testing.fake_moodle import FakeMoodle

URL = "https://moodle.example"
ENDPOINT = URL + "/webservice/rest/server.php"
SECRET = "5ec2e7-5ec2e7-5ec2e7"
STATUS = "core_completion_get_course_completion_status"


@pytest.fixture
def client(hasty):
    made = MoodleClient(SourceConfig("base", URL, SecretStr(SECRET)), limits=hasty)
    yield made
    made.http.close()


def answer(one):
    """Register a recorded answer for the next call."""
    body = one["body"]
    plain = body["_nonjson"] if isinstance(body, dict) and "_nonjson" in body else orjson.dumps(body)
    responses.post(ENDPOINT, body=plain, status=one["http_status"], content_type=one["content_type"])


def sent(place=-1):
    return dict(pair.split("=", 1) for pair in responses.calls[place].request.body.split("&"))


# --- the form ----------------------------------------------------------------------------------------------------
def test_lists_become_php_arrays_and_php_reads_them_back():
    fields = list(php_fields({"values": ["a", "b"], "options": [{"name": "n", "value": 1}], "flag": True, "no": None}))
    assert fields == [
        *(("values[0]", "a"), ("values[1]", "b")),
        *(("options[0][name]", "n"), ("options[0][value]", "1"), ("flag", "1")),
    ]
    encoded = "&".join(f"{name}={value}" for name, value in fields)
    assert php_params(encoded)["options"] == {"0": {"name": "n", "value": "1"}}


@responses.activate
def test_token_function_and_format_come_first_where_php_would_not_cut_them_off(client, recorded):
    answer(recorded["11_report_page0"])
    client.call("core_reportbuilder_retrieve_report", settings={"timezone": "UTC"}, reportid=1, perpage=3)
    body = responses.calls[0].request.body
    assert body == (
        f"wstoken={SECRET}&wsfunction=core_reportbuilder_retrieve_report&moodlewsrestformat=json"
        "&moodlewssettingtimezone=UTC&reportid=1&perpage=3"
    )
    assert responses.calls[0].request.method == "POST"


def test_more_fields_than_php_reads_are_never_sent(client):
    with pytest.raises(ValueError, match="PHP reads 1,000"):
        client.call("core_user_get_users_by_field", field="username", values=["x"] * 1000)
    assert client.http.calls == 0


def test_without_a_token_nothing_is_asked(hasty):
    with MoodleConnector(SourceConfig("base", URL), limits=hasty) as moodle:
        with pytest.raises(errors.TokenMissing, match="source base"):
            moodle.courses()
        assert moodle.calls == 0


# --- the errors --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("errorcode", sorted(ERRORCODES))
def test_every_errorcode_has_a_whole_sentence_and_a_fix(errorcode):
    error = error_for(errorcode, STATUS, URL)
    assert type(error) is ERRORCODES[errorcode]
    assert "«?»" not in error.message + error.how_to_fix
    assert "?" not in error.message


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("err_invalid_token", errors.TokenInvalid),
        ("err_ws_user_suspended", errors.AccountSuspended),
        ("err_webservices_disabled", errors.Refused),
        ("err_rest_protocol_disabled", errors.Refused),
        ("err_maintenance_mode_db", errors.Maintenance),
        ("err_maintenance_cli_html", errors.Maintenance),
        ("err_no_config_redirect", errors.WrongAddress),
        ("err_course_not_accessible", errors.CapabilityMissing),
        ("err_missing_cap_completion_view", errors.CapabilityMissing),
        ("err_format_missing_xml_error", errors.NotJson),
        ("err_missing_param", errors.CallInvalid),
        ("err_extra_param", errors.CallInvalid),
        ("err_wrong_param_type", errors.CallInvalid),
        ("err_unknown_user", errors.RecordMissing),
        ("err_user_not_enrolled", errors.NothingThere),
        ("err_suspended_enrolment", errors.NothingThere),
        ("err_completed_then_unenrolled", errors.NothingThere),
        ("err_no_criteria_course", errors.NothingThere),
        ("err_deleted_user", errors.NothingThere),
    ],
)
@responses.activate
def test_what_a_real_moodle_answered_is_understood(client, recorded, hasty, name, error):
    answer(recorded[name])
    with pytest.raises(error):
        client.call(STATUS, courseid=1, userid=1)
    assert len(responses.calls) == (hasty.attempts if error.action.again else 1)


@responses.activate
def test_an_unknown_errorcode_is_told_as_such(client):
    responses.post(ENDPOINT, json={"exception": "x", "errorcode": "brandnew", "message": "姓名 张三"})
    with pytest.raises(errors.UnknownAnswer, match="brandnew") as error:
        client.call(STATUS)
    assert "张三" not in str(error.value)  # messages are localised, and may tell of people


@responses.activate
def test_a_lock_that_could_not_be_had_is_asked_for_again_and_is_not_an_empty_list(client):
    responses.post(ENDPOINT, json={"exception": "x", "errorcode": "ex_unabletolock", "message": ""})
    responses.post(ENDPOINT, json=[])
    assert client.call(STATUS) == []
    assert len(responses.calls) == 2


@responses.activate
def test_access_refused_while_site_info_works_is_the_function(client, recorded):
    answer(recorded["err_function_not_in_service"])
    answer(recorded["01_site_info"])
    with pytest.raises(errors.FunctionMissing, match="core_user_delete_users") as error:
        client.call("core_user_delete_users")
    assert "Add functions: core_user_delete_users." in error.value.how_to_fix


@responses.activate
def test_access_refused_for_a_function_that_is_offered_is_a_right(client, recorded):
    answer(recorded["err_function_not_in_service"])
    answer(recorded["01_site_info"])
    with pytest.raises(errors.CapabilityMissing, match="moodle/course:view"):
        client.call("core_course_get_courses_by_field")


@responses.activate
def test_access_refused_while_site_info_is_refused_too_is_the_account(client, recorded):
    answer(recorded["err_ip_restricted"])
    answer(recorded["err_ip_restricted"])
    with pytest.raises(errors.AccessRefused, match="accessexception"):
        client.call(STATUS)


@responses.activate
def test_a_token_that_is_gone_after_access_was_refused_had_expired(client, recorded):
    answer(recorded["err_token_expired"])
    answer(recorded["err_invalid_token"])
    with pytest.raises(errors.TokenExpired):
        client.call(STATUS)


@responses.activate
def test_a_record_missing_is_the_function_where_the_site_does_not_offer_it(client, recorded):
    answer(recorded["01_site_info"])
    client.site_info()
    answer(recorded["err_unknown_function"])
    answer(recorded["01_site_info"])
    with pytest.raises(errors.FunctionMissing, match="core_no_such_function"):
        client.call("core_no_such_function")


@responses.activate
def test_site_info_without_a_list_of_functions_is_malformed(client):
    responses.post(ENDPOINT, json={"sitename": "x"})
    with pytest.raises(errors.Malformed, match="list of functions"):
        client.site_info()


@responses.activate
@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("2026112600", 2026112600),
        ("2025100600.02", 2025100600),
        (2026112600, 2026112600),
        ("", 0),
        ("soon", 0),
        (None, 0),
    ],
)
def test_a_functions_version_is_the_whole_number_that_the_service_says(client, said, version):
    assert client.version(COMPLETIONS) == 0
    responses.post(ENDPOINT, json={"functions": [{"name": COMPLETIONS, "version": said}, {"name": SITE_INFO}]})
    client.site_info()
    assert (client.version(COMPLETIONS), client.version(SITE_INFO), client.version("other")) == (version, 0, 0)


# --- secrets -----------------------------------------------------------------------------------------------------
def test_a_whole_run_shows_the_token_to_no_log_and_no_address(site, connect, caplog):
    caplog.set_level(logging.DEBUG)
    moodle = connect()
    list(moodle.completions())
    assert moodle.check().ok
    assert site.token not in caplog.text + repr(moodle.config) + repr(moodle._client.http)
    assert {question.query for question in site.questions} == {""}
    assert {question.method for question in site.questions} == {"POST"}
    assert not any(site.token in str(question.headers) for question in site.questions)


# --- over real sockets, with faults ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", errors.Unreachable),
        ("closed", errors.Unreachable),
        ("truncated", errors.Truncated),
        ("broken_json", errors.Truncated),
        ("maintenance", errors.Maintenance),
        ("unavailable", errors.Maintenance),
        ("server_error", errors.Maintenance),
        ("rate_limited", errors.Busy),
        ("unable_to_lock", errors.Busy),
    ],
)
def test_a_passing_fault_is_passed_over_and_a_lasting_one_is_named(site, connect, kind, error):
    options = {"retry_after": 0} if kind == "rate_limited" else {}
    site.faults.add(kind, times=2, **options)
    assert len(connect().courses()) == 12
    site.faults.add(kind, **options)
    with pytest.raises(error):
        connect().courses()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("not_found", errors.WrongAddress),
        ("disabled", errors.Refused),
        ("redirect", errors.Redirected),
        ("html", errors.NotJson),
        ("wrong_json", errors.Malformed),
        ("invalid_token", errors.TokenInvalid),
        ("expired_token", errors.TokenExpired),
        ("access_refused", errors.AccessRefused),
        ("suspended_account", errors.AccountSuspended),
        ("not_accessible", errors.CapabilityMissing),
    ],
)
def test_a_fault_that_a_person_has_to_mend_is_named_at_once(site, connect, kind, error):
    site.faults.add(kind)
    with pytest.raises(error):
        connect().courses()


def test_an_answer_too_large_is_not_swallowed(site, connect):
    site.faults.add("huge", declared=False, bytes=2 << 20)
    with pytest.raises(errors.TooLarge, match="larger than 1048576 bytes") as error:
        connect(Limits(max_bytes=1 << 20)).courses()
    assert "page_size" in error.value.how_to_fix


def test_another_host_name_than_the_sites_own_is_a_redirect(site, connect):
    with pytest.raises(errors.Redirected, match=r"127\.0\.0\.1"):
        connect(url=site.url.replace("127.0.0.1", "localhost")).courses()


def test_a_private_address_needs_to_be_allowed(site):
    config = SourceConfig("base", site.url.replace("http://", "https://"), SecretStr(site.token))
    with MoodleConnector(config) as moodle:
        with pytest.raises(errors.AddressForbidden):
            moodle.courses()
        assert [one.code for one in moodle.check().problems] == ["E_ADDRESS_PRIVATE"]
    assert site.questions == []


def test_two_sites_do_not_share_a_session(site, connect):
    with FakeMoodle() as other:
        first, second = connect(), connect(url=other.url, token=other.token)
        assert len(first.courses()) == len(second.courses()) == 12
    assert site.calls == other.calls
