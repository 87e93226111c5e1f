"""What a learner is told of a course on its way: the step in a word, what they can do, how soon it goes on."""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import localtime
from django.utils.translation import gettext

from agent.portal.track import Mender, Step, Track


def step_name(step: Step) -> str:
    """A step, as people say it."""
    return {
        Step.ARRIVED: gettext("已到达"),
        Step.MATCHED: gettext("已认出本人"),
        Step.MAPPED: gettext("已对应项目"),
        Step.CREDITED: gettext("已计学时"),
        Step.CERTIFIED: gettext("已发证书"),
        Step.HANDED_ON: gettext("已上报"),
    }[step]


def said(track: Track) -> str:
    """Where it is, in a word or two."""
    return step_name(track.reached) + (gettext("，等待处理") if track.waits_for else "")


def expected(track: Track, next_read: datetime | None) -> str:
    """How soon it goes on; empty: there is nothing to wait for.

    :param next_read: when the source is read next; None: not by the clock
    """
    if not track.waits_for:
        return gettext("证书一般几分钟内签发。") if track.reached is Step.CREDITED < track.ends else ""
    if track.mender is Mender.PERSON:
        return gettext("对方办好以后，几分钟内自动继续。")
    if track.mender is Mender.HOUSE:
        return gettext("平台处理好以后自动继续，您不用做什么。")
    if next_read is None:
        return gettext("更正以后，下一次读取时自动继续。")
    return gettext("更正以后，下一次读取（不晚于%(at)s）时自动继续。") % {"at": f"{localtime(next_read):%m-%d %H:%M}"}


def you_can(code: str) -> str:
    """What the learner themselves can do about a held row or a certificate that waits."""
    number = gettext("登录学习平台，对照身份证看个人资料里的号码；不能自己改的，带证件请基地改。不用重学。")
    name = gettext("登录学习平台，对照身份证看个人资料里的姓名；不能自己改的，带证件请基地改。不用重学。")
    base = gettext("把课程名称和这里的原因告诉开课的基地，请它确认课程属于哪个备案项目。")
    organiser = gettext("可以问主办单位什么时候办好；您不用做别的。")
    table = {
        **dict.fromkeys(("E_ID_CHECKSUM", "E_ID_FORMAT", "E_ID_DATE", "E_ID_MASKED", "E_ID_MISSING",
                         "E_ID_PRECISION_LOST"), number),
        **dict.fromkeys(("E_NAME_CONFLICT", "E_NAME_MISSING", "E_NAME_PRIVATE_USE", "E_NAME_DAMAGED",
                         "E_NAME_TOO_LONG", "E_GLYPH_MISSING", "E_PRIVATE_USE", "E_TEXT_CONTROL"), name),
        **dict.fromkeys(("E_COURSE_UNMAPPED", "E_COURSE_AMBIGUOUS", "E_FILING_UNKNOWN"), base),
        **dict.fromkeys(("E_PROGRAMME_NOT_FILED", "E_CERT_NOT_FILED", "E_CERT_NOT_ENTITLED",
                         "E_CERT_NOT_APPROVED"), organiser),
        **dict.fromkeys(("E_DATE_RANGE", "E_CERT_DATES"),
                        gettext("看看学习平台上的结业日期；不对的，拿结业材料请基地更正。")),
        "E_LATE_YEAR": gettext("请基地向人社局写明为什么晚送；准予计入的，会自动计入学习当年。"),
        "E_TIME_UNKNOWN": gettext("请基地按说明建好结业报表；您不用做别的。"),
    }  # fmt: skip
    return table.get(code, gettext("您不用做什么。"))


def you_can_of_cut(reason: str) -> str:
    """What the learner can do about hours that a rule left out, by the reason of the ledger."""
    table = {
        "day_cap": gettext("这些学时补不回来；以后请把课程分在不同的日子学，差的另选一门。"),
        "days_cap": gettext("这些学时补不回来；以后请把课程分在不同的日子学，差的另选一门。"),
        "duration": gettext("如果实际学了更多天，请基地在学习平台补上开始日期，会自动重算。"),
        "duplicate_course": gettext("同一门课一年只计一次，请另选一门。"),
        "partial": gettext("缺的课次补上以后，请基地更正出勤，会自动重算。"),
        "attendance": gettext("出勤记得不对的，请基地更正，会自动重算。"),
        "over_filed": gettext("以备案的学时为准；您不用做什么。"),
        "subject_not_listed": gettext("请另选目录里的公需科目。"),
        "certificate_revoked": gettext("撤销的理由写在证书的验证页上；有异议请联系主办单位。"),
        "programme_voided": gettext("有异议请联系主办单位或人社局。"),
        "attended": gettext("出勤记得不对的，请基地更正，会自动重算。"),
        "item_used": gettext("同一证书或成果只计一次，请用另一项。"),
        "item_before": gettext("同一证书或成果只计一次，请用另一项。"),
        "year_cap": gettext("这一类今年已计满，差的请用其他方式补足。"),
        "covered": gettext("这些学时本地已经计过，一小时也没有少。"),
        "secondment_months": gettext("天数记得不对的，请派出单位更正。"),
        "not_filed": gettext("可以问主办单位项目是否备案；以后请先看备案号再报名。"),
        "not_passed": gettext("可以问基地能否补考；合格以后会自动计入。"),
        "late_year": gettext("请基地向人社局写明为什么晚送；准予计入的，会自动计入学习当年。"),
        "other_year": gettext("请看那一年的学时；日期不对的，拿结业材料请基地更正。"),
        "evidence_type": gettext("请换成规定的证明材料再申报。"),
        "evidence_parts": gettext("请补齐缺少的页面再申报。"),
        "wrong_auditor": gettext("请交给应当审核的单位审核。"),
        "lapsed": gettext("上一年多出的学时不能用于今年，差的请另学。"),
    }
    return table.get(reason, gettext("您不用做什么。"))
