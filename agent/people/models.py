"""Accounts beyond what Django keeps: invitations, second factors, recovery codes, sessions that can be ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from agent.organisations.models import Organisation, Role


class Invitation(models.Model):
    """A way in for somebody who has no account yet. Opens once, until it expires; the link itself is kept nowhere."""

    fingerprint = models.BinaryField(unique=True, help_text="keyed hash of what stands in the link")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=20, choices=Role)
    email = models.EmailField(blank=True)
    invited_by = models.CharField(max_length=150)
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="when it was used or taken back")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.organisation} · {self.role}"


class PasswordReset(models.Model):
    """A link with which somebody who can't get in sets a new password, once; the link itself is kept nowhere."""

    fingerprint = models.BinaryField(unique=True, help_text="keyed hash of what stands in the link")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="password_resets")
    lost_factor = models.BooleanField(help_text="the second factor is lost, too, and set up anew")
    given_by = models.CharField(max_length=150)
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="when it was used, or replaced by another")

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"


class SecondFactor(models.Model):
    """An authenticator application (TOTP, RFC 6238). Counts from when its first code was right."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor")
    sealed = models.BinaryField(help_text="the secret, AES-GCM")
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0, help_text="the period whose code was taken last: each opens once")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """In place of the application, once each."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    fingerprint = models.BinaryField(unique=True, help_text="keyed hash of account and code")
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.user)


class OutsideIdentity(models.Model):
    """Who somebody is for the house's OpenID provider. Made by who has signed in here already, never by an address."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_identity")
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="outside_identity_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class Presence(models.Model):
    """A session that somebody signed in with, so that they can see and end it."""

    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presences")
    began_at = models.DateTimeField()
    place = models.CharField(max_length=60, help_text="the address it came from")
    agent = models.CharField(max_length=200, help_text="what the browser calls itself")

    def __str__(self) -> str:
        return f"{self.user} since {self.began_at:%Y-%m-%d %H:%M}"
