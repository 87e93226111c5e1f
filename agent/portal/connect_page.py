"""What the pages of connecting a source show: the steps, what a live look found, each problem with what to click."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from agent.intake.drafts import FILES, origin
from agent.intake.models import Source, SourceDraft
from agent.organisations.models import Kind, Organisation
from agent.organisations.rights import Right
from agent.portal.people import EVERYTHING, Everything, Person
from agent.portal.stops import STOPS
from agent.portal.words import english, for_learners
from connectors.base import kinds

_OPTION = re.compile(r"[，；：]?[^，。；：]*--[^，。；]*")
_FIELDS = {
    "moodle": ("report_id", "identity_field", "since"),
    FILES: ("course", "course_name", "filing_number", "date", "hours"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """An option as a form asks for it."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is missing, what to click, and the source's own words where those say more."""

    code: str
    sentence: str
    fix: str
    original: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a live look found."""

    ok: bool
    site: str
    release: str
    route: str
    rights: list[tuple[str, bool]]
    problems: list[Problem]
    rows: list[dict[str, Any]]
    stopped: Problem | None
    counts: dict[str, int] = field(default_factory=dict)
    refused: list[dict[str, str]] = field(default_factory=list)
    usable: bool = False


def kinds_offered() -> list[tuple[str, str]]:
    """Each kind that is installed, with what people call it."""
    said = {"moodle": gettext("Moodle 学习平台"), FILES: gettext("学员名册文件（.xlsx、.csv）")}
    return [(kind, said.get(kind, kind)) for kind in sorted(kinds(), key=lambda each: (each not in said, each))]


def bodies_for(person: Person) -> list[Organisation]:
    """For which bodies ``person`` may connect a source."""
    bodies = person.bodies_with(Right.SOURCES_CONNECT)
    if isinstance(bodies, Everything):
        return list(Organisation.objects.filter(kind=Kind.TRAINING_BASE).order_by("name"))
    return bodies


def may_allow_private(person: Person) -> bool:
    """Whether they decide that an address inside of the own network may be asked: who connects for everybody."""
    return person.bodies_with(Right.SOURCES_CONNECT) is EVERYTHING


def allowed_already(draft: SourceDraft, url: str) -> bool:
    """Whether ``url`` is the place of a source for which an address inside was allowed."""
    source = draft.source
    return bool(source and source.allow_private and origin(source.url) == origin(url))


def fields_of(draft: SourceDraft) -> list[Field]:
    """The options that the form of a kind asks for."""
    said = _labels()
    return [Field(name, said[name], draft.options.get(name, "")) for name in _FIELDS.get(draft.kind, ())]


def _labels() -> dict[str, str]:
    return {
        "report_id": gettext("报表编号"), "identity_field": gettext("身份证号所在的列或字段"),
        "since": gettext("只要这一天以后的结业"), "course": gettext("课程代码"), "course_name": gettext("课程名称"),
        "filing_number": gettext("备案编号"), "date": gettext("完成日期"), "hours": gettext("学时"),
    }  # fmt: skip


def options_said(source: Source) -> list[tuple[str, str]]:
    """The options that a source has, as people read them."""
    said = _labels()
    return [(said.get(name, name), str(value)) for name, value in source.options.items() if value]


def options_of(draft: SourceDraft, posted: Mapping[str, str]) -> dict[str, str]:
    """The options that a form sent."""
    return {name: posted.get(f"option-{name}", "").strip()[:200] for name in _FIELDS.get(draft.kind, ())}


def looked(found: dict[str, Any] | None) -> Looked | None:
    """What the last look found; None: nobody looked at it as it is now."""
    if found is None:
        return None
    rows = [row | {"at": parse_datetime(row["at"]) if row["at"] else None} for row in found.get("rows", [])]
    stopped = problem_of(found["stopped"]) if found.get("stopped") else None
    return Looked(
        ok=found["ok"], site=found["site"], release=found["release"], route=_route(found["route"]),
        # where nothing at all was reached, a list of what was not is only noise
        rights=[(_right(name), there) for name, there in found["capabilities"].items()]
        if any(found["capabilities"].values())
        else [],
        problems=[problem_of(each) for each in found["problems"]], rows=rows, stopped=stopped,
        counts=found.get("counts", {}), refused=found.get("refused", []),
        usable=stopped is None and (found["ok"] or bool(rows)),
    )  # fmt: skip


def problem_of(said: Mapping[str, str]) -> Problem:
    """A problem in the reader's language."""
    ours = None if english() else STOPS.get(said["code"])
    if ours is None:
        return Problem(said["code"], said["message"], for_learners(said["fix"]), "")
    # what is said of options of a command is a field of the form here
    return Problem(said["code"], ours[0], _OPTION.sub("", ours[1]), f"{said['message']} {said['fix']}")


def _route(name: str) -> str:
    said = {
        "plugin": gettext("配套插件"), "report": gettext("结业报表"), "enrolled": gettext("选课名单"),
        "file": gettext("文件"), "none": gettext("还没有能用的"),
    }  # fmt: skip
    return said.get(name, name)


def _right(name: str) -> str:
    said = {
        "site_info": gettext("令牌有效，能登录"), "plugin_functions": gettext("配套插件的函数"),
        "plugin_readable": gettext("配套插件读得出"), "plugin_digest": gettext("配套插件的摘要"),
        "plugin_changes": gettext("配套插件的变更日志"), "clock": gettext("时钟一致"),
        "report_functions": gettext("报表的函数"), "report_readable": gettext("报表读得出"),
        "report_columns": gettext("报表的列齐全"), "identity_column": gettext("身份证号读得出"),
        "time_filter": gettext("按时间筛选有效"), "enrolled_functions": gettext("选课名单的函数"),
        "course_list": gettext("课程列表"), "participants": gettext("学员名单"),
        "completion_status": gettext("结业状态"), "completion_time": gettext("结业时间"),
        "account_in_english": gettext("服务账号用英语"), "counts": gettext("行数自报"), "grades": gettext("成绩"),
        "reported_hours": gettext("自报学时"), "spans": gettext("按时间读"), "changes": gettext("变更日志"),
        "blocks": gettext("摘要比对"),
    }  # fmt: skip
    return said.get(name, name)
