"""An .xlsx is a zip archive, and a small one can unpack to more than a machine holds. This looks before anyone unpacks.

What the archive declares is compared with limits, then every member is really unpacked up to those limits, because a
declaration costs a forger nothing. Two more ways of being small and huge are measured: two cells at opposite corners
of a sheet (the reader keeps the rectangle between them), and one long text that a million cells refer to.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from connectors.errors import FileBroken, FileTooLarge

FILE_LIMIT = 64 << 20
"""Bytes of a file as it comes. 200,000 rows of ten columns are some 12 MB."""

UNPACKED_LIMIT = 256 << 20
"""Bytes of all members together."""

_MEMBERS = 2_000
_CELLS = 10_000_000  # in the smallest rectangle around a sheet's filled cells; the reader keeps 32 bytes for each
_TEXT = 1 << 30  # bytes of cell texts, were each as long as the longest
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END = b"PK\x05\x06"
_END_SEARCHED = (1 << 16) + 22
_STEP = 1 << 20
_ENCRYPTED = 0x1
# A filled cell: its tag doesn't close itself and isn't closed at once. Cells with nothing but a format take no room.
_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,9})[\"'][^>]*(?<!/)>(?!</)")
_TEXT_END = re.compile(rb"</(?:\w+:)?si\s*>")


def examine(content: bytes, path: Path) -> None:
    """Look through the archive ``content`` of ``path``.

    :raises FileTooLarge: it would unpack to more than the limits.
    :raises FileBroken: it is no whole, plain .xlsx.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _broken(path, "the file was cut off or damaged on its way") from error
    if content[-_END_SEARCHED:].count(_END) != 1:
        raise _broken(path, "it has more than one directory of contents")
    if len(members) > _MEMBERS or sum(member.file_size for member in members) > UNPACKED_LIMIT:
        raise FileTooLarge(path=path.name, limit=UNPACKED_LIMIT)
    if not any(member.filename.lower() == "xl/workbook.xml" for member in members):
        raise _broken(path, "it is a zip archive, but no workbook (.xlsx) is inside")
    room, cells, longest = UNPACKED_LIMIT, 0, 0
    for member in members:
        name = member.filename.lower()
        unpacked = _unpack(content, member, room, path)
        room -= len(unpacked)
        if name.startswith("xl/worksheets/"):
            cells += _count_cells(unpacked, path)
        elif name.startswith("xl/sharedstrings"):
            longest = max(map(len, _TEXT_END.split(unpacked)))
    if cells * longest > _TEXT:
        raise FileTooLarge(path=path.name, limit=_TEXT)


def _unpack(content: bytes, member: zipfile.ZipInfo, room: int, path: Path) -> bytes:
    """What ``member`` really unpacks to. `zipfile` would stop where the directory says, and other readers don't."""
    header = content[member.header_offset : member.header_offset + _LOCAL_HEADER.size]
    if len(header) < _LOCAL_HEADER.size or member.flag_bits & _ENCRYPTED:
        raise _broken(path, "the file was cut off, damaged or locked with a password")
    _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    start = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    packed = memoryview(content)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        if len(packed) > room:
            raise FileTooLarge(path=path.name, limit=UNPACKED_LIMIT)
        return bytes(packed)
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise _broken(path, "it is packed in a way that spreadsheets don't use")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = inflater.decompress(packed, room + 1)
    except zlib.error as error:
        raise _broken(path, "the file was cut off or damaged on its way") from error
    if len(unpacked) > room:
        raise FileTooLarge(path=path.name, limit=UNPACKED_LIMIT)
    return unpacked


def _count_cells(sheet: bytes, path: Path) -> int:
    """How many filled cells the sheet has.

    :raises FileTooLarge: the rectangle around them is more than the reader should hold.
    """
    columns: set[bytes] = set()
    count, top, bottom = 0, 1 << 30, 0
    for cell in _CELL.finditer(sheet):
        column, number = cell.groups()
        columns.add(column)
        row = int(number)
        top, bottom = min(top, row), max(bottom, row)
        count += 1
    if count and (bottom - top + 1) * (1 + max(map(_number, columns)) - min(map(_number, columns))) > _CELLS:
        raise FileTooLarge(path=path.name, limit=_CELLS * 32)
    return count


def _number(column: bytes) -> int:
    total = 0
    for letter in column.upper():
        total = total * 26 + letter - 64
    return total


def _broken(path: Path, reason: str) -> FileBroken:
    return FileBroken(path=path.name, format=".xlsx", reason=reason)
