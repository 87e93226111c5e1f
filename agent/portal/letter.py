"""A page that differs from its neighbours in a few words: rendered once a kind, and then only filled in.

The template stays an ordinary one. It is rendered with a mark in the place of each word, and cut there; what comes
between, in each language, is the same bytes for everyone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

_OPEN, _CLOSE = "\ue000", "\ue001"  # in no template: private use, and what a page is filled with comes after the cut
_MARK = re.compile(f"{_OPEN}(\\w+){_CLOSE}")


def filled(template: str, kind: Mapping[str, str | bool], words: Mapping[str, str]) -> str:
    """``template`` with ``{"shown": {**kind, **words}}``; the words escaped unless they are safe.

    :param kind: all that the template asks questions about (``if``); few different ones
    :param words: what it only shows, as it is to be shown: their filters see a mark
    """
    pieces = _cut(template, get_language(), tuple(sorted(kind.items())), tuple(sorted(words)))
    return "".join([_safe(words[one]) if place % 2 else one for place, one in enumerate(pieces)])


def _safe(word: str) -> str:
    # `conditional_escape` without its question for words that are translated late: none is, and there are thirty
    return word if isinstance(word, SafeString) else escape(word)


@lru_cache(maxsize=256)
def _cut(
    template: str, _language: str | None, kind: tuple[tuple[str, str | bool], ...], names: tuple[str, ...]
) -> list[str]:
    """Text and names of words by turns."""
    marks = {name: mark_safe(f"{_OPEN}{name}{_CLOSE}") for name in names}  # noqa: S308 - of names of ours
    return _MARK.split(render_to_string(template, {"shown": dict(kind) | marks}))
