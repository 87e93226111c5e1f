"""Reading our own sources."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType


def codes_in(*modules: ModuleType) -> set[str]:
    """The error codes that stand in the modules' sources."""
    return {
        code for one in modules for code in re.findall(r'"(E_[A-Z_]+)"', Path(one.__file__ or "").read_text("utf-8"))
    }
