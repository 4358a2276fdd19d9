"""Which rows may be shared among tasks: what a row gives does not hang on the rows beside it."""

from __future__ import annotations

from planner.query import logical as l
from planner.query.fragment import Input, Partial

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


def splittable(plan: l.Plan) -> tuple[int, ...]:
    """The sides of a fragment whose rows may be split, each part with all of the other sides."""
    found: dict[int, bool] = {}
    todo = [(plan, True)]
    while todo:
        node, free = todo.pop()
        match node:
            case Input():
                again = node.side in found  # the same rows twice: each part would miss the others
                found[node.side] = free and not again
            case l.Join():
                todo.append((node.left, free and node.kind in RIGHT_TO_ALL))
                todo.append((node.right, free and node.kind in LEFT_TO_ALL))
            case _:
                by_row = free and isinstance(node, _ROW_BY_ROW)
                todo.extend((child, by_row) for child in node.children)
    return tuple(sorted(side for side, free in found.items() if free))
