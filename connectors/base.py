"""The contract that every kind of source fulfils, and how kinds are found.

Vocabulary: `SourceConfig` is what a person configured; ``check`` looks whether a sync would work and names what is
missing; ``courses`` lists what is taught; ``completions`` yields pages, each whole in itself, so that a pull can stop
after any page and start again; ``capabilities`` says what a source can and can't know, once ``look`` has found out. A
source that can, tells less than everything: a *span* of time, the *changes* behind a place in its log, *blocks* of rows
as digests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import SecretStr

from connectors.errors import OptionInvalid
from connectors.records import EVERYTHING, Block, CheckResult, Course, Page, Span


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One source as a person configured it. ``url`` is an address or a file's path, by kind."""

    name: str
    url: str
    token: SecretStr = field(default_factory=lambda: SecretStr(""))
    options: dict[str, str] = field(default_factory=dict)
    allow_private: bool = False
    before_call: Callable[[], None] = lambda: None
    """Called before each question to the site; raises `connectors.errors.BudgetSpent` when there were too many."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of source can know. What it can't is said, never guessed."""

    completion_time: bool = True  # knows when a course was completed
    counts: bool = True  # says how many rows it has, so that a cut list shows
    grades: bool = False
    reported_hours: bool = False
    spans: bool = False  # can read a span of time without reading everything
    changes: bool = False  # keeps a log of what was completed, corrected and taken back
    blocks: bool = False  # can say which rows differ without sending them


class Connector(ABC):
    """Reads one source. Use as a context manager: leaving it gives back what it holds open on the other side."""

    kind: ClassVar[str]
    options: ClassVar[dict[str, str]] = {}
    """The options of this kind, each with the sentence that explains it; any other is refused."""

    def __init__(self, config: SourceConfig) -> None:
        for option, value in config.options.items():
            if option.split(".")[0] not in self.options:
                raise OptionInvalid(option=option, value=value, reason=f"{self.kind} knows {', '.join(self.options)}")
        self.config = config

    @property
    @abstractmethod
    def calls(self) -> int:
        """Questions asked so far (HTTP calls, files opened)."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this source can and can't know."""

    def check_address(self) -> None:  # noqa: B027 - where any address will do, it is no duty
        """Refuse an address that can never be right, before it is stored. Asks nobody.

        :raises ConnectorError: its subclass says what is wrong with the address
        """

    def look(self) -> None:  # noqa: B027 - most kinds know without asking
        """Find out what the source can know, where that is not plain from the start: a sync does so first. Afterwards
        ``capabilities`` is true and stays so; before, it claims no more than will be true.

        :raises ConnectorError: the source can't be asked
        """

    @abstractmethod
    def check(self) -> CheckResult:
        """Look whether a sync would bring everything, and say what is missing and what to click.

        Never raises for what a person can mend: that comes back as a problem.
        """

    @abstractmethod
    def courses(self) -> list[Course]:
        """All courses that the source lets us see, hidden ones too."""

    @abstractmethod
    def completions(self, span: Span = EVERYTHING) -> Iterator[Page]:
        """All completions of ``span``, in pages, each checked in itself (counts, dates, keys) before it is yielded.

        With ``capabilities.spans`` pages come in the order of time, and each says ``through`` where it got: a pull
        that was cut goes on from there. Without, everything comes whatever the span.

        :raises ConnectorError: the source failed or contradicts itself; pages yielded before stay true.
        """

    def changes(self, after: int) -> Iterator[Page]:
        """With ``capabilities.changes``: what the log holds behind the place ``after`` (0: its beginning), each
        page with ``sequence``, its ``completions`` as they are now and ``gone`` what was taken back, with
        ``gone_serials`` where rows are numbered. The first page of `completions` says ``sequence`` too, and each block
        does: where to go on from.

        :raises ConnectorError: as `completions`; `LogCut` when the log does not reach back that far.
        """
        raise NotImplementedError(f"{self.kind} keeps no log of changes")

    def blocks(self) -> Iterator[Block]:
        """With ``capabilities.blocks``: all rows of the source as digests, in ascending blocks without a gap.

        The connector's `Completion` records then carry ``serial`` and ``mark``.
        """
        raise NotImplementedError(f"{self.kind} has no digests")

    def block(self, block: Block) -> Iterator[Page]:
        """With ``capabilities.blocks``: the completions whose serial lies in ``block``."""
        raise NotImplementedError(f"{self.kind} has no digests")

    def reread(self, raw: dict[str, Any]) -> Page:
        """One row that was refused, read again from what was kept of it; asks nobody. Where that can't be done, the
        whole source has to be pulled again.

        :returns: a page with one completion, or with one rejected row
        """
        raise NotImplementedError(f"{self.kind} reads no row by itself")

    def close(self) -> None:  # noqa: B027 - a file needs no closing, so it is no duty
        """Give back what is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@lru_cache(maxsize=1)  # looking through everything that is installed takes a tenth of a second
def _installed() -> EntryPoints:
    return entry_points(group="xueshi.connectors")


def kinds() -> list[str]:
    """The names of all installed kinds of connectors, ours and third parties' (entry point ``xueshi.connectors``)."""
    return sorted(_installed().names)


def load(kind: str) -> type[Connector]:
    """The connector of a kind; only that one is imported, so a broken third party's breaks nobody else.

    :raises KeyError: no installed package brings it.
    """
    connector: type[Connector] = _installed()[kind].load()
    return connector
