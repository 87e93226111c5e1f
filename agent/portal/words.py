"""What the pages say: the first line of each, and how figures and sentences of other rooms are set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language, gettext, ngettext

from agent.certificates.facts import hours_text
from agent.credit.policy_model import CategoryName
from agent.credit.rules import Standing
from agent.programmes.models import State

_HAN = "\u3400-\u9fff（）：，。“”〔〕"
_GAP = re.compile(rf"(?<=[{_HAN}]) (?=[0-9A-Za-z])|(?<=[0-9A-Za-z]) (?=[{_HAN}])")
_COMMAND = re.compile(r"(?:：xueshi [^。；]*|\s?[（(]xueshi [^）)]*[）)])")
# what the ledger of certificates writes as a reason, as a reader is told it
_EVENT_REASONS = {
    "taken back by the source": "来源撤回了这条学习记录",
    "mapping withdrawn": "课程与项目的对应已撤销",
    "decision taken back": "这条记录所依据的决定已收回",
    "issued": "签发",
}


def english() -> bool:
    """Whether the page speaks English."""
    return (get_language() or "").startswith("en")


def tight(text: str) -> str:
    """A Chinese sentence without typed gaps around figures: the thin space is the style sheet's (text-autospace)."""
    return _GAP.sub("", text)


def for_learners(fix: str) -> str:
    """A fix without the command in it: those who read it here have none."""
    return _COMMAND.sub("", fix)


def readable(params: Mapping[str, Any]) -> dict[str, Any]:
    """A held item's parameters with the codes in them as words."""
    state = params.get("state")
    return {**params, "state": gettext(State(state).label)} if state in State.values else dict(params)


def event_reason(reason: str) -> str:
    """Why a certificate changed its state."""
    return gettext(_EVENT_REASONS[reason]) if reason in _EVENT_REASONS else reason


def certificate_state(state: str) -> str:
    """Where a certificate stands; a state that we don't know keeps its own word."""
    said = {
        "issued": gettext("有效"),
        "suspended": gettext("已暂停"),
        "superseded": gettext("已换发"),
        "revoked": gettext("已撤销"),
    }
    return said.get(state, state)


def reason_class(key: str) -> str:
    """Why a certificate's state changed; a class that we don't know keeps its own word."""
    said = {
        "wrong_facts": gettext("信息有误"),
        "improper": gettext("违规取得"),
        "filing_voided": gettext("备案作废"),
        "source_withdrew": gettext("来源撤回"),
        "holder_asked": gettext("本人申请"),
        "name_corrected": gettext("姓名更正"),
        "hours_corrected": gettext("学时更正"),
        "under_review": gettext("正在核查"),
        "cleared": gettext("核查无误"),
        "other": gettext("其他"),
    }
    return said.get(key, key)


def category_name(category: CategoryName) -> str:
    """A category's short name: 公需, 专业; one that we don't know keeps its own."""
    short = {"public": gettext("公需"), "professional": gettext("专业")}
    return short.get(category.id) or (category.name.en if english() else category.name.zh)


def still_needed(standing: Standing) -> int:
    """The least that must still be learned, in hundredths.

    A category's surplus fills no other (R03): it is the sum of the categories' gaps, or the total's gap where that is
    wider.
    """
    return max(sum(gap for key, gap in standing.missing.items() if key != "total"), standing.missing["total"])


def headline(standing: Standing, categories: Sequence[CategoryName], year: int) -> str:
    """What the learner came to know: what is missing, or that nothing is."""
    gaps = [(category_name(each), standing.missing.get(each.id, 0)) for each in categories]
    gaps = [(name, gap) for name, gap in gaps if gap]
    of_categories = sum(gap for _, gap in gaps)
    needed = still_needed(standing)
    if not needed:
        return gettext("%(year)s年度学时已完成") % {"year": year}
    if needed > of_categories:
        gaps.append((gettext("科目不限"), needed - of_categories))
    if len(gaps) == 1:
        where = gaps[0][0]
    else:
        where = gettext("，").join(f"{name}{gettext('·')}{hours_text(gap)}" for name, gap in gaps)
    return gettext("还差%(hours)s学时（%(where)s）") % {"hours": hours_text(needed), "where": where}


def surplus(standing: Standing, categories: Sequence[CategoryName]) -> str:
    """Why the sum looks better than the headline: what one category has too much helps no other. Mostly empty."""
    names = {each.id: category_name(each) for each in categories}
    if not any(standing.missing.get(key) for key in names):
        return ""
    over = {key: standing.credited.get(key, 0) - standing.required.get(key, 0) for key in names}
    sentences = [
        gettext("%(name)s超出的%(hours)s学时不抵其他科目。") % {"name": name, "hours": hours_text(over[key])}
        for key, name in names.items()
        if over[key] > 0
    ]
    return "".join(sentences)


def arrivals(arrived: int, waiting: int) -> str:
    """What a training base came to know."""
    if not arrived:
        came = gettext("今天还没有新记录")
    else:
        came = ngettext("今天到了%(n)s条", "今天到了%(n)s条", arrived) % {"n": f"{arrived:,}"}
    if not waiting:
        return came + gettext("，没有待处理的")
    return came + ngettext("，%(n)s条等您处理", "，%(n)s条等您处理", waiting) % {"n": f"{waiting:,}"}


def filings(returned: int, others: int, with_bureau: int, total: int) -> str:
    """What a sector department came to know.

    :param others: things of another kind that wait for it
    :param with_bureau: filings that wait for the bureau
    """
    if returned:
        return ngettext("%(n)s个项目被退回", "%(n)s个项目被退回", returned) % {"n": f"{returned:,}"}
    if others:
        return ngettext("%(n)s件事等您处理", "%(n)s件事等您处理", others) % {"n": f"{others:,}"}
    if with_bureau:
        return ngettext("%(n)s个项目等待受理", "%(n)s个项目等待受理", with_bureau) % {"n": f"{with_bureau:,}"}
    if not total:
        return gettext("还没有备案项目")
    return ngettext("%(n)s个项目都已办结", "%(n)s个项目都已办结", total) % {"n": f"{total:,}"}


def decisions(waiting: int) -> str:
    """What the bureau came to know."""
    if not waiting:
        return gettext("没有等待决定的备案")
    return ngettext("%(n)s件备案等待决定", "%(n)s件备案等待决定", waiting) % {"n": f"{waiting:,}"}


def whole(held: int) -> str:
    """What somebody who watches over the whole came to know."""
    if not held:
        return gettext("全市没有待处理的记录")
    return ngettext("全市有%(n)s条记录待处理", "全市有%(n)s条记录待处理", held) % {"n": f"{held:,}"}


def with_the_bureau(filings: int) -> str:
    """What a department waits for; nothing where it waits for nothing."""
    if not filings:
        return ""
    return ngettext("%(n)s个项目在人社局等待决定", "%(n)s个项目在人社局等待决定", filings) % {"n": f"{filings:,}"}


def task_name(task: str) -> str:
    """A kind of work that the queue does; one that we don't know keeps its own name."""
    said = {
        "pull": gettext("读取来源"), "backfill": gettext("补采"),
        "look": gettext("替学员再取一次"), "stages": gettext("匹配、计学时、签发"),
        "figures": gettext("清点数字"), "notices": gettext("通知学员"), "archive": gettext("打包证书"),
        "reconcile": gettext("每日对账"), "tree_head": gettext("签署公开日志"), "rescue": gettext("接管中断的工作"),
        "tidy": gettext("清理旧工作"), "classes": gettext("到期开班、结业"), "reminders": gettext("提醒到期的备案"),
    }  # fmt: skip
    return said.get(task, task)


def to_look_after(things: int) -> str:
    """What an administrator came to know."""
    if not things:
        return gettext("平台没有要您处理的事")
    return ngettext("%(n)s件事等您处理", "%(n)s件事等您处理", things) % {"n": f"{things:,}"}


def certificates(live: int) -> str:
    """The first line above a learner's certificates."""
    if not live:
        return gettext("还没有证书")
    return ngettext("您有%(n)d张有效证书", "您有%(n)d张有效证书", live) % {"n": live}


def runs_headline(runs: int, failed: int) -> str:
    """The first line above the runs."""
    if not runs:
        return gettext("这段时间没有同步")
    said = ngettext("同步了%(n)s次", "同步了%(n)s次", runs) % {"n": f"{runs:,}"}
    if not failed:
        return said + gettext("，都读完了")
    return said + ngettext("，%(n)s次停下了", "，%(n)s次停下了", failed) % {"n": f"{failed:,}"}
