"""Moments over ranges of rows: states of two blocks of rows become that of both.

Chan, Golub and LeVeque, 1979; Pébay, 2008. A state is a struct, its fields in the order of the
partial states in planner/columns/functions/statistics.py.
"""

from __future__ import annotations

import polars as pl

from executors.relational.frames import Ranges, folded
from planner.columns.functions.registry import Aggregate, At

_TWO = ("n", "mean", "m2")
_FOUR = (*_TWO, "m3", "m4")
_PAIRS = ("n", "x", "y", "xx", "yy", "xy")
FIELDS = {
    **dict.fromkeys(("variance", "var_samp", "var_pop", "stddev", "std"), _TWO),
    **dict.fromkeys(("stddev_samp", "stddev_pop"), _TWO),
    **dict.fromkeys(("skewness", "kurtosis"), _FOUR),
    **dict.fromkeys(("corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy"), _PAIRS),
    **dict.fromkeys(("regr_sxx", "regr_syy", "regr_sxy"), _PAIRS),
    **dict.fromkeys(("regr_slope", "regr_intercept", "regr_r2"), _PAIRS),
}


def over_ranges(entry: Aggregate, at: At, values: list[pl.Series], over: Ranges) -> pl.Series:
    """An aggregate of FIELDS over ranges of rows."""
    fields = FIELDS[entry.name]
    known = pl.all_horizontal([pl.col(name).is_not_null() for name in ("a", "b")[: len(values)]])
    frame = pl.DataFrame(dict(zip(("a", "b"), values, strict=False)))
    zero = pl.lit(0.0)
    parts = {"n": pl.lit(1.0), "mean": pl.col("a"), "x": pl.col("a"), "y": pl.col("b")}
    state = pl.struct([parts.get(name, zero).alias(name) for name in fields])
    states = frame.select(pl.when(known).then(state).alias("s")).to_series()
    combine = {_TWO: _two, _FOUR: _four, _PAIRS: _pairs}[fields]
    found = pl.DataFrame({"s": folded(states, over, combine)})
    each = [pl.col("s").struct.field(name) for name in fields]
    count = each[0].fill_null(0).cast(pl.Int64)
    assert entry.final is not None
    return found.select(entry.final(at, count, *each[1:]).alias("v")).to_series()


def _of(state: pl.Expr, *names: str) -> list[pl.Expr]:
    return [state.struct.field(name) for name in names]


def _second(a: pl.Expr, b: pl.Expr) -> dict[str, pl.Expr]:
    na, ma, sa = _of(a, *_TWO)
    nb, mb, sb = _of(b, *_TWO)
    n, d = na + nb, mb - ma
    return {"n": n, "mean": ma + d * nb / n, "m2": sa + sb + d**2 * na * nb / n}


def _struct(fields: dict[str, pl.Expr]) -> pl.Expr:
    return pl.struct([value.alias(name) for name, value in fields.items()])


def _two(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _struct(_second(a, b))


def _four(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    na, ma, a2, a3, a4 = _of(a, *_FOUR)
    nb, mb, b2, b3, b4 = _of(b, *_FOUR)
    n, d = na + nb, mb - ma
    m3 = a3 + b3 + d**3 * na * nb * (na - nb) / n**2 + d * 3 * (na * b2 - nb * a2) / n
    m4 = a4 + b4 + d**4 * na * nb * (na**2 - na * nb + nb**2) / n**3
    m4 += d**2 * 6 * (na**2 * b2 + nb**2 * a2) / n**2 + d * 4 * (na * b3 - nb * a3) / n
    return _struct({**_second(a, b), "m3": m3, "m4": m4})


def _pairs(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    na, ax, ay, axx, ayy, axy = _of(a, *_PAIRS)
    nb, bx, by, bxx, byy, bxy = _of(b, *_PAIRS)
    n, dx, dy = na + nb, bx - ax, by - ay
    weight = na * nb / n
    return _struct(
        {
            "n": n,
            "x": ax + dx * nb / n,
            "y": ay + dy * nb / n,
            "xx": axx + bxx + dx**2 * weight,
            "yy": ayy + byy + dy**2 * weight,
            "xy": axy + bxy + dx * dy * weight,
        }
    )
