"""LMSs that may launch us, launches on their way, and who each LMS's user is here."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from agent.intake.models import Source


class Platform(models.Model):
    """An LMS that was registered: the one of a source."""

    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="platform")
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=255)
    deployments = ArrayField(models.CharField(max_length=255), help_text="those that may launch us")
    auth_url = models.CharField(max_length=1000)
    jwks_url = models.CharField(max_length=1000)
    jwks = models.JSONField(null=True, help_text="its public keys, as they were fetched last")
    jwks_at = models.DateTimeField(null=True, help_text="when they were asked for, in vain too")
    registered_by = models.CharField(max_length=150)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [
            # one that was switched off has no client id any more
            models.UniqueConstraint(
                fields=["issuer", "client_id"], condition=~models.Q(client_id=""), name="lti_platform_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.issuer})"


class Registration(models.Model):
    """A link with which an LMS registers itself, once; the link itself is kept nowhere."""

    fingerprint = models.BinaryField(unique=True, help_text="keyed hash of what stands in the link")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.source} until {self.expires_at:%Y-%m-%d %H:%M}"


class Launch(models.Model):
    """One launch: begun (state and nonce given out), launched (the LMS's word was good), opened. Each step once."""

    state = models.BinaryField(unique=True, help_text="keyed hash")
    nonce = models.BinaryField(help_text="keyed hash")
    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(db_index=True)
    launched_at = models.DateTimeField(null=True)
    ticket = models.BinaryField(unique=True, null=True, help_text="keyed hash of what opens it")
    opened_at = models.DateTimeField(null=True)
    subject = models.CharField(max_length=255, blank=True)
    account = models.CharField(max_length=255, blank=True, help_text="the LMS's user name")
    name_folded = models.CharField(max_length=200, blank=True, help_text="for comparison only")
    after = models.CharField(max_length=60, blank=True, help_text="the page that was asked for")

    def __str__(self) -> str:
        return f"{self.platform_id} {self.began_at:%Y-%m-%d %H:%M:%S}"


class Subject(models.Model):
    """Who a user of an LMS is here. By the LMS's own user id, never by a name."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="subjects")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lti_subjects")
    account = models.CharField(max_length=255, blank=True, help_text="the LMS's user name, as it said last")
    linked_at = models.DateTimeField()
    how = models.CharField(max_length=8, help_text="source: the sync knows the account; number: it was typed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "subject"], name="lti_subject_once")]

    def __str__(self) -> str:
        return f"{self.platform_id}/{self.subject}"


class ToolKey(models.Model):
    """The key that signs what we tell an LMS (deep links). The newest signs; all are published."""

    kid = models.CharField(max_length=64, unique=True)
    sealed = models.BinaryField(help_text="PEM, AES-GCM")
    public = models.JSONField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kid
