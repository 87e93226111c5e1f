"""Measures an archive in a process of its own: ``zip_run COUNT`` in a fresh ``XUESHI_HOME``.

One page is drawn and signed; its bytes stand for those of all others, for it is the writing of the file that is
measured here, and drawing is measured by `pages`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from agent.boot import start
from agent.home import home
from tests.bench.measure import peak_megabytes

_COPIES = """
INSERT INTO certificates_certificatepdf (certificate_id, pdf, sha256, made_at, template_id, language)
SELECT c.id, p.pdf, p.sha256, p.made_at, p.template_id, p.language
FROM certificates_certificate c CROSS JOIN certificates_certificatepdf p
ON CONFLICT DO NOTHING
"""


def main(count: str, how: str = "prepare") -> None:
    """Prepare, and have a process of its own write the file; print what that took."""
    start()
    if how == "write":
        write()
        return
    prepare(int(count))
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.zip_run", count, "write"], check=True, stdout=subprocess.PIPE, text=True
    )
    print(done.stdout.splitlines()[-1])


def prepare(count: int) -> None:
    """So many certificates of one programme, with pages."""
    from django.db import connection

    from agent.certificates.models import Certificate
    from agent.certificates.pdfs import pdf_of
    from agent.flow import run_stages
    from agent.intake.sync import pull
    from tests.house.houses import file_programmes, filing_number, line, number, roster

    file_programmes()
    filed = filing_number("P1")
    people = [
        line(f"王{chr(0x4E00 + n % 3000)}", 1, filed, 身份证号=number(n % 900 + 1, f"{1950 + n // 900}0101"))
        for n in range(count)
    ]
    pull(roster(home() / "people.csv", *people))
    run_stages()
    pdf_of(Certificate.objects.all()[0])
    with connection.cursor() as cursor:
        cursor.execute(_COPIES)


def write() -> None:
    """Write the file as the command does."""
    from agent.certificates import archive
    from agent.programmes.filing import find

    out = Path(home()) / "archive.zip"
    began, busy, before = time.perf_counter(), time.process_time(), peak_megabytes()
    with out.open("wb") as file:
        file.writelines(archive.stream(archive.of_programme(find("P1"))))
    found = {
        "seconds": time.perf_counter() - began, "cpu": time.process_time() - busy, "before": before,
        "megabytes": peak_megabytes(), "size": out.stat().st_size / 1e6,
    }  # fmt: skip
    with zipfile.ZipFile(out) as written:
        found["files"] = len(written.namelist()) - 1
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
