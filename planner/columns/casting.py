"""Casts: a Polars expression of one type as another, by Spark's rules.

`refusal` says which casts make no sense at all; it is asked when an expression is typed.
"""

from __future__ import annotations

import polars as pl

from planner.columns import types as t
from planner.columns.casts import numbers, reading, spans, times, writing
from planner.columns.columnar import to_polars
from planner.columns.functions.registry import Settings
from planner.columns.functions.zones import local

_NEVER = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"
_CONF = "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION"
_FUNCTION = "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION"
_INTERVALS = (t.DayTimeIntervalType, t.YearMonthIntervalType)
_NESTED = (t.ArrayType, t.MapType, t.StructType)


def refusal(old: t.DataType, new: t.DataType, mode: str) -> str | None:
    """Spark's error class of a cast that is refused whatever the values are; None if it is not."""
    if old == new or isinstance(old, t.NullType) or isinstance(new, t.StringType):
        return None
    match old, new:
        case t.ArrayType(), t.ArrayType():
            return refusal(old.elementType, new.elementType, mode)
        case t.MapType(), t.MapType():
            return refusal(old.keyType, new.keyType, mode) or refusal(
                old.valueType, new.valueType, mode
            )
        case t.StructType(), t.StructType():
            if len(old) != len(new):
                return _NEVER
            pairs = zip(old.fields, new.fields, strict=True)
            found = (refusal(a.dataType, b.dataType, mode) for a, b in pairs)
            return next((each for each in found if each), None)
    if isinstance(old, (*_NESTED, t.NullType)) or isinstance(new, (*_NESTED, t.NullType)):
        return _NEVER
    if isinstance(old, _INTERVALS) or isinstance(new, _INTERVALS):
        return None  # `cast` says what is there
    return _plain_refusal(old, new, mode)


def _plain_refusal(old: t.DataType, new: t.DataType, mode: str) -> str | None:
    strict, text = mode != "legacy", t.StringType
    conf = _NEVER if mode == "try" else _CONF
    match old, new:
        case t.BinaryType(), _:
            return _NEVER
        case text(), _:
            return None
        case t.IntegralType(), t.BinaryType():
            return conf if strict else None
        case _, t.BinaryType():
            return _NEVER
        case t.NumericType(), t.DateType():
            return _FUNCTION if strict else _NEVER
        case t.DateType(), t.NumericType():
            return _FUNCTION if strict else None
        case ((t.NumericType() | t.BooleanType()), t.TimestampNTZType()):
            return _NEVER
        case t.TimestampNTZType(), (t.NumericType() | t.BooleanType()):
            return _NEVER
        case t.BooleanType(), t.DateType():
            return _NEVER
        case (t.BooleanType(), t.TimestampType()) | (
            t.DateType() | t.TimestampType(),
            t.BooleanType(),
        ):
            return conf if strict else None
    return None


def cast(value: pl.Expr, old: t.DataType, new: t.DataType, mode: str, at: Settings) -> pl.Expr:
    """`value`, of type `old`, as type `new`; `mode` is that of `expressions.Cast`."""
    if old == new:
        return value
    if isinstance(old, t.NullType):
        return value.cast(to_polars(new))
    if mode == "implied" or (mode == "ansi" and not at.ansi):
        mode = "ansi" if at.ansi else "legacy"
    if isinstance(new, t.StringType):
        return to_text(value, old, at)
    if isinstance(old, _NESTED):
        return _nested(value, old, new, mode, at)
    if isinstance(old, _INTERVALS) or isinstance(new, _INTERVALS):
        if type(old) is type(new):
            return value
        if isinstance(old, _INTERVALS) and isinstance(new, t.IntegralType):
            return numbers.to_number(spans.span_to_whole(value, old), t.LONG, new, mode)
        if isinstance(old, t.IntegralType) and isinstance(new, _INTERVALS):
            return spans.whole_to_span(value, new)
        kinds = f"{old.simpleString()} to {new.simpleString()}"
        raise NotImplementedError(
            f"a cast of {kinds} is not there yet; use make_interval functions"
        )
    if isinstance(old, t.StringType):
        return _from_text(value, new, mode, at)
    return _plain(value, old, new, mode, at)


def _from_text(text: pl.Expr, new: t.DataType, mode: str, at: Settings) -> pl.Expr:
    match new:
        case t.BooleanType():
            return reading.to_boolean(text, mode)
        case t.IntegralType():
            return reading.to_whole(text, new, mode)
        case t.DecimalType():
            return reading.to_decimal(text, new, mode)
        case t.FloatType() | t.DoubleType():
            return reading.to_real(text, new, mode)
        case t.DateType():
            return times.text_to_date(text, mode)
        case t.TimestampType():
            return times.text_to_moment(text, at.zone, mode)
        case t.TimestampNTZType():
            return times.text_to_moment(text, None, mode)
        case t.BinaryType():
            return text.cast(pl.Binary)
    raise NotImplementedError(f"a cast of text to {new.simpleString()} is not there yet")


_MOMENTS = (t.DateType, t.TimestampType, t.TimestampNTZType)


def _plain(value: pl.Expr, old: t.DataType, new: t.DataType, mode: str, at: Settings) -> pl.Expr:
    if isinstance(old, _MOMENTS):
        if isinstance(new, t.DateType):
            return times.as_date(value, old, at.zone)
        if isinstance(new, _MOMENTS):
            return times.as_moment(value, old, new, at.zone)
        if isinstance(old, t.DateType):  # Spark gives NULL, without ANSI
            return pl.when(value.is_null() & value.is_not_null()).then(
                pl.lit(None, dtype=to_polars(new))
            )
        if isinstance(new, t.BooleanType):
            return value.cast(pl.Int64) != 0
        return times.instant_to_number(value, new, mode)
    if isinstance(new, t.TimestampType):
        return times.number_to_instant(value, old, mode)
    if isinstance(new, t.BinaryType):
        assert isinstance(old, t.IntegralType)
        return writing.number_to_bytes(value, old)
    if isinstance(old, t.FloatType | t.DoubleType) and isinstance(new, t.DecimalType):
        return reading.real_to_decimal(value, new, mode)
    return numbers.to_number(value, old, new, mode)


def to_text(value: pl.Expr, old: t.DataType, at: Settings) -> pl.Expr:
    """A value of any type as Spark writes it."""
    match old:
        case t.FloatType() | t.DoubleType():
            return writing.real_to_text(value)
        case t.DecimalType():
            return writing.decimal_to_text(value, old, at.ansi)
        case t.BooleanType() | t.IntegralType():
            return value.cast(pl.String)
        case t.DateType():
            return writing.date_to_text(value)
        case t.TimestampType():
            return writing.moment_to_text(local(value, at.zone))
        case t.TimestampNTZType():
            return writing.moment_to_text(value)
        case t.BinaryType():
            return writing.bytes_to_text(value)
        case t.ArrayType():
            return writing.list_to_text(value, lambda each: to_text(each, old.elementType, at))
        case t.MapType():
            return writing.map_to_text(
                value,
                lambda each: to_text(each, old.keyType, at),
                lambda each: to_text(each, old.valueType, at),
            )
        case t.StructType():
            fields = [
                to_text(value.struct.field(field.name), field.dataType, at) for field in old.fields
            ]
            return writing.struct_to_text(value, fields)
        case t.StringType():
            return value
        case t.NullType():
            return value.cast(pl.String)
        case t.DayTimeIntervalType() | t.YearMonthIntervalType():
            return spans.span_to_text(value, old)
    raise NotImplementedError(f"{old.simpleString()} as text is not there yet")


def _nested(value: pl.Expr, old: t.DataType, new: t.DataType, mode: str, at: Settings) -> pl.Expr:
    match old, new:
        case t.ArrayType(), t.ArrayType():
            inner = cast(pl.element(), old.elementType, new.elementType, mode, at)
            return value.list.eval(inner).cast(to_polars(new))
        case t.MapType(), t.MapType():
            pair = pl.element().struct
            inner = pl.struct(
                cast(pair.field("key"), old.keyType, new.keyType, mode, at).alias("key"),
                cast(pair.field("value"), old.valueType, new.valueType, mode, at).alias("value"),
            )
            return value.map.entries().list.eval(inner).cast(to_polars(new))
        case t.StructType(), t.StructType():
            fields = [
                cast(value.struct.field(a.name), a.dataType, b.dataType, mode, at).alias(b.name)
                for a, b in zip(old.fields, new.fields, strict=True)
            ]
            return pl.when(value.is_not_null()).then(pl.struct(fields))
    raise NotImplementedError(f"a cast of {old.simpleString()} to {new.simpleString()}")
