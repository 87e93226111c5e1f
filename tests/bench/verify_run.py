"""Certificates to be looked at, in a fresh ``XUESHI_HOME``: ``verify_run URL TOKEN`` prints the addresses of their pages."""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

from tests.bench.stages_run import main as issue


def main(url: str, token: str) -> None:
    """Issue by the stages, as in their own part of the bench; print paths."""
    issue(url, token)
    from agent.certificates.models import Certificate

    urls = Certificate.objects.filter(state="issued").order_by("pk").values_list("verify_url", flat=True)
    print(json.dumps({"paths": [urlsplit(url).path for url in urls]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
