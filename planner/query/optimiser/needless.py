"""Nodes that do nothing go."""

from __future__ import annotations

from planner.columns.expressions import Attr, Literal, Order
from planner.query import logical as l


def needless(plan: l.Plan) -> l.Plan:
    """The plan without names, equal projections, conditions that always hold, sorts of sorts."""
    return l.bottom_up(plan, _change)


def _change(node: l.Plan) -> l.Plan:
    match node:
        case l.Known():
            return node.child
        case l.Project() if _equal(node):
            return node.child
        case l.Filter(condition=Literal(value=True)):
            return node.child
        case l.Limit(count=None, offset=0):
            return node.child
        case l.Distinct(child=l.Distinct() as inner) if not node.keys and not inner.keys:
            return inner
        case l.Distinct(keys=(), child=l.Aggregate() as inner) if inner.groups:
            return inner  # the groups are there already, each once
        case l.Sort(everywhere=True, child=l.Sort() as inner):
            return l.Sort(inner.child, (*node.order, *_other(node, inner)), site=node.site)
        case l.Repartition(shuffle=True, child=l.Repartition() as inner):
            return node.with_children((inner.child,))
    return node


def _equal(node: l.Project) -> bool:
    below = node.child.output
    return len(below) == len(node.columns) and all(
        isinstance(column, Attr) and column == old
        for column, old in zip(node.columns, below, strict=True)
    )


def _other(outer: l.Sort, inner: l.Sort) -> tuple[Order, ...]:
    """Rows that are equal in the new order keep the old one."""
    there = {key.child for key in outer.order}
    return tuple(key for key in inner.order if key.child not in there)
