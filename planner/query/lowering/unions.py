"""Rows of several plans one after the other."""

from __future__ import annotations

from planner import plan as p
from planner.columns.expressions import Alias, Cast
from planner.query import logical as l
from planner.query.lowering.pieces import Piece, Spread, Workshop
from planner.query.lowering.step import lowered


@lowered.register
def _union(node: l.Union, shop: Workshop) -> Piece:
    sides = [shop.of(side) for side in node.sides]
    if all(side.width == 1 for side in sides) and not shop.how.staged:
        return Piece(node.with_children(tuple(side.plan for side in sides)), Spread(1))
    nodes = []
    for side in sides:
        columns = tuple(
            old if old.kind == new.kind else Alias(Cast(old, new.kind), new.name)
            for old, new in zip(side.plan.output, node.attrs, strict=True)
        )
        same = all(old is new for old, new in zip(columns, side.plan.output, strict=True))
        plan = side.plan if same else l.Project(side.plan, columns, site=node.site)
        nodes.append(shop.node(Piece(plan, side.spread)))
    together = p.Union(tuple(nodes), site=node.site)
    return Piece(l.Rows(node.attrs, together, site=node.site), Spread(together.width))
