"""Many learners' years, one line each: read, judged and answered in order, in little memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from agent.credit.answer import answer
from agent.credit.asking import read
from agent.credit.errors import AchievementInvalid, EvidenceUsed
from agent.credit.policy import Policy, load_policy
from agent.credit.reckoning import reckon
from agent.errors import XueshiError

_CHUNK = 250  # learners at a time
_AHEAD = 3  # chunks that wait for each process: keeps memory flat
_FEW = 500  # learners for which other processes would not be worth starting


class Rules(NamedTuple):
    """Where a policy is, for whoever has to load it."""

    region: str
    year: int
    folder: Path | None = None

    def load(self) -> Policy:
        """The policy."""
        return load_policy(self.region, self.year, self.folder)


@dataclass(slots=True)
class Evaluated:
    """What was done."""

    learners: int = 0
    entries: int = 0
    refused: int = 0


class _Done(NamedTuple):
    """A line's answer, and the files that it rests on: where in it, and a short digest of each."""

    line: bytes
    entries: int
    refused: bool
    proofs: list[tuple[str, int]]


def evaluate_one(policy: Policy, content: bytes, file: str, *, full: bool = False) -> dict[str, Any]:
    """One learner's answer.

    :raises YearInvalid, YearUnreadable, CalendarUnknown: see `agent.credit.asking.read`, `agent.credit.reckoning`
    """
    return answer(policy, reckon(policy, read(policy, content, file)), full=full)


def evaluate_many(
    rules: Rules,
    lines: Iterable[bytes],
    write: Callable[[bytes], object],
    *,
    full: bool = False,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Evaluated:
    """Answer each line by a line, in order. What is refused is answered by its error, and the others go on.

    A file that proves something of one learner proves nothing of another any more (R23): the later line is refused.
    """
    done, used = Evaluated(), dict[int, int]()
    for batch in _batches(rules, lines, full=full, processes=processes):
        for each in batch:
            done.learners += 1
            line = each.line
            refused = each.refused
            if each.proofs and (again := next(((at, used[d]) for at, d in each.proofs if d in used), None)):
                line, refused = _refusal(done.learners, EvidenceUsed(path=again[0], line=again[1])), True
            else:
                used.update((digest, done.learners) for _, digest in each.proofs)
            done.refused += refused
            done.entries += 0 if refused else each.entries
            write(line)
        if progress:
            progress(done.learners)
    return done


def _batches(rules: Rules, lines: Iterable[bytes], *, full: bool, processes: int | None) -> Iterator[list[_Done]]:
    lines = iter(lines)
    head = list(islice(lines, _FEW))
    count = processes or _cores()
    if len(head) < _FEW or count == 1:
        policy = rules.load()
        number = 1
        for chunk in _chunks(head, lines):
            yield [_one(policy, line, number + place, full=full) for place, line in enumerate(chunk)]
            number += len(chunk)
        return
    # spawned, and not forked: whoever asks may have threads and open connections
    with ProcessPoolExecutor(count, get_context("spawn"), _begin, (rules, full)) as pool:
        waiting: deque[Future[list[_Done]]] = deque()
        number = 1
        for chunk in _chunks(head, lines):
            waiting.append(pool.submit(_judge, number, chunk))
            number += len(chunk)
            if len(waiting) > count * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _chunks(head: list[bytes], lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while head:
        yield head[:_CHUNK]
        head = head[_CHUNK:]
    while chunk := list(islice(lines, _CHUNK)):
        yield chunk


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_policy: Policy
_full = False


def _begin(rules: Rules, full: bool) -> None:
    """What a process has to know."""
    global _policy, _full
    _policy, _full = rules.load(), full


def _judge(first: int, lines: list[bytes]) -> list[_Done]:
    return [_one(_policy, line, first + place, full=_full) for place, line in enumerate(lines)]


def _one(policy: Policy, line: bytes, number: int, *, full: bool) -> _Done:
    try:
        year = read(policy, line, f"line {number}")
        found = reckon(policy, year)
    except (XueshiError, AchievementInvalid) as error:
        return _Done(_refusal(number, error), 0, refused=True, proofs=[])
    proofs = [(path, _digest(value)) for path, value in year.proofs]
    return _Done(orjson.dumps(answer(policy, found, full=full)), len(found.entries), refused=False, proofs=proofs)


def _digest(value: str) -> int:
    return int.from_bytes(blake2b(value.encode(), digest_size=8).digest())


def _refusal(number: int, error: XueshiError) -> bytes:
    return orjson.dumps({"line": number, "error": told(error)})


def told(error: XueshiError) -> dict[str, Any]:
    """An error as JSON says it, with every problem of the year and its place."""
    said: dict[str, Any] = {"code": error.code, "message": error.message, "fix": error.how_to_fix}
    if problems := getattr(error, "problems", ()):
        said["problems"] = list(problems)
    return said
