"""`xueshi transparency`: the public log of certificates: heads, proofs, and looking for what was tampered with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from agent.boot import start
from agent.cli.certificate import FileUnreadable
from agent.cli.output import AsJson, emit, page
from agent.errors import PERSON_NEEDED, XueshiError

group = typer.Typer(help="The transparency log: heads, proofs, audit.", no_args_is_help=True)


class NotConsistent(XueshiError):
    """The log of the second head does not begin with that of the first: what was said before was changed."""

    code = "E_NOT_CONSISTENT"
    fix = "Keep both heads and the proof: they are evidence. Ask the installation, and whoever watches over it."
    exit_code = PERSON_NEEDED


class SizesUnknown(XueshiError):
    """The log has {size} entries: there is no proof from {first} to {second}."""

    code = "E_LOG_SIZE"
    fix = "Give sizes of heads that this log published, the older first."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="transparency")


@group.command("head")
def head(
    publish: Annotated[bool, typer.Option("--publish", help="Sign the tree as it is now, before the hour.")] = False,
    as_json: AsJson = False,
) -> None:
    """The newest signed tree head; save it (--json) to check later that nothing was changed."""
    start()
    from agent.certificates import transparency  # noqa: PLC0415 - it needs Django

    found = transparency.head_json(transparency.publish() if publish else transparency.newest())
    if as_json:
        emit(found)
    else:
        page.print(f"{found['size']} 条记录  {found['timestamp']}\n{found['root']}", markup=False)


@group.command("prove")
def prove(
    number: Annotated[str | None, typer.Argument(help="A certificate's number: that the log has it.")] = None,
    first: Annotated[int | None, typer.Option(help="With --second: that nothing changed since.")] = None,
    second: Annotated[int | None, typer.Option(help="The size of the younger tree.")] = None,
) -> None:
    """A proof, as JSON: that a certificate is in the log, or that the log of one size begins with that of another."""
    if (number is None) == (first is None or second is None):
        raise typer.BadParameter("give a number, or --first and --second")
    start()
    from agent.certificates import transparency  # noqa: PLC0415
    from agent.certificates.errors import NumberUnknown  # noqa: PLC0415
    from agent.certificates.models import Certificate  # noqa: PLC0415

    if number is not None:
        certificate = Certificate.objects.filter(number=number).first()
        if certificate is None:
            raise NumberUnknown(number=number)
        emit(transparency.inclusion_proof(certificate))
        return
    try:
        emit(transparency.consistency_proof(first or 0, second or 0))
    except ValueError:
        raise SizesUnknown(size=transparency.size(), first=first, second=second) from None


@group.command("check")
def check(
    saved: Annotated[Path, typer.Argument(help="The head that was saved, as JSON.")],
    today: Annotated[Path, typer.Argument(help="Today's head, as JSON.")],
    proof: Annotated[Path, typer.Argument(help="The consistency proof between their sizes, as JSON.")],
    trust: Annotated[list[Path], typer.Option(help="Published keys: PEM, a JWK set, did.json, or a folder of these.")],
    as_json: AsJson = False,
) -> None:
    """Check, offline and with files only, that the log of a saved head was not changed since."""
    from agent.certificates.errors import HeadInvalid  # noqa: PLC0415
    from agent.certificates.heads import read_head  # noqa: PLC0415
    from agent.certificates.merkle import verify_consistency  # noqa: PLC0415
    from agent.certificates.trust_files import trust_of  # noqa: PLC0415

    trusted = trust_of(trust)
    try:
        old, new = (read_head(_json(path)["jws"], trusted) for path in (saved, today))
        path = [bytes.fromhex(each) for each in _json(proof)["path"]]
    except (ValueError, KeyError, TypeError):
        raise HeadInvalid(reason="a file does not hold what it should") from None
    if old.log != new.log:
        raise HeadInvalid(reason=f"the heads are of two logs, {old.log} and {new.log}")
    if not verify_consistency(old.size, new.size, old.root, new.root, path):
        raise NotConsistent
    if as_json:
        emit({"consistent": True, "log": new.log, "first": old.size, "second": new.size})
    else:
        page.print(f"一致：{old.size} 条记录原样在 {new.size} 条之中。 Consistent.")


@group.command("audit")
def audit(as_json: AsJson = False) -> None:
    """Compare register, log and signed heads: a certificate slipped in, dated back or taken out shows."""
    start()
    from agent.certificates.audit import audit as look  # noqa: PLC0415

    found = look()
    if as_json:
        emit([{"kind": each.kind, "about": each.about, "sentence": each.sentence} for each in found])
    else:
        for each in found:
            page.print(f"{each.about}  {each.kind}: {each.sentence}", markup=False)
        if not found:
            page.print("登记、日志和已签的树头都一致。 Register, log and signed heads agree.")
    if found:
        raise typer.Exit(PERSON_NEEDED)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror) from None


def _json(path: Path) -> Any:
    return orjson.loads(_bytes(path))
