"""Time zones: instants as local date and time, and back, by Java's rules.

Where clocks go back, the earlier instant is meant; a time that clocks skip is moved on by what they
skip. Polars' tables of zones end in 2037; later years are Python's.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from functools import lru_cache

import polars as pl

from planner.columns import types as t
from planner.columns.functions.elements import by_batch
from planner.columns.functions.rowwise import fail

NAIVE, INSTANTS = pl.Datetime("us"), pl.Datetime("us", "UTC")
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d\d?)(?::?(\d\d)(?::?(\d\d))?)?")
_SHORT = {
    "ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
    "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
    "EST": "-05:00", "MST": "-07:00", "HST": "-10:00",
}  # fmt: skip
_TABLES_END = dt.datetime(2037, 1, 1)


@lru_cache(256)
def zone_of(name: str) -> dt.timedelta | zoneinfo.ZoneInfo:
    """A fixed offset, or a zone with rules.

    Raises
    ------
    ValueError
        There is no such zone.
    """
    name = _SHORT.get(name, name)
    if name in ("UTC", "GMT", "UT", "Z", "Etc/UTC"):
        return dt.timedelta(0)
    found = _OFFSET.fullmatch(name)
    if found:
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
        if hours > 18 or minutes > 59 or seconds > 59:
            raise ValueError(f"there is no time zone {name}")
        size = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return -size if found[1] == "-" else size
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name}") from error


def known_zone(name: str) -> dt.timedelta | zoneinfo.ZoneInfo:
    """As `zone_of`; an unknown one is the query's failure."""
    try:
        return zone_of(name)
    except ValueError as error:
        fail("INVALID_TIMEZONE", str(error))


def _patched(
    series: pl.Series, found: pl.Series, one: Callable[[dt.datetime], dt.datetime]
) -> pl.Series:
    """`found`, with the late ones by `one`."""
    late = series.dt.replace_time_zone(None) >= _TABLES_END
    if not late.any():
        return found
    values = [
        one(value) if is_late else old
        for value, is_late, old in zip(
            series.to_list(), late.to_list(), found.to_list(), strict=True
        )
    ]
    return pl.Series(values, dtype=found.dtype)


def local(instant: pl.Expr, zone: str) -> pl.Expr:
    """Instants as date and time of day in a zone."""
    found = known_zone(zone)
    if isinstance(found, dt.timedelta):
        naive = instant.dt.replace_time_zone(None)
        return naive + found if found else naive
    ruled = found

    def run(series: pl.Series) -> pl.Series:
        moved = series.dt.convert_time_zone(ruled.key).dt.replace_time_zone(None)
        return _patched(series, moved, lambda x: x.astimezone(ruled).replace(tzinfo=None))

    return by_batch(run, t.TIMESTAMP_NTZ, instant)


def instant(naive: pl.Expr, zone: str) -> pl.Expr:
    """Date and time of day in a zone as instants."""
    found = known_zone(zone)
    if isinstance(found, dt.timedelta):
        moved = naive - found if found else naive
        return moved.dt.replace_time_zone("UTC")
    ruled = found

    def run(series: pl.Series) -> pl.Series:
        day = dt.timedelta(days=1)
        there = _known(series, ruled.key)
        if there.null_count() > series.null_count():
            there = there.fill_null(_known(series - day, ruled.key) + day)
        return _patched(series, there, lambda x: _late(x, ruled))

    return by_batch(run, t.TIMESTAMP, naive)


def _known(series: pl.Series, zone: str) -> pl.Series:
    ruled = series.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return ruled.dt.convert_time_zone("UTC")


def _late(naive: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """fold=0 means the offset before the change, for times that are twice and for those skipped."""
    return naive.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)


def local_of(value: pl.Expr, kind: t.DataType, zone: str) -> pl.Expr:
    """A date or timestamp of any kind as date and time of day."""
    if isinstance(kind, t.DateType):
        return value.cast(NAIVE)
    return local(value, zone) if isinstance(kind, t.TimestampType) else value


def back(naive: pl.Expr, kind: t.DataType, zone: str) -> pl.Expr:
    """The opposite of `local_of`."""
    if isinstance(kind, t.DateType):
        return naive.dt.date()
    return instant(naive, zone) if isinstance(kind, t.TimestampType) else naive


def offset_at(instants: pl.Expr, zone: str) -> pl.Expr:
    """How far a zone is ahead of UTC at instants."""
    return local(instants, zone) - instants.dt.replace_time_zone(None)


# ---- the calendar --------------------------------------------------------------------------------


def plus_months(day: pl.Expr, months: pl.Expr) -> pl.Expr:
    """Dates that many months later, or at the end of a month that has no such day."""
    total = day.dt.year().cast(pl.Int64) * 12 + day.dt.month() - 1 + months.cast(pl.Int64)
    year = total // 12
    first = pl.date(year, total - year * 12 + 1, 1)
    kept = pl.min_horizontal(day.dt.day(), first.dt.month_end().dt.day())
    found = (first.cast(pl.Int32) + kept.cast(pl.Int32) - 1).cast(pl.Date)
    return pl.when(day.is_not_null() & months.is_not_null()).then(found)


def months_later(naive: pl.Expr, months: pl.Expr) -> pl.Expr:
    """The same for date and time."""
    day = naive.dt.date()
    return plus_months(day, months).cast(NAIVE) + (naive - day.cast(NAIVE))


def plus_days(day: pl.Expr, days: pl.Expr) -> pl.Expr:
    """Dates that many days later."""
    return (day.cast(pl.Int32) + days.cast(pl.Int32)).cast(pl.Date)
