"""Lowering: a logical plan becomes the six physical nodes.

On one machine a whole query is one task of width 1 (an *island*); what is not relational bounds it.
With `singleNode=never`, and on a cluster, it becomes stages. Nothing else knows the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner import logical as l
from planner.fragment import Fragment, Input, flatten
from planner.functions.registry import Settings
from planner.ops import Relational
from planner.partitioning import Single
from planner.plan import Exchange, Narrow, Node, Source, Zip
from planner.sources import NothingPart


@dataclass(frozen=True)
class Lowering:
    """What lowering needs to know.

    `run` makes the function that runs a fragment in a task; `staged` says that every query goes in
    stages; `partitions` is the width of shuffles, `broadcast_bytes` up to what estimated size a
    side of a join is sent to everyone.
    """

    run: Callable[[Fragment], Callable[..., Any]]
    settings: Settings = Settings()
    staged: bool = False
    partitions: int = 2
    broadcast_bytes: int = 10 << 20


def lower(plan: l.Plan, how: Lowering) -> Node:
    """The physical plan; its rows are Arrow tables with the columns of `plan.output`, by position.

    Parameters
    ----------
    plan : Plan
        An optimised logical plan.
    how : Lowering
        Whether in stages, and what with.
    """
    return fused(plan, how)


def fused(plan: l.Plan, how: Lowering) -> Node:
    """The plan as one task, fed by what it cannot compute itself."""
    inputs: list[Node] = []

    def outside(node: l.Plan) -> l.Plan:
        if isinstance(node, l.Rows):
            inputs.append(node.node)
            return Input(node.attrs, len(inputs) - 1, site=node.site)
        return node

    inner = l.bottom_up(plan, outside)
    op = Relational(how.run(flatten(inner, how.settings)), words(inner))
    if not inputs:
        return Narrow(Source((NothingPart(),), "query", site=plan.site), op, site=plan.site)
    single = tuple(
        node if node.width == 1 else Exchange(node, Single(), site=plan.site) for node in inputs
    )
    if len(single) == 1:
        return Narrow(single[0], op, site=plan.site)
    return Zip(single, op, site=plan.site)


def words(plan: l.Plan) -> str:
    """What a picture says of a fragment: its nodes, the result first."""
    names = [type(node).__name__ for node in l.walk(plan) if not isinstance(node, l.Known)]
    shown = " < ".join(names[:6])
    return f"{shown} < …" if len(names) > 6 else shown
