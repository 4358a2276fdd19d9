"""Errors inside expressions: Polars has none of its own, so a cast is made to fail.

A marker text that names the error stands where the condition holds, and is cast to a number, which
fails and shows the text. `executors/relational/errors.py` finds it in Polars' message and raises
what the user shall see.
"""

from __future__ import annotations

import polars as pl

MARK, END = "minispark:", "\u241f"


def marked(code: str, message: str) -> str:
    """The text of an error of Spark's class `code`."""
    return f"{MARK}{code}:{message}{END}"


def raise_where(condition: pl.Expr, code: str, message: str | pl.Expr, value: pl.Expr) -> pl.Expr:
    """`value`, or an error of Spark's class `code` if the condition is true in any row. A message
    that is an expression is that of the row, and need not be there in others."""
    if isinstance(message, str):
        text = pl.lit(marked(code, message))
    else:
        text = pl.concat_str(pl.lit(f"{MARK}{code}:"), message, pl.lit(END))
    marker = pl.when(condition).then(text).otherwise(pl.lit(None))
    return pl.when(marker.cast(pl.Int8, strict=True).is_null()).then(value)
