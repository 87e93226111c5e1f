"""All certificates of a programme or of an employer as one ZIP that is never whole in memory.

Pages that nobody wanted so far are made first (`make`): each is stored, so that a second attempt goes on where the
first one ended. PDFs are compressed already and are only put in; the manifest, last, names each with its SHA-256. The
same certificates give the same bytes, and their length is known before (`laid_out`): a download that broke off goes on.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zlib import crc32

from django.db.models import Count, QuerySet, Sum

from agent.certificates.archive_models import Archive, PageSum
from agent.certificates.errors import SigningKeyError
from agent.certificates.facts import hours_text
from agent.certificates.models import Certificate, CertificatePdf
from agent.certificates.pdfs import pdf_of
from agent.certificates.zipped import Entry, Zipped
from agent.errors import XueshiError
from agent.localtime import SHANGHAI
from agent.programmes.models import Programme

_AT_ONCE = 20  # pages in memory
_LONGEST = 60  # characters of each text in a name: with number and ending below 255 bytes, of which Han takes three
_UNSAFE = re.compile(r'[\\/:*?"<>|\s]+')
_HEADS = ("证书编号", "姓名", "证件号码", "培训项目", "备案编号", "学时", "完成日期", "签发时间", "文件名", "SHA-256",
          "未制作的原因")  # fmt: skip
_FACTS = ("programme_version", "programme__organiser", "programme__implementer")
_COLUMNS = (
    "pk", "number", "holder", "id_masked", "hours", "learned_on", "issued_at", "programme_version__title",
    "programme__filing_number", "pdf__sha256", "pdf__sum__size", "pdf__sum__crc",
)  # fmt: skip
MANIFEST = "manifest.csv"
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Failed:
    """A page that can't be made, and why."""

    number: str
    code: str
    message: str


def of(archive: Archive) -> QuerySet[Certificate]:
    """The certificates that somebody asked for."""
    return of_programme(archive.programme) if archive.programme else of_employer(archive.employer)


def of_programme(programme: Programme) -> QuerySet[Certificate]:
    """The certificates in force of a programme, by number."""
    return _in_force().filter(programme=programme)


def of_employer(name: str) -> QuerySet[Certificate]:
    """The certificates in force of those whose completion names that employer, by number."""
    return _in_force().filter(achievement__completion__employer=name.strip())


def _in_force() -> QuerySet[Certificate]:
    return Certificate.objects.filter(state=Certificate.State.ISSUED).order_by("number")


def made(certificates: QuerySet[Certificate]) -> tuple[int, int, int]:
    """How many pages are stored, of how many certificates, and their bytes: all of one look, as an employer's
    certificates are looked for among all completions.
    """
    found = certificates.order_by().aggregate(made=Count("pdf"), total=Count("pk"), size=Sum("pdf__sum__size"))
    return found["made"], found["total"], found["size"] or 0


def make(certificates: QuerySet[Certificate], tell: Tell | None = None) -> list[Failed]:
    """Make the pages that are not stored yet; those that can't be made keep no other from it.

    :param tell: told how many are done of all; what it raises ends the work, and the next call goes on
    :raises agent.certificates.errors.SigningKeyError: nothing can be signed now
    """
    done, total, _ = made(certificates)
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


def laid_out(certificates: QuerySet[Certificate], failed: Sequence[Failed] = ()) -> Zipped:
    """The ZIP of the pages that are stored, ready to be sent from any place on; see `pages`."""
    measure(certificates)
    why = {one.number: one for one in failed}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADS)
    entries: list[Entry] = []
    newest = datetime(2000, 1, 1, tzinfo=SHANGHAI)
    for row in certificates.values_list(*_COLUMNS).iterator(chunk_size=1000):
        pk, number, holder, id_masked, hours, learned_on, issued_at, title, filing_number, digest, size, crc = row
        local = issued_at.astimezone(SHANGHAI)
        newest = max(newest, local)
        name = reason = ""
        digest = digest if size is not None else ""
        if size is not None:
            name = file_name(holder, title, number)
            entries.append(Entry(pk, name, local, size, crc))
        else:
            reason = f"{why[number].code}: {why[number].message}" if number in why else "尚未制作"
        writer.writerow([
            number, _cell(holder), id_masked, _cell(title), _cell(filing_number), hours_text(hours),
            learned_on.isoformat(), f"{local:%Y-%m-%d %H:%M:%S}", name, digest, reason,
        ])  # fmt: skip
    return Zipped(entries, (MANIFEST, newest, ("\ufeff" + text.getvalue()).encode()))


def pages(keys: Sequence[int]) -> dict[int, bytes]:
    """The contents that `Zipped.pieces` asks for: stored pages by their certificates' keys."""
    found = CertificatePdf.objects.filter(pk__in=keys).values_list("pk", "pdf")
    return {pk: bytes(page) for pk, page in found}


def stream(
    certificates: QuerySet[Certificate], failed: Sequence[Failed] = (), tell: Tell | None = None
) -> Iterator[bytes]:
    """The whole ZIP, piece by piece; what is not stored yet is made before, except what ``failed`` already.

    :raises agent.certificates.errors.SigningKeyError: nothing can be signed now
    """
    known = {one.number for one in failed}
    more = make(certificates.exclude(number__in=known)) if known else make(certificates)
    archive = laid_out(certificates, [*failed, *more])
    sent = 0
    for piece in archive.pieces(pages):
        yield piece
        sent += len(piece)
        if tell:
            tell(sent, archive.size)


# Read once for ever: a page never changes.
_UNMEASURED = {"pdf__isnull": False, "pdf__sum__isnull": True}


def measure(certificates: QuerySet[Certificate]) -> None:
    """Write down length and checksum of the pages that have none yet."""
    for chunk in _batched(list(certificates.filter(**_UNMEASURED).values_list("pk", flat=True)), _AT_ONCE):
        sums = [PageSum(page_id=pk, size=len(page), crc=crc32(page)) for pk, page in pages(chunk).items()]
        PageSum.objects.bulk_create(sums, ignore_conflicts=True)


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


def _cell(text: str | None) -> str:
    """No cell acts in a spreadsheet."""
    text = text or ""
    return "'" + text if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) else text


def _batched(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
