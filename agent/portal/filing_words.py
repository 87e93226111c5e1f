"""How filings are told: the names of fields, values as people read them, and what stops a step."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext, ngettext

from agent.errors import XueshiError
from agent.organisations.models import Organisation
from agent.portal.words import english
from agent.programmes.content import FIELDS, Typed
from agent.programmes.models import Mode, VoidProposal
from agent.programmes.transitions import CODES, Code, Kind, State

_CATEGORIES = {"public": "公需科目", "professional": "专业科目"}


def label(name: str) -> str:
    """A field's name."""
    return {
        "title": gettext("项目名称"), "category": gettext("类别"), "subject": gettext("公需科目"),
        "series": gettext("职称系列"), "specialty": gettext("专业"), "mode": gettext("培训方式"),
        "audience": gettext("培训对象"), "capacity": gettext("计划人数"), "hours": gettext("学时"),
        "starts_on": gettext("开始日期"), "ends_on": gettext("结束日期"), "place": gettext("培训地点"),
        "fee": gettext("每人收费（元）"), "implementer": gettext("承办单位"), "teachers": gettext("师资"),
        "remarks": gettext("说明"), "late_reason": gettext("补报理由"), "timetable": gettext("课程表"),
    }[name]  # fmt: skip


def hint(name: str) -> str:
    """What to know when filling a field in."""
    return {
        "title": gettext("会印在证书上；不要写年份以外的编号"), "subject": gettext("公需科目填写，从目录里选"),
        "series": gettext("专业科目填写，如：卫生、工程"), "specialty": gettext("专业科目填写，可不填"),
        "hours": gettext("等于课程表的合计，一天最多8学时"), "starts_on": gettext("须提前备案，按工作日计算"),
        "place": gettext("线上的可不填"), "fee": gettext("不收费写0"),
        "teachers": gettext("一人一行：姓名，职称，单位"), "remarks": gettext("可不填"),
        "late_reason": gettext("没有提前备案的，在这里说明原因"),
    }.get(name, "")  # fmt: skip


def shown(name: str, typed: Typed, bodies: dict[str, str]) -> str:
    """A field's value as people read it."""
    if name == "timetable":
        rows = typed.get("timetable") or []
        return "\n".join("  ".join(filter(None, (r["date"], r["topic"], r["teacher"], r["hours"]))) for r in rows)
    value = str(typed.get(name) or "")
    if name == "category" and value in _CATEGORIES:
        return gettext(_CATEGORIES[value])
    if name == "mode" and value in Mode.values:
        return gettext(Mode(value).label)
    if name == "implementer":
        return bodies.get(value, value)
    return value


def filled(typed: Typed) -> list[str]:
    """The fields that say something, in the form's order."""
    return [name for name in FIELDS if typed.get(name)]


def state(key: str) -> str:
    """Where a filing stands."""
    return gettext(State(key).label) if key in State.values else key


def step(kind: str) -> str:
    """What happens."""
    return gettext(Kind(kind).label) if kind in Kind.values else kind


def code(key: str) -> str:
    """Why the bureau decided so."""
    return gettext(Code(key).label) if key in Code.values else key


def fate(key: str) -> str:
    """What becomes of what was given."""
    return gettext(VoidProposal.Fate(key).label) if key in VoidProposal.Fate.values else key


def codes_of(kinds: list[Kind]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The codes of each step, to be chosen from."""
    return [(step(kind), [(each.value, code(each)) for each in CODES[kind]]) for kind in kinds if kind in CODES]


def body_names(bodies: list[Organisation]) -> dict[str, str]:
    """Names by credit code."""
    return {each.uscc: each.name for each in bodies}


def stopped(error: XueshiError) -> str:
    """Why a step was not taken, for who pressed the button."""
    said = {
        "E_TRANSITION": gettext("现在的状态下不能这样做：多半是已经办过了。请看下面的现状。"),
        "E_FILING_INCOMPLETE": gettext("还不能提交：请先改正标出的地方。"),
        "E_FILING_NOT_EDITABLE": gettext("现在不能改表：它已经交给人社局，或者已经办结。要改，请先撤回。"),
        "E_DECISION_STALE": gettext("您打开这一页以后，它又有了变化，所以没有照办。请再看一遍，再决定。"),
        "E_REASON_MISSING": gettext("没有照办：请写明理由。"),
        "E_REASON_CODE": gettext("没有照办：所选的理由类别不适用于这一步。"),
        "E_WAIVER_MISSING": gettext("没有受理：它没有按期备案，受理时请选“准予补报”并写明理由，或者退回。"),
        "E_WRONG_DAY": gettext("没有照办：今天还不能（或者已经不能）这样做，请看起止日期。"),
        "E_TWO_PEOPLE": gettext("没有作废：须由提议人以外的另一位确认。"),
        "E_OWN_DECISION": gettext("没有照办：这是您自己提交或者申请的，须由人社局的另一位工作人员决定。"),
        "E_PROPOSAL_OPEN": gettext("已经有人提议作废，等第二人确认。"),
        "E_NO_PROPOSAL": gettext("没有等待确认的作废提议。"),
        "E_ATTACHMENT": gettext(
            "文件没有收下：只收PDF、PNG、JPG、DOCX、XLSX，内容要与名字相符，每个不超过20 MB，不带宏，也过得了查毒。"
        ),
        "E_SCANNER": gettext("文件没有收下：查毒程序没有给出结果，请稍后再试，或者告诉平台管理员。"),
        "E_PROGRAMME_FILE": gettext("表格没有读成，什么也没有改。"),
    }.get(error.code)
    if said is None:
        return error.message
    detail = error.message if english() else ""
    return f"{said} {detail}".strip() if error.code == "E_ATTACHMENT" else said


def queue_headline(waiting: int, overdue: int, today: int) -> str:
    """What the bureau came to know."""
    if not waiting:
        return gettext("没有等您决定的备案")
    said = ngettext("%(n)d件备案等您决定", "%(n)d件备案等您决定", waiting) % {"n": waiting}
    if overdue:
        said += ngettext("，%(n)d件已经超期", "，%(n)d件已经超期", overdue) % {"n": overdue}
    if today:
        said += ngettext("，%(n)d件今天到期", "，%(n)d件今天到期", today) % {"n": today}
    return said


def own_headline(returned: int, drafts: int, total: int) -> str:
    """What a department came to know."""
    if not total:
        return gettext("还没有备案项目")
    if returned:
        return ngettext("%(n)d个项目被退回，等您改正", "%(n)d个项目被退回，等您改正", returned) % {"n": returned}
    if drafts:
        return ngettext("%(n)d份草稿还没有提交", "%(n)d份草稿还没有提交", drafts) % {"n": drafts}
    return ngettext("%(n)d个备案项目", "%(n)d个备案项目", total) % {"n": total}


def due_words(due: date, today: date) -> str:
    """By when the bureau decides."""
    days = (due - today).days
    if days < 0:
        return ngettext("已超期%(n)d天", "已超期%(n)d天", -days) % {"n": -days}
    if days == 0:
        return gettext("今天到期")
    return gettext("%(day)s前") % {"day": due.isoformat()}
