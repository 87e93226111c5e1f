"""What happens around the tables of this room."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Certificates(AppConfig):
    """The room of certificates."""

    name = "agent.certificates"

    def ready(self) -> None:
        """The templates that a release ships are on record as soon as its tables are."""
        post_migrate.connect(_publish, sender=self, dispatch_uid="shipped templates")


def _publish(**_: object) -> None:
    # what reads templates takes 8 MB, which a process that only pulls can do without
    from agent.certificates.template_register import publish_shipped  # noqa: PLC0415

    publish_shipped()
