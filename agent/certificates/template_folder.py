"""A template as a value: the files of one folder, and what its ``template.toml`` says.

Content-addressed: the digest is of all names and bytes, so equal digests draw equal pages. Nothing is drawn here.
"""

from __future__ import annotations

import hashlib
import io
import re
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.certificates.template_errors import TemplateFileRefused, TemplateManifest

SHIPPED = Path(__file__).parent / "templates_typst"
SHIPPED_NAMES = ("classic", "modern")
DEFAULT = "classic"
REQUIRED = (
    "number", "holder", "id_masked", "programme", "organiser", "filing_number", "hours", "until", "issued", "qr",
)  # fmt: skip
"""What every page must show. The rest (`OPTIONAL`) stands in the credential that the page carries."""
OPTIONAL = ("series", "implementer", "from")
SIZES = {"portrait": (210, 297), "landscape": (297, 210)}  # A4, millimetres

_MOST_BYTES, _MOST_FILES, _LONGEST_PATH = 4_000_000, 60, 120
_KINDS = {".typ", ".toml", ".svg", ".png", ".jpg", ".jpeg", ".md", ".txt"}
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)*")
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Strict):
    """What people call the template."""

    zh: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1, max_length=60)]


class Seal(_Strict):
    """Where a reader clicks to see the signature, in millimetres from the upper left corner."""

    x: Annotated[float, Field(ge=0, le=297)]
    y: Annotated[float, Field(ge=0, le=297)]
    diameter: Annotated[float, Field(ge=10, le=60)]


class Manifest(_Strict):
    """``template.toml``."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Title
    languages: Annotated[list[Literal["zh", "zh-en"]], Field(min_length=1)]
    page: Literal["A4"]
    orientation: Literal["portrait", "landscape"]
    fonts: list[str] = []
    fields: list[str]
    seal: Seal

    @model_validator(mode="after")
    def _whole(self) -> Manifest:
        unknown = [name for name in self.fields if name not in (*REQUIRED, *OPTIONAL)]
        if unknown:
            raise ValueError(f"fields: there is no field {unknown[0]}")
        missing = [name for name in REQUIRED if name not in self.fields]
        if missing:
            raise ValueError(f"fields: every certificate shows {', '.join(missing)}")
        width, height = self.size
        if self.seal.x + self.seal.diameter > width or self.seal.y + self.seal.diameter > height:
            raise ValueError("seal: it does not lie on the page")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in millimetres."""
        return SIZES[self.orientation]


@dataclass(frozen=True, eq=False)
class Template:
    """The files of a folder, by their paths with slashes, and its manifest."""

    files: Mapping[str, bytes]
    manifest: Manifest

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents, in hexadecimal."""
        whole = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            whole.update(f"{len(name.encode())}:{name}{len(content)}:".encode() + content)
        return whole.hexdigest()

    def packed(self) -> bytes:
        """As a ZIP; equal templates give equal bytes."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(self.files.items()):
                archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), content, zipfile.ZIP_DEFLATED)
        return out.getvalue()

    def write_to(self, folder: Path) -> None:
        """Lay the files out in an empty folder."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def read_folder(folder: Path) -> Template:
    """The template in ``folder``. What starts with a dot is passed over; links are refused.

    :raises TemplateInvalid: its subclass names the file or the field.
    """
    files: dict[str, bytes] = {}
    size = 0
    for path in sorted(_walked(folder)):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            raise TemplateFileRefused(file=name, reason="it is a link or no ordinary file")
        size += path.stat().st_size
        if size > _MOST_BYTES:
            raise TemplateFileRefused(file=name, reason="with it the folder has more than four megabytes")
        files[name] = path.read_bytes()
    return _made(files)


def read_zip(data: bytes) -> Template:
    """The template in a ZIP; a folder around everything is taken off.

    :raises TemplateInvalid: its subclass names the file or the field.
    """
    files: dict[str, bytes] = {}
    room = _MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                name = _name(entry)
                if entry.is_dir() or name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith("."):
                    continue
                with archive.open(entry) as file:
                    content = file.read(room + 1)  # what the archive says of its sizes is not believed
                room -= len(content)
                if room < 0:
                    raise TemplateFileRefused(file=name, reason="with it the folder has more than four megabytes")
                if name in files:
                    raise TemplateFileRefused(file=name, reason="it is there twice")
                files[name] = content
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise TemplateFileRefused(file="ZIP", reason=f"it can't be unpacked ({type(error).__name__})") from None
    tops = {name.partition("/")[0] for name in files}
    if len(tops) == 1 and all("/" in name for name in files):
        files = {name.partition("/")[2]: content for name, content in files.items()}
    return _made(files)


@lru_cache(maxsize=len(SHIPPED_NAMES))
def shipped(name: str) -> Template:
    """A template that comes with the program: its folder, and what all of them share."""
    files = {
        path.name: path.read_bytes()
        for folder in (SHIPPED / "shared", SHIPPED / name)
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
    return _made(files)


def pictures_of_its_own(template: Template) -> list[str]:
    """Names of pictures that do not come with the program: nobody has looked at them yet."""
    known = {content for name in SHIPPED_NAMES for content in shipped(name).files.values()}
    kinds = (".svg", ".png", ".jpg", ".jpeg")
    return [name for name, content in template.files.items() if name.lower().endswith(kinds) and content not in known]


def _walked(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walked(path)
        else:
            yield path


def _name(entry: zipfile.ZipInfo) -> str:
    """An entry's name; names without the UTF-8 mark come from Chinese Windows."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return entry.filename


def _made(files: dict[str, bytes]) -> Template:
    if len(files) > _MOST_FILES:
        raise TemplateFileRefused(file=f"{len(files)} files", reason=f"there are more than {_MOST_FILES}")
    for name in files:
        parts = PurePosixPath(name).parts
        if not _NAME.fullmatch(name) or ".." in parts or len(name) > _LONGEST_PATH:
            raise TemplateFileRefused(file=name, reason="its name has other characters than letters, digits and ._-")
        if PurePosixPath(name).suffix.lower() not in _KINDS:
            raise TemplateFileRefused(file=name, reason=f"only {' '.join(sorted(_KINDS))} are used")
    for name in ("template.toml", "template.typ"):
        if name not in files:
            raise TemplateFileRefused(file=name, reason="it is missing")
    return Template(files, _manifest(files["template.toml"]))


def _manifest(content: bytes) -> Manifest:
    try:
        return Manifest.model_validate(tomllib.loads(content.decode("utf-8")))
    except UnicodeDecodeError:
        raise TemplateManifest(field="encoding", reason="it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise TemplateManifest(field="syntax", reason=str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        field, _, reason = first["msg"].removeprefix("Value error, ").rpartition(": ")
        raise TemplateManifest(field=".".join(map(str, first["loc"])) or field, reason=reason) from None
