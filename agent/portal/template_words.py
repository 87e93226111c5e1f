"""What the console says of a template's faults: the sentence and what mends it, by code and field.

English is the check's own; the Chinese is here.
"""

# ruff: noqa: E501 - a sentence that a person reads stays on one line, so that it can be searched for

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.portal.words import english

FIELDS = {
    "number": "证书编号", "holder": "姓名", "id_masked": "证件号码", "programme": "项目名称", "series": "职称系列",
    "organiser": "主办单位", "implementer": "承办单位", "filing_number": "备案编号", "hours": "学时", "from": "开始日期",
    "until": "完成日期", "issued": "签发日期", "qr": "二维码", "all": "所有文字都最长时", "shortest": "所有文字都最短时",
    "rare": "生僻字", "images": "图片", "fonts": "字体", "title": "名称", "languages": "语言", "version": "版本号",
    "page": "纸张", "orientation": "方向", "seal": "印章位置", "fields": "字段", "id": "标识",
}  # fmt: skip
FAULTS = {
    "E_TEMPLATE_WORD": ("有不能用在继续教育证书上的字眼（中国、全国、国家、职业资格、岗位合格）。", "请删去。项目名称、单位名称来自备案数据，不在此限。"),
    "E_TEMPLATE_FIELD": ("版面上没有完整地印出这一项。", "请在版面里加上它，或者从 template.toml 的 fields 里去掉（可以不印的才行）。"),
    "E_TEMPLATE_OVERFLOW": ("文字长的时候放不下：出了纸面、被裁掉、压住别的字或压住二维码。", "请用 xueshi.typ 里的 fitting 或 in-two-lines，让字自己缩小、换行。"),
    "E_TEMPLATE_REACH": ("用到了文件夹以外的东西，或者用了不允许的功能。", "请把要用的文件放进文件夹，照文件名引用。"),
    "E_TEMPLATE_GLYPH": ("有字体里没有的字。", "请换一个字，或者画成 SVG。"),
    "E_TEMPLATE_PAGES": ("版面超过了一页。", "证书只有一页，请把各部分放在固定的位置。"),
    "E_TEMPLATE_DRAWING": ("版面排不出来。", "请按原话更正。"),
    "E_TEMPLATE_FONT": ("没有这种字体。", "请用原话里列出的字体。"),
    "E_TEMPLATE_HEAVY": ("文件太大。", "请用小一些的图片，或点数少一些的 SVG。"),
    "E_TEMPLATE_CODE": ("找不到至少 20 毫米见方的二维码，拿到纸的人没法验证。", "请加上 #code(30mm)。"),
    "E_TEMPLATE_FILE": ("有不该放进模板的文件。", "模板是一个文件夹：template.toml、template.typ 和图片，不超过 4 MB。"),
    "E_TEMPLATE_MANIFEST": ("template.toml 有一处写得不对。", "请按原话更正。"),
    "E_TEMPLATE_VERSION": ("这个版本号已经发布过，内容不一样。", "请把 template.toml 里的 version 加 1：发布过的永远不变。"),
    "E_TEMPLATE_REFUSED": ("检查没有通过，没有发布。", "请先改好列出的问题。"),
    "E_TEMPLATE_TRIAL": ("试排没有完成：用的时间或内存太多。", "请改得简单一些：一页通常只要百分之一秒。"),
    "E_TEMPLATE_UNKNOWN": ("没有这个模板。", "请从列表里选。"),
    "E_TEMPLATE_CHOICE": ("不能这样选用。", "请换一种语言或模板。"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as the reader is told it; ``original`` are the check's own words, when those are others."""

    code: str
    field: str
    sentence: str
    fix: str
    original: str


def fault(found: Mapping[str, str]) -> Fault:
    """A finding of the checks."""
    code, field = found["code"], found["field"]
    ours = None if english() else FAULTS.get(code)
    if ours is None:
        return Fault(code, field, found["message"], found["fix"], "")
    return Fault(code, FIELDS.get(field, field), *ours, found["message"])
