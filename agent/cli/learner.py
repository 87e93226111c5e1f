"""`xueshi learner`: a person's year with every entry's reason."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, hours, operator, page, table
from agent.errors import PERSON_NEEDED, XueshiError

group = typer.Typer(help="See where a learner's year stands.", no_args_is_help=True)


class IdNumberInvalid(XueshiError):
    """{masked} is not an identity number ({reason})."""

    code = "E_ID_NUMBER"
    fix = "Give all 18 (or the old 15) characters; the last may be X."


class LearnerUnknown(XueshiError):
    """No completion of {masked} has been matched so far."""

    code = "E_LEARNER_UNKNOWN"
    fix = "See whether something of it waits: xueshi quarantine list."
    exit_code = PERSON_NEEDED


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="learner")


@group.command("show")
def show(
    id_number: Annotated[str, typer.Argument(help="Identity number, 18 or 15 characters.")],
    year: Annotated[int, typer.Option(help="Credit year.")],
    as_json: AsJson = False,
) -> None:
    """The year's standing 30/60/90, and for each achievement what it counts and why."""
    from agent.learners.identity import normalise_id  # noqa: PLC0415

    identity = normalise_id(id_number)
    if identity.number is None:
        raise IdNumberInvalid(masked=identity.masked or "«»", reason=identity.code)
    start()
    from agent.credit.policy import load_policy  # noqa: PLC0415
    from agent.credit.year import year_of  # noqa: PLC0415
    from agent.crypto import vault  # noqa: PLC0415
    from agent.home import mappings_folder, region  # noqa: PLC0415
    from agent.learners.models import Learner  # noqa: PLC0415
    from agent.matching.waiting import waiting_of  # noqa: PLC0415

    learner = Learner.objects.filter(fingerprint=vault().fingerprint(identity.number)).first()
    if learner is None:
        raise LearnerUnknown(masked=identity.masked)
    of = year_of(learner, load_policy(region(), year, mappings_folder()))
    waiting = waiting_of(learner, year)
    standing = of.standing
    if as_json:
        emit({
            "learner": {"name": learner.name, "id_masked": learner.id_masked},
            "year": year,
            "policy": of.policy.stamp,
            "standing": {
                "public": hours(standing.public), "professional": hours(standing.professional),
                "total": hours(standing.total), "required": {k: hours(v) for k, v in standing.required.items()},
                "met": standing.met, "missing": {k: hours(v) for k, v in standing.missing.items()},
            },
            "entries": [
                {
                    "id": e.achievement, "title": e.title, "category": e.category, "source": e.source,
                    "filing_number": e.filing_number, "learned_on": e.learned_on.isoformat(),
                    "claimed": hours(e.claimed), "credited": hours(e.credited), "capped": hours(e.capped),
                    "rule": e.rule, "policy": e.policy, "reason": e.reason, "reason_zh": e.reason_zh,
                    "reason_en": e.reason_en, "lateness": e.lateness, "certificate": e.certificate or None,
                }
                for e in of.entries
            ],
            "held": [
                {
                    "course": w.course, "course_name": w.course_name, "code": w.code, "reason_zh": w.reason_zh,
                    "fix_zh": w.fix_zh, "reason_en": w.reason_en, "fix_en": w.fix_en,
                }
                for w in waiting
            ],
        })  # fmt: skip
        return
    page.print(f"{learner.name}  {learner.id_masked}  {year} 年度  {'已完成' if standing.met else '未完成'}")
    rows = [[name, hours(standing.credited.get(name, standing.total)), hours(needed), hours(standing.missing[name])]
            for name, needed in standing.required.items()]  # fmt: skip
    table("学时 Hours", ("", "已认定", "要求", "还差"), rows, right=("已认定", "要求", "还差"))
    table(
        "明细 Entries",
        ("日期", "课程", "类别", "申报", "认定", "规则", "原因"),
        [
            [e.learned_on, e.title, e.category, hours(e.claimed), hours(e.credited), e.rule, e.reason_zh]
            for e in of.entries
        ],
        right=("申报", "认定"),
    )
    if waiting:
        table("待处理 Waiting", ("课程", "原因", "怎样放行"), [[w.course_name, w.reason_zh, w.fix_zh] for w in waiting])


@group.command("notices")
def notices(
    id_number: Annotated[str, typer.Argument(help="Identity number, 18 or 15 characters.")],
    on: Annotated[bool | None, typer.Option("--on/--off", help="Off: told of revocations only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether a learner is told what happens to certificates; of a revocation everybody is."""
    from agent.learners.identity import normalise_id  # noqa: PLC0415

    identity = normalise_id(id_number)
    if identity.number is None:
        raise IdNumberInvalid(masked=identity.masked or "«»", reason=identity.code)
    start()
    from agent.certificates.deliveries import NoticeOptOut, set_told  # noqa: PLC0415
    from agent.crypto import vault  # noqa: PLC0415
    from agent.learners.models import Learner  # noqa: PLC0415

    learner = Learner.objects.filter(fingerprint=vault().fingerprint(identity.number)).first()
    if learner is None:
        raise LearnerUnknown(masked=identity.masked)
    if on is not None:
        set_told(learner, told=on, by=operator())
    told = not NoticeOptOut.objects.filter(learner=learner).exists()
    if as_json:
        emit({"learner": learner.id_masked, "notices": told})
    else:
        page.print(f"{learner.id_masked}：{'接收通知' if told else '只接收撤销通知'}。")
