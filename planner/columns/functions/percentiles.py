"""Percentiles, and the histogram: aggregates of values in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Call, Cast, Expr, Literal
from planner.columns.functions.aggregates import ADDABLE
from planner.columns.functions.registry import (
    INT,
    LONG,
    At,
    Mismatch,
    Resolve,
    Settings,
    Typed,
    aggregate,
    coerced,
)

_ALL = "it needs all values in order"
_SPANS = (t.DayTimeIntervalType, t.YearMonthIntervalType)


def fractions(expr: Expr) -> list[float] | float:
    """The percentages of a call: a constant, or an array of constants."""
    if isinstance(expr, Cast):
        return fractions(expr.child)
    if isinstance(expr, Call) and expr.name == "array":
        return [_fraction(fractions(arg)) for arg in expr.args]
    if isinstance(expr, Literal) and isinstance(expr.kind, t.ArrayType):
        return [_fraction(value) for value in expr.value]
    if isinstance(expr, Literal) and expr.value is not None:
        return _fraction(expr.value)
    raise Mismatch(
        "the percentage must be a constant, or an array of constants",
        "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
    )


def _fraction(value: Any) -> float:
    found = float(value)
    if not 0 <= found <= 1:
        raise Mismatch(
            f"a percentage is from 0 to 1, and is {found}", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"
        )
    return found


def _several(at: At, each: Any, some: pl.Expr) -> pl.Expr:
    """One value or an array of them, as the percentage is; NULL of no values."""
    wanted = fractions(at.args[1])
    if not isinstance(wanted, list):
        return pl.when(some).then(each(wanted))
    return pl.when(some).then(pl.concat_list([each(one) for one in wanted]))


def _resolved(name: str, args: Sequence[Expr], last: Literal) -> tuple[tuple[Expr, ...], bool]:
    """(value, percentage, last), and whether the percentage is an array."""
    if not 2 <= len(args) <= 3:
        raise Mismatch(
            f"{name} takes 2 or 3 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    many = isinstance(fractions(args[1]), list)
    return (*args[:2], args[2] if len(args) == 3 else last), many


# ---- exact ---------------------------------------------------------------------------------------


def _exact_kind(value: Expr) -> t.DataType:
    kind = ADDABLE.to(value.type)
    if kind is None:
        raise Mismatch(
            f"argument 1 of percentile must be a number or an interval, and is "
            f"{value.type.simpleString()}"
        )
    if isinstance(kind, t.DayTimeIntervalType):
        return t.DayTimeIntervalType()
    return t.YearMonthIntervalType() if isinstance(kind, t.YearMonthIntervalType) else t.DOUBLE


def _percentile(args: Sequence[Expr], settings: Settings) -> Typed:
    own, many = _resolved("percentile", args, Literal(1, t.INT))
    kind = _exact_kind(own[0])
    value = own[0] if isinstance(kind, _SPANS) else implied(own[0], kind)
    often = coerced("percentile", own[2:], (LONG,), None, None)[0] if len(args) == 3 else own[2]
    return (value, own[1], often), t.ArrayType(kind, False) if many else kind, True


def _as(at: At, found: pl.Expr) -> pl.Expr:
    kind = at.type.elementType if isinstance(at.type, t.ArrayType) else at.type
    if isinstance(kind, _SPANS):
        whole = found.cast(pl.Int64)
        return whole.cast(to_polars(kind))
    return found


@aggregate("percentile", resolve=_percentile, whole=_ALL, constants=(1,))
def percentile(at: At, value: pl.Expr, fraction: pl.Expr, often: pl.Expr) -> pl.Expr:
    number = value.cast(pl.Int64) if isinstance(at.types[0], _SPANS) else value
    if at.values[2] == 1:
        real = number.cast(pl.Float64)
        return _several(at, lambda f: _as(at, real.quantile(f, "linear")), number.count() > 0)
    there = value.is_not_null() & (often > 0)
    ordered, times = (each.filter(there).sort_by(number.filter(there)) for each in (number, often))
    upto, all_ = times.cum_sum(), often.filter(there).sum()

    def found(f: float) -> pl.Expr:
        place = (all_ - 1) * f
        a, b = (
            ordered.filter(upto > edge).first().cast(pl.Float64)
            for edge in (place.floor(), place.ceil())
        )
        line = (place.ceil() - place) * a + (place - place.floor()) * b
        return _as(at, pl.when((a == b) | (place.floor() == place.ceil())).then(a).otherwise(line))

    return _several(at, found, there.any())


def _median(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("median", args, (ADDABLE,), None, None)
    kind = _exact_kind(own[0])
    return (own[0] if isinstance(kind, _SPANS) else implied(own[0], kind),), kind, True


@aggregate("median", resolve=_median, whole=_ALL)
def median(at: At, value: pl.Expr) -> pl.Expr:
    number = value.cast(pl.Int64) if isinstance(at.types[0], _SPANS) else value
    return _as(at, number.cast(pl.Float64).quantile(0.5, "linear"))


# ---- WITHIN GROUP: (value, percentage, whether the order is descending) -------------------------


def _within(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        own, many = _resolved(name, args, Literal(False, t.BOOLEAN))
        kind = _exact_kind(own[0])
        value = own[0] if isinstance(kind, _SPANS) else implied(own[0], kind)
        return (value, *own[1:]), t.ArrayType(kind, False) if many else kind, True

    return resolve


@aggregate("percentile_cont", resolve=_within("percentile_cont"), whole=_ALL, constants=(1, 2))
def percentile_cont(at: At, value: pl.Expr, fraction: pl.Expr, down: pl.Expr) -> pl.Expr:
    number = value.cast(pl.Int64) if isinstance(at.types[0], _SPANS) else value
    real = number.cast(pl.Float64)

    def found(f: float) -> pl.Expr:
        return _as(at, real.quantile(1 - f if at.values[2] else f, "linear"))

    return _several(at, found, number.count() > 0)


@aggregate("percentile_disc", resolve=_within("percentile_disc"), whole=_ALL, constants=(1, 2))
def percentile_disc(at: At, value: pl.Expr, fraction: pl.Expr, down: pl.Expr) -> pl.Expr:
    ordered = value.drop_nulls().sort(descending=bool(at.values[2]))
    count = value.count().cast(pl.Int64)

    def found(f: float) -> pl.Expr:
        place = (count * f).ceil().cast(pl.Int64) - 1
        return ordered.get(pl.max_horizontal(place, pl.lit(0)), null_on_oob=True)

    return _several(at, found, count > 0)


# ---- values that are there -----------------------------------------------------------------------

_PICKED = (t.NumericType, t.DateType, t.TimestampType, t.TimestampNTZType, *_SPANS)


def _approximate(args: Sequence[Expr], settings: Settings) -> Typed:
    own, many = _resolved("percentile_approx", args, Literal(10000, t.INT))
    value = implied(own[0], t.DOUBLE) if own[0].type in (t.STRING, t.NULL) else own[0]
    if not isinstance(value.type, _PICKED):
        raise Mismatch(f"percentile_approx is not for {value.type.simpleString()}")
    return (value, *own[1:]), t.ArrayType(value.type, False) if many else value.type, True


@aggregate(
    "percentile_approx",
    "approx_percentile",
    resolve=_approximate,
    whole=f"it is exact: {_ALL}",
    constants=(1, 2),
)
def percentile_approx(at: At, value: pl.Expr, fraction: pl.Expr, accuracy: pl.Expr) -> pl.Expr:
    """The smallest value that at least the fraction of the values are not above."""
    ordered, count = value.drop_nulls().sort(), value.count().cast(pl.Int64)

    def found(f: float) -> pl.Expr:
        place = (count * f).ceil().cast(pl.Int64) - 1
        return ordered.get(pl.max_horizontal(place, pl.lit(0)), null_on_oob=True)

    return _several(at, found, count > 0)


# ---- histogram -----------------------------------------------------------------------------------


def _histogram(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("histogram_numeric", args, (ADDABLE, INT), None, None)
    if not isinstance(own[1], Literal) or own[1].value is None or own[1].value < 2:
        raise Mismatch(
            "histogram_numeric needs a constant number of at least 2 bins",
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
        )
    fields = [t.StructField("x", own[0].type, True), t.StructField("y", t.DOUBLE, True)]
    return own, t.ArrayType(t.StructType(fields), True), True


class _Draws:
    """Java's random numbers of a seed, in [0, 1): Spark draws one where two gaps are equal."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ 0x5DEECE66D) & (2**48 - 1)

    def _bits(self, count: int) -> int:
        self._state = (self._state * 0x5DEECE66D + 0xB) & (2**48 - 1)
        return self._state >> (48 - count)

    def next(self) -> float:
        """The next number."""
        return ((self._bits(26) << 27) + self._bits(27)) / 2.0**53


def bins(values: Sequence[float], count: int) -> list[tuple[float, float]]:
    """(centre, weight) of at most `count` bins: the nearest two are merged while there are more.

    Ben-Haim and Tom-Tov, 2010.

    >>> bins([1.0, 2.0, 10.0], 2)
    [(1.5, 2.0), (10.0, 1.0)]
    """
    found: list[tuple[float, float]] = []
    draws = _Draws(31183)
    for value in values:
        place = bisect_left(found, (value, 0.0))
        if place < len(found) and found[place][0] == value:
            found[place] = (value, found[place][1] + 1)
            continue
        found.insert(place, (value, 1.0))
        if len(found) > count:
            at = _nearest(found, draws)
            (x, n), (z, m) = found[at : at + 2]
            found[at : at + 2] = [(x * (n / (n + m)) + z * (m / (n + m)), n + m)]
    return found


def _nearest(found: Sequence[tuple[float, float]], draws: _Draws) -> int:
    """The place of the smallest gap; of several any, all as likely."""
    least, place, times = found[1][0] - found[0][0], 0, 1
    for at in range(1, len(found) - 1):
        gap = found[at + 1][0] - found[at][0]
        if gap < least:
            least, place, times = gap, at, 1
        elif gap == least:
            times += 1
            if draws.next() <= 1.0 / times:
                place = at
    return place


@aggregate(
    "histogram_numeric",
    resolve=_histogram,
    whole="bins depend on the order of the rows",
    constants=(1,),
)
def histogram_numeric(at: At, value: pl.Expr, count: pl.Expr) -> pl.Expr:
    of_floats = pl.List(pl.Struct({"x": pl.Float64(), "y": pl.Float64()}))

    def made(column: Any) -> Any:
        pairs = [{"x": x, "y": y} for x, y in bins(list(column), at.values[1])]
        return pl.Series(pairs, dtype=of_floats.inner)

    listed = value.drop_nulls().cast(pl.Float64).implode()
    found = listed.map_elements(made, return_dtype=of_floats).cast(to_polars(at.type), strict=False)
    return pl.when(value.count() > 0).then(found)
