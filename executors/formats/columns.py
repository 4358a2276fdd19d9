"""What the columns of files are: the schemas in footers as our types and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa

from executors.formats.errors import FilesError
from planner.columns import types as t
from planner.columns.columnar import from_arrow, to_arrow

SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"


def of_footer(
    schema: pa.Schema, old_times: frozenset[str] = frozenset(), ntz: bool = True
) -> t.StructType:
    """The columns of a Parquet footer. Spark's own description of them is used where it is there;
    `old_times` are the paths of INT96 columns, which are instants."""
    told = (schema.metadata or {}).get(SPARK_SCHEMA)
    if told is not None:
        kind = t.from_json(json.loads(told))
        if isinstance(kind, t.StructType) and kind.names == schema.names:
            found = t.nullable(kind)
            assert isinstance(found, t.StructType)
            return found
    fields = []
    for column in schema:
        kind = t.nullable(from_arrow(column.type))
        kind = _instants(kind, (column.name,), old_times, ntz)
        fields.append(t.StructField(column.name, kind))
    return t.StructType(fields)


def _instants(
    kind: t.DataType, path: tuple[str, ...], old: frozenset[str], ntz: bool
) -> t.DataType:
    """Times without a zone that are instants all the same."""
    match kind:
        case t.TimestampNTZType():
            return t.TIMESTAMP if ".".join(path) in old or not ntz else kind
        case t.ArrayType():
            inner = _instants(kind.elementType, (*path, "list", "element"), old, ntz)
            return t.ArrayType(inner, True)
        case t.MapType():
            key = _instants(kind.keyType, (*path, "key_value", "key"), old, ntz)
            value = _instants(kind.valueType, (*path, "key_value", "value"), old, ntz)
            return t.MapType(key, value, True)
        case t.StructType():
            return t.StructType(
                [
                    t.StructField(f.name, _instants(f.dataType, (*path, f.name), old, ntz))
                    for f in kind.fields
                ]
            )
    return kind


def for_files(kind: t.DataType) -> pa.DataType:
    """The Arrow type as which files hold a type: as `to_arrow`, with 32-bit offsets in lists."""
    match kind:
        case t.ArrayType():
            inner = for_files(kind.elementType)
            return pa.list_(pa.field("element", inner, kind.containsNull))
        case t.MapType():
            value = pa.field("value", for_files(kind.valueType), kind.valueContainsNull)
            return pa.map_(pa.field("key", for_files(kind.keyType), False), value)
        case t.StructType():
            return pa.struct([pa.field(f.name, for_files(f.dataType), True) for f in kind.fields])
    return to_arrow(kind)


# ---- schemas of several files --------------------------------------------------------------------


def merged(schemas: Sequence[tuple[str, t.StructType]], sensitive: bool) -> t.StructType:
    """One schema with the columns of all.

    Raises
    ------
    FilesError
        A column has types that do not go together; both files are named.
    """
    order: dict[str, t.StructField] = {}
    origin: dict[str, str] = {}
    for shown, schema in schemas:
        for each in schema.fields:
            key = each.name if sensitive else each.name.lower()
            if key not in order:
                order[key], origin[key] = each, shown
                continue
            both = _both(order[key].dataType, each.dataType, sensitive)
            if both is None:
                raise FilesError(
                    f"the column {each.name} is {order[key].dataType.simpleString()} in "
                    f"{origin[key]} and {each.dataType.simpleString()} in {shown}: the schemas "
                    "cannot be merged",
                    "CANNOT_MERGE_SCHEMAS",
                )
            order[key] = t.StructField(order[key].name, both)
    return t.StructType(list(order.values()))


def _both(a: t.DataType, b: t.DataType, sensitive: bool) -> t.DataType | None:
    """The type that two files' columns have together."""
    if a == b:
        return a
    match a, b:
        case t.StructType(), t.StructType():
            return merged([("", a), ("", b)], sensitive)
        case t.ArrayType(), t.ArrayType():
            inner = _both(a.elementType, b.elementType, sensitive)
            return None if inner is None else t.ArrayType(inner, True)
        case t.MapType(), t.MapType():
            key = _both(a.keyType, b.keyType, sensitive)
            value = _both(a.valueType, b.valueType, sensitive)
            return None if key is None or value is None else t.MapType(key, value, True)
        case t.DecimalType(), t.DecimalType() if a.scale == b.scale:
            return a if a.precision >= b.precision else b
    return None


def readable(old: t.DataType, new: t.DataType) -> bool:
    """Whether a file's values of type `old` can be read as `new`, losing nothing."""
    if old == new or isinstance(old, t.NullType):
        return True
    match old, new:
        case t.IntegralType(), t.IntegralType():
            return old.bits <= 32  # narrow ones are stored in 32 bits, so all of them can be told
        case t.IntegralType(), t.DoubleType():
            return old.bits <= 32
        case t.IntegralType(), t.DecimalType():
            return new.precision - new.scale >= (10 if old.bits <= 32 else 20)
        case t.FloatType(), t.DoubleType():
            return True
        case t.DecimalType(), t.DecimalType():
            whole = new.precision - new.scale >= old.precision - old.scale
            return new.scale >= old.scale and whole
        case t.DateType(), t.TimestampNTZType():
            return True
        case t.StringType(), t.BinaryType():
            return True
        case t.BinaryType(), t.StringType():
            return True
        case (
            (t.TimestampType() | t.TimestampNTZType()),
            (t.TimestampType() | t.TimestampNTZType()),
        ):
            return True
        case t.ArrayType(), t.ArrayType():
            return readable(old.elementType, new.elementType)
        case t.MapType(), t.MapType():
            keys = readable(old.keyType, new.keyType)
            return keys and readable(old.valueType, new.valueType)
        case t.StructType(), t.StructType():
            there: Mapping[str, t.DataType] = {f.name: f.dataType for f in old.fields}
            return all(readable(there[f.name], f.dataType) for f in new.fields if f.name in there)
    return False
