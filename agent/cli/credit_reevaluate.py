"""`xueshi credit reevaluate`: a year judged again under a new version of its policy, tried first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, bars, emit, hours, operator, page, person

if TYPE_CHECKING:
    from agent.credit.reevaluation import Difference


def register(group: typer.Typer) -> None:
    """Add the command to `xueshi credit`."""
    group.command("reevaluate")(reevaluate)


def reevaluate(
    policy: Annotated[str, typer.Argument(help="region/year, like 370400/2024")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would come to, and change nothing.")] = False,
    candidate: Annotated[
        Path | None, typer.Option("--with", help="With --dry-run: a folder of policies that are not in force yet.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the batch.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write everybody whose year moves into this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge everybody's year again by the policy that is in force now: who gains, who loses, which certificates.

    With --dry-run nothing is written. Without it the difference is one batch, and the stages do what follows.
    """
    start()
    from agent.cli.credit import rules_of  # noqa: PLC0415 - models need Django
    from agent.credit.bulk import Rules  # noqa: PLC0415
    from agent.credit.reevaluation import carry_out, try_out  # noqa: PLC0415
    from agent.flow import run_stages  # noqa: PLC0415

    if candidate and not dry_run:
        raise typer.BadParameter("only with --dry-run: put the policy in force first", param_hint="--with")
    in_force = rules_of(policy)
    with bars() as tell:

        def progress(done: int, of: int) -> None:
            tell("reevaluate", done, of)

        if dry_run:
            tried = Rules(in_force.region, in_force.year, candidate) if candidate else in_force
            found = try_out(tried.load(), now_in_force=in_force.load(), progress=progress)
        else:
            found = carry_out(in_force.load(), by=operator(), reason=reason, progress=progress)
            if found.batch is not None:
                run_stages(tell)
    if out:
        _write(out, found)
    if as_json:
        emit(as_dict(found, dry_run=dry_run))
    else:
        _tell(found, dry_run=dry_run)


def as_dict(found: Difference, *, dry_run: bool) -> dict[str, Any]:
    """The difference for scripts; hours in hundredths."""
    from agent.credit.reevaluation import SHOWN  # noqa: PLC0415

    return {
        "dry_run": dry_run, "batch": found.batch, "policy": found.policy, **found.figures(),
        "numbers": found.certificates[:SHOWN],
        "written": {"appended": found.written.appended, "reversed": found.written.reversed},
    }  # fmt: skip


def _tell(found: Difference, *, dry_run: bool) -> None:
    if dry_run:
        page.print("预演，什么都没有改变：")
    elif found.batch is None:
        page.print("没有差异，什么都没有改变。")
    else:
        page.print(f"已完成，第 {found.batch} 批：")
    page.print(f"  {found.year} 年度 {found.learners} 人：{found.gain} 人增加，{found.lose} 人减少，", end="")
    page.print(f"{found.newly_met} 人变为达标，{found.no_longer_met} 人不再达标，{found.explained_anew} 人只是理由不同")
    for category, moved in found.hours.items():
        page.print(f"  {category} {hours(moved)} 学时")
    if found.certificates:
        page.print(f"  涉及证书 {len(found.certificates)} 张：{'、'.join(found.certificates[:20])}")


def _write(out: Path, found: Difference) -> None:
    """Everybody whose year moves, with masked numbers."""
    from agent.learners.models import Learner  # noqa: PLC0415
    from agent.portal.csv_file import lines  # noqa: PLC0415

    ids = [each.learner for each in found.moved]
    masked = dict(Learner.objects.filter(pk__in=ids).values_list("pk", "id_masked"))
    heads = ("学员", "证件号码", "原学时", "新学时", "差", "原达标", "新达标")
    rows = (
        (each.learner, masked[each.learner], each.before / 100, each.after / 100, (each.after - each.before) / 100,
         "是" if each.met_before else "否", "是" if each.met_after else "否")
        for each in found.moved
    )  # fmt: skip
    with out.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines(heads, rows))
    person.print(f"{out}：{len(found.moved)} 人", markup=False)
