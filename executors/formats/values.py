"""Text in files as values of a type, as Spark's csv and json readers take it: what is no value is
null, and the caller can see that there was text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import polars as pl

from planner.columns import types as t
from planner.columns.casting import cast
from planner.columns.columnar import to_polars
from planner.columns.functions.registry import Settings

WHOLE = r"^[+-]?[0-9]+$"
FRACTION = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[dDfF]?\s*$"
_PLAIN = r"^[+-]?[0-9]+(\.[0-9]*)?$"
_ZONED = r":.*(Z|[+-][0-9]{1,2}(:?[0-9]{2})?|[A-Za-z]{3,}.*)$"
_JAVA = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_LETTERS = {
    "yyyy": "%Y",
    "y": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "XXX": "%:z",
    "xxx": "%:z",
    "XX": "%z",
    "xx": "%z",
    "Z": "%z",
    "ZZZZZ": "%:z",
}


@dataclass(frozen=True)
class Spelling:
    """How values are written in a file: the options that say so."""

    nan: str = "NaN"
    positive: str = "Inf"
    negative: str = "-Inf"
    date: str | None = None
    time: str | None = None
    plain_time: str | None = None
    zone: str = "UTC"

    @staticmethod
    def of(options: Mapping[str, str], settings: Settings) -> Spelling:
        """From options, their names in lower case."""
        return Spelling(
            options.get("nanvalue", "NaN"),
            options.get("positiveinf", "Inf"),
            options.get("negativeinf", "-Inf"),
            options.get("dateformat"),
            options.get("timestampformat"),
            options.get("timestampntzformat"),
            options.get("timezone", settings.zone),
        )


def strptime(pattern: str) -> str:
    """A pattern of Java's DateTimeFormatter as one of Polars.

    Raises
    ------
    NotImplementedError
        A letter of it has no counterpart.

    Examples
    --------
    >>> strptime("dd/MM/yyyy'T'HH:mm:ss.SSS")
    '%d/%m/%YT%H:%M:%S%.3f'
    """
    out = ""
    bare = pattern.replace("[", "").replace("]", "")
    for found in _JAVA.finditer(bare):
        text, quoted, letter = found[0], found[1], found[2]
        if quoted is not None:
            out += quoted.replace("''", "'") or "'"
        elif letter == "S":
            out = out.removesuffix(".")
            out += f"%.{len(text)}f" if len(text) in (3, 6, 9) else "%.f"
        elif letter is not None:
            if text not in _LETTERS:
                raise NotImplementedError(f"the letters {text} in the date pattern {pattern!r}")
            out += _LETTERS[text]
        else:
            out += text.replace("%", "%%")
    return out


def typed(text: pl.Expr, kind: t.DataType, how: Spelling, settings: Settings) -> pl.Expr:
    """Text as values of an atomic type; null where it is none.

    Raises
    ------
    NotImplementedError
        Text cannot be read as that type.
    """
    match kind:
        case t.StringType():
            return text
        case t.NullType():
            return pl.lit(None, dtype=pl.Null())
        case t.BinaryType():
            return text.cast(pl.Binary)
        case t.IntegralType():
            bare = pl.when(text.str.contains(WHOLE)).then(text.str.strip_prefix("+"))
            return bare.cast(to_polars(kind), strict=False)
        case t.DecimalType():
            return _decimal(text, kind)
        case t.FractionalType():
            return _fraction(text, kind, how)
        case t.BooleanType():
            low = text.str.to_lowercase()
            return pl.when(low == "true").then(True).when(low == "false").then(False)
        case t.DateType():
            if how.date is not None:
                return text.str.strptime(pl.Date, strptime(how.date), strict=False)
            return _time(text, kind, settings, how)
        case t.TimestampType() | t.TimestampNTZType():
            return _time(text, kind, settings, how)
    raise NotImplementedError(f"reading text as {kind.simpleString()}")


def _fraction(text: pl.Expr, kind: t.DataType, how: Spelling) -> pl.Expr:
    number = pl.when(text.str.contains(FRACTION)).then(
        text.str.strip_chars().str.strip_chars_end("dDfF").str.strip_prefix("+")
    )
    low, high = float("-inf"), float("inf")
    found = (
        pl.when(text.is_in([how.nan, "NaN"]))
        .then(float("nan"))
        .when(text.is_in([how.positive, "Infinity", "+Infinity"]))
        .then(high)
        .when(text.is_in([how.negative, "-Infinity"]))
        .then(low)
        .otherwise(number.cast(pl.Float64, strict=False))
    )
    return found.cast(to_polars(kind))


def _decimal(text: pl.Expr, kind: t.DecimalType) -> pl.Expr:
    """Rounded half up; null where there are too many digits."""
    step = Decimal(1).scaleb(-kind.scale)
    most = Decimal(10) ** (kind.precision - kind.scale)

    def one(value: str) -> Decimal | None:
        try:
            found = Decimal(value)
        except InvalidOperation:
            return None
        if not found.is_finite() or abs(found) >= most * 10:
            return None
        rounded = found.quantize(step, ROUND_HALF_UP)
        return rounded if abs(rounded) < most else None

    def every(values: pl.Series) -> pl.Series:
        made = [None if v is None else one(v) for v in values]
        return pl.Series(values.name, made, dtype=to_polars(kind))

    exact = rf"^[+-]?[0-9]{{1,{max(1, kind.precision - kind.scale)}}}(\.[0-9]{{0,{kind.scale}}})?$"
    fits = text.str.contains(exact if kind.precision > kind.scale else r"^$")
    quick = pl.when(fits).then(text.str.strip_prefix("+")).cast(to_polars(kind), strict=False)
    slow = pl.when(~fits).then(text).map_batches(every, to_polars(kind), is_elementwise=True)
    return quick.fill_null(slow)


def _time(text: pl.Expr, kind: t.DataType, settings: Settings, how: Spelling) -> pl.Expr:
    local = Settings(settings.ansi, how.zone, settings.case_sensitive)
    pattern = how.time if kind == t.TIMESTAMP else how.plain_time
    if kind == t.DATE or pattern is None:
        if kind == t.TIMESTAMP_NTZ:
            text = pl.when(~text.str.contains(_ZONED)).then(text)
        return cast(text, t.STRING, kind, "try", local)
    form = strptime(pattern)
    if "%H" not in form and "%I" not in form and "%-H" not in form and "%-I" not in form:
        naive = text.str.strptime(pl.Date, form, strict=False).cast(pl.Datetime("us"))
    elif "%z" in form or "%:z" in form:
        return text.str.strptime(pl.Datetime("us", "UTC"), form, strict=False)
    else:
        naive = text.str.strptime(pl.Datetime("us"), form, strict=False)
    if kind == t.TIMESTAMP_NTZ:
        return naive
    return cast(naive, t.TIMESTAMP_NTZ, t.TIMESTAMP, "try", local)


# ---- finding the types of text -------------------------------------------------------------------


def kinds(text: pl.Series, how: Spelling, settings: Settings) -> set[t.DataType]:
    """The types that values of a column have, each the narrowest."""
    some = text.drop_nulls()
    left = some.unique()
    found: set[t.DataType] = set()
    number = some.head(1).str.contains(FRACTION)
    begins = bool(number.len()) and not number[0] and _times(some.head(1), how, settings)
    if begins and _times(left, how, settings):
        # Once Spark has seen a time, it tries whether what follows is one too: 2020 is.
        days = pl.DataFrame({"x": left}).select(_is_date(how, settings).all())
        return {t.DATE if days.item() else t.TIMESTAMP}
    steps: list[tuple[t.DataType, pl.Expr]] = [
        (t.INT, typed(pl.col("x"), t.INT, how, settings).is_not_null()),
        (t.LONG, typed(pl.col("x"), t.LONG, how, settings).is_not_null()),
        (t.DecimalType(38, 0), pl.col("x").str.contains(WHOLE)),
        (t.DOUBLE, typed(pl.col("x"), t.DOUBLE, how, settings).is_not_null()),
        (t.DATE, _is_date(how, settings)),
        (t.TIMESTAMP, _is_time(how, settings)),
        (t.BOOLEAN, typed(pl.col("x"), t.BOOLEAN, how, settings).is_not_null()),
    ]
    for kind, test in steps:
        if not left.len():
            return found
        fits = pl.DataFrame({"x": left}).select(test.fill_null(False).alias("y"))["y"]
        some = left.filter(fits)
        if some.len():
            digits = max((len(v.lstrip("+-0")) for v in some), default=1) if _big(kind) else 0
            if digits > t.DecimalType.MAX:
                found.add(t.DOUBLE)
            else:
                found.add(t.DecimalType(digits, 0) if _big(kind) else kind)
            left = left.filter(~fits)
    if left.len():
        found.add(t.STRING)
    return found


def _times(text: pl.Series, how: Spelling, settings: Settings) -> bool:
    """Whether all of a text are times."""
    time = _is_time(how, settings)
    test = time if how.time is None else time | _is_date(how, settings)
    return bool(pl.DataFrame({"x": text}).select(test.all()).item())


def _big(kind: t.DataType) -> bool:
    return isinstance(kind, t.DecimalType)


def _is_time(how: Spelling, settings: Settings) -> pl.Expr:
    text = pl.col("x")
    if how.time is None:  # what cannot be a time is not even tried
        text = pl.when(text.str.contains(r"^\s*[+-]?T?[0-9]")).then(text)
    return typed(text, t.TIMESTAMP, how, settings).is_not_null()


def _is_date(how: Spelling, settings: Settings) -> pl.Expr:
    found = typed(pl.col("x"), t.DATE, how, settings).is_not_null()
    if how.date is not None:
        return found
    return pl.col("x").str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$") & found


def wide_enough(found: set[t.DataType]) -> t.DataType:
    """The type that holds all the values; text if nothing else does, or if there are none."""
    if len(found) == 1:
        return next(iter(found))
    decimals = {each for each in found if isinstance(each, t.DecimalType)}
    if found and found <= {t.INT, t.LONG}:
        return t.LONG
    if decimals and found <= {t.INT, t.LONG} | decimals:
        return t.DecimalType(max(20, *(each.precision for each in decimals)), 0)
    if found and found <= {t.INT, t.LONG, t.DOUBLE} | decimals:
        return t.DOUBLE
    if found and found <= {t.DATE, t.TIMESTAMP}:
        return t.TIMESTAMP
    return t.STRING
