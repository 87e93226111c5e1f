"""The template: empty it is nobody, filled in it is read whole."""

from __future__ import annotations

import zipfile

import pytest

from connectors.roster import RosterConnector, write_template
from connectors.roster.reader import read
from tests.connectors.roster_files import connector, only, xlsx

PERSON = [
    "买买提·艾合买提",
    "37040419660809055x",
    "某医院",
    "某班",
    "枣人社备〔2024〕018号",
    "2024-05-13",
    "2024-05-15",
    24,
    "合格",
    "",
]


@pytest.fixture
def template(tmp_path):
    write_template(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def test_an_empty_template_has_no_rows_and_no_problem(template):
    with connector(template) as roster:
        (page,) = roster.completions()
        assert (page.completions, page.rejected, page.total) == ([], [], 0)
        assert roster.check().ok


def test_a_filled_template_is_read_whole(template, tmp_path):
    (head,) = [row for _, row in read(template).sheets[0].rows()]
    row = only(xlsx(tmp_path / "r.xlsx", [head, PERSON], names=["学员名册"]))
    assert (row["name"], row["id_number"], row["employer"], row["course_name"]) == tuple(PERSON[:4])
    assert (row["filing_number"], row["hours"], row["passed"]) == (PERSON[4], 2400, True)
    assert (row["started_on"].isoformat(), row["completed_at"].date().isoformat()) == ("2024-05-13", "2024-05-15")


def test_the_column_of_numbers_is_text_so_that_no_spreadsheet_ruins_it(template):
    with zipfile.ZipFile(template) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        styles = parts.read("xl/styles.xml").decode()
    style = sheet.split('<col min="2" max="2"')[1].split('style="')[1].split('"')[0]
    formats = styles.split("<cellXfs")[1].split("<xf ")[1:]
    assert 'numFmtId="49"' in formats[int(style)]  # 49 is «text» (ECMA-376, 18.8.30)
    for rule in ('type="list"', 'type="decimal"', 'type="date"', 'type="custom"', 'paperSize="9"', 'state="frozen'):
        assert rule in sheet


def test_a_place_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="none"):
        write_template(tmp_path / "none" / "t.xlsx")


def test_the_template_is_offered_by_the_package():
    assert RosterConnector.kind == "roster"
