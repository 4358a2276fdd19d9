"""Aggregates over plain columns: what is computed first, and how keys are made equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal
from planner.columns.functions.registry import Aggregate, find


def prepared(values: tuple[Alias, ...]) -> tuple[tuple[Alias, ...], tuple[Alias, ...]]:
    """(columns to compute first, the same aggregates over columns).

    Each argument that is not a column becomes one, but for the constants of a function. FILTER
    makes arguments NULL where NULLs count for nothing, and stays as a column elsewhere.
    """
    first: dict[Expr, Alias] = {}

    def column(expr: Expr) -> Attr:
        if isinstance(expr, Attr):
            return expr
        return first.setdefault(expr, Alias(expr, "#")).attr

    found = []
    for value in values:
        call = value.child
        assert isinstance(call, Call)
        found.append(replace(value, child=_over_columns(call, column)))
    return tuple(first.values()), tuple(found)


def _over_columns(call: Call, column: Callable[[Expr], Attr]) -> Call:
    entry = find(call.name)
    if not isinstance(entry, Aggregate):  # of a window: its constants say how it is built
        args = tuple(arg if isinstance(arg, Literal) else column(arg) for arg in call.args)
        return replace(call, args=args)
    masked = call.where is not None and entry.skips
    kept: list[Expr] = []
    for place, arg in enumerate(call.args):
        if place in entry.constants:
            kept.append(arg)
        elif masked:
            assert call.where is not None
            kept.append(column(Call("case_when", (call.where, arg), kind=arg.type)))
        else:
            kept.append(column(arg))
    where = None if masked or call.where is None else column(call.where)
    return replace(call, args=tuple(kept), where=where)


def key(value: pl.Expr, kind: t.DataType) -> pl.Expr:
    """A group's key: -0.0 is 0.0 (Polars itself takes all NaN for one, and NULL for a value).

    >>> pl.select(key(pl.lit(-0.0), t.DOUBLE)).item()
    0.0
    """
    if isinstance(kind, (t.FloatType, t.DoubleType)):
        return pl.when(value == 0).then(pl.lit(0.0, dtype=value_type(kind))).otherwise(value)
    if isinstance(kind, t.StructType) and _has_fraction(kind):
        fields = [key(value.struct.field(f.name), f.dataType).alias(f.name) for f in kind.fields]
        return pl.when(value.is_not_null()).then(pl.struct(fields))
    if isinstance(kind, t.ArrayType) and _has_fraction(kind):
        return value.list.eval(key(pl.element(), kind.elementType))
    return value


def value_type(kind: t.DataType) -> pl.DataType:
    """The Polars type of a binary fraction."""
    return pl.Float32() if isinstance(kind, t.FloatType) else pl.Float64()


def _has_fraction(kind: t.DataType) -> bool:
    if isinstance(kind, t.StructType):
        return any(_has_fraction(field.dataType) for field in kind.fields)
    if isinstance(kind, t.ArrayType):
        return _has_fraction(kind.elementType)
    return isinstance(kind, (t.FloatType, t.DoubleType))
