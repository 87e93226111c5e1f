"""Papers in the reader's words: what they are, where they stand, and why one was not made."""

from __future__ import annotations

from django.utils.translation import gettext

from agent.errors import XueshiError
from agent.localtime import now
from agent.papers.models import Paper


def kind(paper: Paper) -> str:
    """What it is."""
    if paper.kind == Paper.Kind.COPY:
        return gettext("证书副本")
    return gettext("%(year)s年度学时证明") % {"year": paper.year}


def standing(paper: Paper) -> str:
    """``live``, ``ended`` (its holder took it back) or ``expired``."""
    if paper.ended_at:
        return "ended"
    return "live" if paper.expires_at > now() else "expired"


def refusal(error: XueshiError) -> str:
    """Why it was not made, and what to do."""
    said = {
        "E_PAPERS_ALIVE": gettext("已经有3份在有效期内。先收回一份，或等一份到期。"),
        "E_PAPER_PURPOSE": gettext("请用2到60个字写明给谁、做什么用。"),
        "E_PAPER_DAYS": gettext("有效期请选1到90天。"),
        "E_PAPER_STATE": gettext("这张证书现在不是有效状态，不能做副本。"),
        "E_GLYPH_MISSING": gettext("用途里有字体没有的字，请换一个写法。"),
        "E_PRIVATE_USE": gettext("用途里有字体没有的字，请换一个写法。"),
        "E_TEXT_CONTROL": gettext("用途里有看不见的字符，请重新输入。"),
    }
    return said.get(error.code, gettext("现在做不出来，请稍后再试。代码：%(code)s") % {"code": error.code})
