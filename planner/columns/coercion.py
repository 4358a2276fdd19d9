"""What types become when they meet: the casts that SQL itself puts in.

The rules are Spark's under ANSI: numbers widen, NULL becomes anything, text next to a number or a
date becomes that, and nothing else changes silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from typing import TypeGuard

from planner.columns import types as t
from planner.columns.expressions import Cast, Expr, Literal

_INTEGRAL = (t.BYTE, t.SHORT, t.INT, t.LONG)
_DIGITS: dict[t.DataType, int] = {t.BYTE: 3, t.SHORT: 5, t.INT: 10, t.LONG: 20}
_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)


def as_decimal(kind: t.DataType) -> t.DecimalType | None:
    """The decimal that holds every value of a whole-number type (or the decimal type itself)."""
    if isinstance(kind, t.DecimalType):
        return kind
    digits = _DIGITS.get(kind)
    return t.DecimalType(digits, 0) if digits else None


def literal_as_decimal(expr: Expr) -> t.DecimalType | None:
    """As `as_decimal`; a whole literal takes only the digits that it has."""
    if (
        isinstance(expr, Literal)
        and isinstance(expr.kind, t.ShortType | t.IntegerType | t.LongType)
        and expr.value is not None
    ):
        return t.DecimalType(max(1, len(str(abs(expr.value)))), 0)
    return as_decimal(expr.type)


def bounded(precision: int, scale: int) -> t.DecimalType:
    """A decimal type cut to 38 digits: digits before the point are kept, and up to six after."""
    if precision <= t.DecimalType.MAX:
        return t.DecimalType(precision, scale)
    whole = precision - scale
    kept = max(t.DecimalType.MAX - whole, min(scale, 6))
    return t.DecimalType(t.DecimalType.MAX, kept)


def widened(kind: t.DecimalType, digits: int, scale: int) -> t.DecimalType:
    """A decimal type with more digits, `scale` of them after the point: 38 of each at most."""
    most = t.DecimalType.MAX
    return t.DecimalType(min(kind.precision + digits, most), min(kind.scale + scale, most))


def wider_decimal(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The decimal that holds the values of both; of more than 38 digits, the last ones go."""
    scale = max(a.scale, b.scale)
    whole = max(a.precision - a.scale, b.precision - b.scale)
    most = t.DecimalType.MAX
    return t.DecimalType(min(whole + scale, most), min(scale, most - whole))


def widest(a: t.DataType, b: t.DataType) -> t.DataType | None:
    """The type that values of both can have without loss of meaning; None if there is none.

    >>> widest(t.INT, t.DOUBLE), widest(t.INT, t.DecimalType(5, 2)), widest(t.INT, t.BOOLEAN)
    (DoubleType(), DecimalType(12,2), None)
    """
    if a == b:
        return a
    if isinstance(a, t.NullType):
        return b
    if isinstance(b, t.NullType):
        return a
    if isinstance(a, t.NumericType) and isinstance(b, t.NumericType):
        return _number(a, b)
    if isinstance(a, _TIMES) and isinstance(b, _TIMES):
        return t.TIMESTAMP if t.TIMESTAMP in (a, b) else t.TIMESTAMP_NTZ
    if isinstance(a, t.DayTimeIntervalType) and isinstance(b, t.DayTimeIntervalType):
        ends = min(a.startField, b.startField), max(a.endField, b.endField)
        return t.DayTimeIntervalType(*ends)
    if isinstance(a, t.YearMonthIntervalType) and isinstance(b, t.YearMonthIntervalType):
        ends = min(a.startField, b.startField), max(a.endField, b.endField)
        return t.YearMonthIntervalType(*ends)
    if isinstance(a, t.ArrayType) and isinstance(b, t.ArrayType):
        inner = widest(a.elementType, b.elementType)
        return inner and t.ArrayType(inner, a.containsNull or b.containsNull)
    if isinstance(a, t.MapType) and isinstance(b, t.MapType):
        key, value = widest_key(a.keyType, b.keyType), widest(a.valueType, b.valueType)
        if key is None or value is None:
            return None
        return t.MapType(key, value, a.valueContainsNull or b.valueContainsNull)
    if isinstance(a, t.StructType) and isinstance(b, t.StructType):
        return _struct(a, b)
    return _with_text(a, b)


def widest_key(a: t.DataType, b: t.DataType) -> t.DataType | None:
    """As `widest`, for keys of maps: a key that a cast might make NULL is none."""
    texts = isinstance(a, t.StringType) + isinstance(b, t.StringType)
    unlike = texts == 1 and t.NULL not in (a, b)
    return None if unlike else widest(a, b)


def _number(a: t.DataType, b: t.DataType) -> t.DataType:
    if t.DOUBLE in (a, b):
        return t.DOUBLE
    if t.FLOAT in (a, b):
        other = b if a == t.FLOAT else a
        return t.DOUBLE if isinstance(other, t.DecimalType) or other in (t.INT, t.LONG) else t.FLOAT
    if isinstance(a, t.DecimalType) or isinstance(b, t.DecimalType):
        one, other_ = as_decimal(a), as_decimal(b)
        assert one is not None and other_ is not None
        return wider_decimal(one, other_)
    return _INTEGRAL[max(_INTEGRAL.index(a), _INTEGRAL.index(b))]


def _struct(a: t.StructType, b: t.StructType) -> t.DataType | None:
    if len(a) != len(b):
        return None
    fields = []
    for one, other in zip(a.fields, b.fields, strict=True):
        kind = widest(one.dataType, other.dataType)
        if kind is None or one.name.lower() != other.name.lower():
            return None
        fields.append(t.StructField(one.name, kind, one.nullable or other.nullable))
    return t.StructType(fields)


def _with_text(a: t.DataType, b: t.DataType) -> t.DataType | None:
    """Text beside something else becomes that; whole numbers then are wide."""
    other = b if isinstance(a, t.StringType) else a
    if not isinstance(a, t.StringType) and not isinstance(b, t.StringType):
        return None
    if isinstance(other, t.IntegralType):
        return t.LONG
    if isinstance(other, t.NumericType):
        return t.DOUBLE
    if isinstance(other, (*_TIMES, t.BooleanType, t.BinaryType)):
        return other
    return None


def common(types: Iterable[t.DataType]) -> t.DataType | None:
    """The `widest` of several types."""
    return reduce(lambda a, b: a and widest(a, b), types, t.NULL)  # type: ignore[arg-type,return-value]


def common_without_ansi(types: Iterable[t.DataType]) -> t.DataType | None:
    """The type of branches and choices where ANSI is off: text beside numbers and dates stays."""
    kinds = list(types)
    others = [kind for kind in kinds if kind not in (t.STRING, t.NULL)]
    never = (t.BinaryType, t.BooleanType)
    if t.STRING in kinds and all(
        isinstance(kind, t.AtomicType) and not isinstance(kind, never) for kind in others
    ):
        return t.STRING
    reals = all(isinstance(kind, t.NumericType | t.NullType) for kind in kinds)
    if (
        reals
        and t.FLOAT in kinds
        and not any(isinstance(kind, t.DoubleType | t.DecimalType) for kind in kinds)
    ):
        return t.FLOAT
    return common(kinds)


def implied(expr: Expr, kind: t.DataType) -> Expr:
    """The expression as a type that it is known to go to."""
    if expr.type == kind or _same_but_null(expr.type, kind):
        return expr
    if isinstance(expr, Literal) and expr.value is None:
        return Literal(None, kind)
    if _is_whole(expr) and isinstance(kind, t.DecimalType):
        whole = Decimal(expr.value)
        if whole.adjusted() < kind.precision - kind.scale:
            return Literal(whole, kind)
    return Cast(expr, kind, "ansi" if isinstance(expr.type, t.StringType) else "implied", True)


def _is_whole(expr: Expr) -> TypeGuard[Literal]:
    return isinstance(expr, Literal) and isinstance(expr.kind, t.IntegralType)


def _same_but_null(a: t.DataType, b: t.DataType) -> bool:
    """Whether two types differ only in whether parts may be null."""
    if isinstance(a, t.ArrayType) and isinstance(b, t.ArrayType):
        return a.elementType == b.elementType or _same_but_null(a.elementType, b.elementType)
    return False
