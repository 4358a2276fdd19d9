"""Where rows come from: one partition reads all of a leaf, or in stages every one its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.plan import Source
from planner.query import logical as l
from planner.query.lowering.pieces import Own, Piece, Spread, Workshop
from planner.query.lowering.step import lowered
from planner.query.pruning import Cutting, pruned, tasks
from planner.sources import ValuesPart


def shared(node: l.Plan, shares: Sequence[l.Plan]) -> Piece:
    """A leaf of which each partition reads its share."""
    if len(shares) == 1:
        return Piece(shares[0], Spread(1))
    parts = tuple(ValuesPart((share,)) for share in shares)
    source = Source(parts, type(node).__name__, site=node.site)
    return Piece(Own(node.output, source, site=node.site), Spread(len(parts)))


@lowered.register
def _rows(node: l.Rows, shop: Workshop) -> Piece:
    return Piece(node, Spread(node.node.width))


@lowered.register
def _scan(node: l.Scan, shop: Workshop) -> Piece:
    if not shop.how.staged:
        return Piece(node, Spread(1))
    cutting = Cutting(shop.how.scan_bytes, shop.how.opening_bytes, shop.how.partitions)
    packs = tasks(pruned(node, shop.how.settings), cutting)
    shares = [replace(node, slices=pack) for pack in packs]
    return shared(node, shares or [replace(node, slices=())])


@lowered.register
def _range(node: l.Range, shop: Workshop) -> Piece:
    if not shop.how.staged:
        return Piece(node, Spread(1))
    all_, count = range(node.start, node.stop, node.step), max(1, node.slices)
    cuts = [all_[at * len(all_) // count : (at + 1) * len(all_) // count] for at in range(count)]
    return shared(node, [replace(node, start=cut.start, stop=cut.stop) for cut in cuts])


@lowered.register
def _table(node: l.Table, shop: Workshop) -> Piece:
    rows = node.data.num_rows
    count = max(1, min(shop.how.partitions, rows)) if shop.how.staged else 1
    if count == 1:
        return Piece(node, Spread(1))
    # taken, not sliced: a slice is pickled with all the table's bytes
    cuts = [range(at * rows // count, (at + 1) * rows // count) for at in range(count)]
    return shared(node, [replace(node, data=node.data.take(list(cut))) for cut in cuts])
