"""What can go wrong with mappings. People at a page read the Chinese sentences of `agent.portal.mapping_words`."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class CourseUnknown(XueshiError):
    """No completion of the source {source} names a course «{course}»."""

    code = "E_COURSE_UNKNOWN"
    fix = "See `xueshi mapping courses {source}`."


class LinkUnknown(XueshiError):
    """There is no mapping number {number} that is in force."""

    code = "E_LINK_UNKNOWN"
    fix = "See `xueshi mapping courses SOURCE --json` for the numbers."


class LinkDates(XueshiError):
    """The dates {valid_from} to {valid_to} are no dates of a mapping to «{programme}» ({starts_on} to {ends_on})."""

    code = "E_LINK_DATES"
    fix = "The first day may not lie behind the last, and some day must lie within the programme as filed."


class LinkOverlaps(XueshiError):
    """The course «{course}» is mapped to «{programme}» from {valid_from} to {valid_to} already: on a day it is one."""

    code = "E_LINK_OVERLAPS"
    fix = "Choose days outside of these, or withdraw that mapping first: xueshi mapping unlink {number} --reason …"


class ProgrammeNotOpen(XueshiError):
    """The programme «{programme}» is {state}: no course can be mapped to it."""

    code = "E_LINK_PROGRAMME"
    fix = "Map to a programme that is filed, or on its way there."


class ReasonMissing(XueshiError):
    """A decision needs its reason."""

    code = "E_REASON"
    fix = "Say in a few words why; it is kept with the decision."


class StagesBusy(XueshiError):
    """The stages are at work now, and a trial has to wait for them."""

    code = "E_STAGES_BUSY"
    fix = "Try again in a minute. Nothing was changed."
    exit_code = PERSON_NEEDED
