"""Dates and times of day: from text, from and to numbers, and one as the other."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import BLANKS, read, sound
from planner.columns.casts.numbers import int128, scaled, to_number, true_quotient
from planner.columns.functions.zones import instant, local, zone_of

NAIVE = pl.Datetime("us")
_SECOND = 1_000_000
_DAY = re.compile(r"([+-]?)(\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?", re.DOTALL)
_MOMENT = re.compile(
    r"([+-]?)(\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T]"
    r"(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{0,9}))?)?)?(?:\s*([A-Za-z+-].*))?)?)?)?",
    re.DOTALL,
)
_EPOCH = dt.date(1970, 1, 1).toordinal()


def days_of(year: int, month: int, day: int) -> int | None:
    """Days since 1970 of a date of the proleptic Gregorian calendar; None if there is none such."""
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    eras, of_era = divmod(year - 1, 400)
    try:
        return dt.date(of_era + 1, month, day).toordinal() - _EPOCH + eras * 146097
    except ValueError:
        return None


def _day(text: str) -> int | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    sign, year, month, day = found.groups()
    days = days_of(int(sign + year), int(month or 1), int(day or 1))
    return days if days is not None and -(2**31) <= days < 2**31 else None


def _offset(name: str, naive: int) -> int | None:
    """Microseconds that a zone is ahead of UTC at a local time; None if there is no such zone."""
    try:
        zone = zone_of(name)
    except ValueError:
        zone = None
    if zone is None:
        return None
    if isinstance(zone, dt.timedelta):
        return zone // dt.timedelta(microseconds=1)
    at = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=naive)
    ahead = at.replace(tzinfo=zone).utcoffset() or dt.timedelta(0)
    return ahead // dt.timedelta(microseconds=1)


def _moment(text: str, zone: str | None) -> int | None:
    """Microseconds since 1970: instants if there is a session's zone, else as the clock shows."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    sign, year, month, day, hour, minute, second, part, own = found.groups()
    days = days_of(int(sign + year), int(month or 1), int(day or 1))
    times = int(hour or 0), int(minute or 0), int(second or 0)
    if days is None or times[0] > 23 or times[1] > 59 or times[2] > 59:
        return None
    seconds = days * 86400 + times[0] * 3600 + times[1] * 60 + times[2]
    naive = seconds * _SECOND + int((part or "")[:6].ljust(6, "0"))
    if own is not None:
        ahead = None if own == "z" else _offset(own.strip(), naive)
        if ahead is None:
            return None
        return naive - ahead if zone is not None else naive
    if zone is None:
        return naive
    ahead = _offset(zone, naive)
    return None if ahead is None else naive - ahead


def text_to_date(text: pl.Expr, mode: str) -> pl.Expr:
    """A date, perhaps without day or month, perhaps with a time after it that does not count."""

    def run(values: pl.Series) -> pl.Series:
        usual = values.str.contains(r"^\d{4}-\d{2}-\d{2}$").fill_null(False)
        found = values.set(~usual, None).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32)
        rest = ~usual & values.is_not_null()
        if rest.any():
            more = [_day(each.strip(BLANKS)) for each in values.filter(rest)]
            found = found.scatter(rest.arg_true(), pl.Series(more, dtype=pl.Int32))
        return found.cast(pl.Date)

    return read(text, text.map_batches(run, pl.Date(), is_elementwise=True), mode, "date")


def text_to_moment(text: pl.Expr, zone: str | None, mode: str) -> pl.Expr:
    """Date and time of day, perhaps with a zone; as the clock shows if `zone` is None."""
    pattern = r"^\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"

    def usual(values: pl.Series) -> pl.Series:
        plain = values.str.contains(pattern).fill_null(False)
        return values.set(~plain, None).str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"
        )

    def unusual(values: pl.Series) -> pl.Series:
        rest = ~values.str.contains(pattern)
        found = pl.Series([None], dtype=pl.Int64).new_from_index(0, len(values))
        if rest.any():
            more = [_fitting(_moment(each.strip(BLANKS), zone)) for each in values.filter(rest)]
            at = rest.fill_null(False).arg_true()
            found = found.scatter(at, pl.Series(more, dtype=pl.Int64))
        return found.cast(NAIVE)

    quick = text.map_batches(usual, NAIVE, is_elementwise=True)
    slow = text.map_batches(unusual, NAIVE, is_elementwise=True)
    if zone is not None:
        quick, slow = instant(quick, zone), slow.dt.replace_time_zone("UTC")
    return read(text, pl.coalesce(quick, slow), mode, "timestamp")


def _fitting(micros: int | None) -> int | None:
    """A moment, if 64 bits hold it."""
    return micros if micros is not None and -(2**63) <= micros < 2**63 else None


def number_to_instant(value: pl.Expr, old: t.DataType, mode: str) -> pl.Expr:
    """Seconds since 1970 as instants."""
    kind = pl.Datetime("us", "UTC")
    if isinstance(old, t.BooleanType):
        return value.cast(pl.Int64).cast(kind)
    if isinstance(old, t.IntegralType):
        top = 2**63 - 1
        wide = (value.cast(pl.Int128) * int128(_SECOND)).clip(int128(-top - 1), int128(top))
        return wide.cast(pl.Int64).cast(kind)
    if isinstance(old, t.DecimalType):
        exact = (
            value.to_physical() * int128(_SECOND) if old.precision <= 32 else value.to_physical()
        )
        down = old.scale if old.precision <= 32 else old.scale - 6
        cut = exact.truncdiv(int128(10**down)) if down >= 0 else exact * int128(10**-down)
        return cut.cast(pl.Int64, wrap_numerical=True).cast(kind)
    wide = value.cast(pl.Float64)
    sane = wide.is_finite()
    micros = to_number(pl.when(sane).then(wide) * 1e6, t.DOUBLE, t.LONG, "legacy")
    bad = value.is_not_null() & ~sane
    message = "no number and infinity are no timestamps; use try_cast to have NULL instead"
    return sound(micros.cast(kind), bad, mode, "CAST_INVALID_INPUT", message)


def instant_to_number(value: pl.Expr, new: t.DataType, mode: str) -> pl.Expr:
    """Instants as seconds since 1970, with a fraction where the type has one."""
    micros = value.cast(pl.Int64)
    if isinstance(new, t.DoubleType | t.FloatType):
        return true_quotient(micros, 1e6).cast(pl.Float64 if new == t.DOUBLE else pl.Float32)
    if isinstance(new, t.DecimalType):
        exact = scaled(micros.cast(pl.Int128), t.DecimalType(20, 6))
        return to_number(exact, t.DecimalType(20, 6), new, mode)
    return to_number(micros.floordiv(_SECOND), t.LONG, new, "try" if mode == "legacy" else mode)


def as_date(value: pl.Expr, old: t.DataType, zone: str) -> pl.Expr:
    """The day of a moment in the session's zone."""
    naive = local(value, zone) if isinstance(old, t.TimestampType) else value
    return naive.dt.date()


def as_moment(value: pl.Expr, old: t.DataType, new: t.DataType, zone: str) -> pl.Expr:
    """A date or moment as the other kind of moment; a date is its midnight."""
    naive = value.cast(NAIVE) if isinstance(old, t.DateType) else value
    if isinstance(old, t.TimestampType):
        naive = local(value, zone)
    return instant(naive, zone) if isinstance(new, t.TimestampType) else naive
