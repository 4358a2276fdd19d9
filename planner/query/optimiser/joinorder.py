"""Inner joins of several tables, the smallest results first.

A greedy order: begin with the two that give the fewest rows together, then join whatever gives the
fewest next. A cross product comes only when no equality is left to join by. Columns that are equal
by way of others can be joined by too: of a = b and b = c any two of the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

from planner.columns import types as t
from planner.columns.conditions import conjunction, conjuncts
from planner.columns.expressions import Attr, Call, Expr, attributes
from planner.query import logical as l
from planner.query.optimiser.shapes import filtered, parents_first, shared
from planner.query.statistics import Sizes

_MOST = 16  # tables whose order is looked for


def joinorder(plan: l.Plan) -> l.Plan:
    """The plan with its inner joins in a better order."""
    order = parents_first(plan)
    many = shared(order)
    inner = {
        id(child)
        for node in order
        if _is_inner(node)
        for child in node.children
        if _is_inner(child) and id(child) not in many
    }
    sizes = Sizes()

    def change(node: l.Plan, root: bool) -> l.Plan:
        return _reordered(node, sizes) if root and isinstance(node, l.Join) else node

    done: dict[int, l.Plan] = {}
    for node in reversed(order):
        new = node
        children = tuple(done[id(child)] for child in node.children)
        if any(a is not b for a, b in zip(children, node.children, strict=True)):
            new = node.with_children(children)
        done[id(node)] = change(new, _is_inner(node) and id(node) not in inner)
    return done[id(plan)]


def _is_inner(node: l.Plan) -> bool:
    return isinstance(node, l.Join) and node.kind in ("inner", "cross")


def _reordered(root: l.Join, sizes: Sizes) -> l.Plan:
    tables, conditions = _taken_apart(root)
    if not 3 <= len(tables) <= _MOST:
        return root
    if any(isinstance(node, l.Hint) for table in tables for node in _top(table)):
        return root
    classes, others = _classes(conditions)
    found = _greedy([_even(table, classes) for table in tables], classes, others, sizes)
    if found.output == root.output:
        return found
    return l.Project(found, root.output, site=root.site)


def _classes(conditions: Sequence[Expr]) -> tuple[list[list[Attr]], list[Expr]]:
    """The columns that are equal to each other, and the conditions that say something else."""
    classes: list[list[Attr]] = []
    others: list[Expr] = []
    for each in conditions:
        match each:
            case Call(name="=" | "==", args=(Attr() as a, Attr() as b)) if a.kind == b.kind:
                joined = [own for own in classes if a in own or b in own]
                classes = [own for own in classes if own not in joined]
                classes.append(list(dict.fromkeys([*chain(*joined), a, b])))
            case _:
                others.append(each)
    return classes, others


def _even(table: l.Plan, classes: Sequence[Sequence[Attr]]) -> l.Plan:
    """A table whose own columns that must be equal are."""
    equal: list[Expr] = []
    for own in classes:
        here = [attr for attr in own if attr in table.output]
        equal += [_equal(here[0], other) for other in here[1:]]
    return filtered(table, equal)


def _equal(a: Attr, b: Attr) -> Expr:
    return Call("=", (a, b), kind=t.BOOLEAN, null=a.null or b.null)


def _top(plan: l.Plan) -> list[l.Plan]:
    found = [plan]
    while isinstance(plan, l.Project | l.Filter | l.Known):
        plan = plan.child
        found.append(plan)
    return found


def _taken_apart(root: l.Join) -> tuple[list[l.Plan], list[Expr]]:
    tables: list[l.Plan] = []
    conditions: list[Expr] = []
    todo: list[l.Plan] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, l.Join) and node.kind in ("inner", "cross"):
            conditions += conjuncts(node.condition)
            todo += [node.right, node.left]
        elif isinstance(node, l.Project) and _plain(node):
            todo.append(node.child)  # columns that were left out
        else:
            tables.append(node)
    return tables, conditions


def _plain(node: l.Project) -> bool:
    return (
        isinstance(node.child, l.Join)
        and node.child.kind in ("inner", "cross")
        and all(isinstance(column, Attr) for column in node.columns)
    )


def _greedy(
    tables: Sequence[l.Plan],
    classes: Sequence[Sequence[Attr]],
    conditions: Sequence[Expr],
    sizes: Sizes,
) -> l.Plan:
    left, waiting = list(tables), list(conditions)
    pairs = list(combinations(range(len(left)), 2))
    found = [_joined(left[a], left[b], classes, waiting) for a, b in pairs]
    best = _cheapest(found, sizes)
    plan: l.Plan
    plan, waiting = found[best]
    left = [table for at, table in enumerate(left) if at not in pairs[best]]
    while left:
        found = [_joined(plan, each, classes, waiting) for each in left]
        best = _cheapest(found, sizes)
        plan, waiting = found[best]
        del left[best]
    return filtered(plan, waiting)


def _cheapest(joins: Sequence[tuple[l.Join, list[Expr]]], sizes: Sizes) -> int:
    """The place of the join with the fewest rows; cross products only where there is no other."""
    places = range(len(joins))
    by_key = [at for at in places if _compares(joins[at][0].condition)]
    return min(by_key or places, key=lambda at: sizes.rows(joins[at][0]))


def _compares(condition: Expr | None) -> bool:
    return any(isinstance(c, Call) and c.name in ("=", "==") for c in conjuncts(condition))


def _joined(
    a: l.Plan,
    b: l.Plan,
    classes: Sequence[Sequence[Attr]],
    conditions: Sequence[Expr],
) -> tuple[l.Join, list[Expr]]:
    """The join by all conditions that these two can tell, the other conditions. One equality of a
    class is enough: within a side its columns are equal already."""
    of_a, of_b = a.there, b.there
    own: list[Expr] = []
    for each in classes:
        one = next((attr for attr in each if attr in of_a), None)
        other = next((attr for attr in each if attr in of_b), None)
        if one is not None and other is not None:
            own.append(_equal(one, other))
    there = of_a | of_b if conditions else of_a
    rest: list[Expr] = []
    for condition in conditions:
        (own if attributes(condition).keys() <= there else rest).append(condition)
    kind = "inner" if own else "cross"
    return l.Join(a, b, kind, conjunction(own) if own else None, site=a.site), rest
