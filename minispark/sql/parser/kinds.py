"""Types and constants of SQL text."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from minispark.errors import ParseException
from minispark.sql.parser.reading import Node, kind, sql_of
from planner.columns import types as t
from planner.columns.expressions import Cast, Expr, Literal

_SIMPLE: dict[str, t.DataType] = {
    "TEXT": t.STRING,
    "VARCHAR": t.STRING,
    "CHAR": t.STRING,
    "BINARY": t.BINARY,
    "BOOLEAN": t.BOOLEAN,
    "TINYINT": t.BYTE,
    "SMALLINT": t.SHORT,
    "INT": t.INT,
    "BIGINT": t.LONG,
    "FLOAT": t.FLOAT,
    "DOUBLE": t.DOUBLE,
    "DATE": t.DATE,
    "TIMESTAMP": t.TIMESTAMP,
    "TIMESTAMPTZ": t.TIMESTAMP,
    "TIMESTAMPLTZ": t.TIMESTAMP,
    "TIMESTAMPNTZ": t.TIMESTAMP_NTZ,
    "NULL": t.NULL,
}


def type_of(node: Node) -> t.DataType:
    """The type that a tree names."""
    name = getattr(node.this, "name", None)
    if kind(node.this) == "Interval":
        return _interval_type(node.this)
    inner = node.expressions
    match name:
        case "DECIMAL":
            numbers = [int(each.name) for each in inner]
            return t.DecimalType(*numbers)
        case "ARRAY":
            return t.ArrayType(type_of(inner[0]))
        case "MAP":
            return t.MapType(type_of(inner[0]), type_of(inner[1]))
        case "STRUCT":
            return t.StructType([_field(each) for each in inner])
    found = _SIMPLE.get(str(name))
    if found is None:
        raise ParseException(f"there is no type {sql_of(node)}", "UNSUPPORTED_DATATYPE")
    return found


def _field(node: Node) -> t.StructField:
    constraints = [kind(each.kind) for each in node.args.get("constraints") or ()]
    return t.StructField(
        node.name, type_of(node.kind), "NotNullColumnConstraint" not in constraints
    )


_DAY_TIME = ("DAY", "HOUR", "MINUTE", "SECOND")
_YEAR_MONTH = ("YEAR", "MONTH")


def _interval_type(node: Node) -> t.DataType:
    first, last = _fields(node)
    if first in _YEAR_MONTH:
        return t.YearMonthIntervalType(_YEAR_MONTH.index(first), _YEAR_MONTH.index(last))
    return t.DayTimeIntervalType(_DAY_TIME.index(first), _DAY_TIME.index(last))


def _fields(node: Node) -> tuple[str, str]:
    """The units of an interval: from, to."""
    unit = node.args.get("unit")
    if unit is None:
        raise ParseException(f"an interval needs its unit: {sql_of(node)}", "PARSE_SYNTAX_ERROR")
    if kind(unit) == "IntervalSpan":
        return _unit(unit.this.name), _unit(unit.expression.name)
    return _unit(unit.name), _unit(unit.name)


def _unit(word: str) -> str:
    word = word.upper()
    return word[:-1] if word.endswith("S") else word


# ---- constants -----------------------------------------------------------------------------------


def number(text: str) -> Literal:
    """A number without a suffix: whole, decimal, or with an exponent double.

    >>> number("0.05").kind, number("3").kind, number("1e3").kind
    (DecimalType(2,2), IntegerType(), DoubleType())
    """
    if "e" in text.lower():
        return Literal(float(text), t.DOUBLE)
    if "." in text:
        return decimal(text)
    value = int(text)
    if value < 2**31:
        return Literal(value, t.INT)
    return Literal(value, t.LONG) if value < 2**63 else decimal(text)


def decimal(text: str) -> Literal:
    """A decimal with the digits that are written."""
    value = Decimal(text)
    _, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    precision = max(len(digits) + max(int(exponent), 0), scale)
    if precision > t.DecimalType.MAX:
        raise ParseException(
            f"{text} has more than {t.DecimalType.MAX} digits",
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
        )
    return Literal(value, t.DecimalType(precision, scale))


def negative(literal: Literal) -> Literal:
    """Minus a number."""
    value = -literal.value
    if literal.kind == t.LONG and value == -(2**31):
        return Literal(value, t.INT)
    if isinstance(literal.kind, t.DecimalType) and value == -(2**63):
        return Literal(int(value), t.LONG)
    return Literal(value, literal.kind)


_SUFFIXED = (t.BYTE, t.SHORT, t.LONG, t.FLOAT, t.DOUBLE)


def suffixed(text: str, to: t.DataType) -> Literal | None:
    """A number with a suffix, such as 1L; None where the value is not of the type."""
    if isinstance(to, t.DecimalType):
        return decimal(text)
    if to not in _SUFFIXED:
        return None
    if isinstance(to, t.FractionalType):
        return Literal(float(text), to)
    if not text.isdigit() or int(text) >= 1 << (to.bits - 1):  # type: ignore[attr-defined]
        return None
    return Literal(int(text), to)


_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*$")


def typed(text: str, to: t.DataType) -> Expr:
    """A constant with its type in front: DATE '1995-01-01'."""
    if to == t.DATE:
        found = _DATE.match(text)
        if found:
            try:
                return Literal(dt.date(*map(int, found.groups())), t.DATE)
            except ValueError:
                raise ParseException(f"{text} is no date", "INVALID_TYPED_LITERAL") from None
    return Cast(Literal(text, t.STRING), to, "typed")


_SPANS = {
    ("DAY", "SECOND"): r"(?P<DAY>\d+) (?P<HOUR>\d+):(?P<MINUTE>\d+):(?P<SECOND>\d+(?:\.\d+)?)",
    ("DAY", "MINUTE"): r"(?P<DAY>\d+) (?P<HOUR>\d+):(?P<MINUTE>\d+)",
    ("DAY", "HOUR"): r"(?P<DAY>\d+) (?P<HOUR>\d+)",
    ("HOUR", "SECOND"): r"(?P<HOUR>\d+):(?P<MINUTE>\d+):(?P<SECOND>\d+(?:\.\d+)?)",
    ("HOUR", "MINUTE"): r"(?P<HOUR>\d+):(?P<MINUTE>\d+)",
    ("MINUTE", "SECOND"): r"(?P<MINUTE>\d+):(?P<SECOND>\d+(?:\.\d+)?)",
    ("YEAR", "MONTH"): r"(?P<YEAR>\d+)-(?P<MONTH>\d+)",
}
_MICROS = {
    "WEEK": 7 * 86_400_000_000,
    "DAY": 86_400_000_000,
    "HOUR": 3_600_000_000,
    "MINUTE": 60_000_000,
    "SECOND": 1_000_000,
    "MILLISECOND": 1000,
    "MICROSECOND": 1,
}


def interval(node: Node) -> Literal:
    """The constant of INTERVAL '3' DAY and the like; sums of one kind are one interval."""
    parts = _summands(node)
    months = [_months(each) for each in parts]
    micros = [_micros(each) for each in parts]
    units = [unit for each in parts for unit in _fields(each)]
    if all(found is not None for found in months):
        places = [_YEAR_MONTH.index(unit) for unit in units]
        kind_ = t.YearMonthIntervalType(min(places), max(places))
        return Literal(sum(found for found in months if found is not None), kind_)
    if all(found is not None for found in micros):
        total = sum(found for found in micros if found is not None)
        small = [_DAY_TIME.index(_field_of(unit)) for unit in units]
        value = dt.timedelta(microseconds=total)
        return Literal(value, t.DayTimeIntervalType(min(small), max(small)))
    raise NotImplementedError(
        f"an interval of months and days at once: {sql_of(node)}; add them one after the other"
    )


def _field_of(unit: str) -> str:
    return {"WEEK": "DAY", "MILLISECOND": "SECOND", "MICROSECOND": "SECOND"}.get(unit, unit)


def _summands(node: Node) -> list[Node]:
    if kind(node) == "Add":
        return _summands(node.this) + _summands(node.expression)
    return [node]


def _text_of(node: Node) -> tuple[str, int]:
    value = node.this
    sign = 1
    while kind(value) in ("Neg", "Paren"):
        sign = -sign if kind(value) == "Neg" else sign
        value = value.this
    if kind(value) != "Literal":
        raise NotImplementedError(
            f"an interval that is computed: {sql_of(node)}; use make_interval"
        )
    text = str(value.this).strip()
    if text.startswith(("-", "+")):
        sign, text = (-sign if text[0] == "-" else sign), text[1:]
    return text, sign


def _matched(node: Node, units: tuple[str, ...]) -> tuple[dict[str, str], int] | None:
    first, last = _fields(node)
    if first not in units:
        return None
    text, sign = _text_of(node)
    pattern = _SPANS.get((first, last), rf"(?P<{first}>\d+(?:\.\d+)?)")
    found = re.fullmatch(pattern, text)
    if found is None or first == last and "." in text and first in _YEAR_MONTH:
        raise ParseException(
            f"{text!r} is no interval from {first.lower()} to {last.lower()}",
            "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
        )
    return found.groupdict(), sign


def _months(node: Node) -> int | None:
    found = _matched(node, _YEAR_MONTH)
    if found is None:
        return None
    parts, sign = found
    return sign * (12 * int(parts.get("YEAR", 0)) + int(parts.get("MONTH", 0)))


def _micros(node: Node) -> int | None:
    found = _matched(node, tuple(_MICROS))
    if found is None:
        return None
    parts, sign = found
    return sign * sum(int(Decimal(text) * _MICROS[unit]) for unit, text in parts.items())
