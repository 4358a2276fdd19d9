"""The first rows of a plan: as few partitions as have them, when the answer ends in a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.plan import Node
from planner.query import logical as l
from planner.query.lowering.ordering import with_tops
from planner.query.lowering.pieces import Lowering, Piece, Workshop
from planner.query.lowering.step import all_lowered, over


@dataclass(frozen=True, eq=False)
class FirstRows:
    """`node`'s partitions, each with no more rows than are needed. The answer are `count` rows
    after the first `offset` of them all, partition after partition."""

    node: Node
    count: int
    offset: int


def first_rows(plan: l.Plan, how: Lowering) -> FirstRows | None:
    """How to get the answer of an optimised plan without all of its partitions; None if the plan
    does not end in a limit over several partitions."""
    above: list[l.Plan] = []
    below = plan
    while isinstance(below, l.Project | l.Known | l.Hint):
        above.append(below)
        below = below.child
    if not isinstance(below, l.Limit) or below.count is None or isinstance(below.child, l.Sort):
        return None
    shop = Workshop(how)
    most = below.count + below.offset
    piece = all_lowered(with_tops(_unlimited(below.child, most)), shop)
    if piece.width == 1:
        return None
    piece = over(l.Limit(piece.plan, most, site=below.site), piece)
    for node in reversed(above):
        piece = Piece(node.with_children((piece.plan,)), piece.spread)
    return FirstRows(shop.node(piece), below.count, below.offset)


def _unlimited(plan: l.Plan, most: int) -> l.Plan:
    """The sides of a union without limits that the one above implies."""
    if not isinstance(plan, l.Union):
        return plan
    sides = tuple(
        side.child
        if isinstance(side, l.Limit)
        and side.count is not None
        and side.count >= most
        and not side.offset
        and not isinstance(side.child, l.Sort)
        else side
        for side in plan.sides
    )
    return replace(plan, sides=sides)
