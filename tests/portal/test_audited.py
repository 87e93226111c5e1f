"""Everything that a person changes is in the audit log: each page and command that writes has its event, or its reason
for none. A new address or command without a line here fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import get_resolver
from typer.main import get_command

import agent
from agent.audit.models import AuditEvent
from agent.audit.search import change_of
from agent.certificates.deliveries import set_told
from agent.certificates.template_register import choose, publish, save_draft
from agent.cli.main import app
from agent.learners.models import Learner
from agent.portal.role_words import action_name
from tests.certificates.template_files import plain

NO_ROW = "changes nothing: it shows what would be"
ASKS = "a question, answered and not kept"
NOT_YET = "kept as somebody types, with who saved it; what comes of it is an event"
OWN_KEEPING = "writes runs and figures, which are kept and never changed"

PAGES: dict[str, str | set[str]] = {
    "where": "a question, kept with who asked; the pull that it asks for is a run",
    "verify-file": ASKS,
    "verify-credential": ASKS,
    "verify": ASKS,
    "language": "a cookie of the reader's own",
    "hook": "a machine signs it; the pull that it asks for is a run",
    "sign-in": {"account.signed_in", "account.locked"},
    "sign-in-code": {"account.signed_in", "account.locked", "recovery_code.used"},
    "sign-in-enrol": {"second_factor.confirmed"},
    "sign-out": "one's own session is over",
    "invitation": {"invitation.accepted"},
    "account-password": {"password.changed"},
    "account-email": {"email.changed"},
    "account-codes": {"recovery_codes.renewed"},
    "account-oidc": {"outside_identity.untied"},
    "account-sessions-end": {"sessions.ended"},
    "account-session-end": {"session.ended"},
    "organisation-new": {"organisation.added"},
    "organisation": {"organisation.changed"},
    "organisation-invite": {"person.invited"},
    "organisation-give": {"role.given"},
    "membership-take": {"role.taken"},
    "invitation-end": {"invitation.taken_back"},
    "staff-account-reset": {"password.reset_given"},
    "reset": {"password.reset"},
    "staff-account-change": {"account.closed", "account.opened", "account.unlocked", "sessions.ended",
                             "second_factor.taken_away"},
    "learners": ASKS,
    "learner-identity": {"identity.seen"},
    "approval": {"approval.given"},
    "approval-needed": {"approval.asked"},
    "archive-programme": {"archive.asked"},
    "archive-employer": {"archive.asked"},
    "filing-new": {"filing.begin"},
    "filing-copy": {"filing.begin"},
    "filing-form": NOT_YET,
    "filing-draft": NOT_YET,
    "filings-import": {"filing.begin"},
    "filing-step": {"filing.accept", "filing.return", "filing.withdraw", "filing.close"},
    "filing-void": {"filing.void.propose", "filing.void.drop", "filing.void"},
    "filing-upload": {"filing.attach"},
    "filing-drop": {"filing.detach"},
    "connect": NOT_YET,
    "connect-draft": {"source.connect", "source.change"},
    "source": {"source.renamed", "source.schedule", "source.paused", "source.resumed"},
    "certificate": {"paper.made"},
    "papers": {"paper.made"},
    "paper-end": {"paper.ended"},
    "lti-setup": {"lti.registered", "lti.forgotten"},
    "lti-login": "a state and a nonce that live five minutes",
    "lti-launch": {"lti.linked"},
    "lti-certificates": {"lti.linked"},
    "lti-open": {"lti.linked"},
    "lti-link": {"lti.linked"},
    "mapping-try": NO_ROW,
    "rules": NO_ROW,
    "evaluate-api": NO_ROW,
    "mapping-confirm": {"mapping.link"},
    "mapping-withdraw": {"mapping.unlink"},
    "quarantine-try": NO_ROW,
    "quarantine-confirm": {"quarantine.same_person", "quarantine.alias", "quarantine.waiver"},
    "quarantine-undo": {"quarantine.take_back"},
    "template-upload": {"template.draft"},
    "template-choose": {"template.chosen"},
    "template-publish": {"template.published"},
}  # fmt: skip

COMMANDS: dict[str, str | set[str]] = {
    "audit prune": {"audit.pruned"},
    "audit export": {"audit.exported"},
    "backfill": OWN_KEEPING,
    "sync": {"source.accept_missing"},
    "replay": OWN_KEEPING,
    "reconcile": OWN_KEEPING,
    "demo": "an invented house",
    "serve": "what runs in it has its own lines here",
    "certificate approve": {"approval.given"},
    "certificate approval": {"approval.asked"},
    "certificate archive": "makes a file of pages, which are drawn once and kept",
    "certificate pdf": "makes a file of a page, which is drawn once and kept",
    "certificate suspend": {"certificate.suspended"},
    "certificate resume": {"certificate.resumed"},
    "certificate supersede": {"certificate.superseded"},
    "certificate revoke": {"certificate.revoked"},
    "certificate restore": {"certificate.restored"},
    "credit reevaluate": {"credit.reevaluate"},
    "keys create": {"key.created"},
    "keys rotate": {"key.rotated"},
    "keys retire": {"key.retired"},
    "keys sm2": "makes a file of a signature beside a credential",
    "learner notices": {"learner.notices"},
    "mapping link": {"mapping.link"},
    "mapping unlink": {"mapping.unlink"},
    "people add-organisation": {"organisation.added"},
    "people invite": {"person.invited"},
    "people reset-password": {"password.reset_given"},
    "people reset-factor": {"second_factor.taken_away"},
    "programme import": {"programmes.imported"},
    "programme decide": {"filing.accept"},
    "programme void": {"filing.void.propose"},
    "programme confirm": {"filing.void"},
    "programme drop": {"filing.void.drop"},
    "quarantine decide": {"quarantine.same_person"},
    "quarantine take-back": {"quarantine.take_back"},
    "source add": {"source.add", "source.change"},
    "source schedule": {"source.schedule"},
    "source hook": {"source.hook"},
    "template preview": {"template.draft"},
    "template publish": {"template.published"},
    "template choose": {"template.chosen"},
    "transparency head": "signs the log as it is, which the log itself keeps",
}
READ = {
    "audit check", "audit head", "audit search", "certificate list", "certificate show",
    "certificate verify", "credit evaluate", "credit schema",
    "doctor", "keys list", "learner show", "mapping courses", "mapping explain", "mapping lint",
    "mapping suggest", "people list", "people organisations", "programme impact", "programme list", "programme show",
    "quarantine decisions", "quarantine list", "quarantine show", "queue", "roster check", "roster template", "runs",
    "source check", "source list", "template check", "template list", "template new", "transparency audit",
    "transparency check", "transparency prove",
}  # fmt: skip
"""Commands that look at the house, or never come near it."""


def methods(view: Any) -> set[str]:
    """What the view lets through, as its decorators say; nothing said is everything."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            kept = cell.cell_contents
            if isinstance(kept, list | tuple) and kept and set(kept) <= {"GET", "HEAD", "POST", "OPTIONS"}:
                return set(kept)
        if names := getattr(getattr(view, "view_class", None), "http_method_names", None):
            return {name.upper() for name in names}
        view = getattr(view, "__wrapped__", None)
    return {"GET", "HEAD", "POST"}


@pytest.fixture
def roster_file(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text("姓名,身份证号,完成日期,学时\n", "utf-8")
    return path


def commands(command: Any, name: tuple[str, ...] = ()) -> Iterator[str]:
    under = getattr(command, "commands", None)
    if under is None:
        yield " ".join(name)
    else:
        for word, each in under.items():
            yield from commands(each, (*name, word))


@pytest.fixture(scope="module")
def written() -> set[str]:
    """Every word that stands in the code, and how those begin that are put together."""
    found: set[str] = set()
    for path in Path(agent.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_page_that_takes_a_form_has_its_line():
    (pages,) = get_resolver().url_patterns
    taking = {each.name for each in pages.url_patterns if "POST" in methods(each.callback)}
    assert taking == set(PAGES)


def test_every_command_has_its_line():
    assert set(commands(get_command(app))) == set(COMMANDS) | READ
    assert not set(COMMANDS) & READ


def test_every_event_that_is_named_is_one_that_the_code_writes(written):
    named = {action for said in (*PAGES.values(), *COMMANDS.values()) if isinstance(said, set) for action in said}
    composed = ("filing.", "quarantine.", "certificate.")  # f"filing.{kind}": with the words of a table
    missing = {
        each for each in named - written
        if not (each.startswith(composed) and each.partition(".")[0] + "." in written
                and each.partition(".")[2] in written)
    }  # fmt: skip
    assert not missing


def test_every_event_has_its_words_in_chinese():
    named = {action for said in (*PAGES.values(), *COMMANDS.values()) if isinstance(said, set) for action in said}
    assert not {each for each in named if action_name(each) == each}


# --- what is said ---------------------------------------------------------------------------------------------------
def events(action: str) -> list[tuple[str, str, Any, Any]]:
    """Who, on what, before and after, of every event of that word."""
    found = AuditEvent.objects.filter(action=action).order_by("index")
    return [(each.actor, each.target, *change_of(each)) for each in found]


def test_an_approval_and_what_asks_for_it(town):
    client, p2 = town.client("officer"), town.programmes["P2"]
    client.post(f"/approvals/{p2.pk}/needed/", {"needed": "1", "reason": "抽查"})
    (event,) = events("approval.asked")
    assert event == (
        "officer", "programme 370400/2024/P2", {"needed": False}, {"needed": True, "reason": "抽查"},
    )  # fmt: skip
    client.post(f"/approvals/{p2.pk}/needed/", {"needed": "1"})  # is so already
    assert len(events("approval.asked")) == 1


def test_a_source_by_command_with_what_was_before_and_no_secret(house, xueshi, tmp_path, roster_file):
    token = tmp_path / "token"
    token.write_text("a-secret-token")
    assert xueshi("source", "add", "r", "--kind", "roster", "--url", roster_file, "--token-file", token).exit == 0
    assert xueshi("source", "schedule", "r", "--recent", "1h", "--budget", "100").exit == 0
    assert xueshi("source", "schedule", "r", "--recent", "1h").exit == 0  # is so already
    secret = xueshi("source", "hook", "r", "--json").json["secret"]
    ((who, on, before, after),) = events("source.add")
    assert (who[:4], on, before) == ("cli:", "source r", None)
    assert (after["kind"], after["token"]) == ("roster", "replaced")
    ((_, _, before, after),) = events("source.schedule")
    assert (before, after) == ({"recent_at": "15m", "budget": 3600}, {"recent_at": "1h", "budget": 100})
    assert [after for *_, after in events("source.hook")] == [{"push_secret": "replaced"}]
    assert xueshi("source", "add", "r", "--kind", "roster", "--url", roster_file, "--option", "hours=8").exit == 0
    assert [(before, after) for *_, before, after in events("source.change")] == [
        ({"options": {}}, {"options": {"hours": "8"}})
    ]
    said = "".join(AuditEvent.objects.values_list("entry", flat=True))
    assert "a-secret-token" not in said
    assert secret not in said


def test_keys_change_hands(house, xueshi):
    xueshi("keys", "list")
    first = xueshi("keys", "rotate", "--json").json["signs"]
    assert xueshi("keys", "retire", first, "--compromised", "--reason", "a copy was seen").exit == 0
    ((_, on, before, after),) = events("key.rotated")
    assert (on, after) == (f"key {first}", {"kid": first, "days": 7})
    assert len(before["believed"]) == 1
    ((who, on, _, after),) = events("key.retired")
    assert (who[:4], on, after["compromised"], after["reason"]) == ("cli:", f"key {first}", True, "a copy was seen")


def test_mappings_and_decisions_by_command(town, xueshi):
    name = town.source.name
    made = xueshi("mapping", "link", name, "NOBODYS", "P1", "--reason", "同一门课", "--json").json["link"]["number"]
    assert xueshi("mapping", "link", name, "ANOTHER", "P1", "--dry-run").exit == 0
    assert xueshi("mapping", "unlink", made, "--reason", "弄错了").exit == 0
    ((_, on, _, after),) = events("mapping.link")  # a trial is none
    assert (on, after["programme"], after["because"]) == (f"course {name}/NOBODYS", "370400/2024/P1", "同一门课")
    ((_, _, before, after),) = events("mapping.unlink")
    assert (before["number"], after) == (str(made), {"reason": "弄错了"})


def test_certificates_in_a_persons_hands_and_not_in_the_stages(town, certificate, xueshi):
    number = certificate.number
    assert not AuditEvent.objects.filter(action__startswith="certificate.").exists()  # issued by itself
    why = ("--because", "under_review", "--reason", "有人举报", "--by", "zhao")
    assert xueshi("certificate", "suspend", number, *why, "--dry-run").exit == 0
    assert xueshi("certificate", "suspend", number, *why).exit == 0
    ((who, on, before, after),) = events("certificate.suspended")
    assert (who, on, before) == ("zhao", f"certificate {number}", {"states": {number: "issued"}})
    assert after == {"states": {number: "suspended"}, "because": "under_review", "reason": "有人举报"}


def test_templates_are_drafted_published_and_chosen(town):
    draft = save_draft(plain(), town.bodies["industry"], by="officer")
    version = publish(plain(), town.bodies["industry"], by="officer")
    publish(plain(), town.bodies["industry"], by="officer")  # is so already
    choose(version.template.name, by="officer", organisation=town.bodies["industry"])
    choose("classic", by="officer", organisation=town.bodies["industry"])
    assert [after["sha256"] for *_, after in events("template.draft")] == [draft.sha256]
    assert [after for *_, after in events("template.published")] == [{"version": 1, "sha256": version.sha256}]
    first, second = events("template.chosen")
    assert (first[1], first[2]) == (f"organisation {town.bodies['industry']}", None)
    assert second[2:] == ({"template": version.template.name, "language": "zh"},
                          {"template": "classic", "language": "zh"})  # fmt: skip


def test_a_learner_who_wants_no_notices(town):
    learner = Learner.objects.get(name="王五")
    for told in (False, False, True):
        set_told(learner, told=told, by="cli:root")
    assert [(on, before, after) for _, on, before, after in events("learner.notices")] == [
        (f"learner {learner.pk}", {"told": True}, {"told": False}),
        (f"learner {learner.pk}", {"told": False}, {"told": True}),
    ]
