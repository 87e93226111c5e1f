"""A Moodle as far as it launches tools: keys, login, token, registration; over real HTTP, with real RS256 keys.

Its claims are those that a Moodle 5.1 sent (`connectors/testing/site` has its rows), and it hands out what a test wants
changed.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP = "https://purl.imsglobal.org/spec/lti-dl/claim/"
CLIENT, DEPLOYMENT = "xZNnnSz3XVKiObV", "1"


def key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


@dataclass
class Platform:
    """What it says, and what it was asked."""

    tool: str = ""  # our address
    url: str = ""
    key: RSAKey = field(default_factory=lambda: key("919973052994c8a5dad4"))
    asked: list[str] = field(default_factory=list)
    registered: dict[str, Any] = field(default_factory=dict)
    bearer: str = ""
    more: dict[str, Any] = field(default_factory=dict)  # claims that its next tokens have instead
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    target: str = "window"

    def claims(self, nonce: str, /, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "nonce": nonce, "iat": now, "exp": now + 60, "iss": self.url, "aud": CLIENT, "sub": "14",
            f"{CLAIM}deployment_id": DEPLOYMENT, f"{CLAIM}target_link_uri": f"{self.tool}/lti/launch/",
            f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            f"{CLAIM}context": {"id": "2", "label": "SZJS", "title": "数字技术应用能力提升", "type": ["CourseSection"]},
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}resource_link": {"title": "我的学时与证书", "id": "1"},
            "given_name": "·小明", "family_name": "李", "name": "·小明 李",
            f"{CLAIM}ext": {"user_username": "xy00012", "lms": "moodle-2"},
            f"{CLAIM}launch_presentation": {"locale": "en", "document_target": self.target},
            f"{CLAIM}version": "1.3.0", f"{CLAIM}custom": {"user_username": "somebody-else"},
            **self.more, **more,
        }  # fmt: skip

    def token(self, nonce: str, /, *, by: RSAKey | None = None, **more: Any) -> str:
        signer = by or self.key
        return jwt.encode({"alg": "RS256", "kid": signer.kid, "typ": "JWT"}, self.claims(nonce, **more), signer)

    def get(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        if path in self.answers:
            return self.answers[path]
        if path == "/mod/lti/certs.php":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/mod/lti/openid-configuration.php":
            return 200, {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/mod/lti/auth.php",
                "jwks_uri": f"{self.url}/mod/lti/certs.php",
                "registration_endpoint": f"{self.url}/mod/lti/openid-registration.php",
            }  # fmt: skip
        if path == "/mod/lti/auth.php":
            token = self.token(query["nonce"])
            return 200, (
                f"<form method=post action='{escape(query['redirect_uri'])}'>"
                f"<input type=hidden name=state value='{escape(query['state'])}'>"
                f"<input type=hidden name=id_token value='{token}'><button>go</button></form>"
            )
        if path == "/course":
            begin = f"{self.tool}/lti/login/?iss={self.url}&client_id={CLIENT}&login_hint=14"
            frame = f"<iframe src='{escape(begin)}' width=700 height=600></iframe>" if self.target == "iframe" else ""
            return 200, f"<h1>数字技术</h1><a href='{escape(begin)}'>我的学时与证书</a>{frame}"
        return 404, {}

    def post(self, path: str, body: bytes, bearer: str) -> tuple[int, Any]:
        if path in self.answers:
            return self.answers[path]
        if path == "/mod/lti/openid-registration.php":
            self.registered, self.bearer = json.loads(body), bearer
            tool = "https://purl.imsglobal.org/spec/lti-tool-configuration"
            return 200, {**self.registered, "client_id": CLIENT, tool: {**self.registered[tool], "deployment_id": "1"}}
        return 404, {}


def served(platform: Platform) -> tuple[ThreadingHTTPServer, threading.Thread]:
    """The server, running; whoever started it ends it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            platform.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._say(*platform.get(parts.path, query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            platform.asked.append(self.path)
            self._say(*platform.post(urlsplit(self.path).path, body, self.headers.get("Authorization", "")))

        def _say(self, status: int, said: Any) -> None:
            page = isinstance(said, str)
            body = said.encode() if page else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    platform.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    return server, thread
