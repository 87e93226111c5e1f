"""What can go wrong while landing."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError
from connectors.errors import ConnectorError


class SourceUnknown(XueshiError):
    """There is no source named «{name}»; there are: {known}."""

    code = "E_SOURCE_UNKNOWN"
    fix = "Add it with `xueshi source add {name} --kind … --url …`."


class KindUnknown(XueshiError):
    """There is no kind of source named «{kind}»; there are: {known}."""

    code = "E_KIND_UNKNOWN"
    fix = "Use one of these with --kind, or install the package that brings the kind."


class SourceBusy(XueshiError):
    """The source {name} is being synced by another process."""

    code = "E_SOURCE_BUSY"
    fix = "Wait for it to end and run the sync again."
    exit_code = PERSON_NEEDED


class SyncFailed(XueshiError):
    """The sync of {name} stopped. {reason} What was whole before that stays: {landed} rows."""

    fix = "{how}"
    exit_code = PERSON_NEEDED

    def __init__(self, error: ConnectorError, *, name: str, landed: int) -> None:
        self.code = error.code  # type: ignore[misc] # a script wants to know the cause
        super().__init__(name=name, reason=error.message, how=error.how_to_fix, landed=landed)
