"""RANGE with an offset: for each row the first row whose key is past its own key and the offset.

Keys become whole numbers of 64 bits in the same order where they can; wider ones are searched as
they are.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from planner.columns import types as t
from planner.columns.expressions import Literal, Order

_SAFE = 2**62  # numbers below it can be added without a look at each
_LARGE = 4096  # rows of a partition that is searched by itself
_NOT_SIGN = np.int64(2**63 - 1)


def reached(
    key: pl.Series,
    bounds: tuple[pl.Series, pl.Series],
    peers: pl.Series,
    order: Order,
    offset: Any,
    after: bool,
) -> pl.Series:
    """For each row the first row of its partition whose key is not before `key + offset` (`after`:
    is after it).

    `bounds` are the first row of the partition and the one after the last. Rows whose key is NULL
    have the answer that `peers` says, and are found by no other row.
    """
    keys, target = moved(key, order.type, offset, order.ascending)
    nulls = key.is_null()
    low, high = bounds
    if nulls.any():
        upto = pl.concat([pl.Series([0]), nulls.cast(pl.Int64).cum_sum()])
        count = upto.gather(high) - upto.gather(low)
        low, high = (low + count, high) if order.nulls_lead else (low, high - count)
    quick = _whole(keys, target)
    if quick is None:
        found = wide_search(keys, target, (low, high), order.ascending, after)
    else:
        whole, there = quick
        found = search(whole, there, (bounds[0], low, high), order.ascending, after)
    if not nulls.any():
        return found
    return pl.select(pl.when(nulls).then(peers).otherwise(found)).to_series()


def search(
    keys: Any, target: Any, bounds: tuple[pl.Series, ...], up: bool, after: bool
) -> pl.Series:
    """Among whole numbers: large partitions one by one, the others all at once."""
    if not up:
        keys, target = ~keys, ~target  # the same order, rising
    start, low, high = (each.to_numpy() for each in bounds)
    large = (high - low) > _LARGE
    if not large.any():
        return pl.Series(_halved(keys, target, low.copy(), high.copy(), after))
    found: Any = np.empty(len(keys), dtype=np.int64)
    small = np.flatnonzero(~large)
    found[small] = _halved(keys, target[small], low[small], high[small], after)
    firsts = np.flatnonzero(large & np.append(True, start[1:] != start[:-1]))
    for first in firsts:
        rows = slice(first, first + np.searchsorted(start[first:], start[first], "right"))
        a, b = low[first], high[first]
        found[rows] = a + np.searchsorted(keys[a:b], target[rows], "right" if after else "left")
    return pl.Series(found)


def _halved(keys: Any, target: Any, low: Any, high: Any, after: bool) -> Any:
    """Binary searches in step, each in its own range."""
    keys = np.append(keys, 0)  # an empty range may be at the end
    longest = int((high - low).max(initial=0))
    for _ in range(longest.bit_length()):
        middle = (low + high) >> 1
        there = keys[middle]
        before = there <= target if after else there < target
        before &= low < high
        np.copyto(low, middle + 1, where=before)
        np.copyto(high, middle, where=~before)
    return low


def wide_search(
    keys: pl.Series, target: pl.Series, bounds: tuple[pl.Series, pl.Series], up: bool, after: bool
) -> pl.Series:
    """Among keys of any type, in all partitions in step."""
    state = pl.DataFrame({"low": bounds[0], "high": bounds[1], "target": target})
    last = max(len(keys) - 1, 0)
    for _ in range(len(keys).bit_length() + 1):
        if not (state["low"] < state["high"]).any():
            break
        middle = (state["low"] + state["high"]) // 2
        there = keys.gather(middle.clip(0, last)).alias("there")
        state = state.with_columns(there, middle.alias("middle"))
        here, target_ = pl.col("there"), pl.col("target")
        if up:
            before = here <= target_ if after else here < target_
        else:
            before = here >= target_ if after else here > target_
        open_ = pl.col("low") < pl.col("high")
        state = state.with_columns(
            pl.when(open_ & before).then(pl.col("middle") + 1).otherwise("low").alias("low"),
            pl.when(open_ & ~before).then("middle").otherwise("high").alias("high"),
        )
    return state["low"]


def _whole(*columns: pl.Series) -> list[Any] | None:
    """Columns as whole numbers of 64 bits in the same order, if all of them can be; 0 for NULL."""
    found = []
    for column in columns:
        if column.dtype.is_float():
            found.append(_ordered_bits(column.fill_null(0.0).to_numpy()))
            continue
        whole = column.to_physical()
        if not whole.dtype.is_integer():
            return None
        if whole.dtype == pl.Int128 and not _fits(whole):
            return None
        found.append(whole.cast(pl.Int64).fill_null(0).to_numpy())
    return found


def _ordered_bits(values: Any) -> Any:
    """Binary fractions as whole numbers in their order; NaN is the largest, -0.0 is 0.0."""
    values = values.astype(np.float64) + 0.0
    values[np.isnan(values)] = np.nan
    bits = values.view(np.int64)
    return bits ^ ((bits >> 63) & _NOT_SIGN)


def _fits(whole: pl.Series) -> bool:
    low, high = whole.min(), whole.max()
    if low is None or high is None:
        return True
    assert isinstance(low, int) and isinstance(high, int)
    return low > -_SAFE and high < _SAFE


def moved(keys: pl.Series, kind: t.DataType, offset: Any, up: bool) -> tuple[pl.Series, pl.Series]:
    """The keys, and the keys moved by an offset, of one type."""
    value = offset.value if isinstance(offset, Literal) else offset
    months = isinstance(offset, Literal) and isinstance(offset.kind, t.YearMonthIntervalType)
    if months and isinstance(kind, (t.DateType, t.TimestampType, t.TimestampNTZType)):
        return keys, keys.dt.offset_by(f"{value if up else -value}mo")
    if isinstance(kind, t.DateType) and isinstance(value, int):
        value = dt.timedelta(value)
    if isinstance(kind, (t.IntegralType, t.YearMonthIntervalType)):
        wide = pl.Int64() if _fits(keys) and abs(int(value)) < _SAFE else pl.Int128()
        keys = keys.cast(wide)
        step = pl.lit(int(value), dtype=wide)
    elif isinstance(kind, t.DecimalType):
        exact = Decimal(str(value))
        scale = max(kind.scale, -int(exact.as_tuple().exponent))
        keys = keys.cast(pl.Decimal(38, scale))
        step = pl.lit(exact, dtype=pl.Decimal(38, scale))
    elif isinstance(kind, t.NumericType):
        keys, step = keys.cast(pl.Float64), pl.lit(float(value))
    else:
        step = pl.lit(value, dtype=pl.Duration("us"))
    there = pl.lit(keys) + step if up else pl.lit(keys) - step
    return keys, pl.select(there.cast(keys.dtype)).to_series()
