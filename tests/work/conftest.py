"""A house with one small base; its clock asks for nothing by itself."""

from __future__ import annotations

from tests.house.conftest import base, filed, hasty, moodle

__all__ = ["base", "filed", "hasty", "moodle"]
