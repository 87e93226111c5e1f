"""How far an archive is: what is stored, what is being made, what can't be."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext

from agent.certificates import archive, archive_work
from agent.certificates.archive import Failed
from agent.certificates.models import Archive, Certificate
from agent.localtime import now
from agent.portal.progress import Progress, of_rows
from agent.programmes.models import Programme


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose certificates, and where they are."""

    certificates: QuerySet[Certificate]
    programme: Programme | None
    employer: str
    title: str
    name: str  # of the file
    address: str
    file: str


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows."""

    headline: str
    made: int
    total: int
    missing: int  # neither stored nor known to be impossible
    going: bool
    waits: bool  # asked for, and no worker has come to it
    progress: Progress | None
    failed: list[Failed]
    error: str  # why it stopped
    error_code: str
    size: int  # bytes of what is stored


def page_of(wanted: Wanted) -> Page:
    """The page of what is ``wanted``, as things are now."""
    made, total, size = archive.made(wanted.certificates)
    asked = archive_work.find(wanted.programme, wanted.employer)
    failed = archive_work.failed_of(asked)
    going = archive_work.going(asked)
    missing = total - made - len(failed)
    return Page(
        headline=_headline(made, total, missing, going=going), made=made, total=total, missing=max(0, missing),
        going=going, waits=going and asked is not None and asked.began_at is None,
        progress=_progress(asked, made, total) if asked and going else None, failed=failed,
        error=asked.error if asked else "", error_code=asked.error_code if asked else "",
        size=size,
    )  # fmt: skip


def _progress(asked: Archive, made: int, total: int) -> Progress | None:
    if asked.began_at is None:
        return None
    seconds = (now() - asked.began_at).total_seconds()
    moved = of_rows(made - asked.began_with, total - asked.began_with, seconds)
    return Progress(made, seconds, total, made / total if total else None, moved.left)


def _headline(made: int, total: int, missing: int, *, going: bool) -> str:
    if not total:
        return gettext("还没有有效的证书")
    if not (made or missing > 0 or going):
        return gettext("一张也没有做成")
    if going:
        return gettext("正在制作：%(made)s张，共%(total)s张") % {"made": f"{made:,}", "total": f"{total:,}"}
    if missing > 0:
        return ngettext("还有%(n)s张证书没有制作", "还有%(n)s张证书没有制作", missing) % {"n": f"{missing:,}"}
    return ngettext("%(n)s张证书可以下载", "%(n)s张证书可以下载", made) % {"n": f"{made:,}"}
