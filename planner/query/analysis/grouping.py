"""Grouping sets: rollup, cube, and sets that are listed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Call, Expr, Literal, attributes, rewrite
from planner.columns.typing import AnalysisError, Scope, aggregates, bind
from planner.query import logical as l
from planner.query.analysis.requests import aggregate, named
from planner.query.analysis.timewindows import has_time_window, in_time


def rollup(count: int) -> list[list[int]]:
    """The sets of ROLLUP over so many keys.

    >>> rollup(2)
    [[0, 1], [0], []]
    """
    return [list(range(size)) for size in range(count, -1, -1)]


def cube(count: int) -> list[list[int]]:
    """The sets of CUBE over so many keys.

    >>> cube(2)
    [[0, 1], [0], [1], []]
    """
    sizes = range(count, -1, -1)
    return [list(chosen) for size in sizes for chosen in combinations(range(count), size)]


def grouped_sets(
    plan: l.Plan,
    keys: Sequence[Expr],
    sets: Sequence[Sequence[int]],
    values: Sequence[Expr],
    scope: Scope,
    shows_keys: bool = True,
) -> l.Plan:
    """One row for each group of each set; a key that is not in the set is NULL.

    Parameters
    ----------
    plan : Plan
        What is grouped.
    keys : sequence of Expr
        Typed.
    sets : sequence of sequence of int
        Places of keys.
    values : sequence of Expr
        The outputs, as the user wrote them; `grouping(key)` and `grouping_id()` may be used.
    shows_keys : bool
        Whether the keys come out too, first.
    """
    if not keys and [list(each) for each in sets] == [[]]:  # one row, of no rows too
        return aggregate(plan, [], [bind(value, scope) for value in values], scope)
    bound = [bind(value, scope) for value in values]
    rows, groups, outputs = expanded(plan, keys, sets, bound, scope)
    shown = [*groups[:-1], *outputs] if shows_keys else outputs
    return aggregate(rows, groups, shown, Scope(rows.output, scope.settings))


def expanded(
    plan: l.Plan,
    keys: Sequence[Expr],
    sets: Sequence[Sequence[int]],
    exprs: Sequence[Expr],
    scope: Scope,
) -> tuple[l.Plan, list[Attr], list[Expr]]:
    """Every row once for each set; what to group those rows by, the last of it the number of the
    set; and the typed expressions over them."""
    if has_time_window([*keys, *exprs]):
        plan, change = in_time(plan, [*keys, *exprs], (), scope)
        keys, exprs = list(map(change, keys)), list(map(change, exprs))
    columns = [named(key) for key in keys]
    below = l.Project(plan, (*plan.output, *(c for c in columns if isinstance(c, Alias))))
    sources = [c.attr if isinstance(c, Alias) else c for c in columns]
    copies = tuple(Attr(a.name, a.kind, True, qualifiers=a.qualifiers) for a in sources)
    place = Attr("spark_grouping_id", t.INT, False)
    read = attributes(*(call for value in exprs for call in aggregates(value)))
    carried = tuple(attr for attr in below.output if attr in read)
    projections = tuple(
        (
            *carried,
            *(a if at in chosen else Literal(None, a.kind) for at, a in enumerate(sources)),
            Literal(number, t.INT),
        )
        for number, chosen in enumerate(sets)
    )
    rows = l.Expand(below, projections, (*carried, *copies, place))
    bare = [c.child if isinstance(c, Alias) else c for c in columns]
    same = dict(zip(bare, copies, strict=True))

    def asked(expr: Expr) -> Expr:
        if not isinstance(expr, Call) or expr.name.lower() not in ("grouping", "grouping_id"):
            return expr
        chosen = [_place(bare, arg) for arg in expr.args]
        if expr.name.lower() == "grouping":
            return bind(_flags(place, sets, chosen, t.BYTE), scope, check=False)
        every = list(range(len(keys)))
        if chosen and chosen != every:
            raise AnalysisError(
                "grouping_id() is of all keys, in their order", "GROUPING_ID_COLUMN_MISMATCH"
            )
        return bind(_flags(place, sets, every, t.LONG), scope, check=False)

    outputs = [_kept_name(value, _grouped(rewrite(value, asked), same)) for value in exprs]
    return rows, [*copies, place], outputs


def _place(keys: Sequence[Expr], asked: Expr) -> int:
    if asked not in keys:
        raise AnalysisError(
            "grouping() is for a column that is grouped by", "GROUPING_COLUMN_MISMATCH"
        )
    return list(keys).index(asked)


def _flags(
    place: Attr, sets: Sequence[Sequence[int]], chosen: Sequence[int], kind: t.DataType
) -> Expr:
    """A bit for each chosen key, 1 where the set of the row does not have it."""
    args: list[Expr] = []
    for number, present in enumerate(sets):
        bits = 0
        for key in chosen:
            bits = bits * 2 + (key not in present)
        args += [Call("=", (place, Literal(number, t.INT))), Literal(bits, kind)]
    return Call("case_when", (*args, Literal(0, kind)))


def _grouped(expr: Expr, same: dict[Expr, Attr]) -> Expr:
    """The expression over the keys of the set, but for what aggregates are made of."""
    calls = set(aggregates(expr))

    def down(each: Expr) -> Expr:
        if each in calls:
            return each
        if each in same:
            return same[each]
        children = tuple(down(child) for child in each.children)
        return each.with_children(children) if children else each

    return down(expr)


def _kept_name(old: Expr, new: Expr) -> Expr:
    return new if new is old or isinstance(new, Alias) else Alias(new, named(old).name)
