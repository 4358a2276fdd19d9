"""Functions of numbers and text whose later arguments are constants."""

from __future__ import annotations

from typing import Any

from minispark.sql.column import Column, expr_of, named
from minispark.sql.functions.making import of
from planner.columns.expressions import Expr


def _scaled(name: str, value: Any, scale: Any) -> Column:
    return of(name, named(value), *(() if scale is None else (expr_of(scale),)))


def round(col: Any, scale: Any = None) -> Column:
    """The value rounded to `scale` digits after the point, halves away from zero.

    >>> spark.range(1).select(round(F.lit(2.5)).alias("r")).first()
    Row(r=3.0)
    """
    return _scaled("round", col, scale)


def bround(col: Any, scale: Any = None) -> Column:
    """The value rounded to `scale` digits after the point, halves to the even digit."""
    return _scaled("bround", col, scale)


def ceil(col: Any, scale: Any = None) -> Column:
    """The value rounded up."""
    return _scaled("ceil", col, scale)


def ceiling(col: Any, scale: Any = None) -> Column:
    """The value rounded up."""
    return _scaled("ceiling", col, scale)


def floor(col: Any, scale: Any = None) -> Column:
    """The value rounded down."""
    return _scaled("floor", col, scale)


def conv(col: Any, fromBase: int, toBase: int) -> Column:
    """A number as text, from one base to another."""
    return of("conv", named(col), expr_of(fromBase), expr_of(toBase))


def shiftleft(col: Any, numBits: int) -> Column:
    """The bits moved to the left."""
    return of("shiftleft", named(col), expr_of(numBits))


def shiftright(col: Any, numBits: int) -> Column:
    """The bits moved to the right, the sign kept."""
    return of("shiftright", named(col), expr_of(numBits))


def shiftrightunsigned(col: Any, numBits: int) -> Column:
    """The bits moved to the right, zeros moved in."""
    return of("shiftrightunsigned", named(col), expr_of(numBits))


def _number(value: Any) -> Expr:
    return expr_of(value) if isinstance(value, int) else named(value)


def substring(str: Any, pos: Any, len: Any) -> Column:
    """The part of a text from a place (the first is 1), of a length.

    >>> spark.range(1).select(substring(F.lit("spark"), 2, 3).alias("s")).first()
    Row(s='par')
    """
    return of("substring", named(str), _number(pos), _number(len))


def array_repeat(col: Any, count: Any) -> Column:
    """An array of one value, several times."""
    return of("array_repeat", named(col), _number(count))


def format_number(col: Any, d: int) -> Column:
    """A number as text with thousands marked, and d digits after the point."""
    return of("format_number", named(col), expr_of(d))


def trunc(date: Any, format: str) -> Column:
    """The first day of the year, quarter, month or week of a date."""
    return of("trunc", named(date), expr_of(format))


def date_format(date: Any, format: str) -> Column:
    """A date or timestamp as text in a format."""
    return of("date_format", named(date), expr_of(format))


def next_day(date: Any, dayOfWeek: str) -> Column:
    """The first day after a date that has this name."""
    return of("next_day", named(date), expr_of(dayOfWeek))


def to_date(col: Any, format: str | None = None) -> Column:
    """Text (in a format), or a timestamp, as a date.

    >>> spark.range(1).select(to_date(F.lit("2024-02-29")).alias("d")).first()
    Row(d=datetime.date(2024, 2, 29))
    """
    return _scaled("to_date", col, format)


def to_timestamp(col: Any, format: str | None = None) -> Column:
    """Text (in a format) as a timestamp."""
    return _scaled("to_timestamp", col, format)


def translate(srcCol: Any, matching: str, replace: str) -> Column:
    """The text with characters of `matching` replaced by those at the same place of `replace`."""
    return of("translate", named(srcCol), expr_of(matching), expr_of(replace))


def regexp_extract(str: Any, pattern: str, idx: int) -> Column:
    """The part of a text that a group of a regular expression matched.

    >>> spark.range(1).select(regexp_extract(F.lit("a1b22"), "b([0-9]+)", 1).alias("n")).first()
    Row(n='22')
    """
    return of("regexp_extract", named(str), expr_of(pattern), expr_of(idx))


def get_json_object(col: Any, path: str) -> Column:
    """The part of JSON text that a path names."""
    return of("get_json_object", named(col), expr_of(path))
