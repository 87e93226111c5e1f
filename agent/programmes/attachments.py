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
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import transaction

from agent.audit.chain import record
from agent.home import home
from agent.localtime import now
from agent.programmes.errors import AttachmentRefused, NotEditable, ScannerFailed
from agent.programmes.models import Attachment, Programme, ProgrammeVersion
from agent.programmes.transitions import EDITABLE, State

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
    _writable(programme)
    if not path_of(digest).is_file():  # the scanner takes its time: nobody is kept waiting for it by a lock
        _keep(content, digest, name)
    try:
        kept = _enter(programme, Attachment(
            name=name, kind=kind, size=len(content), sha256=digest, uploaded_by=by, uploaded_at=now(),
        ))  # fmt: skip
    except BaseException:
        forget(digest)
        raise
    if not path_of(digest).is_file():  # somebody took the same file out of another form in this moment
        _keep(content, digest, name)
    return kept


@transaction.atomic
def _enter(programme: Programme, file: Attachment) -> Attachment:
    """Write the file down as part of the form; the one that is there when it has the same bytes."""
    file.programme = Programme.objects.select_for_update().get(pk=programme.pk)
    _writable(file.programme)
    current = file.programme.attachments.filter(dropped_at=None)
    if found := current.filter(sha256=file.sha256).first():
        return found
    if current.count() >= MOST:
        raise AttachmentRefused(name=file.name, reason=f"there are {MOST} files already")
    file.save()
    _tell(file, "filing.attach", file.uploaded_by)
    return file


def _tell(file: Attachment, action: str, by: str) -> None:
    on, said = f"programme {file.programme}", {"name": file.name, "sha256": file.sha256, "size": file.size}
    record(by, action, on=on, after=said, organisation=file.programme.organiser)


def _writable(programme: Programme) -> None:
    if programme.state not in EDITABLE:
        raise NotEditable(programme=programme, state=programme.state)


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(each for each in last if each.isprintable()).strip()
    return kept[-_LONGEST_NAME:] or "?"


def _keep(content: bytes, digest: str, name: str) -> None:
    """Scan and put in place, by a rename: a file that is there is whole and was found clean."""
    path = path_of(digest)
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
def drop(attachment: Attachment, *, by: str) -> None:
    """Take a file out of the form. What no version names and no other form has is deleted."""
    programme = Programme.objects.select_for_update().get(pk=attachment.programme_id)
    _writable(programme)
    Attachment.objects.filter(pk=attachment.pk, dropped_at=None).update(dropped_at=now())
    transaction.on_commit(lambda: forget(attachment.sha256))
    _tell(attachment, "filing.detach", by)


def forget(digest: str) -> None:
    """Delete a file that no form has and no version names."""
    named = ProgrammeVersion.objects.filter(details__attachments__contains=[{"sha256": digest}])
    if not Attachment.objects.filter(sha256=digest, dropped_at=None).exists() and not named.exists():
        path_of(digest).unlink(missing_ok=True)


def shown(programme: Programme, *, inside: bool) -> list[Attachment]:
    """The files of what is in question: of the form, or of the newest version.

    :param inside: for the department itself, that sees its form as it is written
    """
    if programme.state in ((State.DRAFT, State.RETURNED, State.CHANGE_PENDING) if inside else (State.CHANGE_PENDING,)):
        return list(programme.attachments.filter(dropped_at=None).order_by("pk"))
    version = programme.versions.order_by("-version").first()
    named = [each["sha256"] for each in version.details.get("attachments", [])] if version else []
    return list(programme.attachments.filter(sha256__in=named).order_by("sha256", "-pk").distinct("sha256"))
