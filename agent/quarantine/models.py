"""Held things. At most one open item a (kind, key, code); a released one stays, with its date."""

from __future__ import annotations

from django.db import models


class Held(models.Model):
    """Something that waits for a person or for a fix."""

    class What(models.TextChoices):
        COMPLETION = "completion", "结业记录"  # key: the completion's id
        ROW = "row", "来源行"  # a row that a connector refused; key: source and the row's key
        CERTIFICATE = "certificate", "证书"  # an achievement whose certificate can't be made; key: its id

    what = models.CharField(max_length=12, choices=What)
    key = models.CharField(max_length=400)
    source = models.CharField(max_length=100, blank=True, help_text="name of the source it came from")
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict, help_text="what the sentence names; identity numbers masked")
    payload = models.BinaryField(null=True, help_text="the raw row, sealed, for a replay")
    opened_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["what", "key", "code"], condition=models.Q(released_at=None), name="held_once_while_open"
            ),
        ]
        indexes = [
            # what waits by code and age, and what was released lately, are counted from the index alone
            models.Index(
                fields=["source", "code", "opened_at"], condition=models.Q(released_at=None), name="held_open_since"
            ),
            models.Index(
                fields=["released_at"], include=["source", "code"], condition=~models.Q(released_at=None),
                name="held_released",
            ),
            models.Index(fields=["key"], condition=~models.Q(released_at=None), name="held_before"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.code} {self.what} {self.key}"
