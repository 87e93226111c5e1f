"""A certificate's life as data: which steps there are, from where to where, and what each needs.

Everything else follows from this table: what commands allow, what the database refuses (constraints are made from it,
and a test compares them), and the drawing in docs/certificate-life.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices


class State(TextChoices):
    """Where a certificate stands."""

    ISSUED = "issued", "有效"
    SUSPENDED = "suspended", "已暂停"
    SUPERSEDED = "superseded", "已被新证书替代"
    REVOKED = "revoked", "已撤销"


class Kind(TextChoices):
    """What happened to it."""

    ISSUED = "issued", "签发"
    SUSPENDED = "suspended", "暂停"
    RESUMED = "resumed", "恢复使用"
    SUPERSEDED = "superseded", "换发"
    REVOKED = "revoked", "撤销"
    RESTORED = "restored", "重新签发"


class ReasonClass(TextChoices):
    """Why, as statistics and letters need it; the sentence beside it is free."""

    WRONG_FACTS = "wrong_facts", "信息有误"
    IMPROPER = "improper", "违规取得"
    FILING_VOIDED = "filing_voided", "备案作废"
    SOURCE_WITHDREW = "source_withdrew", "来源撤回"
    HOLDER_ASKED = "holder_asked", "本人申请"
    NAME_CORRECTED = "name_corrected", "姓名更正"
    HOURS_CORRECTED = "hours_corrected", "学时更正"
    UNDER_REVIEW = "under_review", "正在核查"
    CLEARED = "cleared", "核查无误"
    OTHER = "other", "其他"


_C = ReasonClass


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of step. ``needs`` are the reason classes of which it bears one; empty: it bears none."""

    kind: Kind
    sources: tuple[State, ...]  # empty: the certificate begins with it
    target: State
    needs: tuple[ReasonClass, ...]
    successor: bool  # whether another certificate takes its place in the same moment


STEPS: tuple[Step, ...] = (
    Step(Kind.ISSUED, (), State.ISSUED, (), successor=False),
    Step(
        Kind.SUSPENDED, (State.ISSUED,), State.SUSPENDED,
        (_C.UNDER_REVIEW, _C.WRONG_FACTS, _C.IMPROPER, _C.HOLDER_ASKED, _C.OTHER), successor=False,
    ),
    Step(Kind.RESUMED, (State.SUSPENDED,), State.ISSUED, (_C.CLEARED, _C.HOLDER_ASKED, _C.OTHER), successor=False),
    Step(
        Kind.SUPERSEDED, (State.ISSUED, State.SUSPENDED), State.SUPERSEDED,
        (_C.NAME_CORRECTED, _C.HOURS_CORRECTED, _C.WRONG_FACTS, _C.OTHER), successor=True,
    ),
    Step(
        Kind.REVOKED, (State.ISSUED, State.SUSPENDED), State.REVOKED,
        (_C.WRONG_FACTS, _C.IMPROPER, _C.FILING_VOIDED, _C.SOURCE_WITHDREW, _C.HOLDER_ASKED, _C.OTHER),
        successor=False,
    ),
    # the certificate itself stays revoked for ever: what is in force again is its successor, with a number of its own
    Step(Kind.RESTORED, (State.REVOKED,), State.REVOKED, (_C.CLEARED, _C.WRONG_FACTS, _C.OTHER), successor=True),
)  # fmt: skip
STEP = {step.kind: step for step in STEPS}
LIVE = (State.ISSUED, State.SUSPENDED)
"""A learner has at most one of these in a programme. A suspended one keeps its hours, and its place."""


def moves() -> set[tuple[State, State]]:
    """Every change of state that some step makes."""
    return {(source, step.target) for step in STEPS for source in step.sources if source != step.target}


def allowed(state: str) -> list[Kind]:
    """What may happen to a certificate in ``state``."""
    return [step.kind for step in STEPS if state in step.sources]
