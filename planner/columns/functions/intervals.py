"""Intervals: made, added, multiplied; and + - * / where dates, timestamps or intervals take part.

Two kinds: months (stored as Int32) and microseconds (stored as Duration). The operators on numbers
stay those of arithmetic.py; what is typed here is given first choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.casts.numbers import unscaled
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions import arithmetic
from planner.columns.functions.dates import MICROS
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    INT,
    TABLE,
    At,
    Function,
    Kind,
    Mismatch,
    Settings,
    Typed,
    scalar,
)
from planner.columns.functions.rowwise import absent, each
from planner.columns.functions.zones import back, local_of, months_later, plus_days, plus_months

DT, YM = t.DayTimeIntervalType, t.YearMonthIntervalType
DAY_MICROS = 86400 * 10**6
LONGEST = 2**31 - 1
_ANY_TIME = (t.DateType, t.TimestampType, t.TimestampNTZType)
DURATION = pl.Duration("us")
_SECONDS = t.DecimalType(18, 6)


def duration(micros: pl.Expr) -> pl.Expr:
    """A length of time of so many microseconds."""
    return micros.cast(pl.Int64).cast(DURATION)


def _checked(value: pl.Expr, limit: int) -> pl.Expr:
    """A wide whole number that has to fit."""
    bad = (value > limit) | (value < -limit - 1)
    message = "an interval is too long"
    return raise_where(bad, "INTERVAL_ARITHMETIC_OVERFLOW", message, pl.when(~bad).then(value))


def as_months(value: pl.Expr) -> pl.Expr:
    """So many months, if 32 bits hold them."""
    return _checked(value, LONGEST).cast(pl.Int32)


def as_micros(value: pl.Expr) -> pl.Expr:
    """So many microseconds, if 64 bits hold them."""
    limit = pl.lit(2**63 - 1, dtype=pl.Int128)
    bad = (value > limit) | (value < -limit - 1)
    found = duration(pl.when(~bad).then(value))
    return raise_where(bad, "INTERVAL_ARITHMETIC_OVERFLOW", "an interval is too long", found)


# ---- made ----------------------------------------------------------------------------------------

_FRACTION = Kind(
    "seconds",
    lambda k: _SECONDS if isinstance(k, (t.NumericType, t.StringType, t.NullType)) else None,
)


@scalar("make_dt_interval", takes=(INT, INT, INT, _FRACTION), gives=DT(), least=0)
def make_dt_interval(at: At, *args: pl.Expr) -> pl.Expr:
    total = pl.lit(0, dtype=pl.Int128)
    for arg, unit in zip(args, (DAY_MICROS, MICROS["HOUR"], MICROS["MINUTE"]), strict=False):
        total = total + arg.cast(pl.Int128) * unit
    if len(args) == 4:
        total = total + unscaled(args[3]).cast(pl.Int128)
    return as_micros(total)


@scalar("make_ym_interval", takes=(INT, INT), gives=YM(), least=0)
def make_ym_interval(at: At, *args: pl.Expr) -> pl.Expr:
    total = pl.lit(0, dtype=pl.Int64)
    for arg, unit in zip(args, (12, 1), strict=False):
        total = total + arg.cast(pl.Int64) * unit
    return as_months(total)


absent("make_interval try_make_interval", "make_dt_interval or make_ym_interval")


# ---- operators -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """What an operator does with two kinds of operands: which `kinds`, what both are cast to (None:
    as they are), its result and how it is computed."""

    left: tuple[type[t.DataType], ...]
    right: tuple[type[t.DataType], ...]
    gives: Callable[[t.DataType, t.DataType], t.DataType]
    build: Callable[..., pl.Expr]
    to: Callable[[t.DataType, t.DataType], tuple[t.DataType, t.DataType]] | None = None


def _wider(a: t.DataType, b: t.DataType) -> t.DataType:
    """The interval type with the fields of both."""
    assert isinstance(a, (DT, YM)) and isinstance(b, (DT, YM))
    ends = min(a.startField, b.startField), max(a.endField, b.endField)
    return DT(*ends) if isinstance(a, DT) else YM(*ends)


def _plus_months(at: At, when: pl.Expr, months: pl.Expr, sign: int = 1) -> pl.Expr:
    kind, zone = at.type, at.settings.zone
    moved = months.cast(pl.Int64) * sign
    if kind == t.DATE:
        return plus_months(when, moved)
    return back(months_later(local_of(when, kind, zone), moved), kind, zone)


def _plus_time(at: At, when: pl.Expr, length: pl.Expr, sign: int = 1) -> pl.Expr:
    """Whole days are days of the calendar, the rest is exact."""
    micros = length.to_physical() * sign
    if at.type == t.DATE:
        return plus_days(when, micros // DAY_MICROS)
    if at.type == t.TIMESTAMP_NTZ or at.settings.zone == "UTC":
        return when + duration(micros)
    days = micros.truncdiv(DAY_MICROS) * DAY_MICROS
    whole = local_of(when, t.TIMESTAMP, at.settings.zone) + duration(days)
    moved = pl.when(days == 0).then(when).otherwise(back(whole, t.TIMESTAMP, at.settings.zone))
    return moved + duration(micros - days)


def _minus_months(at: At, when: pl.Expr, months: pl.Expr) -> pl.Expr:
    return _plus_months(at, when, months, -1)


def _minus_time(at: At, when: pl.Expr, length: pl.Expr) -> pl.Expr:
    return _plus_time(at, when, length, -1)


def _moved_date(a: t.DataType, b: t.DataType) -> t.DataType:
    """A date and whole days are a date, a date and hours a timestamp."""
    if not isinstance(a, t.DateType) or isinstance(b, YM):
        return a
    days = isinstance(b, DT) and b.endField == DT.DAY
    return t.DATE if days else t.TIMESTAMP


def _as_moved(a: t.DataType, b: t.DataType) -> tuple[t.DataType, t.DataType]:
    return _moved_date(a, b), b


def _flipped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: f(b, a)


def _apart(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Between two times, by the clocks of the session's zone."""
    zone = at.settings.zone
    return local_of(a, at.types[0], zone) - local_of(b, at.types[1], zone)


def _moments(a: t.DataType, b: t.DataType) -> tuple[t.DataType, t.DataType]:
    """Timestamps stay as they are, dates and text become such."""
    stamps = (t.TimestampType, t.TimestampNTZType)
    return a if isinstance(a, stamps) else t.TIMESTAMP, b if isinstance(b, stamps) else t.TIMESTAMP


def _dates(a: t.DataType, b: t.DataType) -> tuple[t.DataType, t.DataType]:
    return t.DATE, t.DATE


def _sum(at: At, a: pl.Expr, b: pl.Expr, sign: int = 1) -> pl.Expr:
    if isinstance(at.type, YM):
        return as_months(a.cast(pl.Int64) + b.cast(pl.Int64) * sign)
    x, y = (value.to_physical().cast(pl.Int128) for value in (a, b))
    return as_micros(x + y * sign)


def _less(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _sum(at, a, b, -1)


def _same(a: t.DataType, b: t.DataType) -> t.DataType:
    return a


def _whole(kind: t.DataType) -> t.DataType:
    """The interval type of a product: of all fields."""
    return DT() if isinstance(kind, DT) else YM()


def _product(at: At, length: pl.Expr, factor: pl.Expr) -> pl.Expr:
    return _scaled(at, length, factor, at.types[1], False)


def _quotient(at: At, length: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    bad = (divisor == 0) & length.is_not_null()
    found = _scaled(at, length, pl.when(divisor != 0).then(divisor), at.types[1], True)
    return raise_where(bad, "INTERVAL_DIVIDED_BY_ZERO", "an interval divided by zero", found)


def _rounded(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """A quotient of whole numbers, halves away from zero."""
    size = (top.abs() * 2 + bottom.abs()).truncdiv(bottom.abs() * 2)
    return pl.when((top < 0) != (bottom < 0)).then(size * -1).otherwise(size)


def _scaled(at: At, length: pl.Expr, by: pl.Expr, kind: t.DataType, over: bool) -> pl.Expr:
    months = isinstance(at.type, YM)
    whole = (length if months else length.to_physical()).cast(pl.Int128)
    end = as_months if months else as_micros
    if isinstance(kind, t.IntegralType):
        other = by.cast(pl.Int128)
        return end(_rounded(whole, other) if over else whole * other)
    if isinstance(kind, t.DecimalType):
        return end(
            each(_exact(over), t.DecimalType(38, 0), whole.cast(pl.Int64), by).cast(pl.Int128)
        )
    real = whole.cast(pl.Float64)
    found = real / by if over else real * by
    return end(found.round(0, mode="half_away_from_zero").cast(pl.Int128))


def _exact(over: bool) -> Callable[[int, Decimal], Decimal]:
    def one(size: int, by: Decimal) -> Decimal:
        found = Decimal(size) / by if over else Decimal(size) * by
        return found.quantize(Decimal(1), rounding="ROUND_HALF_UP")

    return one


_DAY = (t.DateType,)
_BOTH = (DT, YM)
_COUNTS = (t.ByteType, t.ShortType, t.IntegerType)


def _days(at: At, day: pl.Expr, days: pl.Expr) -> pl.Expr:
    return plus_days(day, days)


def _back_days(at: At, day: pl.Expr, days: pl.Expr) -> pl.Expr:
    return plus_days(day, -days)


def _day_span(a: t.DataType, b: t.DataType) -> t.DataType:
    return DT(0, 0)


def _full_span(a: t.DataType, b: t.DataType) -> t.DataType:
    return DT()


def _either_order(ways: list[Way]) -> list[Way]:
    """The same with the operands in the other order too."""
    found = list(ways)
    for way in ways:
        swapped = way.build
        found.append(
            Way(
                way.right,
                way.left,
                _flipped(way.gives),
                lambda at, a, b, f=swapped: f(_swapped(at), b, a),
                None if way.to is None else _flipped_pair(way.to),
            )
        )
    return found


def _swapped(at: At) -> At:
    return At(at.type, at.types[::-1], at.values[::-1], at.settings, at.args[::-1])


def _flipped_pair(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: f(b, a)[::-1]


_ADDED = [
    Way(_ANY_TIME, (YM,), _moved_date, _plus_months, _as_moved),
    Way(_ANY_TIME, (DT,), _moved_date, _plus_time, _as_moved),
    Way(_DAY, _COUNTS, _same, _days, lambda a, b: (a, t.INT)),
]
_NUMBERS = (t.NumericType,)
WAYS: dict[str, list[Way]] = {
    "+": [
        *_either_order(_ADDED),
        Way((DT,), (DT,), _wider, _sum),
        Way((YM,), (YM,), _wider, _sum),
    ],
    "-": [
        Way(_ANY_TIME, (YM,), _moved_date, _minus_months, _as_moved),
        Way(_ANY_TIME, (DT,), _moved_date, _minus_time, _as_moved),
        Way(_DAY, _COUNTS, _same, _back_days, lambda a, b: (a, t.INT)),
        Way(_DAY, (t.DateType, t.StringType), _day_span, _apart, _dates),
        Way((t.StringType,), _DAY, _day_span, _apart, _dates),
        Way(_ANY_TIME, _ANY_TIME, _full_span, _apart, _moments),
        Way(_ANY_TIME, (t.StringType,), _full_span, _apart, _moments),
        Way((t.StringType,), _ANY_TIME, _full_span, _apart, _moments),
        Way((DT,), (DT,), _wider, _less),
        Way((YM,), (YM,), _wider, _less),
    ],
    "*": _either_order([Way(_BOTH, _NUMBERS, lambda a, b: _whole(a), _product)]),
    "/": [Way(_BOTH, _NUMBERS, lambda a, b: _whole(a), _quotient)],
}


def _way(name: str, types: Sequence[t.DataType]) -> Way | None:
    """What an operator does with types, if it is one of these."""
    if len(types) != 2:
        return None
    fits = (w for w in WAYS[name] if isinstance(types[0], w.left) and isinstance(types[1], w.right))
    return next(fits, None)


def _special(kind: t.DataType) -> bool:
    return isinstance(kind, (*_ANY_TIME, DT, YM))


def _extended(name: str, numbers: Function) -> Function:
    """An operator on numbers, for times and intervals too."""

    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        way = _way(name, [arg.type for arg in args])
        if way is None:
            if len(args) == 2 and any(_special(arg.type) for arg in args):
                kinds = " and ".join(arg.type.simpleString() for arg in args)
                raise Mismatch(f"{name} cannot have {kinds}")
            return numbers.resolve(args, settings)
        a, b = args
        kind = way.gives(a.type, b.type)
        if way.to is not None:
            left, right = way.to(a.type, b.type)
            a, b = _as(a, left), _as(b, right)
        return (a, b), kind, a.nullable or b.nullable

    def build(at: At, *args: pl.Expr) -> pl.Expr:
        if not any(_special(kind) for kind in at.types):
            return numbers.build(at, *args)
        way = _way(name, at.types)
        assert way is not None
        return way.build(at, *args).cast(to_polars(at.type))

    return Function(name, resolve, build)


def _as(expr: Expr, kind: t.DataType) -> Expr:
    if isinstance(expr.type, (DT, YM)) or expr.type == kind:
        return expr
    return implied(expr, kind)


def _negated(numbers: Function) -> Function:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        if len(args) == 1 and isinstance(args[0].type, (DT, YM)):
            return tuple(args), args[0].type, args[0].nullable
        return numbers.resolve(args, settings)

    def build(at: At, value: pl.Expr) -> pl.Expr:
        if isinstance(at.types[0], YM):
            return as_months(-value.cast(pl.Int64))
        if isinstance(at.types[0], DT):
            return as_micros(value.to_physical().cast(pl.Int128) * -1)
        return numbers.build(at, value)

    return Function("negative", resolve, build)


_NUMBERS_FIRST = arithmetic  # its operators have to be in the table
for _name in WAYS:
    TABLE[_name] = _extended(_name, TABLE[_name])
TABLE["negative"] = _negated(TABLE["negative"])
