"""How the sources are: their last pull, the last good one, whether they rest, and twenty pulls at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
from django.db import connection
from django.utils.translation import gettext, ngettext

from agent.figures.look import Pulls
from agent.intake.models import Source, SyncRun
from agent.localtime import SHANGHAI, local_date, now
from agent.portal.strip import pulls_strip

GLANCE = 20
"""Pulls of a source that are drawn."""
_OVERDUE = timedelta(days=2)
_HEALTH = """
SELECT s.id, p.open_until, good.at, (glance.pulls)::text
FROM intake_source s
LEFT JOIN intake_sourcestate p ON p.source_id = s.id
LEFT JOIN LATERAL (
    SELECT r.finished_at AS at FROM intake_syncrun r WHERE r.source_id = s.id AND r.state = 'done'
    ORDER BY r.started_at DESC LIMIT 1
) good ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(r.id, r.state) ORDER BY r.started_at) AS pulls FROM (
        SELECT id, state, started_at FROM intake_syncrun r WHERE r.source_id = s.id
        ORDER BY r.started_at DESC LIMIT %s
    ) r
) glance ON true
WHERE %s::bigint[] IS NULL OR s.id = ANY(%s)
"""


@dataclass(slots=True)
class SourceHealth:
    """One source. ``run``: its last pull; ``good_at``: when the last good one ended; ``strip``: the last, drawn."""

    source: Source
    run: SyncRun | None
    good_at: datetime | None
    rests_until: datetime | None
    strip: str
    pulls: Pulls = field(default_factory=Pulls)

    @property
    def overdue(self) -> bool:
        """Whether it should have been read and was not, for days."""
        since = self.good_at or self.source.connected_at
        return self.source.scheduled and since < now() - _OVERDUE

    @property
    def trouble(self) -> bool:
        """Whether a person has to look at it."""
        failed = self.run is not None and self.run.state == SyncRun.State.FAILED
        return failed or self.rests_until is not None or self.overdue

    @property
    def word(self) -> str:
        """How it is."""
        if self.rests_until:
            return gettext("停读到%(at)s") % {"at": f"{self.rests_until.astimezone(SHANGHAI):%m-%d %H:%M}"}
        if self.run is None:
            return gettext("还没有读取过")
        if self.run.state == SyncRun.State.FAILED:
            return gettext("失败")
        if self.overdue:
            days = (local_date(now()) - local_date(self.good_at or self.source.connected_at)).days
            return ngettext("%(n)d天没有读完", "%(n)d天没有读完", days) % {"n": days}
        return gettext("进行中") if self.run.state == SyncRun.State.RUNNING else gettext("正常")


def health_of(sources: Sequence[int] | None) -> list[SourceHealth]:
    """The sources of those keys (None: all), those in trouble first."""
    with connection.cursor() as cursor:
        asked = None if sources is None else list(sources)
        cursor.execute(_HEALTH, [GLANCE, asked, asked])
        rows = [(pk, until, good, orjson.loads(pulls or "[]")) for pk, until, good, pulls in cursor.fetchall()]
    known = Source.objects.defer("token", "push_secret").in_bulk([row[0] for row in rows])
    last = SyncRun.objects.in_bulk([pulls[-1][0] for *_, pulls in rows if pulls])
    found = []
    for pk, until, good, pulls in rows:
        run = last.get(pulls[-1][0]) if pulls else None
        if run:
            run.source = known[pk]
        resting = until if until and until > now() else None
        found.append(SourceHealth(known[pk], run, good, resting, _strip([state for _, state in pulls])))
    return sorted(found, key=lambda each: (not each.trouble, each.source.name))


def _strip(states: Sequence[str]) -> str:
    if not states:
        return ""
    failed = states.count("failed")
    said = ngettext("最近%(n)d次读取", "最近%(n)d次读取", len(states)) % {"n": len(states)}
    ill = ngettext("，%(n)d次失败", "，%(n)d次失败", failed) % {"n": failed}
    title = said + (ill if failed else gettext("，都成功"))
    return pulls_strip(states, title=title)
