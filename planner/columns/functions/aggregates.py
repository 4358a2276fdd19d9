"""Sums, counts, averages and extremes. Where an aggregate has steps, they are beside each other:
the partial states of some rows, merged states, the value of a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.casts.numbers import int128, scaled, unscaled
from planner.columns.coercion import widened
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    ANY,
    BOOL,
    At,
    Kind,
    Mismatch,
    Resolve,
    Settings,
    Typed,
    aggregate,
    coerced,
)

_INTERVALS = (t.DayTimeIntervalType, t.YearMonthIntervalType)
TOO_LARGE = "the sum is too large for bigint; use try_sum for NULL"


def _addable(kind: t.DataType) -> t.DataType | None:
    if isinstance(kind, (t.StringType, t.NullType)):
        return t.DOUBLE
    return kind if isinstance(kind, (t.NumericType, *_INTERVALS)) else None


ADDABLE = Kind("a number or an interval", _addable)


# ---- sum -----------------------------------------------------------------------------------------


def _summed(types: Sequence[t.DataType]) -> t.DataType:
    kind = types[0]
    if isinstance(kind, t.DecimalType):
        return widened(kind, 10, 0)
    if isinstance(kind, _INTERVALS):
        return kind
    return t.LONG if isinstance(kind, t.IntegralType) else t.DOUBLE


def total(at: At, value: pl.Expr, kind: t.DataType, raises: bool) -> pl.Expr:
    """The sum as `kind`; NULL of no values. What does not fit raises, or is NULL: a cast
    of 128 bits to 64 that fails is known by that (executors/relational/errors.py)."""
    wide = to_polars(kind)
    if isinstance(kind, t.DecimalType):
        return _decimal_total(at, value, kind, raises).cast(wide)
    if kind != t.LONG or at.types[0] != t.LONG:
        return _sum(at, value.cast(wide)).cast(wide)
    if not at.ansi and not raises:
        return _sum(at, value)
    return _sum(at, value.cast(pl.Int128)).cast(wide, strict=raises)


def _sum(at: At, value: pl.Expr) -> pl.Expr:
    """The sum, NULL of no values. Polars makes one aggregation of this form."""
    return pl.when(at.reach(value.count()) > 0).then(at.reach(value.sum()))


def _decimal_total(at: At, value: pl.Expr, kind: t.DecimalType, raises: bool) -> pl.Expr:
    """Under ANSI Polars' own overflow error is the right one (executors/relational/errors.py)."""
    wide = pl.Decimal(t.DecimalType.MAX, kind.scale)
    if raises or kind.precision < t.DecimalType.MAX:
        return _sum(at, value.cast(wide))
    limit = 10.0 ** (t.DecimalType.MAX - kind.scale)
    fits = _sum(at, value.cast(pl.Float64)).abs() < limit
    return pl.when(fits).then(at.reach(pl.when(fits).then(value).cast(wide).sum()))


def _states(at: At) -> int:
    """A sum that becomes NULL when it is too large needs the number of its rows beside it: else
    it could not be told from one of no rows."""
    wide = isinstance(at.type, t.DecimalType) and at.type.precision == t.DecimalType.MAX
    return 2 if wide and not at.ansi else 1


def _merged_total(at: At, s: pl.Expr, *n: pl.Expr) -> tuple[pl.Expr, ...]:
    if not n:
        return (_more(at, s, at.ansi),)
    return _tried(at, s, (s.is_null() & (n[0] > 0)).sum() == 0), n[0].sum().cast(pl.Int64)


@aggregate(
    "sum",
    takes=(ADDABLE,),
    gives=_summed,
    null=True,
    partial=lambda at, x: (
        total(at, x, at.type, at.ansi),
        x.count().cast(pl.Int64),
    )[: _states(at)],
    merge=_merged_total,
    final=lambda at, s, *n: s,
    states=lambda at: (at.type, t.LONG)[: _states(at)],
)
def sum_of(at: At, value: pl.Expr) -> pl.Expr:
    return total(at, value, at.type, at.ansi)


def _more(at: At, state: pl.Expr, raises: bool) -> pl.Expr:
    """The sum of sums."""
    own = At(at.type, (at.type,), (None,), at.settings)
    return total(own, state, at.type, raises)


def _tried(at: At, value: pl.Expr, some: pl.Expr) -> pl.Expr:
    return pl.when(some).then(total(at, value, at.type, False))


@aggregate(
    "try_sum",
    takes=(ADDABLE,),
    gives=_summed,
    null=True,
    # A state that overflowed is NULL with rows, and stays so.
    partial=lambda at, x: (total(at, x, at.type, False), x.count().cast(pl.Int64)),
    merge=lambda at, s, n: (
        _tried(at, s, (s.is_null() & (n > 0)).sum() == 0),
        n.sum().cast(pl.Int64),
    ),
    final=lambda at, s, n: s,
    states=lambda at: (at.type, t.LONG),
)
def try_sum(at: At, value: pl.Expr) -> pl.Expr:
    return total(at, value, at.type, False)


# ---- count ---------------------------------------------------------------------------------------


def counted(at: At, *values: pl.Expr) -> pl.Expr:
    """The rows in which no value is NULL."""
    if len(values) == 1:
        return values[0].count().cast(pl.Int64)
    return pl.all_horizontal([value.is_not_null() for value in values]).sum().cast(pl.Int64)


@aggregate(
    "count",
    takes=(ANY,),
    rest=ANY,
    gives=t.LONG,
    null=False,
    partial=lambda at, *x: (counted(at, *x),),
    merge=lambda at, s: (s.sum(),),
    final=lambda at, s: s,
    states=lambda at: (t.LONG,),
)
def count(at: At, *values: pl.Expr) -> pl.Expr:
    return counted(at, *values)


@aggregate(
    "count_if",
    takes=(BOOL,),
    gives=t.LONG,
    null=False,
    partial=lambda at, x: (x.sum().cast(pl.Int64),),
    merge=lambda at, s: (s.sum(),),
    final=lambda at, s: s,
    states=lambda at: (t.LONG,),
)
def count_if(at: At, condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)


def _counted_roughly(args: Sequence[Expr], settings: Settings) -> Typed:
    own = coerced("approx_count_distinct", args, (ANY, ADDABLE), None, 1)
    return own[:1], t.LONG, False


@aggregate(
    "approx_count_distinct",
    resolve=_counted_roughly,
    whole="it is exact: distinct values have to meet",
)
def approx_count_distinct(at: At, value: pl.Expr) -> pl.Expr:
    return value.drop_nulls().n_unique().cast(pl.Int64)


# ---- extremes ------------------------------------------------------------------------------------


def _ordered(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        own = coerced(name, args, (ANY,), None, None)
        orderable(name, own[0].type)
        return own, own[0].type, True

    return resolve


def orderable(name: str, kind: t.DataType) -> None:
    """Raises Mismatch for a type without order."""
    parts: list[t.DataType] = [kind]
    while parts:
        part = parts.pop()
        if isinstance(part, t.MapType):
            raise Mismatch(
                f"{name} needs values that have an order, and {kind.simpleString()} has none",
                "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
            )
        if isinstance(part, t.StructType):
            parts += [field.dataType for field in part.fields]
        if isinstance(part, t.ArrayType):
            parts.append(part.elementType)


def _nested(kind: t.DataType) -> bool:
    return isinstance(kind, (t.StructType, t.ArrayType))


def smallest(kind: t.DataType, value: pl.Expr) -> pl.Expr:
    """The smallest value that is not NULL; NaN is larger than all."""
    if _nested(kind):
        return value.drop_nulls().sort().first()
    return value.min()


def largest(kind: t.DataType, value: pl.Expr) -> pl.Expr:
    """The largest value that is not NULL; NaN is larger than all."""
    if _nested(kind):
        return value.drop_nulls().sort().last()
    return value.nan_max() if isinstance(kind, (t.FloatType, t.DoubleType)) else value.max()


@aggregate(
    "min",
    resolve=_ordered("min"),
    partial=lambda at, x: (smallest(at.type, x),),
    merge=lambda at, s: (smallest(at.type, s),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def least(at: At, value: pl.Expr) -> pl.Expr:
    return smallest(at.type, value)


@aggregate(
    "max",
    resolve=_ordered("max"),
    partial=lambda at, x: (largest(at.type, x),),
    merge=lambda at, s: (largest(at.type, s),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def greatest(at: At, value: pl.Expr) -> pl.Expr:
    return largest(at.type, value)


# ---- avg -----------------------------------------------------------------------------------------


def _averaged(types: Sequence[t.DataType]) -> t.DataType:
    kind = types[0]
    if isinstance(kind, t.DecimalType):
        return widened(kind, 4, 4)
    if isinstance(kind, t.DayTimeIntervalType):
        return t.DayTimeIntervalType()
    if isinstance(kind, t.YearMonthIntervalType):
        return t.YearMonthIntervalType()
    return t.DOUBLE


def _sum_kind(at: At) -> t.DataType:
    kind = at.types[0]
    if isinstance(kind, t.DecimalType):
        return widened(kind, 10, 0)
    return kind if isinstance(kind, _INTERVALS) else t.DOUBLE


def _sum_and_count(at: At, value: pl.Expr, raises: bool) -> tuple[pl.Expr, pl.Expr]:
    return total(at, value, _sum_kind(at), raises), at.reach(value.count()).cast(pl.Int64)


def _more_of_both(at: At, s: pl.Expr, n: pl.Expr, raises: bool) -> tuple[pl.Expr, pl.Expr]:
    kind = _sum_kind(at)
    own = At(kind, (kind,), (None,), at.settings)
    found = total(own, s, kind, raises)
    if not raises:
        found = pl.when((s.is_null() & (n > 0)).sum() == 0).then(found)
    return found, n.sum().cast(pl.Int64)


def quotient(at: At, sum_: pl.Expr, count: pl.Expr, raises: bool = True) -> pl.Expr:
    """The average: of decimals rounded half up, as Spark does."""
    some = pl.when(count > 0).then(count)
    if isinstance(at.type, t.DecimalType):
        summed = _sum_kind(at)
        assert isinstance(summed, t.DecimalType)
        whole, by, more = unscaled(sum_), some.cast(pl.Int128), at.type.scale - summed.scale
        if summed.precision + more >= t.DecimalType.MAX:
            return _exactly(whole, by, at.type, more, raises)
        return scaled(_half_up(whole * int128(10**more), by), at.type)
    if isinstance(at.type, t.DayTimeIntervalType):
        months = _half_up(sum_.cast(pl.Int64), some)
        return months.cast(pl.Int64).cast(pl.Duration("us"))
    if isinstance(at.type, t.YearMonthIntervalType):
        return _half_up(sum_.cast(pl.Int64), some).cast(pl.Int32)
    return sum_ / some


def _half_up(value: pl.Expr, by: pl.Expr) -> pl.Expr:
    """Whole numbers divided, halves away from zero."""
    size = (value.abs() * 2 + by) // (by * 2)
    return pl.when(value < 0).then(0 - size).otherwise(size)  # 128 bits have no other minus


def _exactly(whole: pl.Expr, by: pl.Expr, kind: t.DecimalType, more: int, raises: bool) -> pl.Expr:
    """whole / by with `more` digits, as a decimal, where the sum may not fit with these."""
    cut = whole.truncdiv(by)
    rest = (whole - cut * by) * int128(10**more)
    last = (rest.abs() * int128(2) + by).truncdiv(by * int128(2))
    found = cut * int128(10**more) + pl.when(rest < 0).then(int128(0) - last).otherwise(last)
    long = cut.abs() >= int128(10 ** (t.DecimalType.MAX - more))
    text = f"the average does not fit {kind.simpleString()}; use try_avg for NULL"
    if not raises:
        return scaled(pl.when(long.not_()).then(found), kind)
    code = "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"
    return scaled(raise_where(long, code, text, found), kind)


@aggregate(
    "avg",
    "mean",
    takes=(ADDABLE,),
    gives=_averaged,
    null=True,
    partial=lambda at, x: _sum_and_count(at, x, at.ansi),
    merge=lambda at, s, n: _more_of_both(at, s, n, at.ansi),
    final=lambda at, s, n: quotient(at, s, n, at.ansi),
    states=lambda at: (_sum_kind(at), t.LONG),
)
def average(at: At, value: pl.Expr) -> pl.Expr:
    return quotient(at, *_sum_and_count(at, value, at.ansi), at.ansi)


@aggregate(
    "try_avg",
    takes=(ADDABLE,),
    gives=_averaged,
    null=True,
    partial=lambda at, x: _sum_and_count(at, x, False),
    merge=lambda at, s, n: _more_of_both(at, s, n, False),
    final=lambda at, s, n: quotient(at, s, n, False),
    states=lambda at: (_sum_kind(at), t.LONG),
)
def try_average(at: At, value: pl.Expr) -> pl.Expr:
    return quotient(at, *_sum_and_count(at, value, False), False)


def constant(name: str, args: Sequence[Expr], place: int) -> Any:
    """The value of an argument that must be a literal."""
    arg = args[place]
    if not isinstance(arg, Literal):
        raise Mismatch(
            f"argument {place + 1} of {name} must be a constant",
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        )
    return arg.value
