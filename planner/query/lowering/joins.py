"""Joins: one side is sent to everyone, or both go where the hash of their keys says."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns.conditions import equal_keys
from planner.columns.expressions import Attr, Expr
from planner.plan import Exchange
from planner.query import logical as l
from planner.query.lowering.pieces import Piece, Same, Spread, Workshop
from planner.query.lowering.splits import LEFT_TO_ALL, RIGHT_TO_ALL
from planner.query.lowering.step import lowered


@lowered.register
def _join(node: l.Join, shop: Workshop) -> Piece:
    left, right = shop.of(node.left), shop.of(node.right)
    if left.width == 1 and right.width == 1:
        return _joined(node, left.plan, right.plan, Spread(1))
    if shop.wide == 1:
        one, other = shop.gathered(left), shop.gathered(right)
        return _joined(node, one.plan, other.plan, Spread(1))
    pairs, _ = equal_keys(node)
    match _to_all(node, shop, bool(pairs)):
        case "right":
            return _joined(node, left.plan, shop.everywhere(right), left.spread)
        case "left":
            return _joined(node, shop.everywhere(left), right.plan, right.spread)
    if not pairs:  # a full join on anything but equality sees all rows of both
        one, other = shop.gathered(left), shop.gathered(right)
        return _joined(node, one.plan, other.plan, Spread(1))
    return _by_hash(node, left, right, pairs, shop)


def _joined(node: l.Join, left: l.Plan, right: l.Plan, spread: Spread) -> Piece:
    plan = node.with_children((left, right))
    if plan.output != node.output:  # columns were added to find keys in
        plan = l.Project(plan, node.output, site=node.site)
    return Piece(plan, spread)


def _to_all(node: l.Join, shop: Workshop, keys: bool) -> str | None:
    """The side of a join that everyone gets, None if neither is."""
    can = [
        side
        for side, kinds in (("right", RIGHT_TO_ALL), ("left", LEFT_TO_ALL))
        if node.kind in kinds
    ]
    if node.kind == "null-aware anti":
        return "right"  # one NULL there concerns every row
    sides = {"left": node.left, "right": node.right}
    hinted = [side for side in can if hint_of(sides[side]) == "broadcast"]
    if hinted:
        return hinted[0]
    if not can:
        return None
    smallest = min(can, key=lambda side: shop.sizes.of(sides[side]).bytes)
    if not keys:
        return smallest
    asked = any(hint_of(side) in ("merge", "shuffle_hash") for side in sides.values())
    small = shop.sizes.of(sides[smallest]).bytes <= shop.how.broadcast_bytes
    return smallest if small and not asked else None


_ALIKE = {
    "broadcastjoin": "broadcast",
    "mapjoin": "broadcast",
    "shuffle_merge": "merge",
    "mergejoin": "merge",
}


def hint_of(plan: l.Plan) -> str | None:
    """What the user said of a side of a join."""
    while isinstance(plan, l.Hint | l.Known | l.Project | l.Filter):
        if isinstance(plan, l.Hint):
            name = plan.name.lower()
            return _ALIKE.get(name, name)
        plan = plan.child
    return None


def _by_hash(
    node: l.Join, left: Piece, right: Piece, pairs: Sequence[tuple[Expr, Expr]], shop: Workshop
) -> Piece:
    """Both sides by the hash of their keys; a side that is so already stays where it is."""
    left, lefts = shop.with_keys(left, [a for a, _ in pairs])
    right, rights = shop.with_keys(right, [b for _, b in pairs])
    of_left, of_right = _places(left.spread, lefts), _places(right.spread, rights)
    if of_left is not None and of_left == of_right and left.width == right.width:
        chosen = of_left
    elif of_left is not None and left.width > 1:
        chosen = of_left
        right = shop.hashed(right, [rights[place] for place in chosen], left.width)
    elif of_right is not None and right.width > 1:
        chosen = of_right
        left = shop.hashed(left, [lefts[place] for place in chosen], right.width)
    else:
        chosen = tuple(range(len(pairs)))
        left, right = shop.hashed(left, lefts), shop.hashed(right, rights)
    _measure_first(node, left, right, shop)
    keys = [(lefts[place], rights[place]) for place in chosen]
    spread = Spread(left.width, tuple(_same(node, a, b, left.spread) for a, b in keys))
    if not all(spread.keys):
        spread = Spread(left.width)
    return _joined(node, left.plan, right.plan, spread)


_WORTH_WAITING = 8  # a side of so many times the limit by estimation may well be below it


def _measure_first(node: l.Join, left: Piece, right: Piece, shop: Workshop) -> None:
    """Let the larger side of a join wait where the smaller one may turn out to be so small that
    everyone can get it. Then the larger one does not move at all."""
    goals, sides = shop.how.goals, {"left": node.left, "right": node.right}
    if goals is None or goals.broadcast < 0:
        return
    if any(hint_of(side) in ("merge", "shuffle_hash") for side in sides.values()):
        return
    less, more = sorted(shop.sizes.of(plan).bytes for plan in sides.values())
    from_left = shop.sizes.of(node.left).bytes == less
    small, large = _moved(left if from_left else right), _moved(right if from_left else left)
    if large is None or node.kind not in (LEFT_TO_ALL if from_left else RIGHT_TO_ALL):
        return
    limit = goals.whole(more, large.child.width)
    keeps_busy = small is not None and small.child.width >= goals.tasks
    if less > _WORTH_WAITING * limit and not keeps_busy:
        return
    if 4 * large.child.width >= 3 * min(goals.tasks, large.width):
        # Where it is, it gives nearly all who can run something to do.
        shop.after_others(right if from_left else left, limit)


def _moved(piece: Piece) -> Exchange | None:
    """The exchange that a piece is read from."""
    node = piece.plan.node if isinstance(piece.plan, l.Rows) else None
    return node if isinstance(node, Exchange) else None


def _places(spread: Spread, keys: Sequence[Attr]) -> tuple[int, ...] | None:
    """Which of the keys, in this order, say where rows are; None if others do."""
    if not spread.keys:
        return None
    found = [next((at for at, key in enumerate(keys) if key in same), None) for same in spread.keys]
    places = tuple(place for place in found if place is not None)
    return places if len(places) == len(found) else None


def _same(node: l.Join, left: Attr, right: Attr, spread: Spread) -> Same:
    """The columns by which a joined row is where it is. Those of a side that may be missing are
    not: there they are NULL."""
    known = next((same for same in spread.keys if left in same), frozenset((left,)))
    match node.kind:
        case "inner":
            return known | {right}
        case "right":
            return frozenset((right,))
        case "full":
            return frozenset()
    return known
