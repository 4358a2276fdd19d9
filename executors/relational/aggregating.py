"""Aggregate calls as Polars aggregations: whole, or as the states of some rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns.building import at_of
from planner.columns.expressions import Alias, Call, Expr
from planner.columns.functions.registry import Aggregate, Settings, find

Build = Callable[[Expr], pl.Expr]


def entry_of(call: Call) -> Aggregate:
    """The table's entry of an aggregate."""
    entry = find(call.name)
    assert isinstance(entry, Aggregate)
    return entry


def call_of(value: Alias) -> Call:
    """The aggregate that a value of an Aggregate is."""
    assert isinstance(value.child, Call)
    return value.child


def states_of(call: Call, build: Build, settings: Settings) -> tuple[pl.Expr, ...]:
    """The states of an aggregate that has steps."""
    args = [build(arg) for arg in call.args]
    if call.where is not None:
        where = build(call.where)
        args = [arg.filter(where) for arg in args]
    partial = entry_of(call).partial
    assert partial is not None
    return partial(at_of(call, settings), *args)


def shared(
    values: Sequence[Alias], build: Build, settings: Settings
) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """What to aggregate, and the values made of that afterwards.

    Aggregates that have steps share the states that they have in common (a sum and an average of
    one column), and the work on states is done once for each group.
    """
    states: list[pl.Expr] = []
    columns: list[str] = []
    finals: list[pl.Expr] = []
    known: dict[tuple[str, ...], list[int]] = {}  # places by the columns that are used

    def column_of(state: pl.Expr) -> pl.Expr:
        alike = known.setdefault(tuple(state.meta.root_names()), [])
        for place in alike:
            if states[place].meta.eq(state):
                return pl.col(columns[place])
        alike.append(len(states))
        states.append(state)
        columns.append(f"#state {len(states)}")
        return pl.col(columns[-1])

    for value in values:
        call = call_of(value)
        final = entry_of(call).final
        if final is None or call.distinct:
            found = column_of(build(value))
        else:
            parts = [column_of(state) for state in states_of(call, build, settings)]
            found = final(at_of(call, settings), *parts)
        finals.append(found.alias(value.attr.column))
    named = [state.alias(column) for state, column in zip(states, columns, strict=True)]
    return named, finals
