"""A part of a file, as HTTP asks for it (RFC 9110, section 14): what a download that broke off goes on with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse

_ONE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
Pieces = Callable[[int, int], Iterator[bytes]]
"""Gives the bytes from one place to before another."""


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """From where to before where ``Range`` asks; None: it asks for nothing that one part could answer, so all is sent.

    :raises ValueError: nothing of the file lies there
    """
    found = _ONE.fullmatch(header.strip())
    if not found or found[0].endswith("=-"):
        return None  # several parts, another unit, nonsense: a server may send the whole
    first, last = found[1], found[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return None
    if start >= end:
        raise ValueError(header)
    return start, end


def answer(
    request: HttpRequest, pieces: Pieces, size: int, digest: str, kind: str
) -> HttpResponse | StreamingHttpResponse:
    """The file, or the part that is asked for and still the same.

    :param digest: another one for other bytes
    :param kind: content type
    """
    tag = f'"{digest[:40]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if tag in {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}:
        return HttpResponseNotModified(headers=headers)
    start, end, status = 0, size, 200
    wanted = request.headers.get("Range", "") if request.headers.get("If-Range", tag) == tag else ""
    try:
        part = part_of(wanted, size)
    except ValueError:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    if part:
        (start, end), status = part, 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=kind, headers=headers)
    return StreamingHttpResponse(pieces(start, end), status=status, content_type=kind, headers=headers)
