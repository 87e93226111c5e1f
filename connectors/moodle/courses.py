"""The courses of a site, with their names as they were typed.

Without ``moodlewssettingraw`` a name loses what looks like a tag (``<进阶>``) and has its ``&`` escaped. With it, a
name in several languages comes with all of them marked, and we take the Chinese one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import Malformed
from connectors.moodle.client import COURSES, MoodleClient, text_of, whole_of
from connectors.records import Course

CHINA = ZoneInfo("Asia/Shanghai")
_LANGUAGES = (
    re.compile(r"""<span\b[^>]*?\blang=["']?([\w-]+)[^>]*>(.*?)</span>""", re.IGNORECASE | re.DOTALL),
    re.compile(r"\{mlang\s+([\w-]+)[^}]*\}(.*?)\{mlang\}", re.IGNORECASE | re.DOTALL),
)
_FRONT_PAGE = 1


def in_chinese(name: str) -> str:
    """The Chinese part of a name in several languages (the first, when none is Chinese); any other name as it is."""
    for marks in _LANGUAGES:
        if parts := marks.findall(name):
            chinese = [text for language, text in parts if language.lower().startswith("zh")]
            return str((chinese or [parts[0][1]])[0]).strip()
    return name


def raw_courses(client: MoodleClient) -> list[dict[str, Any]]:
    """All courses that the account sees, hidden ones too, as Moodle tells them; the front page is none.

    :raises Malformed: the answer is no list of courses (which is not the same as «no courses»)
    """
    answer = client.call(COURSES, settings={"raw": "1"})
    found = answer.get("courses") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
        raise Malformed(what=COURSES, url=client.http.url, reason="it has no list of courses")
    return [one for one in found if one["id"] != _FRONT_PAGE and one.get("format") != "site"]


def courses(client: MoodleClient) -> Iterator[Course]:
    """The same as records."""
    for one in raw_courses(client):
        yield Course(
            code=text_of(one.get("shortname")),
            name=in_chinese(text_of(one.get("fullname"))),
            external_id=text_of(one["id"]),
            idnumber=text_of(one.get("idnumber")),
            category=in_chinese(text_of(one.get("categoryname"))),
            starts_on=_local_date(one.get("startdate")),
            visible=whole_of(one.get("visible", 1)) != 0,
        )


def _local_date(seconds: Any) -> date | None:
    """The day in China on which a moment falls; Moodle's 0 means none."""
    whole = whole_of(seconds)
    return datetime.fromtimestamp(whole, CHINA).date() if whole else None
