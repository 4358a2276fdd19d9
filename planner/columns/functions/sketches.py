"""Aggregates that make sketches: named, so that asking for one says what there is instead."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns.expressions import Expr
from planner.columns.functions.registry import Resolve, Settings, Typed, aggregate

_INSTEAD = {
    "count_min_sketch": "count each value with groupBy(…).count()",
    "hll_sketch_agg": "approx_count_distinct",
    "hll_union_agg": "approx_count_distinct",
    "bitmap_construct_agg": "count(DISTINCT …)",
    "bitmap_or_agg": "bit_or",
    "bitmap_and_agg": "bit_and",
    "theta_sketch_agg": "approx_count_distinct",
    "theta_union_agg": "approx_count_distinct",
    "theta_intersection_agg": "count(DISTINCT …) of a join",
    "kll_sketch_agg_bigint": "percentile_approx",
    "kll_sketch_agg_float": "percentile_approx",
    "kll_sketch_agg_double": "percentile_approx",
    "approx_top_k": "groupBy(…).count() and orderBy(…).limit(k)",
}


def _absent(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        raise NotImplementedError(f"{name} is not there; use {_INSTEAD[name]}")

    return resolve


for _name in _INSTEAD:
    aggregate(_name, resolve=_absent(_name), whole="it is not there")(lambda at, *args: args[0])
