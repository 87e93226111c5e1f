"""Measures the stages behind intake in a process of its own: ``stages_run URL TOKEN`` in a fresh ``XUESHI_HOME``.

The people and completions are those that intake landed; every course is filed, so that nearly all rows go all the way.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from agent.boot import start
from tests.bench.measure import peak_megabytes, processor_seconds

_PUBLIC_EVERY = 4  # of the courses, one in four is a public one


def main(url: str, token: str) -> None:
    """Land, match, credit, issue; print what each took."""
    start()
    from agent.certificates import stage as certificates
    from agent.credit import stage as credit
    from agent.flow import policies, year_rule
    from agent.intake.sources import save
    from agent.intake.sync import pull
    from agent.matching import stage as matching

    source, _ = save("bench", kind="moodle", url=url, token=token, options={"report_id": "1"}, allow_private=True)
    _file_every_course(source)
    rules = policies()
    found: dict[str, Any] = {}
    found["rows"] = pull(source).landed
    matched = _timed(found, "matching", lambda: matching.run([year_rule(policy) for policy in rules.values()]))
    credited = _timed(found, "credit", lambda: credit.run(rules))
    issued = _timed(found, "issuing", lambda: certificates.run(rules))
    found |= {
        "matched": matched.matched,
        "held": matched.held,
        "learners": credited.learner_years,
        "entries": credited.appended,
        "issued": issued.issued,
        "megabytes": peak_megabytes(),
    }
    print(json.dumps(found))


def _timed(found: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    began, busy, server = time.perf_counter(), time.process_time(), processor_seconds(backend)
    result = work()
    found |= {
        f"{name}_seconds": time.perf_counter() - began,
        f"{name}_cpu": time.process_time() - busy,
        f"{name}_server_cpu": processor_seconds(backend) - server,
    }
    return result


def _file_every_course(source: Any) -> None:
    from agent.intake.sources import connector
    from agent.programmes.file import ProgrammeFile
    from agent.programmes.filing import import_programmes

    with connector(source) as reader:
        courses = [course for course in reader.courses() if course.code]
    year = {"start": "2024-01-01", "end": "2024-12-31", "state": "filed"}
    programmes = []
    for place, course in enumerate(courses):
        public = place % _PUBLIC_EVERY == 0
        kind = {"category": "public", "organiser": "hr", "subject": "安全生产"}
        if not public:
            kind = {"category": "professional", "organiser": "industry", "series": "工程"}
        head = {"key": f"B{place:03d}", "title": course.name, "hours": 8 + place}
        programmes.append({**head, **kind, **year, "course": {"shortname": course.code}})
    departments = {
        "industry": {"name": "枣庄市工业和信息化局（示例）", "uscc": "1137040000431C3D4B"},
        "hr": {"name": "枣庄市人力资源和社会保障局（示例）", "uscc": "1137040000458G9H1G"},
    }
    content = ProgrammeFile.model_validate({"departments": departments, "programmes": programmes})
    import_programmes(content, path="bench", source=source, actor="bench")


if __name__ == "__main__":
    main(*sys.argv[1:])
