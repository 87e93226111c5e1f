"""A signing key inside a PKCS#11 token (an HSM, a smart card): it signs, and can't be taken out.

The token's keys are given the interfaces of `cryptography`, so that everything that signs stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_edwards_public_key, encode_named_curve_parameters

from agent.certificates.authority import self_signed
from agent.certificates.errors import SigningKeyToken
from agent.certificates.keys import SigningKeys, checked, in_order

_HALF = 32


@dataclass(frozen=True, slots=True)
class Token:
    """Where a key is: the module that speaks to the device, the token's label, the key's label."""

    module: str
    label: str
    key: str
    pin: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Token | None:
        """The token that the settings name; None: they name none."""
        module = environment.get("XUESHI_PKCS11_MODULE")
        if not module:
            return None
        names = (("XUESHI_PKCS11_TOKEN", ""), ("XUESHI_PKCS11_KEY", "xueshi"), ("XUESHI_PKCS11_PIN", ""))
        return cls(module, *(environment.get(name) or default for name, default in names))

    def __str__(self) -> str:
        return f"{self.label}/{self.key}"
