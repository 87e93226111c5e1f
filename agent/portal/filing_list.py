"""The list of filings: a department's by state, a base's own classes, the bureau's queue by due date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery

from agent.localtime import local_date, now
from agent.portal import filing_words
from agent.portal.filing_access import decides, files_for, visible
from agent.portal.people import Person
from agent.programmes.models import FilingDraft, FilingEvent, Programme, ProgrammeVersion, VoidProposal
from agent.programmes.transitions import WAITING, State
from agent.programmes.workdays import after

MOST = 300


@dataclass(frozen=True, slots=True)
class Row:
    """A filing in a list. Hours in hundredths; None: not said yet."""

    pk: int
    key: str
    title: str
    organiser: str
    implementer: str
    state: str
    filing_number: str
    hours: int | None
    starts_on: date | None
    ends_on: date | None
    since: date | None
    due: date | None
    reason: str
    voiding: bool

    @property
    def state_word(self) -> str:
        """Where it stands."""
        return filing_words.state(self.state)

    @property
    def due_word(self) -> str:
        """By when the bureau decides."""
        return filing_words.due_words(self.due, local_date(now())) if self.due else ""

    @property
    def urgent(self) -> bool:
        """Whether it is due today or was before."""
        return self.due is not None and self.due <= local_date(now())


def rows_of(person: Person, *, state: str = "", year: int | None = None, offset: int, limit: int) -> list[Row]:
    """Some of the filings that ``person`` sees, newest first; one query for all of them."""
    found = visible(person)
    if state:
        found = found.filter(state=state)
    if year:
        found = found.filter(year=year)
    return _rows(found.order_by("-year", "-pk")[offset : offset + limit])


def queue() -> list[Row]:
    """What waits for the bureau, by the day on which it is due; a voiding that waits for its second person first."""
    voiding = Programme.objects.filter(Q(void_proposals__outcome="") & Q(void_proposals__isnull=False))
    waiting = Programme.objects.filter(Q(state__in=WAITING) | Q(pk__in=voiding.values("pk")))
    rows = _rows(waiting.order_by("pk")[:MOST])
    return sorted(rows, key=lambda row: (not row.voiding, row.due or date.max, row.pk))


def _rows(programmes: Iterable[Programme]) -> list[Row]:
    version = ProgrammeVersion.objects.filter(programme=OuterRef("pk")).order_by("-version")
    event = FilingEvent.objects.filter(programme=OuterRef("pk")).order_by("-pk")
    ids = [each.pk for each in programmes]
    annotated = {
        each.pk: each
        for each in Programme.objects.filter(pk__in=ids)
        .select_related("organiser", "implementer")
        .annotate(
            title=Subquery(version.values("title")[:1]), hours=Subquery(version.values("hours")[:1]),
            starts=Subquery(version.values("starts_on")[:1]), ends=Subquery(version.values("ends_on")[:1]),
            since=Subquery(event.values("at")[:1]), why=Subquery(event.values("reason")[:1]),
            typed_title=Subquery(FilingDraft.objects.filter(programme=OuterRef("pk")).values("typed__title")[:1]),
            voiding=Subquery(VoidProposal.objects.filter(programme=OuterRef("pk"), outcome="").values("pk")[:1]),
        )
    }  # fmt: skip
    return [_row(annotated[pk]) for pk in ids]


def _row(each: Programme) -> Row:
    of: dict[str, object] = each.__dict__
    since = local_date(of["since"]) if of["since"] else None  # type: ignore[arg-type] # annotated above
    due = after(since, settings.FILING_DECIDE_DAYS) if since and each.state in WAITING else None
    own = of["typed_title"] if each.state in (State.DRAFT, State.RETURNED) else None
    return Row(
        each.pk, str(each), str(own or of["title"] or ""), each.organiser.name,
        each.implementer.name if each.implementer else "", each.state, each.filing_number or "",
        of["hours"], of["starts"], of["ends"], since, due, "" if of["why"] == "import" else str(of["why"] or ""),  # type: ignore[arg-type]
        voiding=bool(of["voiding"]),
    )  # fmt: skip


def counts(person: Person) -> Counter[str]:
    """How many filings there are in each state."""
    return Counter(visible(person).values_list("state", flat=True))


def headline(person: Person, waiting: Sequence[Row], by_state: Counter[str]) -> str:
    """The first line."""
    if decides(person):
        today = local_date(now())
        overdue = sum(row.due is not None and row.due < today for row in waiting)
        return filing_words.queue_headline(len(waiting), overdue, sum(row.due == today for row in waiting))
    if files_for(person):
        return filing_words.own_headline(by_state[State.RETURNED], by_state[State.DRAFT], sum(by_state.values()))
    return filing_words.own_headline(0, 0, sum(by_state.values()))
