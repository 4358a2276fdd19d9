"""Sums of dates, moments and intervals: what + and - mean for them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions.registry import At, Mismatch, Typed
from planner.columns.functions.zones import instant, local, months_later, plus_months

_SPAN, _MONTHS = t.DayTimeIntervalType, t.YearMonthIntervalType
_MOMENT = (t.TimestampType, t.TimestampNTZType)
_KINDS = (t.DateType, *_MOMENT, _SPAN, _MONTHS)


def typed(name: str, args: Sequence[Expr]) -> Typed | None:
    """The typed form of a sum in which there is time; None if there is none."""
    if len(args) != 2 or not any(isinstance(arg.type, _KINDS) for arg in args):
        return None
    a, b = args
    null = a.nullable or b.nullable
    if (
        name == "+"
        and not isinstance(a.type, (t.DateType, *_MOMENT))
        and isinstance(b.type, _KINDS)
    ) and type(a.type) is not type(b.type):
        a, b = b, a
    kinds = f"{a.type.simpleString()} and {b.type.simpleString()}"
    match a.type, b.type:
        case t.DateType(), t.IntegerType() | t.ShortType() | t.ByteType():
            return (a, implied(b, t.INT)), t.DATE, null
        case t.DateType(), t.DateType() if name == "-":
            return (a, b), _SPAN(0, 0), null
        case t.DateType(), t.StringType() if name == "-":
            return (a, implied(b, t.DATE)), _SPAN(0, 0), True
        case (
            (t.DateType() | t.TimestampType() | t.TimestampNTZType()),
            (t.DateType() | t.TimestampType() | t.TimestampNTZType()),
        ) if name == "-":
            one = t.TIMESTAMP if t.TIMESTAMP in (a.type, b.type) else t.TIMESTAMP_NTZ
            return (implied(a, one), implied(b, one)), _SPAN(), null
        case t.DateType(), _MONTHS():
            return (a, b), t.DATE, null
        case t.DateType(), _SPAN(startField=0, endField=0):
            return (a, b), t.DATE, null
        case t.DateType(), _SPAN():
            return (implied(a, t.TIMESTAMP), b), t.TIMESTAMP, null
        case ((t.TimestampType() | t.TimestampNTZType()), (_SPAN() | _MONTHS())):
            return (a, b), a.type, null
        case (_SPAN(), _SPAN()) | (_MONTHS(), _MONTHS()):
            assert isinstance(a.type, _SPAN | _MONTHS) and isinstance(b.type, _SPAN | _MONTHS)
            start = min(a.type.startField, b.type.startField)
            end = max(a.type.endField, b.type.endField)
            return (a, b), type(a.type)(start, end), null
    raise Mismatch(f"{name} is not for {kinds}", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")


def shifted(at: At, a: pl.Expr, b: pl.Expr, sign: int) -> pl.Expr:
    """a + b or a - b of what `typed` let through."""
    one, other = at.types
    kind = to_polars(at.type)
    if isinstance(other, t.IntegralType) or (
        isinstance(at.type, t.DateType) and isinstance(other, _SPAN)
    ):
        days = b if isinstance(other, t.IntegralType) else b.dt.total_days().cast(pl.Int32)
        return (a.cast(pl.Int32) + (days if sign > 0 else -days)).cast(pl.Date)
    if isinstance(other, _MONTHS) and not isinstance(one, _MONTHS):
        months = b if sign > 0 else -b
        if isinstance(one, t.DateType):
            return plus_months(a, months)
        if isinstance(one, t.TimestampType):
            zone = at.settings.zone
            return instant(months_later(local(a, zone), months), zone)
        return months_later(a, months)
    return (a + b if sign > 0 else a - b).cast(kind)
