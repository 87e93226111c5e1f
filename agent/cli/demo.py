"""`xueshi demo`: the whole way on what a real Moodle answered, then the portal.

The fake Moodle runs on loopback in a thread of its own; everything else is what an installation does.
"""

from __future__ import annotations

import secrets
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, bars, emit, hours, page, person, table
from agent.cli.serve import Host, Port, listen

if TYPE_CHECKING:
    from agent.learners.models import Learner

_SOURCE = "demo-moodle"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Do the work and end; do not serve the portal.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    as_json: AsJson = False,
) -> None:
    """Run the main job on a recorded Moodle: pull, match, credit, issue, and serve the portal."""
    began = perf_counter()
    start()
    seconds = {"start": round(perf_counter() - began, 3)}
    result = _work(seconds)
    if as_json:
        emit(result)
    else:
        _show(result)
    if not once:
        _reconcile()
        _accounts()
        listen(host, port)


def _reconcile() -> None:
    """The clock does it daily; here it is done at once, so that the page has figures."""
    from agent.reconciliation.stage import run  # noqa: PLC0415 - models need Django

    run()


def _work(seconds: dict[str, float]) -> dict[str, Any]:
    from agent.flow import run_stages  # noqa: PLC0415 - models need Django
    from agent.intake.models import Source  # noqa: PLC0415
    from agent.intake.sources import save  # noqa: PLC0415
    from agent.intake.sync import pull  # noqa: PLC0415
    from agent.programmes.file import read_programmes  # noqa: PLC0415
    from agent.programmes.filing import import_programmes  # noqa: PLC0415
    from connectors.testing.fake_moodle import PROGRAMMES, FakeMoodle  # noqa: PLC0415

    def timed(name: str, began: float) -> None:
        seconds[name] = round(perf_counter() - began, 3)

    with bars() as tell, FakeMoodle() as site:
        began = perf_counter()
        source, _ = save(
            _SOURCE, kind="moodle", url=site.url, token=site.token, options={"report_id": "1"}, allow_private=True
        )
        # the fake site is gone when the work is done: nobody is to be asked
        Source.objects.filter(pk=source.pk).update(scheduled=False)
        import_programmes(read_programmes(PROGRAMMES), path=str(PROGRAMMES), source=source, actor="demo")
        timed("programmes", began)
        began = perf_counter()
        landed = pull(source, progress=lambda done, total: tell("intake", done, total))
        timed("intake", began)
        through = run_stages(tell)
    seconds |= through.seconds
    seconds["total"] = round(sum(seconds.values()), 3)
    return _result(landed, through.issued.issued, seconds)


def _result(landed: Any, issued: int, seconds: dict[str, float]) -> dict[str, Any]:
    """What stands in the house now. The rows of the source are matched, or held under exactly one code."""
    from django.db.models import Count, Q, Sum  # noqa: PLC0415

    from agent.certificates.models import Certificate  # noqa: PLC0415
    from agent.credit.models import CreditEntry  # noqa: PLC0415
    from agent.matching.models import Achievement  # noqa: PLC0415
    from agent.quarantine.models import Held  # noqa: PLC0415

    held = Held.objects.filter(source=_SOURCE, released_at=None).values("code").annotate(n=Count("pk")).order_by("code")
    in_force = Q(reverses=None) & Q(creditentry=None)
    credited = {}
    for category in ("public", "professional"):
        of = CreditEntry.objects.filter(achievement__source__name=_SOURCE, category=category)
        credited[category] = {
            "entries": of.filter(in_force).count(),
            "hours": hours(of.aggregate(n=Sum("credited"))["n"] or 0),
        }
    return {
        "landed": landed.landed,
        "unchanged": landed.unchanged,
        "matched": Achievement.objects.filter(source__name=_SOURCE, withdrawn=False).count(),
        "quarantined": {row["code"]: row["n"] for row in held},
        "credited": credited,
        "certificates": {
            "issued": issued,
            "total": Certificate.objects.filter(achievement__source__name=_SOURCE, state="issued").count(),
        },
        "seconds": seconds,
    }


def _show(result: dict[str, Any]) -> None:
    from agent.quarantine.codes import fix  # noqa: PLC0415

    held = sum(result["quarantined"].values())
    public, professional = result["credited"]["public"], result["credited"]["professional"]
    table(
        "一次同步的结果",
        ("", "条数", "学时"),
        [
            ("到达 landed", result["landed"], ""),
            ("其中未变 unchanged", result["unchanged"], ""),
            ("对上人和项目 matched", result["matched"], ""),
            ("　公需科目 public", public["entries"], public["hours"]),
            ("　专业科目 professional", professional["entries"], professional["hours"]),
            ("待处理 quarantined", held, ""),
            (
                "证书 certificates（本次新签 issued）",
                f"{result['certificates']['total']}（{result['certificates']['issued']}）",
                "",
            ),
        ],
        right=("条数", "学时"),
    )
    table(
        "待处理的原因 Quarantine",
        ("code", "条数", "怎样放行"),
        [[code, n, fix(code)] for code, n in result["quarantined"].items()],
        right=("条数",),
    )
    page.print("用时（秒） " + "  ".join(f"{stage} {value}" for stage, value in result["seconds"].items()))


def _accounts() -> None:
    """One account for each role, with a password of this run: nobody can know it beforehand."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415

    from agent.learners.models import Account  # noqa: PLC0415
    from agent.organisations.models import Kind, Membership, Organisation, Role  # noqa: PLC0415
    from agent.organisations.rights import DECIDING  # noqa: PLC0415

    rows = []

    def account(name: str, role: str) -> Any:
        password = secrets.token_urlsafe(9)
        user, _ = get_user_model().objects.get_or_create(username=name)
        user.set_password(password)
        user.save()
        rows.append((role, name, password, "—"))
        return user

    learner = _telling_learner()
    Account.objects.update_or_create(
        user=account("demo-learner", f"学员 {learner.name}"), defaults={"learner": learner}
    )
    for name, kind, role in (
        ("demo-base", Kind.TRAINING_BASE, Role.BASE_OPERATOR),
        ("demo-department", Kind.SECTOR_DEPARTMENT, Role.DEPARTMENT_OFFICER),
        ("demo-bureau", Kind.HR_BUREAU, Role.BUREAU_REVIEWER),
        ("demo-head", Kind.HR_BUREAU, Role.BUREAU_HEAD),
        ("demo-auditor", Kind.HR_BUREAU, Role.AUDITOR),
        ("demo-admin", Kind.HR_BUREAU, Role.ADMINISTRATOR),
    ):
        body = Organisation.objects.filter(kind=kind).order_by("pk").first()
        if body:
            user = account(name, f"{role.label} · {body.name}")
            Membership.objects.get_or_create(user=user, organisation=body, role=role)
            if role in DECIDING:
                rows[-1] = (*rows[-1][:3], "  ".join(_recovery_codes(user)))
    table("演示账号（密码只在本次有效）", ("身份", "账号", "密码", "验证码（各用一次）"), rows)
    person.print("演示数据均为虚构。 All people, bodies and numbers here are invented.")


def _recovery_codes(user: Any) -> list[str]:
    """Some codes for who has no authenticator set up for a demo; as many sign-ins as they are."""
    import pyotp  # noqa: PLC0415 - only here

    from agent.people import factor  # noqa: PLC0415

    codes = factor.renew_codes(user) if factor.has(user) else factor.confirm(user, pyotp.TOTP(factor.begin(user)).now())
    return (codes or [])[:4]


def _telling_learner() -> Learner:
    """A learner whose page shows something of everything: certificates, public hours, and a row that waits."""
    from django.db import connection  # noqa: PLC0415

    from agent.learners.models import Learner  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT l.id FROM learners_learner l
            ORDER BY (SELECT count(*) FROM certificates_certificate c WHERE c.learner_id = l.id) > 0 DESC,
                     EXISTS (SELECT 1 FROM quarantine_held h JOIN intake_completion c ON c.id = h.key::bigint
                             WHERE h.what = 'completion' AND h.released_at IS NULL
                               AND c.id_fingerprint = l.fingerprint) DESC,
                     (SELECT count(*) FROM matching_achievement a WHERE a.learner_id = l.id) DESC, l.id LIMIT 1"""
        )
        return Learner.objects.get(pk=cursor.fetchone()[0])
