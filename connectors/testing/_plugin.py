"""The three functions of the companion plugin `local_xueshi`, over the same site, and how they go wrong on demand."""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from typing import Any

from connectors.testing._companion import Companion
from connectors.testing._functions import CHANGES, COMPLETIONS, DIGEST, INT, TEXT, Call, Encoded, plays
from connectors.testing._wire import MoodleError, php_json

_MOST_ROWS, _USUAL_ROWS = 10_000, 5000
_SMALLEST_BLOCK, _LARGEST_BLOCK, _MOST_BLOCKS = 100, 100_000, 1000
_FIELDS = {"sfzh": "身份证号", "idnumber": "ID number", "": ""}


@plays(
    COMPLETIONS,
    **dict.fromkeys(("fromtime", "fromid", "totime", "firstid", "lastid", "limit", "count"), (INT, 0)),
    form=(TEXT, None),
)
def _completions(call: Call) -> Any:
    args, companion = call.args, _companion(call)
    limit = _within(args["limit"] or _USUAL_ROWS, 1, _MOST_ROWS)
    if args["form"] not in ((None, "rows", "columns") if companion.answers_columns else (None,)):
        raise MoodleError("invalidparameter")
    cursor = args["fromtime"], args["fromid"]
    if args["fromid"] and call.faults.take("page_repeated", COMPLETIONS):
        cursor = 0, 0
    picture = companion.picture()
    places, start, stop = picture.behind(cursor, args["totime"], (args["firstid"], args["lastid"]))
    total = stop - start if args["count"] else -1
    if fault := args["count"] and call.faults.take("totals_lie", COMPLETIONS):
        total += fault["by"]
    end = min(stop, start + limit)
    if fault := call.faults.take("list_cut", COMPLETIONS):
        end = max(start, end - fault["rows"])
    unset = call.faults.take("identity_unset", COMPLETIONS)
    field = "" if unset else companion.identity_field
    head = {
        "servertime": int(time.time()),
        "sequence": companion.last,
        "identityfield": {"shortname": field, "name": _FIELDS[field]},
        "total": total,
        "more": stop - start > limit,
    }
    if args["form"] == "columns":
        columns = companion.columns().page(places, start, end, identity=not unset)
        return Encoded(f'{php_json(head)[:-1]},"columns":"{columns}"}}')
    shown = picture.texts(places[start:end])
    if unset:
        shown = [php_json({**json.loads(one), "identity": ""}) for one in shown]
    return _listed(head, "completions", shown)


@plays(DIGEST, firstid=(INT, 0), blocksize=(INT, 5000), limit=(INT, 200))
def _digest(call: Call) -> Any:
    args, companion = call.args, _companion(call)
    size, limit = _within(args["blocksize"], _SMALLEST_BLOCK, _LARGEST_BLOCK), _within(args["limit"], 1, _MOST_BLOCKS)
    picture = companion.picture()
    start = (max(args["firstid"], 1) - 1) // size
    end = min(start + limit, picture.ids[-1] // size + 1 if picture.ids else start)
    blocks = []
    for first in range(start * size + 1, end * size + 1, size):
        rows, marks = picture.block(first, first + size - 1)
        if rows:
            blocks.append({"first": first, "last": first + size - 1, "rows": rows, "marks": marks})
    if blocks and (fault := call.faults.take("wrong_digest", DIGEST)):
        blocks[0]["marks"] += fault["by"]
    at = bisect_right(picture.ids, end * size)
    following = picture.ids[at] if at < len(picture.ids) else 0
    return {"servertime": int(time.time()), "sequence": companion.last, "blocks": blocks, "nextid": following}


@plays(CHANGES, after=(INT, 0), limit=(INT, _USUAL_ROWS))
def _changes(call: Call) -> Any:
    args, companion = call.args, _companion(call)
    told, more = companion.told(args["after"], _within(args["limit"], 1, _MOST_ROWS))
    first = companion.first
    if call.faults.take("log_cut", CHANGES):
        first = max(companion.last, args["after"] + 2)
    head = {"servertime": int(time.time()), "first": first, "last": companion.last, "more": more}
    return _listed(head, "changes", told)


def _companion(call: Call) -> Companion:
    assert call.companion is not None  # the server has looked
    return call.companion


def _within(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise MoodleError("invalidparameter")
    return value


def _listed(head: dict[str, Any], name: str, rows: list[str]) -> Encoded:
    return Encoded(f'{php_json(head)[:-1]},"{name}":[{",".join(rows)}]}}')
