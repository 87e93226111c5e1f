"""The conformance suite: what every connector must do, ours and others'. How to use it: docs/connectors.md.

Inherit `ConnectorTests`, say how the source is started, filled, changed and broken (`Subject`), and run pytest::

    class TestMine(ConnectorTests):
        kind = "mine"
        faults = HTTP_FAULTS | {"invalid_token": TokenUnknown}

        @pytest.fixture
        def site(self): ...

The suite, not the source, decides what people finished, so that it knows each row that must come. What a connector
claims in ``capabilities`` it is held to; what it does not claim it must refuse: nothing is skipped.
"""

from __future__ import annotations

from connectors.testing.conformance_completions import CompletionsTests
from connectors.testing.conformance_faults import FaultTests
from connectors.testing.conformance_log import LogTests
from connectors.testing.conformance_people import COHORT, COURSES, Finished
from connectors.testing.conformance_source import SourceTests
from connectors.testing.conformance_spans import SpanTests
from connectors.testing.conformance_subject import FILE_FAULTS, HTTP_FAULTS, Fault, Subject

__all__ = ["COHORT", "COURSES", "FILE_FAULTS", "HTTP_FAULTS", "ConnectorTests", "Fault", "Finished", "Subject"]


class ConnectorTests(SourceTests, CompletionsTests, SpanTests, LogTests, FaultTests):
    """All that is asked of a connector. Inherit it, and give what `Subject` asks for."""
