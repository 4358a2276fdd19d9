"""What becomes of a value that cannot be cast: an error under ANSI, else NULL."""

from __future__ import annotations

import polars as pl

from planner.columns.functions.raising import raise_where

BLANKS = "".join(map(chr, range(33))) + "\x7f"  # what is cut off text before it is read


def sound(value: pl.Expr, bad: pl.Expr, mode: str, code: str, message: str | pl.Expr) -> pl.Expr:
    """`value` where it is not `bad`. Mode 'ansi' raises where it is, the others give NULL."""
    if mode == "ansi":
        return raise_where(bad, code, message, value)
    return pl.when(bad.not_().fill_null(True)).then(value)


def read(text: pl.Expr, value: pl.Expr, mode: str, to: str) -> pl.Expr:
    """What text was read as; it is bad where there is text and no value."""
    if mode != "ansi":
        return value
    bad = value.is_null() & text.is_not_null()
    shown = pl.when(bad).then(text)
    message = pl.concat_str(
        pl.lit("the value '"), shown, pl.lit(f"' is no {to}; use try_cast to have NULL instead")
    )
    return raise_where(bad, "CAST_INVALID_INPUT", message, value)
