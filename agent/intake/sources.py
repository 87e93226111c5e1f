"""Sources: stored with the token sealed, opened as connectors."""

from __future__ import annotations

from pydantic import SecretStr

from agent.crypto import vault
from agent.intake import budget, circuit
from agent.intake.errors import KindUnknown, SourceUnknown
from agent.intake.models import Source
from connectors.base import Connector, SourceConfig, kinds, load

TOKEN = b"source token"
"""What a token is sealed for."""


def save(
    name: str, *, kind: str, url: str, token: str | None, options: dict[str, str], allow_private: bool
) -> tuple[Source, bool]:
    """Add a source or change it; ``token=None`` keeps the stored one.

    :returns: the source, and whether it is new.
    :raises KindUnknown: no connector of that kind is installed.
    :raises connectors.errors.OptionInvalid: the kind does not know an option.
    :raises connectors.errors.AddressInvalid: the address can never be right.
    """
    config = SourceConfig(name, url, SecretStr(token or ""), options, allow_private)
    with _kind(kind)(config) as reader:  # refuses unknown options before anything is stored
        reader.check_address()
    values: dict[str, object] = {"kind": kind, "url": url, "options": options, "allow_private": allow_private}
    if token is not None:
        values["token"] = vault().seal(token.encode(), TOKEN)
    # a roster is sent once, and its file may be gone tomorrow: the clock asks for it only when a person says so
    first = values | {"scheduled": kind != "roster"}
    source, new = Source.objects.update_or_create(name=name, defaults=values, create_defaults=first)
    circuit.close(source)  # a person has mended something: the clock may ask again
    return source, new


def get(name: str) -> Source:
    """The source of that name.

    :raises SourceUnknown: there is none.
    """
    source = Source.objects.filter(name=name).first()
    if source is None:
        known = ", ".join(Source.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise SourceUnknown(name=name, known=known)
    return source


def connector(source: Source) -> Connector:
    """A connector for a stored source. Use it as a context manager."""
    token = vault().open(bytes(source.token), TOKEN).decode() if source.token else ""
    return _kind(source.kind)(
        SourceConfig(source.name, source.url, SecretStr(token), source.options, source.allow_private, budget.of(source))
    )


def _kind(kind: str) -> type[Connector]:
    if kind not in kinds():
        raise KindUnknown(kind=kind, known=", ".join(kinds()))
    return load(kind)
