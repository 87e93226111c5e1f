"""A template as small as it may be, to be spoiled in one place."""

from __future__ import annotations

import io
import zipfile

from agent.certificates.template_folder import Template, read_zip, shipped

TOML = """
id = "plain"
version = 1
title = { zh = "素页", en = "Plain" }
languages = ["zh"]
page = "A4"
orientation = "portrait"
fields = ["number", "holder", "id_masked", "programme", "organiser", "filing_number", "hours", "until", "issued", "qr"]
seal = { x = 120, y = 220, diameter = 40 }
"""
TYP = """
#import "xueshi.typ": *
#place(dx: 20mm, dy: 20mm, block(width: 160mm, context fitting((14pt, 12pt, 10pt), 160mm, 180mm, size => {
  set text(size: size)
  // every field, one below the other
  stack(
    spacing: 1em,
    [学时证书], data.holder, data.id_masked, data.programme, data.hours, data.until, data.organiser, data.issued,
    data.filing_number, data.number,
  )
})))
#place(dx: 20mm, dy: 230mm, code(30mm))
"""


def zipped(files: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def plain(typ: str = TYP, toml: str = TOML, **files: str | bytes) -> Template:
    """The small template; further files by their names, ``__`` for a dot."""
    whole = {"template.toml": toml, "template.typ": typ, "xueshi.typ": shipped("classic").files["xueshi.typ"]}
    return read_zip(zipped(whole | {name.replace("__", "."): content for name, content in files.items()}))
