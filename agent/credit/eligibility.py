"""Which programmes may have certificates at all (R08, R09). Whether a learner earned one is decided elsewhere."""

from __future__ import annotations

from itertools import product

from agent.credit.policy_model import Policy
from agent.credit.policy_rules import CertificateCategory, CertificateIssuer


def entitled(policy: Policy) -> set[tuple[str, str, str]]:
    """The (category, kind of organiser, programme state) that certificates are issued for.

    R09: a certificate stands for professional hours only. R08: the organiser is a sector department on record, and the
    programme is filed. (notice 2024-17, part 4, section 4)
    """
    (category,), (issuer,) = policy.of_kind(CertificateCategory), policy.of_kind(CertificateIssuer)
    may = issuer.parameters
    return set(product(category.parameters.categories, may.organiser_kinds, may.programme_states))
