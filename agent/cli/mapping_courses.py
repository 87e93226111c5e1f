"""`xueshi mapping courses|suggest|link|unlink`: which course of which source is which programme."""

from __future__ import annotations

import getpass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, hours, page, table
from agent.errors import XueshiError

if TYPE_CHECKING:
    from agent.mapping.preview import Trial
    from agent.programmes.models import CourseLink

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would come to, and change nothing.")]


class DayUnreadable(XueshiError):
    """«{value}» is not a day."""

    code = "E_DAY"
    fix = "Write it as 2024-12-31."


def register(group: typer.Typer) -> None:
    """Add the commands to `xueshi mapping`."""
    for name, command in (("courses", courses_), ("suggest", suggest_), ("link", link_), ("unlink", unlink_)):
        group.command(name)(command)


def courses_(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    unmapped: Annotated[bool, typer.Option("--unmapped", help="Only those that are mapped to nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """The courses of a source that people completed: the unmapped first, then by number of learners."""
    start()
    from agent.intake.sources import get  # noqa: PLC0415 - models need Django
    from agent.mapping.courses import courses  # noqa: PLC0415

    found = courses([get(source)], state="unmapped" if unmapped else "").courses
    rows: list[dict[str, Any]] = [
        {
            "course": c.course, "name": c.name, "state": c.state, "learners": c.learners,
            "completions": c.completions, "first": c.first_on, "last": c.last_on, "links": [_link(k) for k in c.links],
        }
        for c in found
    ]  # fmt: skip
    if as_json:
        emit(rows)
        return
    shown = [
        [r["course"], r["name"], r["state"], r["learners"], r["first"], r["last"],
         "、".join(f"#{k['number']} {k['programme']}" for k in r["links"])]
        for r in rows
    ]  # fmt: skip
    columns = ("课程", "名称", "状态", "学员", "最早", "最晚", "对应的项目")
    table(f"课程 Courses: {source}", columns, shown, right=("学员",))


def suggest_(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    course: Annotated[str | None, typer.Argument(help="One course; all that are not wholly mapped otherwise.")] = None,
    as_json: AsJson = False,
) -> None:
    """Which programmes the courses may be, and why. Decides nothing."""
    start()
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.mapping.courses import MAPPED, course_of, courses  # noqa: PLC0415
    from agent.mapping.errors import CourseUnknown  # noqa: PLC0415
    from agent.mapping.suggestions import suggest  # noqa: PLC0415

    of = get(source)
    if course is None:
        wanted = [each for each in courses([of]).courses if each.state != MAPPED]
    else:
        one = course_of(of, course)
        if one is None:
            raise CourseUnknown(source=source, course=course)
        wanted = [one]
    found = suggest(wanted)
    rows: list[dict[str, Any]] = [
        {
            "course": code, "programme": _name(each.programme), "title": each.title, "from": each.valid_from,
            "to": each.valid_to,
            "reasons": [{"kind": r.kind, "of": r.of, "likeness": round(r.likeness, 2)} for r in each.reasons],
        }
        for code, suggestions in found.items() for each in suggestions
    ]  # fmt: skip
    if as_json:
        emit(rows)
        return
    shown = [
        [r["course"], r["programme"], r["title"], r["from"], r["to"],
         "、".join(f"{why['kind']} {why['likeness']:.0%}" for why in r["reasons"])]
        for r in rows
    ]  # fmt: skip
    table("可能的对应 Suggestions", ("课程", "项目", "名称", "自", "至", "理由"), shown)
    page.print("确认：xueshi mapping link 来源 课程 项目（可先加 --dry-run）")


def link_(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    course: Annotated[str, typer.Argument(help="The course's code there.")],
    programme: Annotated[str, typer.Argument(help="KEY, region/year/KEY or filing number.")],
    first: Annotated[str, typer.Option("--from", help="First day; else the programme's.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; else the programme's.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the mapping.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Map a course to a programme: completions on these days are released."""
    start()
    from django.db import transaction  # noqa: PLC0415 - it needs to be set up

    from agent.flow import run_stages  # noqa: PLC0415
    from agent.intake.sources import get  # noqa: PLC0415
    from agent.mapping.links import Wanted, link, note_linked  # noqa: PLC0415
    from agent.mapping.preview import of_links  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    of = get(source)
    wanted = Wanted(course, find(programme), _day(first), _day(last), reason)
    trial = of_links(of, [wanted], by=getpass.getuser())
    made = None
    if not dry_run:
        with transaction.atomic():
            made = link(of, wanted, by=getpass.getuser())
            note_linked([made], by=getpass.getuser())
        run_stages()
    _say(trial, made, as_json=as_json, dry_run=dry_run)


def unlink_(
    number: Annotated[int, typer.Argument(help="The mapping's number (xueshi mapping courses).")],
    reason: Annotated[str, typer.Option(help="Why; kept with the mapping.")] = "",
    until: Annotated[str, typer.Option(help="Good up to and with this day, instead of never.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a mapping: what it matched waits again, and certificates that rest on it are revoked."""
    start()
    from django.db import transaction  # noqa: PLC0415

    from agent.flow import run_stages  # noqa: PLC0415
    from agent.mapping.links import note_unlinked, unlink  # noqa: PLC0415
    from agent.mapping.preview import of_unlink  # noqa: PLC0415
    from agent.programmes.models import CourseLink  # noqa: PLC0415

    trial = of_unlink(number, by=getpass.getuser(), until=_day(until))
    left = None
    if not dry_run:
        with transaction.atomic():
            old = CourseLink.objects.select_related("source__organisation", "programme").get(pk=number)
            left = unlink(number, by=getpass.getuser(), reason=reason, until=_day(until))
            note_unlinked(old, left, by=getpass.getuser(), reason=reason)
        run_stages()
    _say(trial, left, as_json=as_json, dry_run=dry_run)


def _say(trial: Trial, link: CourseLink | None, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        emit({"dry_run": dry_run, "link": _link(link) if link else None, "difference": as_dict(trial)})
        return
    tell(trial, dry_run=dry_run)
    if link:
        page.print(f"对应 #{link.pk}：{_link(link)['from']} 至 {_link(link)['to']}", markup=False)


def tell(trial: Trial, *, dry_run: bool) -> None:
    """The difference that a decision makes, for a person."""
    page.print("预演，什么都没有改变：" if dry_run else "已完成：")
    page.print(
        f"  计入 {trial.matched} 条（{trial.learners} 人），不再计入 {trial.unmatched} 条，改属 {trial.moved} 条"
    )
    if trial.gain or trial.lose:
        page.print(f"  学时增加 {trial.gain} 人，减少 {trial.lose} 人")
    for category, worth in trial.hours.items():
        about = "" if trial.exact else "（按备案学时，未扣封顶）"
        page.print(f"  {category} {hours(worth)} 学时{about}")
    for word, counted in (("放行", trial.released), ("转为等待", trial.held), ("仍在等待", trial.still)):
        for code, count in counted.items():
            page.print(f"  {word} {code} {count}")
    if trial.revoked:
        page.print(f"  撤销证书 {trial.revoked} 张：{'、'.join(trial.revoked_numbers)}")


def as_dict(trial: Trial) -> dict[str, Any]:
    """The difference for scripts; hours in hundredths."""
    return {
        "matched": trial.matched, "learners": trial.learners, "unmatched": trial.unmatched, "moved": trial.moved,
        "hours": trial.hours, "gain": trial.gain, "lose": trial.lose, "exact": trial.exact,
        "released": trial.released, "held": trial.held, "still": trial.still,
        "certificates_revoked": trial.revoked, "numbers": trial.revoked_numbers,
    }  # fmt: skip


def _link(link: CourseLink) -> dict[str, Any]:
    return {
        "number": link.pk, "course": link.course, "programme": str(link.programme), "from": link.valid_from,
        "to": link.valid_to, "by": link.confirmed_by,
    }  # fmt: skip


def _name(programme: int) -> str:
    from agent.programmes.models import Programme  # noqa: PLC0415

    return str(Programme.objects.get(pk=programme))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayUnreadable(value=text) from None
