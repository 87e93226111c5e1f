"""Every sentence of the portal has its English, and what is compiled is what is written."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

import agent.portal
from agent.intake.models import SyncRun
from agent.portal.words import _EVENT_REASONS
from agent.programmes.models import Mode, State, VoidProposal
from agent.programmes.transitions import Code, Kind

PORTAL = Path(agent.portal.__file__).parent
FOLDER = PORTAL / "locale" / "en" / "LC_MESSAGES"
_STRING = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL = re.compile(rf"\b(_|gettext|ngettext|pgettext)\(\s*{_STRING}(?:\s*,\s*{_STRING})?")


def written() -> dict[object, object]:
    with (FOLDER / "django.po").open("rb") as file:
        return {(m.context, m.id): m.string for m in read_po(file, locale="en") if m.id}


def used() -> set[object]:
    """What templates and code ask for, and the words of states, which are asked for by variable."""
    found: set[object] = set()
    for path in [*PORTAL.rglob("*.html"), *PORTAL.rglob("*.py")]:
        text = path.read_text("utf-8")
        for name, first, second in _CALL.findall(templatize(text) if path.suffix == ".html" else text):
            one, two = ast.literal_eval(first), ast.literal_eval(second) if second else None
            context = one if name == "pgettext" else None
            found.add((context, two if context else (one, two) if name == "ngettext" else one))
    filing = [*Kind.labels, *Code.labels, *Mode.labels, *VoidProposal.Fate.labels]
    labels = [*State.labels, *filing, *SyncRun.State.labels, *SyncRun.Mode.labels, *_EVENT_REASONS.values()]
    return found | {(None, str(label)) for label in labels}


def test_nothing_is_left_in_chinese_and_nothing_is_stale():
    assert used() == set(written())


def test_no_translation_is_empty_or_drops_a_figure():
    for (_, source), english in written().items():
        sources = source if isinstance(source, tuple) else (source,)
        for text in english if isinstance(english, tuple) else (english,):
            assert text
            assert set(re.findall(r"%\(\w+\)\w", text)) == set(re.findall(r"%\(\w+\)\w", sources[0])), source
            assert not re.search("[\u4e00-\u9fff]", text)


def test_the_compiled_file_is_up_to_date():
    made = io.BytesIO()
    with (FOLDER / "django.po").open("rb") as file:
        write_mo(made, read_po(file, locale="en"))
    assert made.getvalue() == (FOLDER / "django.mo").read_bytes()
