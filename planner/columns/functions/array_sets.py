"""Arrays as sets: distinct, union, intersect, except, overlap. NULL is a value; NaN is itself."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.expressions import Expr
from planner.columns.functions.arrays import (
    as_array,
    element,
    holds_null,
    the_array,
    unpromoted,
    wants,
)
from planner.columns.functions.elements import PLACE, ROW, SIDE, VALUE, apart, by_batch, regrouped
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, scalar

FIRST, ELSEWHERE = "#first", "#elsewhere"


def two(name: str, args: Sequence[Expr]) -> tuple[Expr, Expr]:
    """Two arrays of one element type."""
    wants(name, args, 2)
    kinds = [the_array(name, arg) for arg in args]
    one = unpromoted(kinds[0].elementType, kinds[1].elementType)
    if one is None or any(isinstance(arg.type, t.NullType) for arg in args):
        shown = " and ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(
            f"{name} is for arrays of one type, not {shown}",
            "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES",
        )
    left, right = (
        implied(arg, t.ArrayType(one, kind.containsNull))
        for arg, kind in zip(args, kinds, strict=True)
    )
    return left, right


def _two(name: str, args: Sequence[Expr]) -> Typed:
    left, right = two(name, args)
    nulls = holds_null(left.type), holds_null(right.type)
    if name == "array_intersect":
        null = all(nulls)
    elif name == "array_union":
        null = any(nulls)
    else:
        null = nulls[0]
    return (left, right), t.ArrayType(element(left.type), null), left.nullable or right.nullable


def grouped(*sides: pl.Series) -> pl.DataFrame:
    """The elements of all sides, in order; of each whether it is the first of its value in its row,
    and whether a side after the first has that value."""
    flat = pl.concat(
        [apart(side).with_columns(pl.lit(at).alias(SIDE)) for at, side in enumerate(sides)]
    )
    flat = flat.sort(ROW, SIDE, PLACE, maintain_order=True).with_row_index("#index")
    keys = [ROW, VALUE]
    return flat.with_columns(
        (pl.col("#index") == pl.col("#index").min().over(keys)).alias(FIRST),
        (pl.col(SIDE) > 0).any().over(keys).alias(ELSEWHERE),
    )


def _both(*sides: pl.Series) -> pl.Series:
    there = pl.Series([True]).new_from_index(0, len(sides[0]))
    for side in sides:
        there &= side.is_not_null()
    return there


def _chosen(at: At, keep: pl.Expr, *arrays: pl.Expr) -> pl.Expr:
    def run(*sides: pl.Series) -> pl.Series:
        flat = grouped(*sides).filter(keep)
        if isinstance(element(at.type), t.FloatType | t.DoubleType):
            plain = pl.when(pl.col(VALUE) == 0).then(pl.lit(0.0)).otherwise(pl.col(VALUE))
            flat = flat.with_columns(plain.alias(VALUE))  # Spark gives 0.0 for -0.0
        return regrouped(flat, len(sides[0]), _both(*sides))

    return by_batch(run, at.type, *arrays)


def _distinct(at: At, array: pl.Expr) -> pl.Expr:
    """Spark gives 0.0 for -0.0."""
    if isinstance(element(at.type), t.FloatType | t.DoubleType):
        zero = pl.element() == 0
        array = array.list.eval(pl.when(zero).then(pl.element().abs()).otherwise(pl.element()))
    return array.list.unique(maintain_order=True)


def _one(args: Sequence[Expr], settings: Settings) -> Typed:
    wants("array_distinct", args, 1)
    arg = as_array("array_distinct", args[0])
    return (arg,), arg.type, arg.nullable


@scalar("array_distinct", resolve=_one)
def array_distinct(at: At, array: pl.Expr) -> pl.Expr:
    return _distinct(at, array)


@scalar("array_union", resolve=lambda args, at: _two("array_union", args))
def array_union(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _distinct(at, pl.concat_list(a, b))


@scalar("array_intersect", resolve=lambda args, at: _two("array_intersect", args))
def array_intersect(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _chosen(at, pl.col(FIRST) & (pl.col(SIDE) == 0) & pl.col(ELSEWHERE), a, b)


@scalar("array_except", resolve=lambda args, at: _two("array_except", args))
def array_except(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _chosen(at, pl.col(FIRST) & (pl.col(SIDE) == 0) & ~pl.col(ELSEWHERE), a, b)


def _overlap(args: Sequence[Expr], settings: Settings) -> Typed:
    left, right = two("arrays_overlap", args)
    null = left.nullable or right.nullable or holds_null(left.type) or holds_null(right.type)
    return (left, right), t.BOOLEAN, null


@scalar("arrays_overlap", resolve=_overlap)
def arrays_overlap(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """True for a common value that is not NULL; NULL if a NULL may be one of it."""

    def run(*sides: pl.Series) -> pl.Series:
        flat = grouped(*sides)
        shared = flat.filter((pl.col(SIDE) == 0) & pl.col(ELSEWHERE) & pl.col(VALUE).is_not_null())[
            ROW
        ].unique()
        unknown = flat.filter(pl.col(VALUE).is_null())[ROW].unique()
        lengths = [side.list.len() for side in sides]
        frame = pl.DataFrame(
            {"n": lengths[0], "m": lengths[1], ROW: pl.int_range(len(sides[0]), eager=True)}
        )
        some = (pl.col("n") > 0) & (pl.col("m") > 0)
        answer = (
            pl.when(pl.col(ROW).is_in(shared.implode()))
            .then(pl.lit(True))
            .when(some & pl.col(ROW).is_in(unknown.implode()))
            .then(pl.lit(None, dtype=pl.Boolean))
            .otherwise(pl.lit(False))
        )
        there = pl.col("n").is_not_null() & pl.col("m").is_not_null()
        return frame.select(pl.when(there).then(answer)).to_series()

    return by_batch(run, t.BOOLEAN, a, b)
