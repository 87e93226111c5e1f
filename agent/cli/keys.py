"""`xueshi keys`: which keys sign and signed, and how one takes the place of another. Explained in docs/keys.md."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from agent.boot import start
from agent.cli.output import AsJson, emit, operator, page, table

group = typer.Typer(help="List, rotate and retire the keys that sign certificates.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="keys")


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every key that signs or signed here, with its certificate and the day until which it is believed."""
    start()
    rows = _rows()
    if as_json:
        emit(rows)
    else:
        columns = ("kid", "algorithm", "signs", "published", "until", "stolen")
        table("签名密钥 Keys", columns, [_shown(row) for row in rows])


@group.command("rotate")
def rotate(
    overlap: Annotated[int, typer.Option(help="Days for which the earlier key is still believed.", min=0)] = 7,
    as_json: AsJson = False,
) -> None:
    """Let another key sign from now on: a new one of our own, or the one that the settings name now."""
    start()
    from django.db import transaction  # noqa: PLC0415 - it needs to be set up

    from agent.audit.chain import record  # noqa: PLC0415
    from agent.certificates.errors import KeySame  # noqa: PLC0415
    from agent.certificates.models import PublishedKey  # noqa: PLC0415
    from agent.certificates.signer import keys_to_sign, next_key, own_key, signing_keys  # noqa: PLC0415
    from agent.certificates.trust import ends, overlap_until, publish  # noqa: PLC0415

    if own_key():
        publish(signing_keys())
        keys = next_key()
    else:
        keys = signing_keys()
        others = PublishedKey.objects.exclude(pk=keys.kid).exclude(pk__in=ends())
        if PublishedKey.objects.exists() and not others.exists():
            raise KeySame(kid=keys.kid)
    keys_to_sign()
    with transaction.atomic():
        ended = overlap_until(keys, datetime.now(UTC) + timedelta(days=overlap))
        said = {"kid": keys.kid, "days": overlap}
        record(operator(), "key.rotated", on=f"key {keys.kid}", before={"believed": ended}, after=said)
    if as_json:
        emit({"signs": keys.kid, "ending": ended, "days": overlap})
    else:
        page.print(f"现在用 {keys.kid} 签名；{len(ended)} 个旧密钥 {overlap} 天后停用。", markup=False)


class _NamedFirst(TyperCommand):
    """One key in 64 has a name that begins with a dash: it is no option."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override] # the wider type is private to typer
        known = {option for one in self.get_params(ctx) for option in one.opts}
        if args and args[0].startswith("-") and args[0].partition("=")[0] not in known:
            args = [*args[1:], "--", args[0]]
        return super().parse_args(ctx, args)


@group.command("retire", cls=_NamedFirst)
def retire(
    kid: Annotated[str, typer.Argument(help="The key's name, or how it begins.")],
    since: Annotated[datetime | None, typer.Option(help="Believe nothing dated later (default: now).")] = None,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else may have it: take it out of the DID document.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "retired",
    as_json: AsJson = False,
) -> None:
    """Stop believing what a key signs. What it signed before stays valid here."""
    start()
    from django.db import transaction  # noqa: PLC0415

    from agent.audit.chain import record  # noqa: PLC0415
    from agent.certificates import trust  # noqa: PLC0415

    key = trust.one_key(kid)
    until = since.astimezone(UTC) if since else datetime.now(UTC)
    with transaction.atomic():
        before = trust.ends().get(key.kid)
        trust.retire(key, until, reason, compromised=compromised)
        said = {"until": until, "reason": reason, "compromised": compromised}
        record(operator(), "key.retired", on=f"key {key.kid}", before={"until": before} if before else None, after=said)
    row = next(row for row in _rows() if row["kid"] == key.kid)
    if as_json:
        emit(row)
    else:
        page.print(f"{key.kid} 停用：{row['until']}", markup=False)


@group.command("create")
def create(as_json: AsJson = False) -> None:
    """Make a key on the PKCS#11 token that the settings name; it can't be taken out of it."""
    start()
    from django.db import transaction  # noqa: PLC0415

    from agent.audit.chain import record  # noqa: PLC0415
    from agent.certificates.errors import SigningKeyToken  # noqa: PLC0415
    from agent.certificates.signer import ORGANISATION, signing_keys  # noqa: PLC0415
    from agent.certificates.token import Token, create_key  # noqa: PLC0415

    token = Token.from_environment(os.environ)
    if token is None:
        raise SigningKeyToken(token="?", reason="XUESHI_PKCS11_MODULE is not set")  # noqa: S106 - a device
    create_key(token, organisation=ORGANISATION)
    signing_keys.cache_clear()
    made = {"kid": signing_keys().kid, "token": str(token)}
    with transaction.atomic():
        record(operator(), "key.created", on=f"key {made['kid']}", after=made)
    if as_json:
        emit(made)
    else:
        page.print(f"{made['token']}  {made['kid']}", markup=False)


@group.command("sm2")
def sm2(
    number: Annotated[str, typer.Argument(help="The certificate's number.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for NUMBER.jwt and NUMBER.jwt.sm2.")],
    as_json: AsJson = False,
) -> None:
    """Sign a certificate's credential by SM2 with SM3 too, detached: beside the file, which stays as it is."""
    start()
    from agent.certificates.sm2 import detached_signer  # noqa: PLC0415
    from agent.cli.certificate import _get, _write  # noqa: PLC0415

    signed = _get(number).credential.encode("ascii")
    signature = detached_signer(os.environ).sign(signed)
    _write(output / f"{number}.jwt", signed)
    _write(output / f"{number}.jwt.sm2", signature)
    if as_json:
        emit({"number": number, "file": str(output / f"{number}.jwt"), "signature": str(output / f"{number}.jwt.sm2")})
    else:
        page.print(str(output / f"{number}.jwt.sm2"), markup=False)


def _shown(row: dict[str, Any]) -> list[str]:
    """A key on one line: as much of its name as tells it from others, which is as much as `retire` asks for."""
    published, until = (
        f"{datetime.fromisoformat(row[name]).astimezone():%Y-%m-%d %H:%M}" if row[name] else ""
        for name in ("published_at", "until")
    )
    yes = {True: "✓", False: ""}
    return [row["kid"].lstrip("-")[:12], row["algorithm"], yes[row["signs"]], published, until, yes[row["compromised"]]]


def _rows() -> list[dict[str, Any]]:
    from cryptography import x509  # noqa: PLC0415

    from agent.certificates.errors import SigningKeyError  # noqa: PLC0415
    from agent.certificates.keys import algorithm_of, public_key_of  # noqa: PLC0415
    from agent.certificates.models import KeyRetirement, PublishedKey  # noqa: PLC0415
    from agent.certificates.signer import keys_to_sign  # noqa: PLC0415
    from agent.certificates.trust import ends  # noqa: PLC0415

    try:
        signs = keys_to_sign().kid
    except SigningKeyError:
        signs = ""
    until = ends()
    stolen = set(KeyRetirement.objects.filter(compromised=True).values_list("key_id", flat=True))
    return [
        {
            "kid": key.kid,
            "algorithm": algorithm_of(public_key_of(x509.load_pem_x509_certificate(key.certificates.encode()))),
            "signs": key.kid == signs,
            "published_at": key.published_at.isoformat(),
            "until": until[key.kid].isoformat() if key.kid in until else None,
            "compromised": key.kid in stolen,
            "multikey": key.multikey,
            "certificates": key.certificates,
        }
        for key in PublishedKey.objects.order_by("published_at", "kid")
    ]
