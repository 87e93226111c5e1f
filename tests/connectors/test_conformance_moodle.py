"""The conformance suite on Moodle, by each of its routes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from connectors import errors
from connectors.base import SourceConfig
from connectors.moodle.client import COMPLETIONS, RETRIEVE, STATUS
from connectors.testing import ConnectorTests
from connectors.testing.conformance import COURSES, HTTP_FAULTS, Subject
from connectors.testing.conformance_log import LogTests
from connectors.testing.conformance_source import SourceTests
from connectors.testing.fake_moodle import Enrolment, FakeMoodle

OPTIONS: dict[str, dict[str, Any]] = {
    "redirect": {"location": "http://127.0.0.1:9/elsewhere"},
    "rate_limited": {"retry_after": 0},
    "huge": {"bytes": 4 << 20},
    "drip": {"bytes": 1},
    "error": {"errorcode": "sitepolicynotagreed"},
    "missing_function": {"function": RETRIEVE},
}

PLUGIN_ONLY = ("error", "missing_function", "page_repeated", "totals_lie")


def without(faults, *names):
    return {name: error for name, error in faults.items() if name not in names}


class Moodle(Subject):
    """What all routes have in common. To each its ``options`` and ``faults``; how a token is refused, one is asked."""

    kind = "moodle"
    options: dict[str, str]
    plugin = False
    columns = True

    @pytest.fixture
    def site(self):
        with FakeMoodle(rows=0, plugin=self.plugin, columns=self.columns, step=45) as site:
            site.courses = {code: site.courses[code] for code in COURSES}
            for code, name in COURSES.items():
                site.change_course(code, name=name)
                site.add_user(f"idle{code}", "赵", "在学")  # on the way: a course without anybody is a missing right
                site.enrol([Enrolment(f"idle{code}", code)])
            yield site

    def config(self, site):
        return SourceConfig("base", site.url, SecretStr(site.token), self.options, allow_private=True)

    def put(self, site, *finished):
        for one in finished:
            # two fields where the blank between them comes back; any name may stand in one
            family, _, given = one.name.rpartition(" ") if "·" in one.name or one.name.isascii() else ("", "", one.name)
            person = {"family": family, "given": given, "sfzh": one.id_number}
            if one.user in site.people:
                site.change_user(one.user, **person)
            else:
                site.add_user(one.user, **person)
            row = Enrolment(one.user, one.course, int(one.at.timestamp()), one.grade, by_criteria=True)
            if site.enrolment(one.user, one.course) != row:
                site.enrol([row])

    def remove(self, site, one):
        site.remove_row(one.user, one.course)

    def break_it(self, site, fault, times=None):
        site.faults.add(fault, times=times, **OPTIONS.get(fault, {}))

    def heal(self, site):
        site.clear_faults()

    def urls(self, site):
        return [f"{one.path}?{one.query}" for one in site.questions]


class Report(Moodle):
    options = {"route": "report", "page_size": "9"}
    faults = HTTP_FAULTS | {
        "maintenance": errors.Maintenance,
        "disabled": errors.Refused,
        "invalid_token": errors.TokenInvalid,
        "expired_token": errors.TokenExpired,
        "access_refused": errors.AccessRefused,
        "suspended_account": errors.AccountSuspended,
        "error": errors.AccountSuspended,
        "unable_to_lock": errors.Busy,
        "missing_function": errors.FunctionMissing,
        "filter_ignored": errors.FilterIgnored,
        "column_missing": errors.ColumnMissing,
        "identity_hidden": errors.ColumnMissing,
        "totals_lie": errors.TotalsDiffer,
    }


class TestReport(Report, ConnectorTests):
    def test_a_pull_that_was_cut_within_a_crowded_minute_goes_on(self, full):
        self.options = self.options | {"page_size": "8"}
        self.test_a_pull_that_was_cut_after_any_page_goes_on(full)


class Plugin(Moodle):
    plugin = True
    options = {"route": "plugin", "page_size": "9"}
    faults = HTTP_FAULTS | {
        "expired_token": errors.TokenExpired,
        "unable_to_lock": errors.Busy,
        "error": errors.CapabilityMissing,
        "missing_function": errors.FunctionMissing,
        "plugin_removed": errors.FunctionMissing,
        "page_repeated": errors.PageRepeated,
        "list_cut": errors.TotalsDiffer,
        "totals_lie": errors.TotalsDiffer,
        "identity_unset": errors.IdentityFieldWrong,
    }

    def break_it(self, site, fault, times=None):
        options = OPTIONS.get(fault, {}) | {"error": {"errorcode": "nopermissions"}}.get(fault, {})
        only = {"function": COMPLETIONS} if fault in PLUGIN_ONLY else {}
        site.faults.add(fault, times=times, **options | only)

    def forget(self, site):
        site.trim_log()


class TestPlugin(Plugin, ConnectorTests):
    def test_a_plugin_that_goes_in_mid_pull_is_told_as_such(self, full):
        full.faults.add("plugin_removed", after=2)
        with self.connect(full) as reader:
            self.failing(full, reader, errors.FunctionMissing)

    def test_a_digest_that_does_not_fit_its_rows_is_told(self, full):
        full.faults.add("wrong_digest")
        with self.connect(full) as reader:
            first = next(iter(reader.blocks()))
            with pytest.raises(errors.DigestWrong) as error:
                list(reader.block(first))
        assert (error.value.params["first"], error.value.retry) == (1, True)

    def test_a_log_that_was_begun_anew_is_told(self, full):
        with self.connect(full) as reader, pytest.raises(errors.LogBegunAnew) as error:
            list(reader.changes(10_000))
        assert "before 10000" in error.value.message


class TestPluginByRows(Plugin, ConnectorTests):
    """A plugin of a version that can not answer column by column."""

    columns = False


class TestAuto(Plugin, SourceTests, LogTests):
    """The plugin is installed, so it is taken; while it is not there, the report is. Rows are asked of the routes."""

    options = {"page_size": "9"}
    faults = without(Plugin.faults, "missing_function", "plugin_removed")


class TestAutoWithoutPlugin(Report, SourceTests, LogTests):
    """The report is there, so it is taken; while it can't be read, people are asked for one by one."""

    options = {"page_size": "9"}
    faults = without(Report.faults, "missing_function")


class TestEnrolled(Moodle, ConnectorTests):
    options = {"route": "enrolled"}
    faults = HTTP_FAULTS | {
        "missing_function": errors.FunctionMissing,
        "empty": errors.CapabilityMissing,
        "cannot_view": errors.CapabilityMissing,
    }

    def break_it(self, site, fault, times=None):
        options = {"function": STATUS} if fault in ("missing_function", "cannot_view") else OPTIONS.get(fault, {})
        site.faults.add(fault, times=times, **options)
