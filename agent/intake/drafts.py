"""Connecting a source step by step: kind and name, address and token or a file, a live look, a schedule. Changing one
that is connected goes the same way (`agent.intake.changing`).

What is typed is kept here, the token sealed from the first moment; nothing of it is a source before the look was well.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from datetime import timedelta
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from pydantic import SecretStr

from agent.crypto import vault
from agent.home import home
from agent.intake.errors import KindUnknown, NotLookedAt, SourceNameTaken, TokenAgain, UploadRefused
from agent.intake.models import Source, SourceDraft
from agent.intake.sources import TOKEN, save
from agent.learners.identity import mask_id, mask_name, normalise_id
from agent.localtime import now
from agent.organisations.models import Organisation
from connectors.base import Connector, SourceConfig, kinds, load
from connectors.errors import AddressInvalid, ConnectorError
from connectors.records import CheckResult, Completion

FILES = "roster"
"""The kind that reads an uploaded file; a path is never taken from a page."""
MOST_BYTES = 20_000_000
OPTIONS = ("report_id", "identity_field", "since", "course", "course_name", "filing_number", "date", "hours")
"""Options that a page may set. Not those that name a file of this machine."""
PREVIEW = 10
_KEPT = timedelta(days=7)
_SUFFIXES = {".xlsx": b"PK\x03\x04", ".csv": b""}
_REFUSED = 20


@transaction.atomic
def begin(kind: str, name: str, organisation: Organisation, *, by: str) -> SourceDraft:
    """A new draft; those that nobody touched for a week are forgotten.

    :raises KindUnknown: no installed connector is of that kind
    :raises SourceNameTaken: a source is called so
    """
    if kind not in kinds():
        raise KindUnknown(kind=kind, known=", ".join(kinds()))
    name = name.strip()[:100]
    if not name or "/" in name or Source.objects.filter(name__iexact=name).exists():
        raise SourceNameTaken(name=name)
    for old in SourceDraft.objects.filter(at__lt=now() - _KEPT):
        discard(old)
    return SourceDraft.objects.create(organisation=organisation, kind=kind, name=name, by=by)


def address(draft: SourceDraft, url: str, *, token: str | None, options: dict[str, str], allow_private: bool) -> None:
    """Take an address; ``token=None`` keeps the one that is stored. What was found before counts no more.

    :param allow_private: an administrator allows an address inside of the own network
    :raises connectors.errors.ConnectorError: the address, or an option, can never be right
    :raises TokenAgain: the address is another place's: a stored token is not carried there
    """
    parts = urlsplit(url.strip())
    if draft.kind == FILES or parts.scheme not in ("http", "https"):
        raise AddressInvalid(source=draft.name, url=url, reason="it must begin with https://")
    if parts.username or parts.password:
        raise AddressInvalid(source=draft.name, url=parts.hostname or "", reason="a password has no place in it")
    inside = (parts.hostname or "").casefold() in settings.PRIVATE_HOSTS
    before = draft.url or (draft.source.url if draft.source else "")
    if not token and _stored(draft) and origin(before) != origin(url):
        raise TokenAgain(name=draft.name)
    draft.url, draft.allow_private = url.strip(), allow_private or inside
    _take(draft, options)
    if token:
        draft.token = vault().seal(token.encode(), TOKEN)
    with _reader(draft) as reader:
        reader.check_address()
    draft.found = None
    draft.save()


def upload(draft: SourceDraft, name: str, content: bytes, options: dict[str, str]) -> None:
    """Take a roster file, kept in the installation's own folder under a name that nobody chose.

    :raises UploadRefused: it is too large, or no roster
    """
    suffix = PurePath(name).suffix.casefold()
    if suffix not in _SUFFIXES or not content.startswith(_SUFFIXES[suffix]):
        raise UploadRefused(file=name, reason="it is neither .xlsx nor .csv")
    if not content or len(content) > MOST_BYTES:
        raise UploadRefused(file=name, reason="it is empty, or above 20 MB")
    folder = home() / "rosters"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{secrets.token_hex(16)}{suffix}"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    _forget_file(draft)
    draft.url, draft.file, draft.found = str(path), PurePath(name).name[-200:], None
    _take(draft, options)
    draft.save()


def origin(url: str) -> tuple[str, str, int | None]:
    """Whose place an address is: a token that was given for it is for no other."""
    parts = urlsplit(url.strip())
    return parts.scheme, (parts.hostname or "").casefold(), parts.port


def _take(draft: SourceDraft, options: dict[str, str]) -> None:
    """The options that a page sent; those that no page sets stay as the source has them."""
    kept = {name: value for name, value in draft.source.options.items() if name not in OPTIONS} if draft.source else {}
    draft.options = kept | {name: value for name, value in options.items() if value}
    draft.revision = draft.source.revision if draft.source else None  # it was typed with the source as it is now


def look(draft: SourceDraft) -> dict[str, Any]:
    """Ask the source now: every right, every problem, and the first rows; kept with the draft. Never raises for what a
    person can mend.
    """
    with _reader(draft) as reader:
        try:
            found = _said(reader.check())
        except ConnectorError as error:
            found = _said(CheckResult(False, "", "", "", {}, []))
            found["problems"] = [{"code": error.code, "message": error.message, "fix": error.how_to_fix}]
        if found["ok"] or draft.kind == FILES:
            found |= _preview(reader, whole=draft.kind == FILES)
    draft.found = found
    draft.save()
    return found


@transaction.atomic
def connect(draft: SourceDraft, *, recent_at: str, full_at: str, scheduled: bool) -> Source:
    """Make the source of a draft whose look was well, and forget the draft.

    :raises NotLookedAt: it was not looked at as it is now, or something is to be mended
    :raises SourceNameTaken: somebody was faster
    """
    draft = SourceDraft.objects.select_for_update().get(pk=draft.pk)
    check_found(draft)
    if Source.objects.filter(name__iexact=draft.name).exists():
        raise SourceNameTaken(name=draft.name)
    token = vault().open(bytes(draft.token), TOKEN).decode() if draft.token else None
    source, _ = save(
        draft.name, kind=draft.kind, url=draft.url, token=token, options=draft.options,
        allow_private=draft.allow_private,
    )  # fmt: skip
    source.organisation, source.recent_at, source.full_at = draft.organisation, recent_at, full_at
    source.scheduled = scheduled and draft.kind != FILES
    source.save(update_fields=["organisation", "recent_at", "full_at", "scheduled"])
    draft.delete()
    return source


def check_found(draft: SourceDraft) -> None:
    """Whether what a draft says may take effect.

    :raises NotLookedAt: it was not looked at as it is now, or something is to be mended
    """
    if not (draft.found and (draft.found["ok"] or (draft.kind == FILES and draft.found.get("rows")))):
        raise NotLookedAt(name=draft.name)


def discard(draft: SourceDraft) -> None:
    """Forget a draft, its token and its file."""
    _forget_file(draft)
    draft.delete()


def _forget_file(draft: SourceDraft) -> None:
    if draft.kind == FILES and draft.url:
        (home() / "rosters" / PurePath(draft.url).name).unlink(missing_ok=True)


def _stored(draft: SourceDraft) -> bytes:
    """The token, sealed: the draft's, or the one of the source that it changes, as long as that is at the same place:
    somebody else may have moved it meanwhile.
    """
    source = draft.source
    theirs = source.token if source and (not draft.url or origin(source.url) == origin(draft.url)) else None
    return bytes(draft.token or theirs or b"")


def _reader(draft: SourceDraft) -> Connector:
    sealed = _stored(draft)
    token = vault().open(sealed, TOKEN).decode() if sealed else ""
    config = SourceConfig(draft.name, draft.url, SecretStr(token), draft.options, draft.allow_private)
    return load(draft.kind)(config)


def _said(found: CheckResult) -> dict[str, Any]:
    return {
        "ok": found.ok, "site": found.site, "release": found.release, "route": found.route,
        "capabilities": found.capabilities,
        "problems": [{"code": p.code, "message": p.message, "fix": p.fix} for p in found.problems],
    }  # fmt: skip


def _preview(reader: Connector, *, whole: bool) -> dict[str, Any]:
    """The first rows, and of a file what all of it comes to."""
    rows: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    counts: Counter[str] = Counter()
    try:
        for page in reader.completions():
            for row in page.rejected:
                counts["refused"] += 1
                refused.append({"place": row.place, "code": row.code})
            for record in page.completions:
                rows += [_row(record)] if len(rows) < PREVIEW else []
                bad = normalise_id(record["id_number"]).code
                counts["refused" if bad else "accepted" if record["passed"] else "not_passed"] += 1
                if bad:
                    refused.append({"place": record.get("place", ""), "code": bad})
            if not whole:
                break
    except ConnectorError as error:
        return {"rows": rows, "stopped": {"code": error.code, "message": error.message, "fix": error.how_to_fix}}
    return {"rows": rows, "refused": refused[:_REFUSED], "counts": dict(counts)}


def _row(record: Completion) -> dict[str, Any]:
    at = record["completed_at"]
    return {
        "name": mask_name(record["name"]), "id": mask_id(record["id_number"]), "course": record["course"],
        "course_name": record["course_name"], "at": at.isoformat() if at else "", "passed": record["passed"],
    }  # fmt: skip
