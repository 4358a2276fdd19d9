"""One step of lowering: a logical node, whose children are pieces already, becomes a piece."""

from __future__ import annotations

from functools import singledispatch

from planner.query import logical as l
from planner.query.lowering.pieces import Piece, Spread, Workshop


@singledispatch
def lowered(node: l.Plan, shop: Workshop) -> Piece:
    """The piece of `node`; those of its children are in `shop`. Registered by kind of node."""
    raise TypeError(f"no way to lower {node!r}")


def over(node: l.Plan, piece: Piece, spread: Spread | None = None) -> Piece:
    """`node` put on a piece, in every partition by itself."""
    return Piece(node.with_children((piece.plan,)), spread or piece.spread)


def all_lowered(plan: l.Plan, shop: Workshop) -> Piece:
    """The piece of a plan: children first, what occurs twice once."""
    todo = [(plan, False)]
    while todo:
        node, ready = todo.pop()
        if id(node) in shop.pieces:
            continue
        if ready:
            shop.pieces[id(node)] = lowered(node, shop)
        else:
            todo.append((node, True))
            todo.extend((child, False) for child in reversed(node.children))
    return shop.of(plan)
