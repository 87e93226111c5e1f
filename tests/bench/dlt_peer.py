"""dlt reads the report into PostgreSQL as its documentation has it. Runs in the peers' environment, knows nothing of us.

Usage: ``dlt_peer.py URL TOKEN POSTGRESQL_URL``. The best set-up that we found: merge by key, files as CSV.
Rows come as lists of cells, so a ``processing_steps`` map names them, as a user of dlt would have to.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
_folder = tempfile.TemporaryDirectory()
os.environ["DLT_DATA_DIR"] = _folder.name

import dlt  # noqa: E402 - it reads the environment when it is imported
from dlt.sources.rest_api import rest_api_source  # noqa: E402

_CELLS = (
    "username", "id_number", "national_id", "last_name", "first_name", "course_id_number", "course", "course_name",
    "category", "completed", "time_completed", "grade", "status",
)  # fmt: skip


def record(row: dict[str, Any]) -> dict[str, str]:
    """A row as a record with a key."""
    named = dict(zip(_CELLS, row["columns"], strict=True))
    named["key"] = f"{named['username']}|{named['course']}"
    return named


def main(url: str, token: str, database: str) -> None:
    """Extract, normalise, load; print what it took."""
    question = {
        "wstoken": token, "wsfunction": "core_reportbuilder_retrieve_report", "moodlewsrestformat": "json",
        "moodlewssettingtimezone": "UTC", "reportid": 1, "perpage": 5000,
    }  # fmt: skip
    pages = {
        "type": "page_number",
        "base_page": 0,
        "page_param": "page",
        "total_path": None,
        "stop_after_empty_page": True,
    }
    report = {"path": "webservice/rest/server.php", "params": question, "data_selector": "data.rows"}
    source = rest_api_source(
        {
            "client": {"base_url": f"{url}/", "paginator": pages},
            "resource_defaults": {"primary_key": "key", "write_disposition": "merge"},
            "resources": [{"name": "completion", "endpoint": report, "processing_steps": [{"map": record}]}],
        }
    )
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(database), dataset_name="peer", pipelines_dir=_folder.name
    )
    began = time.perf_counter()
    pipeline.extract(source, loader_file_format="csv")
    pipeline.normalize()
    pipeline.load()
    seconds = time.perf_counter() - began
    with pipeline.sql_client() as client:
        ((rows,),) = client.execute_sql("SELECT count(*) FROM completion")
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) / 1024
    print(json.dumps({"peer": f"dlt {dlt.__version__}", "rows": rows, "seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
