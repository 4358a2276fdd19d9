"""Pivot: a column for each of some values."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns import types as t
from planner.columns.expressions import Alias, Call, Expr, Literal
from planner.columns.typing import Scope, bind
from planner.query import logical as l
from planner.query.analysis.naming import text_of
from planner.query.analysis.requests import aggregate


def pivoted(
    plan: l.Plan,
    keys: Sequence[Expr],
    column: Expr,
    values: Sequence[tuple[Expr, str]],
    exprs: Sequence[Expr],
    scope: Scope,
) -> l.Plan:
    """One row a group, and in it the aggregates of the rows with each value; NULL without rows.

    Parameters
    ----------
    plan : Plan
        What is grouped.
    keys, column, exprs : Expr
        Typed: the groups, the column whose values become columns, the aggregates.
    values : sequence of (Expr, str)
        Constants, and how each is called in the names of columns.
    """
    names = [e.name if isinstance(e, Alias) else text_of(e) for e in exprs]
    inner = [
        Alias(e.child if isinstance(e, Alias) else e, name)
        for e, name in zip(exprs, names, strict=True)
    ]
    cells = aggregate(plan, [*keys, column], [*keys, Alias(column, "#pivot"), *inner], scope)
    above = Scope(cells.output, scope.settings)
    groups = cells.output[: len(keys)]
    what, made = cells.output[len(keys)], cells.output[len(keys) + 1 :]
    outputs: list[Expr] = [*groups]
    for value, text in values:
        fits = Call("<=>", (what, value))
        for attr, name in zip(made, names, strict=True):
            cell = Call("case_when", (fits, attr))
            # Each group has one row of a value: the first that is not NULL is its own.
            first = Call("first", (cell, Literal(True, t.BOOLEAN)))
            called = text if len(made) == 1 else f"{text}_{name}"
            outputs.append(bind(Alias(first, called), above, check=False))
    return aggregate(cells, groups, outputs, above)
