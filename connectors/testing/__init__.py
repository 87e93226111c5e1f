"""What a connector's tests stand on: the conformance suite, and the fake Moodle with the recorded site it answers from.

``from connectors.testing import ConnectorTests`` needs pytest; the fake Moodle, which the demo runs too, does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.testing.conformance import ConnectorTests

__all__ = ["ConnectorTests"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    import pytest  # noqa: PLC0415 - see above

    for part in ("completions", "faults", "log", "source", "spans", "subject"):
        pytest.register_assert_rewrite(f"{__name__}.conformance_{part}")
    from connectors.testing.conformance import ConnectorTests  # noqa: PLC0415

    return ConnectorTests
