"""Launched from an LMS: who comes in, who is asked once, and what is refused; real RS256 keys over real HTTP."""

from __future__ import annotations

import hmac
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from agent.audit.models import AuditEvent
from agent.crypto import vault
from agent.intake.models import Completion, Source
from agent.learners.identity import check_character
from agent.learners.models import Account, Learner
from agent.localtime import now
from agent.lti import keys, launches, registering
from agent.lti.models import Launch, Subject, ToolKey
from agent.lti.models import Platform as Registered
from tests.portal.conftest import NUMBER, OTHER_NUMBER, PASSWORD, Town
from tests.portal.lti_platform import CLAIM, CLIENT, DEEP, DEPLOYMENT, Platform, key, served


@pytest.fixture(scope="session")
def lms_key() -> Any:
    """Making one takes a while."""
    return key("919973052994c8a5dad4")


@pytest.fixture
def lms(town: Town, lms_key: Any) -> Iterator[Platform]:
    """The town's Moodle, registered; 李·小明 is xy00012 there, whose number the sync brought."""
    platform = Platform(tool=settings.BASE_URL, key=lms_key)
    server, thread = served(platform)
    Source.objects.filter(pk=town.source.pk).update(url=platform.url, allow_private=True)
    town.source.refresh_from_db()
    registering.take(town.source, client=CLIENT, deployment=DEPLOYMENT, by="test")
    yield platform
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def known(town: Town, right_numbers: None) -> None:
    """The rows of the town as a Moodle's: key and account are the user name."""
    for row in Completion.objects.filter(source=town.source):
        user = "xy00012" if row.name == "李·小明" else "xy00013"
        Completion.objects.filter(pk=row.pk).update(account=user, key=f"{user}|{row.course}")


def begun(client: Client, lms: Platform) -> dict[str, str]:
    """What the LMS is sent."""
    answer = client.get("/lti/login/", {"iss": lms.url, "login_hint": "14", "client_id": CLIENT})
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(f"{lms.url}/mod/lti/auth.php?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def launched(client: Client, lms: Platform, *, by: Any = None, **more: Any) -> Any:
    asked = begun(client, lms)
    token = lms.token(asked["nonce"], by=by, **more)
    return client.post("/lti/launch/", {"state": asked["state"], "id_token": token})


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def ticket(page: str) -> str:
    return page.split('name="ticket" value="')[1].split('"', maxsplit=1)[0]


def test_who_the_sync_knows_is_signed_in_as_themselves(lms, known, text):
    client = Client()
    answer = launched(client, lms)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "李·小明" in text(client.get("/"))
    subject = Subject.objects.get()
    assert (subject.subject, subject.user.username, subject.how) == ("14", "xiaoming", "source")
    assert AuditEvent.objects.latest("index").action == "lti.linked"
    other = Client()
    target = {f"{CLAIM}target_link_uri": f"{settings.BASE_URL}/lti/certificates/"}
    assert launched(other, lms, **target)["Location"] == "/certificates/"
    assert Subject.objects.count() == 1
    assert lms.asked.count("/mod/lti/certs.php") == 1  # its keys are kept


def test_once_linked_the_user_id_counts_and_not_what_the_account_is_called(lms, known):
    launched(Client(), lms)
    renamed = {f"{CLAIM}ext": {"user_username": "xy00013"}}
    client = Client()
    launched(client, lms, **renamed)
    assert client.get("/")["Cache-Control"] == "no-store"
    assert Subject.objects.get().user.username == "xiaoming"
    launched(Client(), lms, sub="15", **renamed)
    assert Subject.objects.get(subject="15").user.username == "wangwu"


def test_a_learner_without_an_account_gets_one_that_no_password_opens(lms, known):
    Account.objects.filter(user__username="xiaoming").delete()
    client = Client()
    launched(client, lms)
    user = Subject.objects.get().user
    assert user.username.startswith("lti-")
    assert not user.has_usable_password()
    assert signed_in(client)


def test_an_account_that_acts_for_a_body_is_never_opened_by_an_lms(lms, known, town):
    from agent.organisations.models import Membership

    user = User.objects.get(username="xiaoming")
    Membership.objects.create(user=user, organisation=town.bodies["base"], role="base_operator")
    launched(Client(), lms)
    assert Subject.objects.get().user != user


def test_in_a_frame_nobody_is_signed_in_and_a_button_opens_a_window(lms, known, text):
    frame = Client(HTTP_SEC_FETCH_DEST="iframe")
    answer = launched(frame, lms)
    page = text(answer)
    assert "李·小明" in page
    assert 'target="_blank"' in page
    assert NUMBER not in page
    assert f"frame-ancestors {lms.url}" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    assert not signed_in(frame)
    window = Client()
    assert window.post("/lti/open/", {"ticket": ticket(page)})["Location"] == "/"
    assert signed_in(window)
    again = Client().post("/lti/open/", {"ticket": ticket(page)})
    assert (again.status_code, "已经用过" in text(again)) == (400, True)


def test_a_launch_that_another_browser_began_signs_nobody_in_unseen(lms, known, text):
    asked = begun(Client(), lms)
    victim = Client(HTTP_SEC_FETCH_DEST="document")
    said = {"state": asked["state"], "id_token": lms.token(asked["nonce"])}
    answer = victim.post("/lti/launch/", said)
    assert "李·小明，打开您的学时与证书" in text(answer)
    assert not signed_in(victim)


def test_what_the_lms_says_decides_where_the_browser_says_nothing(lms, known):
    lms.target = "iframe"
    client = Client()
    assert launched(client, lms).status_code == 200
    assert not signed_in(client)
    window = Client(HTTP_SEC_FETCH_DEST="document")
    assert launched(window, lms).status_code == 302


def test_the_state_opens_once(lms, known, text):
    client = Client()
    asked = begun(client, lms)
    said = {"state": asked["state"], "id_token": lms.token(asked["nonce"])}
    assert client.post("/lti/launch/", said).status_code == 302
    replayed = Client().post("/lti/launch/", said)
    assert (replayed.status_code, "E_LTI_STATE" in text(replayed)) == (400, True)
    # the same word under a state of the replayer's own
    fresh = begun(other := Client(), lms)
    answer = other.post("/lti/launch/", said | {"state": fresh["state"]})
    assert "E_LTI_CLAIM" in text(answer)
    assert not signed_in(other)


def test_a_state_lives_five_minutes(lms, known, text, monkeypatch):
    client = Client()
    asked = begun(client, lms)
    token, later = lms.token(asked["nonce"]), now() + timedelta(minutes=6)
    monkeypatch.setattr(launches, "now", lambda: later)
    assert "E_LTI_STATE" in text(client.post("/lti/launch/", {"state": asked["state"], "id_token": token}))


AGO = 400


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"iss": "http://elsewhere.example"}, "E_LTI_CLAIM"),
        ({"aud": "somebody-else"}, "E_LTI_CLAIM"),
        ({"aud": [CLIENT, "second"]}, "E_LTI_CLAIM"),
        ({"azp": "somebody-else"}, "E_LTI_CLAIM"),
        ({"nonce": "invented"}, "E_LTI_CLAIM"),
        ({"sub": ""}, "E_LTI_CLAIM"),
        ({"sub": 14}, "E_LTI_CLAIM"),
        ({"exp": "soon"}, "E_LTI_CLAIM"),
        ({f"{CLAIM}version": "1.1"}, "E_LTI_CLAIM"),
        ({f"{CLAIM}message_type": "LtiSubmissionReviewRequest"}, "E_LTI_CLAIM"),
        ({f"{CLAIM}deployment_id": "2"}, "E_LTI_DEPLOYMENT"),
        ({"ago": 95}, "E_LTI_LATE"),
        ({"ago": AGO, "life": 10_000}, "E_LTI_LATE"),  # however long it says that it lives
        ({"ago": -90}, "E_LTI_LATE"),
    ],
)
def test_a_word_that_is_not_for_this_launch_is_refused_and_noted(lms, known, caplog, more, code):
    if "ago" in more:
        at = int(time.time()) - more["ago"]
        more = {"iat": at, "exp": at + more.get("life", 60)}
    client = Client()
    with caplog.at_level(logging.WARNING, logger="agent.portal.views.lti"):
        answer = launched(client, lms, **more)
    assert (answer.status_code, code in answer.content.decode()) == (400, True)
    assert not signed_in(client)
    assert code in caplog.text
    assert "eyJ" not in caplog.text
    assert not Subject.objects.exists()


def test_a_deployment_id_or_audience_in_its_long_form_is_taken(lms, known):
    assert launched(Client(), lms, aud=[CLIENT]).status_code == 302
    assert launched(Client(), lms, aud=[CLIENT, "x"], azp=CLIENT).status_code == 302


def altered(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-6]}{'A' * 6}.{signature}"


def unsigned(token: str) -> str:
    body = token.split(".")[1]
    return f"eyJhbGciOiJub25lIn0.{body}."


def test_altered_unsigned_or_foreign_words_are_refused(lms, known, text):
    foreign = key("919973052994c8a5dad4")

    def by_secret(token: str) -> str:
        """The public key taken for a secret."""
        head = urlsafe_b64encode(b'{"alg":"HS256","kid":"919973052994c8a5dad4"}').decode().rstrip("=")
        said = f"{head}.{token.split('.')[1]}"
        mark = hmac.digest(lms.key.as_pem(private=False), said.encode(), "sha256")
        return f"{said}.{urlsafe_b64encode(mark).decode().rstrip('=')}"

    for change in (altered, unsigned, by_secret, lambda _: "nonsense", lambda _: ""):
        client = Client()
        asked = begun(client, lms)
        said = {"state": asked["state"], "id_token": change(lms.token(asked["nonce"]))}
        answer = client.post("/lti/launch/", said)
        assert (answer.status_code, "E_LTI_SIGNATURE" in text(answer)) == (400, True), change
    assert "E_LTI_SIGNATURE" in text(launched(Client(), lms, by=foreign))
    assert not Subject.objects.exists()


def test_a_new_key_of_the_lms_is_fetched_once_and_invented_ones_are_not_asked_for_again_and_again(lms, known, text):
    assert launched(Client(), lms).status_code == 302
    invented = key("invented")
    for _ in range(3):
        assert "E_LTI_SIGNATURE" in text(launched(Client(), lms, by=invented))
    assert lms.asked.count("/mod/lti/certs.php") == 1
    lms.key = key("the-next")
    Registered.objects.update(jwks_at=now() - timedelta(minutes=2))
    assert launched(Client(), lms).status_code == 302
    assert lms.asked.count("/mod/lti/certs.php") == 2


SECRET = {"keys": [{"kty": "oct", "k": "AA"}]}


@pytest.mark.parametrize("answer", [(500, {}), (200, {"keys": []}), (200, []), (200, SECRET)])
def test_keys_that_are_none_let_nobody_in(lms, known, text, answer):
    lms.answers["/mod/lti/certs.php"] = answer
    said = launched(Client(), lms)
    assert (said.status_code, "E_LTI_SILENT" in text(said)) == (503, True)


def test_the_keys_are_fetched_through_the_guard(lms, known, town, text):
    Source.objects.update(allow_private=False)
    assert "E_LTI_SILENT" in text(launched(Client(), lms))
    assert lms.asked == []


def test_an_lms_that_is_not_registered_begins_nothing(lms, text, town):
    for asked in ({"iss": "http://elsewhere.example", "login_hint": "1"}, {}, {"iss": lms.url, "client_id": "other"}):
        answer = Client().get("/lti/login/", asked)
        assert (answer.status_code, "E_LTI_PLATFORM" in text(answer)) == (400, True)
    assert "E_LTI_CLAIM" in text(Client().get("/lti/login/", {"iss": lms.url}))
    registering.forget(town.source, by="test")
    assert Client().get("/lti/login/", {"iss": lms.url, "login_hint": "1"}).status_code == 400
    assert not Launch.objects.exists()


# --- who is not known --------------------------------------------------------------------------------------------
def asked_who(lms: Platform, **more: Any) -> tuple[Client, str]:
    client = Client(HTTP_SEC_FETCH_DEST="document")
    answer = launched(client, lms, sub="77", **more)
    page = answer.content.decode()
    assert "还认不出您是谁" in page
    return client, ticket(page)


UNKNOWN = {f"{CLAIM}ext": {}}
RIGHT, OTHER = (number[:17] + check_character(number[:17]) for number in (NUMBER, OTHER_NUMBER))


@pytest.fixture
def right_numbers(town: Town) -> None:
    """The town's numbers with the check digit that people really type."""
    for old, new in ((NUMBER, RIGHT), (OTHER_NUMBER, OTHER)):
        before, after = vault().fingerprint(old), vault().fingerprint(new)
        Learner.objects.filter(fingerprint=before).update(fingerprint=after)
        Completion.objects.filter(id_fingerprint=before).update(id_fingerprint=after)


@pytest.fixture
def elsewhere(town: Town, right_numbers: None) -> None:
    """All that is known of the town's people came from another source, and nobody has a password."""
    source = Source.objects.create(name="另一个平台", kind="moodle", url="https://other.example")
    Completion.objects.update(source=source)
    User.objects.update(password="!")


def test_who_is_not_known_gives_the_number_once(lms, elsewhere, text):
    client, way = asked_who(lms, **UNKNOWN)
    answer = client.post("/lti/link/", {"ticket": way, "number": RIGHT.lower()})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert signed_in(client)
    assert Subject.objects.get().how == "number"
    again = Client()
    assert launched(again, lms, sub="77", **UNKNOWN).status_code == 302


@pytest.mark.parametrize("typed", [OTHER, "370402199001010019", "37040219920303003X", "nonsense", ""])
def test_another_persons_number_and_no_number_get_one_answer(lms, elsewhere, text, typed, caplog):
    client, way = asked_who(lms, **UNKNOWN)
    answer = client.post("/lti/link/", {"ticket": way, "number": typed})
    page = text(answer)
    assert (answer.status_code, "对不上" in page) == (400, True)
    assert not signed_in(client)
    if typed:
        assert typed not in page
        assert typed not in caplog.text


def test_a_number_that_the_lms_has_under_another_account_is_refused(lms, known, text):
    User.objects.update(password="!")
    client, way = asked_who(lms, **{f"{CLAIM}ext": {"user_username": "xy00099"}})
    assert "对不上" in text(client.post("/lti/link/", {"ticket": way, "number": RIGHT}))


def test_a_number_other_than_that_of_the_accounts_rows_is_refused(lms, known, text):
    User.objects.update(password="!")
    Completion.objects.filter(account="xy00012", course="P1").update(id_fingerprint=b"x" * 32)  # two numbers: not clear
    Completion.objects.filter(account="xy00013").update(account="", name="李·小明")
    client, way = asked_who(lms)
    wrong = client.post("/lti/link/", {"ticket": way, "number": OTHER})
    assert "对不上" in text(wrong)
    assert client.post("/lti/link/", {"ticket": ticket(text(wrong)), "number": RIGHT}).status_code == 302


def test_an_account_with_a_password_is_not_opened_by_a_number(lms, elsewhere, town, text):
    for name in ("xiaoming", "wangwu"):
        user = User.objects.get(username=name)
        user.set_password(PASSWORD)
        user.save()
    client, way = asked_who(lms, **UNKNOWN)
    answer = client.post("/lti/link/", {"ticket": way, "number": RIGHT})
    assert "带密码的账号" in text(answer)
    assert not signed_in(client)
    assert User.objects.get(username="xiaoming").check_password(PASSWORD)


def test_numbers_are_not_guessed(lms, elsewhere):
    client, way = asked_who(lms, **UNKNOWN)
    said = [client.post("/lti/link/", {"ticket": way, "number": OTHER}).status_code for _ in range(5)]
    assert said == [400] * 5
    client, way = asked_who(lms, **UNKNOWN)  # another launch of the same user, and the right number
    assert client.post("/lti/link/", {"ticket": way, "number": RIGHT}).status_code == 429


def test_a_decision_of_the_base_about_the_account_counts(lms, town):
    from agent.matching.models import Decision

    learner = Learner.objects.get(name="李·小明")
    Decision.objects.create(
        kind="same_person", source=town.source, account="xy00012", fingerprint=bytes(learner.fingerprint), by="test",
        reason="test",
    )  # fmt: skip
    assert launched(Client(), lms).status_code == 302


# --- deep links and registration ---------------------------------------------------------------------------------
def deep(lms: Platform, **more: Any) -> dict[str, Any]:
    settings_ = {
        "accept_types": ["ltiResourceLink"], "accept_presentation_document_targets": ["iframe"], "data": "opaque",
        "deep_link_return_url": f"{lms.url}/mod/lti/contentitem_return.php?id=1", **more,
    }  # fmt: skip
    return {f"{CLAIM}message_type": "LtiDeepLinkingRequest", f"{DEEP}deep_linking_settings": settings_}


def test_a_teacher_puts_a_page_of_ours_into_a_course(lms, town, text):
    client = Client(HTTP_SEC_FETCH_DEST="iframe")
    answer = launched(client, lms, **deep(lms))
    page = text(answer)
    assert f"form-action {lms.url};" in answer["Content-Security-Policy"] + ";"
    published = KeySet.import_key_set(Client().get("/lti/jwks.json").json())
    assert "d" not in published.keys[0].as_dict()
    tokens = [part.split('"')[0] for part in page.split('name="JWT" value="')[1:]]
    said = [jwt.decode(token, published, algorithms=["RS256"]).claims for token in tokens]
    assert [one[f"{DEEP}content_items"][0]["url"][-8:] for one in said] == ["/launch/", "ficates/"]
    assert {one["iss"] for one in said} == {CLIENT}
    assert {tuple(one["aud"]) for one in said} == {(lms.url,)}
    assert {one[f"{DEEP}data"] for one in said} == {"opaque"}
    assert ToolKey.objects.count() == 1
    assert not signed_in(client)


def test_deep_links_go_to_the_lms_and_nowhere_else(lms, town, text):
    elsewhere = deep(lms, deep_link_return_url="https://elsewhere.example/")
    assert "E_LTI_CLAIM" in text(launched(Client(), lms, **elsewhere))
    assert "E_LTI_CLAIM" in text(launched(Client(), lms, **deep(lms, accept_types=["file"])))


def test_a_base_registers_its_moodle_by_a_link(lms, town, text):
    Registered.objects.all().delete()
    page = text(town.client("operator").post(f"/sources/{town.source.pk}/lti/", {"do": "offer"}))
    link = page.split('<p class="once"><code>')[1].split("<")[0]
    path = urlsplit(link).path
    said = {"openid_configuration": f"{lms.url}/mod/lti/openid-configuration.php", "registration_token": "once"}
    answer = Client().get(path, said)
    assert "已登记" in text(answer)
    assert "frame-ancestors " + lms.url in answer["Content-Security-Policy"]
    assert lms.bearer == "Bearer once"
    assert lms.registered["redirect_uris"] == [f"{settings.BASE_URL}/lti/launch/"]
    made = Registered.objects.get()
    assert (made.client_id, made.deployments, made.registered_by) == (CLIENT, [DEPLOYMENT], "operator")
    assert AuditEvent.objects.latest("index").action == "lti.registered"
    assert Client().get(path, said).status_code == 400


@pytest.mark.parametrize("field", ["issuer", "authorization_endpoint", "jwks_uri", "registration_endpoint"])
def test_nothing_of_another_place_is_registered_or_asked(lms, town, text, field):
    Registered.objects.all().delete()
    path = f"/lti/register/{registering.offer(town.source, by='test')}/"
    where = "/mod/lti/openid-configuration.php"
    elsewhere = Client().get(path, {"openid_configuration": "http://127.0.0.1:9/x", "registration_token": "x"})
    assert (elsewhere.status_code, "E_LTI_VALUES" in text(elsewhere)) == (400, True)
    lms.answers[where] = (200, lms.get(where, {})[1] | {field: "https://elsewhere.example"})
    answer = Client().get(path, {"openid_configuration": lms.url + where})
    assert (answer.status_code, "E_LTI_VALUES" in text(answer)) == (400, True)
    assert not Registered.objects.exists()


def test_a_registration_that_the_lms_refuses_is_told(lms, town, text):
    Registered.objects.all().delete()
    path = f"/lti/register/{registering.offer(town.source, by='test')}/"
    lms.answers["/mod/lti/openid-registration.php"] = (400, {"error": "invalid_token"})
    said = {"openid_configuration": f"{lms.url}/mod/lti/openid-configuration.php"}
    assert "E_LTI_SILENT" in text(Client().get(path, said))


def test_by_hand_two_values_are_enough(lms, town, text):
    client, path = town.client("operator"), f"/sources/{town.source.pk}/lti/"
    assert text(client.get(path)).count(f"{settings.BASE_URL}/lti/") >= 4
    wrong = client.post(path, {"do": "take", "client": "", "deployment": "1"})
    assert (wrong.status_code, "E_LTI" in text(wrong) or "client_id" in text(wrong)) == (400, True)
    assert client.post(path, {"do": "take", "client": "abc", "deployment": "7"}).status_code == 302
    made = Registered.objects.get()
    assert (made.client_id, made.deployments, made.jwks_url) == ("abc", ["7"], f"{lms.url}/mod/lti/certs.php")
    assert client.post(path, {"do": "forget"}).status_code == 302
    assert registering.of(town.source) is None
    assert client.get(path).status_code == 200


def test_another_lms_in_a_sources_place_does_not_inherit_who_its_users_are(lms, known, town):
    launched(Client(), lms)
    registering.take(town.source, client="again", deployment="1", by="test")
    assert Subject.objects.count() == 1
    town.source.url = "https://new.example"
    registering.take(town.source, client="again", deployment="1", by="test")
    assert not Subject.objects.exists()


def test_our_key_is_sealed_and_one(house):
    keys.published()
    keys.published()
    made = ToolKey.objects.get()
    assert b"PRIVATE" not in bytes(made.sealed)
    assert set(made.public) == {"kty", "kid", "use", "alg", "n", "e"}
