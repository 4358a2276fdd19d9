"""Which rows may be shared among tasks: what a row gives does not hang on the rows beside it."""

from __future__ import annotations

from planner.columns.expressions import Call
from planner.query import logical as l
from planner.query.fragment import Input, Merged, Partial
from planner.query.optimiser.shapes import steady

# For a row of the left side all matches must be at hand, and the other way round for the right.
RIGHT_TO_ALL = ("inner", "cross", "left", "semi", "anti", "null-aware anti", "single")
LEFT_TO_ALL = ("inner", "cross", "right")
_ROW_BY_ROW = (
    l.Project,
    l.Filter,
    l.Generate,
    l.Expand,
    l.Known,
    l.Hint,
    l.Union,
    Partial,
)
_STEADY = (
    l.Project,
    l.Filter,
    l.Known,
    l.Hint,
    l.Union,
    l.Join,
    l.Expand,
    l.Aggregate,
    Merged,
    Input,
)
_STEADY_TOTALS = {"count", "sum", "avg", "mean", "min", "max", "count_if", "bool_and", "bool_or"}


def splittable(plan: l.Plan) -> tuple[int, ...]:
    """The sides of a fragment whose rows may be split, each part with all of the other sides."""
    found: dict[int, bool] = {}
    if not any(isinstance(node, Input) for node in l.children_first(plan)):
        return ()
    todo = [(plan, True)]
    while todo:
        node, free = todo.pop()
        match node:
            case Input():
                again = node.side in found  # the same rows twice: each part would miss the others
                found[node.side] = free and not again
            case l.Join():
                left, right = _same_for_all(node.left), _same_for_all(node.right)
                todo.append((node.left, free and right and node.kind in RIGHT_TO_ALL))
                todo.append((node.right, free and left and node.kind in LEFT_TO_ALL))
            case _:
                by_row = free and isinstance(node, _ROW_BY_ROW)
                todo.extend((child, by_row) for child in node.children)
    return tuple(sorted(side for side, free in found.items() if free))


def _same_for_all(plan: l.Plan) -> bool:
    """Whether several tasks that compute this of the same rows get the same rows."""
    for node in l.walk(plan):
        if not isinstance(node, _STEADY) or not all(map(steady, node.expressions)):
            return False
        for value in node.values if isinstance(node, l.Aggregate | Merged) else ():
            if not isinstance(value.child, Call) or value.child.name not in _STEADY_TOTALS:
                return False
    return True
