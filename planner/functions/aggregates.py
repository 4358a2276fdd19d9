"""Aggregates. Where there are steps: partial states of some rows, merged states, the value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner import types as t
from planner.coercion import bounded
from planner.columnar import to_polars
from planner.functions.registry import ANY, NUMBER, At, aggregate


def _summed(types: Sequence[t.DataType]) -> t.DataType:
    kind = types[0]
    if isinstance(kind, t.DecimalType):
        return bounded(kind.precision + 10, kind.scale)
    return t.LONG if isinstance(kind, t.IntegralType) else t.DOUBLE


def _total(at: At, value: pl.Expr) -> pl.Expr:
    """NULL of no values, where Polars says 0."""
    kind = to_polars(at.type)
    wide = value if isinstance(at.type, t.DecimalType) else value.cast(kind)
    return pl.when(value.count() > 0).then(wide.sum().cast(kind))


def _one(build: object) -> object:
    return lambda at, *args: (build(at, *args),)  # type: ignore[operator]


def _same(at: At, state: pl.Expr) -> pl.Expr:
    return state


@aggregate(
    "sum",
    takes=(NUMBER,),
    gives=_summed,
    null=True,
    partial=lambda at, x: (_total(at, x),),
    merge=lambda at, s: (_total(at, s),),
    final=_same,
)
def total(at: At, value: pl.Expr) -> pl.Expr:
    return _total(at, value)


def _counted(at: At, *values: pl.Expr) -> pl.Expr:
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
    partial=lambda at, *x: (_counted(at, *x),),
    merge=lambda at, s: (s.sum(),),
    final=_same,
)
def count(at: At, *values: pl.Expr) -> pl.Expr:
    return _counted(at, *values)


@aggregate(
    "min",
    takes=(ANY,),
    null=True,
    partial=lambda at, x: (x.min(),),
    merge=lambda at, s: (s.min(),),
    final=_same,
)
def least(at: At, value: pl.Expr) -> pl.Expr:
    return value.min()


@aggregate(
    "max",
    takes=(ANY,),
    null=True,
    partial=lambda at, x: (x.max(),),
    merge=lambda at, s: (s.max(),),
    final=_same,
)
def greatest(at: At, value: pl.Expr) -> pl.Expr:
    return value.max()


def _averaged(types: Sequence[t.DataType]) -> t.DataType:
    kind = types[0]
    if isinstance(kind, t.DecimalType):
        return bounded(kind.precision + 4, kind.scale + 4)
    return t.DOUBLE


def _sum_and_count(at: At, value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    wide: pl.DataType = pl.Float64()
    if isinstance(at.type, t.DecimalType):
        wide = pl.Decimal(38, at.type.scale - 4)
    return value.cast(wide).sum(), value.count().cast(pl.Int64)


def _quotient(at: At, total: pl.Expr, count: pl.Expr) -> pl.Expr:
    some = pl.when(count > 0).then(count)
    if isinstance(at.type, t.DecimalType):
        exact = pl.Decimal(38, at.type.scale)
        return (total.cast(exact) / some.cast(pl.Decimal(20, 0))).cast(to_polars(at.type))
    return total / some


@aggregate(
    "avg",
    "mean",
    takes=(NUMBER,),
    gives=_averaged,
    null=True,
    partial=_sum_and_count,
    merge=lambda at, s, n: (s.sum(), n.sum()),
    final=_quotient,
)
def average(at: At, value: pl.Expr) -> pl.Expr:
    return _quotient(at, *_sum_and_count(at, value))
