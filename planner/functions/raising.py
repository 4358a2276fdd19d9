"""Errors inside expressions: Polars has none of its own, so a cast is made to fail.

A marker text that names the error stands where the condition holds, and is cast to a number, which
fails and shows the text. `executors/relational/errors.py` finds it in Polars' message and raises
what the user shall see.
"""

from __future__ import annotations

import polars as pl

MARK = "minispark:"


def raise_where(condition: pl.Expr, code: str, message: str, value: pl.Expr) -> pl.Expr:
    """`value`, or an error of Spark's class `code` if the condition is true in any row."""
    marker = pl.when(condition).then(pl.lit(f"{MARK}{code}:{message}")).otherwise(pl.lit(None))
    return pl.when(marker.cast(pl.Int8, strict=True).is_null()).then(value)
