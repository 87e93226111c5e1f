"""After a whole run, nothing that the program leaves behind has an identity number or a token in clear."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from django.db import connection

from connectors.testing import fake_moodle
from tests.house.houses import sql

RUN = re.compile(rb"(?<![0-9])[0-9]{14,17}[0-9Xx]?(?![0-9])")
HEX = re.compile(rb"\\\\x((?:[0-9a-f]{2})+)")  # how COPY writes bytes


@pytest.fixture(scope="module")
def numbers() -> set[bytes]:
    """Every identity number of the recorded site, as typed there, and as it is converted."""
    with (Path(fake_moodle.FOLDER) / "people.csv").open(encoding="utf-8", newline="") as file:
        typed = {"".join(line["sfzh"].split()).upper() for line in csv.DictReader(file)} - {""}
    plain = {n.translate({0xFF10 + d: ord("0") + d for d in range(10)} | {ord("Ｘ"): "X"}) for n in typed}
    longer = {n[:6] + "19" + n[6:] for n in plain if len(n) == 15}
    return {n.encode() for n in plain | longer if len(n) >= 14}


def found_in(data: bytes, numbers: set[bytes]) -> set[bytes]:
    """The numbers that stand in ``data``, also within longer runs of digits."""
    runs = {run.upper() for run in RUN.findall(data)}
    return {n for n in numbers if n in runs or (len(n) == 17 and any(run.startswith(n) for run in runs))}


def test_the_scan_finds_what_is_there(numbers: set[bytes]):
    assert len(numbers) > 500
    some = next(n for n in numbers if len(n) == 18)
    assert found_in(b"a" + some.lower() + b"\t", numbers) == {some}


def everything() -> dict[str, bytes]:
    """All tables of the database as COPY writes them, with bytes written out."""
    tables = [t for (t,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    written = {}
    with connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                text = b"".join(bytes(piece) for piece in copy)
            written[table] = text + b"\n".join(bytes.fromhex(h.decode()) for h in HEX.findall(text))
    return written


def test_no_table_holds_a_number_or_a_token(demo_house, numbers):
    written = everything()
    assert len(written["intake_completion"]) > 1_000_000
    assert len(written["certificates_certificate"]) > 100_000
    leaks = {table: found_in(text, numbers) for table, text in written.items()}
    assert {table: len(found) for table, found in leaks.items() if found} == {}
    assert [table for table, text in written.items() if demo_house.token.encode() in text] == []


def test_no_log_of_the_server_holds_a_number_or_a_token(demo_house, postgres, numbers):
    logs = [path for path in postgres.home.rglob("*") if path.is_file() and "log" in path.parts]
    text = b"".join(path.read_bytes() for path in logs)
    assert found_in(text, numbers) == set()
    assert demo_house.token.encode() not in text


@pytest.mark.parametrize(
    "command",
    [
        ("certificate", "list"),
        ("quarantine", "list"),
        ("quarantine", "list", "--code", "E_ID_CHECKSUM"),
        ("quarantine", "list", "--code", "E_DATE_RANGE"),
        ("source", "list"),
        ("programme", "list"),
    ],
    ids=" ".join,
)
def test_no_command_prints_a_number_or_a_token(demo_house, numbers, xueshi, command):
    for form in ((), ("--json",)):
        said = xueshi(*command, *form)
        assert said.exit == 0
        text = (said.out + said.err).encode()
        assert len(text) > 100
        assert found_in(text, numbers) == set()
        assert demo_house.token not in said.out + said.err
