"""Invented certificates that a template is tried with: what is usual, and what is as long, short or rare as it gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from agent.certificates.errors import GlyphMissing
from agent.certificates.facts import CertificateFacts
from agent.certificates.fonts import require_glyphs
from agent.certificates.numbers import make_number

CREDENTIAL = "eyJhbGciOiJub25lIn0.eyJzYW1wbGUiOnRydWV9."
"""What is attached to a sample: no certificate at all."""
_NUMBER = make_number("370400", 2024, "2", 1, 2, 17)
_LONGEST_NAME = "买买提·阿卜杜拉·吐尔逊江·麦麦提艾力·阿布都热西提·古丽努尔·艾尼瓦尔·木合塔尔·伊敏江·阿里木江"
_LONGEST_TITLE = (
    "2024年度鲁南地区卫生健康系统基层医疗机构临床医师常见病多发病规范化诊疗及合理用药能力提升高级研修班（第三期·线上线下结合）"
    "暨县域医疗共同体牵头医院学科带头人、乡镇卫生院骨干医师、社区卫生服务中心全科医生急诊急救与慢性病综合管理能力提升培训"
    "（含心脑血管疾病、糖尿病、慢性阻塞性肺疾病三个专题）与互联网医院远程会诊、处方点评、医疗质量控制工作实务研讨及现场教学"
    "（面向枣庄市中级以上职称人员，共计四期）"
)
_RARE = "𬎆𪚥䶮"  # of the standard table for names, and of CJK extensions A, B and E

ORDINARY = CertificateFacts(
    number=_NUMBER,
    token="23456789ABCDEFGHJKLMN",  # noqa: S106 - of a sample
    holder="欧阳明月",
    id_masked="370***********1234",
    programme="人工智能工程师培训",
    category="professional",
    series="工程",
    organiser="枣庄市工业和信息化局（示例）",
    organiser_uscc="1137040000431C3D4B",
    implementer="枣庄市在线学习中心（示例）",
    filing_number="枣人社备〔2024〕002号",
    hours=2400,
    learned_from=date(2024, 3, 1),
    learned_on=date(2024, 5, 13),
    issued_at=datetime(2024, 5, 14, 1, tzinfo=UTC),
    verify_url=f"HTTPS://XUESHI.EXAMPLE.ORG/VERIFY/{_NUMBER}/23456789ABCDEFGHJKLMN",
)
LONGEST: dict[str, str] = {
    "holder": _LONGEST_NAME[:50],
    "programme": _LONGEST_TITLE[:200],
    "organiser": "枣庄市卫生健康委员会与枣庄市中医药发展促进中心联合办公室（示例）",
    "implementer": "枣庄市专业技术人员继续教育公共服务平台新能源与智能制造分院联合教学点（示例）",
    "series": "卫生、农业、工程、经济、会计、统计、翻译、图书资料",
    "filing_number": "枣庄市人力资源和社会保障局备〔2024〕000002号（示例）",
    "id_masked": "EA*************************12",
}
"""The longest text that is expected in each field; a template holds all of them at once."""
CHANGED: dict[str, dict[str, Any]] = {
    "number": {"number": _NUMBER[:-1] + ("0" if _NUMBER[-1] != "0" else "1")},
    "holder": {"holder": LONGEST["holder"][:-1] + "力"},
    "id_masked": {"id_masked": LONGEST["id_masked"][:-1] + "9"},
    "programme": {"programme": LONGEST["programme"][:-1] + "力"},
    "series": {"series": LONGEST["series"][:-1] + "力"},
    "organiser": {"organiser": LONGEST["organiser"][:-2] + "力）"},
    "implementer": {"implementer": LONGEST["implementer"][:-2] + "力）"},
    "filing_number": {"filing_number": LONGEST["filing_number"][:-2] + "力）"},
    "hours": {"hours": 2450},
    "from": {"learned_from": date(2024, 3, 2)},
    "until": {"learned_on": date(2024, 5, 12)},
    "issued": {"issued_at": datetime(2024, 5, 15, 1, tzinfo=UTC)},
}
"""Field → the longest certificate with another last character in it: a page that stays the same does not show it."""


def longest(*fields: str) -> CertificateFacts:
    """The ordinary certificate with the longest texts; in ``fields`` only, where some are named."""
    texts: dict[str, Any] = {name: text for name, text in LONGEST.items() if not fields or name in fields}
    return replace(ORDINARY, **texts)


def shortest() -> CertificateFacts:
    """Two characters each, no implementer, one day, no tenth of an hour too many."""
    return replace(
        ORDINARY, holder="丁一", programme="急救", implementer="", series="", organiser="教育局", hours=50,
        filing_number="1号", learned_from=None,
    )  # fmt: skip


def rare() -> CertificateFacts:
    """A name of rare characters, of those that the fonts of this machine have; a middle dot, and a space."""
    drawn = [c for c in _RARE if _drawable(c)]
    return replace(ORDINARY, holder=f"{''.join(drawn)}𠮷·O’Neil 㐂", hours=750, learned_from=date(2024, 5, 13))


def _drawable(character: str) -> bool:
    try:
        require_glyphs({"sample": character})
    except GlyphMissing:
        return False
    return True


def samples() -> dict[str, CertificateFacts]:
    """What people look at before they publish, by name."""
    return {"ordinary": ORDINARY, "longest": longest(), "shortest": shortest(), "rare": rare()}
