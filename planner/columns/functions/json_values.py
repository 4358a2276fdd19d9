"""JSON text as Python values and as values of a type, and back: by the rules of Spark.

Numbers stay text (`Number`) until a type says what they are, so that none loses digits.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
import re
from array import array
from dataclasses import dataclass
from typing import Any

from planner.columns import types as t
from planner.columns.casts.spans import day_time_text, year_month_text
from planner.columns.functions import java_dates
from planner.columns.functions.zones import zone_of


class Number(str):
    """A number as it was written."""


@dataclass(frozen=True)
class Forms:
    """How dates and times are written: the session's zone, and patterns of Java or None for ISO."""

    zone: str = "UTC"
    date: str | None = None
    instant: str | None = None
    plain: str | None = None

    @property
    def clock(self) -> dt.tzinfo:
        """The session's zone, for Python."""
        found = zone_of(self.zone)
        return dt.timezone(found) if isinstance(found, dt.timedelta) else found


class Wrong(Exception):
    """A value that a type cannot hold."""


_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.DOTALL)
_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def parsed(text: str) -> Any:
    """The first value of JSON text, which may quote with apostrophes. Raises ValueError."""
    try:
        return _first(text)
    except ValueError:
        if "'" not in text:
            raise
    return _first(_QUOTED.sub(_requoted, text))


def _first(text: str) -> Any:
    return _DECODER.raw_decode(text.lstrip(" \t\r\n\ufeff"))[0]


def _requoted(found: re.Match[str]) -> str:
    word = found[0]
    if word[0] == '"':
        return word
    return '"' + word[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'


def written(value: Any) -> str:
    """A parsed value as JSON text, without blanks."""
    if isinstance(value, Number):
        return str(value) if value.lstrip("-").isdigit() else real(float(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        parts = (f"{written(str(key))}:{written(each)}" for key, each in value.items())
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def real(value: float) -> str:
    """A double as Java writes it: 1.0E10, 1.0E-5, 123.4."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        if "e" not in text:
            return text
        return format(decimal.Decimal(text), "f")
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    word = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{word[0]}.{word[1:] or '0'}E{power}"


# ---- into types ----------------------------------------------------------------------------------


def as_type(value: Any, kind: t.DataType, forms: Forms, bad: list[str]) -> Any:
    """A parsed value as a value of a type. Fields of structs that do not fit are NULL, and are
    named in `bad`. Raises Wrong."""
    if value is None:
        return None
    match kind:
        case t.StructType():
            return _struct(value, kind, forms, bad)
        case t.ArrayType():
            if not isinstance(value, list):
                raise Wrong
            return [as_type(each, kind.elementType, forms, bad) for each in value]
        case t.MapType():
            if not isinstance(value, dict):
                raise Wrong
            return {key: as_type(each, kind.valueType, forms, bad) for key, each in value.items()}
        case t.StringType():
            return value if type(value) is str else written(value)
        case t.BooleanType():
            if not isinstance(value, bool):
                raise Wrong
            return value
    if isinstance(value, bool | list | dict):
        raise Wrong
    if isinstance(kind, t.NumericType):
        return _number(value, kind)
    return _other(value, kind, forms)


def _struct(value: Any, kind: t.StructType, forms: Forms, bad: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong
    found: dict[str, Any] = {}
    for field in kind.fields:
        try:
            found[field.name] = as_type(value.get(field.name), field.dataType, forms, bad)
        except Wrong:
            found[field.name] = None
            bad.append(field.name)
    return found


def _number(value: str, kind: t.DataType) -> Any:
    """Whole numbers must be written so; doubles also come as the words NaN and Infinity."""
    try:
        if isinstance(kind, t.IntegralType):
            if not isinstance(value, Number):
                raise Wrong
            number = int(value)
            if not -(1 << kind.bits - 1) <= number < 1 << kind.bits - 1:
                raise Wrong
            return number
        if isinstance(kind, t.DecimalType):
            exact = decimal.Decimal(value).quantize(
                decimal.Decimal(1).scaleb(-kind.scale),
                decimal.ROUND_HALF_UP,
                decimal.Context(prec=76),
            )
            if len(exact.as_tuple().digits) > kind.precision:
                raise Wrong
            return exact
    except (ValueError, decimal.InvalidOperation):
        raise Wrong from None
    if isinstance(value, Number):
        return float(value)
    words = {"NaN": "nan", "Infinity": "inf", "+Infinity": "inf", "INF": "inf", "+INF": "inf",
             "-Infinity": "-inf", "-INF": "-inf"}  # fmt: skip
    if value not in words:
        raise Wrong
    return float(words[value])


def _other(value: str, kind: t.DataType, forms: Forms) -> Any:
    try:
        match kind:
            case t.DateType():
                if isinstance(value, Number):
                    return dt.date(1970, 1, 1) + dt.timedelta(days=int(value))
                if forms.date is not None:
                    return _by_pattern(value, forms.date, forms).date()
                return dt.date.fromisoformat(value.strip()[:10])
            case t.TimestampType():
                if isinstance(value, Number):
                    return dt.datetime.fromtimestamp(float(value), dt.UTC)
                if forms.instant is not None:
                    return _by_pattern(value, forms.instant, forms)
                found = dt.datetime.fromisoformat(value.strip())
                return found if found.tzinfo else found.replace(tzinfo=forms.clock)
            case t.TimestampNTZType():
                if forms.plain is not None:
                    return _by_pattern(value, forms.plain, forms).replace(tzinfo=None)
                return dt.datetime.fromisoformat(value.strip()).replace(tzinfo=None)
            case t.BinaryType():
                return base64.b64decode(value, validate=True)
    except (ValueError, OverflowError):
        raise Wrong from None
    raise NotImplementedError(f"from_json to {kind.simpleString()} is not there")


def _by_pattern(value: str, pattern: str, forms: Forms) -> dt.datetime:
    found = java_dates.read(pattern, value)
    if found is None:
        raise Wrong
    when, zone = found
    return when.replace(tzinfo=forms.clock if zone is None else Forms(zone).clock)


# ---- out of types --------------------------------------------------------------------------------


def json_text(value: Any, kind: t.DataType, forms: Forms, drop_nulls: bool) -> str:
    """A value of a type as JSON text; fields of structs that are NULL are left out or not."""
    if value is None:
        return "null"
    match kind:
        case t.StructType():
            parts = [
                f"{written(f.name)}:{json_text(value[f.name], f.dataType, forms, drop_nulls)}"
                for f in kind.fields
                if value[f.name] is not None or not drop_nulls
            ]
            return "{" + ",".join(parts) + "}"
        case t.ArrayType():
            each = (json_text(v, kind.elementType, forms, drop_nulls) for v in value)
            return "[" + ",".join(each) + "]"
        case t.MapType():
            pairs = (
                f"{written(plain_text(key, kind.keyType, forms))}:"
                f"{json_text(v, kind.valueType, forms, drop_nulls)}"
                for key, v in value.items()
            )
            return "{" + ",".join(pairs) + "}"
    text = plain_text(value, kind, forms)
    if isinstance(kind, t.FloatType | t.DoubleType):
        return text if math.isfinite(value) else written(text)
    return text if isinstance(kind, t.NumericType | t.BooleanType) else written(text)


def plain_text(value: Any, kind: t.DataType, forms: Forms) -> str:
    """An atomic value as text, before it is quoted."""
    match kind:
        case t.BooleanType():
            return str(value).lower()
        case t.DoubleType():
            return real(value)
        case t.FloatType():
            return real(float(_short(value)))
        case t.DecimalType():
            return format(value, "f")
        case t.BinaryType():
            return base64.b64encode(value).decode()
        case t.DateType() if forms.date is not None:
            midnight = dt.datetime.combine(value, dt.time(), forms.clock)
            return _in_pattern(midnight, forms.date, forms)
        case t.TimestampType():
            local = value.astimezone(forms.clock)
            if forms.instant is not None:
                return _in_pattern(local, forms.instant, forms)
            return _instant(local)
        case t.TimestampNTZType():
            if forms.plain is not None:
                return _in_pattern(value.replace(tzinfo=dt.UTC), forms.plain, forms)
            return value.isoformat(timespec="milliseconds")  # type: ignore[no-any-return]
        case t.DayTimeIntervalType():
            return day_time_text(value, kind)
        case t.YearMonthIntervalType():
            return year_month_text(value, kind)
    return str(value)


def _short(value: float) -> str:
    """The fewest digits that name a float of 32 bits."""
    for digits in range(1, 9):
        text = f"{value:.{digits}g}"
        if array("f", [float(text)])[0] == value:
            return text
    return f"{value:.9g}"


def _in_pattern(value: dt.datetime, pattern: str, forms: Forms) -> str:
    offset = value.utcoffset() or dt.timedelta()
    return java_dates.written(pattern, value.replace(tzinfo=None), offset, forms.zone)


def _instant(value: dt.datetime) -> str:
    text = value.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
