"""What verifiers fetch, without anyone signed in: the DID document and the status lists; a credential in two forms."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from agent.certificates import did
from agent.certificates.credential import issuer_of, linked, read_jwt, sign_jwts
from agent.certificates.errors import SigningKeyError
from agent.certificates.models import Certificate
from agent.certificates.proof import multikey_of, with_proof
from agent.certificates.signer import issuer_id, keys_to_sign, proof_issuer_id
from agent.certificates.status import TTL, bits, list_credential
from agent.certificates.trust import public_keys
from agent.localtime import now

_JWT, _LINKED = "application/vc+jwt", "application/vc"


def did_document(request: HttpRequest) -> HttpResponse:
    """Every key that signs or signed here, as ``did:web``."""
    body = orjson.dumps(did.document(did.did_web(settings.BASE_URL), public_keys()))
    return _published(request, body, "application/did+json", hashlib.sha256(body).hexdigest())


def status_list(request: HttpRequest, number: int, purpose: str) -> HttpResponse:
    """A status list, signed: with an embedded proof; as JWT to who asks for one, or where the key makes no proofs."""
    listed = bits(number, purpose)
    if listed is None:
        raise Http404
    since = now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    try:
        keys = keys_to_sign()
        jwt = keys.proof_key is None or request.get_preferred_type([_LINKED, _JWT]) == _JWT
        # what it says and who signs it decide its bytes: an unchanged list costs no signature
        mark = hashlib.sha256(listed + f"{since} {keys.kid} {jwt}".encode()).hexdigest()
        if request.headers.get("If-None-Match") == f'"{mark}"':
            return _published(request, b"", "", mark)
        issuer = issuer_of(issuer_id(keys) if jwt else proof_issuer_id(keys), keys, settings.BASE_URL)
        document = list_credential(listed, number, purpose, issuer=issuer, base_url=settings.BASE_URL, since=since)
        if jwt:
            claims = {"iss": issuer["id"], "jti": document["id"], "nbf": int(since.timestamp())}
            body = sign_jwts([document | claims], keys, issuer_id=issuer["id"])[0].encode()
        else:
            name = multikey_of(keys.proof())
            body = orjson.dumps(
                with_proof(document, keys.proof(), method=did.method_of(issuer["id"], name), created=since)
            )
    except SigningKeyError as error:
        return _unsigned(error)
    response = _published(request, body, _JWT if jwt else _LINKED, mark)
    patch_vary_headers(response, ["Accept"])
    return response


def credential_in(form: str, certificate: Certificate) -> tuple[bytes, str]:
    """The credential and its media type: ``jwt`` as it was signed at issue, ``json`` with an embedded proof made now.

    It says the holder's name in full: the caller has made sure that who asks knows it.

    :raises SigningKeyError: there is nothing to make the embedded proof with now.
    """
    if form == "json":
        return orjson.dumps(proven(certificate)), _LINKED
    return certificate.credential.encode("ascii"), _JWT


def proven(certificate: Certificate) -> dict[str, Any]:
    """The certificate's credential with an embedded proof.

    :raises SigningKeyError: it can't be signed now.
    """
    keys = keys_to_sign()
    issuer = issuer_of(proof_issuer_id(keys), keys, settings.BASE_URL)
    document = linked(read_jwt(certificate.credential), issuer)
    method = did.method_of(issuer["id"], multikey_of(keys.proof()))
    return with_proof(document, keys.proof(), method=method, created=now())


def _published(request: HttpRequest, body: bytes, kind: str, mark: str) -> HttpResponse:
    """For everybody, kept for a short time, fetched again only when it is another; pages elsewhere may read it too."""
    etag = f'"{mark}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(body, content_type=kind)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = f"public, max-age={int(TTL.total_seconds())}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _unsigned(error: SigningKeyError) -> HttpResponse:
    """Not now, and the code why; never unsigned, and no path of ours to strangers."""
    return HttpResponse(orjson.dumps({"error": error.code}), content_type="application/json", status=503)
