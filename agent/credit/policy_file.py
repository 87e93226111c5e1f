"""From the text of a YAML file to plain values that remember their line.

Only what JSON can say is read: mappings, lists, text, whole and decimal numbers, true, false, null. So a date stays
text, ``no`` is a word and not a falsehood, 8.10 is exactly 8.10, and a tag or an alias can't build anything.
A *path* is how a person names a place in the file: ``rules[3].parameters.hours_per_day``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

LARGEST = 1_000_000
"""Bytes of a policy file; the largest known has a twentieth of this."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_STANDARD = "tag:yaml.org,2002:"

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LintProblem:
    """One thing that is wrong in a mapping file: where, what, and what to do."""

    file: str
    path: str
    message: str
    fix: str
    line: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says (``values``), and on which line each place of it stands."""

    file: str
    values: dict[str, Any]
    lines: dict[Place, int]

    def line(self, place: Place) -> int | None:
        """The line of a place; of the nearest thing around it when the place itself is missing."""
        for end in range(len(place), -1, -1):
            if (found := self.lines.get(place[:end])) is not None:
                return found
        return None

    def value(self, place: Place) -> str:
        """What stands at a place, short enough to show; ``nothing`` where there is nothing."""
        at: Any = self.values
        for step in place:
            try:
                at = at[step]
            except (KeyError, IndexError, TypeError):
                return "nothing"
        text = "nothing" if at is None else str(at)
        return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - half a line

    def problem(self, place: Place, message: str, fix: str) -> LintProblem:
        """A problem at a place of this file."""
        return LintProblem(self.file, path_of(place), message, fix, self.line(place), self.value(place))


class Unreadable(Exception):
    """The text is not YAML of the kind that is read here."""

    def __init__(self, problem: LintProblem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def path_of(place: Place) -> str:
    """``("rules", 3, "id")`` → ``rules[3].id``; the whole file is ``(file)``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".") or "(file)"


def read(file: str, content: bytes) -> Document:
    """The values of a file. Raises `Unreadable` with line and fix."""
    if len(content) > LARGEST:
        fix = "A policy holds rules and examples; is this the right file?"
        raise Unreadable(LintProblem(file, "(file)", f"larger than {LARGEST} bytes", fix))
    try:
        text = content.decode("utf-8-sig")
        loader = yaml.BaseLoader(text)
        node = loader.get_single_node()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Unreadable(LintProblem(file, "(file)", "not UTF-8", "Save the file as UTF-8.", line)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        fix = "Check indentation, colons and quotes there and on the line before."
        found = LintProblem(file, "(file)", f"not YAML: {what}", fix, mark.line + 1 if mark else None)
        raise Unreadable(found) from None
    except RecursionError:
        raise Unreadable(LintProblem(file, "(file)", "nested too deep", "A policy has some six levels.")) from None
    lines: dict[Place, int] = {}
    reader = _Reader(file, lines)
    values = reader.value(node, ()) if node is not None else None
    if not isinstance(values, dict):
        fix = "Start from mappings/370400/2024/policy.yaml."
        raise Unreadable(LintProblem(file, "(file)", "not a mapping of names to values", fix, 1))
    return Document(file, values, lines)


class _Reader:
    def __init__(self, file: str, lines: dict[Place, int]) -> None:
        self.file, self.lines = file, lines
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if not isinstance(node, yaml.ScalarNode):
            if id(node) in self.seen:  # an alias: the same node a second time, and a file of a thousand could unfold
                raise self.refuse(place, line, "an alias (*name)", "Write the values out.")
            self.seen.add(id(node))
        if not node.tag.startswith(_STANDARD) or node.tag.removeprefix(_STANDARD) not in ("str", "map", "seq"):
            raise self.refuse(place, line, f"the tag {node.tag}", "Remove the tag: plain values are enough.")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*place, number)) for number, each in enumerate(node.value)]
        quoted = isinstance(node, yaml.ScalarNode) and node.style
        return node.value if quoted else plain(node.value)

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, each in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self.refuse(place, line, "a name that is not a word", "Names are plain words.")
            if key.value in values:
                raise self.refuse((*place, key.value), line, "the name a second time", "Keep one of the two.")
            self.lines[(*place, key.value)] = line
            values[key.value] = self.value(each, (*place, key.value))
        return values

    def refuse(self, place: Place, line: int, what: str, fix: str) -> Unreadable:
        return Unreadable(LintProblem(self.file, path_of(place), f"{what} is not read here", fix, line))


def plain(text: str) -> str | int | Decimal | bool | None:
    """What an unquoted word means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
