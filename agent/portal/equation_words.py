"""What the page of the reconciliation says: the equations, and why a difference is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from agent.certificates.facts import hours_text
from agent.reconciliation.equations import Equation

_COUNTED = ("counted", "came", "matched", "held", "entries")


@dataclass(frozen=True, slots=True)
class Words:
    """An equation: what its figures count, and what it means that they differ."""

    left: str
    right: str
    meaning: str


def sides_of(equation: str) -> tuple[str, str]:
    """What the two figures of ``equation`` count: asked for on each line of a table, so no sentence is made for it."""
    match Equation(equation):
        case Equation.UPSTREAM:
            return gettext("来源自报"), gettext("到达")
        case Equation.JUDGED:
            return gettext("通过的结业"), gettext("已判定")
        case Equation.LEDGER:
            return gettext("学习成果"), gettext("台账")
        case Equation.EARNED:
            return gettext("应发证书"), gettext("已发或在等")
        case Equation.CERTIFICATES:
            return gettext("有效证书"), gettext("台账有据")


def words_of(equation: str) -> Words:
    """The words of ``equation``."""
    return {
        Equation.UPSTREAM: Words(
            *sides_of(equation),
            gettext("上次全面比对时，来源说有多少行，就应当到达多少行（读不懂而退回的也算到达）。"),
        ),
        Equation.JUDGED: Words(
            *sides_of(equation),
            gettext("每条通过的结业记录，要么对上了人和项目，要么带着一个原因等待处理。"),
        ),
        Equation.LEDGER: Words(
            *sides_of(equation),
            gettext("每项学习成果在台账里有且只有一笔有效的学时；来源撤回的没有。"),
        ),
        Equation.EARNED: Words(
            *sides_of(equation),
            gettext("够条件的都发了证书，或带着一个原因等待处理。"),
        ),
        Equation.CERTIFICATES: Words(
            *sides_of(equation),
            gettext("每张有效证书的学时，都和台账里认定的一样。"),
        ),
    }[Equation(equation)]  # fmt: skip


def why(difference: Mapping[str, Any]) -> str:
    """Why a named difference is one."""
    said: dict[str, Any] = {name: f"{value:,}" if name in _COUNTED else value for name, value in difference.items()}
    for name in ("hours", "recognised"):
        if said.get(name) is not None:
            said[name] = hours_text(said[name])
    kinds = {
        "not_counted": gettext(
            "来源自报%(counted)s行，到达%(came)s行。多半是读的时候平台正在变；下次全面比对会再看一遍。"
        ),
        "unjudged": gettext("既没有对上人和项目，也没有在等待处理。请平台管理员再跑一遍各环节：xueshi sync。"),
        "judged_twice": gettext("判定了不止一次（对上%(matched)s，在等%(held)s）。请把这一条报告给我们。"),
        "no_entry": gettext("台账里还没有它的学时。请平台管理员再跑一遍各环节：xueshi sync。"),
        "entries": gettext("台账里有%(entries)s笔有效的学时，应当只有一笔。请把这一条报告给我们。"),
        "entry_of_withdrawn": gettext(
            "来源已经撤回，台账里的学时还没有冲销。请平台管理员再跑一遍各环节：xueshi sync。"
        ),
        "not_issued": gettext("够条件，却还没有证书，也没有等待的原因。请看看签名密钥是否可用：xueshi doctor。"),
        "not_backed": gettext("台账里没有它的学时。先不要对外使用，请人社局核对后决定是否撤销。"),
        "other_hours": gettext("证书写%(hours)s学时，台账认定%(recognised)s学时。多半是来源事后更正过，请人社局核对。"),
    }
    return kinds[said["kind"]] % said


def headline(apart: int, unequal: int, compared: int) -> str:
    """The first line: everything is equal, or what is not."""
    if not compared:
        return gettext("还没有可以对的数")
    if not unequal:
        return gettext("数都对得上")
    if not apart:
        return ngettext("%(n)s个等式对不上", "%(n)s个等式对不上", unequal) % {"n": unequal}
    return ngettext("%(n)s条对不上", "%(n)s条对不上", apart) % {"n": f"{apart:,}"}
