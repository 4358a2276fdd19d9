"""Inner joins of several tables in the order that costs least.

Joins that stand on each other are taken apart by `flat.py`, and put together again as `jointree.py`
finds best. Columns that are equal by way of others can be joined by too: of a = b and b = c any two
of the three.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns.expressions import Attr, Expr
from planner.query import logical as l
from planner.query.optimiser.flat import flat, is_inner
from planner.query.optimiser.jointree import equal, tree
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
        if is_inner(node)
        for child in node.children
        if is_inner(child) and id(child) not in many
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
        done[id(node)] = change(new, is_inner(node) and id(node) not in inner)
    return done[id(plan)]


def _reordered(root: l.Join, sizes: Sizes) -> l.Plan:
    tables, classes, others = flat(root)
    if not 3 <= len(tables) <= _MOST:
        return root
    if any(isinstance(node, l.Hint) for table in tables for node in _top(table)):
        return root
    found = tree([_even(table, classes) for table in tables], classes, others, sizes)
    if found.output == root.output:
        return found
    return l.Project(found, root.output, site=root.site)


def _even(table: l.Plan, classes: Sequence[Sequence[Attr]]) -> l.Plan:
    """A table whose own columns that must be equal are."""
    same: list[Expr] = []
    for own in classes:
        here = [attr for attr in own if attr in table.output]
        same += [equal(here[0], other) for other in here[1:]]
    return filtered(table, same)


def _top(plan: l.Plan) -> list[l.Plan]:
    found = [plan]
    while isinstance(plan, l.Project | l.Filter | l.Known):
        plan = plan.child
        found.append(plan)
    return found
