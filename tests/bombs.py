"""Files that unpack to more than a machine holds."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

_PIECE = 1 << 24


def zeros(pieces: int) -> bytes:
    """A zlib stream that unpacks to so many times 16 MB. It is packed once and repeated, fifty times as fast; its
    end is missing, and nobody gets that far.
    """
    packer = zlib.compressobj(9)
    first, piece = (packer.compress(bytes(_PIECE)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + piece * (pieces - 1)


def pdf(pieces: int) -> bytes:
    """A file of a megabyte or two, whose cross-reference stream unpacks to so many times 16 MB."""
    stream = zeros(pieces)
    head = b"%%PDF-1.7\n1 0 obj<</Type/XRef/Size 1/W[1 8 8]/Filter/FlateDecode/Length %d>>stream\n" % len(stream)
    return head + stream + b"\nendstream endobj\nstartxref\n9\n%%EOF\n"


def put_into(path: Path) -> None:
    """A member of 300 MB, into a workbook that is there."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/bomb", bytes(300 << 20))
