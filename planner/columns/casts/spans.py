"""Lengths of time as text and as numbers, as Spark writes them."""

from __future__ import annotations

import datetime as dt

import polars as pl

from planner.columns import types as t

_UNITS = (86400, 3600, 60, 1)
_MICROS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000)


def day_time_text(value: dt.timedelta, kind: t.DayTimeIntervalType) -> str:
    """A length of time as a literal of SQL.

    >>> day_time_text(dt.timedelta(days=1, hours=2), t.DayTimeIntervalType(0, 1))
    "INTERVAL '1 02' DAY TO HOUR"
    """
    micros = value // dt.timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1_000_000)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    parts = []
    for place in range(kind.startField, kind.endField + 1):
        count, seconds = divmod(seconds, _UNITS[place])
        parts.append(str(count) if place == kind.startField and place == 0 else f"{count:02d}")
    first = kind.startField
    text = parts[0] if first == 0 else ":".join(parts)
    if first == 0 and len(parts) > 1:
        text = f"{parts[0]} {':'.join(parts[1:])}"
    text += fraction if kind.endField == 3 else ""
    return f"INTERVAL '{sign}{text}' {_words(kind)}"


def year_month_text(months: int, kind: t.YearMonthIntervalType) -> str:
    """A number of months as a literal of SQL.

    >>> year_month_text(-14, t.YearMonthIntervalType(0, 1))
    "INTERVAL '-1-2' YEAR TO MONTH"
    """
    sign, months = ("-", -months) if months < 0 else ("", months)
    if kind.startField == kind.endField:
        text = str(months if kind.startField else months // 12)
    else:
        text = f"{months // 12}-{months % 12}"
    return f"INTERVAL '{sign}{text}' {_words(kind)}"


def _words(kind: t.DayTimeIntervalType | t.YearMonthIntervalType) -> str:
    start, end = kind.FIELDS[kind.startField].upper(), kind.FIELDS[kind.endField].upper()
    return start if start == end else f"{start} TO {end}"


def span_to_text(value: pl.Expr, kind: t.DayTimeIntervalType | t.YearMonthIntervalType) -> pl.Expr:
    """The text of lengths of time."""

    def run(values: pl.Series) -> pl.Series:
        found = [None if each is None else _text(each, kind) for each in values]
        return pl.Series(values.name, found, dtype=pl.String)

    return value.map_batches(run, pl.String(), is_elementwise=True)


def _text(value: dt.timedelta | int, kind: t.DayTimeIntervalType | t.YearMonthIntervalType) -> str:
    if isinstance(kind, t.YearMonthIntervalType):
        assert isinstance(value, int)
        return year_month_text(value, kind)
    assert isinstance(value, dt.timedelta)
    return day_time_text(value, kind)


def span_to_whole(value: pl.Expr, kind: t.DayTimeIntervalType | t.YearMonthIntervalType) -> pl.Expr:
    """How many of its last unit a length of one unit has (towards zero), as Int64."""
    if isinstance(kind, t.YearMonthIntervalType):
        number, size = value.cast(pl.Int64), (12, 1)[kind.endField]
    else:
        number, size = value.to_physical(), _MICROS[kind.endField]
    return number.abs() // size * number.sign()


def whole_to_span(value: pl.Expr, kind: t.DayTimeIntervalType | t.YearMonthIntervalType) -> pl.Expr:
    """So many of a length's last unit."""
    if isinstance(kind, t.YearMonthIntervalType):
        return (value.cast(pl.Int64) * (12, 1)[kind.endField]).cast(pl.Int32)
    return (value.cast(pl.Int64) * _MICROS[kind.endField]).cast(pl.Duration("us"))
