"""A template is tried in a process of its own, with little memory, little time and no network: its sources are code.

The parent gives the folder as a ZIP on standard input and gets one line of JSON back. What is allowed is little even so
(`template_check`): Typst reads nothing outside the folder, and packages are refused by name.
"""

from __future__ import annotations

import base64
import os
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from agent.certificates.template_errors import TemplateTrialFailed
from agent.certificates.template_folder import Template, read_zip

_SECONDS = 30  # of processor time
_PATIENCE = 240  # seconds that a busy machine may take for them
_MEMORY = 1 << 30
_KEPT_NAMES = ("PATH", "HOME", "LANG", "XUESHI_FONTS", "TMPDIR")
_PROXIES = {
    name: "http://127.0.0.1:9"  # where nobody listens
    for scheme in ("http_proxy", "https_proxy", "all_proxy")
    for name in (scheme, scheme.upper())
}
_KEPT = 12
_one_at_a_time = threading.Lock()
_PPI = 110


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial found, and the pages of the samples as PNG: language → name of the sample → picture."""

    findings: list[dict[str, str]]
    pictures: dict[str, dict[str, bytes]] = field(repr=False)

    @property
    def good(self) -> bool:
        """Whether nothing stands against publishing."""
        return not self.findings


def tried(template: Template) -> Trial:
    """Check the template and draw its samples. The same template is tried once; the last dozen are kept.

    :raises TemplateTrialFailed: it took too much time or memory
    """
    with _one_at_a_time:  # several pictures of one page are asked for at once
        return _tried(_Wanted(template))


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A template, equal by its digest."""

    template: Template

    def __hash__(self) -> int:
        return hash(self.template.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wanted) and self.template.digest == other.template.digest


@lru_cache(maxsize=_KEPT)
def _tried(wanted: _Wanted) -> Trial:
    return run(wanted.template.packed())


def run(packed: bytes, *, seconds: int = _SECONDS) -> Trial:
    """Try a packed template in a process of its own.

    :param seconds: of processor time
    :raises TemplateTrialFailed: it took too much time or memory
    """
    kept = {name: os.environ[name] for name in _KEPT_NAMES if name in os.environ}
    path = os.pathsep.join(part for part in sys.path if part)
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", __name__, str(seconds)],
            input=packed, capture_output=True, timeout=_PATIENCE, check=False,
            env=kept | _PROXIES | {"PYTHONPATH": path},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TemplateTrialFailed(reason="it did not come to an end", seconds=seconds) from None
    if done.returncode:
        reason = "it took too much time or memory" if done.returncode < 0 else "it could not be drawn"
        raise TemplateTrialFailed(reason=reason, seconds=seconds)
    said: dict[str, Any] = orjson.loads(done.stdout)
    pictures = {
        language: {name: base64.b64decode(png) for name, png in pages.items()}
        for language, pages in said["pictures"].items()
    }
    return Trial(said["findings"], pictures)


def _main(seconds: int) -> None:
    """The child: limits first, then everything else."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY * 4, _MEMORY * 4))  # fonts are mapped, and threads reserve much
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from agent.certificates import template_samples  # noqa: PLC0415 - under the limits
    from agent.certificates.errors import CertificateError  # noqa: PLC0415
    from agent.certificates.pdf import drawing_of, page_data  # noqa: PLC0415
    from agent.certificates.template_check import findings  # noqa: PLC0415

    template = read_zip(sys.stdin.buffer.read())
    found = findings(template)
    pictures: dict[str, dict[str, str]] = {}
    if not any(one.code == "E_TEMPLATE_REACH" for one in found):
        for language in template.manifest.languages:
            pages = pictures[language] = {}
            for name, facts in template_samples.samples().items():
                data = page_data(facts, template_samples.CREDENTIAL, language)
                try:
                    png = drawing_of(template).picture(data, "png", underlay=True, ppi=_PPI)
                except CertificateError:
                    continue  # the findings say why
                pages[name] = base64.b64encode(png).decode()
    answer = {"findings": [one.as_json() for one in found], "pictures": pictures}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
