"""Aggregates of booleans and bits, and the product."""

from __future__ import annotations

import polars as pl

from planner.columns import types as t
from planner.columns.functions.registry import BOOL, REAL, At, Kind, aggregate

BITS = Kind("a whole number", lambda k: k if isinstance(k, t.IntegralType) else None)


@aggregate(
    "bool_and",
    "every",
    takes=(BOOL,),
    gives=t.BOOLEAN,
    null=True,
    partial=lambda at, x: (x.min(),),
    merge=lambda at, s: (s.min(),),
    final=lambda at, s: s,
    states=lambda at: (t.BOOLEAN,),
)
def bool_and(at: At, value: pl.Expr) -> pl.Expr:
    return value.min()


@aggregate(
    "bool_or",
    "some",
    "any",
    takes=(BOOL,),
    gives=t.BOOLEAN,
    null=True,
    partial=lambda at, x: (x.max(),),
    merge=lambda at, s: (s.max(),),
    final=lambda at, s: s,
    states=lambda at: (t.BOOLEAN,),
)
def bool_or(at: At, value: pl.Expr) -> pl.Expr:
    return value.max()


@aggregate(
    "bit_and",
    takes=(BITS,),
    null=True,
    partial=lambda at, x: (x.bitwise_and(),),
    merge=lambda at, s: (s.bitwise_and(),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def bit_and(at: At, value: pl.Expr) -> pl.Expr:
    return value.bitwise_and()


@aggregate(
    "bit_or",
    takes=(BITS,),
    null=True,
    partial=lambda at, x: (x.bitwise_or(),),
    merge=lambda at, s: (s.bitwise_or(),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def bit_or(at: At, value: pl.Expr) -> pl.Expr:
    return value.bitwise_or()


@aggregate(
    "bit_xor",
    takes=(BITS,),
    null=True,
    partial=lambda at, x: (x.bitwise_xor(),),
    merge=lambda at, s: (s.bitwise_xor(),),
    final=lambda at, s: s,
    states=lambda at: (at.type,),
)
def bit_xor(at: At, value: pl.Expr) -> pl.Expr:
    return value.bitwise_xor()


def multiplied(at: At, value: pl.Expr) -> pl.Expr:
    """NULL of no values, where Polars says 1."""
    return pl.when(value.count() > 0).then(value.drop_nulls().product())


@aggregate(
    "product",
    takes=(REAL,),
    gives=t.DOUBLE,
    null=True,
    partial=lambda at, x: (multiplied(at, x),),
    merge=lambda at, s: (multiplied(at, s),),
    final=lambda at, s: s,
    states=lambda at: (t.DOUBLE,),
)
def product(at: At, value: pl.Expr) -> pl.Expr:
    return multiplied(at, value)
