"""Timestamps, patterns and zones against PySpark's recorded answers; the query's own moment."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from asked import answer, key, recorded
from time_cases import OF_CLOCKS, TIME_CASES

from planner.columns.building import build
from planner.columns.expressions import Call
from planner.columns.functions import java_dates
from planner.columns.functions.registry import Settings
from planner.columns.functions.zones import instant, local, zone_of
from planner.columns.typing import Scope, bind

CASES = [case for case in TIME_CASES if case[3].startswith(OF_CLOCKS)]
UTC = dt.UTC


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]} {case[3]}")
def test_as_pyspark(case: tuple[str, str, bool, str]) -> None:
    wanted, found = recorded()[key(case)], answer(*case)
    if isinstance(wanted, str) and isinstance(found, str):
        # SQL has no such function for a bad unit: it is a word there
        known = wanted.split(".")[0]
        assert found.split(".")[0] == known or known == "UNRESOLVED_ROUTINE"
    else:
        assert found == wanted


def test_a_query_has_one_moment() -> None:
    moment = dt.datetime(2024, 3, 10, 23, 30, 0, 5, tzinfo=UTC)
    now = int(moment.timestamp() * 1_000_000)
    settings = Settings(zone="Asia/Tokyo", now=now)
    names = ("current_timestamp", "now", "localtimestamp", "current_date", "unix_timestamp")
    exprs = [bind(Call(name), Scope((), settings)) for name in names]
    row = pl.select([build(e, settings).alias(n) for n, e in zip(names, exprs, strict=True)]).row(0)
    here = dt.datetime(2024, 3, 11, 8, 30, 0, 5)
    assert row == (moment, moment, here, dt.date(2024, 3, 11), now // 1_000_000)


def test_zones_that_change_their_clocks() -> None:
    twice = [dt.datetime(2021, 11, 7, 1, 30), dt.datetime(2021, 3, 14, 2, 30), None]
    later = [dt.datetime(2050, 7, 1), dt.datetime(2050, 1, 1)]  # after the end of Polars' tables
    frame = pl.DataFrame({"x": pl.Series([*twice, *later], dtype=pl.Datetime("us"))})
    zone = "America/Los_Angeles"
    there = frame.select(instant(pl.col("x"), zone))["x"]
    hours = [8, 10, None, 7, 8]
    assert [x and x.hour for x in there.to_list()] == hours
    back = there.to_frame().select(local(pl.col("x"), zone))["x"].to_list()
    assert back[1] == dt.datetime(2021, 3, 14, 3, 30)
    assert [back[0], *back[2:]] == [twice[0], None, *later]


@pytest.mark.parametrize("name", ["Nowhere/Land", "+19:00", "+1:99", "../etc/passwd", ""])
def test_unknown_zones(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(name)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("yyyy-MM-dd", "2024-02-29", dt.datetime(2024, 2, 29)),
        ("yyyy-MM-dd", "2023-02-29", None),
        ("d/M/yy", "1/12/05", dt.datetime(2005, 12, 1)),
        ("yyyyMMdd HHmm", "20240229 2359", dt.datetime(2024, 2, 29, 23, 59)),
        ("MMM d yyyy h:mm a", "mar 1 2024 12:05 AM", dt.datetime(2024, 3, 1, 0, 5)),
        ("yyyy DDD", "2024 060", dt.datetime(2024, 2, 29)),
        ("yyyy DDD", "2023 366", None),
        ("yyyy-MM-dd[ HH[:mm]]", "2024-02-29 07", dt.datetime(2024, 2, 29, 7)),
        ("'at' HH:mm", "at 24:00", None),
    ],
)
def test_reading(pattern: str, text: str, found: dt.datetime | None) -> None:
    read = java_dates.read(pattern, text)
    assert (read and read[0]) == found
