"""Reading a programme file, YAML or XLSX, into checked rows. No database.

A problem names its place: ``programmes[3].hours`` in YAML, sheet and cell in XLSX.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from stdnum.cn import uscc as stdnum_uscc

from agent.programmes.content import Details, Teacher, fen, teachers
from agent.programmes.errors import ProgrammeFileInvalid

_MAX_BYTES = 20_000_000
_MOST_HOURS = 1000
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"

Loc = tuple[int | str, ...]
Place = Callable[[Loc], str]
"""From where something stands in the content to where a person finds it in the file."""


def _yaml_place(loc: Loc) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def _uscc(value: str) -> str:
    if not stdnum_uscc.is_valid(value):
        raise ValueError(
            f"«{value}» is not a unified social credit code (GB 32100): 18 characters with a check character"
        )
    return value


def _hundredths(value: object) -> int:
    try:
        hours = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"«{value}» is not a number of hours") from None
    # the range first: 1e999999999 is a number too, and would take all memory as an integer
    if not (hours.is_finite() and 0 < hours <= _MOST_HOURS) or hours * 100 % 1:
        raise ValueError(f"«{value}» must lie between 0.01 and {_MOST_HOURS} hours, in steps of 0.01")
    return int(hours * 100)


def _text(value: object) -> object:
    """Spreadsheets turn a code such as 101 into 101.0: take back what was typed."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int) else value


def _fen(value: object) -> int:
    if (amount := fen(str(value))) is None:
        raise ValueError(f"«{value}» is no amount of yuan")
    return amount


def _teachers(value: object) -> object:
    return teachers("\n".join(map(str, value)) if isinstance(value, list) else str(value or ""))


Text = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_text)]
Uscc = Annotated[str, BeforeValidator(_text), AfterValidator(_uscc)]
Hours = Annotated[int, BeforeValidator(_hundredths)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Body(_Strict):
    """A department or base as the file names it."""

    name: Text
    uscc: Uscc
    kind: Literal["hr_bureau", "sector_department", "training_base"] | None = None
    status_until: dt.date | None = None


class CourseCode(_Strict):
    """Which course teaches the programme: ``shortname`` in a Moodle, ``code`` in a roster."""

    shortname: Text | None = None
    code: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> CourseCode:
        if (self.shortname is None) == (self.code is None):
            raise ValueError("give either shortname (Moodle) or code (roster)")
        return self

    @property
    def kind_and_code(self) -> tuple[str, str]:
        """The kind of source, and the course's code there."""
        return ("moodle", self.shortname) if self.shortname else ("roster", self.code or "")


class SessionRow(_Strict):
    """A row of the timetable."""

    date: dt.date | None = None
    topic: Text
    teacher: Annotated[str, Field(max_length=200)] = ""
    hours: Hours


class ProgrammeRow(_Strict):
    """One programme as the file has it."""

    key: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.-]+$"), BeforeValidator(_text)]
    title: Text
    category: Literal["public", "professional"]
    organiser: Text
    implementer: Text | None = None
    series: Annotated[str, Field(max_length=100)] = ""
    subject: Annotated[str, Field(max_length=100)] = ""
    hours: Hours
    start: dt.date
    end: dt.date
    course: CourseCode | None = None
    filing_number: Annotated[str, Field(min_length=4, max_length=60)] | None = None
    state: Literal["draft", "submitted", "filed"] = "submitted"
    certificates_need_approval: bool | None = None  # not said: as it is
    specialty: Annotated[str, Field(max_length=100)] = ""
    mode: Literal["in_person", "online", "mixed", ""] = ""
    audience: Annotated[str, Field(max_length=500)] = ""
    capacity: Annotated[int, Field(gt=0)] | None = None
    place: Annotated[str, Field(max_length=200)] = ""
    fee: Annotated[int, BeforeValidator(_fen)] | None = None  # yuan in the file
    teachers: Annotated[tuple[Teacher, ...], BeforeValidator(_teachers)] = ()
    timetable: tuple[SessionRow, ...] = ()
    remarks: Annotated[str, Field(max_length=4000)] = ""

    def details(self) -> dict[str, Any]:
        """What a version keeps beside its columns; empty where the file says nothing of it."""
        names = [name for name in Details.model_fields if name in ProgrammeRow.model_fields and name != "implementer"]
        if not any(name in self.model_fields_set for name in names):
            return {}
        return Details.model_validate(self.model_dump(include=set(names))).model_dump(mode="json")


class ProgrammeFile(_Strict):
    """A whole file: the base that teaches, the bodies that answer, the programmes."""

    base: Body | None = None
    departments: dict[str, Body]
    programmes: list[ProgrammeRow]

    def kind_of(self, key: str) -> str:
        """What kind a department is: as the file says; otherwise the bureau when it is called so, a base when it only
        carries out what others organise (it must not become entitled to file by that, R08), or a sector department.
        """
        body = self.departments[key]
        if body.kind:
            return body.kind
        if "人力资源和社会保障局" in body.name:
            return "hr_bureau"
        roles = [(row.organiser == key, row.implementer == key) for row in self.programmes]
        carries_out_only = any(out for _, out in roles) and not any(organises for organises, _ in roles)
        return "training_base" if carries_out_only else "sector_department"

    _place: Place | None = PrivateAttr(default=None)

    def place(self, *loc: int | str) -> str:
        """Where a person finds that in the file."""
        return (self._place or _yaml_place)(loc)


def read_programmes(path: Path) -> ProgrammeFile:
    """Read and check ``path``.

    :raises ProgrammeFileInvalid: with every problem and its place.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _invalid(path, [f"the file can't be read: {error.strerror}"]) from None
    if len(data) > _MAX_BYTES:
        raise _invalid(path, [f"the file is larger than {_MAX_BYTES} bytes"])
    if data.startswith(_OLD_EXCEL):
        raise _invalid(path, ["this is an old .xls, or locked with a password: save it as .xlsx without one"])
    if data[:2] == b"PK":
        from agent.programmes.sheet import read_sheet  # noqa: PLC0415 - half of this module is of no use to YAML

        content: object
        content, place_of = read_sheet(path, data)
    else:
        content, place_of = _read_yaml(path, data), _yaml_place
    try:
        file = ProgrammeFile.model_validate(content)
    except ValidationError as error:
        problems = [f"{place_of(e['loc'])}: {_plain(e)}".removeprefix(": ") for e in error.errors(include_url=False)]
        raise _invalid(path, problems) from None
    if problems := [f"{place_of(loc)}: {message}" for loc, message in _contradictions(file)]:
        raise _invalid(path, problems)
    file._place = place_of  # noqa: SLF001 - our own
    return file


def _contradictions(file: ProgrammeFile) -> Iterator[tuple[Loc, str]]:
    """What each field for itself can't say, with its place."""
    seen: set[tuple[int, str]] = set()
    for number, row in enumerate(file.programmes):
        for column, message in _contradictions_of(row, file):
            yield ("programmes", number, column), message
        if (row.start.year, row.key) in seen:
            yield ("programmes", number, "key"), f"«{row.key}» is there twice"
        seen.add((row.start.year, row.key))


def _contradictions_of(row: ProgrammeRow, file: ProgrammeFile) -> Iterator[tuple[str, str]]:
    if row.end < row.start:
        yield "end", f"{row.end} lies before the start, {row.start}"
    elif row.end.year != row.start.year:
        yield "end", "a programme lies within one year (hours belong to a year); file one for each"
    if row.category == "public" and not row.subject:
        yield "subject", "a public programme names its subject (notice 2024-17, II.1)"
    if row.category == "professional" and not row.series:
        yield "series", "a professional programme names its title series"
    if row.filing_number and row.state != "filed":
        yield "filing_number", f"a programme that is only {row.state} has no filing number yet"
    if row.implementer is not None and row.implementer not in file.departments:
        yield "implementer", f"«{row.implementer}» is not among departments"
    if row.organiser not in file.departments:
        yield "organiser", f"«{row.organiser}» is not among departments"
    elif row.category == "professional" and file.kind_of(row.organiser) != "sector_department":
        yield "organiser", not_entitled(row.organiser)


def not_entitled(organiser: str) -> str:
    """Why ``organiser`` can't file a professional programme."""
    return f"«{organiser}» is not a sector department, and only those may file professional programmes (rule R08)"


def _invalid(path: Path, problems: list[str]) -> ProgrammeFileInvalid:
    return ProgrammeFileInvalid(path=path, count=len(problems), problems=problems)


def _plain(error: Any) -> str:
    """The message of pydantic, with what stood there."""
    message = str(error["msg"]).removeprefix("Value error, ")
    value = error.get("input")
    shown = isinstance(value, str | int | float | dt.date) and "«" not in message
    return f"{message} (it is «{value}»)" if shown else message


class _Loader(yaml.SafeLoader):
    """Says where it stands when something is no date, and refuses what is there twice."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> dt.date:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise _not_so(node, f"«{node.value}» is not a date ({error})") from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in keys:
                    raise _not_so(key, f"«{key.value}» is there twice")
                keys.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def _not_so(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _read_yaml(path: Path, data: bytes) -> object:
    try:
        loader = _Loader(data.decode("utf-8-sig"))
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise _invalid(path, [f"byte {error.start}: not UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        where = f"line {at.line + 1}, column {at.column + 1}" if at else "somewhere"
        raise _invalid(path, [f"{where}: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:  # the last three: a tag that lies
        raise _invalid(path, [" ".join(str(error).split())]) from None
    except RecursionError:
        raise _invalid(path, ["it is nested too deeply to be a programme file"]) from None
