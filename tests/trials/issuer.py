"""``python -m tests.trials.issuer``: bears processes that issue, one for each line on standard input (certificates a
batch), and says the pid of each. They are forked from a process that has everything loaded, so that it is the issuing
that is killed and not the beginning of Python.
"""

from __future__ import annotations

import os
import signal
import sys

from agent.boot import start


def main() -> None:
    """Bear until nobody asks any more."""
    start()
    from django.db import connections

    from agent.certificates import stage
    from agent.certificates.signer import signing_keys
    from agent.flow import policies

    rules = policies()
    signing_keys()
    connections.close_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here, and none stays as a zombie
    for line in sys.stdin:
        child = os.fork()
        if not child:
            stage._BATCH = int(line)
            stage.run(rules)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
