"""Questions about functions of dates, times and intervals: (table, zone, ansi, expression)."""

from __future__ import annotations

import datetime as dt
from typing import Any

_Z = dt.UTC


def _at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=_Z)  # type: ignore[arg-type,misc]


TIME_TABLE: tuple[dict[str, str], list[tuple[Any, ...]]] = (
    {
        "d": "date",
        "e": "date",
        "t": "timestamp",
        "u": "timestamp",
        "z": "timestamp_ntz",
        "n": "int",
        "l": "bigint",
        "s": "string",
        "w": "string",
        "f": "string",
    },
    [
        (
            dt.date(2024, 2, 29),
            dt.date(2023, 1, 31),
            _at(2024, 2, 29, 13, 4, 5, 678901),
            _at(2023, 1, 31, 0, 0, 0),
            dt.datetime(2024, 2, 29, 13, 4, 5, 678901),
            1,
            1700000000,
            "2024-02-29",
            "Mon",
            "MONTH",
        ),
        (
            dt.date(1970, 1, 1),
            dt.date(1970, 1, 1),
            _at(1970, 1, 1),
            _at(1969, 12, 31, 23, 59, 59, 1),
            dt.datetime(1970, 1, 1),
            0,
            0,
            "1970-01-01",
            "tuesday",
            "YEAR",
        ),
        (None, dt.date(2020, 1, 1), None, _at(2020, 1, 1), None, None, None, None, None, None),
        (
            dt.date(2020, 12, 31),
            None,
            _at(2020, 12, 31, 23, 59, 59, 999999),
            None,
            dt.datetime(2020, 12, 31, 23, 59, 59, 999999),
            -1,
            -1,
            "2020-12-31",
            "SU",
            "week",
        ),
        (
            dt.date(1, 1, 3),
            dt.date(9999, 12, 1),
            _at(1600, 3, 1, 12),
            _at(2500, 6, 15, 6, 30),
            dt.datetime(1600, 3, 1, 12),
            13,
            -86401,
            "0001-01-03",
            "fri",
            "QUARTER",
        ),
        (
            dt.date(2021, 3, 14),
            dt.date(2021, 11, 7),
            _at(2021, 3, 14, 10, 30),
            _at(2021, 11, 7, 9, 30),
            dt.datetime(2021, 3, 14, 2, 30),
            5,
            1615717800,
            "2021-03-14",
            "Wed",
            "DD",
        ),
        (
            dt.date(2021, 11, 7),
            dt.date(2021, 3, 31),
            _at(2021, 11, 7, 8, 30),
            _at(2021, 3, 14, 9, 59),
            dt.datetime(2021, 11, 7, 1, 30),
            -3,
            1636274400,
            "2021-11-07",
            "Thu",
            "hour",
        ),
        (
            dt.date(1969, 12, 29),
            dt.date(1970, 3, 1),
            _at(1969, 12, 29, 1, 2, 3, 4),
            _at(1900, 1, 1),
            dt.datetime(1969, 12, 29, 1, 2, 3, 4),
            100,
            253402300799,
            "1969-12-29",
            "SA",
            "minute",
        ),
        (
            dt.date(2016, 1, 31),
            dt.date(2016, 2, 29),
            _at(2016, 1, 31, 5),
            _at(2016, 2, 29, 5),
            dt.datetime(2016, 1, 31, 5),
            2,
            1,
            "2016-01-31",
            "mo",
            "mon",
        ),
    ],
)

_ALL_ZONES = r"""
year(d)
year(t)
year(z)
quarter(t)
month(t)
day(t)
dayofmonth(t)
dayofweek(t)
dayofyear(t)
weekofyear(t)
weekday(t)
hour(t)
minute(t)
second(t)
hour(z)
second(z)
dayname(t)
monthname(t)
date_part('SECOND', t)
date_part('HOUR', t)
date_part('YEAROFWEEK', t)
date_add(t, 1)
datediff(t, u)
months_between(t, u)
last_day(t)
trunc(t, 'MM')
date_trunc('DAY', t)
date_trunc('HOUR', t)
date_trunc('WEEK', t)
date_trunc('QUARTER', t)
date_trunc('YEAR', t)
date_trunc('MINUTE', t)
date_trunc('DAY', z)
date_trunc('MICROSECOND', t)
date_trunc('MILLISECOND', t)
to_date(t)
to_timestamp(z)
to_timestamp(d)
to_timestamp_ntz(t)
date_format(t, 'yyyy-MM-dd HH:mm:ss.SSSSSS')
date_format(t, 'yyyy-MM-dd''T''HH:mm:ssXXX')
date_format(t, 'EEE, d MMM yyyy h:mm a z')
date_format(t, 'VV O Z')
date_format(z, 'yyyy-MM-dd HH:mm')
date_format(d, 'yyyy/MM/dd HH')
from_unixtime(l)
from_unixtime(l, 'yyyy-MM-dd HH')
unix_timestamp(t)
unix_timestamp(d)
unix_timestamp(z)
unix_timestamp(s, 'yyyy-MM-dd')
to_unix_timestamp(s, 'yyyy-MM-dd')
timestamp_seconds(l)
unix_seconds(t)
unix_millis(t)
unix_micros(t)
make_timestamp(2021, 3, 14, 2, 30, 0)
make_timestamp(2021, 11, 7, 1, 30, 12.5)
make_timestamp(2021, 6, 1, 0, 0, 0, 'Europe/Paris')
make_timestamp_ltz(2021, 6, 1, 1, 2, 3.25)
make_timestamp_ntz(2021, 3, 14, 2, 30, 0)
from_utc_timestamp(t, 'Asia/Tokyo')
to_utc_timestamp(t, 'America/New_York')
from_utc_timestamp(t, '+05:30')
convert_timezone('Europe/Brussels', z)
convert_timezone('Europe/Brussels', 'Asia/Tokyo', z)
t + make_dt_interval(1, 2, 3, 4.5)
t - make_dt_interval(1)
t + make_ym_interval(0, 1)
d + make_ym_interval(1, 1)
d - make_ym_interval(0, 1)
z + make_ym_interval(0, 1)
d + make_dt_interval(0, 1)
t - u
u - t
t - d
d - t
z - t
timestamp_add('HOUR', 5, t)
timestamp_add('DAY', n, t)
timestamp_add('MONTH', 1, t)
timestamp_add('QUARTER', -1, t)
timestamp_diff('HOUR', t, u)
timestamp_diff('DAY', t, u)
timestamp_diff('MONTH', t, u)
timestamp_diff('YEAR', u, t)
timestamp_diff('SECOND', t, u)
timestamp_diff('WEEK', t, u)
timestamp_diff('QUARTER', t, u)
to_timestamp(s, 'yyyy-MM-dd')
to_date(s, 'yyyy-MM-dd')
current_timezone()
"""
_UTC = r"""
quarter(d)
month(d)
day(d)
dayofmonth(d)
dayofweek(d)
dayofyear(d)
weekofyear(d)
weekday(d)
dayname(d)
monthname(d)
date_part('YEAR', d)
date_part('yr', d)
date_part('MON', d)
date_part('D', d)
date_part('DOW', d)
date_part('DOW_ISO', d)
date_part('DOY', d)
date_part('W', d)
date_part('QTR', d)
date_part('MINS', z)
datepart('S', z)
extract('MONTH', d)
date_part('days', make_dt_interval(5, 3, 30, 1.001001))
date_part('hour', make_dt_interval(5, 3, 30, 1.001001))
date_part('seconds', make_dt_interval(5, 3, 30, 1.001001))
date_part('month', make_ym_interval(2, 5))
date_part('year', make_ym_interval(-2, -5))
date_add(d, 1)
date_add(d, n)
date_add(s, 1)
dateadd(d, 3)
date_sub(d, 1)
date_sub(d, n)
datediff(d, e)
date_diff(d, e)
datediff(s, e)
add_months(d, 1)
add_months(d, n)
add_months(e, -1)
add_months(t, 1)
months_between(d, e)
months_between(d, e, false)
months_between(t, u, false)
last_day(d)
last_day(s)
next_day(d, 'Mon')
next_day(d, 'sunday')
next_day(d, w)
trunc(d, 'YEAR')
trunc(d, 'MM')
trunc(d, 'Q')
trunc(d, 'week')
trunc(d, 'nope')
trunc(d, f)
trunc(d, 'DAY')
date_trunc(f, t)
date_trunc('nope', t)
date_trunc('DECADE', t)
date_trunc('year', d)
to_date(s)
to_timestamp(s)
try_to_date(s, 'yyyy-MM-dd')
try_to_timestamp(s, 'yyyy/MM/dd')
try_to_timestamp(s)
date_format(t, 'yyyy')
date_format(t, 'y M d H m s')
date_format(t, 'yy MMM MMMM')
date_format(t, 'E EEEE')
date_format(t, 'D DDD')
date_format(t, 'h hh k kk K KK a')
date_format(t, 'S SS SSS SSSS')
date_format(t, 'Q QQ QQQ QQQQ')
date_format(t, 'G GGGG')
date_format(t, 'q L LL LLL LLLL')
date_format(t, 'x xx xxx X XX XXX')
date_format(t, 'Z ZZZZ ZZZZZ')
date_format(t, 'yyyyMMdd')
date_format(t, '''quoted'' '''' [yyyy]')
date_format(t, 'F')
date_format(s, 'MM/dd')
date_format(t, 'yyyyyy')
to_char(t, 'yyyy-MM')
unix_timestamp(s, 'yyyy-MM-dd')
timestamp_seconds(n)
timestamp_seconds(1.5)
timestamp_millis(l)
timestamp_micros(l)
unix_date(d)
date_from_unix_date(n)
make_date(2020, 2, n)
make_date(2020, 2, 29)
make_dt_interval(n)
make_dt_interval(n, 1, 2, 3.5)
make_dt_interval()
make_ym_interval(n, 1)
make_ym_interval(n)
make_ym_interval()
d - e
e - d
z - z
make_dt_interval(1) + make_dt_interval(0, 5)
make_dt_interval(1) - make_dt_interval(0, 5)
make_ym_interval(1) + make_ym_interval(0, 5)
make_dt_interval(1) * 2
make_dt_interval(1) * n
2 * make_ym_interval(1, 3)
make_ym_interval(1, 3) * 1.5
make_dt_interval(1) / 3
make_ym_interval(1, 3) / 2
negative(make_ym_interval(1, 3))
negative(make_dt_interval(1))
d + 1
d - 1
d + n
1 + d
months(d)
"""
_ONE = r"""
to_date('2024-13-01')
to_date('2024-02-30', 'yyyy-MM-dd')
to_date('20240229', 'yyyyMMdd')
to_date('29/2/2024', 'd/M/yyyy')
to_date('29/02/24', 'dd/MM/yy')
to_date('Feb 29, 2024', 'MMM d, yyyy')
to_date('February 29 2024', 'MMMM d yyyy')
to_date('2024-2-9', 'yyyy-MM-dd')
to_date('2024-02-29 10:00', 'yyyy-MM-dd')
to_date('2024 60', 'yyyy DDD')
to_date('2024', 'yyyy')
to_date('02', 'MM')
to_date('Thu 2024-02-29', 'EEE yyyy-MM-dd')
to_date('2016-12-31', 'yyyy-MM-dd')
to_date(NULL)
try_to_date('2024-13-01')
to_timestamp('2024-02-29 10:11:12', 'yyyy-MM-dd HH:mm:ss')
to_timestamp('2024-02-29 10:11:12.123', 'yyyy-MM-dd HH:mm:ss.SSS')
to_timestamp('2024-02-29T10:11:12Z', 'yyyy-MM-dd''T''HH:mm:ssX')
to_timestamp('2024-02-29T10:11:12+02:00', 'yyyy-MM-dd''T''HH:mm:ssXXX')
to_timestamp('2024-02-29 10:11:12 PM', 'yyyy-MM-dd hh:mm:ss a')
to_timestamp('02/29/2024 1:02 am', 'MM/dd/yyyy h:mm a')
to_timestamp('2024-02-29 10', 'yyyy-MM-dd HH:mm')
to_timestamp('2024-02-29', 'yyyy-MM-dd[ HH:mm]')
to_timestamp('2024-02-29 10:11', 'yyyy-MM-dd[ HH:mm]')
to_timestamp('10:11', 'HH:mm')
to_timestamp('2024-02-29 10:11:12 America/New_York', 'yyyy-MM-dd HH:mm:ss VV')
to_timestamp('2024-02-29 10:11:12 PST', 'yyyy-MM-dd HH:mm:ss z')
to_timestamp('2024-02-29 25:00:00', 'yyyy-MM-dd HH:mm:ss')
to_timestamp('nope')
to_timestamp('nope', 'yyyy')
try_to_timestamp('nope', 'yyyy')
try_to_timestamp('nope')
to_timestamp_ntz('2024-02-29 10:11:12', 'yyyy-MM-dd HH:mm:ss')
to_timestamp_ltz('2024-02-29 10:11:12', 'yyyy-MM-dd HH:mm:ss')
to_timestamp_ntz('2024-02-29 10:11:12')
to_timestamp_ltz('2024-02-29 10:11:12')
to_timestamp('2024-02-29', 'bad b')
to_timestamp('1.5', 's.S')
to_timestamp('2024-02-29t01:02:03', 'yyyy-MM-dd''T''HH:mm:ss')
to_timestamp('2024-02-29 1:2', 'yyyy-MM-dd H:m')
to_date(' 2024-02-29', 'yyyy-MM-dd')
to_date('12024-02-29', 'yyyy-MM-dd')
to_date('24-2-9', 'yy-M-d')
to_timestamp('2024-02-29 23:59:60', 'yyyy-MM-dd HH:mm:ss')
to_timestamp('2024-02-29 01:02:03.12', 'yyyy-MM-dd HH:mm:ss.SSSSSS')
months_between('2024-02-29', '2024-01-31')
to_timestamp('20240229101112', 'yyyyMMddHHmmss')
unix_timestamp('2024-02-29 10:11:12')
unix_timestamp('2024-02-29')
unix_timestamp('2024-02-29 10:11', 'yyyy-MM-dd HH:mm')
to_unix_timestamp('2024-02-29 10:11:12')
make_date(2024, 13, 1)
make_date(2023, 2, 29)
make_timestamp(2024, 13, 1, 0, 0, 0)
make_timestamp(2024, 1, 1, 0, 0, 60)
make_timestamp(2024, 1, 1, 0, 0, 60.5)
make_timestamp(2024, 1, 1, 25, 0, 0)
make_timestamp(2024, 1, 1, 0, 0, NULL)
make_timestamp(2024, 1, 1, 0, 0, 59.1234567)
try_make_timestamp(2024, 13, 1, 0, 0, 0)
try_make_timestamp(2024, 12, 1, 0, 0, 0)
try_make_timestamp_ntz(2024, 13, 1, 0, 0, 0)
try_make_timestamp_ltz(2024, 1, 1, 0, 0, 0)
next_day('2024-01-01', 'xx')
next_day('2024-01-01', NULL)
from_utc_timestamp('2024-01-01 00:00:00', 'nope/zone')
date_part('nope', to_date('2024-01-01'))
date_part('HOUR', to_date('2024-01-01'))
date_add('2024-01-01', '1')
date_add('2024-01-01', 1.5)
date_add(5, 1)
year(5)
year('nope')
year('2024-05-06')
hour('2024-05-06 07:08:09')
hour(to_date('2024-05-06'))
datediff('2024-01-01', '2023-01-01')
timestamp_seconds(1.5)
timestamp_seconds('a')
timestamp_millis(1.5)
timestamp_seconds(9223372036854775807)
timestamp_add('NOPE', 1, to_timestamp('2024-01-01'))
timestamp_add('WEEK', 1, to_date('2024-01-01'))
timestamp_diff('MILLISECOND', to_timestamp('2024-01-01'), to_timestamp('2024-01-02'))
timestamp_diff('MICROSECOND', to_timestamp('2024-01-01'), to_timestamp('2024-01-02'))
timestamp_diff('DECADE', to_timestamp('2024-01-01'), to_timestamp('2024-01-02'))
make_ym_interval(2147483647, 12)
make_dt_interval(1) / 0
to_date('2024-01-01') - to_timestamp('2024-01-01')
to_date('2024-01-01') - '2023-12-01'
'2024-01-01' - to_date('2023-12-01')
to_date('2024-01-01') + to_date('2024-01-01')
to_date('2024-01-01') + '1'
to_date('2024-01-01') + 1.5
months_between('1997-02-28 10:30:00', '1996-10-30')
months_between('1997-02-28 10:30:00', '1996-10-30', false)
date_format('2024-02-29', 'YYYY')
date_format('2024-02-29', 'b')
date_format('2024-02-29', 'u')
date_format('2024-02-29', 'MMMMM')
date_format('2024-02-29', 'yyyy''')
date_trunc('MM', '2015-03-05T09:32:05.359')
trunc('2019-08-04', 'week')
weekofyear('2008-02-20')
window(to_timestamp('2024-01-01 10:11:12'), '10 minutes')
window(to_timestamp('2024-01-01 10:11:12'), '1 week')
window(to_timestamp('2024-01-01 10:11:12'), '1 day', '1 day', '2 hours')
window(to_timestamp_ntz('1969-12-31 10:11:12'), '7 minutes')
last_day('2009-01-12')
add_months('2016-08-31', 1)
dayname('2008-02-20')
convert_timezone('+01:00', '-03:00', '2021-12-06 00:00:00')
date_from_unix_date(3000000)
"""
_LEGACY = r"""
to_date('2024-13-01')
to_date('2024-13-01', 'yyyy-MM-dd')
to_timestamp('nope', 'yyyy')
next_day('2024-01-01', 'xx')
make_date(2024, 13, 1)
make_timestamp(2024, 13, 1, 0, 0, 0)
unix_timestamp('nope', 'yyyy')
split_part('a,b', ',', 1)
elt(3, 'a', 'b')
"""
ZONES = ("UTC", "America/Los_Angeles", "+05:30")

TIME_CASES: list[tuple[str, str, bool, str]] = [
    *(("time", zone, True, line) for zone in ZONES for line in _ALL_ZONES.strip().splitlines()),
    *(("time", "UTC", True, line) for line in _UTC.strip().splitlines()),
    *(("one", "UTC", True, line) for line in _ONE.strip().splitlines()),
    *(("one", "UTC", False, line) for line in _LEGACY.strip().splitlines()),
]

OF_CLOCKS = (  # the rest is about days and intervals
    "hour(", "minute(", "second(", "to_", "try_", "date_format", "from_u", "unix_",
    "make_timestamp", "timestamp_", "convert_", "current_", "date_trunc",
)  # fmt: skip
