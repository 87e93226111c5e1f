"""What keeps an achievement from counting at all, whatever its hours."""

from __future__ import annotations

from datetime import date

from agent.credit.policy_kinds import Auditor, Evidence
from agent.credit.policy_model import Policy
from agent.credit.policy_rules import CertificateCategory
from agent.credit.worth import Achievement


def barred_by(  # noqa: PLR0911 - one line for each bar
    policy: Policy, each: Achievement, *, freelancer: bool
) -> tuple[str, str] | None:
    """The reason's code and the rule (R09, R11, R13, R19, R20, R23, R24), or None: nothing stands in the way."""
    if each.barred:
        return "programme_voided" if each.voided else "certificate_revoked", policy.of_kind(CertificateCategory)[0].id
    if not each.filed and each.kind == "training":
        return "not_filed", policy.training.id
    if not each.passed:
        return "not_passed", policy.training.id if each.kind == "training" else policy.counting[each.kind].id
    if each.synced_on is not None and _late(policy, each.synced_on):
        return "late_year", policy.year_end.id
    if each.evidence and (code := _unproven(policy, each)):
        return code
    if each.auditor and (rule := policy.the(Auditor)):
        allowed = rule.parameters.freelancer if freelancer else rule.parameters.employed
        if each.auditor not in allowed:
            return "wrong_auditor", rule.id
    return None


def _late(policy: Policy, synced_on: date) -> bool:
    """Whether it came after the grace, and a person decides (edge case 26)."""
    its = policy.year_end.parameters
    last = date.fromisoformat(f"{policy.year + 1}-{its.sync_grace_until}")
    return synced_on > last and its.late_sync.after_grace == "hold"


def _unproven(policy: Policy, each: Achievement) -> tuple[str, str] | None:
    rule = policy.the(Evidence)
    accepted = policy.evidence.get(each.kind)
    if rule is None or accepted is None:
        return None
    if not any(kind in accepted for kind, _ in each.evidence):
        return "evidence_type", rule.id
    needed = {part.type: frozenset(part.parts) for part in rule.parameters.parts}
    if not any(kind in accepted and needed.get(kind, frozenset()) <= set(parts) for kind, parts in each.evidence):
        return "evidence_parts", rule.id
    return None
