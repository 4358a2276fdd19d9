"""Parts of dates and of times of day, and counting with days and months."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casts.numbers import scaled
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
    DAY,
    INSTANT,
    INT,
    TEXT,
    At,
    Kind,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
)
from planner.columns.functions.rowwise import fail
from planner.columns.functions.zones import (
    back,
    instant,
    local_of,
    months_later,
    plus_days,
    plus_months,
)

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
Part = Callable[[pl.Expr], pl.Expr]


def _narrow(kind: t.DataType) -> t.DataType | None:
    """Days to count with: of 32 bits or less, or text."""
    if kind in (t.BYTE, t.SHORT, t.INT):
        return t.INT
    return t.INT if isinstance(kind, (t.StringType, t.NullType)) else None


COUNT = Kind("a whole number of at most 32 bits", _narrow)

# ---- parts ---------------------------------------------------------------------------------------

OF_DATE: dict[str, Part] = {
    "year": lambda x: x.dt.year(),
    "quarter": lambda x: x.dt.quarter(),
    "month": lambda x: x.dt.month(),
    "day": lambda x: x.dt.day(),
    "dayofweek": lambda x: x.dt.weekday() % 7 + 1,
    "dayofyear": lambda x: x.dt.ordinal_day(),
    "weekofyear": lambda x: x.dt.week(),
    "weekday": lambda x: x.dt.weekday() - 1,
}
OF_TIME: dict[str, Part] = {
    "hour": lambda x: x.dt.hour(),
    "minute": lambda x: x.dt.minute(),
    "second": lambda x: x.dt.second(),
}


def _enter(name: str, part: Part, of_time: bool) -> None:
    def build(at: At, value: pl.Expr) -> pl.Expr:
        whole = local_of(value, at.types[0], at.settings.zone) if of_time else value
        return part(whole).cast(pl.Int32)

    names = ("day", "dayofmonth") if name == "day" else (name,)
    scalar(*names, takes=(INSTANT if of_time else DAY,), gives=t.INT)(build)


for _name, _part in OF_DATE.items():
    _enter(_name, _part, False)
for _name, _part in OF_TIME.items():
    _enter(_name, _part, True)


def word(index: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """The word of a number that begins at 1."""
    return index.replace_strict(dict(enumerate(words, 1)), return_dtype=pl.String)


@scalar("dayname", takes=(DAY,), gives=t.STRING)
def dayname(at: At, day: pl.Expr) -> pl.Expr:
    return word(day.dt.weekday(), DAYS)


@scalar("monthname", takes=(DAY,), gives=t.STRING)
def monthname(at: At, day: pl.Expr) -> pl.Expr:
    return word(day.dt.month(), MONTHS)


_FIELDS: dict[str, tuple[str, ...]] = {
    "year": ("y", "years", "yr", "yrs"),
    "yearofweek": (),
    "quarter": ("qtr",),
    "month": ("mon", "mons", "months"),
    "week": ("w", "weeks"),
    "day": ("d", "days"),
    "dayofweek": ("dow",),
    "dayofweek_iso": ("dow_iso",),
    "doy": (),
    "hour": ("h", "hours", "hr", "hrs"),
    "minute": ("m", "min", "mins", "minutes"),
    "second": ("s", "sec", "seconds", "secs"),
}
FIELDS = {alias: name for name, more in _FIELDS.items() for alias in (name, *more)}
SECONDS = t.DecimalType(8, 6)
_PARTS: dict[str, Part] = {
    **OF_DATE,
    **OF_TIME,
    "yearofweek": lambda x: x.dt.iso_year(),
    "week": lambda x: x.dt.week(),
    "doy": lambda x: x.dt.ordinal_day(),
    "dayofweek_iso": lambda x: x.dt.weekday(),
}


def _part_typed(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch("date_part takes a field and a date", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    field, source = args
    if not isinstance(field, Literal):
        raise Mismatch("the field of date_part must be a constant", "NON_FOLDABLE_ARGUMENT")
    if field.value is None:
        return (Literal(None, t.STRING), source), t.DOUBLE, True
    name = FIELDS.get(str(field.value).lower())
    kind = source.type
    whole: dict[str, t.DataType]
    if isinstance(kind, t.DayTimeIntervalType):
        whole = {"day": t.INT, "hour": t.BYTE, "minute": t.BYTE, "second": SECONDS}
    elif isinstance(kind, t.YearMonthIntervalType):
        whole = {"year": t.INT, "month": t.BYTE}
    else:
        whole = dict.fromkeys(_PARTS, t.INT) | {"second": SECONDS}
        source = coerced("date_part", (source,), (INSTANT,), None, None)[0]
    if name is None or name not in whole:
        raise Mismatch(
            f"there is no {field.value} in {kind.simpleString()}", "INVALID_EXTRACT_FIELD"
        )
    return (field, source), whole[name], source.nullable


@scalar("date_part", "datepart", "extract", resolve=_part_typed)
def date_part(at: At, field: pl.Expr, value: pl.Expr) -> pl.Expr:
    if at.values[0] is None:
        return pl.lit(None, dtype=pl.Float64)
    name, kind = FIELDS[str(at.values[0]).lower()], to_polars(at.type)
    if isinstance(at.types[1], t.YearMonthIntervalType):
        years = pl.when(value < 0).then(-((-value) // 12)).otherwise(value // 12)
        return (years if name == "year" else value - years * 12).cast(kind)
    if isinstance(at.types[1], t.DayTimeIntervalType):
        size = value.to_physical().abs()
        sign = pl.when(value.to_physical() < 0).then(-1).otherwise(1)
        steps = {"day": (86400, 10**9), "hour": (3600, 24), "minute": (60, 60)}
        if name in steps:
            unit, most = steps[name]
            return (size // (unit * 10**6) % most * sign).cast(kind)
        return scaled((size % 60_000_000 * sign).cast(pl.Int128), SECONDS)
    whole = local_of(value, at.types[1], at.settings.zone)
    if name == "second":
        micros = whole.dt.second().cast(pl.Int64) * 1_000_000 + whole.dt.microsecond()
        return scaled(micros.cast(pl.Int128), SECONDS)
    return _PARTS[name](whole).cast(kind)


# ---- days and months -----------------------------------------------------------------------------


@scalar("date_add", "dateadd", takes=(DAY, COUNT), gives=t.DATE)
def date_add(at: At, day: pl.Expr, days: pl.Expr) -> pl.Expr:
    return plus_days(day, days)


@scalar("date_sub", takes=(DAY, COUNT), gives=t.DATE)
def date_sub(at: At, day: pl.Expr, days: pl.Expr) -> pl.Expr:
    return plus_days(day, -days)


@scalar("datediff", "date_diff", takes=(DAY, DAY), gives=t.INT)
def datediff(at: At, end: pl.Expr, start: pl.Expr) -> pl.Expr:
    return end.cast(pl.Int32) - start.cast(pl.Int32)


@scalar("add_months", takes=(DAY, INT), gives=t.DATE)
def add_months(at: At, day: pl.Expr, months: pl.Expr) -> pl.Expr:
    return plus_months(day, months)


def _month_of(whole: pl.Expr) -> pl.Expr:
    return whole.dt.year().cast(pl.Int64) * 12 + whole.dt.month()


_MONTH = 31 * 86400


def _into_month(value: pl.Expr, whole: pl.Expr, kind: t.DataType, zone: str) -> pl.Expr:
    """The days of the month and the seconds since midnight, which may have been 23 or 25 hours ago
    at this time of day."""
    midnight = whole.dt.truncate("1d")
    since = value - instant(midnight, zone) if kind == t.TIMESTAMP else whole - midnight
    return whole.dt.day().cast(pl.Int64) * 86400 + since.dt.total_seconds()


@scalar(
    "months_between",
    takes=(INSTANT, INSTANT, Kind("a boolean", lambda kind: t.BOOLEAN)),
    gives=t.DOUBLE,
    least=2,
)
def months_between(at: At, end: pl.Expr, start: pl.Expr, rounded: pl.Expr | None = None) -> pl.Expr:
    """Whole months between equal days or ends of months; else a month has 31 days."""
    zone = at.settings.zone
    a, b = local_of(end, at.types[0], zone), local_of(start, at.types[1], zone)
    months = _month_of(a) - _month_of(b)
    ends = [x.dt.day() == x.dt.month_end().dt.day() for x in (a, b)]
    whole = (a.dt.day() == b.dt.day()) | (ends[0] & ends[1])
    seconds = _into_month(end, a, at.types[0], zone) - _into_month(start, b, at.types[1], zone)
    # Polars multiplies by the inverse of a constant, which is not the same in the last digit
    month = seconds.cast(pl.Float64) * 0.0 + float(_MONTH)
    parts = months + seconds.cast(pl.Float64) / month
    found = pl.when(whole).then(months.cast(pl.Float64)).otherwise(parts)
    near = found.round(8, mode="half_away_from_zero")
    return near if rounded is None else pl.when(rounded).then(near).when(~rounded).then(found)


@scalar("last_day", takes=(DAY,), gives=t.DATE)
def last_day(at: At, day: pl.Expr) -> pl.Expr:
    return day.dt.month_end()


_DAY_NAMES = {
    form: index
    for index, (short, long) in enumerate(zip(DAYS, LONG_DAYS, strict=True), 1)
    for form in (short.upper(), long.upper(), short[:2].upper())
}


def _next(day: pl.Expr, wanted: pl.Expr | int) -> pl.Expr:
    return plus_days(day, (wanted - 1 - day.dt.weekday().cast(pl.Int32)) % 7 + 1)


@scalar("next_day", takes=(DAY, TEXT), gives=t.DATE)
def next_day(at: At, day: pl.Expr, name: pl.Expr) -> pl.Expr:
    wanted = name.str.to_uppercase().replace_strict(_DAY_NAMES, default=None, return_dtype=pl.Int32)
    found = _next(day, wanted)
    if not at.ansi:
        return found
    bad = wanted.is_null() & name.is_not_null() & day.is_not_null()
    return raise_where(bad, "ILLEGAL_DAY_OF_WEEK", "there is no such day of the week", found)


# ---- cutting off ---------------------------------------------------------------------------------

_UNITS = {
    **dict.fromkeys(("YEAR", "YYYY", "YY"), "1y"),
    "QUARTER": "1q",
    **dict.fromkeys(("MONTH", "MM", "MON"), "1mo"),
    "WEEK": "1w",
}
_SMALL = {
    **dict.fromkeys(("DAY", "DD"), "1d"),
    "HOUR": "1h",
    "MINUTE": "1m",
    "SECOND": "1s",
    "MILLISECOND": "1ms",
    "MICROSECOND": "1us",
}
_CLOCK = ("1h", "1m", "1s", "1ms", "1us")


def _by_unit(
    known: object,
    unit: pl.Expr,
    units: dict[str, str],
    cut: Callable[[str], pl.Expr],
    none: pl.Expr,
) -> pl.Expr:
    """`cut` for the unit of each row; NULL for an unknown one."""
    if isinstance(known, str):
        size = units.get(known.upper())
        return none if size is None else cut(size)
    name = unit.str.to_uppercase()
    sizes: dict[str, list[str]] = {}
    for word_, size in units.items():
        sizes.setdefault(size, []).append(word_)
    found = none
    for size, words in sizes.items():
        found = pl.when(name.is_in(words)).then(cut(size)).otherwise(found)
    return found


@scalar("trunc", takes=(DAY, TEXT), gives=t.DATE)
def trunc(at: At, day: pl.Expr, unit: pl.Expr) -> pl.Expr:
    none = pl.lit(None, dtype=pl.Date)
    return _by_unit(at.values[1], unit, _UNITS, day.dt.truncate, none)


@scalar("date_trunc", takes=(TEXT, INSTANT), gives=t.TIMESTAMP)
def date_trunc(at: At, unit: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Of the clock only what is cut off is taken away, so that it stays on its side of a change of
    the clocks."""
    zone = at.settings.zone
    whole = local_of(value, at.types[1], zone)
    moment = value if at.types[1] == t.TIMESTAMP else instant(whole, zone)

    def cut(size: str) -> pl.Expr:
        short = whole.dt.truncate(size)
        return moment - (whole - short) if size in _CLOCK else instant(short, zone)

    none = pl.lit(None, dtype=to_polars(t.TIMESTAMP))
    return _by_unit(at.values[0], unit, _UNITS | _SMALL, cut, none)


# ---- made of numbers -----------------------------------------------------------------------------


def day_of(at: At, year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """A date; one that does not exist is an error under ANSI, else NULL."""
    safe = (month >= 1) & (month <= 12) & (year >= -290000) & (year <= 290000)
    first = pl.date(pl.when(safe).then(year), pl.when(safe).then(month), 1)
    there = safe & (day >= 1) & (day <= first.dt.month_end().dt.day())
    found = pl.when(there).then(plus_days(first, day - 1))
    if not at.ansi:
        return found
    given = year.is_not_null() & month.is_not_null() & day.is_not_null()
    bad = given & ~there.fill_null(False)
    return raise_where(bad, "DATETIME_FIELD_OUT_OF_BOUNDS", "there is no such date", found)


@scalar("make_date", takes=(INT, INT, INT), gives=t.DATE)
def make_date(at: At, year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return day_of(at, year, month, day)


@scalar("unix_date", takes=(DAY,), gives=t.INT)
def unix_date(at: At, day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Int32)


@scalar("date_from_unix_date", takes=(INT,), gives=t.DATE)
def date_from_unix_date(at: At, days: pl.Expr) -> pl.Expr:
    return days.cast(pl.Date)


# ---- so many units -------------------------------------------------------------------------------

MICROS = {
    "MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 10**6, "MINUTE": 60 * 10**6,
    "HOUR": 3600 * 10**6,
}  # fmt: skip
_DAYS_IN = {"DAY": 1, "DAYOFYEAR": 1, "WEEK": 7}
_MONTHS_IN = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def _unit(at: At, name: str) -> str:
    unit = str(at.values[0]).upper()
    if unit not in (*MICROS, *_DAYS_IN, *_MONTHS_IN):
        fail("INVALID_PARAMETER_VALUE.DATETIME_UNIT", f"{name} knows no unit {unit}")
    return unit


WIDE = Kind(
    "a whole number", lambda k: t.LONG if isinstance(k, (t.IntegralType, t.NullType)) else None
)


@scalar("timestampadd", "timestamp_add", takes=(TEXT, WIDE, INSTANT), gives=lambda types: types[2])
def timestampadd(at: At, unit: pl.Expr, count: pl.Expr, value: pl.Expr) -> pl.Expr:
    name, kind, zone = _unit(at, "timestampadd"), at.types[2], at.settings.zone
    if name in MICROS:
        return value + (count * MICROS[name]).cast(pl.Duration("us"))
    whole = local_of(value, kind, zone)
    if name in _DAYS_IN:
        found = whole + (count * _DAYS_IN[name] * 86400 * 10**6).cast(pl.Duration("us"))
    else:
        found = months_later(whole, count * _MONTHS_IN[name])
    return back(found, kind, zone)


def whole_months(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Full months from a to b, towards zero."""
    months = _month_of(b) - _month_of(a)
    rest = [x - x.dt.truncate("1mo") for x in (a, b)]
    less = ((months > 0) & (rest[1] < rest[0])).cast(pl.Int64)
    more = ((months < 0) & (rest[1] > rest[0])).cast(pl.Int64)
    return months - less + more


@scalar("timestampdiff", "timestamp_diff", takes=(TEXT, INSTANT, INSTANT), gives=t.LONG)
def timestampdiff(at: At, unit: pl.Expr, start: pl.Expr, end: pl.Expr) -> pl.Expr:
    name, zone = _unit(at, "timestampdiff"), at.settings.zone
    a, b = local_of(start, at.types[1], zone), local_of(end, at.types[2], zone)
    if name in _MONTHS_IN:
        return whole_months(a, b).truncdiv(_MONTHS_IN[name])
    size = MICROS.get(name) or _DAYS_IN[name] * 86400 * 10**6
    return (b - a).to_physical().truncdiv(size)
