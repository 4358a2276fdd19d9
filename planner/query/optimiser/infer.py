"""What holds for a key of a join holds for the key it equals."""

from __future__ import annotations

from planner.columns.conditions import conjuncts, equal_keys
from planner.columns.expressions import Alias, Attr, Call, Expr, attributes, substitute
from planner.columns.functions.registry import Settings
from planner.columns.functions.risky import can_fail
from planner.query import logical as l
from planner.query.optimiser.shapes import filtered, parents_first, simple, steady

# Sides of a join to which what is known of the other side may be carried over.
_TO_LEFT = ("inner", "semi", "right")
_TO_RIGHT = ("inner", "semi", "left", "single", "anti")
_COMPARED = ("=", "==", "<", "<=", ">", ">=", "in", "like", "startswith", "between")


def infer(plan: l.Plan) -> l.Plan:
    """The plan with conditions on join keys on both sides of the join."""
    order = parents_first(plan)
    known: dict[int, list[Expr]] = {}
    done: dict[int, l.Plan] = {}
    for node in reversed(order):
        new = node
        if node.children:
            children = tuple(done[id(child)] for child in node.children)
            if any(a is not b for a, b in zip(children, node.children, strict=True)):
                new = node.with_children(children)
        below = [known[id(child)] for child in node.children]
        if isinstance(node, l.Join) and isinstance(new, l.Join):
            new = _both_sides(new, below)
        known[id(node)] = _known(node, below)
        done[id(node)] = new
    return done[id(plan)]


def _known(node: l.Plan, below: list[list[Expr]]) -> list[Expr]:
    """Conditions of one column that are true for every row of a node."""
    match node:
        case l.Filter():
            own = [each for each in conjuncts(node.condition) if _of_one_column(each)]
            return [*below[0], *own]
        case l.Project() if below[0]:
            new: dict[Attr, Expr] = {}
            for column in node.columns:
                if isinstance(column, Attr):
                    new[column] = column
                elif isinstance(column, Alias) and isinstance(column.child, Attr):
                    new.setdefault(column.child, column.attr)
            return [substitute(c, new) for c in below[0] if attributes(c).keys() <= new.keys()]
        case l.Join(kind="inner" | "cross"):
            return [*below[0], *below[1]]
        case l.Join(kind="right"):
            return below[1]
        case l.Join(kind="full"):
            return []
        case l.Join():
            return below[0]
        case l.Aggregate():
            return [c for c in below[0] if attributes(c).keys() <= set(node.groups)]
        case l.Sort() | l.Limit() | l.Distinct() | l.Known() | l.Hint() | l.Repartition():
            return below[0]
    return []


def _of_one_column(condition: Expr) -> bool:
    return (
        isinstance(condition, Call)
        and condition.name in _COMPARED
        and len(attributes(condition)) == 1
        and steady(condition)
        and simple(condition)
        and not can_fail([condition], Settings())  # on rows that another condition keeps from it
    )


def _both_sides(node: l.Join, below: list[list[Expr]]) -> l.Join:
    pairs, _ = equal_keys(node)
    left: list[Expr] = []
    right: list[Expr] = []
    for a, b in pairs:
        if not (isinstance(a, Attr) and isinstance(b, Attr) and a.kind == b.kind):
            continue
        if node.kind in _TO_RIGHT:
            right += [substitute(c, {a: b}) for c in below[0] if set(attributes(c)) == {a}]
        if node.kind in _TO_LEFT:
            left += [substitute(c, {b: a}) for c in below[1] if set(attributes(c)) == {b}]
    left = [each for each in left if each not in below[0]]
    right = [each for each in right if each not in below[1]]
    if not left and not right:
        return node
    children = (filtered(node.left, left), filtered(node.right, right))
    found = node.with_children(children)
    assert isinstance(found, l.Join)
    return found
