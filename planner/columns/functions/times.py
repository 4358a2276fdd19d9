"""Timestamps: read, written, made of numbers, moved between zones; and the moment of the query."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.casts.numbers import unscaled
from planner.columns.coercion import implied
from planner.columns.expressions import Cast, Expr, Literal
from planner.columns.functions import java_dates
from planner.columns.functions.dates import WIDE, day_of
from planner.columns.functions.raising import raise_where
from planner.columns.functions.registry import (
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
from planner.columns.functions.rowwise import absent, each
from planner.columns.functions.zones import NAIVE, instant, known_zone, local, offset_at

UTC = dt.UTC
USUAL = "yyyy-MM-dd HH:mm:ss"
_MOMENTS = (t.DateType, t.TimestampType, t.TimestampNTZType)


def _moment(kind: t.DataType) -> t.DataType | None:
    takes = isinstance(kind, (*_MOMENTS, t.StringType, t.NullType))
    return t.TIMESTAMP if takes else None


def _plain(kind: t.DataType) -> t.DataType | None:
    takes = isinstance(kind, (*_MOMENTS, t.StringType, t.NullType))
    return t.TIMESTAMP_NTZ if takes else None


STAMP = Kind("a timestamp", _moment)
STAMP_NTZ = Kind("a timestamp", _plain)

# ---- now -----------------------------------------------------------------------------------------


def _now(at: At) -> pl.Expr:
    """The moment that the query was given; one for all of it."""
    return pl.lit(at.settings.now, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


@scalar("current_timestamp", "now", gives=t.TIMESTAMP, null=False)
def current_timestamp(at: At) -> pl.Expr:
    return _now(at)


@scalar("localtimestamp", gives=t.TIMESTAMP_NTZ, null=False)
def localtimestamp(at: At) -> pl.Expr:
    return local(_now(at), at.settings.zone)


@scalar("current_date", "curdate", gives=t.DATE, null=False)
def current_date(at: At) -> pl.Expr:
    return local(_now(at), at.settings.zone).dt.date()


@scalar("current_timezone", gives=t.STRING, null=False)
def current_timezone(at: At) -> pl.Expr:
    return pl.lit(at.settings.zone)


# ---- writing -------------------------------------------------------------------------------------


def written(at: At, value: pl.Expr, pattern: pl.Expr, known: Any) -> pl.Expr:
    """Timestamps as text of a pattern."""
    zone = at.settings.zone
    whole, offset = local(value, zone), offset_at(value, zone)

    def one(when: dt.datetime, form: str, ahead: dt.timedelta) -> str:
        return java_dates.written(form, when, ahead, zone)

    if not isinstance(known, str):
        return each(one, t.STRING, whole, pattern, offset)
    format_ = java_dates.quick(known)
    if format_ is not None:
        text = (
            whole.dt.strftime(format_) if format_ else pl.when(whole.is_not_null()).then(pl.lit(""))
        )
        old = whole.dt.year() < 1
        return raise_where(old, "DATETIME_OVERFLOW", "a year before 1 cannot be written", text)
    return each(lambda when, ahead: one(when, known, ahead), t.STRING, whole, offset)


@scalar("date_format", takes=(STAMP, TEXT), gives=t.STRING)
def date_format(at: At, value: pl.Expr, pattern: pl.Expr) -> pl.Expr:
    return written(at, value, pattern, at.values[1])


@scalar(
    "from_unixtime",
    takes=(Kind("a whole number", lambda k: _seconds(k)), TEXT),
    least=1,
    gives=t.STRING,
)
def from_unixtime(at: At, seconds: pl.Expr, pattern: pl.Expr | None = None) -> pl.Expr:
    moment = (seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
    known = USUAL if pattern is None else at.values[1]
    return written(at, moment, pl.lit(USUAL) if pattern is None else pattern, known)


def _seconds(kind: t.DataType) -> t.DataType | None:
    takes = isinstance(kind, (t.NumericType, t.StringType, t.NullType))
    return t.LONG if takes else None


# ---- reading -------------------------------------------------------------------------------------


def _read(
    at: At, text: pl.Expr, pattern: pl.Expr, known: Any, kind: t.DataType, gentle: bool
) -> pl.Expr:
    """Text by a pattern as `kind`. What does not fit is an error under ANSI, else NULL."""
    found = _read_naive(at, text, pattern, known, kind)
    if gentle or not at.ansi:
        return found
    bad = found.is_null() & text.is_not_null() & pattern.is_not_null()
    message = "the text does not fit the pattern of a date; use try_to_timestamp to have NULL"
    return raise_where(bad, "CANNOT_PARSE_TIMESTAMP", message, found)


def _read_naive(at: At, text: pl.Expr, pattern: pl.Expr, known: Any, kind: t.DataType) -> pl.Expr:
    zone = at.settings.zone

    def one(value: str, form: str) -> Any:
        found = java_dates.read(form, value)
        if found is None or kind == t.DATE:
            return found and found[0].date()
        when, named = found
        if named is None or kind == t.TIMESTAMP_NTZ:
            return when
        ahead = known_zone(named)
        if isinstance(ahead, dt.timedelta):
            return (when - ahead).replace(tzinfo=UTC)
        return when.replace(tzinfo=ahead).astimezone(UTC)

    if not isinstance(known, str):
        return _as_instants(one, kind, zone, text, pattern)
    how = java_dates.reading(known)
    if how.format is not None:
        fits = text.str.contains(f"^(?i-u:{how.regex.pattern})$".replace("\\d", "[0-9]"))
        fits = fits & ~text.str.contains("\n", literal=True)
        words = any(char.isalpha() for char in re.sub("%.", "", how.format))
        own = pl.when(fits).then(text.str.to_uppercase() if words else text)
        if "%H" not in how.format:
            days = own.str.strptime(pl.Date, how.format, strict=False)
            naive = days if kind == t.DATE else days.cast(NAIVE)
        else:
            naive = own.str.strptime(NAIVE, how.format, strict=False)
            naive = naive.dt.date() if kind == t.DATE else naive
        return instant(naive, zone) if kind == t.TIMESTAMP else naive
    return _as_instants(lambda value: one(value, known), kind, zone, text)


def _as_instants(f: Callable[..., Any], kind: t.DataType, zone: str, *args: pl.Expr) -> pl.Expr:
    """What `f` reads; times of day without a zone are in that of the session."""
    if kind != t.TIMESTAMP:
        return each(f, kind, *args)

    def naive(*values: Any) -> dt.datetime | None:
        found = f(*values)
        return None if found is None or found.tzinfo else found

    def zoned(*values: Any) -> dt.datetime | None:
        found = f(*values)
        return found if found is not None and found.tzinfo else None

    return each(zoned, kind, *args).fill_null(instant(each(naive, t.TIMESTAMP_NTZ, *args), zone))


def _parsing(name: str, kind: t.DataType, gentle: bool) -> None:
    """to_date, to_timestamp and theirs: a cast without a pattern."""

    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        if not 1 <= len(args) <= 2:
            raise Mismatch(f"{name} takes 1 or 2 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
        value = args[0]
        takes = (*_MOMENTS, t.StringType, t.NullType)
        if not isinstance(value.type, takes) and not (
            kind == t.TIMESTAMP and isinstance(value.type, t.NumericType)
        ):
            raise Mismatch(f"{name} takes text or a date, and not {value.type.simpleString()}")
        if len(args) == 2 and isinstance(value.type, t.StringType):
            form = coerced(name, args[1:], (TEXT,), None, None)[0]
            return (value, form), kind, True
        if value.type == kind:
            return (value,), kind, value.nullable
        mode = "try" if gentle else ("ansi" if settings.ansi else "legacy")
        if not isinstance(value.type, (t.StringType, t.NumericType)):
            return (implied(value, kind),), kind, value.nullable
        return (Cast(value, kind, mode, hidden=True),), kind, True

    def build(at: At, value: pl.Expr, pattern: pl.Expr | None = None) -> pl.Expr:
        if pattern is None:
            return value
        return _read(at, value, pattern, at.values[1], kind, gentle)

    scalar(name, resolve=resolve)(build)


for _prefix in ("", "try_"):
    _parsing(f"{_prefix}to_date", t.DATE, bool(_prefix))
    _parsing(f"{_prefix}to_timestamp", t.TIMESTAMP, bool(_prefix))
_parsing("to_timestamp_ltz", t.TIMESTAMP, False)
_parsing("to_timestamp_ntz", t.TIMESTAMP_NTZ, False)


# ---- seconds since 1970 --------------------------------------------------------------------------


def _unix(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) > 2:
        raise Mismatch(
            "unix_timestamp takes at most 2 arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    if not args:
        return (), t.LONG, False
    first = args[0]
    if not isinstance(first.type, (*_MOMENTS, t.StringType, t.NullType)):
        raise Mismatch(f"unix_timestamp takes text or a date, not {first.type.simpleString()}")
    if not isinstance(first.type, t.StringType):
        kind = t.TIMESTAMP_NTZ if first.type == t.TIMESTAMP_NTZ else t.TIMESTAMP
        return (implied(first, kind),), t.LONG, first.nullable
    form = args[1] if len(args) == 2 else Literal(USUAL, t.STRING)
    return (first, implied(form, t.STRING)), t.LONG, True


@scalar("unix_timestamp", "to_unix_timestamp", resolve=_unix)
def unix_timestamp(at: At, value: pl.Expr | None = None, form: pl.Expr | None = None) -> pl.Expr:
    if value is None:
        return _now(at).to_physical() // 1_000_000  # NULL before the query runs
    if form is not None:
        value = _read(at, value, form, at.values[1], t.TIMESTAMP, False)
    return value.to_physical().truncdiv(1_000_000)


def _since(name: str, size: int) -> None:
    def build(at: At, value: pl.Expr) -> pl.Expr:
        return value.to_physical() // size if size > 1 else value.to_physical()

    scalar(name, takes=(STAMP,), gives=t.LONG)(build)


_since("unix_seconds", 1_000_000)
_since("unix_millis", 1000)
_since("unix_micros", 1)


def _numbers(kind: t.DataType) -> t.DataType | None:
    if isinstance(kind, (t.FloatType, t.DoubleType)):
        return t.DOUBLE
    if isinstance(kind, t.DecimalType):
        return kind
    return t.LONG if isinstance(kind, (t.IntegralType, t.NullType)) else None


_TOO_FAR = "the time is too far from 1970"


def _instants(seconds: pl.Expr, size: int) -> pl.Expr:
    limit = (2**63 - 1) // size
    bad = (seconds > limit) | (seconds < -limit)
    micros = pl.when(~bad).then(seconds) * size
    found = micros.cast(pl.Datetime("us", "UTC"))
    return raise_where(bad, "DATETIME_OVERFLOW", _TOO_FAR, found) if size > 1 else found


@scalar("timestamp_seconds", takes=(Kind("a number", _numbers),), gives=t.TIMESTAMP)
def timestamp_seconds(at: At, seconds: pl.Expr) -> pl.Expr:
    kind = at.types[0]
    if kind == t.LONG:
        return _instants(seconds, 1_000_000)
    if isinstance(kind, t.DecimalType):
        shift = 10 ** abs(6 - kind.scale)
        whole = unscaled(seconds).cast(pl.Int128)
        micros = whole * shift if kind.scale <= 6 else whole.truncdiv(shift)
        if kind.scale > 6:
            lost = micros * shift != whole
            micros = raise_where(lost, "ROUNDING_NECESSARY", "there are parts of micros", micros)
        return micros.cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
    finite = pl.when(seconds.is_finite()).then(seconds)
    return (finite * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


@scalar("timestamp_millis", takes=(WIDE,), gives=t.TIMESTAMP)
def timestamp_millis(at: At, value: pl.Expr) -> pl.Expr:
    return _instants(value, 1000)


@scalar("timestamp_micros", takes=(WIDE,), gives=t.TIMESTAMP)
def timestamp_micros(at: At, value: pl.Expr) -> pl.Expr:
    return _instants(value, 1)


# ---- made of numbers -----------------------------------------------------------------------------

SIXTY = t.DecimalType(16, 6)
_SECONDS = Kind(
    "seconds", lambda k: SIXTY if isinstance(k, (t.NumericType, t.StringType, t.NullType)) else None
)


def _making(name: str, kind: t.DataType, gentle: bool) -> None:
    def build(at: At, *args: pl.Expr) -> pl.Expr:
        year, month, day, hour, minute, seconds = args[:6]
        own = At(t.DATE, at.types, at.values, Settings(ansi=at.ansi and not gentle))
        date = day_of(own, year, month, day)
        micros = unscaled(seconds).cast(pl.Int64)
        fits = hour.is_between(0, 23) & minute.is_between(0, 59)
        sound = micros.is_between(0, 60_000_000)
        clock = (hour.cast(pl.Int64) * 60 + minute) * 60_000_000 + micros
        naive = date.cast(NAIVE) + pl.when(fits & sound).then(clock).cast(pl.Duration("us"))
        found = naive
        if kind == t.TIMESTAMP:
            found = _there(at, naive, args[6] if len(args) > 6 else None)
        if gentle or not at.ansi:
            return found
        given = pl.all_horizontal([arg.is_not_null() for arg in args])
        message = "there is no such time of day"
        found = raise_where(given & ~fits, "DATETIME_FIELD_OUT_OF_BOUNDS", message, found)
        bad = given & ~sound
        return raise_where(bad, "INVALID_FRACTION_OF_SECOND", "60 seconds have no part", found)

    takes = (INT, INT, INT, INT, INT, _SECONDS, *((TEXT,) if kind == t.TIMESTAMP else ()))
    scalar(name, takes=takes, gives=kind, least=6)(build)


def _there(at: At, naive: pl.Expr, zone: pl.Expr | None) -> pl.Expr:
    """Local times of a zone as instants."""
    if zone is None:
        return instant(naive, at.settings.zone)
    known = at.values[6]
    return instant(naive, known) if isinstance(known, str) else from_zone(naive, zone)


def from_zone(naive: pl.Expr, zone: pl.Expr) -> pl.Expr:
    """Local times as instants, each of a zone of its own."""

    def one(when: dt.datetime, name: str) -> dt.datetime:
        found = known_zone(name)
        if isinstance(found, dt.timedelta):
            return (when - found).replace(tzinfo=UTC)
        return when.replace(tzinfo=found).astimezone(UTC)

    return each(one, t.TIMESTAMP, naive, zone)


def to_zone(moment: pl.Expr, zone: pl.Expr) -> pl.Expr:
    """Instants as local times, each of a zone of its own."""

    def one(when: dt.datetime, name: str) -> dt.datetime:
        found = known_zone(name)
        if isinstance(found, dt.timedelta):
            return when.replace(tzinfo=None) + found
        return when.astimezone(found).replace(tzinfo=None)

    return each(one, t.TIMESTAMP_NTZ, moment, zone)


for _prefix in ("", "try_"):
    _making(f"{_prefix}make_timestamp", t.TIMESTAMP, bool(_prefix))
    _making(f"{_prefix}make_timestamp_ltz", t.TIMESTAMP, bool(_prefix))
    _making(f"{_prefix}make_timestamp_ntz", t.TIMESTAMP_NTZ, bool(_prefix))


# ---- from zone to zone ---------------------------------------------------------------------------


def _local_in(known: Any, moment: pl.Expr, zone: pl.Expr) -> pl.Expr:
    return local(moment, known) if isinstance(known, str) else to_zone(moment, zone)


def _instant_in(known: Any, naive: pl.Expr, zone: pl.Expr) -> pl.Expr:
    return instant(naive, known) if isinstance(known, str) else from_zone(naive, zone)


@scalar("from_utc_timestamp", takes=(STAMP, TEXT), gives=t.TIMESTAMP)
def from_utc_timestamp(at: At, moment: pl.Expr, zone: pl.Expr) -> pl.Expr:
    return _local_in(at.values[1], moment, zone).dt.replace_time_zone("UTC")


@scalar("to_utc_timestamp", takes=(STAMP, TEXT), gives=t.TIMESTAMP)
def to_utc_timestamp(at: At, moment: pl.Expr, zone: pl.Expr) -> pl.Expr:
    return _instant_in(at.values[1], moment.dt.replace_time_zone(None), zone)


def _zones(args: Sequence[Expr], settings: Settings) -> Typed:
    given = args if len(args) != 2 else [Literal(settings.zone, t.STRING), *args]
    found = coerced("convert_timezone", given, (TEXT, TEXT, STAMP_NTZ), None, None)
    return found, t.TIMESTAMP_NTZ, any(arg.nullable for arg in found)


@scalar("convert_timezone", resolve=_zones)
def convert_timezone(at: At, old: pl.Expr, new: pl.Expr, value: pl.Expr) -> pl.Expr:
    return _local_in(at.values[1], _instant_in(at.values[0], value, old), new)


absent(
    "make_time to_time try_to_time time_diff time_trunc time_from_micros time_from_millis "
    "time_from_seconds time_to_micros time_to_millis time_to_seconds current_time",
    "a timestamp",
)
absent("timestamp_nanos unix_nanos", "timestamp_micros, unix_micros")
absent("time_bucket", "window or date_trunc")
