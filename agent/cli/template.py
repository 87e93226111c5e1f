"""`xueshi template`: what certificates look like, by organiser and programme."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, page, table
from agent.errors import PERSON_NEEDED, XueshiError

group = typer.Typer(help="Check, publish and choose what certificates look like.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The template's folder, or a ZIP of it.")]
Owner = Annotated[str, typer.Option("--organisation", help="Unified social credit code of the body it belongs to.")]


class FolderTaken(XueshiError):
    """{path} is there already, and not empty."""

    code = "E_FILE"
    fix = "Name a folder that is not there yet."


class BodyUnknown(XueshiError):
    """There is no body with the code {uscc}."""

    code = "E_ORGANISATION_UNKNOWN"
    fix = "Give the 18 characters of its unified social credit code; bodies come with `xueshi programme import`."


class ForOne(XueshiError):
    """Choose for exactly one: --programme, --organisation or --certificate."""

    code = "E_USAGE"
    fix = "See `xueshi template choose --help`."


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="template")


@group.command("new")
def new(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")],
    like: Annotated[str, typer.Option(help="The shipped template to begin with: classic or modern.")] = "classic",
) -> None:
    """Write a folder to begin with: a copy of a shipped template."""
    from agent.certificates.template_errors import TemplateUnknown  # noqa: PLC0415
    from agent.certificates.template_folder import SHIPPED_NAMES, shipped  # noqa: PLC0415

    if like not in SHIPPED_NAMES:
        raise TemplateUnknown(name=like, whose="a new one")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    shipped(like).write_to(folder)
    page.print(f"{folder}\n改好以后：xueshi template check {folder}", markup=False)


@group.command("check")
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Try a template with invented certificates, and say what stands against publishing it. No database is needed."""
    from agent.certificates.template_trial import tried  # noqa: PLC0415

    template = _read(folder)
    found = tried(template).findings
    if as_json:
        emit({"template": template.manifest.id, "version": template.manifest.version, "sha256": template.digest,
              "findings": found})  # fmt: skip
    else:
        _tell(found)
        if not found:
            page.print(f"✓ {template.manifest.id} v{template.manifest.version}  可以发布", markup=False)
    if found:
        raise typer.Exit(PERSON_NEEDED)


@group.command("preview")
def preview(
    folder: Folder,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A folder for the pictures (PNG).")] = None,
    organisation: Annotated[
        str, typer.Option(help="Show it in the console instead, as a draft of this body (its code).")
    ] = "",
    watch: Annotated[bool, typer.Option(help="Again whenever a file changes, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the samples: the usual, the longest, the shortest, the rarest texts, in each language."""
    from agent.certificates.template_errors import TemplateInvalid  # noqa: PLC0415

    if (output is None) == (not organisation):
        raise typer.BadParameter("give either --output or --organisation")
    shown = ""
    while True:
        found: list[dict[str, Any]] = []
        try:
            template = _read(folder)
            if template.digest != shown:
                shown = template.digest
                told = _drawn_to(output, template) if output else _draft(organisation, template)
                found = told.get("findings", [])
                if as_json:
                    emit(told)
                else:
                    page.print("".join(f"{one}\n" for one in told["shown"]), end="", markup=False)
                    _tell(found)
        except TemplateInvalid as error:  # while one edits, files are half written
            if not watch:
                raise
            page.print(f"✗ {error.code}  {error.message}", markup=False)
        if not watch:
            raise typer.Exit(PERSON_NEEDED if found else 0)
        time.sleep(1)


@group.command("publish")
def publish(
    folder: Folder,
    organisation: Owner,
    no_emblem: Annotated[
        bool, typer.Option("--no-emblem", help="You looked: its pictures show no emblem or flag of the state.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a template of an organisation under the number in its template.toml; it never changes from then on."""
    template = _read(folder)
    start()
    from agent.certificates.template_errors import TemplateFileRefused  # noqa: PLC0415
    from agent.certificates.template_folder import pictures_of_its_own  # noqa: PLC0415
    from agent.certificates.template_register import publish as put  # noqa: PLC0415

    pictures = pictures_of_its_own(template)
    if pictures and not no_emblem:
        raise TemplateFileRefused(
            file=pictures[0], reason="no program sees whether a picture shows the national emblem; look, and say so"
            " with --no-emblem",
        )  # fmt: skip
    version = put(template, _body(organisation), by=getpass.getuser())
    if as_json:
        emit(_row(version))
    else:
        page.print(f"{version}  已发布 {version.published_at:%Y-%m-%d %H:%M}  SHA-256 {version.sha256}", markup=False)


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """All published versions, and who chose what."""
    start()
    from agent.certificates.models import TemplateChoice, TemplateVersion  # noqa: PLC0415

    versions = TemplateVersion.objects.select_related("template__owner").order_by(
        "template__owner_id", "template__name", "version"
    )
    choices = TemplateChoice.objects.select_related("template", "organisation", "programme", "certificate").order_by(
        "chosen_at", "pk"
    )
    rows = [_row(version) for version in versions]
    chosen = [
        {
            "for": str(each.organisation or each.programme or each.certificate), "template": each.template.name,
            "language": each.language, "chosen_at": each.chosen_at.isoformat(), "chosen_by": each.chosen_by,
        }
        for each in choices
    ]  # fmt: skip
    if as_json:
        emit({"templates": rows, "choices": chosen})
        return
    columns = ("owner", "name", "version", "title", "languages", "published_at")
    table("证书模板 Templates", columns, [[row[c] for c in columns] for row in rows], right=("version",))
    if chosen:
        heads = ("for", "template", "language", "chosen_at", "chosen_by")
        table("选用 Choices", heads, [[row[c] for c in heads] for row in chosen])


@group.command("choose")
def choose(
    name: Annotated[str, typer.Argument(help="classic, modern, or one that the organiser published.")],
    programme: Annotated[str, typer.Option(help="KEY, region/year/KEY or filing number.")] = "",
    organisation: Annotated[str, typer.Option(help="Code of an organiser: for all its programmes.")] = "",
    certificate: Annotated[str, typer.Option(help="Number of one that its template can't draw.")] = "",
    language: Annotated[str, typer.Option(help="zh, or zh-en for Chinese and English.")] = "zh",
    as_json: AsJson = False,
) -> None:
    """Choose for what is issued from now on; what was issued before keeps its template."""
    if sum(map(bool, (programme, organisation, certificate))) != 1:
        raise ForOne
    start()
    from agent.certificates import template_register  # noqa: PLC0415
    from agent.cli.certificate import _get  # noqa: PLC0415
    from agent.programmes.filing import find  # noqa: PLC0415

    choice = template_register.choose(
        name, by=getpass.getuser(), language=language,
        organisation=_body(organisation) if organisation else None,
        programme=find(programme) if programme else None,
        certificate=_get(certificate) if certificate else None,
    )  # fmt: skip
    if as_json:
        emit({"template": name, "language": language, "chosen_at": choice.chosen_at.isoformat()})
    else:
        page.print(f"{choice}", markup=False)


def _tell(found: list[dict[str, Any]]) -> None:
    for one in found:
        page.print(f"✗ {one['code']}  {one['field']}\n  {one['message']}\n  → {one['fix']}", markup=False)


def _read(folder: Path) -> Any:
    from agent.certificates.template_folder import read_folder, read_zip  # noqa: PLC0415
    from agent.cli.certificate import FileUnreadable  # noqa: PLC0415

    try:
        return read_folder(folder) if folder.is_dir() else read_zip(folder.read_bytes())
    except OSError as error:
        raise FileUnreadable(path=folder, reason=error.strerror) from None


def _drawn_to(output: Path, template: Any) -> dict[str, Any]:
    from agent.certificates.template_trial import tried  # noqa: PLC0415

    trial = tried(template)
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for language, pages in trial.pictures.items():
        for name, png in pages.items():
            path = output / f"{template.manifest.id}-{language}-{name}.png"
            path.write_bytes(png)
            written.append(str(path))
    return {"shown": written, "findings": trial.findings}


def _draft(organisation: str, template: Any) -> dict[str, Any]:
    start()
    from django.conf import settings  # noqa: PLC0415

    from agent.certificates.template_register import save_draft  # noqa: PLC0415

    draft = save_draft(template, _body(organisation), by=getpass.getuser())
    return {"shown": [f"{settings.BASE_URL}/templates/drafts/{draft.pk}/"], "sha256": draft.sha256}


def _body(uscc: str) -> Any:
    from agent.organisations.models import Organisation  # noqa: PLC0415

    found = Organisation.objects.filter(uscc=uscc).first()
    if found is None:
        raise BodyUnknown(uscc=uscc)
    return found


def _row(version: Any) -> dict[str, Any]:
    owner = version.template.owner
    return {
        "owner": owner.name if owner else "（随程序提供）", "uscc": owner.uscc if owner else None,
        "name": version.template.name, "version": version.version, "title": version.title,
        "languages": version.languages, "sha256": version.sha256, "published_at": version.published_at.isoformat(),
        "published_by": version.published_by,
    }  # fmt: skip
