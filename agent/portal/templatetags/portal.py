"""What the templates need beyond Django's own: hours, sentences in the reader's language, shapes."""

from __future__ import annotations

import html
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from agent.certificates.facts import hours_text
from agent.intake.models import SyncRun
from agent.portal import charts, equation_words, filing_words, role_words, run_words, words
from agent.portal.stops import Stop, stop_of
from agent.portal.words import english, tight
from agent.quarantine import codes

register = template.Library()

# Each state has a shape beside its word; drawn in the colour of the text around it.
_SHAPES = {
    "full": '<circle cx="8" cy="8" r="6" fill="currentColor"/>',
    "part": '<circle cx="8" cy="8" r="5.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M8 2.75a5.25 5.25 0 0 1 0 10.5z" fill="currentColor"/>',
    "none": '<circle cx="8" cy="8" r="5.25" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    "done": '<path d="M2.5 8.5l3.6 3.7L13.5 4" fill="none" stroke="currentColor" stroke-width="2"/>',
    "stop": '<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M3.6 3.6l8.8 8.8" stroke="currentColor" stroke-width="1.5"/>',
    "person": '<path d="M8 1.5L15 14H1z" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>'
    '<path d="M8 6v4M8 11.2v1.3" stroke="currentColor" stroke-width="1.5"/>',
    "equal": '<path d="M2.5 5.5h11M2.5 10.5h11" fill="none" stroke="currentColor" stroke-width="2"/>',
    "unequal": '<path d="M2.5 5.5h11M2.5 10.5h11M11 2L5 14" fill="none" stroke="currentColor" stroke-width="2"/>',
    "waits": '<circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M8 4.5V8l2.6 1.8" fill="none" stroke="currentColor" stroke-width="1.5"/>',
}
_GROUPS = (6, 4, 1, 4, 5, 5, 1)  # region, year, category, issuer, programme, serial, check digit


@register.filter
def hours(hundredths: int) -> str:
    """Hours as people write them."""
    return hours_text(hundredths)


@register.filter
def two(hundredths: int) -> str:
    """Hours of many people: always in two decimals."""
    return charts.two(hundredths)


@register.filter
def task_name(task: str) -> str:
    """A kind of work of the queue."""
    return words.task_name(task)


@register.filter
def certificate_state(state: str) -> str:
    """Where a certificate stands, in the reader's words; a word that we don't know stays as it is."""
    return words.certificate_state(state)


@register.filter
def reason_class(key: str) -> str:
    """Why a certificate's state changed, by the class of the reason."""
    return words.reason_class(key)


@register.filter
def role_name(role: str) -> str:
    """A role, in the reader's words."""
    return role_words.role_name(role)


@register.filter
def kind_name(kind: str) -> str:
    """A kind of body, in the reader's words."""
    return role_words.kind_name(kind)


@register.filter
def action_name(action: str) -> str:
    """What was done, in the reader's words."""
    return role_words.action_name(action)


@register.filter
def target_name(target: str) -> str:
    """What something was done to, in the reader's words."""
    return role_words.target_name(target)


@register.filter
def figure(number: int | None) -> str:
    """A figure with its thousands apart; nothing where there is none."""
    return "" if number is None else f"{number:,}"


@register.filter
def speed(rate: float | None) -> str:
    """A measured figure: a decimal where that is most of it."""
    return "" if rate is None else run_words.speed(rate)


@register.filter
def duration(seconds: float | None) -> str:
    """How long, as people say it."""
    return run_words.duration(seconds)


@register.filter
def stopped(run: SyncRun) -> Stop | None:
    """Why a run stopped."""
    return stop_of(run)


@register.filter
def equation_name(line: Any) -> str:
    """A line's equation by the names of its figures."""
    left, right = equation_words.sides_of(line.equation)
    return f"{left} = {right}"


@register.filter
def told(thing: Any, what: str) -> str:
    """``thing.what_zh`` or ``thing.what_en``, as the reader reads."""
    return str(getattr(thing, f"{what}_en")) if english() else tight(getattr(thing, f"{what}_zh"))


@register.filter
def code_sentence(code: str) -> str:
    """What the code of an error means, as far as a table of ours says it: no path of ours is in that."""
    said = codes.sentence(code, {}, english=english())
    return "" if said == code else said if english() else tight(said)


@register.filter
def code_fix(code: str) -> str:
    """What mends it."""
    said = codes.fix(code, english=english())
    return said if english() else tight(said)


@register.filter
def set_tight(text: str) -> str:
    """A sentence of another room, set without typed gaps when it is Chinese."""
    return text if english() else tight(text)


@register.simple_tag
def shape(name: str) -> SafeString:
    """The shape of a state; its word stands beside it."""
    return mark_safe(  # noqa: S308 - from the table above
        f'<svg class="shape" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">{_SHAPES[name]}</svg>'
    )


@register.filter
def drawn(svg: str) -> SafeString:
    """An SVG that `agent.portal.ring` or `agent.portal.bars` made; both escape the words they are given."""
    return mark_safe(svg)  # noqa: S308 - see above


@register.filter
def grouped(number: str) -> SafeString:
    """A certificate number in its seven parts: the eye gets gaps, the clipboard none."""
    parts, at = [], 0
    for length in _GROUPS:
        parts.append(f"<span>{html.escape(number[at : at + length])}</span>")
        at += length
    return mark_safe(f'<span class="number">{"".join(parts)}</span>')  # noqa: S308 - escaped above


@register.filter
def filing_step(kind: str) -> str:
    """What happened to a filing."""
    return filing_words.step(kind)


@register.filter
def filing_state(state: str) -> str:
    """Where a filing stands."""
    return filing_words.state(state)


@register.filter
def filing_code(code: str) -> str:
    """Why the bureau decided so."""
    return filing_words.code(code)


@register.filter
def filing_label(name: str) -> str:
    """A field of the form of a filing."""
    return filing_words.label(name)
