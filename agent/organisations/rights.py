"""Who may do what: one table from roles to rights.

Vocabulary: a *right* is one thing that a page or command asks for (``filing.decide``); a role *reaches* either the
bodies that its holder acts for in that role (``OWN``) or everything (``ALL``). What is not in the table is not allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType

from django.db.models import TextChoices


class Kind(TextChoices):
    """What a body is."""

    HR_BUREAU = "hr_bureau", "人社局"
    SECTOR_DEPARTMENT = "sector_department", "行业主管部门"
    TRAINING_BASE = "training_base", "继续教育基地"
    EMPLOYER = "employer", "用人单位"


class Role(TextChoices):
    """What a person is for a body."""

    BASE_OPERATOR = "base_operator", "基地操作员"
    DEPARTMENT_OFFICER = "department_officer", "部门经办人"
    BUREAU_REVIEWER = "bureau_reviewer", "人社局审核员"
    BUREAU_HEAD = "bureau_head", "人社局负责人"
    AUDITOR = "auditor", "审计员"
    ADMINISTRATOR = "administrator", "平台管理员"


class Right(StrEnum):
    """What may be done. ``see`` changes nothing, ever: an auditor has nothing else."""

    SOURCES_SEE = "sources.see"
    SOURCES_CONNECT = "sources.connect"
    MAPPING_SEE = "mapping.see"
    MAPPING_DECIDE = "mapping.decide"
    QUARANTINE_SEE = "quarantine.see"
    QUARANTINE_DECIDE = "quarantine.decide"
    FILING_SEE = "filing.see"
    FILING_WRITE = "filing.write"
    FILING_DECIDE = "filing.decide"
    FILING_VOID = "filing.void"
    APPROVALS_SEE = "approvals.see"
    APPROVALS_DECIDE = "approvals.decide"
    ARCHIVES_TAKE = "archives.take"
    RUNS_SEE = "runs.see"
    RECONCILIATION_SEE = "reconciliation.see"
    RULES_SEE = "rules.see"
    TEMPLATES_SEE = "templates.see"
    TEMPLATES_WRITE = "templates.write"
    ORGANISATIONS_SEE = "organisations.see"
    ORGANISATIONS_MANAGE = "organisations.manage"
    PEOPLE_SEE = "people.see"
    PEOPLE_MANAGE = "people.manage"
    IDENTITY_SEE = "identity.see"  # a full identity number, with a purpose, and the look is in the audit log
    AUDIT_SEE = "audit.see"


class Reach(Enum):
    """How far a right goes."""

    OWN = "own"
    ALL = "all"


def _own(*rights: Right) -> dict[Right, Reach]:
    return dict.fromkeys(rights, Reach.OWN)


def _all(*rights: Right) -> dict[Right, Reach]:
    return dict.fromkeys(rights, Reach.ALL)


_REVIEWER = _all(
    Right.SOURCES_SEE, Right.MAPPING_SEE, Right.MAPPING_DECIDE, Right.QUARANTINE_SEE, Right.QUARANTINE_DECIDE,
    Right.FILING_SEE, Right.FILING_DECIDE, Right.FILING_VOID, Right.APPROVALS_SEE, Right.APPROVALS_DECIDE,
    Right.ARCHIVES_TAKE, Right.RUNS_SEE, Right.RECONCILIATION_SEE, Right.ORGANISATIONS_SEE, Right.RULES_SEE,
) | _own(Right.TEMPLATES_SEE, Right.TEMPLATES_WRITE)  # fmt: skip

RIGHTS: Mapping[Role, Mapping[Right, Reach]] = MappingProxyType({
    Role.BASE_OPERATOR: _own(
        Right.SOURCES_SEE, Right.SOURCES_CONNECT, Right.MAPPING_SEE, Right.MAPPING_DECIDE, Right.QUARANTINE_SEE,
        Right.QUARANTINE_DECIDE, Right.FILING_SEE, Right.RUNS_SEE, Right.RECONCILIATION_SEE, Right.TEMPLATES_SEE,
        Right.TEMPLATES_WRITE,
    ),
    Role.DEPARTMENT_OFFICER: _own(
        Right.FILING_SEE, Right.FILING_WRITE, Right.APPROVALS_SEE, Right.APPROVALS_DECIDE, Right.ARCHIVES_TAKE,
        Right.TEMPLATES_SEE, Right.TEMPLATES_WRITE, Right.RULES_SEE,
    ),
    Role.BUREAU_REVIEWER: _REVIEWER,
    Role.BUREAU_HEAD: _REVIEWER | _all(
        Right.ORGANISATIONS_MANAGE, Right.PEOPLE_SEE, Right.IDENTITY_SEE, Right.AUDIT_SEE,
    ),
    Role.AUDITOR: _all(
        Right.SOURCES_SEE, Right.MAPPING_SEE, Right.QUARANTINE_SEE, Right.FILING_SEE, Right.APPROVALS_SEE,
        Right.RUNS_SEE, Right.RECONCILIATION_SEE, Right.TEMPLATES_SEE, Right.ORGANISATIONS_SEE, Right.PEOPLE_SEE,
        Right.AUDIT_SEE, Right.RULES_SEE,
    ),
    Role.ADMINISTRATOR: _all(
        Right.SOURCES_SEE, Right.SOURCES_CONNECT, Right.MAPPING_SEE, Right.QUARANTINE_SEE, Right.RUNS_SEE,
        Right.RECONCILIATION_SEE, Right.ORGANISATIONS_SEE, Right.ORGANISATIONS_MANAGE, Right.PEOPLE_SEE,
        Right.PEOPLE_MANAGE, Right.IDENTITY_SEE, Right.AUDIT_SEE, Right.RULES_SEE,
    ),
})  # fmt: skip

KINDS: Mapping[Role, frozenset[Kind]] = MappingProxyType(
    {
        Role.BASE_OPERATOR: frozenset({Kind.TRAINING_BASE}),
        # an office of the bureau that holds trainings itself files them as a department does
        Role.DEPARTMENT_OFFICER: frozenset({Kind.SECTOR_DEPARTMENT, Kind.HR_BUREAU}),
        Role.BUREAU_REVIEWER: frozenset({Kind.HR_BUREAU}),
        Role.BUREAU_HEAD: frozenset({Kind.HR_BUREAU}),
        Role.AUDITOR: frozenset({Kind.HR_BUREAU}),
        Role.ADMINISTRATOR: frozenset({Kind.HR_BUREAU}),
    }
)
"""At which kind of body a role can be had: whoever reaches everything acts for the bureau."""

DECIDING: frozenset[Role] = frozenset({
    Role.DEPARTMENT_OFFICER, Role.BUREAU_REVIEWER, Role.BUREAU_HEAD, Role.ADMINISTRATOR,
})  # fmt: skip
"""Roles that a password alone does not open."""


def reach(role: str, right: Right) -> Reach | None:
    """How far ``right`` goes for ``role``; None: it has none of it."""
    return RIGHTS[Role(role)].get(right)
