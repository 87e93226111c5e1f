"""Which keys ever signed here, and when one stopped being trusted. Public halves only. Append-only."""

from __future__ import annotations

from django.db import models


class PublishedKey(models.Model):
    """A key that signs, or signed. It stays in the DID document, so what it signed stays verifiable."""

    kid = models.CharField(max_length=43, primary_key=True, help_text="JWK thumbprint (RFC 7638)")
    certificates = models.TextField(help_text="PEM: the key's own, then what stands above it, nearest first")
    private_ca = models.BooleanField()
    multikey = models.CharField(max_length=60, blank=True, help_text="Ed25519 of Data Integrity proofs; may be none")
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kid


class KeyRetirement(models.Model):
    """From ``until`` on, a key's signatures are not ours any more. The latest row of a key counts."""

    key = models.ForeignKey(PublishedKey, on_delete=models.PROTECT, related_name="retirements")
    until = models.DateTimeField()
    compromised = models.BooleanField(default=False, help_text="somebody else may have it: not in the DID document")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key_id} {self.until:%Y-%m-%d}"
