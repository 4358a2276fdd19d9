"""Aggregates, distinct rows, windows, set operations: rows that are equal must come together."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns.expressions import Alias, Attr, Call, Cast, Over
from planner.query import logical as l
from planner.query.fragment import Merged, Partial
from planner.query.lowering import distinct
from planner.query.lowering.pieces import Piece, Spread, States, Workshop
from planner.query.lowering.states import has_steps, states_of
from planner.query.lowering.step import lowered, over


@lowered.register
def _aggregate(node: l.Aggregate, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    if piece.spread.gathers(node.groups):
        return over(node, piece, _grouped(piece, node.groups))
    calls = [value.child for value in node.values if isinstance(value.child, Call)]
    if all(has_steps(call) and not call.distinct for call in calls):
        return _in_steps(node, piece, shop)
    if distinct.can(node) and (found := distinct.lowered_in_steps(node, piece, shop)):
        return found
    piece = shop.together(piece, node.groups)
    return over(node, piece, _grouped(piece, node.groups))


def _grouped(piece: Piece, groups: Sequence[Attr]) -> Spread:
    """Where rows are after grouping: only the groups' columns are left to say it."""
    return piece.spread.seen_as(groups)


def _in_steps(node: l.Aggregate, piece: Piece, shop: Workshop) -> Piece:
    """States of each partition's rows, exchanged by group, merged."""
    states = tuple(states_of(value, shop) for value in node.values)
    partial = Partial(piece.plan, node.groups, node.values, states, site=node.site)
    before = Piece(partial, Spread(piece.width))
    after = shop.hashed(before, node.groups) if node.groups else shop.gathered(before)
    assert isinstance(after.plan, l.Rows)
    merged = Merged(node.groups, node.values, states, 0, site=node.site)
    return Piece(States(merged, after.plan.node, site=node.site), after.spread)


@lowered.register
def _distinct(node: l.Distinct, shop: Workshop) -> Piece:
    piece, keys = shop.of(node.child), node.keys or node.child.output
    if not piece.spread.gathers(keys):
        piece = shop.together(over(node, piece), keys)  # first of each partition, then of all
    return over(node, piece)


@lowered.register
def _window(node: l.Window, shop: Workshop) -> Piece:
    first = node.values[0].child
    assert isinstance(first, Over)
    old = shop.of(node.child)
    piece = shop.together(old, first.partition)
    found = over(node, piece)
    if found.plan.output == node.output:
        return found
    return Piece(l.Project(found.plan, node.output, site=node.site), found.spread)


@lowered.register
def _set_operation(node: l.SetOp, shop: Workshop) -> Piece:
    left = _typed(shop.of(node.left), node.output)
    right = _typed(shop.of(node.right), node.output)
    if left.width > 1 or right.width > 1:
        if shop.wide == 1:
            left, right = shop.gathered(left), shop.gathered(right)
        else:
            left = shop.hashed(left, left.plan.output)
            right = shop.hashed(right, right.plan.output)
    return Piece(node.with_children((left.plan, right.plan)), left.spread)


def _typed(piece: Piece, wanted: Sequence[Attr]) -> Piece:
    """The piece with columns of these types, so that equal values hash alike."""
    output = piece.plan.output
    if all(old.kind == new.kind for old, new in zip(output, wanted, strict=True)):
        return piece
    columns = tuple(
        old if old.kind == new.kind else Alias(Cast(old, new.kind), old.name)
        for old, new in zip(output, wanted, strict=True)
    )
    return Piece(l.Project(piece.plan, columns, site=piece.plan.site), Spread(piece.width))
