"""Making the pages of an archive that somebody asked for: a worker does it, a page shows how far it is.

It may be stopped anywhere and begun again: pages are stored one by one, and only what is missing is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from django.db import transaction

from agent.audit.chain import record
from agent.certificates import archive as archives
from agent.certificates.archive import Failed
from agent.certificates.errors import SigningKeyError
from agent.certificates.models import Archive
from agent.localtime import now
from agent.programmes.models import Programme


def find(programme: Programme | None, employer: str = "") -> Archive | None:
    """What was asked for so far of a programme or of an employer."""
    return Archive.objects.filter(programme=programme, employer=employer).first()


@transaction.atomic
def ask(programme: Programme | None, employer: str = "", *, by: str) -> Archive:
    """Ask for the pages that are missing; the caller puts the work into the queue."""
    fresh = {
        "by": by, "asked_at": now(), "began_at": None, "finished_at": None, "failed": [], "error_code": "", "error": "",
    }  # fmt: skip
    made, _ = Archive.objects.update_or_create(programme=programme, employer=employer, defaults=fresh)
    on = f"programme {programme}" if programme else f"employer {employer}"
    record(by, "archive.asked", on=on, organisation=programme.organiser if programme else None)
    return made


def failed_of(archive: Archive | None) -> list[Failed]:
    """The pages that could not be made when it was tried last, and that nobody had made since."""
    if archive is None or archive.finished_at is None or not archive.failed:
        return []
    failed = [Failed(**one) for one in archive.failed]
    missing = archives.of(archive).filter(pdf__isnull=True, number__in=[one.number for one in failed])
    still = set(missing.values_list("number", flat=True))
    return [one for one in failed if one.number in still]


def going(archive: Archive | None) -> bool:
    """Whether pages are being made, or will be as soon as a worker comes to it."""
    return archive is not None and archive.finished_at is None and not archive.error_code


def work(archive: Archive, stop: Callable[[], None] = lambda: None) -> None:
    """Make what is missing.

    :param stop: called after each page; what it raises ends the work, and the next call goes on
    :raises agent.certificates.errors.SigningKeyError: nothing can be signed now; that is written down, too
    """
    certificates = archives.of(archive)
    done, *_ = archives.made(certificates)
    if archive.began_at is None:
        _note(archive, began_at=now(), began_with=done, error_code="", error="")
    try:
        failed = archives.make(certificates, lambda _done, _total: stop())
    except SigningKeyError as error:
        _note(archive, error_code=error.code, error=error.message)
        raise
    archives.measure(certificates)
    _note(archive, finished_at=now(), failed=[asdict(one) for one in failed], error_code="", error="")


def _note(archive: Archive, **values: object) -> None:
    Archive.objects.filter(pk=archive.pk).update(**values)
