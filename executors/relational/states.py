"""Steps of staged plans: aggregates in two parts, samples and bounds of sorts, runs of rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import polars as pl

from executors.relational.aggregating import call_of, entry_of, states_of
from executors.relational.nodes import Making, lazily
from executors.relational.splitting import joined
from planner.columns.building import at_of
from planner.columns.columnar import to_polars
from planner.columns.expressions import Attr, Order
from planner.query import fragment as f
from planner.query.aggregation import key, prepared

_SORTED = "#sorted"


@lazily.register
def _leaf(node: f.Leaf, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    found = [lazily(each, [], at) for each in at.sides[node.side]]
    return found[0] if len(found) == 1 else pl.concat(found)


# ---- aggregates ----------------------------------------------------------------------------------


@lazily.register
def _partial(node: f.Partial, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    first, values = prepared(node.values)
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
    merged, final = [], []
    for value, states in zip(node.values, node.states, strict=True):
        call = call_of(value)
        entry, told = entry_of(call), at_of(call, at.settings)
        assert entry.merge is not None and entry.final is not None
        found = entry.merge(told, *(pl.col(state.column) for state in states))
        merged += [e.alias(s.column) for e, s in zip(found, states, strict=True)]
        columns = [pl.col(state.column) for state in states]
        final.append(entry.final(told, *columns).alias(value.attr.column))
    keys = [pl.col(attr.column) for attr in node.groups]
    return _grouped(frame, node.groups, merged).select(*keys, *final)


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
    frame = _in_order(children[0].select(keys).collect(engine="streaming"), node.order)
    step = max(1, -(-frame.height // node.most))
    weight = pl.lit(step, dtype=pl.Int64).alias(node.weight.column)
    return frame.gather_every(step, step // 2).with_columns(weight).lazy()


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
    """Bounds are sorted in among the rows, each after those that are equal to it."""
    rows, bounds = (child.collect(engine="streaming") for child in children)
    names = {attr.column for attr in node.bounds.output}
    missing = [
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in rows.schema.items()
        if name not in names
    ]
    both = pl.concat(
        [
            rows.with_columns(pl.lit(False).alias(_SORTED)),
            bounds.with_columns(*missing, pl.lit(True).alias(_SORTED)).select(
                *rows.columns, _SORTED
            ),
        ]
    )
    found = _in_order(both, node.order, (_SORTED,)).with_columns(
        pl.col(_SORTED).cast(pl.Int64).cum_sum().alias(node.channel.column)
    )
    return found.filter(~pl.col(_SORTED)).drop(_SORTED).lazy()


@lazily.register
def _slabs(node: f.Slabs, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    place = pl.int_range(pl.len(), dtype=pl.Int64) * node.channels // pl.len()
    return children[0].with_columns(place.cast(pl.Int64).alias(node.channel.column))
