"""Every address, tried by everybody: strangers, learners and each role, on things of their own and of others.

The table is written by hand beside the one in `agent.organisations.rights`: both must say the same. A new address
without a line here fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse

from agent.certificates.models import Certificate, TemplateVersion
from agent.certificates.template_register import publish, save_draft
from agent.intake.models import Completion, Source, SourceDraft, SyncRun
from agent.learners.models import Account, Learner
from agent.localtime import local_date, now
from agent.matching.models import Decision
from agent.organisations.models import Kind, Membership, Organisation
from agent.people import invitations, presence, resets
from agent.programmes.attachments import attach
from agent.programmes.drafts import begin
from agent.programmes.models import CourseLink, Programme
from agent.quarantine.models import Held
from agent.reconciliation import stage as reconciliation
from tests.certificates.template_files import plain

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
    "desk": [Door(SIGNED_IN)],
    "desk-book": [
        Door({BASE}, query="?desk=base"), Door({OFFICER}, query="?desk=department"), Door(BUREAU, query="?desk=bureau"),
        Door({AUDITOR}, query="?desk=auditor"), Door({ADMIN}, query="?desk=administrator"), Door(NOBODY),
    ],
    "certificates": [Door({LEARNER})],
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
    "sign-out": [Door(EVERYBODY, post={})],
    "language": [Door(EVERYBODY, post={"language": "en"})],
    "hook": [Door(EVERYBODY, lambda _: {"source": "unknown"}, post={}, status=401)],
    "healthz": PUBLIC,
}


@pytest.fixture
def things(town: Any) -> Things:
    """The town with somebody in each role, and beside each thing one that is somebody else's."""
    bodies = town.bodies
    bodies["other base"] = Organisation.objects.create(
        uscc="x" * 18, kind=Kind.TRAINING_BASE, name="别家基地", region="370400", issuer_number=90
    )
    for role in STAFF:
        body = {BASE: "base", OFFICER: "industry"}.get(role, "bureau")
        town.staff(role, body, role)
    source = Source.objects.create(
        name="别家平台", kind="moodle", url="https://x.example", organisation=bodies["other base"]
    )
    Completion.objects.filter(course="P2").update(employer="示例公司")
    reconciliation.run()
    mine, theirs = (Certificate.objects.filter(learner__name=name).first() for name in ("李·小明", "王五"))
    invited, ended = (invitations.invite(bodies["bureau"], AUDITOR, by="test") for _ in range(2))
    stranger, spare = User.objects.get(username="stranger"), User.objects.create_user("spare")
    presence.began(stranger, "x" * 32, place="", agent="")
    given = resets.give(spare, by="test")
    client = Client()
    client.force_login(stranger)
    presence.began(stranger, client.session.session_key, place="", agent="")
    unsent = {
        whose: begin(bodies[body], local_date(now()).year, by="test")
        for whose, body in {"own": "industry", "other": "health"}.items()
    }
    files = {whose: attach(each, "x.pdf", b"%PDF-1.7", by="test").pk for whose, each in unsent.items()}
    elsewhere = town.programme("P9", "别处的班", "professional", 8, organiser="health", state="submitted")
    Programme.objects.filter(pk=elsewhere.pk).update(implementer=bodies["other base"])
    wangwu = Account.objects.get(user__username="wangwu")
    sources = (town.source, source)
    links = [
        CourseLink.objects.create(
            source=each, kind="moodle", course="UNUSED", programme=town.programmes["P1"], valid_from=date(2024, 1, 1),
            valid_to=date(2024, 1, 2), confirmed_by="test",
        ).pk
        for each in sources
    ]  # fmt: skip
    items = [
        Held.objects.create(what="row", key=str(each.pk), source=each.name, code="E_ROW_MALFORMED", opened_at=now()).pk
        for each in sources
    ]
    decided = [Decision.objects.create(kind="alias", source=each, by="test", reason="test").pk for each in sources]
    begun = [
        SourceDraft.objects.create(organisation=each.organisation, kind="moodle", name=f"{each}2", by="test").pk
        for each in sources
    ]
    return Things(
        town,
        own={
            "code": {"number": mine.number, "token": mine.token}, "certificate": mine.number, "body": bodies["base"].pk,
            "source": town.source.pk, "link": links[0], "held": items[0], "decision": decided[0],
            "source_draft": begun[0], "run": town.run.pk, "programme": town.programmes["P2"].pk,
            "invitation": ended.invitation.pk,
            "token": invited.link.split("/")[-2], "reset": given.link.split("/")[-2],
            "staff": User.objects.get(username=OFFICER).pk,
            "learner": Learner.objects.get(name="王五").pk,
            "membership": Membership.objects.create(user=spare, organisation=bodies["base"], role=BASE).pk,
            "draft": save_draft(plain(), bodies["industry"], by="test").pk,
            "version": publish(plain(), bodies["industry"], by="test").pk,
            "filing": town.programmes["P4"].pk, "unsent": unsent["own"].pk, "file": files["own"],
            "shipped": TemplateVersion.objects.filter(template__owner=None).first().pk,
        },
        other={
            "filing": elsewhere.pk, "unsent": unsent["other"].pk, "file": files["other"],
            "source": source.pk, "link": links[1], "held": items[1], "decision": decided[1], "source_draft": begun[1],
            "certificate": theirs.number, "programme": town.programmes["P1"].pk,
            "run": SyncRun.objects.create(source=source, state="done", finished_at=now()).pk,
            "presence": stranger.presences.latest("pk").pk, "learner_account": wangwu.user_id,
            "draft": save_draft(plain(), bodies["health"], by="test").pk,
            "version": publish(plain(), bodies["health"], by="test").pk,
        },
    )  # fmt: skip


def test_every_address_has_its_line():
    (pages,) = get_resolver().url_patterns
    assert {pattern.name for pattern in pages.url_patterns} == set(DOORS)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_doors_open_for_those_whom_the_table_names_and_for_nobody_else(things, who):
    wrong = []
    for name, doors in DOORS.items():
        for door in doors:
            said = _tried(things, who, name, door)
            if said != _expected(door, who):
                wrong.append((name, door.query, door.post, said, _expected(door, who)))
    assert not wrong


def _expected(door: Door, who: str) -> str:
    if door.status:
        return str(door.status)
    return "opens" if who in door.opens else "sign in" if who == ANYBODY else "404"


def _tried(things: Things, who: str, name: str, door: Door) -> str:
    address = reverse(f"portal:{name}", kwargs=door.kwargs(things)) + door.query
    client = Client()
    if who != ANYBODY:
        client.force_login(User.objects.get(username="xiaoming" if who == LEARNER else who))
    if door.post is None:
        answer = client.get(address)
    else:
        said = dict(door.post)
        if said.get("owner"):
            said["owner"] = things.town.bodies[said["owner"]].pk
            said["file"] = SimpleUploadedFile("x.zip", b"nonsense", "application/zip")
        answer = client.post(address, said)
    if answer.streaming:
        assert b"".join(answer.streaming_content)
    answer.close()
    if door.status:
        return str(answer.status_code)
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/") and name != "sign-out":
        return "sign in"
    return "404" if answer.status_code == 404 else "opens" if answer.status_code < 500 else str(answer.status_code)
