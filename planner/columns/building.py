"""Building: a typed expression becomes a Polars expression over physical columns."""

from __future__ import annotations

import functools
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.columnar import to_polars
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    Lambda,
    Literal,
    Order,
    Over,
    Variable,
)
from planner.columns.functions.registry import Aggregate, At, Settings, find, value_of


def build(expr: Expr, settings: Settings, variables: dict[int, pl.Expr] | None = None) -> pl.Expr:
    """The Polars expression of a typed expression. Aggregates become aggregations of all rows in
    reach; columns are found by `Attr.column`. Windows are the kernel's (they need sorted rows).

    >>> from planner.columns.expressions import Literal
    >>> pl.select(build(Literal(1, t.INT), Settings())).dtypes
    [Int32]
    """
    match expr:
        case Attr():
            return pl.col(expr.column)
        case Variable():
            assert variables is not None
            return variables[expr.id]
        case Literal(value, kind):
            return literal(value, kind)
        case Alias(child) | Order(child):
            return build(child, settings, variables)
        case Cast(child, kind, mode):
            return cast(build(child, settings, variables), child.type, kind, mode, settings)
        case Call():
            return _call(expr, settings, variables)
        case Over():
            raise TypeError("a window function stands in a place of its own")
    raise TypeError(f"{type(expr).__name__} cannot be computed here: {expr!r}")


def literal(value: Any, kind: t.DataType) -> pl.Expr:
    """A constant of a type."""
    # Fractions are not remembered, as 0.0 equals -0.0, nor are long texts.
    if isinstance(value, int) or (isinstance(value, str) and len(value) < 100):
        return _usual(value, kind)
    return _constant(value, kind)


@functools.lru_cache(maxsize=1000)
def _usual(value: int | str, kind: t.DataType) -> pl.Expr:
    return _constant(value, kind)


def _constant(value: Any, kind: t.DataType) -> pl.Expr:
    if value is None:
        return pl.lit(None, dtype=to_polars(kind))
    if isinstance(kind, t.ArrayType | t.MapType | t.StructType):
        return pl.lit(pl.Series([value], dtype=to_polars(kind))).first()
    return pl.lit(value, dtype=to_polars(kind))


def at_of(call: Call, settings: Settings) -> At:
    """What the builder of a call is told."""
    types = tuple(t.NULL if isinstance(arg, Lambda) else arg.type for arg in call.args)
    values = tuple(value_of(arg) for arg in call.args)
    return At(call.type, types, values, settings, call.args, call.ignore_nulls)


def _call(call: Call, settings: Settings, variables: dict[int, pl.Expr] | None) -> pl.Expr:
    entry, at = find(call.name), at_of(call, settings)
    args: list[Any] = []
    for arg in call.args:
        if isinstance(arg, Lambda):
            args.append(_function(arg, settings, variables))
        else:
            args.append(build(arg, settings, variables))
    if isinstance(entry, Aggregate):
        args = _chosen(call, entry, args, settings, variables)
        if call.distinct and entry.name == "count" and len(args) == 1:
            found: pl.Expr = args[0].drop_nulls().n_unique()  # quicker than unique().count()
            return found.cast(pl.Int64)
    return entry.build(at, *args)


def _chosen(
    call: Call,
    entry: Aggregate,
    args: list[Any],
    settings: Settings,
    variables: dict[int, pl.Expr] | None,
) -> list[Any]:
    """The values that FILTER and DISTINCT leave to an aggregate."""
    places = [at for at in range(len(args)) if at not in entry.constants]
    chosen = {at: args[at] for at in places}
    if call.where is not None:
        where = build(call.where, settings, variables)
        chosen = {at: arg.filter(where) for at, arg in chosen.items()}
    if call.distinct and len(places) == 1 and entry.name != "count":
        chosen = {at: arg.unique(maintain_order=not entry.partial) for at, arg in chosen.items()}
    elif call.distinct and len(places) > 1:
        each = pl.struct([arg.alias(f"{at}") for at, arg in chosen.items()])
        rows = each.unique(maintain_order=not entry.partial)
        chosen = {at: rows.struct.field(f"{at}") for at in places}
    return [chosen.get(at, arg) for at, arg in enumerate(args)]


def _function(function: Lambda, settings: Settings, around: dict[int, pl.Expr] | None) -> Any:
    """A Python function that builds the body over given arguments."""

    def made(*values: pl.Expr) -> pl.Expr:
        own = {param.id: value for param, value in zip(function.params, values, strict=True)}
        return build(function.body, settings, {**(around or {}), **own})

    return made
