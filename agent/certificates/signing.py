"""Signs a page that Typst made: an incremental update with a signature field, then the CMS in its gap.

Only Typst's form of PDF is understood (classic cross-reference table, first page and catalogue as plain objects), and
anything else is refused. That is what makes it fast: a general PDF library parses and rewrites for 20 ms and more.
The result is checked in the tests by three programs that we did not write: pyHanko, poppler and qpdf.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from agent.certificates.cms import cms_signer
from agent.certificates.errors import PageUnexpected, TimestampRefused
from agent.certificates.keys import SigningKeys
from agent.certificates.timestamps import TimestampAuthority

_TRAILER = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref\s+(\d+)\s+%%EOF\s*\Z", re.DOTALL)
_NUMBER = rb"(\d+) 0 R"
_RANGE_WIDTH = 48  # characters kept free for the byte range


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the signature says beside who signed."""

    signed_at: datetime  # aware
    rect: tuple[float, float, float, float]  # where a reader clicks to see it: points from the lower left corner
    signer: str
    reason: str


def sign_pdf(
    page: bytes, keys: SigningKeys, stamp: Stamp, authority: TimestampAuthority | None = None, under: bytes = b"", *,
    several: bool = False,
) -> bytes:  # fmt: skip
    """The signed document; its signature covers every byte and permits no change (DocMDP 1).

    :param authority: stamps the signature with the time (PAdES B-T)
    :param several: it may have more pages than one; the signature's place is on the first
    :param under: a packed content stream (`underlay.operators`) that is drawn before the page's own
    :raises PageUnexpected: ``page`` is not what Typst makes.
    :raises TimestampError: the authority does not stamp it; there is no page then
    """
    room = cms_signer(keys).room(authority)
    document = _Update(page, several=several)
    signature, widget, appearance = (document.size + n for n in range(3))
    x1, y1, x2, y2 = stamp.rect
    document.add(
        signature,
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange "
        + b" " * _RANGE_WIDTH
        + b"/Contents <"
        + b"0" * (2 * room)
        + b">/M(%s)/Name%s/Reason%s" % (_date(stamp.signed_at), _text(stamp.signer), _text(stamp.reason))
        + b"/Reference[<</Type/SigRef/TransformMethod/DocMDP"
        b"/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]>>",
    )
    document.add(
        widget,
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature)/F 132/V %d 0 R/P %d 0 R/Rect[%.2f %.2f %.2f %.2f]"
        b"/AP<</N %d 0 R>>>>" % (signature, document.page, x1, y1, x2, y2, appearance),
    )
    document.add(  # empty: the seal is already on the page
        appearance,
        b"<</Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<<>>/Length 0>>\nstream\n\nendstream"
        % (x2 - x1, y2 - y1),
    )
    if under:
        document.add(appearance + 1, b"<</Length %d/Filter/FlateDecode>>\nstream\n%b\nendstream" % (len(under), under))
        document.replace(document.page, rb"/Contents (\d+ 0 R)", rb"/Contents[%d 0 R \1]" % (appearance + 1))
    document.extend(document.page, b"/Annots[%d 0 R]" % widget, forbidden=b"/Annots")
    document.extend(
        document.root,
        b"/AcroForm<</Fields[%d 0 R]/SigFlags 3>>/Perms<</DocMDP %d 0 R>>" % (widget, signature),
        forbidden=b"/AcroForm",
    )
    return _fill(document.finish(), document.offsets[signature], keys, room, authority)


class _Update:
    """An incremental update in the making."""

    def __init__(self, page: bytes, *, several: bool = False) -> None:
        found = _TRAILER.search(page, max(0, len(page) - 1024))
        if not found:
            raise PageUnexpected(reason="no trailer of the classic kind")
        self._old, self._trailer, self._xref = page, found[1], int(found[2])
        self._parts: list[bytes] = [b"\n"]
        self._length = len(page) + 1
        self.offsets: dict[int, int] = {}
        self._changed: dict[int, bytes] = {}
        self.root = self._find(rb"/Root " + _NUMBER, self._trailer)
        self.size = self._find(rb"/Size (\d+)", self._trailer)
        pages = self._find(rb"/Pages " + _NUMBER, self._object(self.root))
        rest = rb"(?: \d+ 0 R)*\]" if several else rb"\]"  # one page, and no other
        self.page = self._find(rb"/Kids\[" + _NUMBER + rest, self._object(pages))

    @staticmethod
    def _find(pattern: bytes, where: bytes) -> int:
        found = re.search(pattern, where)
        if not found:
            raise PageUnexpected(reason=f"nothing like {pattern.decode()}")
        return int(found[1])

    def _object(self, number: int) -> bytes:
        """The body of an object, by way of the cross-reference table."""
        head = re.compile(rb"xref\s+0 \d+\s*").match(self._old, self._xref)
        entry = self._old[head.end() + 20 * number :][:10] if head else b""
        start = int(entry) if entry.isdigit() else -1
        mark = b"%d 0 obj\n" % number
        end = self._old.find(b"\nendobj", start)
        if start < 0 or end < 0 or not self._old.startswith(mark, start):
            raise PageUnexpected(reason=f"object {number} is not where the table says")
        return self._old[start + len(mark) : end]

    def add(self, number: int, body: bytes) -> None:
        """Write an object, new or in place of an old one."""
        self.offsets[number] = self._length
        text = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        self._parts.append(text)
        self._length += len(text)

    def replace(self, number: int, old: bytes, new: bytes) -> None:
        """Have one entry of a dictionary another, when it is written anew."""
        body, found = re.subn(old, new, self._object(number))
        if found != 1:
            raise PageUnexpected(reason=f"object {number} has no entry like {old.decode()}")
        self._changed[number] = body

    def extend(self, number: int, entries: bytes, *, forbidden: bytes) -> None:
        """Write a dictionary anew, with ``entries`` at its end."""
        body = self._changed.get(number) or self._object(number)
        if not body.endswith(b">>") or forbidden in body:
            raise PageUnexpected(reason=f"object {number} can't take {forbidden.decode()}")
        self.add(number, body[:-2] + entries + b">>")

    def finish(self) -> bytearray:
        """The whole document, old and new."""
        xref = b"".join(b"%d 1\n%010d 00000 n\r\n" % entry for entry in sorted(self.offsets.items()))
        size = max(*self.offsets, self.size - 1) + 1
        trailer = re.sub(rb"/Size \d+", b"/Size %d/Prev %d" % (size, self._xref), self._trailer)
        end = b"xref\n%strailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n" % (xref, trailer, self._length)
        return bytearray(b"".join([self._old, *self._parts, end]))


def _fill(document: bytearray, start: int, keys: SigningKeys, room: int, authority: TimestampAuthority | None) -> bytes:
    """Write the byte range, then sign all but the gap, then write the signature into the gap."""
    opening = document.index(b"/Contents <", start) + len(b"/Contents ")
    closing = opening + 2 * room + 2
    span = b"[0 %d %d %d]" % (opening, closing, len(document) - closing)
    at = document.index(b"/ByteRange ", start) + len(b"/ByteRange ")
    document[at : at + len(span)] = span
    digest = hashlib.sha256(memoryview(document)[:opening])
    digest.update(memoryview(document)[closing:])
    signature = cms_signer(keys).sign(digest.digest(), authority).hex().encode()
    if len(signature) > 2 * room:
        raise TimestampRefused(url=authority.url if authority else "", reason="it is longer than the one before")
    document[opening + 1 : opening + 1 + len(signature)] = signature
    return bytes(document)


def _date(moment: datetime) -> bytes:
    zone = moment.strftime("%z")
    return (moment.strftime("D:%Y%m%d%H%M%S") + f"{zone[:3]}'{zone[3:5]}'").encode()


def _text(text: str) -> bytes:
    """A PDF text string, as hexadecimal UTF-16."""
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"
