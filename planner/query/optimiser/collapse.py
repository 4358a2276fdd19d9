"""A projection of a projection is one, where nothing would be computed twice."""

from __future__ import annotations

from collections import Counter

from planner.columns.expressions import Alias, Attr, Expr, Literal, substitute, walk
from planner.query import logical as l
from planner.query.optimiser.shapes import simple, steady

_DEEPEST = 60  # nodes of an expression that is still put into another one


def collapse(plan: l.Plan) -> l.Plan:
    """The plan with neighbouring projections put together."""
    return l.bottom_up(plan, _change)


def _change(node: l.Plan) -> l.Plan:
    if not isinstance(node, l.Project) or not isinstance(node.child, l.Project):
        return node
    inner = node.child
    values: dict[Attr, Alias] = {c.attr: c for c in inner.columns if isinstance(c, Alias)}
    if not values:
        return l.Project(inner.child, node.columns, site=node.site)
    passed = Counter([column for column in node.columns if isinstance(column, Attr)])
    used: Counter[Attr] = Counter()
    for column in node.columns:
        if isinstance(column, Alias):
            here = [each for each in walk(column) if isinstance(each, Attr) and each in values]
            used.update(here)
            if here and not (simple(column) and steady(column)):
                return node
    if any(passed[attr] > 1 and _costs(value) for attr, value in values.items()):
        return node
    for attr, times in used.items():
        found = values[attr].child
        if not _costs(values[attr]):
            continue
        if times + passed[attr] > 1 or not (steady(found) and simple(found)):
            return node
        if sum(1 for _ in walk(found)) > _DEEPEST:
            return node
    columns = [
        values.get(c, c) if isinstance(c, Attr) else _inside(c, values) for c in node.columns
    ]
    return l.Project(inner.child, tuple(columns), site=node.site)


def _costs(column: Alias) -> bool:
    return not isinstance(column.child, Attr | Literal)


def _inside(column: Alias, values: dict[Attr, Alias]) -> Alias:
    """A column with the values of those that it reads."""
    used = [each for each in walk(column) if isinstance(each, Attr)]
    inside: dict[Attr, Expr] = {attr: values[attr].child for attr in used if attr in values}
    new = substitute(column, inside) if inside else column
    assert isinstance(new, Alias)
    return new
