"""What a task computes once, though several places of its fragment stand on it.

Rows come in any order out of a join or a grouping; so which ones a limit takes, what number a row
of several equal ones gets, and the last digits of a sum of fractions may change from one
computation to the next. Where several places stand on such rows they must see the same: a
correlated subquery is computed for values of rows that must be found again.

Other rows are computed once if that costs less than to compute them again. To keep rows that are
only read, and not chosen or made, costs more, unless they would be read many times.
"""

from __future__ import annotations

from collections import Counter

from planner.query import logical as l
from planner.query.fragment import Fragment, children_of
from planner.query.optimiser.shapes import passes_on, steady

_OPEN = (l.Limit, l.Tail, l.Sample, l.Aggregate, l.Window, l.Distinct)
_OFTEN = 3


def used_often(fragment: Fragment) -> tuple[set[int], set[int]]:
    """The places of nodes that more than one stands on: those whose rows are computed once for all
    of them, and those whose rows are had again for each."""
    uses = Counter(at for node in fragment.nodes for at in _read(node))
    many = {at for at, times in uses.items() if times > 1}
    if not many:
        return many, many
    unsettled: set[int] = set()
    made: set[int] = set()
    for place, node in enumerate(fragment.nodes[: max(many) + 1]):
        below = children_of(node)
        if isinstance(node, _OPEN) or not all(map(steady, node.expressions)):
            unsettled.add(place)
        if not passes_on(node) or not made.isdisjoint(below):
            made.add(place)
        if not unsettled.isdisjoint(below):
            unsettled.add(place)
    once = many & (unsettled | made | {at for at in many if uses[at] >= _OFTEN})
    return once, many - once


def _read(node: l.Plan) -> list[int]:
    """The places of the children of a node, as often as it reads them."""
    places = list(children_of(node))
    match node:
        case l.Expand():
            return places * len(node.projections)
        case l.Join(kind="null-aware anti"):
            return [*places, places[1]]
    return places
