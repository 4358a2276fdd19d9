"""Subqueries that look at the query around them, as plans that do not.

In a typed subquery a column of the query around is an `Outer`. `decorrelated` gives the same rows
for all outer rows at once: a plan without those `Outer`s, and the conditions that say which of its
rows belong to which outer row. A join does the rest (`planner/query/analysis/subqueries.py`).

Mostly the conditions with `Outer`s can simply be pulled up through the subquery. Where they cannot
(an aggregate below a comparison that is no equality, a limit, a union, …) the subquery is computed
for every distinct combination of outer values: `planner/query/dependent.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from planner.columns.conditions import EQUAL, SAME, conjunction, conjuncts
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Outer,
    Over,
    attributes,
    holds,
    rewrite,
    substitute,
    walk,
)
from planner.query import logical as l
from planner.query.dependent import counts, depending, zero


@dataclass(frozen=True)
class Decorrelated:
    """A subquery's plan, and the conditions (over its columns and the outer ones) that pair them.

    `once` says that no outer row has more than one row of the plan.
    """

    plan: l.Plan
    conditions: tuple[Expr, ...] = ()
    once: bool = False


class _Hard(Exception):
    """The conditions cannot be pulled up through some node."""


def outer_columns(plan: l.Plan) -> set[Attr]:
    """The columns of queries around that a plan uses."""
    return {
        each.attr
        for node in l.walk(plan)
        for expr in node.expressions
        if holds(expr, Outer)
        for each in walk(expr)
        if isinstance(each, Outer)
    }


def opened(expr: Expr, outer: set[Attr]) -> Expr:
    """The expression with `Outer` columns of `outer` as plain columns."""

    def change(each: Expr) -> Expr:
        return each.attr if isinstance(each, Outer) and each.attr in outer else each

    return rewrite(expr, change)


def decorrelated(plan: l.Plan, around: l.Plan) -> Decorrelated:
    """A subquery of `around` without columns of it.

    Parameters
    ----------
    plan : Plan
        A typed plan that may use columns of `around` (and of queries further out) as `Outer`.
    around : Plan
        The plan on whose rows the subquery depends.
    """
    outer = outer_columns(plan) & set(around.output)
    if not outer:
        return Decorrelated(plan, (), _one_row(plan))
    try:
        found, conditions = _pull(plan, outer)
    except _Hard:
        return _for_each(plan, around, outer)
    opened_ones = tuple(opened(each, outer) for each in conditions)
    return Decorrelated(found, opened_ones, _keyed_by(found, opened_ones))


def _for_each(plan: l.Plan, around: l.Plan, outer: set[Attr]) -> Decorrelated:
    found, conditions = depending(plan, around, [a for a in around.output if a in outer])
    return Decorrelated(found, conditions)


def _one_row(plan: l.Plan) -> bool:
    """Whether a plan has one row at most, as its form tells."""
    while isinstance(plan, l.Project | l.Known | l.Filter | l.Sort):
        plan = plan.child
    return isinstance(plan, l.Aggregate) and not plan.groups


def _keyed_by(plan: l.Plan, conditions: Sequence[Expr]) -> bool:
    """Whether equalities of `conditions` fix all keys of the aggregate that a plan is."""
    while isinstance(plan, l.Project | l.Known | l.Filter | l.Sort):
        plan = plan.child
    if not isinstance(plan, l.Aggregate):
        return False
    fixed = {
        arg
        for each in conditions
        if isinstance(each, Call) and each.name in (*EQUAL, SAME)
        for arg in each.args
    }
    return all(group in fixed for group in plan.groups)


# ---- pulling up ----------------------------------------------------------------------------------

_Pulled = tuple[l.Plan, list[Expr]]


def _uses(expressions: Iterable[Expr], outer: set[Attr]) -> bool:
    return any(
        isinstance(each, Outer) and each.attr in outer for e in expressions for each in walk(e)
    )


def _pull(plan: l.Plan, outer: set[Attr]) -> _Pulled:
    """The plan without conditions on outer columns, and those conditions."""
    if not outer_columns(plan) & outer:
        return plan, []
    match plan:
        case l.Filter(child=child, condition=condition):
            below, found = _pull(child, outer)
            parts = conjuncts(condition)
            tied = [part for part in parts if _uses([part], outer)]
            free = [part for part in parts if not _uses([part], outer)]
            return (l.Filter(below, conjunction(free)) if free else below), [*found, *tied]
        case l.Project():
            return _project(plan, outer)
        case l.Aggregate():
            return _aggregate(plan, outer)
        case l.Join():
            return _join(plan, outer)
        case l.Distinct():
            below, found = _equalities(plan.child, outer)
            return l.Distinct(below, _with_keys(plan.keys, found, below)), found
        case l.Window():
            return _window(plan, outer)
        case l.Known():
            below, found = _pull(plan.child, outer)
            return l.Known(below, plan.qualifier), found
        case l.Sort() | l.Hint() | l.Generate() if not _uses(plan.expressions, outer):
            below, found = _pull(plan.child, outer)
            return plan.with_children((below,)), found
    raise _Hard


def _project(plan: l.Project, outer: set[Attr]) -> _Pulled:
    if _uses(plan.columns, outer):
        raise _Hard
    below, found = _pull(plan.child, outer)
    there = set(plan.output)
    more = [attr for attr in _inner(found, below) if attr not in there]
    return l.Project(below, (*plan.columns, *more)), found


def _inner(conditions: Sequence[Expr], plan: l.Plan) -> list[Attr]:
    """The columns of `plan` that conditions use."""
    own = set(plan.output)
    return [attr for attr in attributes(*conditions) if attr in own]


def _join(plan: l.Join, outer: set[Attr]) -> _Pulled:
    parts = conjuncts(plan.condition)
    if plan.kind in ("inner", "cross"):
        left, of_left = _pull(plan.left, outer)
        right, of_right = _pull(plan.right, outer)
        tied = [part for part in parts if _uses([part], outer)]
        free = [part for part in parts if not _uses([part], outer)]
        kind = "inner" if free else "cross"
        made = l.Join(left, right, kind, conjunction(free) if free else None)
        return made, [*of_left, *of_right, *tied]
    if _uses(parts, outer) or plan.kind == "full":
        raise _Hard
    if plan.kind == "right":
        if outer_columns(plan.left) & outer:
            raise _Hard
        right, found = _pull(plan.right, outer)
        return replace(plan, right=right), found
    if outer_columns(plan.right) & outer:
        raise _Hard
    left, found = _pull(plan.left, outer)
    return replace(plan, left=left), found


def _equalities(plan: l.Plan, outer: set[Attr]) -> _Pulled:
    """Pulled up, with conditions that all say: a column of the plan equals something outer."""
    below, found = _pull(plan, outer)
    more: list[Alias] = []
    conditions: list[Expr] = []
    for condition in found:
        if not isinstance(condition, Call) or condition.name not in (*EQUAL, SAME):
            raise _Hard
        a, b = condition.args
        inner, other = (b, a) if _uses([a], outer) else (a, b)
        if _uses([inner], outer) or attributes(other) or not attributes(inner):
            raise _Hard
        if not isinstance(inner, Attr):
            more.append(Alias(inner, "key"))
            inner = more[-1].attr
        conditions.append(replace(condition, args=(inner, other)))
    if more:
        below = l.Project(below, (*below.output, *more))
    return below, conditions


def _with_keys(
    keys: tuple[Attr, ...], conditions: Sequence[Expr], below: l.Plan
) -> tuple[Attr, ...]:
    """Keys and the columns that conditions fix; none still means all columns."""
    return (*keys, *(a for a in _inner(conditions, below) if a not in keys)) if keys else ()


def _aggregate(plan: l.Aggregate, outer: set[Attr]) -> _Pulled:
    if not plan.groups or _uses(plan.values, outer):
        raise _Hard  # without groups it has a row for outer rows that match nothing, too
    below, found = _equalities(plan.child, outer)
    groups = _with_keys(plan.groups, found, below)
    return l.Aggregate(below, groups, plan.values), found


def _window(plan: l.Window, outer: set[Attr]) -> _Pulled:
    if _uses(plan.values, outer):
        raise _Hard
    below, found = _equalities(plan.child, outer)
    more = tuple(_inner(found, below))
    values = tuple(
        replace(value, child=replace(value.child, partition=(*value.child.partition, *more)))
        for value in plan.values
        if isinstance(value.child, Over)
    )
    return l.Window(below, values), found


# ---- one value -----------------------------------------------------------------------------------


def one_value(plan: l.Plan, around: l.Plan) -> tuple[Decorrelated, Expr]:
    """A scalar subquery: as `decorrelated`, and its value from a (left) join with the outer rows.

    An aggregate without groups has a row for outer rows that match nothing as well: COUNT is 0
    there. So what stands above it is computed after the join.
    """
    outer = outer_columns(plan) & set(around.output)
    value: Expr = plan.output[0]
    inner = plan
    while isinstance(inner, l.Project | l.Known | l.Sort):
        if isinstance(inner, l.Project):
            value = substitute(value, _made(inner))
        inner = inner.child
    whole = isinstance(inner, l.Aggregate) and not inner.groups
    if not outer or not whole or not isinstance(inner, l.Aggregate):
        found = decorrelated(plan, around)
        return found, plan.output[0]
    if any(not value.child.nullable and not counts(value) for value in inner.values):
        return _for_each(plan, around, outer), plan.output[0]
    try:
        if _uses(inner.values, outer):
            raise _Hard
        below, conditions = _equalities(inner.child, outer)
    except _Hard:
        return replace(_for_each(plan, around, outer), once=True), plan.output[0]
    keys = tuple(_inner(conditions, below))
    grouped = l.Aggregate(below, keys, inner.values)
    zeros: dict[Attr, Expr] = {e.attr: zero(e.attr) for e in inner.values if counts(e)}
    value = substitute(value, zeros)
    opened_ones = tuple(opened(each, outer) for each in conditions)
    return Decorrelated(grouped, opened_ones, True), opened(value, outer)


def _made(project: l.Project) -> dict[Attr, Expr]:
    return {each.attr: each.child for each in project.columns if isinstance(each, Alias)}
