"""Frames of Polars as Arrow tables that can be sent.

Polars and Arrow are loaded by the functions only: the exchange of Python rows imports this too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


SHORT = 2**31  # bytes of a piece whose places are numbers of 32 bits


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


def with_short_offsets(table: pa.Table) -> pa.Table:
    """The table with texts, bytes and lists of the types that Arrow users expect, whose pieces have
    less than 2 GiB: larger ones are cut. Nothing but the places of values is written anew."""
    import pyarrow as pa

    fields = [field.with_type(_short(field.type)) for field in table.schema]
    if fields == list(table.schema):
        return table
    columns = []
    for column, field in zip(table.columns, fields, strict=True):
        if column.type != field.type:
            pieces = [new for old in column.chunks for new in _cast(old, field.type)]
            column = pa.chunked_array(pieces, field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, table.schema.metadata))


def _short(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(_short_field(kind.value_field))
    if pa.types.is_struct(kind):
        return pa.struct([_short_field(kind.field(at)) for at in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(_short_field(kind.key_field), _short_field(kind.item_field))
    return kind


def _short_field(field: pa.Field) -> pa.Field:
    return field.with_type(_short(field.type))


def _cast(array: pa.Array, kind: pa.DataType) -> list[pa.Array]:
    import numpy as np

    if array.nbytes < SHORT or len(array) < 2:
        return [array.cast(kind)]
    middle = len(array) // 2
    halves = [array.take(np.arange(*ends)) for ends in ((0, middle), (middle, len(array)))]
    return [piece for half in halves for piece in _cast(half, kind)]


def _astray(array: pa.Array) -> bool:
    import pyarrow as pa

    if isinstance(array, pa.StructArray):
        return any(_astray(array.field(place)) for place in range(array.type.num_fields))
    if not isinstance(array, pa.ListArray | pa.LargeListArray):
        return False
    inner = array.values
    return (len(inner) == 0 and inner.offset > 0) or _astray(inner)
