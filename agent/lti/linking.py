"""Who a user of an LMS is here: by the identity number that the sync of the same LMS brought for that account.

Never by a name, and never by what is typed alone: a number that a learner types must agree with what their LMS says of
the account, as far as it says anything, and with the name; it opens no account that has a password.
"""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User
from django.db import connection, transaction

from agent.audit.chain import record
from agent.crypto import vault
from agent.learners.identity import normalise_id
from agent.learners.models import Account, Learner
from agent.localtime import now
from agent.lti.errors import NumberNotFitting, PasswordFirst
from agent.lti.models import Launch, Subject

# A Moodle row's key is «user name|course» (all its routes), and rows are found by source and key: the source's courses,
# jumped over in their index, give the keys, and no row of anybody else is read.
_COURSES = """
WITH RECURSIVE course AS (
    (SELECT course FROM intake_completion WHERE current AND source_id = %(source)s ORDER BY course LIMIT 1)
    UNION ALL
    SELECT (SELECT c.course FROM intake_completion c WHERE c.current AND c.source_id = %(source)s
            AND c.course > course.course ORDER BY c.course LIMIT 1)
    FROM course WHERE course.course IS NOT NULL
)
"""
_NUMBERS = """{courses}
SELECT DISTINCT c.id_fingerprint FROM course
JOIN intake_completion c ON c.source_id = %(source)s AND c.current
    AND c.key = left(%(account)s || '|' || course.course, 300)
WHERE c.account = %(account)s AND c.id_fingerprint IS NOT NULL
UNION
SELECT d.fingerprint FROM matching_decision d
WHERE d.kind = 'same_person' AND d.source_id = %(source)s AND d.account = %(account)s AND d.takes_back_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM matching_decision u WHERE u.takes_back_id = d.id)
""".replace("{courses}", _COURSES)
_UNNUMBERED = """{courses}
SELECT c.id FROM course
JOIN intake_completion c ON c.source_id = %(source)s AND c.current
    AND c.key = left(%(account)s || '|' || course.course, 300)
WHERE c.account = %(account)s AND c.id_fingerprint IS NULL
""".replace("{courses}", _COURSES)
_OTHER_ACCOUNTS = """
SELECT EXISTS (SELECT 1 FROM intake_completion
               WHERE current AND id_fingerprint = %s AND source_id = %s AND account <> %s)
"""


def user_of(launched: Launch) -> User | None:
    """Who came: linked before, or linked now because the sync knows the account's number; None: nobody that we know."""
    known = Subject.objects.select_related("user").filter(platform=launched.platform, subject=launched.subject).first()
    if known:
        if launched.account and launched.account != known.account:
            Subject.objects.filter(pk=known.pk).update(account=launched.account)
        return known.user if known.user.is_active else None
    numbers = _numbers(launched)
    learner = Learner.objects.filter(fingerprint=numbers[0]).first() if len(numbers) == 1 else None
    return _link(launched, learner, "source") if learner else None


def by_number(launched: Launch, typed: str) -> User:
    """Link who came to the person of the number that they typed, once.

    :raises NumberNotFitting: it is no number, nobody's, or not theirs; the answer is the same for each
    :raises PasswordFirst: that person signs in otherwise
    """
    number = normalise_id(typed).number
    fingerprint = vault().fingerprint(number or "")
    learner = Learner.objects.filter(fingerprint=fingerprint).first()
    numbers = _numbers(launched)
    if (
        number is None
        or learner is None
        or learner.name_folded != launched.name_folded
        or (numbers and fingerprint not in numbers)
        or _elsewhere(launched, fingerprint)
    ):
        raise NumberNotFitting
    if any(each.user.has_usable_password() for each in Account.objects.select_related("user").filter(learner=learner)):
        raise PasswordFirst
    return _link(launched, learner, "number")


def learner_of(user: User) -> Learner | None:
    """The learner whose account ``user`` is."""
    found = Account.objects.select_related("learner").filter(user=user).first()
    return found.learner if found else None


def unnumbered_rows(user: User) -> list[int]:
    """Current rows of the LMS accounts that ``user`` came with, whose identity number is missing or useless: theirs all
    the same, though nothing can count before the number is mended.
    """
    found: list[int] = []
    with connection.cursor() as cursor:
        for subject in Subject.objects.select_related("platform").filter(user=user).exclude(account=""):
            cursor.execute(_UNNUMBERED, {"source": subject.platform.source_id, "account": subject.account})
            found += [pk for (pk,) in cursor.fetchall()]
    return found


def _numbers(launched: Launch) -> list[bytes]:
    """The fingerprints that the source's rows, and decisions of people about them, give for the account."""
    if not launched.account:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, {"source": launched.platform.source_id, "account": launched.account})
        return [bytes(found) for (found,) in cursor.fetchall()]


def _elsewhere(launched: Launch, fingerprint: bytes) -> bool:
    """Whether the source knows the number under another account: then this one is somebody else's."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_ACCOUNTS, [fingerprint, launched.platform.source_id, launched.account])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def _link(launched: Launch, learner: Learner, how: str) -> User:
    """An LMS opens learners' pages only: never an account that acts for a body, so that no base's administrator comes
    to act for another.
    """
    Learner.objects.select_for_update().get(pk=learner.pk)  # of two launches at once the second finds the account
    known = Subject.objects.select_related("user").filter(platform=launched.platform, subject=launched.subject).first()
    if known:
        return known.user
    own = Account.objects.select_related("user").filter(learner=learner, user__is_active=True, user__membership=None)
    account = own.order_by("pk").first()
    if account is None:
        user = User.objects.create_user(f"lti-{secrets.token_hex(8)}")
        account = Account.objects.create(user=user, learner=learner)
    Subject.objects.create(
        platform=launched.platform,
        subject=launched.subject,
        user=account.user,
        linked_at=now(),
        how=how,
        account=launched.account,
    )
    record(
        account.user.get_username(), "lti.linked", on=f"learner {learner.pk}",
        after={"source": launched.platform.source.name, "how": how},
    )  # fmt: skip
    return account.user
