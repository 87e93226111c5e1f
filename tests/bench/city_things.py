"""What the addresses of the portal are tried on in the city of the bench, and somebody in each role."""

from __future__ import annotations

from django.contrib.auth.models import User

from agent.certificates.models import Certificate, TemplateVersion
from agent.certificates.template_register import publish, save_draft
from agent.intake.models import Source, SourceDraft, SyncRun
from agent.learners.models import Account
from agent.localtime import local_date, now
from agent.matching.models import Decision
from agent.organisations.models import Membership, Organisation
from agent.papers import making
from agent.papers.models import Paper
from agent.people import invitations, presence, resets
from agent.programmes.attachments import attach
from agent.programmes.drafts import begin
from agent.programmes.models import CourseLink, Programme
from agent.quarantine.models import Held
from tests.certificates.template_files import plain
from tests.portal.doors import AUDITOR, BASE, LEARNER, OFFICER, STAFF, Things

_BUREAU, _DEPARTMENTS, _BASES, _EMPLOYERS = 1, (2, 3), (101, 102), 1001  # by their issuer's number


def things() -> Things:
    """A thing of every kind, one's own and somebody else's; made once, and found again."""
    body = {each.issuer_number: each for each in Organisation.objects.filter(issuer_number__lte=_EMPLOYERS)}
    of_role = {BASE: body[_BASES[0]], OFFICER: body[_DEPARTMENTS[0]]}
    for role in STAFF:
        user, _ = User.objects.get_or_create(username=role)
        Membership.objects.get_or_create(user=user, organisation=of_role.get(role, body[_BUREAU]), role=role)
    mine = _learner()
    found = Things(None)
    for place, side in enumerate((found.own, found.other)):
        department, base = body[_DEPARTMENTS[place]], body[_BASES[place]]
        side.update(_of_department(department) | _of_base(base))
        certificate = mine if not place else Certificate.objects.exclude(learner=mine.learner).first()
        assert certificate is not None
        paper = Paper.objects.filter(certificate=certificate).first()
        paper = paper or making.copy(certificate, purpose="bench", days=90, by="bench")
        side |= {"certificate": certificate.number, "paper": paper.pk, "paper_token": paper.token}
    # the filing that a base may read is one that it carries out
    Programme.objects.filter(pk=found.own["filing"]).update(implementer=body[_BASES[0]])
    invited, ended = (invitations.invite(body[_BUREAU], AUDITOR, by="bench") for _ in range(2))
    staff = User.objects.get(username=OFFICER)
    presence.began(staff, f"bench {now().timestamp()}"[:40], place="", agent="")
    given = resets.give(staff, by="bench")
    found.own |= {
        "code": {"number": mine.number, "token": mine.token}, "body": body[_BASES[0]].pk,
        "invitation": ended.invitation.pk, "token": invited.link.split("/")[-2], "reset": given.link.split("/")[-2],
        "staff": staff.pk,
        "learner": mine.learner_id, "membership": Membership.objects.filter(user=staff).first().pk,  # type: ignore[union-attr]
        "shipped": TemplateVersion.objects.filter(template__owner=None).first().pk,  # type: ignore[union-attr]
    }  # fmt: skip
    found.other |= {"presence": staff.presences.latest("pk").pk, "learner_account": staff.pk}
    return found


def _learner() -> Certificate:
    """A certificate whose holder signs in as the learner."""
    known = Account.objects.filter(user__username=LEARNER).first()
    if known is None:
        known = Account.objects.filter(learner__certificates__state="issued").order_by("pk").first()
        assert known is not None
        User.objects.filter(pk=known.user_id).update(username=LEARNER)
    return Certificate.objects.filter(learner=known.learner).order_by("pk")[0]


def _of_department(department: Organisation) -> dict[str, int]:
    programmes = Programme.objects.filter(organiser=department)
    unsent = begin(department, local_date(now()).year, by="bench")
    # a home that is asked again may have a version of an earlier day's template
    published = TemplateVersion.objects.filter(template__owner=department).first()
    return {
        "programme": programmes.filter(year=2024, versions__category="professional")
        .order_by("-certificates_need_approval", "pk")[0].pk,
        "filing": programmes.filter(state="submitted").order_by("pk")[0].pk, "unsent": unsent.pk,
        "file": attach(unsent, "x.pdf", b"%PDF-1.7", by="bench").pk,
        "draft": save_draft(plain(), department, by="bench").pk, "version": (published or publish(plain(), department, by="bench")).pk,
    }  # fmt: skip


def _of_base(base: Organisation) -> dict[str, int]:
    source = Source.objects.filter(organisation=base).order_by("pk")[0]
    decision = Decision.objects.filter(source=source).first() or Decision.objects.create(
        kind="alias", source=source, by="bench", reason="bench"
    )
    draft, _ = SourceDraft.objects.get_or_create(organisation=base, kind="moodle", name=f"{source}2", by="bench")
    return {
        "source": source.pk, "link": CourseLink.objects.filter(source=source).order_by("pk")[0].pk,
        "held": Held.objects.filter(source=source.name, what="completion", released_at=None).order_by("pk")[0].pk,
        "decision": decision.pk, "source_draft": draft.pk,
        "run": SyncRun.objects.filter(source=source).order_by("-started_at")[0].pk,
    }  # fmt: skip
