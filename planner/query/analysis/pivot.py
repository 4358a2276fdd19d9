"""Pivot: a column for each of some values."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns import types as t
from planner.columns.conditions import conjunction
from planner.columns.expressions import Alias, Call, Expr, Literal, PythonCall, holds, rewrite
from planner.columns.functions.registry import Aggregate, find
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
    """One row a group, and in it the aggregates of the rows with each value. Without such rows they
    are NULL if all of them are numbers or truth values, and what they are of no rows if one is not,
    as in PySpark.

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
    called = [
        [text if len(names) == 1 else f"{text}_{name}" for name in names] for _, text in values
    ]
    plain = all(isinstance(attr.kind, t.NumericType | t.BooleanType) for attr in made)
    if not plain and not any(holds(each, PythonCall) for each in inner):
        filtered: list[Expr] = []
        for (value, _), own in zip(values, called, strict=True):
            fits = bind(Call("<=>", (column, value)), scope, check=False)
            for each, name in zip(inner, own, strict=True):
                filtered.append(Alias(_where(each.child, fits), name))
        return aggregate(plan, keys, [*keys, *filtered], scope)
    outputs: list[Expr] = [*groups]
    for (value, _), own in zip(values, called, strict=True):
        fits = Call("<=>", (what, value))
        for attr, name in zip(made, own, strict=True):
            cell = Call("case_when", (fits, attr))
            # Each group has one row of a value: the first that is not NULL is its own.
            first = Call("first", (cell, Literal(True, t.BOOLEAN)))
            outputs.append(bind(Alias(first, name), above, check=False))
    return aggregate(cells, groups, outputs, above)


def _where(expr: Expr, fits: Expr) -> Expr:
    """An expression whose aggregates are of the rows that fit."""

    def change(each: Expr) -> Expr:
        if isinstance(each, Call) and isinstance(find(each.name), Aggregate):
            both = fits if each.where is None else conjunction([each.where, fits])
            return each.changed(where=both)
        return each

    return rewrite(expr, change)
