"""The four rosters as bases send them come to what `expected.json` says, read and judged."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from agent.learners.identity import clean_name, normalise_id
from connectors.base import SourceConfig
from connectors.roster import RosterConnector

ROSTERS = Path(__file__).parent / "rosters"
EXPECTED = json.loads((ROSTERS / "expected.json").read_text(encoding="utf-8"))


def read(name):
    with RosterConnector(SourceConfig("r", str(ROSTERS / name))) as roster:
        pages = list(roster.completions())
    return [row for page in pages for row in page.completions], [row for page in pages for row in page.rejected]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_roster_comes_to_what_is_expected(name):
    completions, rejected = read(name)
    refused = Counter(row.code for row in rejected)
    accepted = failed = 0
    for row in completions:
        if code := normalise_id(row["id_number"]).code:
            refused[code] += 1
        else:
            accepted += row["passed"]
            failed += not row["passed"]
        assert clean_name(row["name"]).code is None
    expected = EXPECTED[name]
    assert (accepted, failed, dict(refused)) == (
        expected["accepted"],
        expected.get("not_passed", 0),
        expected["refused"],
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_no_key_place_or_shown_value_gives_a_number_away(name):
    completions, rejected = read(name)
    numbers = {normalise_id(row["id_number"]).number for row in completions} - {None}
    shown = " ".join(
        [f"{row['key']} {row['place']}" for row in completions]
        + [f"{row.key} {row.place} {row.value}" for row in rejected]
    )
    assert numbers
    assert not any(number[6:14] in shown for number in numbers)


def test_the_ruined_cells_are_named():
    _, rejected = read("c-ruined-numbers.xlsx")
    assert [(row.place, row.code) for row in rejected] == [
        ("Sheet!B4", "E_ID_PRECISION_LOST"),
        ("Sheet!B7", "E_ID_PRECISION_LOST"),
        ("Sheet!B9", "E_ID_PRECISION_LOST"),
        ("Sheet!F13", "E_HOURS_INVALID"),
    ]


def test_names_come_whole_out_of_gb_18030():
    completions, _ = read("d-gb18030.csv")
    assert [row["name"] for row in completions[:4]] == ["欧阳𠮷", "买买提·艾合买提", "龚䶮", "朱镕"]
    assert completions[5]["employer"] == '枣庄市示例"高新"企业，有限公司'
    assert completions[2]["completed_at"].isoformat() == "2024-11-03T15:05:00+08:00"
    assert completions[2]["precision"] == "minute"
