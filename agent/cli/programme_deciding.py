"""`xueshi programme show | impact | void | confirm | drop`: what a filing says and what stands on it, voiding."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, hours, page, table
from agent.cli.programme import By, Key, Reason, group


def register(_app: typer.Typer) -> None:
    """The commands join the group `programme` when this module is imported."""


@group.command("show")
def show(key: Key, as_json: AsJson = False) -> None:
    """Where a filing stands, what may happen to it, and what the checks find in its form."""
    start()
    from agent.flow import filing_rules  # noqa: PLC0415
    from agent.programmes.checks import check_typed  # noqa: PLC0415
    from agent.programmes.drafts import about, draft_of  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415
    from agent.programmes.transitions import allowed  # noqa: PLC0415

    programme = find(key)
    draft = draft_of(programme)
    _, found = check_typed(draft.typed, about(programme, filing_rules(programme.year)))
    events = [
        {"at": e.at.isoformat(), "kind": e.kind, "from": e.from_state, "to": e.to_state, "actor": e.actor,
         "second": e.second, "code": e.code, "reason": e.reason, "remarks": e.remarks, "version": e.version}
        for e in programme.events.order_by("pk")
    ]  # fmt: skip
    findings = [{"code": f.code, "field": f.field, "level": f.level, "sentence": f.sentence_zh} for f in found]
    if as_json:
        emit({
            "programme": str(programme), "state": programme.state, "filing_number": programme.filing_number,
            "allowed": allowed(programme.state), "lock": draft.lock, "form": draft.typed, "findings": findings,
            "events": events,
        })  # fmt: skip
        return
    page.print(f"{programme} {programme.get_state_display()} {programme.filing_number or ''}")
    page.print("可以：" + "、".join(allowed(programme.state)))
    table("检查 Findings", ("field", "level", "sentence"), [[f["field"], f["level"], f["sentence"]] for f in findings])
    table("经过 Events", ("at", "kind", "to", "actor", "reason"),
          [[e["at"][:16], e["kind"], e["to"], e["actor"], e["reason"]] for e in events])  # fmt: skip


@group.command("impact")
def impact(key: Key, as_json: AsJson = False) -> None:
    """What stands on a programme: people, hours, certificates, and who relies on them."""
    start()
    from agent.certificates.voiding import impact as impact_of  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    found = impact_of(find(key))
    if as_json:
        emit(asdict(found) | {"hours": hours(found.hours)})
        return
    page.print(
        f"{found.learners} 人，{found.completions} 条学习记录，{hours(found.hours)} 学时；"
        f"有效证书 {found.live} 张，其中 {found.downloaded} 张已下载；等待放行 {found.waiting} 条。"
    )
    table("用人单位 Employers", ("name", "people"), [[e.name, e.people] for e in found.employers], right=("people",))


@group.command("void")
def void(
    key: Key,
    fate: Annotated[str, typer.Option(help="revoke: certificates and hours go; honour: what was given stays.")],
    code: Annotated[str, typer.Option(help="Why: improper, not_held, entitled, asked or other.")],
    reason: Reason = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Propose that a programme be voided; another person confirms."""
    start()
    from agent.certificates.voiding import confirm as confirm_void  # noqa: PLC0415
    from agent.flow import policies  # noqa: PLC0415
    from agent.programmes.deciding import propose_void  # noqa: PLC0415
    from agent.programmes.errors import FateUnknown  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415
    from agent.programmes.models import VoidProposal  # noqa: PLC0415

    if fate not in VoidProposal.Fate.values:
        raise FateUnknown(fate=fate)
    who, programme = by or getpass.getuser(), find(key)
    propose_void(programme, fate=fate, code=code, reason=reason, by=who)
    would = confirm_void(programme, policies(), by=who, dry_run=True)
    _tell(str(programme), "proposed", would, as_json)


@group.command("confirm")
def confirm(key: Key, reason: Reason = "", by: By = "", as_json: AsJson = False) -> None:
    """Void a programme as somebody else proposed."""
    start()
    from agent.certificates.voiding import confirm as confirm_void  # noqa: PLC0415
    from agent.flow import policies, run_stages  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415
    from agent.work.queue import defer_notices  # noqa: PLC0415

    programme = find(key)
    done = confirm_void(programme, policies(), by=by or getpass.getuser(), reason=reason)
    defer_notices()
    run_stages()
    _tell(str(programme), "voided", done, as_json)


@group.command("drop")
def drop(key: Key, by: By = "", as_json: AsJson = False) -> None:
    """Leave a proposal to void a programme be."""
    start()
    from agent.programmes.deciding import drop_void  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    programme = find(key)
    dropped = drop_void(programme, by=by or getpass.getuser())
    if as_json:
        emit({"programme": str(programme), "dropped": dropped})
    else:
        page.print("提议已放下。" if dropped else "没有等待确认的提议。")


def _tell(programme: str, state: str, done: Any, as_json: bool) -> None:
    if as_json:
        emit({
            "programme": programme, "state": state, "fate": done.fate, "certificates": done.revoked,
            "reversed": done.reversed,
            "hours": [h._asdict() | {"before": hours(h.before), "after": hours(h.after)} for h in done.hours],
        })  # fmt: skip
        return
    word = "已作废" if state == "voided" else "已提议作废，等第二人确认（xueshi programme confirm）"
    what = f"撤销证书 {len(done.revoked)} 张" if done.fate == "revoke" else "保留已发证书和学时"
    page.print(f"{programme}：{word}；{what}。")
