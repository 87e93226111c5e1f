"""The form's fields as the page draws them: value, what the bureau says of it, what the checks find, and what somebody
else wrote meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from agent.portal import filing_words
from agent.programmes.checks import Rules
from agent.programmes.content import COLUMNS, FIELDS, MOST_ROWS, Typed
from agent.programmes.drafts import bodies
from agent.programmes.findings import Finding
from agent.programmes.models import Mode, Programme

_LONG = ("teachers", "remarks", "audience", "late_reason")
_DAYS = ("starts_on", "ends_on")
_LONGEST = {"title": 200, "audience": 500, "place": 200, "teachers": 4000, "remarks": 4000, "late_reason": 500}
_EMPTY_ROWS = 3


@dataclass(slots=True)
class Field:
    """A field of the form."""

    name: str
    label: str
    kind: str  # text | long | day | choice
    value: str
    hint: str = ""
    longest: int = 100
    options: list[tuple[str, str]] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)  # suggestions
    remark: str = ""
    findings: list[Finding] = field(default_factory=list)
    theirs: str | None = None


def fields(
    typed: Typed, rules: Rules, findings: Sequence[Finding], remarks: Mapping[str, str], theirs: Typed | None = None
) -> list[Field]:
    """The form's fields in order; the timetable is drawn apart."""
    carry_out = bodies()
    names = filing_words.body_names(carry_out)
    made = []
    for name in FIELDS:
        value = str(typed.get(name) or "")
        other = str(theirs.get(name) or "") if theirs is not None else value
        made.append(
            Field(
                name, filing_words.label(name), _kind(name), value, filing_words.hint(name), _LONGEST.get(name, 100),
                options=_options(name, value, carry_out), listed=list(rules.subjects) if name == "subject" else [],
                remark=str(remarks.get(name, "")), findings=[each for each in findings if each.field == name],
                theirs=filing_words.shown(name, {name: other}, names) if other != value else None,
            )
        )  # fmt: skip
    return made


def _kind(name: str) -> str:
    if name in ("category", "mode", "implementer"):
        return "choice"
    return "long" if name in _LONG else "day" if name in _DAYS else "text"


def _options(name: str, value: str, carry_out: Sequence[Any]) -> list[tuple[str, str]]:
    found = {
        "category": [("professional", gettext("专业科目")), ("public", gettext("公需科目"))],
        "mode": [(each, gettext(Mode(each).label)) for each in Mode.values],
        "implementer": [(each.uscc, each.name) for each in carry_out],
    }.get(name, [])
    # what was typed stays to be seen, though there is no such choice
    return found if not value or value in dict(found) or not found else [*found, (value, value)]


def rows(typed: Typed, more: int = 0) -> list[dict[str, str]]:
    """The timetable's rows, and some empty ones to go on in."""
    there = [dict(row) for row in typed["timetable"]]
    empty = min(max(_EMPTY_ROWS, more), MOST_ROWS - len(there))
    return there + [dict.fromkeys(COLUMNS, "") for _ in range(max(empty, 0))]


def sent(post: QueryDict) -> dict[str, Any]:
    """What a form sent, as `content.clean` takes it."""
    columns = [post.getlist(f"t_{name}") for name in COLUMNS]
    timetable = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=False)]
    return {name: post.get(name, "") for name in FIELDS} | {"timetable": timetable}


def years(this: int) -> list[int]:
    """The years that a filing may be begun for."""
    return [this, this + 1]


def as_json(found: Sequence[Finding], *, english: bool) -> list[dict[str, str]]:
    """Findings for the script, in the reader's language."""
    return [
        {
            "field": each.field, "code": each.code, "level": each.level,
            "sentence": each.sentence_en if english else each.sentence_zh,
            "fix": each.fix_en if english else each.fix_zh,
        }
        for each in found
    ]  # fmt: skip


def heading(programme: Programme) -> str:
    """The first line of the form."""
    if programme.filing_number:
        return gettext("变更备案")
    return gettext("填写备案")
