"""Bodies and their people. Every other row of the house belongs to an organisation."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import ValidationError as StdnumError

from agent.organisations.rights import Kind, Role

__all__ = ["Kind", "Membership", "Organisation", "Role", "check_uscc"]


def check_uscc(value: str) -> None:
    """Refuse what is no unified social credit code (GB 32100: 18 characters, check character)."""
    try:
        stdnum_uscc.validate(value)
    except StdnumError:
        raise ValidationError("«%(value)s» 不是有效的统一社会信用代码", params={"value": value}) from None


class Organisation(models.Model):
    """A body known by its unified social credit code."""

    uscc = models.CharField(max_length=18, unique=True, validators=[check_uscc])
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=200)
    region = models.CharField(max_length=6, help_text="administrative division, e.g. 370400")
    issuer_number = models.PositiveSmallIntegerField(help_text="the four digits of the issuer in certificate numbers")
    status_until = models.DateField(null=True, blank=True, help_text="a base's status ends on this day")
    department = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="bases",
        help_text="the sector department that a base works for",
    )  # fmt: skip
    revision = models.PositiveIntegerField(
        default=1, help_text="goes up with every edit: two editors notice each other"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "issuer_number"], name="issuer_number_once_a_region"),
            models.CheckConstraint(condition=models.Q(issuer_number__range=(1, 9999)), name="issuer_number_4_digits"),
            models.CheckConstraint(
                condition=models.Q(department=None) | models.Q(kind=Kind.TRAINING_BASE), name="only_bases_work_for"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person who acts for a body."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.organisation}"
