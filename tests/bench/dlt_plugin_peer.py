"""dlt reads the companion plugin's pages into PostgreSQL. Runs in the peers' environment, knows nothing of us.

Usage: ``dlt_plugin_peer.py SITES ROWS_A_CALL POSTGRESQL_URL [SET-UP]``. SITES is JSON: for each table that is wanted,
the address and the token of the site that it comes from; several are read at once (``parallelized``). Rows come as
objects with a number of their own, so they are merged as they are. Set-ups, to look which is the fastest:

``csv``, ``insert_values``      rest_api, the rows as records
``csv+2``                       the same, normalised by two processes
``arrow``                       pages by columns, made into tables of pyarrow by a resource of one's own, which dlt need not
                                look into
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
_folder = tempfile.TemporaryDirectory()
os.environ["DLT_DATA_DIR"] = _folder.name
_PIECE = 20_000  # rows of a file, so that the processes have something to share

import dlt  # noqa: E402 - it reads the environment when it is imported
from dlt.common import json as quick  # noqa: E402
from dlt.sources.helpers import requests  # noqa: E402
from dlt.sources.helpers.requests import Request, Response  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import BasePaginator  # noqa: E402
from dlt.sources.rest_api import rest_api_resources  # noqa: E402

_PATH = "webservice/rest/server.php"
_FLAGS = ("deleted", "suspended")


class Keyset(BasePaginator):
    """Asks for what lies behind the time and the number of the last row, until a page is not full."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._behind = {"fromtime": 0, "fromid": 0}

    def init_request(self, request: Request) -> None:
        self.update_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:  # noqa: ARG002 - its form is dlt's
        self._has_next_page = bool(data) and len(data or ()) == self._size
        if self._has_next_page and data:
            self._behind = {"fromtime": data[-1]["timecompleted"], "fromid": data[-1]["id"]}

    def update_request(self, request: Request) -> None:
        request.params = {**(request.params or {}), **self._behind}


def question(token: str, size: int) -> dict[str, Any]:
    """What a call asks for, besides its place."""
    return {
        "wstoken": token, "wsfunction": "local_xueshi_get_completions", "moodlewsrestformat": "json", "limit": size,
    }  # fmt: skip


def records(name: str, url: str, token: str, size: int) -> Any:
    """The completions of a site by dlt's own source for web services."""
    endpoint = {"path": _PATH, "params": question(token, size), "data_selector": "completions"}
    (resource,) = rest_api_resources(
        {
            "client": {"base_url": f"{url}/", "paginator": Keyset(size)},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge", "parallelized": True},
            "resources": [{"name": name, "endpoint": endpoint}],
        }
    )
    return resource


def tables(name: str, url: str, token: str, size: int) -> Any:
    """The same as tables of pyarrow, made of the plugin's columns: no object a row."""
    import pyarrow as pa

    def table(said: dict[str, Any]) -> Any:
        rows, course = len(said["id"]), pa.array(said.pop("course"))
        made = {title: pa.array(values).take(course) for title, values in said.pop("courses").items()}
        for title, values in said.items():
            if title in _FLAGS:
                true = set(values)
                made[title] = [place in true for place in range(rows)]
            else:
                made[title] = values.split("\n") if isinstance(values, str) else values
        return pa.table(made)

    @dlt.resource(name=name, primary_key="id", write_disposition="merge", parallelized=True)
    def completions() -> Iterator[Any]:
        behind, more = {"fromtime": 0, "fromid": 0}, True
        while more:
            asked = question(token, size) | {"form": "columns"} | behind
            answer = quick.loadb(requests.get(f"{url}/{_PATH}", params=asked).content)
            page = quick.loads(answer["columns"])
            more, behind = answer["more"], {"fromtime": page["timecompleted"][-1], "fromid": page["id"][-1]}
            yield table(page)

    return completions


def main(sites: str, size: str, database: str, setup: str = "csv") -> None:
    """Extract, normalise, load; print what it took."""
    kind, _, workers = setup.partition("+")
    if workers:
        os.environ |= {
            "NORMALIZE__WORKERS": workers,
            "NORMALIZE__START_METHOD": "spawn",
            "DATA_WRITER__FILE_MAX_ITEMS": str(_PIECE),
        }
    made = tables if kind == "arrow" else records
    names = [f"completion_{place}" for place in range(len(json.loads(sites)))]
    resources = [made(name, url, token, int(size)) for name, (url, token) in zip(names, json.loads(sites), strict=True)]
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(database), dataset_name="peer", pipelines_dir=_folder.name
    )
    began = time.perf_counter()
    pipeline.extract(resources, loader_file_format="insert_values" if kind == "insert_values" else "csv")
    pipeline.normalize()
    pipeline.load()
    seconds = time.perf_counter() - began
    with pipeline.sql_client() as client:
        rows = sum(client.execute_sql(f"SELECT count(*) FROM {name}")[0][0] for name in names)  # noqa: S608 - our own
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) / 1024
    print(json.dumps({"peer": f"dlt {dlt.__version__}", "rows": rows, "seconds": seconds, "megabytes": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
