"""What can go wrong in the agent: one tree.

The class docstring is the sentence that a person reads (``{names}`` are filled in), ``code`` is stable and others may
script against it, ``fix`` says how to mend it. Connectors have a tree of their own (`connectors.errors`).
"""

from __future__ import annotations

from typing import ClassVar

PERSON_NEEDED = 1
"""Exit code: it ran, and something needs a person."""
USAGE = 2
"""Exit code: usage or configuration; nothing was done."""


class XueshiError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "E_ERROR"
    fix: ClassVar[str] = "Run the command again with --debug and report what it prints."
    exit_code: ClassVar[int] = USAGE

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The sentence on one line, parameters filled in. Never holds a secret or an identity number in clear."""
        return " ".join((type(self).__doc__ or "").format_map(_Shown(self.params)).split())

    @property
    def how_to_fix(self) -> str:
        """What to do, parameters filled in."""
        return self.fix.format_map(_Shown(self.params))


class _Shown(dict[str, object]):
    """A missing parameter shows as «?»: an error about an error helps nobody."""

    def __missing__(self, key: str) -> str:
        return "?"
