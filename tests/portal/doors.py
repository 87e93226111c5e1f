"""Every address of the portal, for whom it opens and on what: the one list that tests, bench and pictures go by.

It is written by hand beside the table in `agent.organisations.rights`: both must say the same. A new address without a
line here fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.localtime import local_date, now

BASE, OFFICER, REVIEWER = "base_operator", "department_officer", "bureau_reviewer"
HEAD, AUDITOR, ADMIN = "bureau_head", "auditor", "administrator"
STAFF = {BASE, OFFICER, REVIEWER, HEAD, AUDITOR, ADMIN}
LEARNER, ANYBODY = "learner", "anonymous"
SIGNED_IN = STAFF | {LEARNER}
EVERYBODY = SIGNED_IN | {ANYBODY}
BUREAU = {REVIEWER, HEAD}
WATCHES = BUREAU | {AUDITOR, ADMIN}  # everything that sources bring
FILINGS = BUREAU | {OFFICER, BASE, AUDITOR}
NOBODY: set[str] = set()


@dataclass
class Things:
    """What stands in the house, of one's own body and of another."""

    town: Any
    own: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)


@dataclass
class Door:
    """How an address is tried, and for whom it opens. ``status``: what everybody gets, opened or not."""

    opens: set[str]
    kwargs: Callable[[Things], dict[str, Any]] = lambda _: {}
    query: str = ""
    post: dict[str, Any] | None = None
    status: int | None = None


def own(name: str, **more: Any) -> Callable[[Things], dict[str, Any]]:
    return lambda things: {"number": things.own[name], **more}


def other(name: str, **more: Any) -> Callable[[Things], dict[str, Any]]:
    return lambda things: {"number": things.other[name], **more}


def both(name: str, mine: set[str], others: set[str], post: dict[str, Any] | None = None, **more: Any) -> list[Door]:
    return [Door(mine, own(name, **more), post=post), Door(others, other(name, **more), post=post)]


def of_file(whose: str) -> Callable[[Things], dict[str, Any]]:
    return lambda things: {"number": getattr(things, whose)["unsent"], "file": getattr(things, whose)["file"]}


PUBLIC = [Door(EVERYBODY)]
DOORS: dict[str, list[Door]] = {
    "verify-certificate": [Door(EVERYBODY, lambda t: t.own["code"])],
    "home": [Door(SIGNED_IN)],
    "year": [Door({LEARNER}, lambda _: {"year": 2024})],
    "where": [Door({LEARNER}), Door({LEARNER}, query="?q=课程"), Door({LEARNER}, post={"q": "x"})],
    "desk": [Door(SIGNED_IN)],
    "desk-book": [
        Door({BASE}, query="?desk=base"),
        Door({OFFICER}, query="?desk=department"),
        Door(BUREAU, query="?desk=bureau"),
        Door({AUDITOR}, query="?desk=auditor"),
        Door({ADMIN}, query="?desk=administrator"),
        Door(NOBODY),
    ],
    "certificates": [Door({LEARNER})],
    "certificates-zip": [Door({LEARNER})],
    "certificate": [*both("certificate", {LEARNER}, NOBODY), *both("certificate", {LEARNER}, NOBODY, post={})],
    "certificate-preview": both("certificate", {LEARNER}, NOBODY),
    "certificate-declaration": both("certificate", {LEARNER}, NOBODY),
    "papers": [Door({LEARNER}), Door({LEARNER}, post={"year": "2024"})],
    "paper-pdf": both("paper", {LEARNER}, NOBODY),
    "paper-end": both("paper", {LEARNER}, NOBODY, post={}),
    "verify-paper": [
        Door(EVERYBODY, lambda t: {"token": t.other["paper_token"]}),
        Door(EVERYBODY, lambda _: {"token": "INVENTED"}, status=404),
    ],
    "certificate-pdf": both("certificate", {LEARNER}, NOBODY),
    "certificate-credential": both("certificate", {LEARNER}, NOBODY),
    "certificate-proven": both("certificate", {LEARNER}, NOBODY),
    "archive-programme": both("programme", BUREAU | {OFFICER}, BUREAU),
    "archive-programme-file": both("programme", BUREAU | {OFFICER}, BUREAU),
    "archive-employer": [Door(BUREAU, query="?name=示例公司"), Door(NOBODY, query="?name=没有")],
    "archive-employer-file": [Door(BUREAU, query="?name=示例公司")],
    "approvals": [Door(BUREAU | {OFFICER, AUDITOR})],
    "approval": [
        *both("programme", BUREAU | {OFFICER, AUDITOR}, BUREAU | {AUDITOR}),
        *both("programme", BUREAU | {OFFICER}, BUREAU, post={}),
    ],
    "approval-needed": both("programme", BUREAU | {OFFICER}, BUREAU, post={"needed": "0"}),
    "filings": [Door(FILINGS)],
    "filings-book": [Door(FILINGS)],
    "filings-import": [Door({OFFICER}), Door(NOBODY, post={"organiser": "0"})],
    "filing-new": [Door(NOBODY, post={"organiser": "0"})],  # of one's own: tests/portal/test_filings.py
    "filing": [*both("filing", FILINGS, BUREAU | {AUDITOR}), *both("unsent", {OFFICER}, NOBODY)],
    "filing-book": [*both("filing", FILINGS, BUREAU | {AUDITOR}), *both("unsent", {OFFICER}, NOBODY)],
    "filing-form": [*both("unsent", {OFFICER}, NOBODY), *both("unsent", {OFFICER}, NOBODY, post={})],
    "filing-draft": both("unsent", {OFFICER}, NOBODY, post={}),
    "filing-copy": both("unsent", {OFFICER}, NOBODY, post={"year": str(local_date(now()).year)}),
    "filing-step": [
        *both("filing", BUREAU, BUREAU, post={"kind": "accept"}),
        *both("filing", {OFFICER}, NOBODY, post={"kind": "withdraw"}),
        *both("filing", {OFFICER, BASE}, NOBODY, post={"kind": "start"}),
    ],
    "filing-void": both("filing", BUREAU, BUREAU, post={"what": "propose", "fate": "revoke"}),
    "filing-upload": both("unsent", {OFFICER}, NOBODY, post={}),
    "filing-file": [Door({OFFICER}, of_file("own")), Door(NOBODY, of_file("other"))],
    "filing-drop": [Door({OFFICER}, of_file("own"), post={}), Door(NOBODY, of_file("other"), post={})],
    "runs": [Door(WATCHES | {BASE})],
    "runs-csv": [Door(WATCHES | {BASE}), Door(WATCHES, query="?source=别家平台")],
    "run": both("run", WATCHES | {BASE}, WATCHES),
    "reconciliation": [Door(WATCHES | {BASE})],
    "reconciliation-csv": [Door(WATCHES | {BASE})],
    "mapping": [Door(WATCHES | {BASE}), Door(WATCHES, query="?source=别家平台")],
    "mapping-course": [
        Door(WATCHES | {BASE}, own("source"), "?course=P1"),
        Door(NOBODY, other("source"), "?course=P1"),
    ],
    "mapping-try": [Door(BUREAU | {BASE}, post={})],
    "mapping-confirm": [Door(BUREAU | {BASE}, post={})],
    "mapping-withdraw": both("link", BUREAU | {BASE}, BUREAU),
    "quarantine": [Door(WATCHES | {BASE})],
    "quarantine-code": [Door(WATCHES | {BASE}, lambda _: {"code": "E_COURSE_UNMAPPED"})],
    "quarantine-item": both("held", WATCHES | {BASE}, WATCHES),
    "quarantine-try": [Door(BUREAU | {BASE}, post={})],
    "quarantine-confirm": [Door(BUREAU | {BASE}, post={})],
    "quarantine-decisions": [Door(WATCHES | {BASE})],
    "quarantine-undo": both("decision", BUREAU | {BASE}, BUREAU),
    "connect": [Door({BASE, ADMIN})],
    "connect-draft": both("source_draft", {BASE, ADMIN}, {ADMIN}),
    "source": [
        *both("source", WATCHES | {BASE}, WATCHES),
        Door({BASE, ADMIN}, own("source"), post={"do": "pause", "revision": "1"}),
        Door({ADMIN}, other("source"), post={"do": "pause", "revision": "1"}),
    ],
    "lti-setup": [*both("source", {BASE, ADMIN}, {ADMIN}), Door({BASE, ADMIN}, own("source"), post={"do": "forget"})],
    "connected": both("source", {BASE, ADMIN}, {ADMIN}),
    "templates": [Door(BUREAU | {OFFICER, BASE, AUDITOR})],
    "template-upload": [
        Door({OFFICER}, post={"owner": "industry"}),  # each only for a body of their own
        Door({BASE}, post={"owner": "base"}),
        Door(BUREAU, post={"owner": "bureau"}),
    ],
    "template-choose": [Door({OFFICER}, post={"owner": "industry", "template": "nonsense/zh"})],
    "template-draft": both("draft", {OFFICER, AUDITOR}, {AUDITOR}),
    "template-publish": both("draft", {OFFICER}, NOBODY, post={}),
    "template-version": [
        *both("version", {OFFICER, AUDITOR}, {AUDITOR}),
        Door(BUREAU | {OFFICER, BASE, AUDITOR}, own("shipped")),
    ],
    "template-folder": both("version", {OFFICER, AUDITOR}, {AUDITOR}),
    "template-picture": [
        *both("version", {OFFICER, AUDITOR}, {AUDITOR}, kind="versions", language="zh", sample="ordinary"),
        *both("draft", {OFFICER, AUDITOR}, {AUDITOR}, kind="drafts", language="zh", sample="ordinary"),
    ],
    "verify": PUBLIC,
    "verify-file": PUBLIC,
    "verify-keys": PUBLIC,
    "verify-credential": [Door(EVERYBODY, post={"number": "1", "token": "x", "name": "x"}, status=404)],
    "verify-api": [Door(EVERYBODY, lambda t: {"token": t.own["code"]["token"]})],
    "robots": PUBLIC,
    "transparency": PUBLIC,
    "transparency-head": [Door(EVERYBODY, status=503)],  # no head is published yet
    "transparency-inclusion": [Door(EVERYBODY, status=404)],
    "transparency-consistency": [Door(EVERYBODY, status=400)],
    "did": PUBLIC,
    "did-of-path": PUBLIC,
    "status-list": [Door(EVERYBODY, lambda _: {"number": 9999, "purpose": "revocation"}, status=404)],
    "sign-in": PUBLIC,
    "sign-in-code": [Door(EVERYBODY, status=302)],  # to the password
    "sign-in-enrol": [Door(SIGNED_IN)],
    "sign-in-oidc": [Door(EVERYBODY, status=404)],  # no provider is named; tests/portal/test_oidc.py has one
    "sign-in-oidc-back": [Door(EVERYBODY, status=404)],
    "account": [Door(SIGNED_IN)],
    "account-oidc": [Door(SIGNED_IN, post={})],
    "account-password": [Door(SIGNED_IN, post={})],
    "account-email": [Door(SIGNED_IN, post={})],
    "account-codes": [Door(SIGNED_IN, post={})],
    "account-sessions-end": [Door(SIGNED_IN, post={})],
    "account-session-end": [Door(NOBODY, other("presence"), post={})],
    "organisations": [Door(WATCHES)],
    "organisation-new": [Door({HEAD, ADMIN}), Door({HEAD, ADMIN}, post={})],
    "organisation": [Door(WATCHES, own("body")), Door({HEAD, ADMIN}, own("body"), post={})],
    "organisation-invite": [Door({ADMIN}, own("body"), post={"role": "base_operator"})],
    "organisation-give": [Door({ADMIN}, own("body"), post={"role": "base_operator"})],
    "membership-take": [Door({ADMIN}, own("membership"), post={})],
    "invitation-end": [Door({ADMIN}, own("invitation"), post={})],
    "accounts": [Door({HEAD, AUDITOR, ADMIN})],
    "staff-account": [Door({HEAD, AUDITOR, ADMIN}, own("staff")), Door(NOBODY, other("learner_account"))],
    "staff-account-change": [
        Door({ADMIN}, own("staff"), post={"what": "unlock"}),
        Door(NOBODY, other("learner_account"), post={"what": "close"}),
    ],
    "staff-account-reset": [
        Door({ADMIN}, own("staff"), post={}),
        Door(NOBODY, other("learner_account"), post={}),
    ],
    "reset": [
        Door(EVERYBODY, lambda t: {"token": t.own["reset"]}),
        Door(EVERYBODY, lambda _: {"token": "invented"}, status=404),
    ],
    "rules": [Door(WATCHES | {OFFICER}), Door(WATCHES | {OFFICER}, post={"year": "{}"})],
    "evaluate-api": [Door(WATCHES | {OFFICER}, lambda _: {"region": "370400", "year": 2024}, post={})],
    "audit": [Door({HEAD, AUDITOR, ADMIN})],
    "audit-csv": [Door({HEAD, AUDITOR, ADMIN})],
    "audit-xlsx": [Door({HEAD, AUDITOR, ADMIN})],
    "audit-check": [Door({HEAD, AUDITOR, ADMIN})],
    "audit-event": [Door({HEAD, AUDITOR, ADMIN}, lambda _: {"index": 1})],
    "learners": [Door({HEAD, ADMIN}), Door({HEAD, ADMIN}, post={"q": "王五"})],
    "learner-identity": [
        Door({HEAD, ADMIN}, own("learner")),
        Door({HEAD, ADMIN}, own("learner"), post={"purpose": "核对一份申诉"}),
    ],
    "invitation": [
        Door(EVERYBODY, lambda t: {"token": t.own["token"]}),
        Door(EVERYBODY, lambda _: {"token": "invented"}, status=404),
    ],
    "lti-login": [Door(EVERYBODY, status=400), Door(EVERYBODY, post={"iss": "https://x.example"}, status=400)],
    "lti-launch": [Door(EVERYBODY, post={"state": "x", "id_token": "x"}, status=400)],
    "lti-certificates": [Door(EVERYBODY, post={}, status=400)],
    "lti-open": [Door(EVERYBODY, post={"ticket": "x"}, status=400)],
    "lti-link": [Door(EVERYBODY, post={"ticket": "x", "number": "x"}, status=400)],
    "lti-jwks": PUBLIC,
    "lti-register": [Door(EVERYBODY, lambda _: {"token": "invented"}, status=400)],
    "sign-out": [Door(EVERYBODY, post={})],
    "language": [Door(EVERYBODY, post={"language": "en"})],
    "hook": [Door(EVERYBODY, lambda _: {"source": "unknown"}, post={}, status=401)],
    "healthz": PUBLIC,
}
