"""WITH RECURSIVE: steps are done one after the other, each as a query over the rows before it."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from minispark.errors import SparkRuntimeException
from planner.query import logical as l
from planner.query.recursive import LEVELS, ROWS, Before, Recursive, same_rows

Run = Callable[[l.Plan], pa.Table]


def computed(plan: l.Plan, run: Run, levels: int = LEVELS, most: int = ROWS) -> l.Plan:
    """The plan with the rows of its recursive queries in their place.

    Parameters
    ----------
    plan : Plan
        Any plan.
    run : callable
        Gives the rows of a plan.
    levels, most : int
        How often a step is done, and how many rows there may be, unless the query says.

    Raises
    ------
    SparkRuntimeException
        A query goes on further than that.
    """
    if not any(isinstance(node, Recursive) for node in l.walk(plan)):
        return plan
    wanted = _limits(plan)

    def change(node: l.Plan) -> l.Plan:
        if not isinstance(node, Recursive):
            return node
        return _rows(node, run, levels, most, wanted.get(id(node)))

    return l.bottom_up(plan, change) if not wanted else _top_down(plan, change)


def _top_down(plan: l.Plan, change: Callable[[l.Plan], l.Plan]) -> l.Plan:
    """`change` of nodes that are what the plan was made of, so that they are known again."""
    found = change(plan)
    if found is not plan:
        return found
    children = tuple(_top_down(child, change) for child in plan.children)
    same = all(a is b for a, b in zip(children, plan.children, strict=True))
    return plan if same else plan.with_children(children)


def _limits(plan: l.Plan) -> dict[int, int]:
    """How many rows are enough of recursive queries right below a LIMIT."""
    found: dict[int, int] = {}
    for node in l.walk(plan):
        if isinstance(node, l.Limit) and node.count is not None:
            below = node.child
            while isinstance(below, l.Project | l.Known):
                below = below.child
            if isinstance(below, Recursive):
                found[id(below)] = node.count + node.offset
    return found


def _rows(node: Recursive, run: Run, levels: int, most: int, enough: int | None) -> l.Table:
    names = [attr.column for attr in node.attrs]
    limit = levels if node.levels is None else node.levels
    now = run(node.first).rename_columns(names)
    all_ = [now]
    count, level = now.num_rows, 1
    while now.num_rows and (enough is None or count < enough):
        if 0 <= limit < level:
            raise SparkRuntimeException(
                f"a recursive query went on for {limit} levels; say MAX RECURSION LEVEL, or set "
                "spark.sql.cteRecursionLevelLimit",
                "RECURSION_LEVEL_LIMIT_EXCEEDED",
            )
        now = run(_over(node.step, node.before, now)).rename_columns(names).cast(all_[0].schema)
        all_.append(now)
        count, level = count + now.num_rows, level + 1
        if 0 <= most < count and (enough is None or count < enough):
            raise SparkRuntimeException(
                f"a recursive query made more than {most} rows; set spark.sql.cteRecursionRowLimit",
                "RECURSION_ROW_LIMIT_EXCEEDED",
            )
    return l.Table(node.attrs, pa.concat_tables(all_), site=node.site)


def _over(step: l.Plan, before: Before, rows: pa.Table) -> l.Plan:
    table = l.Table(before.attrs, rows)
    return l.bottom_up(step, lambda node: table if same_rows(node, before) else node)
