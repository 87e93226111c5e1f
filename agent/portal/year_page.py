"""A learner's year as the page shows it: standing, ring, courses, what waits, what was capped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Sum
from django.utils.translation import gettext

from agent.certificates.facts import hours_text
from agent.credit.explain import shown_parameters
from agent.credit.models import CreditEntry
from agent.credit.policy import Policy
from agent.credit.rules import Standing, standing
from agent.credit.year import Year, YearEntry, year_of
from agent.intake.models import SyncRun
from agent.learners.identity import mask_name
from agent.learners.models import Learner
from agent.localtime import local_date
from agent.localtime import now as moment
from agent.matching.waiting import Waiting, waiting_of
from agent.portal import track_words
from agent.portal.reads import next_reads
from agent.portal.ring import Band, ring, small_ring
from agent.portal.track import Mender, drawn, mender_of, of_credited, of_waiting
from agent.portal.words import category_name, english, for_learners, headline, readable, still_needed, surplus
from agent.programmes import workdays
from agent.quarantine.codes import fix, sentence
from agent.quarantine.models import Held

TITLE_DAYS = 5
"""Working days before the papers for a title are handed in (notice 2024-17, 二)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One category's standing, in hundredths."""

    name: str
    credited: int
    required: int
    missing: int


@dataclass(frozen=True, slots=True)
class Note:
    """A held course, as a helpful colleague would write it."""

    course: str
    source: str
    learned_on: date | None
    reason: str
    fix: str
    since: datetime
    can: str  # what the learner themselves can do
    expected: str
    track: str
    said: str


@dataclass(frozen=True, slots=True)
class Row:
    """A course in the ledger, how far it has come, and why its certificate waits."""

    entry: YearEntry
    track: str
    said: str
    held: str
    can: str
    expected: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A rule that left hours out, and the courses it did so for."""

    name: str
    sentence: str
    source: str
    entries: list[tuple[YearEntry, str]]  # each with what the learner can do


@dataclass(frozen=True, slots=True)
class YearLink:
    """Another year, with its small ring."""

    year: int
    ring: str


@dataclass(frozen=True, slots=True)
class YearPage:
    """Everything on the page."""

    year: Year
    headline: str
    ring: str
    lines: list[Line]
    claimed: int
    notes: list[Note]
    cuts: list[Cut]
    years: list[YearLink]
    done_by: date
    days_left: int | None  # None: that day is over
    surplus: str
    rows: list[Row]

    @property
    def history(self) -> int:
        """How many courses were finished before their source was connected."""
        return sum(entry.lateness == "history" for entry in self.year.entries)

    @property
    def suspended(self) -> int:
        """Hundredths of an hour that count, and whose certificates are out of force for a while."""
        return sum(entry.credited for entry in self.year.entries if entry.suspended)

    @property
    def empty(self) -> bool:
        """Whether nothing has arrived at all."""
        return not self.year.entries and not self.notes


def years_of(learner: Learner, policies: Mapping[int, Policy]) -> dict[int, Standing]:
    """Where each year of ``learner`` stands, newest first: one query."""
    credited: dict[int, dict[str, int]] = defaultdict(dict)
    sums = CreditEntry.objects.filter(learner=learner).values_list("year", "category").annotate(n=Sum("credited"))
    for year, category, total in sums.order_by("-year"):
        credited[year][category] = total
    return {
        year: standing(policies[year], dict.fromkeys(policies[year].category_ids, 0) | credited[year])
        for year in credited
        if year in policies
    }


def page_of(
    learner: Learner, policy: Policy, policies: Mapping[int, Policy], years: Mapping[int, Standing]
) -> YearPage:
    """The page of ``policy``'s year."""
    year = year_of(learner, policy)
    now = year.standing
    waiting = waiting_of(learner, policy.year)
    reads = next_reads({held.source for held in waiting if mender_of(held.code) is Mender.LMS})
    done_by = date.fromisoformat(f"{policy.year}-{policy.year_end.parameters.done_by}")
    left = (done_by - local_date(moment())).days
    return YearPage(
        year=year,
        headline=headline(now, policy.categories, policy.year),
        ring=_ring(policy, now),
        lines=_lines(policy, now),
        claimed=sum(entry.claimed for entry in year.entries),
        notes=[_note(held, learner, reads.get(held.source)) for held in waiting],
        cuts=_cuts(year),
        years=[YearLink(each, small(policies[each], where)) for each, where in years.items()],
        done_by=done_by,
        days_left=left if left >= 0 else None,
        surplus=surplus(now, policy.categories),
        rows=_rows(year),
    )


def title_deadline(filing: date, policy: Policy) -> date:
    """By when somebody has done who hands in papers for a title on ``filing``: 5 working days before, and not later
    than the year's own end (notice 2024-17, 二; R21).

    :raises agent.programmes.workdays.CalendarUnknown: the holidays of that time are not published yet
    """
    end = date.fromisoformat(f"{policy.year}-{policy.year_end.parameters.done_by}")
    return min(workdays.before(filing, TITLE_DAYS), end)


def last_reads() -> list[tuple[str, datetime]]:
    """Each source and when it was last read to the end: tells a learner without courses whether to wait."""
    done = SyncRun.objects.filter(state=SyncRun.State.DONE).values_list("source__name")
    return list(done.annotate(at=Max("finished_at")).order_by("source__name")[:8])


def small(policy: Policy, now: Standing) -> str:
    """The small ring of a standing."""
    return small_ring(*_bands(policy, now), title=headline(now, policy.categories, policy.year))


def required_ring(policy: Policy) -> str:
    """What a year asks for, drawn as a year that has it all."""
    public, professional = (
        Band(category_name(each), now, now, kind, bare=True)
        for each, kind, now in (
            (each, kind, _required(policy, each.id))
            for each, kind in zip(policy.categories[:2], ("public", "professional"), strict=True)
        )
    )
    total = hours_text(policy.required_total.parameters.hours)
    return ring(public, professional, total=total, caption=gettext("每年学时"), title="")


def _required(policy: Policy, category: str) -> int:
    return standing(policy, {}).required.get(category, 0)


def _bands(policy: Policy, now: Standing) -> tuple[Band, Band]:
    public, professional = (
        Band(category_name(each), now.credited.get(each.id, 0), now.required.get(each.id, 0), kind)
        for each, kind in zip(policy.categories[:2], ("public", "professional"), strict=True)
    )
    return public, professional


def _ring(policy: Policy, now: Standing) -> str:
    public, professional = _bands(policy, now)
    required = hours_text(now.required["total"])
    return ring(
        public,
        professional,
        total=hours_text(now.total),
        caption=gettext("共需%(hours)s学时") % {"hours": required},
        title="；".join((headline(now, policy.categories, policy.year), public.text, professional.text)),
    )


def _lines(policy: Policy, now: Standing) -> list[Line]:
    names = [(each.id, each.name.en if english() else each.name.zh) for each in policy.categories]
    lines = [
        Line(name, now.credited.get(key, 0), now.required.get(key, 0), now.missing.get(key, 0)) for key, name in names
    ]
    return [*lines, Line(gettext("合计"), now.total, now.required["total"], still_needed(now))]


def _rows(year: Year) -> list[Row]:
    """The ledger's courses with their steps; one query where a certificate may wait."""
    waiting = [entry for entry in year.entries if not entry.certificate and entry.category != "public"]
    keys = [str(entry.achievement) for entry in waiting]
    held = Held.objects.filter(what=Held.What.CERTIFICATE, key__in=keys, released_at=None) if keys else ()
    codes = {item.key: (item.code, readable(item.params)) for item in held}
    rows = []
    for entry in year.entries:
        code, params = codes.get(str(entry.achievement), ("", {}))
        own = entry.category != "public" and bool(entry.credited or entry.certificate)
        track = of_credited(certificate=bool(entry.certificate), public=not own, held=code)
        words = track_words.said(track)
        rows.append(Row(
            entry, drawn(track, words), words, sentence(code, params, english=english()) if code else "",
            track_words.you_can(code) if code else "", track_words.expected(track, None),
        ))  # fmt: skip
    return rows


def _note(held: Waiting, learner: Learner, next_read: datetime | None) -> Note:
    # one number under two names: the other may be somebody else's, and is shown to nobody in full
    params = {
        key: mask_name(str(value)) if key in {"name", "known"} and value != learner.name else value
        for key, value in readable(held.params).items()
    }
    in_english = english()
    track = of_waiting(held.code)
    return Note(
        course=held.course_name or held.course,
        source=held.source,
        learned_on=held.learned_on,
        reason=sentence(held.code, params, english=in_english),
        fix=for_learners(fix(held.code, english=in_english)),
        since=held.opened_at,
        can=track_words.you_can(held.code),
        expected=track_words.expected(track, next_read),
        track=drawn(track, track_words.said(track)),
        said=track_words.said(track),
    )


def _cuts(year: Year) -> list[Cut]:
    by_rule: dict[str, list[YearEntry]] = defaultdict(list)
    for entry in year.entries:
        if entry.capped:
            by_rule[entry.rule].append(entry)
    cuts = []
    for rule_id, entries in sorted(by_rule.items()):
        rule = year.policy.rule(rule_id)
        if rule is None:  # the policy has changed since; the entry's own reason stands in the table
            continue
        name, text = (rule.name.en, rule.sentence.en) if english() else (rule.name.zh, rule.sentence.zh)
        source = f"{rule.source.document} {rule.source.article}"
        told = [(entry, track_words.you_can_of_cut(entry.reason)) for entry in entries]
        cuts.append(Cut(name, text.format_map(shown_parameters(rule)), source, told))
    return cuts
