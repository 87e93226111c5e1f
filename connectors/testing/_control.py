"""The switches over HTTP, for a fake Moodle that runs as a process of its own.

GET    /_fake/faults   what is on, and the kinds that there are
POST   /_fake/faults   {"kind": "slow", "seconds": 2, "function": …, "times": …, "after": …} or a list of such
DELETE /_fake/faults   all off; with {"kind": …} that kind
GET    /_fake/calls    how often each function was called
DELETE /_fake/calls    count anew
GET    /_fake/state    rows, the filter that is set, the version of the data
POST   /_fake/change   {"do": "remove_row", "user": "xy00001", "course": "AQSC"}, any change of `Site`
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from connectors.testing._faults import KINDS

if TYPE_CHECKING:  # the fake hands itself over
    from connectors.testing.fake_moodle import FakeMoodle

CHANGES = frozenset(
    {
        *("add_row", "change_row", "remove_row", "unenrol", "suspend_enrolment"),
        *("add_user", "change_user", "suspend_user", "delete_user", "change_course", "renew_token"),
        *("rename_user", "rename_course", "delete_course", "prepare", "trim_log"),
    }
)


def control(moodle: FakeMoodle, method: str, path: str, said: Any) -> dict[str, Any]:
    """Do what was ``said``, and tell how things stand.

    :raises ValueError: an unknown path, kind, option or change
    """
    match method, path:
        case "GET", "/_fake/faults":
            pass
        case "POST", "/_fake/faults":
            for fault in said if isinstance(said, list) else [said]:
                moodle.faults.add(**fault)
        case "DELETE", "/_fake/faults":
            moodle.clear_faults(said.get("kind"))
        case "GET", "/_fake/calls":
            return {"calls": Counter(moodle.calls), "total": len(moodle.calls)}
        case "DELETE", "/_fake/calls":
            moodle.questions.clear()
        case "GET", "/_fake/state":
            return {"rows": len(moodle.rows), "filters": moodle.filters, "version": moodle.version}
        case "POST", "/_fake/change":
            change = said.pop("do", None)
            if change not in CHANGES:
                raise ValueError(f"unknown change {change!r}; known: {', '.join(sorted(CHANGES))}")
            getattr(moodle, change)(**said)
        case _:
            raise ValueError(f"nothing to {method} at {path}")
    return {"faults": moodle.faults.listed(), "kinds": {name: kind.does for name, kind in KINDS.items()}}
