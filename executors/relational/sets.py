"""INTERSECT and EXCEPT: rows are compared as groups are, so that NULL is a value, and NaN too."""

from __future__ import annotations

import polars as pl

from executors.relational.nodes import Making, lazily
from planner.columns.columnar import to_polars
from planner.query import logical as l
from planner.query.aggregation import key

_LEFT, _RIGHT, _EACH = "#left", "#right", "#each"


@lazily.register
def _set_operation(node: l.SetOp, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    names = [attr.column for attr in node.output]
    sides = [
        child.select(
            [
                key(pl.col(old.column).cast(to_polars(new.kind)), new.kind).alias(new.column)
                for old, new in zip(side.output, node.output, strict=True)
            ]
            + [pl.lit(place == 0).alias(_LEFT)]
        )
        for place, (child, side) in enumerate(zip(children, node.children, strict=True))
    ]
    left, right = pl.col(_LEFT), pl.col(_RIGHT)
    counted = (
        pl.concat(sides)
        .group_by(names)
        .agg(left.sum().cast(pl.Int64), (~left).sum().cast(pl.Int64).alias(_RIGHT))
    )
    there = right > 0 if node.kind == "intersect" else right == 0
    if not node.every:
        return counted.filter((left > 0) & there).select(names)
    times = pl.min_horizontal(left, right) if node.kind == "intersect" else left - right
    repeated = counted.with_columns(pl.int_ranges(0, times, dtype=pl.Int64).alias(_EACH))
    return repeated.filter(times > 0).explode(_EACH).select(names)
