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
