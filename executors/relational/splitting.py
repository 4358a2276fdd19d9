"""Arrow tables cut into channels by their rows.

Polars is loaded by the functions only: the exchange of Python rows comes through here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from executors.relational.tables import table_of

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_SEED = 2611  # of the hash that all processes share
_FEW = 32  # channels
_MANY = 2048  # rows of a channel
_SMALL = 1 << 16  # bytes that are not worth looking at


def by_hash(
    tables: Sequence[pa.Table], keys: Sequence[int], channels: int
) -> Iterator[tuple[int, pa.Table]]:
    """(channel, its rows) by the hash of the columns at places `keys`; rows keep their order."""
    frame = joined(tables)
    if channels == 1:
        yield 0, exported(frame)
        return
    yield from _cut(frame, hashes(frame, keys) % channels, channels)


def dealt(tables: Sequence[pa.Table], channels: int, start: int) -> Iterator[tuple[int, pa.Table]]:
    """(channel, its rows), the rows in the order of their hashes dealt from channel `start` on."""
    import numpy as np
    import polars as pl

    frame = joined(tables)
    if channels == 1:
        yield 0, exported(frame)
        return
    order = hashes(frame, range(frame.width)).arg_sort().to_numpy()
    channel: Any = np.empty(frame.height, dtype=np.uint32)
    channel[order] = np.arange(start, start + frame.height) % channels
    placed = pl.Series(channel)
    yield from _cut(frame, placed, channels)


def by_last_column(tables: Sequence[pa.Table], channels: int) -> Iterator[tuple[int, pa.Table]]:
    """(channel, its rows without the last column, which says the channel)."""
    frame = joined(tables)
    yield from _cut(frame.drop(frame.columns[-1]), frame.to_series(-1), channels)


def joined(tables: Sequence[pa.Table]) -> pl.DataFrame:
    """Tables of the same columns, one after the other. Text may be of different Arrow types."""
    import polars as pl

    frames = [pl.from_arrow(table, rechunk=False) for table in tables]
    found = pl.concat(frames, rechunk=False) if len(frames) > 1 else frames[0]  # type: ignore[type-var]
    assert isinstance(found, pl.DataFrame)
    return found


def hashes(frame: pl.DataFrame, keys: Sequence[int]) -> pl.Series:
    """A number for each row that is the same for equal keys, in every process."""
    import polars as pl

    columns = [_plain(frame.to_series(key)) for key in keys]
    named = [column.alias(str(place)) for place, column in enumerate(columns)]
    if not named:
        return pl.repeat(0, frame.height, dtype=pl.UInt64, eager=True)
    return pl.DataFrame(named).hash_rows(seed=_SEED)


def _plain(column: pl.Series) -> pl.Series:
    """One value for all that are equal: 0.0 for -0.0, one NaN."""
    import polars as pl

    if column.dtype in (pl.Float32, pl.Float64):
        value = pl.col(column.name)
        one = pl.when(value == 0).then(0.0).when(value.is_nan()).then(float("nan"))
        return column.to_frame().select(one.otherwise(value).cast(column.dtype)).to_series()
    return column


def _cut(frame: pl.DataFrame, channel: pl.Series, channels: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each channel that has some, in their order.

    A pass for every channel is two to three times quicker than one that sets rows down in many
    places, up to some tens of channels and if each gets many rows.
    """
    import polars as pl

    if channels <= _FEW and frame.height >= _MANY * channels:
        small = channel.cast(pl.UInt8)
        for number in range(channels):
            part = frame.filter(small == number)
            if part.height:
                yield number, exported(part)
        return
    mark = "#channel"
    parts = frame.with_columns(channel.alias(mark)).partition_by(
        mark, maintain_order=True, include_key=False, as_dict=True
    )
    for (number,), part in sorted(parts.items()):
        yield int(number), exported(part)


def exported(frame: pl.DataFrame) -> pa.Table:
    """A table that holds no more bytes than its rows need.

    Text that was gathered or filtered in Polars still points into the buffers it came from, and
    those would travel whole.
    """
    import polars as pl

    return table_of(frame, pl.CompatLevel.oldest())


def compact(table: pa.Table) -> pa.Table:
    """The table without the bytes of text that its rows do not use, where these are many."""
    import polars as pl

    if table.get_total_buffer_size() < _SMALL or not any(
        "_view" in str(field.type) for field in table.schema
    ):
        return table
    frame = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    used = 0
    for column in frame:
        if column.dtype in (pl.String, pl.Binary):
            text = column if column.dtype == pl.Binary else column.cast(pl.Binary)
            used += int(text.bin.size().sum() or 0)
        elif column.dtype.is_nested():
            return exported(frame)
    loose = sum(
        column.get_total_buffer_size() for column in table.columns if "_view" in str(column.type)
    )
    return exported(frame) if loose > 2 * (used + 16 * table.num_rows) else table
