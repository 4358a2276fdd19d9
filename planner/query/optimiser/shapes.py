"""What several rules ask of plans and expressions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planner.columns.conditions import conjunction
from planner.columns.expressions import (
    Alias,
    Attr,
    Expr,
    Lambda,
    Outer,
    Over,
    PythonCall,
    Query,
    Variable,
    calls_in,
    holds,
)
from planner.query import logical as l

_ANOTHER_EACH_TIME = frozenset(
    {
        "rand",
        "random",
        "randn",
        "randstr",
        "uniform",
        "shuffle",
        "uuid",
        "monotonically_increasing_id",
        "spark_partition_id",
        "input_file_name",
        "input_file_block_start",
        "input_file_block_length",
        "raise_error",
        "assert_true",
    }
)


def steady(expr: Expr) -> bool:
    """Whether an expression gives the same wherever, and as often as, it is computed."""
    if not calls_in(expr).isdisjoint(_ANOTHER_EACH_TIME):
        return False
    return not holds(expr, Over, Query, Outer, PythonCall)


def asks_where(plan: l.Plan) -> bool:
    """Whether it asks for the partitions that its rows are in."""
    nodes = l.children_first(plan)
    return any("spark_partition_id" in calls_in(each) for n in nodes for each in n.expressions)


def simple(expr: Expr) -> bool:
    """Whether an expression is without lambdas, whose variables must not be touched."""
    return not holds(expr, Lambda, Variable)


def passes_on(node: l.Plan) -> bool:
    """Whether a node only reads rows, or hands those of its child on with fewer or other names."""
    if isinstance(node, l.Project):
        return all(isinstance(c.child if isinstance(c, Alias) else c, Attr) for c in node.columns)
    return not node.children or isinstance(node, l.Known | l.Hint)


def only_reads(nodes: Iterable[l.Plan]) -> set[l.Plan]:
    """Of nodes, children first, those that with all below them only pass rows on."""
    found: set[l.Plan] = set()
    for node in nodes:
        if passes_on(node) and found.issuperset(node.children):
            found.add(node)
    return found


def parents_first(plan: l.Plan) -> list[l.Plan]:
    """Every node once, before all that it stands on."""
    return list(l.children_first(plan)[::-1])


def shared(nodes: Iterable[l.Plan]) -> set[int]:
    """The ids of nodes that more than one place stands on."""
    seen: set[int] = set()
    found: set[int] = set()
    for node in nodes:
        for child in node.children:
            (found if id(child) in seen else seen).add(id(child))
    return found


def filtered(plan: l.Plan, conditions: Sequence[Expr]) -> l.Plan:
    """The rows for which all conditions are true."""
    if not conditions:
        return plan
    return l.Filter(plan, conjunction(list(dict.fromkeys(conditions))), site=plan.site)
