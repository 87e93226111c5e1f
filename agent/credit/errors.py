"""What can go wrong with the rules of hours: a policy that is missing or wrong, an achievement nobody can judge."""

from __future__ import annotations

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
