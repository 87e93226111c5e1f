"""What Moodle's errors mean: one table, by ``errorcode`` alone (class names differ by version, messages by language).

What to do is the error's own: ``retry`` is asked again by the session, `NothingThere` is skipped and counted by the
route, `CallInvalid` and `UnknownAnswer` are ours to mend, everything else is a person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import (
    AccessRefused,
    AccountSuspended,
    Busy,
    CallInvalid,
    CapabilityMissing,
    ConnectorError,
    Maintenance,
    NothingThere,
    RecordMissing,
    Refused,
    ReportMissing,
    TokenExpired,
    TokenInvalid,
    UnknownAnswer,
)

ERRORCODES: Mapping[str, type[ConnectorError]] = {
    # asked again
    "ex_unabletolock": Busy,  # cold caches and parallel calls
    "dmlreadexception": Busy,
    "dmltransactionexception": Busy,
    "dbconnectionfailed": Busy,
    "sitemaintenance": Maintenance,
    "upgraderunning": Maintenance,
    # the configuration is a person's to mend
    "invalidtoken": TokenInvalid,
    "invalidtimedtoken": TokenExpired,
    "accessexception": AccessRefused,  # six causes; `MoodleClient` finds out which
    "servicenotavailable": AccessRefused,
    "enablewsdescription": Refused,
    "wsaccessuserdeleted": AccountSuspended,
    "wsaccessuserexpired": AccountSuspended,
    "wsaccessusernologin": AccountSuspended,
    "wsaccessusersuspended": AccountSuspended,
    "wsaccessuserunconfirmed": AccountSuspended,
    "forcepasswordchangenotice": AccountSuspended,
    "sitepolicynotagreed": AccountSuspended,
    "usernotfullysetup": AccountSuspended,
    "nopermissions": CapabilityMissing,
    "nopermission": CapabilityMissing,
    "requireloginerror": CapabilityMissing,  # a course that the account may not enter
    "errorcoursecontextnotvalid": CapabilityMissing,
    "cannotviewreport": CapabilityMissing,  # or completion is switched off there: the route knows the course
    "errorreportview": ReportMissing,  # not in the report's audience
    # one row says nothing
    "usernotenroled": NothingThere,  # not enrolled, suspended, or unenrolled after completing
    "nocriteriaset": NothingThere,
    "userdeleted": NothingThere,
    # an id or a function that the site does not have
    "invalidrecord": RecordMissing,
    "invalidrecordunknown": RecordMissing,
    # ours
    "invalidparameter": CallInvalid,
}

CAPABILITY: Mapping[str, str] = {
    "core_course_get_courses_by_field": "moodle/course:view and moodle/course:viewhiddencourses",
    "core_enrol_get_enrolled_users": "moodle/course:view, moodle/course:viewparticipants and moodle/user:viewdetails",
    "core_completion_get_course_completion_status": "moodle/course:view and report/completion:view",
    "core_user_get_users_by_field": "moodle/user:viewdetails and moodle/user:viewalldetails",
    **dict.fromkeys(
        ("local_xueshi_get_completions", "local_xueshi_get_digest", "local_xueshi_get_changes"), "local/xueshi:read"
    ),
}
"""The rights that a function needs beyond ``webservice/rest:use``."""


def error_for(errorcode: str, function: str, url: str) -> ConnectorError:
    """The error that ``errorcode`` stands for, as answered to a call of ``function``."""
    return ERRORCODES.get(errorcode, UnknownAnswer)(
        url=url,
        function=function,
        errorcode=errorcode,
        reason=errorcode,
        status=errorcode,
        capability=CAPABILITY.get(function, "of this function"),
        report="",
    )


def errorcode_of(answer: Any) -> str:
    """The errorcode of an answer that is an error, "" for any other."""
    if isinstance(answer, dict) and "errorcode" in answer and ("exception" in answer or "error" in answer):
        return str(answer["errorcode"])[:80]
    return ""
