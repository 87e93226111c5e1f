"""The second factor: a code of 30 seconds from an application, or a recovery code, each of which opens once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef

from agent.audit.chain import record
from agent.crypto import vault
from agent.localtime import now
from agent.organisations.models import Membership
from agent.organisations.rights import DECIDING
from agent.people.models import RecoveryCode, SecondFactor

if TYPE_CHECKING:
    from django.db.models import QuerySet

_PURPOSE = b"second factor"
_PERIOD = 30
_DRIFT = 1
"""Periods that a telephone's clock may be wrong, before and after."""
_CODES = 10
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # nothing that is taken for something else
_HALF = 5


def needs(user: User) -> bool:
    """Whether a password alone must not open this account: it decides something."""
    return Membership.objects.filter(user=user, role__in=DECIDING).exists()


def has(user: User) -> bool:
    """Whether the account has a second factor that was confirmed."""
    return SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).exists()


def owed() -> QuerySet[User]:
    """The open accounts that `needs` one and have none yet, each once."""
    decides = Membership.objects.filter(user=OuterRef("pk"), role__in=DECIDING)
    return User.objects.filter(Exists(decides), is_active=True).exclude(Exists(sure_of("pk")))


def sure_of(user: str) -> QuerySet[SecondFactor]:
    """The confirmed second factor of an outer query's ``user``."""
    return SecondFactor.objects.filter(user=OuterRef(user)).exclude(confirmed_at=None)


def begin(user: User) -> str:
    """The secret (base 32) for an application; the same until it is confirmed."""
    import pyotp  # noqa: PLC0415 - only who signs in pays for it

    factor, made = SecondFactor.objects.get_or_create(user=user, defaults={"sealed": _sealed(pyotp.random_base32())})
    if not made and factor.confirmed_at:
        msg = "a confirmed second factor is taken away first"
        raise ValueError(msg)
    return _secret(factor)


def address(user: User, secret: str) -> str:
    """What stands in the QR code for an application."""
    import pyotp  # noqa: PLC0415

    return pyotp.TOTP(secret).provisioning_uri(name=user.get_username(), issuer_name="xueshi")


@transaction.atomic
def confirm(user: User, code: str) -> list[str] | None:
    """Take the application into use when its ``code`` is right; ten recovery codes, shown now and never again."""
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if factor is None or not _right(factor, code):
        return None
    factor.confirmed_at = now()
    factor.save(update_fields=["confirmed_at", "last_step"])
    codes = _new_codes(user)
    record(user.get_username(), "second_factor.confirmed", on=f"account {user.get_username()}")
    return codes


@transaction.atomic
def opens(user: User, code: str) -> bool:
    """Whether ``code`` is the application's now, or an unused recovery code; either is used up by that."""
    factor = SecondFactor.objects.select_for_update().filter(user=user).exclude(confirmed_at=None).first()
    if factor is None:
        return False
    if _right(factor, code):
        factor.save(update_fields=["last_step"])
        return True
    used = RecoveryCode.objects.filter(user=user, fingerprint=_fingerprint(user, code), used_at=None)
    if not used.update(used_at=now()):
        return False
    record(user.get_username(), "recovery_code.used", on=f"account {user.get_username()}")
    return True


@transaction.atomic
def renew_codes(user: User) -> list[str]:
    """Ten recovery codes in place of those that there were."""
    SecondFactor.objects.select_for_update().filter(user=user).first()
    codes = _new_codes(user)
    record(user.get_username(), "recovery_codes.renewed", on=f"account {user.get_username()}")
    return codes


@transaction.atomic
def take_away(user: User, *, by: str) -> bool:
    """For who lost the telephone and the codes: the next sign-in sets up another. Whether there was one."""
    gone, _ = SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    if gone:
        record(by, "second_factor.taken_away", on=f"account {user.get_username()}")
    return bool(gone)


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def _right(factor: SecondFactor, code: str) -> bool:
    import pyotp  # noqa: PLC0415

    text = "".join(code.split())
    if not (text.isascii() and text.isdigit()):
        return False
    application, step = pyotp.TOTP(_secret(factor)), int(now().timestamp()) // _PERIOD
    for at in range(step - _DRIFT, step + _DRIFT + 1):
        if at > factor.last_step and secrets.compare_digest(application.generate_otp(at), text):
            factor.last_step = at
            return True
    return False


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [_some() for _ in range(_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, fingerprint=_fingerprint(user, code)) for code in codes)
    return codes


def _some() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(2 * _HALF)]
    return "".join(letters[:_HALF]) + "-" + "".join(letters[_HALF:])


def _fingerprint(user: User, code: str) -> bytes:
    bare = "".join(c for c in code.upper() if c.isalnum())
    return vault().fingerprint(f"recovery\n{user.pk}\n{bare}")


def _sealed(secret: str) -> bytes:
    return vault().seal(secret.encode(), _PURPOSE)


def _secret(factor: SecondFactor) -> str:
    return vault().open(bytes(factor.sealed), _PURPOSE).decode()
