"""Semi and anti joins before the joins that they are said of, where that leaves fewer rows to join.

They keep or drop a row by what one of the joined tables has in it, so they can be done on that
table alone. It is worth it where that table is no longer than what the join makes of it.
"""

from __future__ import annotations

from planner.columns.expressions import Attr, attributes
from planner.query import logical as l
from planner.query.optimiser.shapes import parents_first, shared
from planner.query.statistics import Sizes

KINDS = ("semi", "anti", "null-aware anti")


def semis(plan: l.Plan) -> l.Plan:
    """The plan with semi and anti joins as early as they help."""
    many = shared(parents_first(plan))
    sizes = Sizes()

    def change(node: l.Plan) -> l.Plan:
        if isinstance(node, l.Join) and node.kind in KINDS and id(node.left) not in many:
            return sunk(node, sizes, many)
        return node

    return l.bottom_up(plan, change)


def sunk(node: l.Join, sizes: Sizes, many: set[int]) -> l.Plan:
    """A semi or anti join within its left side, as deep as is good; nodes with an id in `many` are
    others' too and stay whole."""
    wanted = attributes(node.condition).keys() - set(node.right.output) if node.condition else set()
    if not wanted:
        return node
    path: list[tuple[l.Plan, int]] = []
    at = node.left
    while id(at) not in many:
        found = _below(at, wanted, sizes)
        if found is None:
            break
        path.append((at, found))
        at = at.children[found]
    while path and not isinstance(path[-1][0], l.Join):
        at = path.pop()[0]  # only below a join is there anything to win
    if not path:
        return node
    new: l.Plan = node.changed(left=at)
    for above, place in reversed(path):
        children = list(above.children)
        children[place] = new
        new = above.with_children(tuple(children))
    return new


def _below(at: l.Plan, wanted: set[Attr], sizes: Sizes) -> int | None:
    """The child that has all these columns and is no longer than the node itself."""
    if isinstance(at, l.Project):
        return 0 if all(attr in at.columns for attr in wanted) else None
    if not isinstance(at, l.Join) or at.kind not in ("inner", "cross", "left", *KINDS):
        return None
    places = (0, 1) if at.kind in ("inner", "cross") else (0,)
    for place in places:
        child = at.children[place]
        if wanted <= set(child.output) and sizes.rows(child) <= sizes.rows(at) * 1.01:
            return place
    return None
