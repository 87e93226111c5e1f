"""Making papers: at most three of a kind alive at once, each for a purpose and for 90 days at most."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from agent.audit.chain import record
from agent.certificates.facts import hours_text
from agent.certificates.models import Certificate
from agent.certificates.numbers import make_token
from agent.certificates.pdf import drawing_of, page_data
from agent.certificates.pdfs import facts_of
from agent.certificates.template_register import content_of, template_of
from agent.credit.year import Year
from agent.learners.models import Learner
from agent.localtime import SHANGHAI, now
from agent.papers.errors import DaysInvalid, NotInForce, PurposeMissing, TooManyAlive
from agent.papers.models import Paper
from agent.papers.sheet import signed

ALIVE = 3
DAYS = 90
_SHORTEST, _LONGEST = 2, 60
Kind = Paper.Kind


def alive() -> QuerySet[Paper]:
    """Those that are in force now, without their pages."""
    return Paper.objects.filter(ended_at=None, expires_at__gt=now()).defer("pdf")


def copy(certificate: Certificate, *, purpose: str, days: int, by: str) -> Paper:
    """A copy of a certificate in force.

    :raises NotInForce: it is not
    :raises PaperError: purpose, days or the number of copies alive; the subclass says which
    """
    if certificate.state != Certificate.State.ISSUED:
        raise NotInForce(state=certificate.state)
    made = _begun(Kind.COPY, certificate.learner, purpose, days)
    made.certificate = certificate
    facts = replace(facts_of(certificate), verify_url=address(made.token))
    chosen = template_of(certificate)
    drawing = drawing_of(content_of(chosen.version))
    picture = drawing.picture(page_data(facts, "", chosen.language), "svg", underlay=True)
    said = {
        "number": facts.number, "holder": facts.holder, "id_masked": facts.id_masked, "programme": facts.programme,
        "hours": hours_text(facts.hours), "filing_number": facts.filing_number, "purpose": made.purpose,
        "until": _day(made.expires_at), "alt": f"证书 {facts.number} 的图样",
    }  # fmt: skip
    made.pdf = signed(
        "copy.typ", said, {"purpose": made.purpose, "holder": facts.holder, "programme": facts.programme},
        address=address(made.token), at=made.made_at, reason=f"证书副本（编号 {facts.number}），仅供{made.purpose}",
        files={"page.svg": picture},
    )  # fmt: skip
    return _kept(made, by=by, on=f"certificate {facts.number}")


def transcript(
    learner: Learner, year: Year, headline: str, names: Mapping[str, str], *, purpose: str, days: int, by: str
) -> Paper:
    """The year as the ledger has it now.

    :param headline: what is missing, in words; ``names`` of the categories
    :raises PaperError: as `copy`
    """
    made = _begun(Kind.TRANSCRIPT, learner, purpose, days)
    made.year, standing = year.year, year.standing
    made.said = {**standing.credited, "total": standing.total, "required": standing.required["total"]}
    lines = [
        (names.get(key, "合计"), hours_text(standing.credited.get(key, standing.total)), hours_text(needed),
         hours_text(standing.missing[key]))
        for key, needed in standing.required.items()
    ]  # fmt: skip
    rows = [
        (each.learned_on.isoformat(), each.title, f"{each.source}　{each.filing_number or ''}",
         names.get(each.category, each.category), hours_text(each.claimed), hours_text(each.credited))
        for each in year.entries
    ]  # fmt: skip
    said = {
        "title": f"{year.year}年度继续教育学时证明", "holder": learner.name, "id_masked": learner.id_masked,
        "purpose": made.purpose, "until": _day(made.expires_at), "headline": headline, "lines": lines, "rows": rows,
        "claimed": hours_text(sum(each.claimed for each in year.entries)), "credited": hours_text(standing.total),
        "policy": year.policy.version,
    }  # fmt: skip
    shown = {"purpose": made.purpose, "holder": learner.name, "programme": "".join(row[1] + row[2] for row in rows)}
    made.pdf = signed(
        "transcript.typ", said, shown, address=address(made.token), at=made.made_at,
        reason=f"{year.year}年度学时证明，仅供{made.purpose}",
    )  # fmt: skip
    return _kept(made, by=by, on=f"learner {learner.pk}")


def declaration(certificate: Certificate) -> bytes:
    """The programme's filing and the hours, beside a certificate; signed. Its code leads to the certificate's page."""
    facts, version = facts_of(certificate), certificate.programme_version
    rows = [(name, value) for name, value in declared(certificate).items() if value]
    return signed(
        "declaration.typ", {"number": facts.number, "rows": rows}, {"programme": version.title, "holder": facts.holder},
        address=facts.verify_url, at=now(), reason=f"学时申报证明（证书编号 {facts.number}）",
    )  # fmt: skip


def declared(certificate: Certificate) -> dict[str, str]:
    """What somebody types into the province's declaration, field by field (notice 2024-17, 四（二）)."""
    facts, version = facts_of(certificate), certificate.programme_version
    began = facts.learned_from or facts.learned_on
    return {
        "申报年度": str(certificate.learned_on.year), "科目类别": "专业科目", "学习形式": "培训进修",
        "姓名": facts.holder,
        "证件号码": facts.id_masked, "培训名称": facts.programme, "职称系列": facts.series, "主办单位": facts.organiser,
        "主办单位代码": facts.organiser_uscc, "承办单位": facts.implementer, "备案编号": facts.filing_number,
        "备案学时": hours_text(version.hours), "备案期间": f"{version.starts_on} 至 {version.ends_on}",
        "开始日期": began.isoformat(), "结束日期": facts.learned_on.isoformat(), "申报学时": hours_text(facts.hours),
        "证书编号": facts.number, "核验地址": facts.verify_url,
    }  # fmt: skip


@transaction.atomic
def end(paper: Paper, *, by: str) -> bool:
    """Its holder takes it back; whether it was in force."""
    ended = Paper.objects.filter(pk=paper.pk, ended_at=None, expires_at__gt=now()).update(ended_at=now())
    if ended:
        record(by, "paper.ended", on=f"learner {paper.learner_id}", after={"number": paper.pk})
    return bool(ended)


def address(token: str) -> str:
    """What a paper's QR code leads to; in upper case, so that the code stays small."""
    return f"{settings.BASE_URL}/verify/p/{token}".upper()


def _begun(kind: str, learner: Learner, purpose: str, days: int) -> Paper:
    purpose, at = " ".join(purpose.split()), now()
    if not _SHORTEST <= len(purpose) <= _LONGEST:
        raise PurposeMissing
    if not 1 <= days <= DAYS:
        raise DaysInvalid(most=DAYS)
    return Paper(
        kind=kind, learner=learner, purpose=purpose, made_at=at, expires_at=at + timedelta(days), token=make_token()
    )


@transaction.atomic
def _kept(made: Paper, *, by: str, on: str) -> Paper:
    Learner.objects.select_for_update().get(pk=made.learner_id)  # of two at once the second counts the first
    same = {"kind": made.kind, "learner": made.learner, "certificate": made.certificate, "year": made.year}
    if alive().filter(**same).count() >= ALIVE:
        raise TooManyAlive(most=ALIVE)
    made.sha256 = hashlib.sha256(made.pdf).hexdigest()
    made.save()
    said: dict[str, Any] = {"kind": made.kind, "number": made.pk, "purpose": made.purpose, "until": made.expires_at}
    record(by, "paper.made", on=on, after=said)
    return made


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d}"
