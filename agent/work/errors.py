"""What can be wrong with a schedule, a push or the queue."""

# ruff: noqa: E501 - a sentence that a person reads stays on one line

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class ScheduleInvalid(XueshiError):
    """{field} can't be «{value}»: {reason}."""

    code = "E_SCHEDULE"
    fix = 'Give a period such as 15m, 2h or 1d (at least one minute), or a cron line such as "*/15 7-22 * * *" (minute, hour, day, month, day of the week).'


class ZoneUnknown(XueshiError):
    """There is no time zone «{value}»."""

    code = "E_TIME_ZONE"
    fix = "Name it as in Asia/Shanghai or Europe/Berlin."


class JobsStuck(XueshiError):
    """{waiting} jobs wait, the oldest for {minutes} minutes, and {workers} workers are there."""

    code = "E_QUEUE"
    fix = "Start a worker: `xueshi serve --worker` (or `xueshi serve`, which is all in one)."
    exit_code = PERSON_NEEDED


class PushUnset(XueshiError):
    """The source {name} takes no push: no secret was made for it."""

    code = "E_PUSH"
    fix = "Make one: `xueshi source hook {name}`."


class NoticeRefused(XueshiError):
    """{count} notices to learners did not arrive; they are tried again."""

    code = "E_NOTICE_REFUSED"
    fix = "Look whether the mail server (XUESHI_MAIL) and the receiver (XUESHI_NOTICE_WEBHOOK) are there and take what they are sent."
    exit_code = PERSON_NEEDED


class NoticeSecretMissing(XueshiError):
    """XUESHI_NOTICE_WEBHOOK is set, but no XUESHI_NOTICE_SECRET to sign with."""

    code = "E_NOTICE_SECRET"
    fix = "Set XUESHI_NOTICE_SECRET to the secret that the receiver checks signatures with."
