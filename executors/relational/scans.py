"""Files as Polars queries."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from executors.relational.nodes import Making, lazily
from planner import logical as l
from planner.building import literal
from planner.columnar import to_polars


@lazily.register
def _scan(node: l.Scan, children: Sequence[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    found = [_slice(node, each) for each in node.slices]
    if not found:
        return pl.LazyFrame(schema={a.column: to_polars(a.kind) for a in node.attrs})
    return pl.concat(found) if len(found) > 1 else found[0]


def _slice(node: l.Scan, piece: l.FileSlice) -> pl.LazyFrame:
    if node.format != "parquet":
        raise NotImplementedError(f"reading {node.format}")
    frame = pl.scan_parquet(piece.path, hive_partitioning=False, glob=False)
    folder = dict(zip(node.partitioned, piece.values, strict=True))
    return frame.select(
        (literal(folder[attr], attr.kind) if attr in folder else pl.col(attr.name))
        .cast(to_polars(attr.kind))
        .alias(attr.column)
        for attr in node.attrs
    )
