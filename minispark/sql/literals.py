"""Python values as constants of expressions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from executors.relational.pyvalues import instant
from planner.columns import types as t
from planner.columns.expressions import Call, Expr, Literal

_INT, _LONG = 2**31, 2**63


def literal(value: Any) -> Expr:
    """A Python value as an expression.

    Raises
    ------
    OverflowError
        A whole number of more than 64 bits.
    TypeError
        A value that no column can hold.

    Examples
    --------
    >>> literal(3)
    Literal(value=3, kind=IntegerType())
    """
    if isinstance(value, list | tuple):
        return Call("array", tuple(literal(each) for each in value))
    if isinstance(value, dict):
        pairs = [literal(each) for pair in value.items() for each in pair]
        return Call("map", tuple(pairs))
    if hasattr(value, "dtype") and hasattr(value, "item"):  # NumPy
        if getattr(value, "ndim", 0):
            return Call("array", tuple(literal(each) for each in value))
        return _numpy(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return Literal(instant(value), t.TIMESTAMP)
        return Literal(value.astimezone(dt.UTC), t.TIMESTAMP)
    return Literal(value, kind_of(value))


def kind_of(value: Any) -> t.DataType:
    """The type of a constant."""
    if value is None:
        return t.NULL
    if isinstance(value, bool):
        return t.BOOLEAN
    if isinstance(value, int):
        if not -_LONG <= value < _LONG:
            raise OverflowError(f"{value} has more than 64 bits")
        return t.INT if -_INT <= value < _INT else t.LONG
    if isinstance(value, float):
        return t.DOUBLE
    if isinstance(value, str):
        return t.STRING
    if isinstance(value, bytes | bytearray):
        return t.BINARY
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, dt.date):
        return t.DATE
    if isinstance(value, dt.timedelta):
        return t.DayTimeIntervalType()
    raise TypeError(f"a {type(value).__name__} cannot be a constant of a column: {value!r}")


def _decimal(value: Decimal) -> t.DataType:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise TypeError(f"{value} cannot be a constant of a column")
    scale = max(0, -exponent)
    precision = max(len(digits) + max(0, exponent), scale)
    return t.DecimalType(precision, scale)


_NUMPY = {
    "int8": t.BYTE,
    "int16": t.SHORT,
    "int32": t.INT,
    "int64": t.LONG,
    "float32": t.FLOAT,
    "float64": t.DOUBLE,
    "bool": t.BOOLEAN,
}


def _numpy(value: Any) -> Expr:
    kind = _NUMPY.get(str(value.dtype))
    return literal(value.item()) if kind is None else Literal(value.item(), kind)
