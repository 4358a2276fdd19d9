"""Rows without columns, as those of df.select(): a table of none would forget how many there are.

So each such node gets a column that nobody sees.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from planner.columns import types as t
from planner.columns.expressions import Alias, Attr, Literal
from planner.query import logical as l

_NAME = "#rows"


def with_rows(plan: l.Plan) -> l.Plan:
    """The plan with a column in every node that has none."""
    if all(node.output for node in l.walk(plan)):
        return plan
    return l.bottom_up(plan, _with_one)


def _with_one(node: l.Plan) -> l.Plan:
    match node:
        case l.Project(columns=()):
            column = Alias(Literal(True, t.BOOLEAN), _NAME)
            return l.Project(node.child, (column,), site=node.site)
        case l.Table(attrs=()):
            rows = pa.array([True] * node.data.num_rows, pa.bool_())
            return l.Table((_hidden(),), pa.table({_NAME: rows}), site=node.site)
        case l.Union(attrs=()) if all(side.output for side in node.sides):
            return replace(node, attrs=(_hidden(),))
        case l.Join():
            seen = tuple(attr for attr in node.output if attr.name != _NAME)
            if len(seen) < len(node.output):
                return l.Project(node, seen or node.output[:1], site=node.site)
    return node


def _hidden() -> Attr:
    return Attr(_NAME, t.BOOLEAN, False)
