"""Comparisons of values that Polars does not compare itself: structs and arrays.

Inside them a NULL is equal to a NULL and smaller than anything else, as Spark has it there.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.functions.elements import by_batch

_NESTED = (t.ArrayType, t.StructType)


def is_nested(kind: t.DataType) -> bool:
    """Whether a type has parts that are compared one after the other."""
    return isinstance(kind, _NESTED)


def _key(value: Any, kind: t.DataType) -> Any:
    """A Python value that sorts as the value does inside something."""
    if value is None:
        return (0,)
    match kind:
        case t.ArrayType():
            return (1, [_key(each, kind.elementType) for each in value])
        case t.StructType():
            return (1, [_key(value[f.name], f.dataType) for f in kind.fields])
        case t.FloatType() | t.DoubleType():
            return (2,) if value != value else (1, value + 0.0)
    return (1, value)


def order(a: pl.Expr, b: pl.Expr, kind: t.DataType) -> pl.Expr:
    """-1, 0 or 1 where a is smaller, equal or larger; NULL where one of them is NULL."""

    def run(x: pl.Series, y: pl.Series) -> pl.Series:
        found: list[int | None] = []
        for one, other in zip(x.to_list(), y.to_list(), strict=True):
            if one is None or other is None:
                found.append(None)
                continue
            p, q = _key(one, kind), _key(other, kind)
            found.append((p > q) - (p < q))
        return pl.Series(found, dtype=pl.Int8)

    return by_batch(run, t.BYTE, a, b)
