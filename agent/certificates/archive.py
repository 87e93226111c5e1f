"""All certificates of a programme or of an employer as one ZIP that is never whole in memory.

Pages that nobody wanted so far are made first (`make`) or on the way (`stream`): each is stored, so that a second
attempt goes on where the first one ended. The file is written entry by entry, the manifest last. PDFs are compressed
already and are only put in; the manifest names each with its SHA-256. The same certificates give the same bytes.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from agent.certificates.errors import SigningKeyError
from agent.certificates.facts import hours_text
from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.pdfs import pdf_of
from agent.errors import XueshiError
from agent.localtime import SHANGHAI
from agent.programmes.models import Programme

_AT_ONCE = 20  # pages in memory
_CHUNK = 256 * 1024
_LONGEST = 60  # characters of each text in a name: with number and ending below 255 bytes, of which Han takes three
_UNSAFE = re.compile(r'[\\/:*?"<>|\s]+')
_HEADS = ("证书编号", "姓名", "证件号码", "培训项目", "备案编号", "学时", "完成日期", "签发时间", "文件名", "SHA-256",
          "未制作的原因")  # fmt: skip
_FACTS = ("programme_version", "programme__organiser", "programme__implementer")
MANIFEST = "manifest.csv"
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Failed:
    """A page that can't be made, and why."""

    number: str
    code: str
    message: str


def of_programme(programme: Programme) -> QuerySet[Certificate]:
    """The certificates in force of a programme, by number."""
    return _in_force().filter(programme=programme)


def of_employer(name: str) -> QuerySet[Certificate]:
    """The certificates in force of those whose completion names that employer, by number."""
    return _in_force().filter(achievement__completion__employer=name.strip())


def _in_force() -> QuerySet[Certificate]:
    return Certificate.objects.filter(state=Certificate.State.ISSUED).order_by("number")


def made(certificates: QuerySet[Certificate]) -> tuple[int, int]:
    """How many pages are stored, of how many certificates."""
    return certificates.filter(pdf__isnull=False).count(), certificates.count()


def make(certificates: QuerySet[Certificate], tell: Tell | None = None) -> list[Failed]:
    """Make the pages that are not stored yet; those that can't be made keep no other from it.

    :param tell: told how many are done of all; what it raises ends the work, and the next call goes on
    :raises agent.certificates.errors.SigningKeyError: nothing can be signed now
    """
    done, total = made(certificates)
    failed: list[Failed] = []
    missing = list(certificates.filter(pdf__isnull=True).values_list("pk", flat=True))
    for chunk in _batched(missing, _AT_ONCE):
        for certificate in certificates.filter(pk__in=chunk).select_related(*_FACTS):
            try:
                pdf_of(certificate)
                done += 1
            except SigningKeyError:
                raise
            except XueshiError as error:
                failed.append(Failed(certificate.number, error.code, error.message))
            if tell:
                tell(done, total)
    return failed


def stream(
    certificates: QuerySet[Certificate], failed: Sequence[Failed] = (), tell: Tell | None = None
) -> Iterator[bytes]:
    """The ZIP, piece by piece; what is not stored yet is made on the way, except what ``failed`` before.

    :raises agent.certificates.errors.SigningKeyError: nothing can be signed now; the file ends without its directory,
        so that nobody takes it for whole
    """
    why = {one.number: one for one in failed}
    rows: list[dict[str, Any]] = [
        dict(row)
        for row in certificates.values(
            "pk", "number", "holder", "id_masked", "hours", "learned_on", "issued_at", "programme_version__title",
            "programme__filing_number", "pdf__sha256",
        )
    ]  # fmt: skip
    names = {row["pk"]: file_name(row["holder"], row["programme_version__title"], row["number"]) for row in rows}
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        done = 0
        for chunk in _batched(rows, _AT_ONCE):
            pages = dict(CertificatePdf.objects.filter(pk__in=[row["pk"] for row in chunk]).values_list("pk", "pdf"))
            for row in chunk:
                page = pages.pop(row["pk"], None) or _made_now(row, why)
                if page:
                    archive.writestr(_entry(names[row["pk"]], row["issued_at"]), bytes(page))
                if sink.size >= _CHUNK:
                    yield sink.take()
            done += len(chunk)
            if tell:
                tell(done, len(rows))
        newest = max((row["issued_at"] for row in rows), default=datetime(2000, 1, 1, tzinfo=SHANGHAI))
        archive.writestr(_entry(MANIFEST, newest), _manifest(rows, names, why))
    yield sink.take()


def _made_now(row: dict[str, Any], why: dict[str, Failed]) -> bytes | None:
    """The page of a certificate that has none yet; nothing, and why not, where it can't be made."""
    if row["number"] in why:
        return None
    try:
        made_now = pdf_of(Certificate.objects.select_related(*_FACTS).get(pk=row["pk"]))
    except SigningKeyError:
        raise
    except XueshiError as error:
        why[row["number"]] = Failed(row["number"], error.code, error.message)
        return None
    row["pdf__sha256"] = made_now.sha256
    return bytes(made_now.pdf)


def file_name(holder: str, programme: str, number: str) -> str:
    """What the page is called: Chinese as it is, nothing that a file system takes for something else."""
    return f"{safe(holder)}_{safe(programme)}_{number}.pdf"


def safe(text: str) -> str:
    """A text as a part of a file's name."""
    visible = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c)[0] != "C")
    cut = _UNSAFE.sub("_", visible).strip("._ ")
    while len(cut.encode()) > _LONGEST * 3 // 2:
        cut = cut[:-1]
    return cut or "_"


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    """An entry dated by the certificate, so that the file does not change with the day it is asked for. Python marks a
    name that is not ASCII as UTF-8 by itself.
    """
    local = at.astimezone(SHANGHAI)
    entry = zipfile.ZipInfo(name, (local.year, local.month, local.day, local.hour, local.minute, local.second))
    entry.external_attr = 0o644 << 16
    return entry


def _manifest(rows: Sequence[dict[str, Any]], names: dict[int, str], why: dict[str, Failed]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADS)
    for row in rows:
        failed = why.get(row["number"])
        reason = "" if row["pdf__sha256"] else f"{failed.code}: {failed.message}" if failed else "尚未制作"
        writer.writerow([
            row["number"], _cell(row["holder"]), row["id_masked"], _cell(row["programme_version__title"]),
            _cell(row["programme__filing_number"]), hours_text(row["hours"]), row["learned_on"].isoformat(),
            f"{row['issued_at'].astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
            names[row["pk"]] if row["pdf__sha256"] else "", row["pdf__sha256"] or "", reason,
        ])  # fmt: skip
    return ("\ufeff" + text.getvalue()).encode()


def _cell(text: str | None) -> str:
    """No cell acts in a spreadsheet."""
    text = text or ""
    return "'" + text if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) else text


def _batched(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class _Sink(io.RawIOBase):
    """Where `zipfile` writes to: it can't go back, so that sizes follow behind each entry."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Keep them until they are taken."""
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        """What came since the last time."""
        taken, self._parts, self.size = b"".join(self._parts), [], 0
        return taken
