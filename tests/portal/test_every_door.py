"""Every address, tried by everybody: strangers, learners and each role, on things of their own and of others."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse

from tests.portal.doors import ANYBODY, DOORS, EVERYBODY, HEAD, LEARNER, Door, Things


def test_every_address_has_its_line():
    (pages,) = get_resolver().url_patterns
    assert {pattern.name for pattern in pages.url_patterns} == set(DOORS)


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_doors_open_for_those_whom_the_table_names_and_for_nobody_else(things, who):
    wrong, visitor = [], Visitor(who)
    for name, doors in DOORS.items():
        for door in doors:
            said = _tried(things, visitor, name, door)
            if said != _expected(door, who):
                wrong.append((name, door.query, door.post, said, _expected(door, who)))
    assert not wrong


class Visitor:
    """Somebody who comes to each door with a browser of its own, signed in once until a door ends that."""

    def __init__(self, who: str) -> None:
        self.username = None if who == ANYBODY else "xiaoming" if who == LEARNER else who
        self._cookies = SimpleCookie()

    def client(self) -> Client:
        client = Client()
        if self.username and not self._cookies:
            client.force_login(User.objects.get(username=self.username))
            self._cookies = client.cookies.copy()
        client.cookies.update(self._cookies)
        return client

    def came_back(self, answer: Any) -> None:
        """The door may have ended the session, or given another."""
        if settings.SESSION_COOKIE_NAME in answer.cookies:
            self._cookies.clear()


def _expected(door: Door, who: str) -> str:
    if door.status:
        return str(door.status)
    return "opens" if who in door.opens else "sign in" if who == ANYBODY else "404"


def _tried(things: Things, visitor: Visitor, name: str, door: Door) -> str:
    address = reverse(f"portal:{name}", kwargs=door.kwargs(things)) + door.query
    client = visitor.client()
    if door.post is None:
        answer = client.get(address)
    else:
        said = dict(door.post)
        if said.get("owner"):
            said["owner"] = things.town.bodies[said["owner"]].pk
            said["file"] = SimpleUploadedFile("x.zip", b"nonsense", "application/zip")
        answer = client.post(address, said)
    if answer.streaming:
        assert b"".join(answer.streaming_content)  # which closes it; the client has closed the others
    visitor.came_back(answer)
    if door.status:
        return str(answer.status_code)
    if answer.status_code == 302 and answer["Location"].startswith("/sign-in/") and name != "sign-out":
        return "sign in"
    return "404" if answer.status_code == 404 else "opens" if answer.status_code < 500 else str(answer.status_code)


def test_what_is_only_looked_at_takes_nothing(things):
    """Whoever posts to it hears 405, and not the page as if something had been done."""
    taken = {name for name, doors in DOORS.items() if any(door.post is not None for door in doors)}
    with_a_form = {"archive-programme", "archive-employer", "connect", "connect-draft", "sign-in", "sign-in-code"}
    with_a_form |= {"sign-in-enrol", "verify", "verify-file", "reset", "invitation"}
    with_a_form |= {"mapping-withdraw", "quarantine-undo"}
    looked_at = DOORS.keys() - taken - with_a_form
    client = things.town.client(HEAD)
    for name in looked_at:
        for door in DOORS[name]:
            address = reverse(f"portal:{name}", kwargs=door.kwargs(things)) + door.query
            answers = [getattr(client, method)(address).status_code for method in ("post", "put", "delete")]
            assert answers == [405] * 3, name
    assert {"home", "runs", "audit-csv", "certificates", "healthz"} <= looked_at
