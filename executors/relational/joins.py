"""Joins as Polars queries: equal keys, residual conditions, and the kinds that Polars lacks."""

from __future__ import annotations

import polars as pl

from planner import logical as l
from planner.building import build
from planner.conditions import equal_keys
from planner.functions.registry import Settings

_HOW = {"inner": "inner", "left": "left", "full": "full", "semi": "semi", "anti": "anti"}


def joined(
    node: l.Join, left: pl.LazyFrame, right: pl.LazyFrame, settings: Settings
) -> pl.LazyFrame:
    """The rows of a join."""
    pairs, rest = equal_keys(node)
    columns = [attr.column for attr in node.output]
    if node.kind == "right":
        turned = l.Join(node.right, node.left, "left", node.condition)
        return joined(turned, right, left, settings).select(columns)
    if node.kind in ("inner", "cross") and not pairs:
        found = left.join(right, how="cross")
        return found.filter(build(part, settings) for part in rest) if rest else found
    if node.kind in _HOW and (pairs and (not rest or node.kind == "inner")):
        ons = [build(a, settings) for a, _ in pairs], [build(b, settings) for _, b in pairs]
        found = left.join(
            right,
            how=_HOW[node.kind],  # type: ignore[arg-type]
            left_on=ons[0],
            right_on=ons[1],
            coalesce=False,
        )
        if rest:
            found = found.filter(build(part, settings) for part in rest)
        return found.select(columns)
    raise NotImplementedError(f"{node.kind} join on {node.condition!r}")
