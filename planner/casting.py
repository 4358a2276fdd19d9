"""Casts: a Polars expression of one type as another, by Spark's rules."""

from __future__ import annotations

import polars as pl

from planner import types as t
from planner.columnar import to_polars
from planner.functions.registry import Settings


def cast(value: pl.Expr, old: t.DataType, new: t.DataType, mode: str, at: Settings) -> pl.Expr:
    """`value`, of type `old`, as type `new`; `mode` is that of `expressions.Cast`."""
    return value.cast(to_polars(new), strict=mode == "ansi")
