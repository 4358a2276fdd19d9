"""Nodes that every partition can do by itself."""

from __future__ import annotations

from planner.query import logical as l
from planner.query.lowering.pieces import Piece, Spread, Workshop
from planner.query.lowering.step import lowered, over


@lowered.register(l.Filter)
@lowered.register(l.Generate)
@lowered.register(l.Sample)
@lowered.register(l.Known)
@lowered.register(l.Hint)
def _same_place(node: l.One, shop: Workshop) -> Piece:
    return over(node, shop.of(node.child))


@lowered.register
def _project(node: l.Project, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    return over(node, piece, piece.spread.seen_as(node.columns))


@lowered.register
def _expand(node: l.Expand, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    return over(node, piece, Spread(piece.width))
