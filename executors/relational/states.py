"""Steps of staged plans: aggregates in two parts, samples and bounds of sorts, runs of rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from executors.relational.aggregating import call_of, entry_of, states_of
from executors.relational.nodes import Making, lazily
from executors.relational.splitting import joined
from planner.columns.building import at_of
from planner.columns.columnar import to_polars
from planner.columns.expressions import Alias, Attr, Order
from planner.query import fragment as f
from planner.query.aggregation import key, prepared

_ROW, _BOUND = "#row", "#bound"
_FEW_BOUNDS = 64
_DRAWN, _SEED = 16, 2611  # rows drawn for each that stays in a sample, and which


@lazily.register
def _leaf(node: f.Leaf, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    found = [lazily(each, [], at) for each in at.sides[node.side]]
    return found[0] if len(found) == 1 else pl.concat(found)


# ---- aggregates ----------------------------------------------------------------------------------


@lazily.register
def _partial(node: f.Partial, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    first, values = prepared(at.in_units(node))
    below = at.computed(children[0], first)
    states: list[pl.Expr] = []
    for value, attrs in zip(values, node.states, strict=True):
        found = states_of(call_of(value), at.build, at.settings)
        states += [each.alias(attr.column) for each, attr in zip(found, attrs, strict=True)]
    return _grouped(below, node.groups, states)


def _grouped(
    frame: pl.LazyFrame, groups: Sequence[Attr], values: Sequence[pl.Expr]
) -> pl.LazyFrame:
    if groups:
        keys = [key(pl.col(attr.column), attr.kind).alias(attr.column) for attr in groups]
        return frame.group_by(keys).agg(values)
    return frame.select(values or [pl.len().alias("#rows")])


@lazily.register
def _merged(node: f.Merged, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    tables = at.sides[node.side]
    if not tables:  # a channel that nobody sent anything to
        assert node.groups, "the one row of an aggregate without groups is always sent"
        return pl.LazyFrame(schema={a.column: to_polars(a.kind) for a in node.output})
    names = [attr.column for attr in chain(node.groups, *node.states)]
    frame = joined([table.rename_columns(names) for table in tables]).lazy()
    states = [
        found
        for value, attrs in zip(node.values, node.states, strict=True)
        for found in _merging(value, attrs, at)
    ]
    return _finals(node, _grouped(frame, node.groups, states), at)


@lazily.register
def _regrouped(node: f.Regrouped, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    there = set(node.child.output)
    states: list[pl.Expr] = []
    for value, attrs in zip(node.values, node.states, strict=True):
        if there.issuperset(attrs):
            states += _merging(value, attrs, at, node.only)
        else:
            found = states_of(call_of(value), at.build, at.settings)
            states += [e.alias(attr.column) for e, attr in zip(found, attrs, strict=True)]
    return _grouped(children[0], node.groups, states)


@lazily.register
def _finished(node: f.Finished, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return _finals(node, children[0], at)


def _merging(
    value: Alias, states: Sequence[Attr], at: Making, only: f.Only | None = None
) -> list[pl.Expr]:
    """The states of an aggregate from states of each."""
    call = call_of(value)
    merge = entry_of(call).merge
    assert merge is not None
    columns = [pl.col(state.column) for state in states]
    if only is not None:
        chosen = pl.col(only.mark.column) == only.value
        columns = [column.filter(chosen) for column in columns]
    found = merge(at_of(call, at.settings), *columns)
    return [each.alias(state.column) for each, state in zip(found, states, strict=True)]


def _finals(node: f.Merged | f.Finished, frame: pl.LazyFrame, at: Making) -> pl.LazyFrame:
    """The values that states come to."""
    finals = [pl.col(attr.column) for attr in node.groups]
    for value, states in zip(node.values, node.states, strict=True):
        call = call_of(value)
        final = entry_of(call).final
        assert final is not None
        found = final(at_of(call, at.settings), *(pl.col(state.column) for state in states))
        finals.append(found.alias(value.attr.column))
    return frame.select(finals)


# ---- sorts over several partitions ---------------------------------------------------------------


def _in_order(
    frame: pl.DataFrame, order: Sequence[Order], last: Sequence[str] = ()
) -> pl.DataFrame:
    """Sorted as `Sort` sorts, rows that are equal by the columns `last`."""
    names = [key.child.column for key in order if isinstance(key.child, Attr)]
    return frame.sort(
        [*names, *last],
        descending=[not key.ascending for key in order] + [False] * len(last),
        nulls_last=[not key.nulls_lead for key in order] + [True] * len(last),
        maintain_order=True,
    )


@lazily.register
def _sampled(node: f.Sampled, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    keys = [attr.column for attr in node.output[:-1]]
    frame = children[0].select(keys).collect(engine="streaming")
    rows, some = frame.height, node.most * _DRAWN
    if rows > some:  # sorting all to choose among them would cost what the sort itself does
        frame = frame.sample(some, seed=_SEED)
    frame = _in_order(frame, node.order)
    step = max(1, -(-frame.height // node.most))
    weight = pl.lit(step * rows // max(1, frame.height), dtype=pl.Int64)
    return frame.gather_every(step, step // 2).with_columns(weight.alias(node.weight.column)).lazy()


@lazily.register
def _bounds(node: f.Bounds, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    frame = _in_order(children[0].collect(), node.order)
    weights = frame[node.weight.column]
    keys = [attr.column for attr in node.output]
    upto, total = weights.cum_sum(), int(weights.sum())
    goals = [total * part // node.channels for part in range(1, node.channels)]
    places = [int(upto.search_sorted(goal, "right")) for goal in goals if frame.height]
    return frame.select(keys)[[min(place, frame.height - 1) for place in places]].lazy()


@lazily.register
def _ranked(node: f.Ranked, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    rows, bounds = (child.collect(engine="streaming") for child in children)
    keys = [attr.column for attr in node.bounds.output]
    nested = any(rows.schema[key].is_nested() for key in keys)
    if nested or bounds.height > _FEW_BOUNDS:
        channel = _by_sorting(rows.select(keys), bounds.select(keys), node.order)
    else:
        channel = _by_comparing(rows, bounds, node.order)
    return rows.with_columns(channel.alias(node.channel.column)).lazy()


def _by_comparing(rows: pl.DataFrame, bounds: pl.DataFrame, order: Sequence[Order]) -> pl.Series:
    """How many bounds come before each row: each is compared with all rows, which is several
    times quicker than sorting where bounds are few."""
    found = pl.lit(0, dtype=pl.Int64)
    for at in range(bounds.height):
        found = found + _comes_after(bounds[at], order).cast(pl.Int64)
    return rows.select(pl.repeat(0, pl.len(), dtype=pl.Int64) + found).to_series()


def _comes_after(bound: pl.DataFrame, order: Sequence[Order]) -> pl.Expr:
    """Whether a row comes after the one of `bound`, not beside it."""
    after, same = pl.lit(False), pl.lit(True)
    for each in order:
        assert isinstance(each.child, Attr)
        value, there = pl.col(each.child.column), bound[each.child.column]
        one = pl.lit(there)
        if there.null_count():
            beyond = value.is_not_null() if each.nulls_lead else pl.lit(False)
            equal = value.is_null()
        else:
            beyond = (value > one) if each.ascending else (value < one)
            beyond = beyond.fill_null(not each.nulls_lead)
            equal = (value == one).fill_null(False)
        after, same = after | (same & beyond), same & equal
    return after


def _by_sorting(rows: pl.DataFrame, bounds: pl.DataFrame, order: Sequence[Order]) -> pl.Series:
    """The same: bounds are sorted in among the rows, each after those that are equal to it."""
    place = pl.lit(None, dtype=pl.UInt32).alias(_ROW)
    both = pl.concat([rows.with_row_index(_ROW), bounds.select(place, pl.all())])
    is_bound = pl.col(_ROW).is_null()
    found = (
        _in_order(both.with_columns(is_bound.alias(_BOUND)), order, (_BOUND,))
        .select(_ROW, pl.col(_BOUND).cast(pl.Int64).cum_sum())
        .filter(~is_bound)
    )
    channel: Any = np.empty(rows.height, dtype=np.int64)
    channel[found[_ROW].to_numpy()] = found[_BOUND].to_numpy()
    return pl.Series(channel)


@lazily.register
def _slabs(node: f.Slabs, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    place = pl.int_range(pl.len(), dtype=pl.Int64) * node.channels // pl.len()
    return children[0].with_columns(place.cast(pl.Int64).alias(node.channel.column))
