"""What can go wrong with the rules of hours: a policy that is missing or wrong, an achievement nobody can judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.errors import XueshiError


class PolicyMissing(XueshiError):
    """There is no policy of region {region} for the year {year} (looked for {file}; known: {known})."""

    code = "E_POLICY_MISSING"
    fix = "Put the file there, or set XUESHI_MAPPINGS to the folder that holds {region}/{year}/policy.yaml."


class PolicyInvalid(XueshiError):
    """{file}, line {line}, {path}: {reason} (it says {value})."""

    code = "E_POLICY_INVALID"
    fix = "{how} `xueshi mapping lint` shows every problem of the file."


class RuleUnknown(XueshiError):
    """The policy {version} has no rule {rule}."""

    code = "E_RULE_UNKNOWN"
    fix = "Its rules are: {known}."


class AchievementInvalid(XueshiError, ValueError):
    """The achievement {id} can't be judged: {reason}."""

    code = "E_ACHIEVEMENT_INVALID"
    fix = "Rows like this belong into quarantine before hours are reckoned; correct the row at its source."


class YearInvalid(XueshiError):
    """{file}, {path}: {reason} (it says {value})."""

    code = "E_YEAR_INVALID"
    fix = "{how}"
    problems: Sequence[Mapping[str, str]] = ()


class YearUnreadable(XueshiError):
    """{file} is not JSON: {reason}."""

    code = "E_YEAR_UNREADABLE"
    fix = "Write one learner's year as a JSON object (UTF-8), many as one line each; see `xueshi credit schema`."


class EvidenceUsed(XueshiError):
    """{path}: this evidence proves something of line {line} already."""

    code = "E_EVIDENCE_USED"
    fix = "A file is used once in the whole system: keep it where it belongs, and remove it from the other line."


class YearsTooMany(XueshiError):
    """{file} is larger than {most} MB, and can't be read at once."""

    code = "E_YEARS_TOO_MANY"
    fix = "Write one learner a line (JSON lines): they are read one after another, as many as there are."


class ReasonMissing(XueshiError):
    """Nothing says why the hours of a year are to be judged again."""

    code = "E_REASON_MISSING"
    fix = "Add --reason: it is kept with the batch, and everybody whose hours change may ask."
