"""The types of columns, under PySpark's names."""

from __future__ import annotations

from typing import Any

from minispark.errors import PySparkValueError
from minispark.sql.column import type_named
from minispark.sql.errors import parse_errors
from planner.columns import types as _types
from planner.columns.inference import merged as _merge_type
from planner.columns.inference import type_of as _infer_type
from planner.columns.row import Row
from planner.columns.types import (
    ArrayType,
    AtomicType,
    BinaryType,
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DayTimeIntervalType,
    DecimalType,
    DoubleType,
    FloatType,
    FractionalType,
    IntegerType,
    IntegralType,
    LongType,
    MapType,
    NullType,
    NumericType,
    ShortType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
    YearMonthIntervalType,
)

__all__ = [
    "ArrayType",
    "AtomicType",
    "BinaryType",
    "BooleanType",
    "ByteType",
    "DataType",
    "DateType",
    "DayTimeIntervalType",
    "DecimalType",
    "DoubleType",
    "FloatType",
    "FractionalType",
    "IntegerType",
    "IntegralType",
    "LongType",
    "MapType",
    "NullType",
    "NumericType",
    "Row",
    "ShortType",
    "StringType",
    "StructField",
    "StructType",
    "TimestampNTZType",
    "TimestampType",
    "YearMonthIntervalType",
]

_NOT_YET = frozenset(
    {
        "CalendarIntervalType",
        "CharType",
        "Geography",
        "GeographyType",
        "Geometry",
        "GeometryType",
        "SpatialType",
        "TimeType",
        "UserDefinedType",
        "VarcharType",
        "VariantType",
        "VariantVal",
    }
)


def _parse_datatype_string(s: str) -> DataType:
    """The type that SQL text names."""
    return type_named(s)


def _parse_datatype_json_string(json_string: str) -> DataType:
    """The type that JSON text describes."""
    import json

    return _parse_datatype_json_value(json.loads(json_string))


def _parse_datatype_json_value(value: Any) -> DataType:
    """The type that a value out of JSON describes."""
    with parse_errors():
        try:
            return _types.from_json(value)
        except (KeyError, AttributeError) as error:
            raise PySparkValueError(
                f"{value!r} describes no type", "INVALID_JSON_SCHEMA"
            ) from error


def __getattr__(name: str) -> Any:
    if name in _NOT_YET:
        raise NotImplementedError(f"minispark.sql.types.{name} is not there yet")
    raise AttributeError(f"module 'minispark.sql.types' has no attribute {name!r}")


_PRIVATE = (_merge_type, _infer_type)
