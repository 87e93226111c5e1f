"""The tables of the transparency log. Append-only, refused by the database otherwise."""

from __future__ import annotations

from django.db import models


class LogLeaf(models.Model):
    """One step of one certificate, in the order in which it was written down."""

    index = models.BigIntegerField(primary_key=True, help_text="from 0, without gaps")
    event = models.OneToOneField("certificates.CertificateEvent", on_delete=models.PROTECT, related_name="leaf")
    entry = models.TextField(help_text="canonical JSON: what the leaf's hash is made of")

    def __str__(self) -> str:
        return f"{self.index}: {self.entry}"


class LogNode(models.Model):
    """A whole node of the tree, the leaves' hashes too: (level, index) covers leaves from index << level on."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class LogHead(models.Model):
    """A signed tree head, as it was published."""

    size = models.BigIntegerField()
    root = models.BinaryField()
    at = models.DateTimeField()
    jws = models.TextField()

    def __str__(self) -> str:
        return f"{self.size} at {self.at:%Y-%m-%d %H:%M}"
