"""What is known of the values of a column: where it comes from, and between which values it lies.

Footers tell the least and the greatest value of whole numbers, decimals and dates; so they bound
how many different ones there can be. All of it serves guesses of sizes, never answers.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from math import isfinite
from typing import Any

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Cast, Expr
from planner.query import logical as l

_SAME_ROWS = (l.Filter, l.Sort, l.Limit, l.Tail, l.Known, l.Hint, l.Repartition, l.Sample)
_EPOCH = dt.date(1970, 1, 1)
_WHOLE = (t.ByteType, t.ShortType, t.IntegerType, t.LongType, t.DateType)


def origin(plan: l.Plan, expr: Expr) -> tuple[l.Plan, Attr] | None:
    """The leaf that the values of a column come from unchanged, and the column there."""
    while True:
        while isinstance(expr, Cast) and _keeps_order(expr):
            expr = expr.child
        if not isinstance(expr, Attr):
            return None
        if not plan.children:
            return (plan, expr) if expr in plan.output else None
        if isinstance(plan, l.Project):
            found = next((c for c in plan.columns if _named(c) == expr), None)
            if found is None:
                return None
            expr = found.child if isinstance(found, Alias) else found
        elif not _passes(plan, expr):
            return None
        below = next((c for c in plan.children if _has(c, expr)), None)
        if below is None:
            return None
        plan = below


def _named(column: Attr | Alias) -> Attr:
    return column.attr if isinstance(column, Alias) else column


def _has(plan: l.Plan, expr: Expr) -> bool:
    while isinstance(expr, Cast):
        expr = expr.child
    return expr in plan.output


def _passes(plan: l.Plan, attr: Attr) -> bool:
    """Whether a node hands a column of a child on as it is."""
    if isinstance(plan, l.Aggregate):
        return attr in plan.groups
    return isinstance(plan, (*_SAME_ROWS, l.Join, l.Distinct, l.Window, l.Generate))


def _keeps_order(cast: Cast) -> bool:
    kinds = (cast.child.type, cast.type)
    return all(isinstance(kind, t.NumericType) for kind in kinds) or kinds[0] == kinds[1]


def span(leaf: l.Plan, attr: Attr) -> tuple[float, float] | None:
    """The least and the greatest value of a leaf's column, as `number` makes numbers of them."""
    if isinstance(leaf, l.Range):
        return float(leaf.start), float(leaf.stop)
    if isinstance(leaf, l.Scan):
        for name, low, high in leaf.spans:
            if name == attr.name:
                return low, high
    return None


def different(leaf: l.Plan, attr: Attr) -> float | None:
    """How many different values a leaf's column has at most; None if nothing is known."""
    found = span(leaf, attr)
    if found is None:
        return 2.0 if isinstance(attr.kind, t.BooleanType) else None
    wide = found[1] - found[0]
    if isinstance(attr.kind, t.DecimalType):
        return float(wide * 10.0**attr.kind.scale + 1)
    return float(wide + 1) if isinstance(attr.kind, _WHOLE) else None


def number(value: Any) -> float | None:
    """A value as a number that keeps its place among others of its column."""
    if isinstance(value, dt.datetime | bool):
        return None
    if isinstance(value, dt.date):
        return float((value - _EPOCH).days)
    if not isinstance(value, int | float | Decimal):
        return None
    found = float(value)
    return found if isfinite(found) else None
