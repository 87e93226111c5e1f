"""Parts of a file over HTTP: RFC 9110, section 14."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from agent.portal import ranges

WHOLE = bytes(range(100))
TAG = f'"{"d" * 40}"'


def asked(method: str = "get", **headers: str):
    request = getattr(RequestFactory(), method)("/x", headers=headers)
    return ranges.answer(request, lambda a, b: iter([WHOLE[a:b]]), len(WHOLE), "d" * 64, "application/zip")


def body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-", (0, 100)), ("bytes=10-", (10, 100)), ("bytes=10-19", (10, 20)), ("bytes=99-", (99, 100)),
        ("bytes=90-1000", (90, 100)), ("bytes=-7", (93, 100)), ("bytes=-1000", (0, 100)), ("bytes=0-0", (0, 1)),
    ],
)  # fmt: skip
def test_one_part_is_sent_as_it_was_asked_for(wanted, part):
    answer = asked(range=wanted)
    assert (answer.status_code, body(answer)) == (206, WHOLE[slice(*part)])
    assert answer["Content-Range"] == f"bytes {part[0]}-{part[1] - 1}/100"
    assert answer["Content-Length"] == str(part[1] - part[0])


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_lies_outside_is_refused(wanted):
    answer = asked(range=wanted)
    assert (answer.status_code, answer["Content-Range"], body(answer)) == (416, "bytes */100", b"")


@pytest.mark.parametrize("wanted", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=x-y"])
def test_what_one_part_cant_answer_is_answered_by_the_whole(wanted):
    answer = asked(range=wanted)
    assert (answer.status_code, body(answer)) == (200, WHOLE)
    assert (answer["Content-Length"], answer["Accept-Ranges"], answer["ETag"]) == ("100", "bytes", TAG)


def test_a_part_of_what_has_changed_since_is_not_sent():
    assert asked(range="bytes=10-", **{"if-range": TAG}).status_code == 206
    other = asked(range="bytes=10-", **{"if-range": '"other"'})
    assert (other.status_code, body(other)) == (200, WHOLE)
    assert asked(range="bytes=500-", **{"if-range": '"other"'}).status_code == 200


def test_who_has_it_already_is_told_so():
    assert asked(**{"if-none-match": f'"x", W/{TAG}'}).status_code == 304
    assert asked(**{"if-none-match": '"x"'}).status_code == 200


def test_a_head_has_the_length_and_no_body():
    answer = asked("head")
    assert (answer["Content-Length"], body(answer)) == ("100", b"")


@given(st.text(max_size=30))
def test_no_header_is_too_strange(header):
    try:
        part = ranges.part_of(header, 100)
    except ValueError:
        return
    assert part is None or 0 <= part[0] < part[1] <= 100
