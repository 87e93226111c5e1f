"""What the pages of mappings and of the quarantine say: refusals, reasons, and the difference that a decision makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from agent.certificates.facts import hours_text
from agent.errors import XueshiError
from agent.mapping.preview import Trial
from agent.mapping.suggestions import HISTORY, SAME_CODE, Reason
from agent.portal.stops import STOPS
from agent.portal.words import english
from agent.programmes.models import Category, State
from connectors.errors import ConnectorError


def refusal(error: XueshiError | ConnectorError) -> str:
    """Why something was not done, in the reader's language; an error unknown to these pages keeps its own words."""
    said = {
        "E_LINK_OVERLAPS": gettext(
            "课程“%(course)s”在%(valid_from)s至%(valid_to)s已经对应“%(programme)s”。请改日期，或先撤销那个对应。"
        ),
        "E_LINK_DATES": gettext(
            "日期%(valid_from)s至%(valid_to)s不行：起不能晚于止，要在“%(programme)s”的期间（%(starts_on)s至%(ends_on)s）里。"
        ),
        "E_LINK_PROGRAMME": gettext("项目“%(programme)s”%(state)s，不能再对应课程。"),
        "E_LINK_UNKNOWN": gettext("这个对应已经被撤销了。请回到列表再看一遍。"),
        "E_REASON": gettext("请写明原因：它与决定一起存档。"),
        "E_STAGES_BUSY": gettext("各环节正在处理刚到的记录，预演要等它们做完。请过一分钟再试，什么都没有改变。"),
        "E_HELD_GONE": gettext("其中有的记录已经放行或更正了。请回到列表再看一遍，什么都没有改变。"),
        "E_NO_DECISION": gettext("这个原因不能由人决定：按“怎样放行”改好以后，会自动放行。"),
        "E_PERSON_OTHER_NAME": gettext("请选一位同名的学员；姓名写错的，请在学习平台更正。"),
        "E_SOURCE_NAME": gettext("名称“%(name)s”已经有了，或者不能用。请换一个。"),
        "E_KIND_UNKNOWN": gettext("没有装这一种来源。"),
        "E_UPLOAD": gettext("文件“%(file)s”没有收下：请上传不超过20MB的.xlsx或.csv。"),
        "E_TOKEN_AGAIN": gettext("网址换到了别的地方，原来的令牌不会送过去。请把新地方的令牌一起填上。"),
        "E_SOURCE_STALE": gettext("您打开这一页以后，别人改过“%(name)s”，所以没有照办。请看现在的设置，再改一次。"),
        "E_NOT_CHECKED": gettext("还没有检查，或检查出的问题还没有改好。请先检查一次。"),
        "E_SCHEDULE": gettext("时间“%(value)s”看不懂：请写15m、2h、1d，或五段的cron。"),
        "E_DECISION_UNKNOWN": gettext("这个决定已经被收回了。"),
    }.get(error.code)
    if said is None and error.code in STOPS and not english():
        return "".join(STOPS[error.code]).replace("{name}", str(error.params.get("source", "")))
    return said % _shown(error.params) if said else error.message


def _shown(params: Mapping[str, Any]) -> dict[str, Any]:
    state = params.get("state")
    return {**params, "state": gettext(State(state).label)} if state in State.values else dict(params)


def reason(why: Reason) -> str:
    """Why a programme is likely, in one clause."""
    if why.kind == SAME_CODE:
        return gettext("这门课程的代码以前对应过“%(of)s”") % {"of": why.of}
    if why.kind == HISTORY:
        return gettext("名称相近的课程以前对应过“%(of)s”") % {"of": why.of}
    return gettext("课程名称与项目名称相近（%(percent)d%%）") % {"percent": round(why.likeness * 100)}


def category(name: str) -> str:
    """Public or professional."""
    return gettext(str(Category(name).label))


def signed(hundredths: int) -> str:
    """Hours with their sign."""
    return ("+" if hundredths > 0 else "−") + hours_text(abs(hundredths))


def headline(trial: Trial) -> str:
    """The difference in one line."""
    if trial.matched:
        said = ngettext(
            "%(n)s条记录将放行，%(people)s人得到学时", "%(n)s条记录将放行，%(people)s人得到学时", trial.matched
        )
        return said % {"n": f"{trial.matched:,}", "people": f"{trial.learners:,}"}
    if trial.unmatched:
        return ngettext("%(n)s条记录将不再计入", "%(n)s条记录将不再计入", trial.unmatched) % {
            "n": f"{trial.unmatched:,}"
        }
    if trial.moved:
        return ngettext("%(n)s条记录将改属另一个项目", "%(n)s条记录将改属另一个项目", trial.moved) % {
            "n": f"{trial.moved:,}"
        }
    return gettext("没有一条记录会因此改变")


def short(code: str) -> str:
    """A code in a few words; one that we don't know stays as it is."""
    said = {
        "E_ID_MISSING": gettext("没有身份证号"), "E_ID_CHECKSUM": gettext("身份证号校验码不对"),
        "E_ID_FORMAT": gettext("证件号不是身份证号"), "E_ID_DATE": gettext("身份证号中的日期不存在"),
        "E_ID_MASKED": gettext("身份证号被打码"), "E_ID_PRECISION_LOST": gettext("身份证号末几位丢失"),
        "E_NAME_CONFLICT": gettext("同一号码两个姓名"), "E_NAME_MISSING": gettext("没有姓名"),
        "E_NAME_PRIVATE_USE": gettext("姓名含自造字"), "E_NAME_DAMAGED": gettext("姓名有字丢失"),
        "E_NAME_TOO_LONG": gettext("姓名太长"), "E_TIME_UNKNOWN": gettext("不知道何时结业"),
        "E_COURSE_UNMAPPED": gettext("课程没有对应的项目"), "E_COURSE_AMBIGUOUS": gettext("课程对应了多个项目"),
        "E_FILING_UNKNOWN": gettext("备案编号查无此项目"), "E_PROGRAMME_NOT_FILED": gettext("项目尚未备案"),
        "E_DATE_RANGE": gettext("不在备案期间内"), "E_NO_POLICY": gettext("年度政策尚未发布"),
        "E_LATE_YEAR": gettext("截止日之后才送到"), "E_HOURS_INVALID": gettext("学时无法认定"),
        "E_DATE_INVALID": gettext("日期无法识别"), "E_RESULT_INVALID": gettext("考核结果无法识别"),
        "E_ROW_REFUSED": gettext("数据库不接受的行"), "E_ROW_MALFORMED": gettext("来源的行不完整"),
        "E_GLYPH_MISSING": gettext("证书字体缺字"), "E_PRIVATE_USE": gettext("证书上有自造字"),
        "E_TEXT_CONTROL": gettext("有看不见的控制字符"), "E_CERT_NOT_APPROVED": gettext("证书等主办单位批准"),
    }  # fmt: skip
    return said.get(code, code)


def decision(kind: str) -> str:
    """What was decided, in a few words."""
    said = {
        "same_person": gettext("账号就是这个人"),
        "alias": gettext("姓名是同一人的另一种写法"),
        "waiver": gettext("仍然接受"),
    }
    return said.get(kind, kind)
