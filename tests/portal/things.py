"""What stands in the town beside what a story needs: a thing of every kind, one's own and somebody else's."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from agent.certificates.models import Certificate, TemplateVersion
from agent.certificates.template_register import publish, save_draft
from agent.intake.models import Completion, Source, SourceDraft, SyncRun
from agent.learners.models import Account, Learner
from agent.localtime import local_date, now
from agent.matching.models import Decision
from agent.organisations.models import Kind, Membership, Organisation
from agent.papers import making
from agent.people import invitations, presence, resets
from agent.programmes.attachments import attach
from agent.programmes.drafts import begin
from agent.programmes.models import CourseLink, Programme
from agent.quarantine.models import Held
from agent.reconciliation import stage as reconciliation
from tests.certificates.template_files import plain
from tests.portal.doors import AUDITOR, BASE, OFFICER, STAFF, Things


def things_of(town: Any) -> Things:
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
    papers = [making.copy(each, purpose="评审用", days=30, by="test") for each in (mine, theirs)]
    return Things(
        town,
        own={
            "code": {"number": mine.number, "token": mine.token}, "certificate": mine.number, "paper": papers[0].pk,
            "body": bodies["base"].pk,
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
            "certificate": theirs.number, "paper": papers[1].pk, "paper_token": papers[1].token,
             "programme": town.programmes["P1"].pk,
            "run": SyncRun.objects.create(source=source, state="done", finished_at=now()).pk,
            "presence": stranger.presences.latest("pk").pk, "learner_account": wangwu.user_id,
            "draft": save_draft(plain(), bodies["health"], by="test").pk,
            "version": publish(plain(), bodies["health"], by="test").pk,
        },
    )  # fmt: skip
