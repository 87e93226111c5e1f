"""Files: what kind they are, how they are encoded, and what a broken or hostile one comes to."""

from __future__ import annotations

import os
import struct
import zipfile

import pytest

from connectors.errors import ConnectorError, FileBroken, FileEncoding, FileMissing, FileTooLarge, OptionInvalid
from connectors.roster import archive
from tests.connectors.roster_files import ANNA, BO, HEAD, connector, csv, read, xlsx

LIST = f"{','.join(HEAD)}\n{','.join(ANNA)}\n{','.join(BO)}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_however_a_spreadsheet_wrote_it(tmp_path, encoding, delimiter, end):
    text = LIST.replace(",", delimiter).replace("\n", end)
    completions, rejected = read(csv(tmp_path / "r.csv", text, encoding))
    assert [row["name"] for row in completions] == ["赵安娜", "钱波"]
    assert rejected == []


def test_the_kind_is_judged_by_content_and_not_by_name(tmp_path):
    table = xlsx(tmp_path / "r.csv", [HEAD, ANNA])
    text = csv(tmp_path / "r.xlsx", LIST)
    assert (len(read(table)[0]), len(read(text)[0])) == (1, 2)


def test_a_line_that_names_the_delimiter_is_heeded_and_rows_keep_their_numbers(tmp_path):
    completions, _ = read(csv(tmp_path / "r.csv", "sep=;\n" + LIST.replace(",", ";")))
    assert [row["place"] for row in completions] == ["第3行", "第4行"]


def test_an_address_may_be_a_file_url(tmp_path):
    path = csv(tmp_path / "名册 1.csv", LIST)
    assert len(read(path.as_uri())[0]) == 2


def test_characters_that_gb_18030_moved_out_of_private_use_come_as_they_are_now(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(LIST.encode("gb18030").replace("赵安娜".encode("gb18030"), b"\xd5\xd4\xfe\x59\xfe\x51"))
    assert read(path)[0][0]["name"] == "赵\u9fb4\U00020087"


def test_text_in_no_known_encoding_is_refused_with_the_place(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(LIST.encode() + b"\xff\xff\xff")
    with pytest.raises(FileEncoding) as error:
        read(path)
    assert error.value.params["position"] == len(LIST.encode())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "password"),
        (b"PK\x03\x04" + b"junk" * 100, "damaged"),
        (b"a,b\0c\n", "not text"),
        (f'{LIST}孙,"1,2024-01-01,8\n'.encode(), "quotation mark"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path, content, says):
    path = tmp_path / "r.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileBroken, match=says):
        read(path)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_file_cut_off_on_its_way_is_refused(tmp_path, part):
    content = xlsx(tmp_path / "whole.xlsx", [HEAD, ANNA]).read_bytes()
    path = tmp_path / "r.xlsx"
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FileBroken):
        read(path)


def test_every_byte_of_a_workbook_may_be_wrong_without_a_crash(tmp_path):
    whole = xlsx(tmp_path / "whole.xlsx", [HEAD, ANNA]).read_bytes()
    path = tmp_path / "r.xlsx"
    for at in range(0, len(whole), 37):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read(path)
        except ConnectorError as error:
            assert error.code.startswith(("E_FILE", "E_HEADER"))  # noqa: PT017 - most bytes do no harm at all


def test_what_is_no_file_is_missing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.xlsx", tmp_path, tmp_path / "pipe", "file://elsewhere/r.xlsx", "a\0b"):
        with pytest.raises(FileMissing):
            read(path)


# --- small files that would be huge ----------------------------------------------------------------------------------
def rewrite(path, change):
    """The workbook at ``path`` with ``change(name, content)`` for each of its parts."""
    with zipfile.ZipFile(path) as old:
        parts = {member.filename: old.read(member) for member in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, change(name, content))
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "UNPACKED_LIMIT", 1 << 20)
    path = rewrite(
        xlsx(tmp_path / "r.xlsx", [HEAD, ANNA]),
        lambda name, content: content + b" " * (2 << 20) if "sheet1" in name else content,
    )
    with pytest.raises(FileTooLarge):
        read(path)


def test_a_zip_bomb_that_lies_about_its_size_is_refused_too(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "UNPACKED_LIMIT", 1 << 20)
    bomb = b"<worksheet/>" + b" " * (2 << 20)
    path = rewrite(xlsx(tmp_path / "r.xlsx", [HEAD, ANNA]), lambda name, content: bomb if "sheet1" in name else content)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", len(bomb)), struct.pack("<I", 12)))
    with zipfile.ZipFile(path) as lying:
        assert sum(member.file_size for member in lying.infolist()) < 1 << 20
    with pytest.raises(FileTooLarge):
        read(path)


def test_two_cells_at_opposite_corners_are_refused(tmp_path):
    path = xlsx(tmp_path / "r.xlsx", [HEAD, ANNA])
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rewrite(path, lambda _, content: content.replace(b"</sheetData>", far))
    with pytest.raises(FileTooLarge):
        read(path)


def test_a_format_without_content_at_the_last_cell_does_no_harm(tmp_path):
    path = xlsx(tmp_path / "r.xlsx", [HEAD, ANNA])
    far = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    rewrite(path, lambda _, content: content.replace(b"</sheetData>", far))
    assert len(read(path)[0]) == 1


def test_one_long_text_in_many_cells_is_refused(tmp_path, monkeypatch):
    path = xlsx(tmp_path / "r.xlsx", [HEAD, ANNA, ["长" * 30_000] * 4])
    assert len(read(path)[0]) == 1
    monkeypatch.setattr(archive, "_TEXT", 1 << 20)
    with pytest.raises(FileTooLarge):
        read(path)


def test_an_archive_with_two_directories_is_refused(tmp_path):
    path = xlsx(tmp_path / "r.xlsx", [HEAD, ANNA])
    path.write_bytes(path.read_bytes() + b"PK\x05\x06" + b"\0" * 18)
    with pytest.raises(FileBroken):
        read(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "r.xlsx", "w") as archived:
        archived.writestr("holiday.txt", "x")
    with pytest.raises(FileBroken, match="no workbook"):
        read(tmp_path / "r.xlsx")


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "r.csv"
    with path.open("wb") as file:
        file.truncate(archive.FILE_LIMIT + 1)
    with pytest.raises(FileTooLarge):
        read(path)


def test_the_limits_let_a_city_through(tmp_path):
    """20,000 rows come through whole."""
    han = str.maketrans("0123456789", "零一二三四五六七八九")
    people = [[f"甲{at:05d}".translate(han), f"{at:017d}5", "2024-06-05", 24] for at in range(20_000)]
    path = xlsx(tmp_path / "r.xlsx", [HEAD, *people])
    assert path.stat().st_size < archive.FILE_LIMIT // 10
    with connector(path) as roster:
        pages = list(roster.completions())
    assert [len(page.completions) for page in pages] == [5_000] * 4
    assert {page.total for page in pages} == {20_000}
    assert len({row["key"] for page in pages for row in page.completions}) == 20_000


@pytest.mark.parametrize(
    ("option", "value"),
    [("date", "June"), ("hours", "-1"), ("hours", "x"), ("passed_mark", "x"), ("passed_mark", "0"),
     ("passed_mark", "nan"), ("passed_mark", "101"), ("colour", "red")],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused(tmp_path, option, value):
    with pytest.raises(OptionInvalid):
        connector(tmp_path / "r.csv", **{option: value})
