"""Two hundred pages of the demo site: programs of others look at each, and each is altered in every way."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from agent.db.private import PrivatePostgres
from tests.certificates import sweep
from tests.trials.outcome import Outcome, Tell
from tests.trials.places import at, fresh

_COUNT = 200


def run(server: PrivatePostgres, seed: int, tell: Tell) -> Outcome:
    """The trial."""
    from django.conf import settings

    from agent.certificates.credential import sign_credentials
    from agent.certificates.models import Certificate
    from agent.certificates.pdfs import facts_of
    from agent.certificates.signer import signing_keys
    from agent.cli import demo

    outcome, began = Outcome("pages"), time.monotonic()
    with fresh(server) as url, at(url), tempfile.TemporaryDirectory(prefix="xt") as folder:
        demo._work({})
        keys = signing_keys()
        stored = Certificate.objects.order_by("pk").select_related(
            "programme_version", "programme__organiser", "programme__implementer"
        )
        made = sweep.pages(
            [facts_of(one) for one in stored], _COUNT, keys,
            lambda facts: sign_credentials([facts], keys, issuer_id=keys.did, base_url=settings.BASE_URL)[0],
        )  # fmt: skip
        outcome.done["pages"] = len(made)
        outcome.faults += sweep.faults(made, Path(folder), keys)
        tell(f"pages: {len(made)} looked at, {len(outcome.faults)} faults")
        outcome.faults += sweep.unnoticed(made, keys, seed)
        outcome.done["alterations"] = 5 * len(made)
    tell(f"pages: altered, {len(outcome.faults)} faults")
    outcome.seconds = time.monotonic() - began
    return outcome
