"""Lowering: a logical plan becomes the six physical nodes.

On one machine a whole query is one task of width 1 (an *island*); what is not relational bounds it.
With `singleNode=never`, and on a cluster, it becomes stages. Nothing else knows the difference, and
here it is only how wide leaves and exchanges are: what is in one partition fits every need.
"""

from __future__ import annotations

from planner.plan import Node
from planner.query import logical as l
from planner.query.lowering import grouping, joins, leaves, narrow, ordering, unions
from planner.query.lowering.ordering import with_tops
from planner.query.lowering.pieces import Lowering, Workshop
from planner.query.lowering.step import all_lowered

STEPS = (leaves, narrow, grouping, joins, ordering, unions)  # registered by importing them


def lower(plan: l.Plan, how: Lowering) -> Node:
    """The physical plan; its rows are Arrow tables with the columns of `plan.output`, by position.

    Parameters
    ----------
    plan : Plan
        An optimised logical plan.
    how : Lowering
        Whether in stages, and what with.
    """
    shop = Workshop(how)
    return shop.node(all_lowered(with_tops(plan), shop))
