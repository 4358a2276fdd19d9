"""Columns for the states of aggregates."""

from __future__ import annotations

from planner.columns.building import at_of
from planner.columns.expressions import Alias, Attr, Call
from planner.columns.functions.registry import Aggregate, find
from planner.query.lowering.pieces import Workshop


def has_steps(call: Call) -> bool:
    """Whether an aggregate can be made of states of parts of the rows."""
    entry = find(call.name)
    assert isinstance(entry, Aggregate)
    return entry.partial is not None


def states_of(value: Alias, shop: Workshop) -> tuple[Attr, ...]:
    """Columns for the states of an aggregate."""
    call = value.child
    assert isinstance(call, Call)
    entry = find(call.name)
    assert isinstance(entry, Aggregate) and entry.states is not None
    kinds = entry.states(at_of(call, shop.how.settings))
    return tuple(Attr(f"{value.name}.{place}", kind) for place, kind in enumerate(kinds))
