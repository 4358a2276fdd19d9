"""An OR of ANDs says something of each table in it.

Of (a = 1 AND b = 2) OR (a = 3 AND b = 4) follows a = 1 OR a = 3, which can go down to a's table.
The condition itself stays: what follows is only less.
"""

from __future__ import annotations

from functools import reduce

from planner.columns.conditions import conjunction, conjuncts, disjuncts, either
from planner.columns.expressions import Attr, Call, Expr, attributes
from planner.query import logical as l
from planner.query.optimiser.shapes import steady


def imply(plan: l.Plan) -> l.Plan:
    """The plan with what follows for each side, where a condition is over a join."""

    def change(node: l.Plan) -> l.Plan:
        match node:
            case l.Filter(child=below) if _joins(below):
                parts = conjuncts(node.condition)
                more = _implied(parts, below)
                return node.changed(condition=conjunction([*parts, *more])) if more else node
            case l.Join(kind="inner" | "cross" | "semi") if node.condition is not None:
                parts = conjuncts(node.condition)
                more = _implied(parts, node)
                return node.changed(condition=conjunction([*parts, *more])) if more else node
        return node

    return l.bottom_up(plan, change)


def _joins(plan: l.Plan) -> bool:
    while isinstance(plan, l.Known | l.Filter):
        plan = plan.child
    return isinstance(plan, l.Join)


def _leaves(plan: l.Plan) -> list[frozenset[Attr]]:
    """The columns of each side of nested joins."""
    found: list[frozenset[Attr]] = []
    todo = [plan]
    while todo:
        node = todo.pop()
        if isinstance(node, l.Join):
            todo += [node.right, node.left]
        elif isinstance(node, l.Known | l.Filter):
            todo.append(node.child)
        else:
            found.append(node.there)
    return found


def _implied(parts: list[Expr], plan: l.Plan) -> list[Expr]:
    """What follows from the ORs among `parts` for each side of the joins of a plan."""
    choices = [part for part in parts if isinstance(part, Call) and part.name == "or"]
    sides = _leaves(plan) if choices else []
    found: list[Expr] = []
    for part in choices:
        branches = [conjuncts(branch) for branch in disjuncts(part)]
        for side in sides:
            if attributes(part).keys() <= side:
                continue  # it goes down whole
            own = [[c for c in branch if _of(c, side)] for branch in branches]
            if all(own):
                found.append(reduce(either, map(conjunction, own)))
    return [each for each in dict.fromkeys(found) if each not in parts]


def _of(condition: Expr, side: frozenset[Attr]) -> bool:
    used = attributes(condition).keys()
    return bool(used) and used <= side and steady(condition)
