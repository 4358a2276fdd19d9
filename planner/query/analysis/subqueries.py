"""Subqueries in expressions become joins below them.

`filtered` is for conditions: EXISTS and IN that must be true are semi and anti joins. Everywhere
else (`with_queries`) a subquery becomes a column of a join, and the expression uses that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.columns import types as t
from planner.columns.conditions import (
    EQUAL,
    both,
    conjunction,
    conjuncts,
    either,
    equal_keys,
    is_not_null,
    is_null,
    negated,
    same,
)
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    ExistsQuery,
    Expr,
    InQuery,
    Literal,
    Query,
    ScalarQuery,
    attributes,
    holds,
    rewrite,
    walk,
)
from planner.columns.functions.registry import Settings
from planner.columns.typing import AnalysisError, Scope, bind
from planner.query import logical as l
from planner.query.decorrelate import Decorrelated, decorrelated, one_value, outer_columns


def has_query(expr: Expr) -> bool:
    """Whether there is a subquery in an expression."""
    return holds(expr, Query)


def filtered(plan: l.Plan, condition: Expr, settings: Settings) -> l.Plan:
    """The rows for which a typed condition is true, which may have subqueries."""
    if not has_query(condition):
        return l.Filter(plan, condition)
    columns = plan.output
    plain: list[Expr] = []
    queries: list[Expr] = []
    for part in conjuncts(condition):
        (queries if has_query(part) else plain).append(part)
    if plain:
        plan = l.Filter(plan, conjunction(plain))
    rest: list[Expr] = []
    for part in queries:
        made = _as_join(plan, part, settings)
        if made is None:
            rest.append(part)
        else:
            plan = made
    if rest:
        plan, rest = with_queries(plan, rest, settings)
        plan = l.Filter(plan, conjunction(rest))
    return plan if plan.output == columns else l.Project(plan, columns)


def _as_join(plan: l.Plan, part: Expr, settings: Settings) -> l.Plan | None:
    """A condition that is one EXISTS or IN, as a join; None for any other."""
    negative = isinstance(part, Call) and part.name == "not"
    query = part.args[0] if isinstance(part, Call) and negative else part
    match query:
        case ExistsQuery(inner):
            found = decorrelated(_rows_only(inner), plan)
            on = conjunction(found.conditions) if found.conditions else None
            return l.Join(plan, found.plan, "anti" if negative else "semi", on)
        case InQuery(inner, values):
            plan, own = with_queries(plan, values, settings)
            found = decorrelated(inner, plan)
            pairs = _equal(own, inner, settings)
            if not negative:
                return l.Join(plan, found.plan, "semi", conjunction([*found.conditions, *pairs]))
            return _not_in(plan, found, pairs)
    return None


def _not_in(plan: l.Plan, found: Decorrelated, pairs: Sequence[Expr]) -> l.Plan:
    """A row stays if no comparison with a row of the query is true, nor NULL."""
    nullable = [pair for pair in pairs if pair.nullable]
    if not nullable:
        return l.Join(plan, found.plan, "anti", conjunction([*found.conditions, *pairs]))
    if len(pairs) == 1 and not found.conditions:
        whole = l.Join(plan, found.plan, "null-aware anti", pairs[0])
        if equal_keys(whole)[0]:  # a constant, or a column from further out, is nothing to look up
            return whole
    unless = [either(pair, is_null(pair)) if pair.nullable else pair for pair in pairs]
    return l.Join(plan, found.plan, "anti", conjunction([*found.conditions, *unless]))


def _equal(values: Sequence[Expr], query: l.Plan, settings: Settings) -> list[Expr]:
    if len(values) != len(query.output):
        raise AnalysisError(
            f"IN compares {len(values)} values with a query of {len(query.output)} columns",
            "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
        )
    nothing = Scope((), settings)
    return [
        bind(Call("=", (value, attr)), nothing, check=False)
        for value, attr in zip(values, query.output, strict=True)
    ]


def _rows_only(plan: l.Plan) -> l.Plan:
    """A query of which only matters whether it has rows."""
    while True:
        match plan:
            case l.Limit(child=child, count=count, offset=0) if count is None or count > 0:
                plan = child
            case l.Sort(child=child) | l.Distinct(child=child) | l.Known(child=child):
                plan = child
            case l.Project(child=child) if not any(map(_of_others, plan.columns)):
                plan = child
            case _:
                return plan


def _of_others(expr: Expr) -> bool:
    return any(isinstance(each, Call) and each.name == "raise_error" for each in walk(expr))


# ---- subqueries as columns -----------------------------------------------------------------------


def with_queries(
    plan: l.Plan, exprs: Sequence[Expr], settings: Settings
) -> tuple[l.Plan, list[Expr]]:
    """The plan with the values of the expressions' subqueries as further columns, and the
    expressions that use those."""
    if not any(map(has_query, exprs)):
        return plan, list(exprs)
    done: dict[tuple[Expr, bool], Expr] = {}

    def column(query: Query, negative: bool) -> Expr:
        nonlocal plan
        if (query, negative) not in done:
            plan, done[query, negative] = _as_column(plan, query, negative, settings)
        return done[query, negative]

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Call) and expr.name == "not" and isinstance(expr.args[0], InQuery):
            return column(expr.args[0], True)
        if isinstance(expr, Query):
            inner = expr.with_children(tuple(map(change, expr.children)))
            assert isinstance(inner, Query)
            return column(inner, False)
        children = tuple(map(change, expr.children))
        return expr.with_children(children) if children else expr

    found = [change(_not_inside(expr)) if has_query(expr) else expr for expr in exprs]
    return plan, found


def with_sides(
    left: l.Plan, right: l.Plan, condition: Expr, settings: Settings
) -> tuple[l.Plan, l.Plan, Expr]:
    """The sides of a join with the values of its condition's subqueries as further columns, each
    of the side whose columns it uses; and the condition that uses those."""
    sides = [left, right]

    def change(expr: Expr) -> Expr:
        negative = isinstance(expr, Call) and expr.name == "not"
        if isinstance(expr, Query) or (negative and isinstance(expr.children[0], InQuery)):
            query = expr if isinstance(expr, Query) else expr.children[0]
            assert isinstance(query, Query)
            side = _side_of(query, left, right)
            sides[side], (found,) = with_queries(sides[side], [expr], settings)
            return found
        children = tuple(map(change, expr.children))
        return expr.with_children(children) if children else expr

    found = change(_not_inside(condition))
    return sides[0], sides[1], found


def _side_of(query: Query, left: l.Plan, right: l.Plan) -> int:
    needed = {*attributes(*query.children), *outer_columns(query.plan)}
    there = set(left.output), set(right.output)
    if needed & there[0] and needed & there[1]:
        raise NotImplementedError(
            "a subquery that uses columns of both sides in the condition of a join: put it into "
            "WHERE"
        )
    return 1 if needed & there[1] else 0


def _not_inside(expr: Expr) -> Expr:
    """NOT over AND and OR with subqueries moved into them, to the IN that it is about."""
    if isinstance(expr, Call) and expr.name == "not" and has_query(expr):
        inner = expr.args[0]
        if isinstance(inner, Call) and inner.name == "not":
            return _not_inside(inner.args[0])
        if isinstance(inner, Call) and inner.name in ("and", "or"):
            a, b = (_not_inside(negated(arg)) for arg in inner.args)
            return either(a, b) if inner.name == "and" else both(a, b)
    children = tuple(map(_not_inside, expr.children))
    return expr.with_children(children) if children else expr


def _as_column(
    plan: l.Plan, query: Query, negative: bool, settings: Settings
) -> tuple[l.Plan, Expr]:
    match query:
        case ScalarQuery(inner):
            return _scalar(plan, inner)
        case ExistsQuery(inner):
            return _exists(plan, decorrelated(_rows_only(inner), plan))
        case InQuery(inner, values):
            return _in(plan, inner, values, negative, settings)
    raise TypeError(f"no join for {query!r}")


def _scalar(plan: l.Plan, inner: l.Plan) -> tuple[l.Plan, Expr]:
    if len(inner.output) != 1:
        raise AnalysisError(
            f"a subquery that stands for one value must have one column, and has "
            f"{len(inner.output)}",
            "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        )
    found, value = one_value(inner, plan)
    if not found.conditions:
        if found.once and isinstance(_bare(found.plan), l.Aggregate):
            return l.Join(plan, found.plan, "cross"), value
        return l.Join(plan, found.plan, "single"), _loose(value, found.plan)
    kind = "left" if found.once else "single"
    joined = l.Join(plan, found.plan, kind, conjunction(found.conditions))
    return joined, _loose(value, found.plan)


def _bare(plan: l.Plan) -> l.Plan:
    """What is below renamings: a node that fixes the number of rows."""
    while isinstance(plan, l.Project | l.Known | l.Sort):
        plan = plan.child
    return plan


def _loose(value: Expr, plan: l.Plan) -> Expr:
    """The value with columns of the plan that a left join may make NULL."""
    own = set(plan.output)

    def change(each: Expr) -> Expr:
        return replace(each, null=True) if isinstance(each, Attr) and each in own else each

    return rewrite(value, change)


def _exists(plan: l.Plan, found: Decorrelated) -> tuple[l.Plan, Expr]:
    """Whether the query has a row that goes with the outer one."""
    outer = set(plan.output)
    own = [each for each in found.conditions if not attributes(each).keys() & outer]
    if own:
        tied = tuple(each for each in found.conditions if each not in own)
        found = Decorrelated(l.Filter(found.plan, conjunction(own)), tied)
    if not found.conditions:
        count = Alias(Call("count", (Literal(1, t.INT),), kind=t.LONG, null=False), "rows")
        one = l.Aggregate(l.Limit(found.plan, 1), (), (count,))
        zero = Literal(0, t.LONG)
        some = Call(">", (count.attr, zero), kind=t.BOOLEAN, null=False)
        return l.Join(plan, one, "cross"), some
    flag = Alias(Literal(True, t.BOOLEAN), "found")
    pairs = [_pair(each, found.plan) for each in found.conditions]
    if all(pair is not None for pair in pairs):
        keys = [Alias(pair[1], "key") for pair in pairs if pair is not None]
        rows = l.Distinct(l.Project(found.plan, tuple(keys)))
        flagged = l.Project(rows, (*rows.output, flag))
        on: list[Expr] = [
            replace(condition, args=(pair[0], key.attr))
            for condition, pair, key in zip(found.conditions, pairs, keys, strict=True)
            if pair is not None and isinstance(condition, Call)
        ]
    else:
        used = tuple(attr for attr in attributes(*found.conditions) if attr in outer)
        rows = l.Distinct(l.Project(plan, used))
        kept = l.Join(rows, found.plan, "semi", conjunction(found.conditions))
        copies = tuple(Alias(attr, attr.name) for attr in used)
        flagged = l.Project(kept, (*copies, flag))
        on = [same(attr, copy.attr) for attr, copy in zip(used, copies, strict=True)]
    joined = l.Join(plan, flagged, "left", conjunction(on))
    return joined, is_not_null(replace(flag.attr, null=True))


def _pair(condition: Expr, inner: l.Plan) -> tuple[Expr, Expr] | None:
    """An equality as (outer side, inner side)."""
    if not isinstance(condition, Call) or condition.name not in (*EQUAL, "<=>"):
        return None
    own = set(inner.output)
    a, b = condition.args
    of_a, of_b = attributes(a).keys(), attributes(b).keys()
    if of_b and of_b <= own and not of_a & own:
        return a, b
    return (b, a) if of_a and of_a <= own and not of_b & own else None


def _in(
    plan: l.Plan, inner: l.Plan, values: Sequence[Expr], negative: bool, settings: Settings
) -> tuple[l.Plan, Expr]:
    """IN where it is no condition of its own is two-valued, as in Spark: TRUE if a row is equal,
    else FALSE. NOT IN is TRUE if no comparison with a row is true, nor NULL."""
    pairs = _equal(values, inner, settings)
    found = decorrelated(inner, plan)
    if negative:
        pairs = [either(pair, is_null(pair)) if pair.nullable else pair for pair in pairs]
    plan, hit = _exists(plan, replace(found, conditions=(*found.conditions, *pairs)))
    return plan, negated(hit) if negative else hit
