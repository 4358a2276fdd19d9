"""The frames of window functions, as ranges of sorted rows, and what is folded over ranges.

Rows are sorted by partition and order, and numbered from 0. A frame is [low, high) of those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from executors.relational.reaching import reached
from planner.columns.expressions import Frame, Literal, Order

ROW, START, END, PEER, PEER_END = "#row", "#start", "#end", "#peer", "#peer_end"
PARTITION = "#partition"
_ROOM = 2**62  # below it are keys that are packed into one number


@dataclass(frozen=True, eq=False)
class Ranges:
    """For each row the first row of its frame, and the one after the last."""

    low: pl.Series
    high: pl.Series

    @property
    def sizes(self) -> pl.Series:
        """The rows in each frame."""
        return self.high - self.low


@dataclass(frozen=True)
class Key:
    """A column that rows are sorted by."""

    column: str
    descending: bool
    nulls_lead: bool


def located(
    frame: pl.DataFrame, keys: list[Key], partitioned: int, spare: Sequence[str] = ()
) -> pl.DataFrame:
    """The rows sorted by keys, with the columns ROW … PEER_END and PARTITION (its number).

    The first `partitioned` keys are those of the partitions. Equal rows stay in their order. The
    columns of `spare` are not asked for after.
    """
    packed = _packed(frame, keys, partitioned, spare)
    if packed is not None:
        frame, new, peers = packed
    else:
        frame, new, peers = _sorted(frame, keys, partitioned)
    rows = frame.height
    columns = {ROW: np.arange(rows), **_runs(new, START, END), **_runs(peers, PEER, PEER_END)}
    starts = np.flatnonzero(new)
    columns[PARTITION] = np.repeat(np.arange(len(starts)), np.diff(starts, append=rows))
    return frame.with_columns(pl.Series(name, each) for name, each in columns.items())


def _runs(new: Any, first: str, last: str) -> dict[str, Any]:
    """For each row the first row of its run, and the one after the last."""
    starts = np.flatnonzero(new)
    ends: Any = np.append(starts, len(new))[1:]
    sizes = ends - starts
    return {first: np.repeat(starts, sizes), last: np.repeat(ends, sizes)}


def _sorted(frame: pl.DataFrame, keys: list[Key], partitioned: int) -> tuple[Any, Any, Any]:
    """The sorted rows, where a partition begins, where a run of equal rows begins."""
    if keys:
        frame = frame.sort(
            [key.column for key in keys],
            descending=[key.descending for key in keys],
            nulls_last=[not key.nulls_lead for key in keys],
            maintain_order=True,
        )
    flags = []
    for some in (keys[:partitioned], keys):
        differ = [pl.col(k.column).ne_missing(pl.col(k.column).shift(1)) for k in some]
        found = pl.any_horizontal(differ) if differ else pl.lit(False)
        flag = frame.lazy().select(pl.repeat(False, pl.len()) | found).collect()
        new = flag.to_series().to_numpy().copy()
        new[:1] = True
        flags.append(new)
    return frame, flags[0], flags[1]


def _whole(column: pl.Series) -> tuple[pl.Series, int, int] | None:
    """A column as whole numbers in the same order (NULLs stay), with the least and the largest."""
    kind = column.dtype
    if kind == pl.String or kind == pl.Binary:
        values = column.drop_nulls().unique().sort().to_frame("k").with_row_index("c")
        joined = column.to_frame("k").join(values, on="k", how="left", maintain_order="left")
        return joined["c"].cast(pl.Int64), 0, max(values.height - 1, 0)
    if kind.is_float():
        return _ranks(column)
    if kind == pl.Boolean:
        return column.cast(pl.Int64), 0, 1
    if not (kind.is_integer() or kind.is_temporal() or kind.is_decimal()):
        return None
    whole = column.to_physical()
    low, high = whole.min(), whole.max()
    if low is None or high is None:
        low = high = 0
    assert isinstance(low, int) and isinstance(high, int)
    if not -_ROOM < low <= high < _ROOM:
        return None
    return whole.cast(pl.Int64), low, high


def _ranks(column: pl.Series) -> tuple[pl.Series, int, int]:
    """The place of each value among the different ones; NaN is the largest."""
    known = column.is_not_null()
    values = column.filter(known).to_numpy()
    order = np.argsort(values)
    ordered = values[order]
    differ = (ordered[1:] != ordered[:-1]) & ~(np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
    found: Any = np.empty(len(values), dtype=np.int64)
    found[order] = np.concatenate([[0], np.cumsum(differ)])[: len(values)]
    all_: Any = np.zeros(column.len(), dtype=np.int64)
    all_[known.to_numpy()] = found
    ranks = pl.DataFrame({"r": all_, "k": known}).select(pl.when(pl.col("k")).then("r"))
    return ranks.to_series(), 0, len(values)


def _packed(
    frame: pl.DataFrame, keys: list[Key], partitioned: int, spare: Sequence[str]
) -> tuple[Any, Any, Any] | None:
    """As `_sorted` where all keys and the number of the row fit one whole number: it is sorted."""
    room, rows = 1, frame.height
    if not keys or not rows:
        return None
    code: Any = np.zeros(rows, dtype=np.int64)
    group: Any = None  # the number of the partition, where it is not in the code
    order_room = 1
    for place, key in enumerate(keys):
        found = _whole(frame[key.column])
        if found is None:
            return None
        whole, low, high = found
        size = high - low + 2
        if room * size * rows >= _ROOM:  # what is there is numbered anew, without gaps
            if place > partitioned and group is None:
                group = code // order_room
            code, room = _dense(code)
            if room * size * rows >= _ROOM:
                return None
        room *= size
        order_room *= size if place >= partitioned else 1
        none = 0 if key.nulls_lead else size - 1
        first = 1 if key.nulls_lead else 0
        value = high - whole if key.descending else whole - low
        code = code * size + (value + first).fill_null(none).to_numpy()
    both = np.sort(code * rows + np.arange(rows))
    code, row = np.divmod(both, rows)
    group = code // order_room if group is None else group[row]
    new: Any = np.ones(rows, dtype=bool)
    peers: Any = np.ones(rows, dtype=bool)
    np.not_equal(group[1:], group[:-1], out=new[1:])
    np.not_equal(code[1:], code[:-1], out=peers[1:])
    kept = frame.drop(spare) if frame.width > len(spare) else frame
    return kept[pl.Series(row)], new, peers


def _dense(code: Any) -> tuple[Any, int]:
    """Whole numbers as their places among the different ones, and how many these are."""
    order = np.argsort(code)
    ordered = code[order]
    places: Any = np.empty(len(code), dtype=np.int64)
    places[order] = np.append(0, np.cumsum(ordered[1:] != ordered[:-1]))
    return places, int(places[order[-1]]) + 1


def ranges(frame: pl.DataFrame, wanted: Frame, order: tuple[Order, ...], key: str) -> Ranges:
    """The ranges of a frame; `key` is the column of the one order key of RANGE with offsets."""
    if wanted.unit == "rows":
        low, high = _by_rows(wanted)
        found = frame.select(low.alias("low"), high.alias("high"))
        return Ranges(found["low"], found["high"])
    low_, high_ = _value(wanted.start), _value(wanted.end)
    low_series = frame[START] if low_ is None else None
    high_series = frame[END] if high_ is None else None
    if _is_here(low_):
        low_series = frame[PEER]
    if _is_here(high_):
        high_series = frame[PEER_END]
    bounds = frame[START], frame[END]
    if low_series is None:
        low_series = reached(frame[key], bounds, frame[PEER], order[0], wanted.start, False)
    if high_series is None:
        high_series = reached(frame[key], bounds, frame[PEER_END], order[0], wanted.end, True)
    both = pl.select(low_series.alias("low"), high_series.alias("high"))
    both = both.with_columns(pl.max_horizontal("low", "high").alias("high"))
    return Ranges(both["low"], both["high"])


def reaches(wanted: Frame) -> bool:
    """Whether the values of the order key say what is in a frame."""
    bounds = [_value(each) for each in (wanted.start, wanted.end)]
    return wanted.unit != "rows" and any(b is not None and not _is_here(b) for b in bounds)


def _value(bound: Any) -> Any:
    return bound.value if isinstance(bound, Literal) else bound


def _is_here(value: Any) -> bool:
    return value is not None and not isinstance(value, dt.timedelta) and value == 0


def _by_rows(wanted: Frame) -> tuple[pl.Expr, pl.Expr]:
    start, end = pl.col(START), pl.col(END)
    low_at, high_at = _value(wanted.start), _value(wanted.end)
    low = start if low_at is None else (pl.col(ROW) + low_at).clip(start, end)
    high = end if high_at is None else (pl.col(ROW) + high_at + 1).clip(start, end)
    return low, pl.max_horizontal(low, high)


# ---- folding -------------------------------------------------------------------------------------


def summed(values: pl.Series, over: Ranges) -> pl.Series:
    """Exact sums over ranges, of whole numbers and decimals; 0 of none."""
    total = values.fill_null(0).cum_sum()
    upto = pl.concat([pl.Series([0]).cast(total.dtype), total])
    if total.dtype == pl.Int64:
        known = upto.to_numpy()
        return pl.Series(known[over.high.to_numpy()] - known[over.low.to_numpy()])
    return upto.gather(over.high) - upto.gather(over.low)


Combine = Callable[[pl.Expr, pl.Expr], pl.Expr]


def folded(values: pl.Series, over: Ranges, combine: Combine) -> pl.Series:
    """Values combined over ranges from left to right, NULLs left out; NULL of none.

    Blocks of 1, 2, 4, … rows are combined once for all, and each range is put together of blocks:
    n log n steps, whatever the sizes, and no difference of large sums.
    """
    sizes = over.sizes
    longest = sizes.max() or 0
    none = pl.lit(None, dtype=values.dtype)
    state = pl.DataFrame({"block": values, "at": over.low, "size": sizes}).with_columns(
        none.alias("found")
    )
    assert isinstance(longest, int)
    last = max(values.len() - 1, 0)
    for power in range(longest.bit_length()):
        width = 1 << power
        taken = (pl.col("size") & width) != 0
        here = pl.col("block").gather(pl.col("at").clip(0, last))
        state = state.with_columns(
            pl.when(taken)
            .then(_both(pl.col("found"), here, combine))
            .otherwise("found")
            .alias("found"),
            (pl.col("at") + pl.when(taken).then(width).otherwise(0)).alias("at"),
            _both(pl.col("block"), pl.col("block").shift(-width), combine).alias("block"),
        ).select("block", "at", "size", "found")
    return state["found"]


def _both(a: pl.Expr, b: pl.Expr, combine: Combine) -> pl.Expr:
    return pl.when(a.is_null()).then(b).when(b.is_null()).then(a).otherwise(combine(a, b))
