"""What users ask of a plan, as the next plan: select, where, group, join, order.

DataFrames and SQL both come through here, so that both mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from planner import logical as l
from planner import types as t
from planner.analysis.naming import text_of
from planner.expressions import (
    Alias,
    Attr,
    Call,
    Cast,
    Expr,
    Name,
    Order,
    Over,
    Star,
    rewrite,
    walk,
)
from planner.functions.registry import Settings
from planner.typing import AnalysisError, Scope, aggregates, bind, is_aggregate


def scope_of(plan: l.Plan, settings: Settings, outer: Scope | None = None) -> Scope:
    """The names that a plan's columns give."""
    return Scope(plan.output, settings, outer)


def named(expr: Expr) -> Attr | Alias:
    """A typed expression as an output column, with the name that PySpark gives it."""
    if isinstance(expr, Attr | Alias):
        return expr
    inner = expr.child if isinstance(expr, Cast) else expr
    if isinstance(expr, Cast) and isinstance(inner, Attr):
        return Alias(expr, inner.name)
    if (
        isinstance(expr, Call)
        and expr.name == "get_item"
        and t.StructType in (type(expr.args[0].type),)
    ):
        return Alias(expr, str(expr.args[1].value))  # type: ignore[attr-defined]
    return Alias(expr, text_of(expr))


def spread(exprs: Sequence[Expr], scope: Scope) -> list[Expr]:
    """The expressions with stars replaced by columns."""
    found: list[Expr] = []
    for expr in exprs:
        if isinstance(expr, Star):
            found += star(expr, scope)
        elif isinstance(expr, Call) and expr.name == "count" and expr.args == (Star(),):
            found.append(expr)
        else:
            found.append(expr)
    return found


def star(expr: Star, scope: Scope) -> list[Expr]:
    """The columns that a star stands for."""
    if not expr.qualifier:
        return list(scope.attrs)
    of_table = scope.qualified(expr.qualifier, scope.attrs)
    if of_table:
        return list(of_table)
    struct = bind(Name(expr.qualifier), scope, check=False)
    if not isinstance(struct.type, t.StructType):
        raise AnalysisError(
            f"{'.'.join(expr.qualifier)}.*: that is no table and no struct", "CANNOT_RESOLVE_STAR"
        )
    return [
        bind(Alias(Name((*expr.qualifier, field.name)), field.name), scope, check=False)
        for field in struct.type.fields
    ]


def select(plan: l.Plan, exprs: Sequence[Expr], scope: Scope) -> l.Plan:
    """The plan's rows with other columns. Aggregates without groups make one row."""
    bound = [bind(expr, scope) for expr in spread(exprs, scope)]
    if any(is_aggregate(expr) for expr in bound):
        return aggregate(plan, [], bound, scope)
    return projected(plan, bound)


def projected(plan: l.Plan, bound: Sequence[Expr]) -> l.Plan:
    """Typed expressions as columns; windows are computed first, below."""
    plan, bound = with_windows(plan, bound)
    return l.Project(plan, tuple(named(expr) for expr in bound))


def where(plan: l.Plan, condition: Expr, scope: Scope) -> l.Plan:
    """The rows for which a condition is true."""
    bound = bind(condition, scope)
    if bound.type not in (t.BOOLEAN, t.NULL):
        raise AnalysisError(
            f"a condition must be a boolean, and {text_of(bound)} is {bound.type.simpleString()}",
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
        )
    if is_aggregate(bound):
        raise AnalysisError(
            f"{text_of(bound)}: an aggregate cannot be in where; use having, or filter the result "
            "of groupBy",
            "INVALID_WHERE_CONDITION",
        )
    return l.Filter(plan, bound)


def aggregate(
    plan: l.Plan, groups: Sequence[Expr], outputs: Sequence[Expr], scope: Scope
) -> l.Plan:
    """One row a group. `groups` and `outputs` are typed; outputs may use groups and aggregates.

    Raises AnalysisError for an output column that is neither.
    """
    keys = [named(group) for group in groups]
    below = l.Project(plan, (*plan.output, *(k for k in keys if isinstance(k, Alias))))
    by_value = {_bare(key): _attr(key) for key in keys}
    calls: dict[Expr, Alias] = {}
    for output in outputs:
        for call in aggregates(output):
            calls.setdefault(call, Alias(call, text_of(call)))

    def seen(expr: Expr) -> Expr:
        if expr in by_value:
            return by_value[expr]
        return calls[expr].attr if expr in calls else expr

    found = []
    for output in outputs:
        top = (
            replace(output, child=_top(output.child, seen))
            if isinstance(output, Alias)
            else (_keep_name(output, _top(output, seen)))
        )
        found.append(top)
    grouped = l.Aggregate(below, tuple(by_value.values()), tuple(calls.values()))
    _refuse_others(found, grouped)
    return projected(grouped, found)


def _top(expr: Expr, seen: Callable[[Expr], Expr]) -> Expr:
    """`seen` from the top down: a group's expression stands for itself, not for its parts."""
    new = seen(expr)
    if new is not expr:
        return new
    children = tuple(_top(child, seen) for child in expr.children)
    return expr.with_children(children) if children else expr


def _keep_name(old: Expr, new: Expr) -> Expr:
    if isinstance(new, Attr) and isinstance(old, Attr):
        return new
    return Alias(new, named(old).name)


def _bare(key: Attr | Alias) -> Expr:
    return key.child if isinstance(key, Alias) else key


def _attr(key: Attr | Alias) -> Attr:
    return key.attr if isinstance(key, Alias) else key


def _refuse_others(found: Sequence[Expr], grouped: l.Aggregate) -> None:
    there = set(grouped.output)
    for expr in found:
        for each in walk(expr):
            if isinstance(each, Attr) and each not in there:
                raise AnalysisError(
                    f"the column {each.name} is neither grouped by nor in an aggregate; group by "
                    f"it, or take first({each.name})",
                    "MISSING_AGGREGATION",
                )


def with_windows(plan: l.Plan, exprs: Sequence[Expr]) -> tuple[l.Plan, list[Expr]]:
    """The windows of expressions computed below them, those of one partitioning together."""
    places: dict[Expr, Alias] = {}
    together: dict[tuple[object, ...], list[Alias]] = {}

    def out(expr: Expr) -> Expr:
        if not isinstance(expr, Over):
            return expr
        if expr not in places:
            places[expr] = Alias(expr, text_of(expr))
            together.setdefault((expr.partition, expr.order), []).append(places[expr])
        return places[expr].attr

    found = []
    for expr in exprs:
        new = rewrite(expr, out)
        found.append(new if new is expr or isinstance(new, Alias) else Alias(new, text_of(expr)))
    for values in together.values():
        plan = l.Window(plan, tuple(values))
    return plan, found


def order(plan: l.Plan, keys: Sequence[Expr], scope: Scope, everywhere: bool = True) -> l.Plan:
    """The rows in order."""
    bound = [bind(key, scope) for key in keys]
    orders = tuple(key if isinstance(key, Order) else Order(key) for key in bound)
    below, children = with_windows(plan, [each.child for each in orders])
    orders = tuple(
        replace(each, child=c.child if isinstance(c, Alias) else c)
        for each, c in zip(orders, children, strict=True)
    )
    found: l.Plan = l.Sort(below, orders, everywhere)
    return found if below is plan else l.Project(found, plan.output)
