"""A tap of singer-sdk for the companion plugin's pages. Runs in the peers' environment, knows nothing of us.

``XUESHI_BENCH_SITE`` is JSON: the address, the token, rows a call, and the second from which on rows are wanted.
"""

from __future__ import annotations

import json
import os
from typing import Any

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.streams import RESTStream

_URL, _TOKEN, _SIZE, _SINCE = json.loads(os.environ["XUESHI_BENCH_SITE"])
_NUMBERS = ("id", "userid", "courseid", "enrolled", "timeenrolled", "timestarted", "timecompleted", "mark")
_WORDS = (
    "username", "idnumber", "identity", "lastname", "firstname", "courseshortname", "courseidnumber", "coursefullname",
    "grade", "grademax",
)  # fmt: skip
_FLAGS = ("deleted", "suspended")


class _Keyset(BaseAPIPaginator[tuple[int, int]]):
    def has_more(self, response: Any) -> bool:
        return bool(response.json()["more"])

    def get_next(self, response: Any) -> tuple[int, int]:
        last = response.json()["completions"][-1]
        return last["timecompleted"], last["id"]


class _Completions(RESTStream):
    name = "completion"
    url_base = _URL
    path = "/webservice/rest/server.php"
    primary_keys = ("id",)
    records_jsonpath = "$.completions[*]"
    schema = th.PropertiesList(
        *(th.Property(name, th.IntegerType) for name in _NUMBERS),
        *(th.Property(name, th.StringType) for name in _WORDS),
        *(th.Property(name, th.BooleanType) for name in _FLAGS),
    ).to_dict()

    def get_new_paginator(self) -> _Keyset:
        return _Keyset((_SINCE, 0))

    def get_url_params(
        self,
        context: Any,  # noqa: ARG002 - its form is singer's
        next_page_token: tuple[int, int],
    ) -> dict[str, Any]:
        time, number = next_page_token
        return {
            "wstoken": _TOKEN, "wsfunction": "local_xueshi_get_completions", "moodlewsrestformat": "json",
            "limit": _SIZE, "fromtime": time, "fromid": number,
        }  # fmt: skip


class _TapBench(Tap):
    name = "tap-bench"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[RESTStream]:
        return [_Completions(self)]


if __name__ == "__main__":
    _TapBench.cli()
