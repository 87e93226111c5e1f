"""What a trial came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Tell = Callable[[str], None]
"""Takes a sentence for whoever waits."""


@dataclass
class Outcome:
    """What was ``done`` how often, and what was found to be wrong."""

    name: str
    done: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
