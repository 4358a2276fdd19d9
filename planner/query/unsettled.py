"""Rows that may be others when they are computed again, in one task.

Rows come in any order out of a join or a grouping; so which ones a limit takes, what number a row
of several equal ones gets, and the last digits of a sum of fractions may change from one
computation to the next. Where several places of a fragment stand on such rows they must see the
same: a correlated subquery is computed for values of rows that must be found again.
"""

from __future__ import annotations

from collections import Counter

from planner.query import logical as l
from planner.query.fragment import Fragment, children_of
from planner.query.optimiser.shapes import steady

_OPEN = (l.Limit, l.Tail, l.Sample, l.Aggregate, l.Window, l.Distinct)


def computed_once(fragment: Fragment) -> set[int]:
    """The places of nodes whose rows must be computed once for all that stand on them."""
    uses = Counter(at for node in fragment.nodes for at in _read(node))
    many = {at for at, times in uses.items() if times > 1}
    if not many:
        return many
    unsettled: set[int] = set()
    for place, node in enumerate(fragment.nodes[: max(many) + 1]):
        below = any(at in unsettled for at in children_of(node))
        if below or isinstance(node, _OPEN) or not all(map(steady, node.expressions)):
            unsettled.add(place)
    return many & unsettled


def _read(node: l.Plan) -> list[int]:
    """The places of the children of a node, as often as it reads them."""
    places = list(children_of(node))
    match node:
        case l.Expand():
            return places * len(node.projections)
        case l.Join(kind="null-aware anti"):
            return [*places, places[1]]
    return places
