"""Which column of the report is which: by heading, looked at on every read, for headings can be renamed and moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape

from connectors.errors import ColumnMissing, Malformed

TITLES: Mapping[str, tuple[str, ...]] = {
    "username": ("Username", "用户名"),
    "lastname": ("Last name", "Surname", "姓", "姓氏"),
    "firstname": ("First name", "名", "名字"),
    "course": ("Course short name", "课程简称"),
    "coursename": ("Course full name", "课程全称", "课程全名"),
    "time": ("Time completed", "完成时间", "结业时间"),
    "grade": ("Grade", "成绩", "分数"),
    "status": ("Status", "状态", "选课状态"),
}
"""The columns that are read, with the headings that Moodle gives them. ``column.<name>`` names another."""

REQUIRED = ("username", "lastname", "firstname", "course", "time")

IDENTITY_TITLES = (
    *(
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "公民身份证号码",
        "居民身份证号",
        "身份证",
        "身份证件号码",
        "证件号码",
        "证件号",
    ),
    *("ID card", "ID card number", "Identity card", "Identity number", "National ID", "Citizen ID"),
)
"""Headings (and names of profile fields) that mean an identity number without being told."""

IDNUMBER_TITLES = ("ID number", "编号", "ID号", "ID 号", "学号", "身份编号")
"""The account's own «ID number»: usually a staff number, so it is taken only when a person says so."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column stands; -1 for one that is not there and not needed."""

    headers: tuple[str, ...]
    titles: tuple[str, ...]  # the headers, made unique where two read alike, as keys for the raw row
    identity: int
    username: int
    lastname: int
    firstname: int
    course: int
    time: int
    coursename: int = -1
    grade: int = -1
    status: int = -1

    @property
    def needed(self) -> list[int]:
        """The places that something is read from; the others may hold what they like."""
        places = (self.identity, self.username, self.lastname, self.firstname, self.course, self.time)
        return [at for at in (*places, self.coursename, self.grade, self.status) if at >= 0]


def folded(title: str) -> str:
    """A heading for comparison: without case and surplus blanks."""
    return " ".join(unescape(title).split()).casefold()


def find(headers: Sequence[str], titles: Sequence[str]) -> int:
    """The place of the column that bears one of ``titles``; the earlier title wins; -1 when there is none.

    :raises Malformed: two columns bear it, and nobody knows which is meant
    """
    have = [folded(one) for one in headers]
    for title in map(folded, titles):
        if have.count(title) > 1:
            raise Malformed(what="The report", url="the site", reason=f"two columns are called «{title}»")
        if title in have:
            return have.index(title)
    return -1


def identity_title(headers: Sequence[str]) -> str | None:
    """The heading that usually means an identity number, None when no column bears one."""
    place = find(headers, IDENTITY_TITLES)
    return headers[place] if place >= 0 else None


def locate(headers: Sequence[str], renamed: Mapping[str, str], identity: str) -> Columns:
    """Where each column stands.

    :param renamed: headings that a person gave: ``{"time": "Completion date"}``
    :param identity: the heading of the identity number
    :raises ColumnMissing: a required one is not there
    """
    places = {name: find(headers, (renamed[name],) if name in renamed else titles) for name, titles in TITLES.items()}
    shown = "、".join(headers)
    for name in (*REQUIRED, *renamed):
        if places[name] < 0:
            column = renamed.get(name) or " / ".join(TITLES[name][:2])
            raise ColumnMissing(column=f"«{column}»", headers=shown, name=name)
    place = find(headers, (identity,))
    if place < 0:
        raise ColumnMissing(column=f"«{identity}» (identity number)", headers=shown, name="identity_field")
    return Columns(tuple(headers), _unique(headers), place, **places)


def _unique(headers: Sequence[str]) -> tuple[str, ...]:
    titles: list[str] = []
    for title in headers:
        titles.append(title if title not in titles else f"{title} ({len(titles) + 1})")
    return tuple(titles)
