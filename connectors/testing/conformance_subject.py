"""What a test class says of its source, and what the suite makes of it.

Vocabulary: the *site* is the running source, whatever object stands for it; a *fault* is a way to break it, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from connectors.base import Capabilities, Connector, SourceConfig, load
from connectors.errors import (
    Busy,
    ConnectorError,
    FileBroken,
    FileMissing,
    Maintenance,
    Malformed,
    NotJson,
    Redirected,
    TooLarge,
    Truncated,
    Unreachable,
    WrongAddress,
)
from connectors.http import Limits
from connectors.records import EVERYTHING, Completion, Page, Span
from connectors.testing.conformance_people import COHORT, Finished

Fault = type[ConnectorError]

HTTP_FAULTS: Mapping[str, Fault] = {
    "unavailable": Maintenance,
    "server_error": Maintenance,
    "rate_limited": Busy,
    "not_found": WrongAddress,
    "redirect": Redirected,
    "html": NotJson,
    "wrong_json": Malformed,
    "broken_json": Truncated,
    "truncated": Truncated,
    "reset": Unreachable,
    "closed": Unreachable,
    "huge": TooLarge,
}
"""What happens on the way to any site. `connectors.testing.conformance_http.JsonSite` plays all of them."""

FILE_FAULTS: Mapping[str, Fault] = {"missing": FileMissing, "broken": FileBroken}
"""The same for a file."""

STALLS = ("slow", "drip")
"""Answers that begin late or never end."""

LIMITS = Limits(connect=5, read=10, deadline=20, max_bytes=1 << 20, attempts=3, backoff=0.001, longest_wait=0.05)
HASTY = replace(LIMITS, read=0.2, deadline=0.4)


class Subject:
    """What the suite wants to know. The last ones are right for a `JsonSite` as they are."""

    kind: ClassVar[str]
    """The name of the entry point."""
    faults: ClassVar[Mapping[str, Fault]]
    """The ways to break the source, each with the error that reading it must raise."""
    over_http: ClassVar[bool] = True
    """The connector takes ``limits=``, and is held to them. False: it reads files."""

    @pytest.fixture
    def site(self) -> Iterator[Any]:
        """The source, running, teaching `COURSES`, and nobody has finished anything."""
        raise NotImplementedError

    def config(self, site: Any) -> SourceConfig:
        """How to reach it; a page must hold fewer than ten rows, so that there are several."""
        raise NotImplementedError

    def put(self, site: Any, *finished: Finished) -> None:
        """People finish courses; one that is there already (same user and course) is corrected."""
        raise NotImplementedError

    def remove(self, site: Any, one: Finished) -> None:
        """It is taken back."""
        raise NotImplementedError

    def break_it(self, site: Any, fault: str, times: int | None = None) -> None:
        """From now on the source fails so; with ``times`` for so many calls (asked for over HTTP only)."""
        site.break_it(fault, times)

    def heal(self, site: Any) -> None:
        """No fault any more."""
        site.heal()

    def urls(self, site: Any) -> list[str]:
        """Every address that the source was asked for, with its query. A file has none."""
        return [one.url for one in site.questions] if self.over_http else []

    def forget(self, site: Any) -> None:
        """With ``capabilities.changes``: the log loses its beginning, and keeps its numbers."""
        raise NotImplementedError

    def make(self, config: SourceConfig, limits: Limits) -> Connector:
        """A connector."""
        connector: Any = load(self.kind)
        made: Connector = connector(config, limits=limits) if self.over_http else connector(config)
        return made

    # --- what the tests make of it -------------------------------------------------------------------------------
    def connect(self, site: Any, limits: Limits = LIMITS) -> Connector:
        """A new connector to the site."""
        return self.make(self.config(site), limits)

    def pages(self, site: Any, span: Span = EVERYTHING) -> list[Page]:
        """All pages of a pull of its own."""
        with self.connect(site) as reader:
            return list(reader.completions(span))

    def rows(self, site: Any, span: Span = EVERYTHING) -> dict[str, Completion]:
        """The rows of a pull of its own, by key."""
        return by_key(self.pages(site, span))

    @pytest.fixture
    def full(self, site: Any) -> Any:
        """The site after the whole `COHORT` has finished."""
        self.put(site, *COHORT)
        return site

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test that takes ``fault`` runs for each of them."""
        if "fault" in metafunc.fixturenames:
            metafunc.parametrize("fault", list(self.faults))


def able(reader: Connector) -> Capabilities:
    """What it can, once it has looked."""
    reader.look()
    return reader.capabilities


def by_key(pages: Iterable[Page]) -> dict[str, Completion]:
    """The rows of pages by key; a later one takes the place of an earlier."""
    return {row["key"]: row for page in pages for row in page.completions}


def stop(pages: Iterator[Page]) -> None:
    """Read no further, as whoever is killed."""
    close = getattr(pages, "close", None)
    if close:
        close()
