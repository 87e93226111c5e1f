"""The shapes of Moodle's answers, field by field in the recorded order, filled from the site's facts."""

from __future__ import annotations

from typing import Any

from connectors.testing._site import Enrolment, Person, Site, Taught

_STARTED = 1704038400  # 2024-01-01 in Asia/Shanghai, when every recorded course begins
_COURSES_MADE = 1795464619


def here(value: Any, url: str) -> Any:
    """``value`` with the site's own address filled in wherever Moodle names itself."""
    if isinstance(value, str):
        return value.replace("{site}", url)
    if isinstance(value, list):
        return [here(one, url) for one in value]
    if isinstance(value, dict):
        return {key: here(one, url) for key, one in value.items()}
    return value


def listed_course(course: Taught, naming: str) -> dict[str, Any]:
    """A course as core_course_get_courses lists it."""
    return {
        "id": course.id,
        "shortname": course.shortname,
        "categoryid": course.category,
        "fullname": course.names[naming],
        "displayname": course.names[naming],
        "summary": _summary(course),
        "summaryformat": 1,
        "format": "topics",
        "startdate": _STARTED,
        "enddate": 0,
        "showactivitydates": False,
        "showcompletionconditions": True,
    }


def found_course(course: Taught, naming: str, facts: dict[str, Any]) -> dict[str, Any]:
    """A course as core_course_get_courses_by_field finds it."""
    return {
        "id": course.id,
        "fullname": course.names[naming],
        "displayname": course.names[naming],
        "shortname": course.shortname,
        "courseimage": _image(course),
        "categoryid": course.category,
        "categoryname": next(one["name"] for one in facts["categories"] if one["id"] == course.category),
        "sortorder": course.sortorder,
        "summary": _summary(course),
        "summaryformat": 1,
        "summaryfiles": [],
        "overviewfiles": [],
        "showactivitydates": False,
        "showcompletionconditions": True,
        "contacts": [],
        "enrollmentmethods": ["manual"],
        "format": "topics",
        "showgrades": 1,
        "newsitems": 0,
        "startdate": _STARTED,
        **dict.fromkeys(("enddate", "maxbytes", "showreports"), 0),
        "visible": int(course.visible),
        **dict.fromkeys(("groupmode", "groupmodeforce", "defaultgroupingid"), 0),
        "enablecompletion": int(course.completion),
        "completionnotify": 0,
        "lang": "",
        "theme": "",
        "marker": 0,
        "filters": [{"filter": name, "localstate": 0, "inheritedstate": 1} for name in facts["course_filters"]],
        "courseformatoptions": facts["course_format_options"],
    }


def user(person: Person, facts: dict[str, Any]) -> dict[str, Any]:
    """An account as core_user_get_users_by_field finds it. Empty identity fields are left out, as Moodle does."""
    return {
        "id": person.id,
        # deleting an account puts its address and the time into its user name
        "username": f"{person.username}@example.test.1795464755" if person.deleted else person.username,
        **_names(person),
        "department": "",
        **_idnumber(person),
        "firstaccess": person.seen[0],
        "lastaccess": person.seen[1],
        "auth": "manual",
        "suspended": person.suspended,
        "confirmed": True,
        "lang": "en",
        "theme": "",
        "timezone": "99",
        "mailformat": 1,
        "trackforums": 0,
        "city": facts["city"],
        "country": "CN",
        **_pictures(),
        **_customfields(person, display=True),
    }


def enrolled_user(person: Person, site: Site, fields: set[str] | None) -> dict[str, Any]:
    """An account as core_enrol_get_enrolled_users lists it; ``fields`` (userfields) leaves only those, id and name."""
    whole = {
        "id": person.id,
        "username": person.username,
        **_names(person),
        "department": "",
        **_idnumber(person),
        "firstaccess": person.seen[0],
        "lastaccess": person.seen[1],
        "lastcourseaccess": 0,
        "city": site.facts["city"],
        "country": "CN",
        **_pictures(),
        **_customfields(person, display=False),
    }
    if fields is not None:
        return {key: value for key, value in whole.items() if key in fields or key in {"id", "fullname"}}
    own = [site.courses[one.course] for one in site.enrolments_of(person.username) if one.active]
    whole["roles"] = [{"roleid": 5, "name": "", "shortname": "student", "sortorder": 0}]
    whole["enrolledcourses"] = [
        {"id": one.id, "fullname": one.names["filtered"], "shortname": one.shortname} for one in own if one.visible
    ]
    return whole


def users_course(enrolment: Enrolment, site: Site, naming: str) -> dict[str, Any]:
    """A course as core_enrol_get_users_courses lists it for a person: completed or not, and never when."""
    course = site.courses[enrolment.course]
    completed = enrolment.time is not None
    return {
        "id": course.id,
        "shortname": course.shortname,
        "fullname": course.names[naming],
        "displayname": course.names[naming],
        "enrolledusercount": len(site.members(course.shortname)),
        "idnumber": course.idnumber,
        "visible": int(course.visible),
        "summary": _summary(course),
        "summaryformat": 1,
        "format": "topics",
        "courseimage": _image(course),
        "showgrades": True,
        "lang": "",
        "enablecompletion": course.completion,
        "completionhascriteria": course.criteria,
        "completionusertracked": course.completion,
        "category": course.category,
        "progress": (100 if completed else 0) if course.criteria else None,
        "completed": completed if course.completion else None,
        "startdate": _STARTED,
        "enddate": 0,
        "marker": 0,
        "lastaccess": None,
        "isfavourite": False,
        "hidden": False,
        "overviewfiles": [],
        "showactivitydates": False,
        "showcompletionconditions": True,
        "timemodified": _COURSES_MADE + (course.id >= 10),  # noqa: PLR2004 - the later ones took a second more
    }


def completion_status(enrolment: Enrolment, course: Taught) -> dict[str, Any]:
    """Completed or not; a time stands only beside a criterion that was met, none for the course."""
    met = enrolment.by_criteria and enrolment.time is not None
    activities = (("page", "第一讲"), ("assign", "结业考核"))
    criteria = [
        {
            "type": 4,
            "title": "Activity completion",
            "status": "Yes" if met else "No",
            "complete": met,
            "timecompleted": enrolment.time if met else None,
            "details": {
                "type": "Activity completion",
                "criteria": f'<a href="{{site}}/mod/{kind}/view.php?id={2 * course.id - 3 + place}">{name}</a>',
                "requirement": "Marking yourself complete",
                "status": "",
            },
        }
        for place, (kind, name) in enumerate(activities)
    ]
    status = {"completed": enrolment.time is not None, "aggregation": 1, "completions": criteria}
    return {"completionstatus": status, "warnings": []}


def _names(person: Person) -> dict[str, str]:
    return {"firstname": person.given, "lastname": person.family, "fullname": f"{person.given} {person.family}"}


def _idnumber(person: Person) -> dict[str, str]:
    return {"idnumber": person.idnumber} if person.idnumber else {}


def _customfields(person: Person, *, display: bool) -> dict[str, Any]:
    fields = [(person.sfzh, "身份证号", "sfzh"), (person.employer, "单位名称", "dwmc")]
    shown = [
        {
            "type": "text",
            "value": value,
            **({"displayvalue": value} if display else {}),
            "name": name,
            "shortname": short,
        }
        for value, name, short in fields
        if value
    ]
    return {"customfields": shown} if shown else {}


def _pictures() -> dict[str, str]:
    picture = "{site}/theme/image.php/boost/core/1795467532/u/f"
    return {"profileimageurlsmall": picture + "2", "profileimageurl": picture + "1"}


def _summary(course: Taught) -> str:
    return f"<p>{course.shortname} 学时：{course.hours}</p>"


def _image(course: Taught) -> str:
    return f"{{site}}/pluginfile.php/{course.context}/course/generated/course.svg"
