"""Sorts, limits, and partitions that users ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.columns import types as t
from planner.columns.expressions import Attr, Order
from planner.ops import Identity, Relational
from planner.partitioning import ChannelColumn
from planner.plan import Narrow
from planner.query import logical as l
from planner.query.fragment import Bounds, Ranked, Sampled, Slabs
from planner.query.lowering.pieces import Piece, Spread, Workshop, only
from planner.query.lowering.step import lowered, over
from planner.reads import coalesce

_SAMPLES = 100  # keys looked at for each partition of the result


@dataclass(frozen=True, eq=False, repr=False)
class Top(l.One):
    """The first rows in an order: a limit over a sort, of which no partition needs more."""

    order: tuple[Order, ...]
    count: int
    offset: int


def with_tops(plan: l.Plan) -> l.Plan:
    """Limits over sorts as one node."""

    def change(node: l.Plan) -> l.Plan:
        match node:
            case l.Limit(count=int(count), child=l.Sort(everywhere=True) as sort):
                return Top(sort.child, sort.order, count, node.offset, site=node.site)
        return node

    return l.bottom_up(plan, change)


@lowered.register
def _top(node: Top, shop: Workshop) -> Piece:
    piece = shop.of(node.child)

    def first(piece: Piece, count: int, offset: int) -> Piece:
        ordered = l.Sort(piece.plan, node.order, site=node.site)
        return Piece(l.Limit(ordered, count, offset, site=node.site), piece.spread)

    if piece.width > 1:
        piece = shop.gathered(first(piece, node.count + node.offset, 0))
    return first(piece, node.count, node.offset)


@lowered.register
def _limit(node: l.Limit, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    if piece.width > 1:
        if node.count is not None:
            piece = over(replace(node, count=node.count + node.offset, offset=0), piece)
        piece = shop.gathered(piece)
    return over(node, piece)


@lowered.register
def _tail(node: l.Tail, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    if piece.width > 1:
        piece = shop.gathered(over(node, piece))
    return over(node, piece)


@lowered.register
def _sort(node: l.Sort, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    if node.everywhere and piece.width > 1:
        small = shop.sizes.of(node.child).bytes <= shop.how.sort_bytes
        if small or shop.wide == 1:
            piece = shop.gathered(piece)
        else:
            piece = by_range(piece, node.order, shop.wide, shop)
    return over(node, piece)


def by_range(piece: Piece, order: Sequence[Order], channels: int, shop: Workshop) -> Piece:
    """The rows in partitions of which each comes before the next, cut at bounds that a sample
    suggests. The rows are computed once and kept from the sample until they are sent."""
    columns = piece.plan.output
    piece, keys = shop.with_keys(piece, [key.child for key in order])
    ordered = tuple(replace(key, child=attr) for key, attr in zip(order, keys, strict=True))
    kept = shop.how.keep(shop.node(piece))
    rows = l.Rows(piece.plan.output, kept, site=piece.plan.site)
    weight, channel = Attr("weight", t.LONG, False), Attr("channel", t.LONG, False)
    sample = Piece(
        Sampled(rows, ordered, _SAMPLES * channels, weight, site=rows.site), Spread(piece.width)
    )
    bounds = Piece(Bounds(shop.gathered(sample).plan, ordered, channels, weight), Spread(1))
    ranked = Ranked(rows, shop.everywhere(bounds), ordered, channel, site=rows.site)
    moved = shop.moved(shop.node(Piece(ranked, piece.spread)), ChannelColumn(channels))
    shop.how.until(kept, moved)
    return only(Piece(l.Rows(rows.attrs, moved, site=rows.site), Spread(channels)), columns)


@lowered.register
def _repartition(node: l.Repartition, shop: Workshop) -> Piece:
    piece = shop.of(node.child)
    count = node.count or shop.how.partitions
    if not node.shuffle:
        if count >= piece.width:
            return piece
        packed = Narrow(shop.node(piece), Identity(), coalesce(piece.width, count), site=node.site)
        return Piece(l.Rows(piece.plan.output, packed, site=node.site), Spread(packed.width))
    if count == 1:
        return shop.gathered(piece)
    if not node.keys:
        return shop.dealt(piece, count)
    orders = [key for key in node.keys if isinstance(key, Order)]
    if orders:
        return by_range(piece, orders, count, shop)
    with_keys, attrs = shop.with_keys(piece, node.keys)
    return only(shop.hashed(with_keys, attrs, count), piece.plan.output)


@lowered.register
def _batches(node: l.Batches, shop: Workshop) -> Piece:
    """Python runs beside Python: in as many tasks as there are executors."""
    piece = shop.of(node.child)
    if node.keys:
        if piece.width > 1 or shop.how.partitions > 1:
            piece = shop.hashed(piece, node.keys, shop.how.partitions)
    elif piece.width == 1 and shop.how.partitions > 1 and not shop.how.staged:
        piece = piece if _in_one(node.child) else _spread(piece, shop)
    splits = () if node.keys or _in_one(node.child) else (0,)
    op = Relational(node.f, node.label, splits, goals=shop.how.goals)
    made = Narrow(shop.node(piece), op, site=node.site)
    return Piece(l.Rows(node.attrs, made, site=node.site), Spread(made.width))


def _in_one(plan: l.Plan) -> bool:
    """Whether it was asked for that all rows are in one partition."""
    while isinstance(plan, l.Project | l.Filter | l.Known | l.Hint):
        plan = plan.child
    return isinstance(plan, l.Repartition) and plan.count == 1


def _spread(piece: Piece, shop: Workshop) -> Piece:
    """The rows of one partition in several, in their order."""
    channels = shop.how.partitions
    cut = Slabs(piece.plan, channels, Attr("channel", t.LONG, False), site=piece.plan.site)
    moved = shop.moved(shop.node(Piece(cut, piece.spread)), ChannelColumn(channels))
    return Piece(l.Rows(piece.plan.output, moved, site=piece.plan.site), Spread(channels))
