"""What a check finds in a filing: a stable code, the field, a sentence and what mends it, in Chinese and English.

``stop``: it can't be submitted so. ``hint``: somebody should look at it; the bureau sees it too.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class _Told(NamedTuple):
    level: Literal["stop", "hint"]
    zh: str
    fix_zh: str
    en: str
    fix_en: str


CODES: dict[str, _Told] = {
    "F_MISSING": _Told("stop", "还没有填。", "请填写。", "It is empty.", "Fill it in."),
    "F_HOURS": _Told(
        "stop", "“{value}”不是学时数。", "请写0.01到1000之间的数，最多两位小数。",
        "«{value}» is no number of hours.", "Write 0.01 to 1000, two decimals at most.",
    ),
    "F_DATE": _Told(
        "stop", "“{value}”不是日期。", "请写成2026-03-09这样。", "«{value}» is no date.", "Write it like 2026-03-09.",
    ),
    "F_NUMBER": _Told(
        "stop", "“{value}”不是人数。", "请写一个整数。", "«{value}» is no number of people.", "Write a whole number.",
    ),
    "F_FEE": _Told(
        "stop", "“{value}”不是金额。", "请写每人多少元；不收费的写0。", "«{value}» is no amount.",
        "Write yuan a person; 0 for nothing.",
    ),
    "F_CHOICE": _Told(
        "stop", "没有“{value}”这个选项。", "请从列表里选。", "«{value}» is no choice here.", "Choose from the list.",
    ),
    "F_TIMETABLE_ROW": _Told(
        "stop", "课程表第{row}行不完整，或者日期、学时看不懂。", "每行要有主题和学时；日期写成2026-03-09这样。",
        "Row {row} of the timetable is not whole, or its date or hours can't be understood.",
        "Each row has a topic and hours; dates are like 2026-03-09.",
    ),
    "F_DATES_ORDER": _Told(
        "stop", "结束日期早于开始日期。", "请核对两个日期。",
        "The last day lies before the first.", "Check both dates.",
    ),
    "F_DATES_YEAR": _Told(
        "stop", "培训日期不在{year}年内。学时按年度计算，一个项目只在一个年度。", "跨年的请每个年度各备案一个。",
        "The dates do not lie in {year}: hours belong to a year.", "File one programme for each year.",
    ),
    "F_TIMETABLE_MISSING": _Told(
        "stop", "还没有课程表。", "请按天列出主题、教师和学时。", "There is no timetable.",
        "List topics, teachers and hours by day.",
    ),
    "F_SESSION_DATE": _Told(
        "stop", "课程表第{row}行没有日期。", "线下的课要写日期；全部线上的项目可以不写。",
        "Row {row} of the timetable has no date.", "Only a programme that is wholly online may leave it out.",
    ),
    "F_TIMETABLE_SUM": _Told(
        "stop", "课程表合计{sum}学时，申报的是{hours}学时。", "请让两边一致；开班仪式、考察路途不算学时。",
        "The timetable comes to {sum} hours, {hours} are filed.",
        "Make both the same; ceremonies and travel do not count.",
    ),
    "F_DAY_CAP": _Told(
        "stop", "{date}排了{hours}学时，一天最多{cap}学时。", "请把课分到别的日子。",
        "{date} has {hours} hours, a day has {cap} at most.", "Move lessons to another day.",
    ),
    "F_DAYS_SHORT": _Told(
        "stop", "从开始到结束共{days}天，最多{most}学时，申报的是{hours}学时。", "请延长日期或减少学时。",
        "{days} days hold {most} hours at most, {hours} are filed.", "Lengthen the dates, or file fewer hours.",
    ),
    "F_OUTSIDE": _Told(
        "stop", "课程表里的{date}不在{starts_on}至{ends_on}之间。", "请核对课程表和起止日期。",
        "{date} in the timetable does not lie between {starts_on} and {ends_on}.", "Check the timetable and the dates.",
    ),
    "F_LEAD_TIME": _Told(
        "stop", "离开班只有{days}个工作日，应当提前{needed}个工作日备案。",
        "请推迟开班，或者填写“补报理由”，由人社局决定。",
        "The first day is {days} working days away, {needed} are needed.",
        "Begin later, or say why it is late: the bureau decides.",
    ),
    "F_LEAD_WAIVER": _Told(
        "hint", "离开班只有{days}个工作日（应为{needed}个），已写补报理由，受理时须说明准予补报。", "由人社局决定。",
        "The first day is {days} working days away ({needed} are needed); a reason is given.",
        "The bureau decides, and says why.",
    ),
    "F_CALENDAR": _Told(
        "hint", "{year}年的放假安排还没有公布，工作日暂按周一至周五计算。", "公布以后会重新计算。",
        "The holidays of {year} are not published yet: Monday to Friday were counted.", "It is counted anew later.",
    ),
    "F_SIMILAR": _Told(
        "hint", "和“{title}”（{key}，{state}，{starts_on}至{ends_on}）很像。", "请确认不是同一个班报了两次。",
        "It resembles «{title}» ({key}, {state}, {starts_on} to {ends_on}).", "Make sure that it is not filed twice.",
    ),
    "F_TITLE_BODY": _Told(
        "hint", "项目名称里写着“{body}”，主办单位却是“{organiser}”。", "请核对由谁主办。",
        "The title names «{body}», the organiser is «{organiser}».", "Check who organises it.",
    ),
    "F_ORGANISER_NAME": _Told(
        "stop", "主办单位写的是“{value}”，信用代码登记的是“{organiser}”。", "请按登记的名称填写。",
        "The organiser is written «{value}», on record is «{organiser}».", "Write the name on record.",
    ),
    "F_WORD": _Told(
        "stop", "项目名称里不能有“{word}”：它不是职业资格培训。", "请改一个名称。",
        "The title may not say «{word}»: this is no vocational qualification.", "Choose another title.",
    ),
    "F_WORD_WIDE": _Told(
        "hint", "项目名称里有“{word}”，会印在证书上。", "请确认不会让人误以为是国家级证书。",
        "The title says «{word}», and certificates will show it.", "Make sure nobody takes it for a national one.",
    ),
    "F_ENTITLED": _Told(
        "stop", "“{organiser}”不是行业主管部门，不能备案专业科目（R08）。", "请由行业主管部门备案，本单位承办。",
        "«{organiser}» is no sector department and can't file professional programmes (R08).",
        "A sector department files it; this body carries it out.",
    ),
    "F_SUBJECT": _Told(
        "stop", "“{value}”不在{year}年公需科目目录里。", "请从目录里选。",
        "«{value}» is not in the catalogue of {year}.", "Choose from the catalogue.",
    ),
    "F_SUBJECT_OTHER": _Told(
        "hint", "“{value}”不在{year}年公需科目目录里；目录有“等”字，由人社局决定。",
        "如果目录里有合适的，请选目录里的。",
        "«{value}» is not in the catalogue of {year}; the list is open, the bureau decides.",
        "Prefer a subject of the list.",
    ),
    "F_IMPLEMENTER": _Told(
        "stop", "没有信用代码为“{value}”的承办单位。", "请从列表里选。", "There is no body with the code «{value}».",
        "Choose from the list.",
    ),
    "F_BASE_ENDED": _Told(
        "stop", "承办的基地资格到{until}为止，早于开班日期。", "请换一个承办单位，或者改日期。",
        "The base's status ends on {until}, before the first day.", "Choose another base, or other dates.",
    ),
    "F_TEACHER": _Told(
        "hint", "课程表里的教师“{teacher}”不在师资名单里。", "请补进名单，或者核对姓名。",
        "«{teacher}» of the timetable is not among the teachers.", "Add them, or check the name.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found, at a field of the form."""

    code: str
    field: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def level(self) -> str:
        """``stop`` or ``hint``."""
        return CODES[self.code].level

    @property
    def stops(self) -> bool:
        """Whether it can't be submitted so."""
        return self.level == "stop"

    @property
    def sentence_zh(self) -> str:
        """The sentence in Chinese."""
        return CODES[self.code].zh.format_map(self.params)

    @property
    def sentence_en(self) -> str:
        """The sentence in English."""
        return CODES[self.code].en.format_map(self.params)

    @property
    def fix_zh(self) -> str:
        """What mends it, in Chinese."""
        return CODES[self.code].fix_zh

    @property
    def fix_en(self) -> str:
        """What mends it, in English."""
        return CODES[self.code].fix_en
