"""What is asked of the rows: all of them, once, as they are, and the same again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.records import Completion, Completions, Page
from connectors.testing.conformance_people import COHORT, COURSES, NEWCOMER, SHANGHAI, told
from connectors.testing.conformance_subject import Subject, able, by_key

_EXPECTED = {one.told: one for one in COHORT}
_CODES = {"E_ID_PRECISION_LOST", "E_HOURS_INVALID", "E_DATE_INVALID", "E_ROW_MALFORMED", "E_RESULT_INVALID"}
_WHERE = {"place", "raw", "serial", "mark"}
_ODD = {
    "long": "长" * 700,
    "nul": "赵\0六",
    "newline": "赵\n六",
    "order": "\ufffd\u202e赵",
    "sql": "''; --",
    "script": "<script>alert(1)</script>",
}


def sound(pages: list[Page]) -> list[Completion]:
    """All rows of ``pages``, each page held against the contract, keys unique over all of them."""
    rows: list[Completion] = []
    for page in pages:
        Completions.validate_python(list(page.completions), strict=True)
        for row in page.completions:
            named = row["raw"] if isinstance(row["raw"], dict) else dict(zip(page.titles, row["raw"], strict=True))
            assert named, "the row as it came is kept"
            json.dumps(named)
            assert (row["completed_at"] is None) == (row["precision"] == "unknown")
        for refused in page.rejected:
            assert refused.code in _CODES
            assert refused.key or refused.place
            json.dumps(refused.raw)
        rows += page.completions
    keys = [row["key"] for row in rows] + [refused.key for page in pages for refused in page.rejected if refused.key]
    assert len(keys) == len(set(keys)), "two rows have one key"
    return rows


def said(rows: dict[str, Completion]) -> dict[str, dict[str, Any]]:
    """What rows say, without where they stand: a line more above is no change."""
    return {key: {name: value for name, value in row.items() if name not in _WHERE} for key, row in rows.items()}


class CompletionsTests(Subject):
    """The rows of a whole pull, and of the next."""

    def test_everybody_comes_once_with_name_and_number_as_they_are(self, full: Any) -> None:
        """No row is lost, doubled or invented, and no character of a name."""
        pages = self.pages(full)
        rows = sound(pages)
        assert [page.rejected for page in pages if page.rejected] == []
        assert len(rows) == len(COHORT)
        assert {told(row) for row in rows} == _EXPECTED.keys()
        for row in rows:
            one = _EXPECTED[told(row)]
            assert row["name"] == one.name
            assert row["user"] in (one.user, "")  # a roster knows no accounts
            assert row["course_name"] in (COURSES[one.course], "")
            assert row["passed"]
            assert row["active"]
        assert len(pages) > 1, "the suite wants a source of several pages"

    def test_reading_again_brings_the_very_same(self, full: Any) -> None:
        """Same keys, same rows, by the same connector or another: else every sync would find changes."""
        with self.connect(full) as reader:
            first, second = by_key(reader.completions()), by_key(reader.completions())
        assert first == second == self.rows(full)

    def test_totals_say_how_many_rows_there_are(self, full: Any) -> None:
        """With ``counts`` each page bears the number of the whole pull, so that a list cut short shows."""
        with self.connect(full) as reader:
            totals = {page.total for page in reader.completions()}
            assert totals == ({len(COHORT)} if able(reader).counts else {None})

    def test_times_are_aware_and_as_exact_as_they_claim(self, full: Any) -> None:
        """Nothing is rounded beyond the precision that is said, and no time is invented."""
        with self.connect(full) as reader:
            always = able(reader).completion_time
            for row in by_key(reader.completions()).values():
                at, precision = row["completed_at"], row["precision"]
                if at is None:
                    assert not always, "the source claims to know when"
                    continue
                expected = _EXPECTED[told(row)].when(precision)
                assert at.utcoffset() is not None
                assert (at.astimezone(SHANGHAI).date() if precision == "day" else at) == expected

    def test_a_completion_belongs_to_its_own_day(self, full: Any) -> None:
        """23:59:59 and 00:00:00 in Asia/Shanghai lie a day apart: that day decides the year."""
        days = {told(row): row["completed_at"] for row in self.rows(full).values() if row["completed_at"]}
        for key, at in days.items():
            assert at.astimezone(SHANGHAI).date() == _EXPECTED[key].at.date()

    def test_grades_and_hours_are_told_by_those_who_claim_to_know_them(self, full: Any) -> None:
        """And by nobody else."""
        with self.connect(full) as reader:
            can = able(reader)
            for row in by_key(reader.completions()).values():
                one = _EXPECTED[told(row)]
                if can.grades:
                    assert float(row["grade"]) == float(one.grade)
                else:
                    assert row["grade"] == ""
                hours = row["hours"] if row["minutes"] is None else row["minutes"] * 100 / 45
                assert hours == (one.hours if can.reported_hours else None)

    # --- when something changes ----------------------------------------------------------------------------------
    def test_a_new_completion_comes_and_changes_no_other(self, full: Any) -> None:
        """Keys do not depend on neighbours."""
        before = said(self.rows(full))
        self.put(full, NEWCOMER)
        after = said(self.rows(full))
        assert {key: after[key] for key in before} == before
        assert [told(row) for key, row in after.items() if key not in before] == [NEWCOMER.told]

    def test_a_corrected_completion_keeps_its_key(self, full: Any) -> None:
        """So it becomes a new version of the row, and the hours move to the right person."""
        wrong = COHORT[0]
        mine = [replace(one, id_number=NEWCOMER.id_number) for one in COHORT if one.user == wrong.user]
        before = said(self.rows(full))
        self.put(full, *mine)
        after = said(self.rows(full))
        assert after.keys() == before.keys()
        changed = {key for key in before if before[key] != after[key]}
        assert len(changed) == len(mine)
        assert {told(before[key])[0] for key in changed} == {wrong.id_number}
        assert {told(after[key])[0] for key in changed} == {NEWCOMER.id_number}

    def test_a_completion_that_was_taken_back_comes_no_more(self, full: Any) -> None:
        """Nothing is remembered from the last time."""
        before = said(self.rows(full))
        self.remove(full, COHORT[1])
        after = said(self.rows(full))
        assert [told(before[key]) for key in before.keys() - after.keys()] == [COHORT[1].told]
        assert after == {key: before[key] for key in after}

    def test_a_source_where_nobody_has_finished_anything_is_no_error(self, site: Any) -> None:
        """It is new."""
        pages = self.pages(site)
        assert sound(pages) == []
        assert {page.total for page in pages} <= {0, None}

    @pytest.mark.parametrize("kind", list(_ODD))
    def test_an_impossible_row_keeps_nobody_else_out(self, full: Any, kind: str) -> None:
        """It comes as far as a completion can hold it, or is refused alone with what it said. (What the source itself
        can't hold, ``put`` leaves out.)
        """
        name = _ODD[kind]
        odd = replace(NEWCOMER, name=name)
        before = said(self.rows(full))
        self.put(full, odd)
        pages = self.pages(full)
        after = said({row["key"]: row for row in sound(pages)})
        refused = [one for page in pages for one in page.rejected]
        assert before.items() <= after.items()
        assert len(after) + len(refused) == len(COHORT) + 1
        assert odd.id_number not in "".join(one.value + one.place + one.field for one in refused)
        for row in after.values():
            if told(row) == odd.told and kind != "long":
                assert row["name"].replace("\0", "") == name.replace("\0", "").strip()
