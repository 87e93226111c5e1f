"""What the templates of mappings and of the quarantine need."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.urls import reverse

from agent.intake.models import Completion
from agent.learners.identity import mask_name
from agent.mapping.courses import Course
from agent.mapping.links import Wanted, latest
from agent.mapping.preview import Trial
from agent.mapping.suggestions import Reason
from agent.matching.models import Decision
from agent.portal import mapping_words, words
from agent.portal.run_page import masked
from agent.programmes.models import CourseLink

register = template.Library()


@register.filter
def course_address(course: Course) -> str:
    """The page of a course; its code may be any text."""
    return _address(course.source.pk, course.course)


@register.filter
def link_address(link: CourseLink) -> str:
    """The page of a mapping's course."""
    return _address(link.source_id or 0, link.course)


def _address(source: int, course: str) -> str:
    return f"{reverse('portal:mapping-course', args=[source])}?{urlencode({'course': course})}"


@register.filter
def link_title(link: CourseLink) -> str:
    """The title of the programme that a course is mapped to."""
    return latest(link.programme).title


@register.filter
def wanted_title(wanted: Wanted) -> str:
    """The title of the programme that a course shall be mapped to."""
    return latest(wanted.programme).title


@register.filter
def reason_words(why: Reason) -> str:
    """Why a programme is likely."""
    return mapping_words.reason(why)


@register.filter
def category_name(name: str) -> str:
    """Public or professional."""
    return mapping_words.category(name)


@register.filter
def signed_hours(hundredths: int) -> str:
    """Hours with their sign."""
    return mapping_words.signed(hundredths)


@register.filter
def trial_headline(trial: Trial) -> str:
    """A difference in one line."""
    return mapping_words.headline(trial)


@register.filter
def code_short(code: str) -> str:
    """A code in a few words."""
    return mapping_words.short(code)


@register.filter
def row_course_address(row: Completion) -> str:
    """The page of a row's course."""
    return _address(row.source_id, row.course)


@register.filter
def without_commands(fix: str) -> str:
    """A fix without the command in it: who reads it here has none."""
    return words.for_learners(fix)


@register.filter
def masked_name(name: str) -> str:
    """A name for those who only look."""
    return mask_name(name)


@register.filter
def masked_text(text: str) -> str:
    """A text in which no long number stands in clear."""
    return masked(text)


@register.filter
def decision_words(decision: Decision) -> str:
    """What was decided."""
    return mapping_words.decision(decision.kind)
