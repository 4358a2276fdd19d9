"""Each logical node as a step of a Polars query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatch

import polars as pl
import pyarrow as pa

from executors.relational.aggregating import shared
from executors.relational.extents import Extents
from executors.relational.joins import joined
from executors.relational.splitting import joined as tables_joined
from planner.columns.building import build
from planner.columns.columnar import to_polars
from planner.columns.expressions import Alias, Attr, Expr, attributes
from planner.columns.functions.registry import Settings
from planner.columns.functions.risky import must_wait
from planner.columns.sharing import in_steps
from planner.columns.units import summed_in_units
from planner.query import logical as l
from planner.query.aggregation import key, prepared
from planner.query.fragment import Input, Partial


@dataclass(frozen=True, eq=False)
class Making:
    """What steps are made with: settings, the task's inputs, the partition's index, what is known
    of values; and how often each file was opened by then."""

    settings: Settings
    sides: Sequence[list[pa.Table]]
    partition: int
    extents: Extents
    opened: Counter[str] = field(default_factory=Counter)

    def build(self, expr: Expr) -> pl.Expr:
        """The Polars expression of a typed one."""
        return build(expr, self.settings)

    def in_units(self, node: l.Aggregate | Partial) -> tuple[Alias, ...]:
        """The aggregates of a node; sums are of 64-bit units where that is known to be enough."""
        assert isinstance(node.child, l.Slot)
        place = node.child.index
        return summed_in_units(node.values, self.extents.of(place), self.extents.rows(place))

    def computed(self, frame: pl.LazyFrame, columns: Sequence[Alias]) -> pl.LazyFrame:
        """The frame with more columns, what they have in common computed before them."""
        steps, last = in_steps(columns)
        for step in (*steps, last):
            if step:
                frame = frame.with_columns(self.build(e).alias(e.attr.column) for e in step)
        return frame


@singledispatch
def lazily(node: l.Plan, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    """The rows of a node, from those of its children; columns are named `Attr.column`."""
    raise TypeError(f"no step for {node!r}")


# ---- leaves --------------------------------------------------------------------------------------


def from_arrow(tables: Sequence[pa.Table], attrs: Sequence[Attr]) -> pl.LazyFrame:
    """Arrow tables as one frame with the columns of `attrs`, by position."""
    names = {attr.column: to_polars(attr.kind) for attr in attrs}
    if not tables:
        return pl.LazyFrame(schema=names)
    renamed = [table.rename_columns(list(names)) for table in tables]
    frame = tables_joined(renamed)
    wrong = [name for name, kind in names.items() if frame.schema[name] != kind]
    return frame.lazy().with_columns(pl.col(name).cast(names[name]) for name in wrong)


@lazily.register
def _table(node: l.Table, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return from_arrow([node.data], node.attrs)


@lazily.register
def _input(node: Input, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return from_arrow(at.sides[node.side], node.attrs)


@lazily.register
def _range(node: l.Range, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    numbers = pl.int_range(node.start, node.stop, node.step, dtype=pl.Int64)
    return pl.select(numbers.alias(node.attr.column), eager=False)


# ---- one child -----------------------------------------------------------------------------------


@lazily.register
def _project(node: l.Project, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    steps, made = in_steps([each for each in node.columns if isinstance(each, Alias)])
    below = children[0]
    for step in steps:
        below = at.computed(below, step)
    kept = len(node.columns) - len(made)
    if not steps and node.columns[:kept] == node.child.output:  # columns are only added
        return below.with_columns([at.build(each.child).alias(each.attr.column) for each in made])
    values: dict[Attr, Expr] = {each.attr: each.child for each in made}
    built = [at.build(values.get(attr, attr)).alias(attr.column) for attr in node.output]
    if all(attributes(column) for column in node.columns):
        return below.select(built)
    # If only constants were left of it in the end, a select would be of one row.
    return below.with_columns(built).select([attr.column for attr in node.output])


@lazily.register
def _filter(node: l.Filter, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    steps, (last,) = in_steps([Alias(node.condition, "#condition")])
    # Of a condition that raises for rows that were left out below, Polars must not make one filter
    # with those below: it is a column first.
    waits = must_wait(node.condition, at.settings)
    if not steps and not waits:
        return children[0].filter(at.build(node.condition))
    below = children[0]
    for step in steps:
        below = at.computed(below, step)
    if waits:
        below = at.computed(below, [last]).filter(last.attr.column)
    else:
        below = below.filter(at.build(last.child))
    return below.select([attr.column for attr in node.output])


@lazily.register
def _aggregate(node: l.Aggregate, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    first, aggregates = prepared(at.in_units(node))
    states, values = shared(aggregates, at.build, at.settings)
    below = at.computed(children[0], first)
    if not node.groups:
        return below.select(states or [pl.len().alias("#rows")]).select(values or [pl.col("#rows")])
    columns = [attr.column for attr in node.groups]
    keys = [key(pl.col(attr.column), attr.kind).alias(attr.column) for attr in node.groups]
    return below.group_by(keys).agg(states).select(*columns, *values)


@lazily.register
def _expand(node: l.Expand, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    columns = [attr.column for attr in node.attrs]
    each = [
        # A select of constants alone would be of one row.
        children[0]
        .with_columns(
            at.build(expr).alias(column)
            for expr, column in zip(projection, columns, strict=True)
            if not (isinstance(expr, Attr) and expr.column == column)
        )
        .select(columns)
        for projection in node.projections
    ]
    return pl.concat(each)


@lazily.register
def _sort(node: l.Sort, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0].sort(
        [at.build(order.child) for order in node.order],
        descending=[not order.ascending for order in node.order],
        nulls_last=[not order.nulls_lead for order in node.order],
        maintain_order=True,
    )


@lazily.register
def _limit(node: l.Limit, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0].slice(node.offset, node.count)


@lazily.register
def _tail(node: l.Tail, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0].tail(node.count)


@lazily.register
def _distinct(node: l.Distinct, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    keys = [attr.column for attr in node.keys] or None
    return children[0].unique(keys, keep="first" if keys else "any", maintain_order=bool(keys))


@lazily.register
def _known(node: l.Known, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0]


@lazily.register
def _hint(node: l.Hint, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0]


@lazily.register
def _repartition(node: l.Repartition, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return children[0]  # where a plan is one task, all its partitions are


# ---- several children ----------------------------------------------------------------------------


@lazily.register
def _join(node: l.Join, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    return joined(node, children[0], children[1], at.settings)


@lazily.register
def _union(node: l.Union, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    sides = [
        child.select(
            pl.col(old.column).cast(to_polars(new.kind)).alias(new.column)
            for old, new in zip(side.output, node.attrs, strict=True)
        )
        for child, side in zip(children, node.sides, strict=True)
    ]
    return pl.concat(sides)
