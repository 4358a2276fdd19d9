"""Frames of Polars as Arrow tables that can be sent.

Polars and Arrow are loaded by the functions only: the exchange of Python rows imports this too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def table_of(frame: pl.DataFrame, level: pl.CompatLevel) -> pa.Table:
    """The frame as an Arrow table.

    Lists that are all empty may come as a piece of no elements that begins behind the end of its
    buffer, which Arrow writes as bytes that it cannot read: such pieces are copied.
    """
    import pyarrow as pa

    table = frame.to_arrow(compat_level=level)
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            column = table.column(place)
            if any(map(_astray, column.chunks)):
                pieces = [each.take(pa.array(range(len(each)))) for each in column.chunks]
                table = table.set_column(place, field, pa.chunked_array(pieces, field.type))
    return table


def _astray(array: pa.Array) -> bool:
    import pyarrow as pa

    if isinstance(array, pa.StructArray):
        return any(_astray(array.field(place)) for place in range(array.type.num_fields))
    if not isinstance(array, pa.ListArray | pa.LargeListArray):
        return False
    inner = array.values
    return (len(inner) == 0 and inner.offset > 0) or _astray(inner)
