"""Registering an LMS, by the link that it opens itself (LTI dynamic registration 1.0) or by two values that it shows.

Whose LMS it is, is not taken from it: everything must lie at the source's own address.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet

from agent.audit.chain import record
from agent.crypto import vault
from agent.intake.drafts import origin
from agent.intake.models import Source
from agent.localtime import now
from agent.lti.errors import PlatformSilent, RegistrationInvalid, RegistrationOver
from agent.lti.keys import LIMITS
from agent.lti.models import Platform, Registration, Subject
from connectors.errors import ConnectorError
from connectors.http import HttpSession

FOR = timedelta(hours=2)
_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_MOODLE_AUTH, _MOODLE_JWKS = "/mod/lti/auth.php", "/mod/lti/certs.php"
_LONGEST = 255


class Addresses(NamedTuple):
    """Ours, as an LMS needs them."""

    login: str
    launch: str
    certificates: str
    jwks: str


class Texts(NamedTuple):
    """How the tool is called there."""

    name: str
    certificates: str
    description: str


def take(source: Source, *, client: str, deployment: str, by: str) -> Platform:
    """Register Moodle by hand: the two values that it shows; its addresses follow from the source's own.

    :raises RegistrationInvalid: one of them can't be right
    """
    for field, value in (("client_id", client), ("deployment_id", deployment)):
        if not value or len(value) > _LONGEST or not value.isprintable() or " " in value:
            raise RegistrationInvalid(field=field, reason="it is empty, or no such value")
    url = source.url.rstrip("/")
    return _save(
        source, issuer=url, client=client, deployment=deployment, auth_url=url + _MOODLE_AUTH,
        jwks_url=url + _MOODLE_JWKS, by=by,
    )  # fmt: skip


@transaction.atomic
def forget(source: Source, *, by: str) -> None:
    """The LMS launches us no more. Who was linked stays known, should it be registered again."""
    if Platform.objects.filter(source=source).exclude(client_id="").update(client_id="", deployments=[]):
        record(by, "lti.forgotten", on=f"source {source.name}", organisation=source.organisation)


@transaction.atomic
def offer(source: Source, *, by: str) -> str:
    """What stands in a link with which the LMS registers itself, once; an older one opens no more."""
    token = secrets.token_urlsafe(32)
    Registration.objects.filter(source=source).delete()
    Registration.objects.create(fingerprint=_mark(token), source=source, by=by, expires_at=now() + FOR)
    return token


def find(token: str) -> Registration:
    """The registration of a link that still opens.

    :raises RegistrationOver: it doesn't
    """
    found = Registration.objects.select_related("source__organisation").filter(
        fingerprint=_mark(token), ended_at=None, expires_at__gt=now()
    )  # fmt: skip
    offered = found.first()
    if offered is None:
        raise RegistrationOver
    return offered


def register(token: str, configuration: str, bearer: str, ours: Addresses, texts: Texts) -> Platform:
    """The LMS opened the link: read what it says of itself, tell it of us, and keep what it answers.

    :param configuration: where it says it; ``bearer`` is its word that we may register
    :raises RegistrationOver: the link opens no more
    :raises RegistrationInvalid: something lies elsewhere than the source
    :raises PlatformSilent: it does not answer, or refuses us
    """
    offered = find(token)
    source = offered.source
    _at_home(source, "openid_configuration", configuration)
    said = _asked(source, configuration)
    issuer = str(said.get("issuer", "")).rstrip("/")
    for field, value in (
        ("issuer", issuer), *((name, str(said.get(name, ""))) for name in
        ("authorization_endpoint", "jwks_uri", "registration_endpoint")),
    ):  # fmt: skip
        _at_home(source, field, value)
    if not Registration.objects.filter(pk=offered.pk, ended_at=None).update(ended_at=now()):
        raise RegistrationOver
    answer = _asked(source, str(said["registration_endpoint"]), _about_us(ours, texts), bearer)
    client, tool = answer.get("client_id"), answer.get(_TOOL)
    deployment = tool.get("deployment_id") if isinstance(tool, dict) else None
    if not client or not deployment:
        raise PlatformSilent(reason="it gave no client id, or no deployment id")
    return _save(
        source, issuer=issuer, client=str(client)[:_LONGEST], deployment=str(deployment)[:_LONGEST],
        auth_url=str(said["authorization_endpoint"]), jwks_url=str(said["jwks_uri"]), by=offered.by,
    )  # fmt: skip


def of(source: Source) -> Platform | None:
    """The LMS of ``source``, if it is registered."""
    return _registered().filter(source=source).first()


def _registered() -> QuerySet[Platform]:
    return Platform.objects.exclude(client_id="")


def _about_us(ours: Addresses, texts: Texts) -> dict[str, Any]:
    host = urlsplit(ours.launch).netloc
    pages = ((texts.name, ours.launch), (texts.certificates, ours.certificates))
    return {
        "application_type": "web", "response_types": ["id_token"], "grant_types": ["implicit", "client_credentials"],
        "client_name": texts.name, "initiate_login_uri": ours.login, "redirect_uris": [ours.launch],
        "jwks_uri": ours.jwks, "token_endpoint_auth_method": "private_key_jwt", "scope": "",
        _TOOL: {
            "domain": host, "target_link_uri": ours.launch, "description": texts.description,
            "claims": ["iss", "sub", "name", "given_name", "family_name"],
            "messages": [
                {"type": "LtiDeepLinkingRequest", "target_link_uri": ours.launch, "label": texts.name},
                *({"type": "LtiResourceLinkRequest", "target_link_uri": url, "label": label} for label, url in pages),
            ],
        },
    }  # fmt: skip


def _at_home(source: Source, field: str, url: str) -> None:
    try:
        there = origin(url) == origin(source.url) and urlsplit(url).username is None
    except ValueError:
        there = False
    if not there:
        raise RegistrationInvalid(field=field, reason=f"it is not at {source.url}")


def _asked(source: Source, url: str, body: dict[str, Any] | None = None, bearer: str = "") -> dict[str, Any]:
    parts = urlsplit(url)
    session = HttpSession(
        parts._replace(query="", fragment="").geturl(), allow_private=source.allow_private, limits=LIMITS
    )
    query = f"?{parts.query}" if parts.query else ""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        if body is None:
            answer = session.get(query, [], lambda _: None)
        else:
            answer = session.post_json(query, body, lambda _: None, headers=lambda: headers)
    except ConnectorError as error:
        raise PlatformSilent(reason=error.code) from None
    finally:
        session.close()
    if not isinstance(answer, dict):
        raise PlatformSilent(reason="its answer is no object")
    return answer


@transaction.atomic
def _save(
    source: Source, *, issuer: str, client: str, deployment: str, auth_url: str, jwks_url: str, by: str
) -> Platform:
    taken = Platform.objects.filter(issuer=issuer, client_id=client).exclude(source=source)
    if taken.exists():
        raise RegistrationInvalid(field="client_id", reason="another source is registered with it")
    said = {
        "issuer": issuer, "client_id": client, "deployments": [deployment], "auth_url": auth_url, "jwks_url": jwks_url,
        "jwks": None, "jwks_at": None, "registered_by": by[:150], "registered_at": now(),
    }  # fmt: skip
    # another LMS has other people under the same numbers
    Subject.objects.filter(platform__source=source).exclude(platform__issuer=issuer).delete()
    made, _ = Platform.objects.update_or_create(source=source, defaults=said)
    record(
        by, "lti.registered", on=f"source {source.name}", after={"issuer": issuer, "deployment": deployment},
        organisation=source.organisation,
    )  # fmt: skip
    return made


def _mark(token: str) -> bytes:
    return vault().fingerprint(f"lti registration\n{token}")
