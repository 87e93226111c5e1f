"""What the pages say of runs: one plain sentence for each, durations, and what made it run."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from agent.intake.models import SyncRun
from agent.portal.progress import Progress

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def because(code: str) -> str:
    """What made it run."""
    words = {
        "hand": gettext("手动"), "clock": gettext("定时"), "push": gettext("平台通知"), "backfill": gettext("补采"),
        "learner": gettext("学员询问"),
    }  # fmt: skip
    return words.get(code, code)


def duration(seconds: float | None) -> str:
    """How long, as people say it: 8.4秒, 3分12秒, 2小时5分, 3天4小时."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return gettext("%(n)s秒") % {"n": f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"}  # noqa: PLR2004
    whole = round(seconds)
    if whole < _HOUR:
        return gettext("%(m)d分%(s)d秒") % {"m": whole // _MINUTE, "s": whole % _MINUTE}
    if whole < _DAY:
        return gettext("%(h)d小时%(m)d分") % {"h": whole // _HOUR, "m": whole % _HOUR // _MINUTE}
    return gettext("%(d)d天%(h)d小时") % {"d": whole // _DAY, "h": whole % _DAY // _HOUR}


def speed(rate: float) -> str:
    """A measured figure, with a decimal where that is most of it."""
    return f"{rate:.1f}" if rate < 10 else f"{rate:,.0f}"  # noqa: PLR2004


def brought(run: SyncRun) -> str:
    """What a run that went well brought."""
    came = run.new + run.changed + run.unchanged
    parts = []
    if run.new:
        parts.append(ngettext("新增%(n)s条", "新增%(n)s条", run.new) % {"n": f"{run.new:,}"})
    if run.changed:
        parts.append(ngettext("变更%(n)s条", "变更%(n)s条", run.changed) % {"n": f"{run.changed:,}"})
    if not parts:
        if came:
            parts.append(
                ngettext("没有变化，%(n)s条都和原来一样", "没有变化，%(n)s条都和原来一样", came) % {"n": f"{came:,}"}
            )
        else:
            parts.append(gettext("没有新的记录") if run.mode != SyncRun.Mode.REPLAY else gettext("没有可以放行的行"))
    if run.rejected:
        parts.append(ngettext("退回%(n)s条", "退回%(n)s条", run.rejected) % {"n": f"{run.rejected:,}"})
    if run.missing_upstream:
        n = run.missing_upstream
        parts.append(ngettext("来源不再显示%(n)s条", "来源不再显示%(n)s条", n) % {"n": f"{n:,}"})
    return gettext("，").join(parts)


def going(progress: Progress) -> str:
    """How far a run is: rows so far, of all when the source says so, rows a second, time left."""
    said = {"rows": f"{progress.rows:,}", "total": f"{progress.total or 0:,}", "percent": progress.percent}
    if progress.total:
        parts = [gettext("已到%(rows)s条，共%(total)s条（%(percent)s%%）") % said]
    elif progress.share is not None:
        parts = [gettext("已到%(rows)s条，这段时间读完了%(percent)s%%") % said]
    elif progress.rows:
        parts = [gettext("已到%(rows)s条") % said]
    else:
        parts = [gettext("正在读，还没有新增或变更的行")]
    if progress.rate:
        parts.append(gettext("每秒%(n)s条") % {"n": speed(progress.rate)})
    if progress.left is not None:
        parts.append(gettext("还要约%(time)s") % {"time": duration(progress.left)})
    return gettext("，").join(parts)
