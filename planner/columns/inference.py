"""What types Python values have, and what two of them become in one column."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from planner.columns import types as t

_ATOMS: dict[type, t.DataType] = {
    type(None): t.NULL,
    bool: t.BOOLEAN,
    int: t.LONG,
    float: t.DOUBLE,
    str: t.STRING,
    bytes: t.BINARY,
    bytearray: t.BINARY,
    memoryview: t.BINARY,
    Decimal: t.DecimalType(38, 18),
    dt.date: t.DATE,
    dt.datetime: t.TIMESTAMP,
    dt.timedelta: t.DayTimeIntervalType(),
}
_ARRAYS = {
    "b": t.BYTE, "B": t.SHORT, "h": t.SHORT, "H": t.INT, "i": t.INT, "I": t.LONG, "l": t.LONG,
    "q": t.LONG, "f": t.FLOAT, "d": t.DOUBLE, "u": t.STRING,
}  # fmt: skip


class CannotInfer(TypeError):
    """A value, or several, have no type. `code` is Spark's error class."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def type_of(value: Any) -> t.DataType:
    """The type of a Python value.

    >>> type_of({"a": [1, None]}).simpleString()
    'map<string,array<bigint>>'
    """
    found = _ATOMS.get(type(value))
    if found is not None:
        return found
    if isinstance(value, dict):
        for key, each in value.items():
            if key is not None and each is not None:
                return t.MapType(type_of(key), type_of(each), True)
        return t.MapType(t.NULL, t.NULL, True)
    if isinstance(value, list):
        return t.ArrayType(_all_merged(map(type_of, value)), True)
    if isinstance(value, array):
        if value.typecode not in _ARRAYS:
            raise CannotInfer(f"array({value.typecode!r}) has no type", "UNSUPPORTED_DATA_TYPE")
        return t.ArrayType(_ARRAYS[value.typecode], False)
    for kind in (dt.datetime, dt.date, bool, int, float, str):  # subclasses: of enums, numpy
        if isinstance(value, kind):
            return _ATOMS[kind]
    try:
        return row_type(value)
    except CannotInfer as error:
        raise CannotInfer(str(error), "UNSUPPORTED_DATA_TYPE") from None


def row_type(row: Any, names: Sequence[str] | None = None) -> t.StructType:
    """The struct of a row: a tuple, list, dict, Row or object.

    >>> row_type((1, "a"), ["n"]).simpleString()
    'struct<n:bigint,_2:string>'
    """
    items: Iterable[tuple[str, Any]]
    if isinstance(row, dict):
        items = sorted(row.items())
    elif isinstance(row, list | tuple):
        own = getattr(row, "__fields__", None) or getattr(row, "_fields", None)
        known = list(names or own or ())
        known += [f"_{place}" for place in range(len(known) + 1, len(row) + 1)]
        items = zip(known, row, strict=False)
    elif hasattr(row, "__dict__"):
        items = sorted(row.__dict__.items())
    else:
        raise CannotInfer(
            f"no columns can be made of a {type(row).__name__}: give rows as tuples, dicts or Rows",
            "CANNOT_INFER_SCHEMA_FOR_TYPE",
        )
    fields = []
    for name, value in items:
        try:
            fields.append(t.StructField(name, type_of(value), True))
        except CannotInfer as error:
            raise CannotInfer(f"{name}: {error}", "CANNOT_INFER_TYPE_FOR_FIELD") from None
    return t.StructType(fields)


def _all_merged(kinds: Iterable[t.DataType]) -> t.DataType:
    found: t.DataType = t.NULL
    for kind in kinds:
        found = merged(found, kind)
    return found


def merged(a: t.DataType, b: t.DataType) -> t.DataType:
    """The type of a column that has values of both. Raises CannotInfer."""
    if isinstance(a, t.NullType) or a == b:
        return b
    if isinstance(b, t.NullType):
        return a
    if isinstance(a, t.StructType) and isinstance(b, t.StructType):
        return _merged_structs(a, b)
    if isinstance(a, t.ArrayType) and isinstance(b, t.ArrayType):
        null = a.containsNull or b.containsNull
        return t.ArrayType(merged(a.elementType, b.elementType), null)
    if isinstance(a, t.MapType) and isinstance(b, t.MapType):
        key, value = merged(a.keyType, b.keyType), merged(a.valueType, b.valueType)
        return t.MapType(key, value, True)
    if {a, b} == {t.TIMESTAMP, t.TIMESTAMP_NTZ}:
        return t.TIMESTAMP_NTZ
    if isinstance(a, t.AtomicType) and isinstance(b, t.AtomicType) and t.STRING in (a, b):
        return t.STRING
    raise CannotInfer(
        f"a column cannot hold {a.simpleString()} and {b.simpleString()}", "CANNOT_MERGE_TYPE"
    )


def _merged_structs(a: t.StructType, b: t.StructType) -> t.StructType:
    others = {field.name: field.dataType for field in b.fields}
    fields = [
        t.StructField(f.name, merged(f.dataType, others.get(f.name, t.NULL)), True)
        for f in a.fields
    ]
    names = set(a.names)
    fields += [t.StructField(f.name, f.dataType, True) for f in b.fields if f.name not in names]
    return t.StructType(fields)


def has_unknown(kind: t.DataType) -> bool:
    """Whether a part of a type was only ever NULL."""
    match kind:
        case t.NullType():
            return True
        case t.StructType():
            return any(has_unknown(field.dataType) for field in kind.fields)
        case t.ArrayType():
            return has_unknown(kind.elementType)
        case t.MapType():
            return has_unknown(kind.keyType) or has_unknown(kind.valueType)
    return False


def schema_of(rows: Iterable[Any], names: Sequence[str] | None = None) -> t.StructType:
    """The schema of rows: of all of them, merged."""
    found: t.DataType = t.NULL
    for row in rows:
        found = merged(found, row_type(row, names))
    return found if isinstance(found, t.StructType) else t.StructType()
