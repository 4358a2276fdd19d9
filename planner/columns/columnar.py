"""What each type is in Arrow and in Polars."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from planner.columns import types as t

_POLARS: dict[t.DataType, pl.DataType] = {
    t.NULL: pl.Null(),
    t.STRING: pl.String(),
    t.BINARY: pl.Binary(),
    t.BOOLEAN: pl.Boolean(),
    t.BYTE: pl.Int8(),
    t.SHORT: pl.Int16(),
    t.INT: pl.Int32(),
    t.LONG: pl.Int64(),
    t.FLOAT: pl.Float32(),
    t.DOUBLE: pl.Float64(),
    t.DATE: pl.Date(),
    t.TIMESTAMP: pl.Datetime("us", "UTC"),
    t.TIMESTAMP_NTZ: pl.Datetime("us"),
}
_ARROW: dict[t.DataType, pa.DataType] = {
    t.NULL: pa.null(),
    t.STRING: pa.large_string(),
    t.BINARY: pa.large_binary(),
    t.BOOLEAN: pa.bool_(),
    t.BYTE: pa.int8(),
    t.SHORT: pa.int16(),
    t.INT: pa.int32(),
    t.LONG: pa.int64(),
    t.FLOAT: pa.float32(),
    t.DOUBLE: pa.float64(),
    t.DATE: pa.date32(),
    t.TIMESTAMP: pa.timestamp("us", "UTC"),
    t.TIMESTAMP_NTZ: pa.timestamp("us"),
}
_FROM_ARROW: list[tuple[str, t.DataType]] = [
    ("is_null", t.NULL),
    ("is_boolean", t.BOOLEAN),
    ("is_int8", t.BYTE),
    ("is_int16", t.SHORT),
    ("is_int32", t.INT),
    ("is_int64", t.LONG),
    ("is_uint8", t.SHORT),
    ("is_uint16", t.INT),
    ("is_uint32", t.LONG),
    ("is_uint64", t.DecimalType(20, 0)),
    ("is_float16", t.FLOAT),
    ("is_float32", t.FLOAT),
    ("is_float64", t.DOUBLE),
    ("is_string", t.STRING),
    ("is_large_string", t.STRING),
    ("is_string_view", t.STRING),
    ("is_binary", t.BINARY),
    ("is_large_binary", t.BINARY),
    ("is_binary_view", t.BINARY),
    ("is_fixed_size_binary", t.BINARY),
    ("is_date", t.DATE),
]


def to_polars(kind: t.DataType) -> pl.DataType:
    """The Polars type that holds values of a type.

    >>> to_polars(t.ArrayType(t.INT))
    List(Int32)
    """
    match kind:
        case t.DecimalType():
            return pl.Decimal(kind.precision, kind.scale)
        case t.ArrayType():
            return pl.List(to_polars(kind.elementType))
        case t.MapType():  # an empty one has keys of no type, which Polars does not take
            key = t.BYTE if isinstance(kind.keyType, t.NullType) else kind.keyType
            return pl.Map(to_polars(key), to_polars(kind.valueType))
        case t.StructType():
            return pl.Struct({f.name: to_polars(f.dataType) for f in kind.fields})
        case t.DayTimeIntervalType():
            return pl.Duration("us")
        case t.YearMonthIntervalType():
            return pl.Int32()
    return _POLARS[kind]


def to_arrow(kind: t.DataType) -> pa.DataType:
    """The Arrow type that holds values of a type.

    >>> to_arrow(t.DecimalType(10, 2))
    Decimal128Type(decimal128(10, 2))
    """
    match kind:
        case t.DecimalType():
            return pa.decimal128(kind.precision, kind.scale)
        case t.ArrayType():
            return pa.large_list(pa.field("element", to_arrow(kind.elementType), kind.containsNull))
        case t.MapType():
            value = pa.field("value", to_arrow(kind.valueType), kind.valueContainsNull)
            key = t.BYTE if isinstance(kind.keyType, t.NullType) else kind.keyType
            return pa.map_(pa.field("key", to_arrow(key), False), value)
        case t.StructType():
            return pa.struct(
                [pa.field(f.name, to_arrow(f.dataType), f.nullable) for f in kind.fields]
            )
        case t.DayTimeIntervalType():
            return pa.duration("us")
        case t.YearMonthIntervalType():
            return pa.int32()
    return _ARROW[kind]


def from_arrow(kind: pa.DataType) -> t.DataType:
    """The type of an Arrow column.

    Raises
    ------
    TypeError
        No type holds such values.

    Examples
    --------
    >>> from_arrow(pa.list_(pa.int32())).simpleString()
    'array<int>'
    """
    for asks, found in _FROM_ARROW:
        if getattr(pa.types, asks)(kind):
            return found
    if pa.types.is_decimal(kind):
        return t.DecimalType(kind.precision, max(kind.scale, 0))
    if pa.types.is_timestamp(kind):
        return t.TIMESTAMP if kind.tz else t.TIMESTAMP_NTZ
    if pa.types.is_duration(kind):
        return t.DayTimeIntervalType()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return t.ArrayType(from_arrow(kind.value_type), kind.value_field.nullable)
    if pa.types.is_map(kind):
        nullable = kind.item_field.nullable
        return t.MapType(from_arrow(kind.key_type), from_arrow(kind.item_type), nullable)
    if pa.types.is_struct(kind):
        return t.StructType([field_from_arrow(field) for field in kind])
    if pa.types.is_dictionary(kind):
        return from_arrow(kind.value_type)
    raise TypeError(f"no column type for Arrow's {kind}")


def field_from_arrow(field: pa.Field) -> t.StructField:
    """The struct field of an Arrow field."""
    return t.StructField(field.name, from_arrow(field.type), field.nullable)


def schema_from_arrow(schema: pa.Schema) -> t.StructType:
    """The row type of an Arrow schema."""
    return t.StructType([field_from_arrow(field) for field in schema])


def schema_to_arrow(schema: t.StructType) -> pa.Schema:
    """The Arrow schema of a row type."""
    return pa.schema([pa.field(f.name, to_arrow(f.dataType), f.nullable) for f in schema.fields])
