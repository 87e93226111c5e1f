"""What is asked when the source fails: the right name for it, nothing of a broken page, no secret, no endless wait.

An error is held against the class that the table of faults names, exactly: by its code others write scripts, and by its
``action`` the agent decides whether to come again or to call a person.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from string import Formatter
from typing import Any, ClassVar

import pytest

from connectors.base import Connector
from connectors.errors import Action, ConnectorError, Redirected, Unreachable
from connectors.records import EVERYTHING, Completion, Page, Span
from connectors.testing.conformance_completions import sound
from connectors.testing.conformance_people import COHORT
from connectors.testing.conformance_subject import FILE_FAULTS, HASTY, HTTP_FAULTS, STALLS, Subject, by_key


def well_told(error: ConnectorError) -> None:
    """A person can act on it: a stable code, a sentence with everything filled in, what to do."""
    assert error.code.startswith("E_")
    assert error.code != ConnectorError.code
    assert error.fix != ConnectorError.fix
    assert isinstance(error.action, Action)
    assert error.message
    wanted = {
        name for text in (type(error).__doc__ or "", error.fix) for _, name, _, _ in Formatter().parse(text) if name
    }
    assert wanted <= error.params.keys(), f"not filled in: {error.message} {error.how_to_fix}"


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that an error tells, and those it came of."""
    seen: BaseException | None = error
    while seen is not None:
        yield f"{seen} {seen!r} {seen.args!r} {vars(seen)!r}"
        seen = seen.__cause__ or seen.__context__
    yield "".join(traceback.format_exception(error))


def frames_of(error: BaseException) -> Iterator[str]:
    """What stands in the frames that it passed, as some programs write into their logs."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if ".testing." not in frame.f_globals.get("__name__", ""):
            yield repr(frame.f_locals)


class FaultTests(Subject):
    """One source after another that is down, slow, wrong or lying."""

    slack: ClassVar[float] = 5
    """Seconds that a busy machine may add to a deadline."""

    @pytest.fixture
    def quiet(self, full: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
        """The full site; afterwards no secret has been left behind."""
        caplog.set_level(logging.DEBUG)
        yield full
        self.nothing_left_behind(full, caplog)

    def nothing_left_behind(self, site: Any, caplog: pytest.LogCaptureFixture) -> None:
        """Neither a log, at whatever level, nor an address that was asked for tells the token or anybody's number."""
        told = [f"{one.getMessage()} {one.args!r} {one.exc_text}" for one in caplog.records]
        self.no_secret(site, *told, *self.urls(site))

    def no_secret(self, site: Any, *texts: str) -> None:
        """None of ``texts`` holds the token or an identity number."""
        token = self.config(site).token.get_secret_value()
        for secret in (token, *(one.id_number for one in COHORT)):
            for text in texts:
                assert not secret or secret not in text, f"a secret is told: {text[:300]}"

    def failing(self, site: Any, reader: Connector, expected: type[ConnectorError]) -> dict[str, Completion]:
        """A pull fails with ``expected``; what was yielded before is true. The site is healed; all of its rows."""
        pages: list[Page] = []
        with pytest.raises(ConnectorError) as caught:  # noqa: PT012 - any step may raise
            for page in reader.completions():
                pages.append(page)  # noqa: PERF402 - what came before the error counts
        error = caught.value
        assert type(error) is expected, f"{type(error).__name__}: {error}"
        well_told(error)
        self.no_secret(site, *texts_of(error))
        token = self.config(site).token.get_secret_value()
        assert not token or token not in "".join(frames_of(error))  # numbers stand there: the rows do
        self.heal(site)
        sound(pages)
        whole = self.rows(site)
        assert by_key(pages).items() <= whole.items(), "a page of a broken source was not true"
        return whole

    # --- the table -----------------------------------------------------------------------------------------------
    def test_the_table_of_faults_has_what_happens_to_everybody(self) -> None:
        """Nobody leaves out what is awkward."""
        assert self.faults.items() >= (HTTP_FAULTS if self.over_http else FILE_FAULTS).items()

    def test_a_fault_is_told_by_its_name(self, quiet: Any, fault: str) -> None:
        """And the same connector goes on when it has passed."""
        with self.connect(quiet) as reader:
            self.break_it(quiet, fault)
            whole = self.failing(quiet, reader, self.faults[fault])
            assert by_key(reader.completions()) == whole

    def test_check_says_what_a_person_can_mend(self, quiet: Any, fault: str) -> None:
        """It never raises; what is for a person to do, it names."""
        expected = self.faults[fault]
        self.break_it(quiet, fault)
        with self.connect(quiet) as reader:
            found = reader.check()
        if expected.action is Action.CONFIGURE:
            assert expected.code in {one.code for one in found.problems}
        assert found.ok == (not found.problems)
        for problem in found.problems:
            assert problem.code.startswith("E_")
            assert problem.message
            assert problem.fix
            self.no_secret(quiet, problem.message, problem.fix)

    def test_courses_fail_by_the_same_names(self, quiet: Any, fault: str) -> None:
        """Where the fault concerns them."""
        with self.connect(quiet) as reader:
            self.break_it(quiet, fault)
            try:
                listed = reader.courses()
            except ConnectorError as error:
                assert type(error) is self.faults[fault]  # noqa: PT017 - or there is none
                return
        self.heal(quiet)
        with self.connect(quiet) as reader:
            assert listed == reader.courses()

    def test_what_passes_by_itself_is_waited_for(self, quiet: Any) -> None:
        """Over HTTP a call is made again where the error says that it may go well."""
        for fault, error in self.faults.items():
            if self.over_http and error.action.again:
                self.break_it(quiet, fault, times=1)
                assert len(self.rows(quiet)) == len(COHORT), fault
                self.heal(quiet)

    def test_a_source_that_fails_in_the_middle_leaves_what_came_true(self, quiet: Any) -> None:
        """And the pull goes on from there when it is back."""
        fault = next(iter(self.faults))
        whole = self.rows(quiet)
        came: dict[str, Completion] = {}
        since = None
        with self.connect(quiet) as reader:
            pages = iter(reader.completions())
            try:
                for page in pages:
                    came |= by_key([page])
                    since = page.through or since
                    if len(came) == len(page.completions):
                        self.break_it(quiet, fault)
            except ConnectorError as error:
                assert type(error) is self.faults[fault]  # noqa: PT017 - a file may be read already
        self.heal(quiet)
        assert came.items() <= whole.items()
        assert came | self.rows(quiet, Span(since) if since else EVERYTHING) == whole

    # --- limits --------------------------------------------------------------------------------------------------
    @pytest.mark.parametrize("stall", STALLS)
    def test_nobody_waits_for_ever(self, quiet: Any, stall: str) -> None:
        """An answer that begins too late or only drips ends at the deadline. A file is there or is not."""
        with self.connect(quiet, HASTY) as reader:
            if not self.over_http:
                assert by_key(reader.completions()) == self.rows(quiet)
                return
            self.break_it(quiet, stall)
            start = time.monotonic()
            self.failing(quiet, reader, Unreachable)
            assert time.monotonic() - start < HASTY.deadline + self.slack

    def test_a_redirect_is_not_followed(self, quiet: Any) -> None:
        """It would carry the token to whoever was named, and lose the question."""
        if not self.over_http:
            assert "redirect" not in self.faults
            return
        self.break_it(quiet, "redirect")
        with self.connect(quiet) as reader:
            self.failing(quiet, reader, Redirected)
            before = reader.calls
            assert before <= len(self.faults)

    # --- secrets -------------------------------------------------------------------------------------------------
    def test_a_good_pull_tells_no_secret(self, quiet: Any, caplog: pytest.LogCaptureFixture) -> None:
        """Neither in logs nor in addresses, nor in how the connector shows itself and its pages' words."""
        with self.connect(quiet) as reader:
            pages = list(reader.completions())
            reader.courses()
            reader.check()
            self.no_secret(quiet, repr(reader), str(reader), repr(vars(reader)), *(page.window for page in pages))
        self.nothing_left_behind(quiet, caplog)
        assert bool(self.urls(quiet)) == self.over_http

    def test_keys_and_places_tell_no_identity_number(self, quiet: Any) -> None:
        """They stand in tables, logs and messages."""
        for row in self.rows(quiet).values():
            self.no_secret(quiet, row["key"], row.get("place", ""), row["name"], row["course_name"])
