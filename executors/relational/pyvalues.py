"""Python values as Arrow columns, and back: rows as users write and read them."""

from __future__ import annotations

import datetime as dt
import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import repeat
from typing import Any

import pyarrow as pa

from planner.columns import types as t
from planner.columns.columnar import schema_to_arrow, to_arrow
from planner.columns.row import Row, row_class

Convert = Callable[[Any], Any]
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
_ACCEPTED: dict[type[t.DataType], tuple[type, ...]] = {
    t.BooleanType: (bool,),
    t.ByteType: (int,),
    t.ShortType: (int,),
    t.IntegerType: (int,),
    t.LongType: (int,),
    t.FloatType: (float,),
    t.DoubleType: (float,),
    t.DecimalType: (Decimal,),
    t.BinaryType: (bytearray, bytes, memoryview),
    t.DateType: (dt.date, dt.datetime),
    t.TimestampType: (dt.datetime,),
    t.TimestampNTZType: (dt.datetime,),
    t.DayTimeIntervalType: (dt.timedelta,),
    t.ArrayType: (list, tuple),
    t.MapType: (dict,),
}


class BadValue(Exception):
    """A Python value that a column cannot hold. `code` is Spark's error class, `of_type` whether
    its type is wrong (and not the value itself)."""

    def __init__(self, message: str, code: str, of_type: bool) -> None:
        super().__init__(message, code, of_type)
        self.code = code
        self.of_type = of_type

    def __str__(self) -> str:
        return str(self.args[0])


# ---- rows into columns ---------------------------------------------------------------------------


def table_of(rows: Sequence[Any], schema: t.StructType, verify: bool = True) -> pa.Table:
    """Rows (tuples, lists, dicts, Rows, objects) as a table with the columns of `schema`.

    Parameters
    ----------
    rows : sequence
        One entry a row.
    schema : StructType
        Their columns.
    verify : bool
        Whether a value of a wrong type is an error; if not it becomes null.

    Raises
    ------
    BadValue
        A value that its column cannot hold.
    """
    wide = len(schema.fields)
    parts = [parts_of(row, schema) for row in rows]
    short = next((part for part in parts if len(part) != wide), None)
    if short is not None:
        raise BadValue(
            f"a row has {len(short)} values, and the schema {wide} columns",
            "FIELD_STRUCT_LENGTH_MISMATCH",
            False,
        )
    columns = list(zip(*parts, strict=True)) if parts else [()] * wide
    arrays = [
        column_of(values, field, verify)
        for values, field in zip(columns, schema.fields, strict=True)
    ]
    if not arrays:
        return pa.table({"": pa.nulls(len(rows))}).select([])
    return pa.Table.from_arrays(arrays, schema=schema_to_arrow(schema))


def parts_of(row: Any, schema: t.StructType) -> Sequence[Any]:
    """The values of a row, in the order of the schema."""
    if isinstance(row, tuple | list):
        return row
    if isinstance(row, dict):
        return [row.get(name) for name in schema.names]
    if hasattr(row, "__dict__"):
        return [row.__dict__.get(name) for name in schema.names]
    raise BadValue(
        f"a row is a tuple, a dict, a Row or an object, and not a {type(row).__name__}",
        "FIELD_DATA_TYPE_UNACCEPTABLE",
        True,
    )


def column_of(values: Sequence[Any], field: t.StructField, verify: bool = True) -> pa.Array:
    """Values as an array. Raises BadValue."""
    if not field.nullable and None in values:
        raise BadValue(
            f"{field.name} is not nullable, and has None",
            "FIELD_NOT_NULLABLE_WITH_NAME",
            False,
        )
    inward = into(field.dataType, verify, field.name)
    if inward is not None:
        values = [None if value is None else inward(value) for value in values]
    try:
        return pa.array(values, to_arrow(field.dataType))
    except (pa.ArrowInvalid, OverflowError) as error:
        raise BadValue(
            f"{field.name}: a value does not fit {field.dataType.simpleString()}: {error}",
            "VALUE_OUT_OF_BOUNDS",
            False,
        ) from None


def into(kind: t.DataType, verify: bool, name: str) -> Convert | None:
    """What makes of a value one that Arrow takes for a type, and checks it."""
    accepted = _ACCEPTED.get(type(kind))
    change = _change(kind, verify, name)
    if accepted is None:
        return change

    def checked(value: Any) -> Any:
        if type(value) not in accepted and not _is_array(value, kind):
            if not verify:
                return None
            raise BadValue(
                f"{name} is a column of {kind.simpleString()}, and {value!r} is of type "
                f"{type(value).__name__}",
                "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME",
                True,
            )
        return value if change is None else change(value)

    return checked


def _is_array(value: Any, kind: t.DataType) -> bool:
    return isinstance(kind, t.ArrayType) and type(value).__name__ in ("array", "ndarray")


def _change(kind: t.DataType, verify: bool, name: str) -> Convert | None:
    match kind:
        case t.StringType():
            return text_of
        case t.BinaryType():
            return bytes
        case t.DateType():
            return lambda v: v.date() if isinstance(v, dt.datetime) else v
        case t.TimestampType():
            return instant
        case t.TimestampNTZType():
            return lambda v: v.replace(tzinfo=None)
        case t.DecimalType(precision=precision, scale=scale):
            return lambda v: fitted(v, precision, scale)
        case t.ArrayType(elementType=element):
            of_element = into(element, verify, f"element in {name}")
            if of_element is None:
                return list
            return lambda v: [None if e is None else of_element(e) for e in v]
        case t.MapType(keyType=key, valueType=value):
            return _map(key, value, verify, name)
        case t.StructType():
            return _struct(kind, verify, name)
    return None


def _map(key: t.DataType, value: t.DataType, verify: bool, name: str) -> Convert:
    of_key = into(key, verify, f"key of {name}") or _same
    of_value = into(value, verify, f"value of {name}") or _same
    return lambda v: [(of_key(k), None if e is None else of_value(e)) for k, e in v.items()]


def _struct(kind: t.StructType, verify: bool, name: str) -> Convert:
    changes = [into(f.dataType, verify, f"{f.name} in {name}") or _same for f in kind.fields]

    def made(value: Any) -> dict[str, Any]:
        parts = parts_of(value, kind)
        if len(parts) != len(changes):
            raise BadValue(
                f"{name} has {len(changes)} fields, and {value!r} has {len(parts)}",
                "FIELD_STRUCT_LENGTH_MISMATCH_WITH_NAME",
                False,
            )
        return {
            field: None if part is None else change(part)
            for field, part, change in zip(kind.names, parts, changes, strict=True)
        }

    return made


def _same(value: Any) -> Any:
    return value


def text_of(value: Any) -> str:
    """A value in a column of text: what is no text becomes the text that Java makes of it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def fitted(value: Decimal, precision: int, scale: int) -> Decimal | None:
    """A decimal of that many digits, rounded half up; None where it does not fit."""
    if not value.is_finite():
        return None
    found = value.quantize(Decimal(1).scaleb(-scale), context=_WIDE)
    return None if abs(found.scaleb(scale)) >= 10**precision else found


def instant(value: dt.datetime) -> dt.datetime:
    """A time in UTC; without a zone it is that of this process."""
    if value.tzinfo is None:
        offset = local_offset(value)
        return (value - offset).replace(tzinfo=dt.UTC)
    return value.astimezone(dt.UTC)


def local_offset(value: dt.datetime) -> dt.timedelta:
    """How far the clock of this process is ahead of UTC at a local time."""
    if not dt.datetime(1900, 1, 1) <= value <= dt.datetime(9999, 12, 30):
        value = value.replace(year=1900 if value.year < 1900 else 9998, day=1)
    return value.astimezone().utcoffset() or dt.timedelta(0)


# ---- columns into rows ---------------------------------------------------------------------------


def rows_of(table: pa.Table, schema: t.StructType) -> Iterator[Row]:
    """The rows of a table, as users see them."""
    if not schema.fields:
        return (Row._made([], ()) for _ in range(table.num_rows))
    columns = [
        values_of(column, field.dataType)
        for column, field in zip(table.columns, schema.fields, strict=True)
    ]
    made = row_class(tuple(schema.names))
    return map(tuple.__new__, repeat(made), zip(*columns, strict=True))


@contextmanager
def no_garbage() -> Iterator[None]:
    """In this block garbage is not looked for: many rows at once would be looked through again and
    again, which takes five times as long as to make them."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def values_of(column: pa.ChunkedArray | pa.Array, kind: t.DataType) -> list[Any]:
    """The values of a column, as users see them."""
    found: list[Any] = column.to_pylist()
    out = out_of(kind)
    if out is None:
        return found
    return [None if value is None else out(value) for value in found]


def out_of(kind: t.DataType) -> Convert | None:
    """What makes of Arrow's Python value of a type the user's; None where they are the same."""
    match kind:
        case t.TimestampType():
            return local_time
        case t.YearMonthIntervalType():
            return _no_months
        case t.ArrayType(elementType=element):
            inner = out_of(element)
            if inner is None:
                return None
            return lambda v: [None if each is None else inner(each) for each in v]
        case t.MapType(keyType=key, valueType=value):
            of_key, of_value = out_of(key) or _same, out_of(value) or _same
            return lambda v: {
                of_key(k): None if e is None else of_value(e) for k, e in (v if v else ())
            }
        case t.StructType():
            changes = [out_of(field.dataType) or _same for field in kind.fields]
            made = row_class(tuple(kind.names))
            return lambda v: tuple.__new__(
                made,
                [
                    None if part is None else change(part)
                    for part, change in zip(v.values(), changes, strict=True)
                ],
            )
    return None


def _no_months(value: Any) -> Any:
    raise NotImplementedError(
        "Python has no value for a YearMonthIntervalType; cast it to string or to int first"
    )


def local_time(value: dt.datetime) -> dt.datetime:
    """A time without a zone, as the clock of this process shows it."""
    if not (time.timezone or time.daylight):
        return value.replace(tzinfo=None)
    try:
        return value.astimezone().replace(tzinfo=None)
    except (OverflowError, ValueError):  # at the ends of the calendar
        bare = value.replace(tzinfo=None)
        return bare + local_offset(bare)


def chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Rows in lists of at most `size`."""
    found: list[Any] = []
    for row in rows:
        found.append(row)
        if len(found) >= size:
            yield found
            found = []
    if found:
        yield found


def coerced(kind: t.DataType, name: str) -> Convert:
    """What makes of a function's answer a value of the promised type.

    Numbers become other numbers, anything becomes text; for the rest the type must fit.
    """

    def wrong(value: Any) -> Exception:
        return TypeError(
            f"{name} should give {kind.simpleString()}, and gave {value!r} of type "
            f"{type(value).__name__}"
        )

    def number(value: Any, make: Convert) -> Any:
        if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
            raise wrong(value)
        return make(value)

    match kind:
        case t.StringType():
            return text_of
        case t.BooleanType():
            return lambda v: (
                bool(v) if isinstance(v, bool) or hasattr(v, "dtype") else _raise(wrong(v))
            )
        case t.IntegralType():
            return lambda v: number(v, int)
        case t.FloatType() | t.DoubleType():
            return lambda v: number(v, float)
        case t.DecimalType(precision=precision, scale=scale):
            return lambda v: number(v, lambda x: fitted(Decimal(str(x)), precision, scale))
        case t.ArrayType(elementType=element):
            inner = coerced(element, name)
            return lambda v: (
                [None if e is None else inner(e) for e in v]
                if isinstance(v, list | tuple) or _is_array(v, kind)
                else _raise(wrong(v))
            )
        case t.MapType(keyType=key, valueType=value):
            of_key, of_value = coerced(key, name), coerced(value, name)
            return lambda v: (
                [(of_key(k), None if e is None else of_value(e)) for k, e in v.items()]
                if isinstance(v, dict)
                else _raise(wrong(v))
            )
        case t.StructType():
            return _coerced_struct(kind, name, wrong)
    return _coerced_plain(into(kind, True, name) or _same, wrong)


def _coerced_plain(inward: Convert, wrong: Callable[[Any], Exception]) -> Convert:
    def plain(value: Any) -> Any:
        try:
            return inward(value)
        except BadValue:
            raise wrong(value) from None

    return plain


def _coerced_struct(kind: t.StructType, name: str, wrong: Callable[[Any], Exception]) -> Convert:
    fields = [coerced(field.dataType, name) for field in kind.fields]

    def struct(value: Any) -> dict[str, Any]:
        try:
            parts = parts_of(value, kind)
        except BadValue:
            raise wrong(value) from None
        if len(parts) != len(fields):
            raise ValueError(
                f"{name} should give {kind.simpleString()}, and gave {len(parts)} values: {value!r}"
            )
        return {
            field: None if part is None else change(part)
            for field, part, change in zip(kind.names, parts, fields, strict=True)
        }

    return struct


def _raise(error: Exception) -> Any:
    raise error
