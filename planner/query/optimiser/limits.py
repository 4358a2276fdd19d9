"""Limits go below what keeps the number of rows, and into every side of a union."""

from __future__ import annotations

from planner.query import logical as l
from planner.query.optimiser.shapes import parents_first, shared


def limits(plan: l.Plan) -> l.Plan:
    """The plan with limits as far down as they can go."""
    many = shared(parents_first(plan))

    def change(node: l.Plan) -> l.Plan:
        while isinstance(node, l.Limit):
            new = _below(node, many)
            if new is node:
                break
            if not isinstance(new, l.Limit):
                return new.with_children(tuple(map(change, new.children)))
            node = new
        return node

    return l.bottom_up(plan, change)


def _below(node: l.Limit, many: set[int]) -> l.Plan:
    below = node.child
    if id(below) in many:
        return node
    match below:
        case l.Project() | l.Known():
            return below.with_children((node.changed(child=below.child),))
        case l.Limit():
            return _both(node, below)
        case l.Union() if node.count is not None:
            most = node.count + node.offset
            if all(
                isinstance(s, l.Limit) and s.count is not None and s.count <= most
                for s in below.sides
            ):
                return node
            sides = tuple(l.Limit(side, most, site=node.site) for side in below.sides)
            return node.changed(child=below.with_children(sides))
    return node


def _both(outer: l.Limit, inner: l.Limit) -> l.Limit:
    """A limit of a limit."""
    offset = inner.offset + outer.offset
    if inner.count is None:
        return l.Limit(inner.child, outer.count, offset, site=outer.site)
    left = max(0, inner.count - outer.offset)
    count = left if outer.count is None else min(left, outer.count)
    return l.Limit(inner.child, count, offset, site=outer.site)
