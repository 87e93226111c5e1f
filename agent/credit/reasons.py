"""The sentences that say why an achievement counts what it counts: one table, Chinese first.

A *reason code* is stable, others may script against it. Hours in the sentences are written as people write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

REASONS: Mapping[str, tuple[str, str]] = {
    "credited": (
        "认定 {credited} 学时：备案 {filed} 学时",
        "{credited} h credited: filed with {filed} h",
    ),
    "over_filed": (
        "认定 {credited} 学时：来源报 {claimed} 学时，以备案 {filed} 学时为准",
        "{credited} h credited: the source reports {claimed} h, the {filed} h filed prevail",
    ),
    "partial": (
        "认定 {credited} 学时：实际学习 {claimed} 学时，备案 {filed} 学时",
        "{credited} h credited: {claimed} h were actually attended of the {filed} h filed",
    ),
    "attendance": (
        "认定 {credited} 学时：按出勤课次计（来源报 {claimed} 学时，备案 {filed} 学时）",
        "{credited} h credited: by the sessions attended (the source reports {claimed} h, {filed} h were filed)",
    ),
    "duration": (
        "认定 {credited} 学时：共学习 {days} 天，每天最多 {cap} 学时，其余 {capped} 学时不计",
        "{credited} h credited: {days} day(s) of at most {cap} h each, the other {capped} h do not count",
    ),
    "day_cap": (
        "认定 {credited} 学时：当日已满 {cap} 学时（各来源合计），超出 {over} 学时不计",
        "{credited} h credited: the day has its {cap} h (over all sources), {over} h beyond do not count",
    ),
    "days_cap": (
        "认定 {credited} 学时：学习期间（{days} 天）每天已满 {cap} 学时（各来源合计），超出 {over} 学时不计",
        "{credited} h credited: its {days} days are full at {cap} h (over all sources), {over} h beyond do not count",
    ),
    "duplicate_course": (
        "不计学时：同一课程本年度已计学时（{first_day} 完成的一次）",
        "0 h credited: the same course already counts in this year (as finished on {first_day})",
    ),
    "certificate_revoked": (
        "不计学时：据以认定的证书已被撤销",
        "0 h credited: the certificate that stood for it was revoked",
    ),
    "programme_voided": (
        "不计学时：项目的备案已作废",
        "0 h credited: the filing of the programme was voided",
    ),
    "subject_not_listed": (
        "不计学时：“{subject}”不在本年度公需科目目录内",
        "0 h credited: “{subject}” is not in this year's catalogue of subjects",
    ),
    "actual": (
        "认定 {credited} 学时：按实际学时",
        "{credited} h credited: the actual hours",
    ),
    "attended": (
        "认定 {credited} 学时：按实际参加的课次计（申报 {claimed} 学时；仪式、往返和休息时间不计）",
        "{credited} h credited: by the sessions attended (of {claimed} h; ceremonies, travel and rest do not count)",
    ),
    "item": (
        "认定 {credited} 学时：每项 {each} 学时",
        "{credited} h credited: {each} h an item",
    ),
    "prevailing": (
        "认定 {credited} 学时：{document} 另有规定，每项 {each} 学时",
        "{credited} h credited: {document} prevails, {each} h an item",
    ),
    "item_used": (
        "不计学时：同一证书或成果只认定一次（{first_day} 的一项已计）",
        "0 h credited: one certificate or work counts once (that of {first_day} does)",
    ),
    "item_before": (
        "不计学时：这一证书或成果此前已认定过",
        "0 h credited: this certificate or work was credited before",
    ),
    "year_cap": (
        "认定 {credited} 学时：这一类每年累计不超过 {per_year} 学时，超出 {over} 学时不计",
        "{credited} h credited: this kind counts at most {per_year} h a year, {over} h beyond do not count",
    ),
    "covered": (
        "认定 {credited} 学时：其中 {covered} 学时本地已计，不重复计",
        "{credited} h credited: {covered} h of it count here already, and not twice",
    ),
    "secondment": (
        "认定 {credited} 学时：援派 {months} 个月",
        "{credited} h credited: {months} month(s) of secondment",
    ),
    "secondment_months": (
        "认定 {credited} 学时：援派 {touched} 个月中 {months} 个月计入（当月满 {least} 天计一个月，每月一次）",
        "{credited} h credited: {months} of {touched} month(s) count (from {least} days on, and each month once)",
    ),
    "not_filed": (
        "不计学时：培训项目未经备案",
        "0 h credited: the training's programme is not on record",
    ),
    "not_passed": (
        "不计学时：未取得合格证书",
        "0 h credited: not passed",
    ),
    "late_year": (
        "暂不计学时：宽限期之后才同步，须由人工处理；不会计入次年",
        "0 h credited: it arrived after the grace, a person decides; it never moves to the next year",
    ),
    "other_year": (
        "不计学时：{learned_on} 完成，属于 {year} 年度",
        "0 h credited: done on {learned_on}, it belongs to {year}",
    ),
    "evidence_type": (
        "不计学时：所附材料不是这一类成果的有效证明",
        "0 h credited: the evidence is of no type that stands for this kind",
    ),
    "evidence_parts": (
        "不计学时：证明材料不齐，缺少规定的页面",
        "0 h credited: the evidence lacks pages that it has to have",
    ),
    "wrong_auditor": (
        "不计学时：审核单位不符（用人单位审核；自由职业者由人事代理机构或街道、社区人社服务机构审核）",
        "0 h credited: not audited by who has to (the employer; for freelancers the agency or the street's HR office)",
    ),
    "carried_over": (
        "认定 {credited} 学时：上年度结转，最多 {most} 学时",
        "{credited} h credited: carried over from last year, at most {most} h",
    ),
    "lapsed": (
        "不计学时：上年度超出的学时不结转",
        "0 h credited: last year's surplus lapsed",
    ),
    "rounded": (
        "认定 {credited} 学时：{claimed} 学时，认定时向下取到 {step} 学时",
        "{credited} h credited: {claimed} h, credited down to {step} h",
    ),
}


def hours_text(hundredths: int) -> str:
    """Hundredths of an hour as people write hours: 800 → ``8``, 750 → ``7.5``, 133 → ``1.33``."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def sentence(code: str, language: Language, params: Mapping[str, object]) -> str:
    """The sentence of a reason. ``params`` are those of `agent.credit.rules.Decision.params`; they may be stored."""
    return REASONS[code][0 if language == "zh" else 1].format_map(dict(params))
