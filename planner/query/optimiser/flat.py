"""Inner joins that stand on each other as what they join and what must be true of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from planner.columns.conditions import conjuncts
from planner.columns.expressions import Attr, Call, Expr
from planner.query import logical as l


class Flat(NamedTuple):
    """The columns of a class are equal to each other; `others` says something else."""

    tables: list[l.Plan]
    classes: list[list[Attr]]
    others: list[Expr]


def is_inner(node: l.Plan) -> bool:
    """Whether it is a join of rows that fit, or of all with all."""
    return isinstance(node, l.Join) and node.kind in ("inner", "cross")


def flat(plan: l.Plan) -> Flat:
    """The inner joins at the top of a plan taken apart; one table if there are none."""
    tables: list[l.Plan] = []
    conditions: list[Expr] = []
    todo: list[l.Plan] = [plan]
    while todo:
        node = todo.pop()
        if isinstance(node, l.Join) and is_inner(node):
            conditions += conjuncts(node.condition)
            todo += [node.right, node.left]
        elif isinstance(node, l.Project) and _leaves_out(node):
            todo.append(node.child)
        else:
            tables.append(node)
    return Flat(tables, *_classes(conditions))


def _leaves_out(node: l.Project) -> bool:
    """Whether it only leaves out columns of a join."""
    return is_inner(node.child) and all(isinstance(column, Attr) for column in node.columns)


def _classes(conditions: Sequence[Expr]) -> tuple[list[list[Attr]], list[Expr]]:
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
