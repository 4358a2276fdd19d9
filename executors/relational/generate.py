"""Generators as Polars queries: a list of structs for each row, each struct a row."""

from __future__ import annotations

import polars as pl

from executors.relational.nodes import Making, lazily
from planner.columns import types as t
from planner.query import logical as l

_ROWS = "#generated"


@lazily.register
def _generate(node: l.Generate, children: list[pl.LazyFrame], at: Making) -> pl.LazyFrame:
    kind = node.call.type
    assert isinstance(kind, t.ArrayType) and isinstance(kind.elementType, t.StructType)
    made = children[0].with_columns(at.build(node.call).alias(_ROWS))
    rows = made.explode(_ROWS, empty_as_null=node.outer, keep_nulls=node.outer)
    return rows.select(
        *(attr.column for attr in node.child.output),
        *(
            pl.col(_ROWS).struct.field(name).alias(attr.column)
            for name, attr in zip(kind.elementType.names, node.attrs, strict=True)
        ),
    )
