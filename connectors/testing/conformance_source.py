"""What is asked of a connector before a row is read: its kind, options, address, check, courses; and of closing it."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import Any

import pytest

from connectors.base import Capabilities, Connector, load
from connectors.errors import AddressForbidden, AddressInvalid, ConnectorError, OptionInvalid
from connectors.records import Page
from connectors.testing.conformance_people import COHORT, COURSES
from connectors.testing.conformance_subject import LIMITS, Subject, able, by_key, stop

_SHORTEST_SENTENCE = 15


class SourceTests(Subject):
    """The connector as a thing: made, asked about itself, used by a thread, closed."""

    # --- what it is ----------------------------------------------------------------------------------------------
    def test_it_is_found_by_the_name_of_its_kind(self) -> None:
        """``xueshi source add --kind`` finds it by the entry point, and the class says the same name."""
        connector = load(self.kind)
        assert issubclass(connector, Connector)
        assert connector.kind == self.kind

    def test_every_option_is_explained(self) -> None:
        """A person reads what an option is for."""
        for option, sentence in load(self.kind).options.items():
            assert option.isidentifier()
            assert len(sentence) >= _SHORTEST_SENTENCE, f"{option} wants a sentence"

    def test_an_unknown_option_is_refused(self, site: Any) -> None:
        """A slip of the pen must not be taken for the usual."""
        config = self.config(site)
        config = replace(config, options={**config.options, "no_such_option": "1"})
        with pytest.raises(OptionInvalid, match="no_such_option") as error:
            self.make(config, LIMITS)
        assert "no_such_option" in error.value.how_to_fix

    def test_making_one_asks_nobody(self, site: Any) -> None:
        """A worker makes hundreds: to look at an address or at what can be known is no reason to call."""
        with self.connect(site) as reader:
            reader.check_address()
            assert isinstance(reader.capabilities, Capabilities)
            assert reader.calls == 0

    @pytest.mark.parametrize("wrong", ["ftp://{rest}", "{rest}", "https://somebody:s3cr3t@{rest}", "http://{rest}"])
    def test_an_address_that_can_never_be_right_is_refused(self, site: Any, wrong: str) -> None:
        """Before it is stored: no password in it, and nothing that shows the token to whoever listens. (A file's path
        may be anything.)
        """
        config = self.config(site)
        config = replace(config, url=wrong.format(rest=config.url.partition("://")[2]), allow_private=False)
        with self.make(config, LIMITS) as reader:
            if not self.over_http:
                reader.check_address()
                return
            with pytest.raises(AddressInvalid) as error:
                reader.check_address()
        assert "s3cr3t" not in str(error.value)

    def test_a_private_address_is_called_only_where_that_was_meant(self, full: Any) -> None:
        """Else a source would be a way into our own network."""
        config = self.config(full)
        config = replace(config, url=config.url.replace("http://", "https://"), allow_private=False)
        with self.make(config, LIMITS) as reader:
            if self.over_http:
                with pytest.raises(AddressForbidden):
                    list(reader.completions())
                assert AddressForbidden.code in {one.code for one in reader.check().problems}
                assert not self.urls(full)
            else:
                assert len(by_key(reader.completions())) == len(COHORT)

    def test_the_environment_has_no_say(self, full: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy out of a variable would be told the token."""
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert len(self.rows(full)) == len(COHORT)

    # --- what it says of the source ------------------------------------------------------------------------------
    def test_a_good_source_is_said_to_be_good(self, full: Any) -> None:
        """`check` finds nothing missing, and says what it looked at and which way a sync would take."""
        with self.connect(full) as reader:
            found = reader.check()
            assert (found.ok, found.problems) == (True, [])
            assert found.site
            assert found.route
            assert found.capabilities
            assert all(isinstance(value, bool) for value in found.capabilities.values())

    def test_check_changes_nothing(self, full: Any) -> None:
        """Whoever looks twice sees the same, and a pull after it brings all."""
        with self.connect(full) as reader:
            assert reader.check() == reader.check()
            assert by_key(reader.completions()) == self.rows(full)

    def test_all_courses_are_listed_by_code_and_name(self, full: Any) -> None:
        """A person links them to filed programmes by these."""
        with self.connect(full) as reader:
            listed = reader.courses()
            assert {one.code: one.name for one in listed} == COURSES
            assert len(listed) == len(COURSES)
            assert sorted(reader.courses(), key=str) == sorted(listed, key=str)

    def test_what_it_can_know_it_claims_before_and_after_a_pull(self, full: Any) -> None:
        """The sync chooses its way by the claims, after a look. Before that it claims no more."""
        with self.connect(full) as reader:
            at_first = reader.capabilities
            known = able(reader)
            list(reader.completions())
            assert reader.capabilities == known
            for one in fields(known):
                assert isinstance(getattr(known, one.name), bool)
                assert getattr(known, one.name) or not getattr(at_first, one.name)

    def test_calls_are_counted(self, full: Any) -> None:
        """A run says how many questions it cost."""
        with self.connect(full) as reader:
            list(reader.completions())
            asked = reader.calls
            assert asked > 0
            assert reader.calls == asked

    # --- how it is used ------------------------------------------------------------------------------------------
    def test_a_thread_may_read_it(self, full: Any) -> None:
        """The agent reads ahead in a thread, and closes from its own."""
        pages: list[Page] = []
        failed: list[BaseException] = []

        def read() -> None:
            try:
                pages.extend(reader.completions())
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

        with self.connect(full) as reader:
            thread = threading.Thread(target=read)
            thread.start()
            thread.join()
        assert failed == []
        assert by_key(pages) == self.rows(full)

    def test_it_may_be_closed_early_twice_and_unused(self, full: Any) -> None:
        """Closing gives back what is held; it never fails, and leaves nothing behind that a later pull would see."""
        self.connect(full).close()
        reader = self.connect(full)
        pages = iter(reader.completions())
        next(pages)
        reader.close()
        stop(pages)
        reader.close()
        assert len(self.rows(full)) == len(COHORT)

    def test_closing_a_source_that_is_broken_is_no_error(self, full: Any, fault: str) -> None:
        """Or the reason why it broke would be lost behind another."""
        reader = self.connect(full)
        pages = iter(reader.completions())
        next(pages)
        self.break_it(full, fault)
        try:
            list(pages)
        except ConnectorError as error:
            assert isinstance(error, self.faults[fault])  # noqa: PT017 - a file may be read already
        reader.close()
