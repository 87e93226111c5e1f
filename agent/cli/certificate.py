"""`xueshi certificate`: list, show, fetch and check certificates."""

from __future__ import annotations

import fcntl
import getpass
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, bars, emit, hours, page, person, table
from agent.errors import PERSON_NEEDED, XueshiError

_STEPS = {
    "pdf": "是可以读取的PDF", "signature": "签名有效，内容未改动", "issuer": "由本平台签发",
    "whole": "签名覆盖整个文件",
    "credential": "内嵌凭证属于这张证书", "registered": "登记簿里有这张证书", "copy": "与发出的文件逐字节相同",
    "in_force": "现在有效",
}  # fmt: skip
group = typer.Typer(help="List, fetch and check certificates.", no_args_is_help=True)


class FileUnreadable(XueshiError):
    """{path} can't be read: {reason}."""

    code = "E_FILE"
    fix = "Check the path and its rights."


class FileUnwritable(XueshiError):
    """{path} can't be written: {reason}."""

    code = "E_FILE"
    fix = "Choose a folder with room that this account may write."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="certificate")


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """All certificates."""
    start()
    from agent.certificates.models import Certificate  # noqa: PLC0415

    found = Certificate.objects.select_related("programme_version", "programme").order_by("number")
    rows = [_row(certificate) for certificate in found.iterator(chunk_size=2000)]
    if as_json:
        emit(rows)
    else:
        columns = ("number", "state", "holder", "id_masked", "programme", "hours", "learned_on")
        table("证书 Certificates", columns, [[row[c] for c in columns] for row in rows], right=("hours",))


@group.command("show")
def show(number: str, as_json: AsJson = False) -> None:
    """One certificate: its facts, its life, its signed credential."""
    start()
    from agent.certificates.life import chain  # noqa: PLC0415

    certificate = _get(number)
    row = _row(certificate) | {
        "organiser": certificate.programme.organiser.name,
        "learned_from": certificate.learned_from.isoformat() if certificate.learned_from else None,
        "events": [
            {
                "at": e.at.isoformat(),
                "kind": e.kind,
                "state": e.state,
                "reason_class": e.reason_class,
                "reason": e.reason,
                "by": e.by,
                "successor": e.successor.number if e.successor else None,
            }
            for e in certificate.events.select_related("successor").order_by("pk")
        ],
        "chain": [{"number": each.number, "state": each.state} for each in chain(certificate)],
        "credential": certificate.credential,
    }
    if as_json:
        emit(row)
    else:
        table(
            number,
            ("", ""),
            [[key, value] for key, value in row.items() if key not in ("events", "chain", "credential")],
        )
        for event in row["events"]:
            why = "  ".join(filter(None, (event["reason_class"], event["reason"], event["by"], event["successor"])))
            page.print(f"{event['at']}  {event['kind']}  {why}", markup=False)
        if len(row["chain"]) > 1:
            page.print("  →  ".join(f"{each['number']} ({each['state']})" for each in row["chain"]), markup=False)


@group.command("approve")
def approve(
    programme: Annotated[str, typer.Option("--programme", help="KEY, region/year/KEY or filing number.")],
    reason: Annotated[str, typer.Option(help="Kept with the approval.")] = "",
    as_json: AsJson = False,
) -> None:
    """Approve everybody who waits in a programme that asks for it; their certificates are issued at once."""
    start()
    from agent.certificates import approvals  # noqa: PLC0415
    from agent.flow import policies, run_stages  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    policies()  # a wrong rule file is told before anything is done
    found = find(programme)
    run_stages()  # who waits is known only after it
    approved = approvals.approve(found, by=getpass.getuser(), reason=reason)
    issued = run_stages().issued.issued if approved else 0
    if as_json:
        emit({"programme": str(found), "approved": approved, "issued": issued})
    else:
        page.print(f"{found}：批准 {approved} 人，签发证书 {issued} 张。")


@group.command("approval")
def approval(
    programme: Annotated[str, typer.Argument(help="KEY, region/year/KEY or filing number.")],
    needed: Annotated[
        bool | None,
        typer.Option("--needed/--not-needed", help="Whether certificates wait for an approval from now on."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Kept with the change.")] = "",
    as_json: AsJson = False,
) -> None:
    """Whether a programme's certificates need an approval, and what was decided so far."""
    start()
    from agent.certificates import approvals  # noqa: PLC0415
    from agent.flow import policies, run_stages  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    policies()
    found = find(programme)
    if needed is not None and approvals.ask_for_approval(found, needed=needed, by=getpass.getuser(), reason=reason):
        run_stages()
        found.refresh_from_db()
    decided = [
        {"at": a.at.isoformat(), "kind": a.kind, "by": a.by, "count": a.count, "reason": a.reason}
        for a in found.approvals.order_by("pk")
    ]
    waiting = approvals.waiting(found)
    if as_json:
        emit({
            "programme": str(found), "needed": found.certificates_need_approval, "waiting": waiting, "decided": decided,
        })  # fmt: skip
    else:
        page.print(f"{found}：证书{'须经' if found.certificates_need_approval else '无须'}审批，{waiting} 人待批。")
        table("审批 Approvals", ("at", "kind", "by", "count", "reason"), [list(d.values()) for d in decided])


@group.command("archive")
def archive(
    output: Annotated[Path, typer.Option("-o", "--out", help="Where to write the ZIP.")],
    programme: Annotated[str | None, typer.Option(help="KEY, region/year/KEY or filing number.")] = None,
    employer: Annotated[str | None, typer.Option(help="Name of the employer, as the rosters have it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write all certificates in force of a programme or of an employer as a ZIP with a manifest.

    Broken off, it goes on where it was: pages that were made are stored, and so is what was written of the file.
    """
    if (programme is None) == (employer is None):
        raise typer.BadParameter("--programme or --employer")
    start()
    from agent.certificates import archive as archives  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    wanted = archives.of_programme(find(programme)) if programme else archives.of_employer(employer or "")
    with bars() as tell:
        failed = archives.make(wanted, lambda done, total: tell("证书 PDF", done, total))
        zipped = archives.laid_out(wanted, failed)
        kept = _resumed(output, zipped.digest, zipped.size, zipped.pieces, lambda at: tell("ZIP", at, zipped.size))
    done, total, _ = archives.made(wanted)
    for one in failed:
        person.print(f"{one.number}  {one.code}  {one.message}", markup=False)
    if as_json:
        emit({
            "file": str(output), "certificates": total, "pages": done, "bytes": zipped.size, "kept": kept,
            "failed": [{"number": one.number, "code": one.code} for one in failed],
        })  # fmt: skip
    else:
        page.print(f"{output}：{total} 张证书，{done} 个文件。", markup=False)
    if failed:
        raise typer.Exit(PERSON_NEEDED)


@group.command("pdf")
def pdf(
    number: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the signed PDF.")],
    as_json: AsJson = False,
) -> None:
    """Write the signed PDF; it is made on first want, and the same file ever after."""
    start()
    from agent.certificates.pdfs import pdf_of  # noqa: PLC0415

    stored = pdf_of(_get(number))
    _write(output, bytes(stored.pdf))
    if as_json:
        emit({"number": number, "file": str(output), "sha256": stored.sha256, "bytes": len(stored.pdf)})
    else:
        page.print(f"{output}  SHA-256 {stored.sha256}", markup=False)


@group.command("verify")
def verify(
    file: Path,
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="Published certificates or keys, a file or a folder; then no register is asked."),
    ] = None,
    status: Annotated[
        list[Path] | None,
        typer.Option(help="Saved status lists (JWT or JSON), files or a folder; with --trust: whether it is in force."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a certificate's PDF: signature, whole document covered, credential inside, and its state with us.

    With --trust nothing is asked but the file (a PDF, or a credential as .jwt) and the published keys: it works without
    network, database and set-up, and can't know whether the certificate was revoked since. With --status it does, from
    the status lists that the credential names and that were saved today. Exit code 0: valid (and in force, with
    --status); 1: not, or the lists can't tell; 2: a file can't be read.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileUnreadable(path=file, reason=error.strerror) from None
    if status and not trust:
        raise typer.BadParameter("--status needs --trust: a list is believed by its signature.")
    checked = _checked(data, trust or [], status or [])
    if as_json:
        emit({
            "valid": checked.valid, "state": checked.state, "reasons": checked.reasons, "number": checked.number,
            "holder": checked.holder, "programme": checked.programme, "hours": checked.hours, "checks": checked.checks,
            "listed_at": checked.listed_at.isoformat() if checked.listed_at else None,
        })  # fmt: skip
    else:
        page.print(f"{'有效' if checked.valid else '无效'}  {checked.state}  {checked.number or ''}")
        for step, holds in checked.checks.items():
            mark, words = {True: "✓", False: "✗", None: "–"}[holds], _STEPS[step]
            page.print(f"  {mark} {words}", markup=False)
        for reason in checked.reasons:
            page.print(f"  {reason}", markup=False)
        if checked.listed_at:
            page.print(f"  状态列表的时间：{checked.listed_at.astimezone():%Y-%m-%d %H:%M}", markup=False)
        if trust and checked.valid and not status:
            page.print("  离线核验不知道此后是否撤销，请另查状态列表或验证页。")
    if not checked.valid:
        raise typer.Exit(PERSON_NEEDED)


def _checked(data: bytes, trust: list[Path], status: list[Path]) -> Any:
    if not trust:
        start()
        from agent.certificates.check import check_pdf  # noqa: PLC0415

        return check_pdf(data)
    from agent.certificates.offline import check_offline  # noqa: PLC0415
    from agent.certificates.status_files import StatusFiles  # noqa: PLC0415
    from agent.certificates.trust_files import proof_keys_of, trust_of  # noqa: PLC0415

    trusted = trust_of(trust)
    lists = StatusFiles(status, trusted, proof_keys_of(trust)) if status else None
    return check_offline(data, trusted, lists)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; but a pipe or a device stays what it is."""
    special = path.exists() and not path.is_file()
    draft = path if special else path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        if not special:
            draft.replace(path)
    except OSError as error:
        if not special:
            draft.unlink(missing_ok=True)
        raise FileUnwritable(path=path, reason=error.strerror) from None


def _resumed(
    path: Path, digest: str, size: int, pieces: Callable[..., Iterator[bytes]], tell: Callable[[int], None]
) -> int:
    """Whole or not at all: what is written before stays beside it under the contents' own name, and is gone on with.

    :returns: how many bytes were there already
    """
    from agent.certificates.archive import pages  # noqa: PLC0415

    draft = path.with_name(f".{path.name}.{digest[:16]}.part")
    try:
        for other in path.parent.iterdir():  # of other contents
            if other != draft and other.name.startswith(f".{path.name}.") and other.suffix == ".part":
                other.unlink()
        with draft.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while another process writes the same
            kept = at = min(file.tell(), size)
            file.truncate(kept)
            for piece in pieces(pages, kept):
                file.write(piece)
                at += len(piece)
                tell(at)
            file.flush()
            draft.replace(path)
    except OSError as error:
        raise FileUnwritable(path=path, reason=error.strerror) from None
    return kept


def _get(number: str) -> Any:
    from agent.certificates.errors import NumberUnknown  # noqa: PLC0415
    from agent.certificates.models import Certificate  # noqa: PLC0415

    certificate = (
        Certificate.objects.select_related("programme_version", "programme__organiser").filter(number=number).first()
    )
    if certificate is None:
        raise NumberUnknown(number=number)
    return certificate


def _row(certificate: Any) -> dict[str, Any]:
    return {
        "number": certificate.number, "state": certificate.state, "programme": certificate.programme_version.title,
        "filing_number": certificate.programme.filing_number, "holder": certificate.holder,
        "id_masked": certificate.id_masked, "hours": hours(certificate.hours),
        "learned_on": certificate.learned_on.isoformat(), "issued_at": certificate.issued_at.isoformat(),
        "verify_url": certificate.verify_url,
    }  # fmt: skip
