"""Files of a filing: what they are by their content, and where they lie: under the home, by their SHA-256, mode 0600.

Nothing of them is under an address of the web: a page hands them out to those who may see the filing.
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import transaction

from agent.home import home
from agent.localtime import now
from agent.programmes.errors import AttachmentRefused, NotEditable, ScannerFailed
from agent.programmes.models import Attachment, Programme, ProgrammeVersion
from agent.programmes.transitions import EDITABLE

MAX_BYTES = 20_000_000
MOST = 20
"""Files of one form."""
TYPES = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
_ENDINGS = {"jpeg": "jpg"}
_MAGIC = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"))
_OFFICE = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
_ACTIVE = ("vbaproject.bin", ".exe", ".dll", ".js", ".bat")
_LONGEST_NAME = 200
_MOST_MEMBERS = 10_000
_PATIENCE = 60  # seconds for the scanner


def kind_of(content: bytes, name: str) -> str:
    """What a file is, by its content and its name together.

    :raises AttachmentRefused: it is none that is taken, or says another thing than it is.
    """
    kind = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "") or _office(content, name)
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower().removeprefix(".")
    if not kind:
        raise AttachmentRefused(name=name, reason="its content is neither PDF, PNG, JPG, DOCX nor XLSX")
    if _ENDINGS.get(ending, ending) != kind:
        raise AttachmentRefused(name=name, reason=f"its content is {kind.upper()}, and its name says «.{ending}»")
    return kind


def _office(content: bytes, name: str) -> str:
    if not content.startswith(b"PK\x03\x04"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return ""
    if len(members) > _MOST_MEMBERS or any(each.lower().endswith(_ACTIVE) for each in members):
        raise AttachmentRefused(name=name, reason="it holds macros or programs")
    return next((kind for part, kind in _OFFICE.items() if part in members), "")


def attach(programme: Programme, name: str, content: bytes, *, by: str) -> Attachment:
    """Make a file part of the form; the same bytes again are the file that is there.

    :raises AttachmentRefused: too large, or no file that is taken; nothing is kept.
    :raises ScannerFailed: there is a scanner, and it gave no verdict; nothing is kept.
    """
    name = _plain_name(name)
    if not 0 < len(content) <= MAX_BYTES:
        raise AttachmentRefused(name=name, reason=f"it has {len(content)} bytes")
    kind = kind_of(content, name)
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(digest)
    with transaction.atomic():
        locked = Programme.objects.select_for_update().get(pk=programme.pk)
        if locked.state not in EDITABLE:
            raise NotEditable(programme=locked, state=locked.state)
        current = locked.attachments.filter(dropped_at=None)
        if found := current.filter(sha256=digest).first():
            return found
        if current.count() >= MOST:
            raise AttachmentRefused(name=name, reason=f"there are {MOST} files already")
        if not path.is_file():
            _keep(content, path, name)
        return Attachment.objects.create(
            programme=locked, name=name, kind=kind, size=len(content), sha256=digest, uploaded_by=by, uploaded_at=now()
        )


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(each for each in last if each.isprintable()).strip()
    return kept[-_LONGEST_NAME:] or "?"


def _keep(content: bytes, path: Path, name: str) -> None:
    """Scan and put in place, by a rename: a file that is there is whole and was found clean."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, partial = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scan(Path(partial), name)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def scan(path: Path, name: str) -> None:
    """Ask the scanner, where one is set.

    :raises AttachmentRefused: it found something.
    :raises ScannerFailed: it gave no verdict.
    """
    if not settings.SCANNER:
        return
    command = [*shlex.split(settings.SCANNER), str(path)]
    try:
        with path.open("rb") as file:
            done = subprocess.run(command, stdin=file, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 - the administrator's own command
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScannerFailed(reason=type(error).__name__) from None
    if done.returncode == 1:
        raise AttachmentRefused(name=name, reason="the virus scanner refuses it")
    if done.returncode:
        raise ScannerFailed(reason=f"it ended with {done.returncode}")


def path_of(digest: str) -> Path:
    """Where the bytes with this SHA-256 lie."""
    return home() / "attachments" / digest[:2] / digest


@transaction.atomic
def drop(attachment: Attachment) -> None:
    """Take a file out of the form. What no version names and no other form has is deleted."""
    programme = Programme.objects.select_for_update().get(pk=attachment.programme_id)
    if programme.state not in EDITABLE:
        raise NotEditable(programme=programme, state=programme.state)
    Attachment.objects.filter(pk=attachment.pk, dropped_at=None).update(dropped_at=now())
    if not named([attachment.sha256]) and not Attachment.objects.filter(sha256=attachment.sha256, dropped_at=None):
        path = path_of(attachment.sha256)
        transaction.on_commit(lambda: path.unlink(missing_ok=True))


def named(digests: Iterable[str]) -> bool:
    """Whether a version names one of these files."""
    return any(
        ProgrammeVersion.objects.filter(details__attachments__contains=[{"sha256": each}]).exists() for each in digests
    )
