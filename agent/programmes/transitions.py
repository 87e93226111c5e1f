"""A filing's life as data: which steps there are, who takes them, from where to where, when, and what each needs.

Everything else follows from this table: what pages and commands offer, what the database refuses (a constraint is made
from it), and the drawing in docs/programmes.md, which a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices


class State(TextChoices):
    """Where a filing stands."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待受理"
    RETURNED = "returned", "已退回"
    REJECTED = "rejected", "已驳回"
    FILED = "filed", "已备案"
    CHANGE_PENDING = "change_pending", "变更待审"
    RUNNING = "running", "开班中"
    DELIVERED = "delivered", "已结业"
    CLOSING = "closing", "结项待审"
    CLOSED = "closed", "已结项"
    CANCELLED = "cancelled", "已撤销"
    VOIDED = "voided", "已作废"


class Kind(TextChoices):
    """What happens to it."""

    SUBMIT = "submit", "提交"
    WITHDRAW = "withdraw", "撤回"
    RETURN = "return", "退回"
    REJECT = "reject", "驳回"
    ACCEPT = "accept", "受理"
    CHANGE = "change", "申请变更"
    WITHDRAW_CHANGE = "withdraw_change", "撤回变更"
    REFUSE_CHANGE = "refuse_change", "不同意变更"
    ACCEPT_CHANGE = "accept_change", "同意变更"
    START = "start", "开班"
    DELIVER = "deliver", "结业"
    REPORT = "report", "报送结项"
    REOPEN = "reopen", "退回结项"
    CLOSE = "close", "结项"
    DISCARD = "discard", "放弃"
    CANCEL = "cancel", "取消举办"
    VOID = "void", "作废"


class Who(StrEnum):
    """Whose step it is."""

    ORGANISER = "organiser"
    PARTIES = "organiser or implementer"
    BUREAU = "bureau"


class When(StrEnum):
    """On which days (Asia/Shanghai) it may be taken, by the dates of the version in force."""

    ANY = ""
    BEFORE = "before the first day"
    BEGUN = "from the first day on"
    ENDED = "after the last day has begun"


class Need(StrEnum):
    """What it asks for."""

    CONTENT = "a form without faults"
    REASON = "a reason"
    NUMBER = "gives the filing number"
    VERSION = "puts the next version in force"
    TWO = "two people"
    OTHER = "another person than who asked"


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of step."""

    kind: Kind
    sources: tuple[State, ...]
    target: State
    who: Who
    needs: tuple[Need, ...] = ()
    when: When = When.ANY
    clock: bool = False  # taken by itself, too: on the first day, and when the last one is over


_S, _K, _W, _N = State, Kind, Who, Need
ON_RECORD = (_S.FILED, _S.CHANGE_PENDING, _S.RUNNING, _S.DELIVERED, _S.CLOSING, _S.CLOSED)
"""The one definition of «on record»: hours of such a programme count and certificates are issued for it, always by the
version in force. In SQL it is the generated column ``programmes_programme.on_record``.
"""

STEPS: tuple[Step, ...] = (
    Step(_K.SUBMIT, (_S.DRAFT, _S.RETURNED), _S.SUBMITTED, _W.ORGANISER, (_N.CONTENT,)),
    Step(_K.WITHDRAW, (_S.SUBMITTED,), _S.DRAFT, _W.ORGANISER),
    Step(_K.RETURN, (_S.SUBMITTED,), _S.RETURNED, _W.BUREAU, (_N.REASON, _N.OTHER)),
    Step(_K.REJECT, (_S.SUBMITTED,), _S.REJECTED, _W.BUREAU, (_N.REASON, _N.OTHER)),
    Step(_K.ACCEPT, (_S.SUBMITTED,), _S.FILED, _W.BUREAU, (_N.NUMBER, _N.OTHER)),
    Step(_K.CHANGE, (_S.FILED, _S.RUNNING), _S.CHANGE_PENDING, _W.ORGANISER, (_N.CONTENT, _N.REASON)),
    Step(_K.WITHDRAW_CHANGE, (_S.CHANGE_PENDING,), _S.FILED, _W.ORGANISER),
    Step(_K.REFUSE_CHANGE, (_S.CHANGE_PENDING,), _S.FILED, _W.BUREAU, (_N.REASON, _N.OTHER)),
    Step(_K.ACCEPT_CHANGE, (_S.CHANGE_PENDING,), _S.FILED, _W.BUREAU, (_N.VERSION, _N.OTHER)),
    # after a change was decided in mid-course the programme is «filed», and begun with the next `start`
    Step(_K.START, (_S.FILED,), _S.RUNNING, _W.PARTIES, (), When.BEGUN, clock=True),
    Step(_K.DELIVER, (_S.RUNNING,), _S.DELIVERED, _W.PARTIES, (), When.ENDED, clock=True),
    Step(_K.REPORT, (_S.DELIVERED,), _S.CLOSING, _W.ORGANISER, (_N.REASON,)),
    Step(_K.REOPEN, (_S.CLOSING,), _S.DELIVERED, _W.BUREAU, (_N.REASON, _N.OTHER)),
    Step(_K.CLOSE, (_S.CLOSING,), _S.CLOSED, _W.BUREAU, (_N.OTHER,)),
    Step(_K.DISCARD, (_S.DRAFT, _S.RETURNED), _S.CANCELLED, _W.ORGANISER),
    Step(_K.CANCEL, (_S.FILED,), _S.CANCELLED, _W.ORGANISER, (_N.REASON,), When.BEFORE),
    Step(_K.VOID, ON_RECORD, _S.VOIDED, _W.BUREAU, (_N.REASON, _N.TWO)),
)
STEP = {step.kind: step for step in STEPS}
EDITABLE = (_S.DRAFT, _S.RETURNED, _S.FILED, _S.RUNNING)
"""Where the organiser may write in the form: for a first filing, or for a change that is not asked for yet."""
WAITING = (_S.SUBMITTED, _S.CHANGE_PENDING, _S.CLOSING)
"""What the bureau has to decide on."""


class Code(TextChoices):
    """Why the bureau decided so, as statistics and letters need it; the sentence beside it is free."""

    COMPLETE = "complete", "材料齐全，符合规定"
    WAIVED = "waived", "准予补报"
    TIMETABLE = "timetable", "课程安排不实或不全"
    HOURS = "hours", "学时核算不当"
    CATEGORY = "category", "科目类别或专业范围不符"
    ENTITLED = "entitled", "主办单位不具备资格"
    DUPLICATE = "duplicate", "与其他备案重复"
    MATERIALS = "materials", "附件材料不全"
    LATE = "late", "未按期备案"
    IMPROPER = "improper", "违规办班"
    NOT_HELD = "not_held", "没有实际举办"
    ASKED = "asked", "应主办单位申请"
    OTHER = "other", "其他"


_C = Code
CODES: dict[Kind, tuple[Code, ...]] = {
    _K.ACCEPT: (_C.COMPLETE, _C.WAIVED),
    _K.ACCEPT_CHANGE: (_C.COMPLETE, _C.WAIVED),
    _K.RETURN: (_C.TIMETABLE, _C.HOURS, _C.CATEGORY, _C.DUPLICATE, _C.MATERIALS, _C.LATE, _C.OTHER),
    _K.REJECT: (_C.ENTITLED, _C.CATEGORY, _C.DUPLICATE, _C.LATE, _C.OTHER),
    _K.REFUSE_CHANGE: (_C.TIMETABLE, _C.HOURS, _C.CATEGORY, _C.DUPLICATE, _C.MATERIALS, _C.LATE, _C.OTHER),
    _K.REOPEN: (_C.MATERIALS, _C.HOURS, _C.OTHER),
    _K.CLOSE: (_C.COMPLETE,),
    _K.VOID: (_C.IMPROPER, _C.NOT_HELD, _C.ENTITLED, _C.ASKED, _C.OTHER),
}
"""The codes that each decision of the bureau may bear."""


TOLD = (_K.RETURN, _K.REJECT, _K.ACCEPT, _K.REFUSE_CHANGE, _K.ACCEPT_CHANGE, _K.REOPEN, _K.CLOSE, _K.VOID)
"""The bureau's decisions, of which a department is told."""


def allowed(state: str) -> list[Kind]:
    """What may happen to a filing in ``state``."""
    return [step.kind for step in STEPS if state in step.sources]


def moves() -> set[tuple[str, str, str]]:
    """Every (kind, from, to) that some step makes."""
    return {(step.kind.value, source.value, step.target.value) for step in STEPS for source in step.sources}


def table() -> str:
    """The steps as a table in Markdown: what docs/programmes.md shows."""
    head = "| step | | from | to | by | needs | when |\n|---|---|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| `{s.kind.value}` | {s.kind.label} | {', '.join(s.sources)} | {s.target.value} |"
        f" {s.who.value}{', or the clock' if s.clock else ''} |"
        f" {'; '.join(s.needs)} | {s.when.value} |"
        for s in STEPS
    )


def diagram() -> str:
    """The states as a Mermaid diagram: what docs/programmes.md shows. Voiding leads away from each state on record,
    and is drawn once.
    """
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    for step in STEPS:
        if step.kind is Kind.VOID:
            lines.append(f"    on_record --> {step.target.value}: {step.kind.value} (two people)")
        else:
            lines += [f"    {source.value} --> {step.target.value}: {step.kind.value}" for source in step.sources]
    lines.append("    state on_record {")
    lines += [f"        {state.value}" for state in ON_RECORD]
    lines.append("    }")
    return "\n".join(lines)
