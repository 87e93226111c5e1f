"""What the sources' own corrections do to certificates, without anybody's asking: part of the issuing stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.certificates.events import Happened, record
from agent.certificates.transitions import Kind
from agent.localtime import now

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

# A correction that makes it another person's, or another programme's, takes back what the certificate says.
_TAKE_BACK = """
UPDATE certificates_certificate c SET state = 'revoked'
FROM matching_achievement a JOIN programmes_programmeversion v ON v.id = a.programme_version_id
LEFT JOIN programmes_courselink k ON k.id = a.course_link_id
JOIN intake_completion m ON m.id = a.completion_id
WHERE a.id = c.achievement_id AND c.state IN ('issued', 'suspended')
  AND (a.withdrawn OR a.learner_id <> c.learner_id OR v.programme_id <> c.programme_id)
RETURNING c.id, CASE WHEN a.withdrawn AND m.passed AND k.withdrawn_at IS NOT NULL THEN 'mapping withdrawn'
                     WHEN a.withdrawn AND m.passed THEN 'decision taken back'
                     WHEN a.withdrawn THEN 'taken back by the source'
                     WHEN a.learner_id <> c.learner_id THEN 'corrected by the source: another person'
                     ELSE 'corrected by the source: another programme' END,
          CASE WHEN a.withdrawn AND NOT m.passed THEN 'source_withdrew' ELSE 'wrong_facts' END
"""


def take_back(cursor: CursorWrapper) -> int:
    """Revoke every live certificate whose completion the source took back or made another's; how many."""
    cursor.execute(_TAKE_BACK)
    gone = [Happened(*row) for row in cursor.fetchall()]
    record(cursor, Kind.REVOKED, gone, now())
    return len(gone)
