"""The verify page is quick, and not by keeping what may change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from agent.certificates import life, transparency
from agent.certificates.models import KeyRetirement, PublishedKey
from agent.certificates.signer import signing_keys
from agent.localtime import now
from agent.portal import verify_page
from agent.portal.lookup import Logged, Shown
from tests.portal.test_verify import path_of

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - drawn bare
SHOWN = st.builds(
    Shown, number=st.text("0123456789", min_size=26, max_size=26),
    state=st.sampled_from(["issued", "suspended", "superseded", "revoked", "melted"]), holder=WORDS, id_masked=WORDS,
    programme=WORDS, category=st.sampled_from(["public", "professional"]), series=WORDS, hours=st.integers(1, 10_000),
    organiser=WORDS, implementer=WORDS, filing_number=WORDS, learned_from=st.none() | DAYS, learned_on=DAYS,
    issued_at=MOMENTS, signature=st.sampled_from(["valid", "invalid", "unchecked"]), ended_at=st.none() | MOMENTS,
    ended_why=WORDS, ended_class=st.sampled_from(["", "improper", "<b>"]), token=st.just("ABC"), path=st.just("/x"),
    credential=st.just("x"), chain=st.just(()),
    logged=st.none() | st.builds(Logged, st.integers(0, 9), st.booleans(), st.integers(10, 99_999), MOMENTS),
)  # fmt: skip


@given(shown=SHOWN, language=st.sampled_from(["zh-hans", "en"]))
def test_a_page_that_is_filled_in_is_the_one_that_its_template_makes(shown, language):
    with translation.override(language):
        words = verify_page._kind(shown) | verify_page._words(shown)
        assert verify_page.page(shown) == render_to_string("portal/verify.html", {"shown": words})


def test_what_is_filled_in_is_escaped(certificate, text):
    title, organiser = "<b>A & B</b>", certificate.programme.organiser
    type(organiser).objects.filter(pk=organiser.pk).update(name=title)
    page = text(Client().get(path_of(certificate)))
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page
    assert title not in page


def test_it_asks_one_question_and_shows_what_is_so_now(certificate, text):
    path = path_of(certificate)
    assert "证书有效" in text(Client().get(path))
    with CaptureQueriesContext(connection) as asked:  # that one question is not Django's
        Client().get(path)
    assert len(asked) == 0
    life.suspend([certificate.number], life.Because("under_review", "a tip-off"))
    assert "证书已暂停使用" in text(Client().get(path))
    life.resume([certificate.number], life.Because("cleared", "looked into"))
    assert "证书有效" in text(Client().get(path))


def test_a_key_that_is_not_believed_any_more_shows_at_once(certificate, text):
    assert "内容自签发后未被改动" in text(Client().get(path_of(certificate)))
    key = PublishedKey.objects.get(kid=signing_keys().kid)
    since = datetime(2000, 1, 1, tzinfo=UTC)
    KeyRetirement.objects.create(key=key, until=since, compromised=True, reason="stolen", at=now())
    assert "证书不能确认" in text(Client().get(path_of(certificate)))


def test_a_connection_that_was_cut_meanwhile_is_made_again(certificate, databases, text):
    client = Client()
    connection.ensure_connection()
    kept = connection.connection
    with kept.cursor() as cursor:
        (pid,) = cursor.execute("SELECT pg_backend_pid()").fetchone()
    import psycopg

    with psycopg.connect(databases.server.url("postgres", "postgres"), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert "证书有效" in text(client.get(path_of(certificate)))


@pytest.mark.parametrize(
    ("language", "waits"),
    [("zh-hans", "最近一次变更会写进下一个整点的树头"), ("en", "Its latest change goes into the tree head")],
)
def test_it_says_where_the_public_log_has_it(certificate, text, language, waits):
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    assert "/transparency/proof/inclusion" not in text(client.get(path_of(certificate)))  # no head covers it yet
    head = transparency.publish()
    page = text(client.get(path_of(certificate)))
    assert f'href="/transparency/proof/inclusion?number={certificate.number}"' in page
    assert str(head.size) in page
    assert waits not in page
    life.suspend([certificate.number], life.Because("under_review", "a tip-off"))
    assert waits in text(client.get(path_of(certificate)))
    transparency.publish()
    assert waits not in text(client.get(path_of(certificate)))
