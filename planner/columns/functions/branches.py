"""Choices: a part that can fail is computed for the rows only that ask for it.

Polars gives a branch the rows that take it, where it works on columns element by element. What is
made of constants, or raises on purpose, it computes in any case: a choice that has such a part goes
through its cases here, with the rows that come to each.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns.columnar import to_polars
from planner.columns.functions.elements import by_batch
from planner.columns.functions.registry import At
from planner.columns.functions.risky import must_wait

_PLACE, _TAKEN, _VALUE = "#place", "#taken", "#value"


def choose(at: At, cases: Sequence[tuple[pl.Expr, pl.Expr]], otherwise: pl.Expr) -> pl.Expr:
    """Of each row the value of the first case (condition, value) whose condition is true."""
    if any(must_wait(arg, at.settings) for arg in at.args):
        return _by_rows(at, cases, otherwise)
    found = otherwise
    for condition, value in reversed(cases):
        found = pl.when(condition).then(value).otherwise(found)
    return found


def _by_rows(at: At, cases: Sequence[tuple[pl.Expr, pl.Expr]], otherwise: pl.Expr) -> pl.Expr:
    used = [expr for case in cases for expr in case] + [otherwise]
    names = list(dict.fromkeys(name for expr in used for name in expr.meta.root_names()))
    dtype = to_polars(at.type)

    def run(first: pl.Series, *columns: pl.Series) -> pl.Series:
        frame = pl.DataFrame([first.alias(_TAKEN), *map(pl.Series.alias, columns, names)])
        left, found = frame.with_row_index(_PLACE), []
        for condition, value in [*cases, (pl.lit(True), otherwise)]:
            if left.is_empty():  # of no rows, constants would be computed nevertheless
                break
            tested = left.with_columns(condition.fill_null(False).alias(_TAKEN))
            taken, left = tested.filter(_TAKEN), tested.filter(~pl.col(_TAKEN))
            if not taken.is_empty():
                found.append(taken.select(_PLACE, value.cast(dtype).alias(_VALUE)))
        return pl.concat(found).sort(_PLACE)[_VALUE] if found else pl.Series([], dtype=dtype)

    return by_batch(run, at.type, pl.lit(True), *map(pl.col, names))
