"""The suite itself is tested: each way to spoil a sound connector makes it fail.

The spoiled ones are subclasses of `Notebook`, and of the third party's 微课 for what happens over HTTP. They run in a
pytest of their own, with nothing around it but the suite.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from unicodedata import normalize
from zlib import crc32

import pytest
from pydantic import SecretStr

from connectors.base import Capabilities, SourceConfig
from connectors.errors import ConnectorError, FileBroken
from connectors.http import Limits
from connectors.records import EVERYTHING, Completions, Page
from connectors.testing import ConnectorTests
from connectors.testing.conformance import COHORT, COURSES, HTTP_FAULTS
from tests.connectors.test_conformance_notebook import Notebook, NotebookCase

ROOT = Path(__file__).parents[2]
THIRD_PARTY = str(Path(__file__).parent / "third_party")
if THIRD_PARTY not in sys.path:
    sys.path.append(THIRD_PARTY)

from fake_weike import FakeWeike  # noqa: E402 - the path comes first
from weike import TokenUnknown, WeikeConnector  # noqa: E402

EVERYBODY = "test_everybody_comes_once_with_name_and_number_as_they_are"

# --- the spoiled ones --------------------------------------------------------------------------------------------
MUTANTS: dict[str, tuple[type[ConnectorTests], str]] = {}


def mutant(test, case=NotebookCase):
    """The suite on a spoiled connector, to be run in a pytest of its own; ``test`` must fail."""

    def register(connector):
        name = f"{connector.__name__}Mutant"
        made = type(name, (case,), {"connector": connector, "__module__": __name__, "slack": 0.3})
        globals()[name], MUTANTS[name] = made, (made, test)
        return connector

    return register


def pages_made(change):
    """A mutant's `completions`: all pages, after ``change`` has had them as a list."""

    def completions(self, span=EVERYTHING):
        yield from change(list(Notebook.completions(self, span)))

    return completions


def rows_made(change):
    """A mutant's `record`: as it should be, with ``change`` written over it."""

    def record(self, serial, one):
        row = Notebook.record(self, serial, one)
        return row | change(row, one)

    return record


@mutant(EVERYBODY)
class LosesTheLastPage(Notebook):
    completions = pages_made(lambda pages: pages[:-1])


@mutant(EVERYBODY)
class TellsARowTwice(Notebook):
    completions = pages_made(lambda pages: [*pages, replace(pages[0], completions=pages[0].completions[:1])])


@mutant(EVERYBODY)
class FoldsNames(Notebook):
    record = rows_made(lambda row, _: {"name": normalize("NFKC", row["name"])})


@mutant(EVERYBODY)
class ForgetsTheRawRow(Notebook):
    record = rows_made(lambda _, __: {"raw": {}})


@mutant("test_a_completion_that_was_taken_back_comes_no_more")
class NumbersKeysByPlace(Notebook):
    def records(self):
        return [row | {"key": f"row {place}"} for place, row in enumerate(super().records())]


@mutant("test_reading_again_brings_the_very_same")
class MakesKeysUp(Notebook):
    record = rows_made(lambda row, _: {"key": f"{row['key']}|{os.urandom(4).hex()}"})


@mutant("test_a_corrected_completion_keeps_its_key")
class PutsTheNumberIntoTheKey(Notebook):
    record = rows_made(lambda row, one: {"key": f"{crc32(one.id_number.encode())}|{row['course']}"})


@mutant("test_keys_and_places_tell_no_identity_number")
class TellsTheNumberInTheKey(Notebook):
    record = rows_made(lambda row, one: {"key": f"{one.id_number}|{row['course']}"})


@mutant("test_a_new_completion_comes_and_changes_no_other")
class RemembersTheLastPull(Notebook):
    kept: dict[str, list] = {}

    def records(self):
        return self.kept.setdefault(self.book.url, super().records())


@mutant("test_times_are_aware_and_as_exact_as_they_claim")
class TakesLocalTimeForUtc(Notebook):
    record = rows_made(lambda _, one: {"completed_at": one.at.replace(tzinfo=UTC)})


@mutant("test_a_completion_belongs_to_its_own_day")
class TakesUtcForLocalTime(Notebook):
    record = rows_made(lambda _, one: {"completed_at": one.at - timedelta(hours=8)})


@mutant("test_times_are_aware_and_as_exact_as_they_claim")
class ClaimsSecondsAndKnowsMinutes(Notebook):
    record = rows_made(lambda _, one: {"completed_at": one.at.replace(second=0)})


@mutant("test_totals_say_how_many_rows_there_are")
class CountsThePageOnly(Notebook):
    completions = pages_made(lambda pages: [replace(page, total=len(page.completions)) for page in pages])


@mutant("test_grades_and_hours_are_told_by_those_who_claim_to_know_them")
class ClaimsGradesItDoesNotKnow(Notebook):
    record = rows_made(lambda _, __: {"grade": ""})


@mutant("test_what_it_can_know_it_claims_before_and_after_a_pull")
class ClaimsMoreAtFirst(Notebook):
    @property
    def capabilities(self):
        return replace(super().capabilities, changes=self.calls == 0)


@mutant("test_a_span_brings_its_rows_and_no_others")
class CountsTheEndOfASpanIn(Notebook):
    def within(self, row, span):
        return super().within(row, span) or row["completed_at"] == span.until


@mutant("test_a_span_brings_its_rows_and_no_others")
class DoesNotFilter(Notebook):
    def within(self, *_):
        return True


@mutant("test_through_is_true")
class SaysItGotFurther(Notebook):
    completions = pages_made(lambda pages: [replace(page, through=pages[-1].through) for page in pages])


@mutant("test_a_pull_that_was_cut_after_any_page_goes_on")
class GoesOnBehindTheGap(Notebook):
    completions = pages_made(
        lambda pages: [replace(page, through=page.through + timedelta(seconds=6)) for page in pages]
    )


@mutant("test_pages_come_in_the_order_of_time")
class BeginsWithTheNewest(Notebook):
    completions = pages_made(lambda pages: [replace(page, through=None) for page in reversed(pages)])


@mutant("test_an_impossible_row_keeps_nobody_else_out")
class StopsAtAnOddRow(Notebook):
    def record(self, serial, one):
        made = super().record(serial, one)
        Completions.validate_python([made | {"name": one.name}])
        return made


@mutant("test_what_is_not_claimed_is_refused")
class SaysThatNothingChanged(Notebook):
    capabilities = Capabilities(grades=True, reported_hours=True, spans=True, blocks=True)

    def changes(self, _):
        return iter(())


@mutant("test_what_is_not_claimed_is_refused")
class ClaimsBlocksWithoutMarks(Notebook):
    def record(self, serial, one):
        return {name: value for name, value in super().record(serial, one).items() if name != "mark"}


@mutant("test_the_log_tells_one_change_as_a_whole_pull_would")
class KeepsDeletionsToItself(Notebook):
    def changes(self, after):
        for page in super().changes(after):
            yield replace(page, gone=[])


@mutant("test_the_log_goes_on_after_any_page")
class RepeatsTheLastChange(Notebook):
    def changes(self, after):
        yield from super().changes(max(after - 1, 0))


@mutant("test_the_log_goes_on_after_any_page")
class LeavesAChangeOut(Notebook):
    def changes(self, after):
        yield from super().changes(after and after + 1)


@mutant("test_the_log_ends_with_what_is_so_now")
class TellsWhatWasGoneOnce(Notebook):
    def changes(self, after):
        yield from super().changes(after)
        anew = [key for key in self.book.log[after:] if self.book.log[after:].count(key) > 3]
        if anew:
            yield Page([], gone=anew[:1], gone_serials=[self.book.serials_of[anew[0]]], sequence=len(self.book.log))


@mutant("test_what_is_gone_is_named_as_it_was_told")
class TellsGoneByTheNewNumber(Notebook):
    def changes(self, after):
        for page in super().changes(after):
            yield replace(page, gone_serials=[serial + 1 for serial in page.gone_serials])


@mutant("test_where_nothing_changed_the_log_is_silent_and_no_block_differs[0]")
class MarksByTheDay(Notebook):
    def blocks(self):
        for block in super().blocks():
            yield replace(block, marks=block.marks + 1)


@mutant("test_a_place_that_the_log_never_reached_is_refused")
class WaitsForALogToGrow(Notebook):
    def changes(self, after):
        return super().changes(after) if after <= len(self.book.log) else iter(())


@mutant("test_blocks_say_where_the_log_stood")
class ForgetsThePlaceInBlocks(Notebook):
    def blocks(self):
        for block in super().blocks():
            yield replace(block, sequence=None)


@mutant("test_blocks_that_differ_bring_every_change_and_equal_ones_hide_none[backdated]")
class MarksNoTime(Notebook):
    record = rows_made(lambda row, one: {"mark": crc32(f"{row['key']}{one.id_number}{one.grade}".encode())})


@mutant("test_a_log_that_lost_its_beginning_says_so")
class HidesThatItsLogWasCut(Notebook):
    def changes(self, after):
        yield from super().changes(max(after, self.book.first))


@mutant("test_blocks_ascend_without_a_gap_and_count_their_rows")
class LeavesGapsBetweenBlocks(Notebook):
    def blocks(self):
        for block in super().blocks():
            yield replace(block, last=block.last - 1)


@mutant("test_blocks_that_differ_bring_every_change_and_equal_ones_hide_none")
class MarksNothing(Notebook):
    record = rows_made(lambda row, _: {"mark": row["serial"]})


@mutant("test_a_block_is_exactly_its_rows")
class GivesTheNeighboursToo(Notebook):
    def block(self, block):
        yield from super().block(replace(block, last=block.last + 1))


@mutant("test_a_fault_is_told_by_its_name")
class TakesAFaultForNobody(Notebook):
    def read(self):
        try:
            return super().read()
        except ConnectorError:
            return {}


@mutant("test_a_fault_is_told_by_its_name")
class HasOneNameForEverything(Notebook):
    def read(self):
        try:
            return super().read()
        except ConnectorError:
            raise ConnectorError(source="notebook") from None


@mutant("test_a_fault_is_told_by_its_name")
class TellsANumberInAnError(Notebook):
    def read(self):
        try:
            return super().read()
        except FileBroken:
            raise FileBroken(path="it", format="rows", reason=f"at {COHORT[0].id_number}") from None


@mutant("test_a_fault_is_told_by_its_name")
class TellsTheTokenInACause(Notebook):
    def read(self):
        try:
            return super().read()
        except FileBroken as error:
            raise error from OSError(self.config.token.get_secret_value())


@mutant("test_check_says_what_a_person_can_mend")
class RaisesInCheck(Notebook):
    def check(self):
        self.read()
        return super().check()


@mutant("test_check_says_what_a_person_can_mend")
class FindsNothingWrong(Notebook):
    def check(self):
        return replace(super().check(), ok=True, problems=[])


@mutant("test_a_source_that_fails_in_the_middle_leaves_what_came_true")
class InventsARowWhenBroken(Notebook):
    def completions(self, span=EVERYTHING):
        for page in super().completions(span):
            invented = [row | {"key": "invented"} for row in page.completions[:1]] if self.book.fault else []
            yield replace(page, completions=[*page.completions, *invented])


@mutant("test_a_good_pull_tells_no_secret")
class LogsWhatItReads(Notebook):
    def record(self, serial, one):
        logging.getLogger("notebook").debug("read %s", one)
        return super().record(serial, one)


@mutant("test_a_good_pull_tells_no_secret")
class ShowsItsToken(Notebook):
    def __repr__(self):
        return f"Notebook({self.config.token.get_secret_value()})"


@mutant("test_it_may_be_closed_early_twice_and_unused")
class ClosesOnce(Notebook):
    def close(self):
        del self._calls


@mutant("test_making_one_asks_nobody")
class ReadsWhenItIsMade(Notebook):
    def __init__(self, config):
        super().__init__(config)
        self.read()


@mutant("test_an_unknown_option_is_refused")
class TakesAnyOption(Notebook):
    def __init__(self, config):
        super().__init__(replace(config, options={}))


@mutant("test_every_option_is_explained")
class ExplainsNothing(Notebook):
    options = {"page": ""}


@mutant("test_it_is_found_by_the_name_of_its_kind")
class HasAnotherName(Notebook):
    kind = "notepad"


# --- over HTTP ---------------------------------------------------------------------------------------------------
class WeikeCase(NotebookCase):
    kind = "weike"
    over_http = True
    faults = HTTP_FAULTS | {"invalid_token": TokenUnknown}

    @pytest.fixture
    def site(self):
        with FakeWeike(COURSES) as site:
            yield site

    def config(self, site):
        return SourceConfig("weike", site.url, SecretStr(site.token), {"page_size": "8"}, allow_private=True)

    def put(self, site, *finished):
        for one in finished:
            who = {"login": one.user, "name": one.name, "sfzh": one.id_number}
            site.finish(**who, course=one.course, finished=f"{one.at:%Y-%m-%d %H:%M:%S}", score=one.grade)

    def break_it(self, site, fault, times=None):
        site.break_it(fault, times)

    def heal(self, site):
        site.heal()


@mutant("test_a_good_pull_tells_no_secret", WeikeCase)
class PutsTheTokenIntoTheAddress(WeikeConnector):
    def _ask(self, what, **query):
        return super()._ask(what, **query, token=self.config.token.get_secret_value())


@mutant("test_nobody_waits_for_ever[drip]", WeikeCase)
class WaitsLonger(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(config, limits=replace(limits, read=1.2, deadline=1.2))


@mutant("test_a_fault_is_told_by_its_name[huge]", WeikeCase)
class TakesAnySize(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(config, limits=replace(limits, max_bytes=Limits().max_bytes))


@mutant("test_what_passes_by_itself_is_waited_for", WeikeCase)
class GivesUpAtOnce(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(config, limits=replace(limits, attempts=1))


@mutant("test_the_environment_has_no_say", WeikeCase)
class TrustsTheEnvironment(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(config, limits=limits)
        self._http._session.trust_env = True


@mutant("test_a_private_address_is_called_only_where_that_was_meant", WeikeCase)
class GoesAnywhere(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(replace(config, allow_private=True), limits=limits)


@mutant("test_a_redirect_is_not_followed", WeikeCase)
class FollowsRedirects(WeikeConnector):
    def __init__(self, config, *, limits):
        super().__init__(config, limits=limits)
        get = self._http._session.get
        self._http._session.get = lambda url, **how: get(url, **how | {"allow_redirects": True})


def test_the_suite_finds_every_spoiled_connector(tmp_path):
    chosen = [f"{Path(__file__)}::{name}::{test}" for name, (_, test) in MUTANTS.items()]
    options = ["--noconftest", "-c", os.devnull, f"--rootdir={ROOT}", "--import-mode=importlib", "-W", "error"]
    options += ["-p", "no:cacheprovider", "-p", "no:randomly", "-o", "python_classes=*Mutant", "-q", "--tb=no", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *chosen],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = set(re.findall(r"^FAILED .*::(\w+Mutant)::", done.stdout, re.MULTILINE))
    ran = set(re.findall(r"^(?:FAILED|PASSED) .*::(\w+Mutant)::", done.stdout, re.MULTILINE))
    assert ran == MUTANTS.keys(), done.stdout + done.stderr
    assert sorted(MUTANTS.keys() - found) == []
