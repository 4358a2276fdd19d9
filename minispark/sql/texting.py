"""Values as `show` prints them: the text that a cast to string gives, and the table around it."""

from __future__ import annotations

import datetime as dt
import struct
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from planner.columns import types as t
from planner.columns.casts.spans import day_time_text, year_month_text

Text = Callable[[Any], str]
_ESCAPES = str.maketrans(
    {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b", "\v": "\\v", "\a": "\\a"}
)


def shower(kind: t.DataType, zone: str) -> Text:
    """What shows values of a type; they are as Arrow gives them (times in UTC).

    >>> shower(t.ArrayType(t.DOUBLE), "UTC")([1e10, None])
    '[1.0E10, NULL]'
    """
    match kind:
        case t.BooleanType():
            return lambda v: "true" if v else "false"
        case t.FloatType():
            return lambda v: java_float(short_float(v))
        case t.DoubleType():
            return lambda v: java_float(repr(v))
        case t.DecimalType():
            return plain_decimal
        case t.BinaryType():
            return lambda v: f"[{' '.join(f'{byte:02X}' for byte in v)}]"
        case t.DateType():
            return lambda v: v.isoformat()
        case t.TimestampType():
            place = ZoneInfo(zone)
            return lambda v: instant_text(v, place)
        case t.TimestampNTZType():
            return clock_text
        case t.DayTimeIntervalType():
            return lambda v: day_time_text(v, kind)
        case t.YearMonthIntervalType():
            return lambda v: year_month_text(v, kind)
        case t.ArrayType(elementType=element):
            inner = nullable(shower(element, zone))
            return lambda v: f"[{', '.join(map(inner, v))}]"
        case t.MapType(keyType=key, valueType=value):
            of_key, of_value = nullable(shower(key, zone)), nullable(shower(value, zone))
            return lambda v: f"{{{', '.join(f'{of_key(a)} -> {of_value(b)}' for a, b in v)}}}"
        case t.StructType():
            fields = [nullable(shower(f.dataType, zone)) for f in kind.fields]
            return lambda v: (
                f"{{{', '.join(show(e) for show, e in zip(fields, v.values(), strict=True))}}}"
            )
    return str


def nullable(show: Text) -> Text:
    """The same, NULL for None."""
    return lambda value: "NULL" if value is None else show(value)


def short_float(value: float) -> str:
    """The shortest text that is this number in 32 bits."""
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        try:
            if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
                return repr(float(text))
        except OverflowError:
            continue
    return repr(value)


def java_float(text: str) -> str:
    """Python's text of a fraction as Java writes it."""
    if "n" in text:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[text]
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    mantissa = "".join(map(str, digits)).rstrip("0") or "0"
    power = len(digits) + exponent - 1
    head = "-" if sign else ""
    if mantissa == "0":
        return f"{head}0.0"
    if -3 <= power < 7:
        if power < 0:
            return f"{head}0.{'0' * (-power - 1)}{mantissa}"
        whole = mantissa[: power + 1].ljust(power + 1, "0")
        return f"{head}{whole}.{mantissa[power + 1 :] or '0'}"
    return f"{head}{mantissa[0]}.{mantissa[1:] or '0'}E{power}"


def plain_decimal(value: Decimal) -> str:
    """A decimal without an exponent."""
    return format(value, "f")


def instant_text(value: dt.datetime, zone: ZoneInfo) -> str:
    """An instant by the clock of a zone."""
    try:
        return clock_text(value.astimezone(zone).replace(tzinfo=None))
    except OverflowError:
        return clock_text(value.replace(tzinfo=None))


def clock_text(value: dt.datetime) -> str:
    """Date and time of day, without zeros at the end of the fraction."""
    text = f"{value.year:04d}-{value:%m-%d %H:%M:%S}"
    return f"{text}.{value.microsecond:06d}".rstrip("0") if value.microsecond else text


# ---- the table -----------------------------------------------------------------------------------


def cell(text: str, width: int) -> str:
    """A text without line breaks, cut to a width (0 for not at all)."""
    text = text.translate(_ESCAPES)
    if width <= 0 or len(text) <= width:
        return text
    return text[:width] if width < 4 else f"{text[: width - 3]}..."


def columns_wide(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table_text(names: Sequence[str], rows: Sequence[Sequence[str]], right: bool) -> str:
    """Rows in a frame of lines."""
    widths = [
        max(3, columns_wide(name), *(columns_wide(row[at]) for row in rows))
        for at, name in enumerate(names)
    ]
    line = f"+{'+'.join('-' * width for width in widths)}+\n"
    out = [line, _line(names, widths, right), line]
    out += [_line(row, widths, right) for row in rows]
    return "".join([*out, line])


def _line(cells: Sequence[str], widths: Sequence[int], right: bool) -> str:
    padded = []
    for text, width in zip(cells, widths, strict=True):
        space = " " * (width - columns_wide(text))
        padded.append(space + text if right else text + space)
    return f"|{'|'.join(padded)}|\n"


def vertical_text(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A line for each value."""
    first = max(map(columns_wide, names), default=0)
    first = max(first, 3) if names else first
    second = max((columns_wide(text) for row in rows for text in row), default=0)
    second = max(second, 3)
    out = []
    for number, row in enumerate(rows):
        out.append(f"-RECORD {number}".ljust(first + second + 5, "-") + "\n")
        for name, text in zip(names, row, strict=True):
            left = name + " " * (first - columns_wide(name))
            out.append(f" {left} | {text}{' ' * (second - columns_wide(text))} \n")
    return "".join(out)
