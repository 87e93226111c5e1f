"""Completions that are kept column by column.

Most of what a page says is taken over by looks in C at whole columns (is all of it text, how long is the longest), and
is written column by column, too. A dictionary a row between the two costs more than either of them (ADR 30).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, cast, overload

from connectors.records import MAY_LACK, MUST_HAVE, Completion


class RecordTable(Sequence[Completion]):
    """Completions, each made when it is asked for.

    :param columns: of equal length, by the names of `Completion`'s parts. Of those that a record may lack, a column may
        be left out, and None in one means that this record lacks it.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns

    @classmethod
    def of(cls, records: Sequence[Completion]) -> RecordTable:
        """``records`` as a table."""
        if isinstance(records, cls):
            return records
        columns: dict[str, Sequence[Any]] = {name: [one[name] for one in records] for name in MUST_HAVE}  # type: ignore[literal-required] # the record's own names
        for name in MAY_LACK:
            column = [one.get(name) for one in records]
            if any(value is not None for value in column):
                columns[name] = column
        return cls(columns)

    def only(self, places: Sequence[int]) -> RecordTable:
        """The records in these places."""
        return RecordTable({name: [column[at] for at in places] for name, column in self.columns.items()})

    def __len__(self) -> int:
        return len(self.columns["key"])

    @overload
    def __getitem__(self, at: int) -> Completion: ...
    @overload
    def __getitem__(self, at: slice) -> RecordTable: ...
    def __getitem__(self, at: int | slice) -> Completion | RecordTable:
        if isinstance(at, slice):
            return RecordTable({name: column[at] for name, column in self.columns.items()})
        return _record(self.columns, [column[at] for column in self.columns.values()])

    def __iter__(self) -> Iterator[Completion]:
        return map(_record, repeat(self.columns), zip(*self.columns.values(), strict=True))


def _record(names: Mapping[str, Any], values: Sequence[Any]) -> Completion:
    there = {name: value for name, value in zip(names, values, strict=True) if value is not None or name in MUST_HAVE}
    return cast("Completion", there)
