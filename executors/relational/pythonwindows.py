"""Users' Python functions over windows: a grouped pandas_udf of the rows of each row's frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from executors.relational.pandas_values import scalar_of, series_of
from executors.relational.python import Calls, Tables, groups
from planner.columns.expressions import Attr

Bounds = tuple[str, int | None, int | None]  # rows or range, first, last; None is without a bound


@dataclass(frozen=True, eq=False)
class FoldWindows:
    """f(partition, tables): the first `kept` of the columns `given`, and one more for each call.
    Windows are made of the columns `keys`, in the order of `orders` (place, ascending, whether
    NULLs lead); `frames` are those of the calls."""

    given: tuple[Attr, ...]
    kept: int
    keys: tuple[int, ...]
    orders: tuple[tuple[int, bool, bool], ...]
    calls: tuple[Calls, ...]
    frames: tuple[Bounds, ...]
    attrs: tuple[Attr, ...]
    zone: str

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        names = [attr.column for attr in self.attrs]
        for _, table in groups(tables, self.given, self.keys):
            rows = self._in_order(table)
            peers = self._peers(rows)
            made = [
                self._values(call, frame, rows, peers)
                for call, frame in zip(self.calls, self.frames, strict=True)
            ]
            columns = [rows.column(at) for at in range(self.kept)]
            yield pa.Table.from_arrays([*columns, *made], names=names)

    def _in_order(self, table: pa.Table) -> pa.Table:
        if not self.orders:
            return table
        places = [str(at) for at, _, _ in self.orders]
        frame = pl.DataFrame({name: pl.from_arrow(table.column(int(name))) for name in places})
        found = frame.with_row_index("row").sort(
            places,
            descending=[not ascending for _, ascending, _ in self.orders],
            nulls_last=[not lead for _, _, lead in self.orders],
            maintain_order=True,
        )
        return table.take(found["row"].to_arrow())

    def _peers(self, rows: pa.Table) -> list[tuple[int, int]]:
        """For each row the first that its order makes no difference to, and the one after the
        last."""
        if not self.orders:
            return [(0, rows.num_rows)] * rows.num_rows
        columns = [pl.from_arrow(rows.column(at)) for at, _, _ in self.orders]
        runs = pl.DataFrame({str(at): column for at, column in enumerate(columns)})
        number = runs.select(pl.struct(pl.all()).rle_id())
        lengths = number.to_series().value_counts(sort=False).sort(number.columns[0])["count"]
        found: list[tuple[int, int]] = []
        for length in lengths:
            first = len(found)
            found += [(first, first + length)] * length
        return found

    def _values(
        self, call: Calls, frame: Bounds, rows: pa.Table, peers: Sequence[tuple[int, int]]
    ) -> Any:
        columns = [rows.column(at) for at in call.args]
        kinds = [self.given[at].kind for at in call.args]

        def answer(low: int, high: int) -> Any:
            cut = [column.slice(low, max(0, high - low)) for column in columns]
            series = [series_of(c, k, self.zone) for c, k in zip(cut, kinds, strict=True)]
            return call.f(*series)

        known: dict[tuple[int, int], Any] = {}
        found = []
        for place in range(rows.num_rows):
            ends = _ends(frame, place, rows.num_rows, peers[place])
            if ends not in known:
                known = {ends: answer(*ends)}  # rows of one frame stand together
            found.append(known[ends])
        return scalar_of(found, call.kind, self.zone, call.name)


def _ends(frame: Bounds, place: int, count: int, peers: tuple[int, int]) -> tuple[int, int]:
    """The first row of a row's frame, and the one after the last."""
    unit, start, end = frame
    if unit == "range":
        return 0 if start is None else peers[0], count if end is None else peers[1]
    low = 0 if start is None else min(max(0, place + start), count)
    high = count if end is None else min(max(0, place + end + 1), count)
    return low, max(low, high)
