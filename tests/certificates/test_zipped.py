"""A ZIP that can be sent from any place on, and that other programs read."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.certificates.zipped import Entry, Zipped

AT = datetime(2024, 6, 5, 13, 14, 16)  # noqa: DTZ001 - local, as ZIP has it
names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=["C"]), min_size=1, max_size=20
)


class Kept:
    """Contents, and which of them were asked for."""

    def __init__(self, contents: Sequence[bytes]) -> None:
        self.contents = contents
        self.asked: list[int] = []

    def __call__(self, keys: Sequence[int]) -> dict[int, bytes]:
        self.asked += keys
        return {key: self.contents[key] for key in keys}


def made(contents: Sequence[bytes], named: Sequence[str] = (), last: bytes = b"manifest") -> Zipped:
    called = list(named) or [f"证书{n}.pdf" for n in range(len(contents))]
    entries = [Entry(n, called[n], AT, len(one), crc32(one)) for n, one in enumerate(contents)]
    return Zipped(entries, ("manifest.csv", AT, last))


@given(st.dictionaries(names, st.binary(max_size=200), max_size=50), st.binary(max_size=100))
def test_python_reads_what_was_put_in_and_its_length_was_known(files, last):
    contents = list(files.values())
    archive = made(contents, list(files), last)
    whole = b"".join(archive.pieces(Kept(contents)))
    assert len(whole) == archive.size
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        assert read.testzip() is None
        assert [info.filename for info in read.infolist()] == [*files, "manifest.csv"]
        assert [read.read(name) for name in files] == contents
        assert read.read("manifest.csv") == last
        assert all(info.date_time == (2024, 6, 5, 13, 14, 16) for info in read.infolist())


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=45), st.data())
def test_any_part_of_it_is_that_part_of_the_whole(contents, data):
    archive = made(contents)
    whole = b"".join(archive.pieces(Kept(contents)))
    start = data.draw(st.integers(0, archive.size))
    end = data.draw(st.integers(start, archive.size))
    assert b"".join(archive.pieces(Kept(contents), start, end)) == whole[start:end]


def test_what_lies_before_or_behind_is_not_fetched():
    contents = [bytes([n]) * 1000 for n in range(100)]
    archive, kept = made(contents), Kept(contents)
    b"".join(archive.pieces(kept, 50_000, 60_000))
    assert min(kept.asked) >= 45
    assert max(kept.asked) <= 60
    kept = Kept(contents)
    b"".join(archive.pieces(kept, archive.size - 30))
    assert kept.asked == []


def test_other_bytes_have_another_digest():
    one, other = [b"a", b"b"], [b"a", b"c"]
    assert made(one).digest == made(one).digest
    assert len({made(one).digest, made(other).digest, made(one, ["x", "y"]).digest, made(one, last=b"m").digest}) == 4


def test_a_content_of_another_length_is_never_sent():
    archive = made([b"abc"])
    with pytest.raises(ValueError, match="证书0"):
        b"".join(archive.pieces(lambda _: {0: b"ab"}))


@pytest.mark.needs("unzip")
@pytest.mark.parametrize("count", [30, 70_000], ids=["few", "more than the old format can count"])
def test_a_program_of_others_reads_it(tmp_path: Path, count: int):
    contents = [b"%d" % n for n in range(count)]
    archive = made(contents)
    with (tmp_path / "x.zip").open("wb") as file:
        file.writelines(archive.pieces(Kept(contents)))
    assert (tmp_path / "x.zip").stat().st_size == archive.size
    done = subprocess.run(["unzip", "-tq", tmp_path / "x.zip"], capture_output=True, text=True, check=False)
    assert (done.returncode, "No errors detected" in done.stdout) == (0, True), done.stdout + done.stderr
    with zipfile.ZipFile(tmp_path / "x.zip") as read:
        assert len(read.infolist()) == count + 1


def test_more_bytes_than_the_old_format_can_count(tmp_path: Path):
    """Five entries of a gigabyte, written with holes: only the end is really read."""
    size = 1 << 30
    archive = Zipped([Entry(n, f"{n}", AT, size, 0) for n in range(5)], ("m", AT, b"all of it"))
    file = tmp_path / "large.zip"
    with file.open("wb") as out:
        tail = archive.size - 5000
        out.seek(tail)
        none = _Zeros(size)
        out.writelines(archive.pieces(lambda keys: dict.fromkeys(keys, none), tail))  # type: ignore[arg-type]
    assert file.stat().st_size == archive.size > 5 * size
    with zipfile.ZipFile(file) as read:
        assert [info.header_offset // size for info in read.infolist()] == [0, 1, 2, 3, 4, 5]
        assert read.read("m") == b"all of it"


class _Zeros:
    """So many zeros that nobody has in memory."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self.size)
        return b"\0" * max(0, stop - start)
