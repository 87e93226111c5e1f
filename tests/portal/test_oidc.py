"""Signing in by an OpenID provider, here a small one over a real socket."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agent.audit.models import AuditEvent
from agent.people import oidc
from agent.people.models import OutsideIdentity


@dataclass
class FakeProvider:
    """Gives a code to whoever asks, and for the code an ID token with the claims that a test wants."""

    url: str = ""
    claims: dict[str, object] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def authorize(self, location: str) -> str:
        """What the browser would do there: the address back."""
        self.asked = {key: value[0] for key, value in parse_qs(urlsplit(location).query).items()}
        return f"/sign-in/oidc/back/?code=abc&state={self.asked['state']}"

    def token(self, form: dict[str, str]) -> dict[str, str] | None:
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        right = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.asked["code_challenge"]
        if not right or form["code"] != "abc" or form["client_secret"] != "hush":
            return None
        claims = {
            "iss": self.url, "aud": "xueshi", "exp": time.time() + 60, "nonce": self.asked["nonce"], "sub": "u-1",
            **self.claims,
        }  # fmt: skip
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return {"id_token": f"e30.{body}.c2ln"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    fake = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({
                "issuer": fake.url, "authorization_endpoint": f"{fake.url}/authorize",
                "token_endpoint": f"{fake.url}/token",
            })  # fmt: skip

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(fake.token({key: value[0] for key, value in parse_qs(body).items()}))

        def _say(self, said: object) -> None:
            body = json.dumps(said).encode()
            self.send_response(fake.status if said else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("XUESHI_OIDC_ISSUER", fake.url)
    monkeypatch.setenv("XUESHI_OIDC_CLIENT", "xueshi")
    monkeypatch.setenv("XUESHI_OIDC_SECRET", "hush")
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


def there_and_back(client: Client, provider: FakeProvider) -> object:
    answer = client.get("/sign-in/oidc/")
    assert answer["Location"].startswith(f"{provider.url}/authorize?")
    return client.get(provider.authorize(answer["Location"]))


def signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def tied(name: str, provider: FakeProvider) -> None:
    OutsideIdentity.objects.create(user=User.objects.get(username=name), issuer=provider.url, subject="u-1")


def test_an_account_is_tied_by_who_is_signed_in_and_then_opens(town, provider, text):
    assert "用统一身份认证登录" in text(Client().get("/sign-in/"))
    inside = town.client("operator")
    assert there_and_back(inside, provider)["Location"] == "/account/"
    assert "已关联" in text(inside.get("/account/"))
    assert AuditEvent.objects.latest("index").action == "outside_identity.tied"
    client = Client()
    assert there_and_back(client, provider)["Location"] == "/"
    assert signed_in(client)
    inside.post("/account/oidc/")
    again = there_and_back(Client(), provider)
    assert (again.status_code, "还没有关联账号" in text(again)) == (403, True)


def test_who_decides_still_gives_a_second_factor(town, provider):
    tied("reviewer", provider)
    client = Client()
    assert there_and_back(client, provider)["Location"] == "/sign-in/factor/"
    assert not signed_in(client)


def test_one_identity_opens_one_account(town, provider):
    tied("operator", provider)
    assert there_and_back(town.client("officer"), provider).status_code == 409


def test_a_closed_account_stays_closed(town, provider):
    tied("operator", provider)
    User.objects.filter(username="operator").update(is_active=False)
    assert there_and_back(Client(), provider).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["xueshi", "another"]}, {"nonce": "old"},
        {"exp": 1}, {"exp": "later"}, {"sub": ""}, {"sub": None}, {"azp": "another"},
    ],
)  # fmt: skip
def test_a_token_that_is_not_meant_for_us_now_opens_nothing(town, provider, claims):
    tied("operator", provider)
    provider.claims = claims
    client = Client()
    assert there_and_back(client, provider).status_code == 400
    assert not signed_in(client)


def test_a_forged_way_back_opens_nothing(town, provider):
    tied("operator", provider)
    assert Client().get("/sign-in/oidc/back/?code=abc&state=x").status_code == 400
    client = Client()
    back = provider.authorize(client.get("/sign-in/oidc/")["Location"])
    assert Client().get(back).status_code == 400  # somebody else's browser
    assert client.get(back.replace("state=", "state=x")).status_code == 400
    assert client.get(back).status_code == 400  # each way back is gone once
    assert not signed_in(client)


def test_a_provider_that_fails_is_told_on_a_page(town, provider, text, monkeypatch):
    provider.status = 500
    answer = Client().get("/sign-in/oidc/")
    assert (answer.status_code, "没有成功" in text(answer)) == (503, True)
    monkeypatch.setenv("XUESHI_OIDC_ISSUER", "http://idp.example")  # not encrypted
    assert Client().get("/sign-in/oidc/").status_code == 503


def test_without_a_provider_there_is_no_door(house, text, monkeypatch):
    monkeypatch.delenv("XUESHI_OIDC_ISSUER", raising=False)
    assert oidc.provider() is None
    assert Client().get("/sign-in/oidc/").status_code == 404
    assert "统一身份" not in text(Client().get("/sign-in/"))
