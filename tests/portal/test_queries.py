"""No page asks the database more often because there is more to be shown."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agent.certificates.approvals import ask_for_approval
from agent.certificates.template_register import publish, save_draft
from agent.flow import run_stages
from agent.intake.models import Source, SourceDraft, SyncRun
from agent.localtime import local_date, now
from agent.mapping.courses import refresh
from agent.matching.models import Decision
from agent.organisations.models import Kind, Membership, Organisation
from agent.people import invitations, presence
from agent.programmes.attachments import attach
from agent.programmes.drafts import begin
from agent.programmes.models import Programme, VoidProposal
from agent.programmes.transitions import State
from agent.quarantine.models import Held
from agent.reconciliation import stage as reconciliation
from tests.certificates.template_files import plain
from tests.house.houses import number
from tests.portal.doors import ADMIN, ANYBODY, AUDITOR, BASE, DOORS, HEAD, LEARNER, OFFICER, STAFF, Things

_ONE_BY_ONE = {"archive-programme-file", "archive-employer-file"}
"""Downloads on the way: a PDF at a time, so that ten thousand take no more memory than one."""
_MOST = 42
"""A page that shows a trial asks so much: it is a run of the stages."""
_SEES_MOST = (HEAD, ADMIN, AUDITOR, OFFICER, BASE, LEARNER, ANYBODY)
"""Of those for whom a door opens, the first tries it; the desks are tried by every role."""


class Crowd:
    """Adds so many more of everything that a page lists; each time others."""

    def __init__(self, things: Things) -> None:
        self.things, self.town, self.made = things, things.town, 100

    def more(self, count: int) -> None:
        for n in range(self.made, self.made + count):
            self._bodies_and_people(n)
            self._filings(n)
            self._records(n)
        self.made += count
        run_stages()
        for source in Source.objects.all():
            refresh(source)
        reconciliation.run()

    def _bodies_and_people(self, n: int) -> None:
        until = local_date(now()) + timedelta(9)
        for place, kind in enumerate((Kind.TRAINING_BASE, Kind.SECTOR_DEPARTMENT, Kind.EMPLOYER)):
            issuer = 3 * n + place
            Organisation.objects.create(
                uscc=f"{issuer:018d}", kind=kind, name=f"单位{issuer}", region="370400", issuer_number=issuer,
                status_until=until if kind == Kind.TRAINING_BASE else None,
            )  # fmt: skip
        bodies = self.town.bodies
        for role in STAFF:
            body = {BASE: "base", OFFICER: "industry"}.get(role, "bureau")
            Membership.objects.create(
                user=User.objects.create_user(f"{role}{n}"), organisation=bodies[body], role=role
            )  # fmt: skip
            visitor = User.objects.get(username=role)
            client = Client()
            client.force_login(visitor)
            presence.began(visitor, client.session.session_key, place="", agent="")
        for body, role in (("bureau", AUDITOR), ("base", BASE)):
            invitations.invite(bodies[body], role, by="test")

    def _filings(self, n: int) -> None:
        industry = self.town.bodies["industry"]
        for state in (State.FILED, State.SUBMITTED, State.RETURNED, State.DELIVERED):
            begun = State.FILED if state == State.DELIVERED else state  # which gives the number
            made = self.town.programme(f"{state}{n}", f"班{n}", "professional", 8, organiser="industry", state=begun)
            Programme.objects.filter(pk=made.pk).update(state=state)
            if state == State.FILED:
                VoidProposal.objects.create(
                    programme=made, fate="revoke", code="other", reason="test", proposed_by="x", proposed_at=now()
                )
                self.town.completion((number(n), f"学员{n}"), made.key, date(2024, 6, 1), 8)
                self.town.completion((number(n), f"学员{n}"), "P1", date(2024, 6, 2), 8)
                ask_for_approval(made, needed=True, by="test")
        begin(industry, local_date(now()).year, by="test")
        attach(Programme.objects.get(pk=self.things.own["unsent"]), f"{n}.pdf", b"%PDF-1.7", by="test")
        for _ in range(2):
            draft = plain()
            save_draft(draft, industry, by="test")
            publish(draft, industry, by="test")

    def _records(self, n: int) -> None:
        town = self.town
        source = Source.objects.create(
            name=f"平台{n}", kind="moodle", url="https://x.example", organisation=town.bodies["base"]
        )
        for each in (town.source, source):
            SyncRun.objects.create(source=each, state="failed", error_code="E_TOKEN", error="The token is refused.")
            SyncRun.objects.create(source=each, state="done", new=n, finished_at=now())
        SourceDraft.objects.create(organisation=town.bodies["base"], kind="moodle", name=f"起{n}", by="test")
        for code in ("E_ROW_MALFORMED", "E_LATE_YEAR", "E_COURSE_UNMAPPED", "E_DATE_INVALID"):
            for released in (None, now()):
                Held.objects.create(
                    what="row", key=f"{code}{n}{released is None}", source=town.source.name, code=code,
                    opened_at=now(), released_at=released,
                )  # fmt: skip
        Decision.objects.create(kind="alias", source=town.source, by="test", reason="test")
        for course in ("P2", f"NEU{n}"):
            town.completion((number(n), f"学员{n}"), course, date(2024, 6, 3), 8)


def looked_at(things: Things) -> dict[tuple[str, str], str]:
    """The addresses that are only looked at, each with whoever sees most there."""
    found = {}
    for name, doors in DOORS.items():
        for door in doors:
            if name in _ONE_BY_ONE or door.post is not None or door.status or not door.opens:
                continue
            who = [role for role in STAFF if role in door.opens] if name in ("home", "desk", "desk-book") else []
            for each in who or [next(role for role in _SEES_MOST if role in door.opens)]:
                found[reverse(f"portal:{name}", kwargs=door.kwargs(things)) + door.query, each] = name
    return found


def asked(doors: dict[tuple[str, str], str]) -> dict[tuple[str, str], int]:
    """How many questions each of them asks of the database."""
    found, clients = {}, {}
    for address, who in doors:
        client = clients.setdefault(who, signed_in(who))
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            for _ in answer.streaming_content if answer.streaming else ():
                pass
            answer.close()
        assert answer.status_code < 400, (address, who)
        found[address, who] = len(queries)
    return found


def signed_in(who: str) -> Client:
    client = Client()
    if who != ANYBODY:
        client.force_login(User.objects.get(username="xiaoming" if who == LEARNER else who))
    return client


def test_more_rows_ask_no_more_questions(things: Things) -> None:
    crowd = Crowd(things)
    crowd.more(2)  # one of each kind may be asked for in another way than several
    doors = looked_at(things)
    asked(doors)  # what is kept from one request to the next
    few = asked(doors)
    crowd.more(7)
    many = asked(doors)
    grown = {address: (few[address], n) for address, n in many.items() if n > few[address]}
    assert not grown
    assert max(many.values()) <= _MOST
