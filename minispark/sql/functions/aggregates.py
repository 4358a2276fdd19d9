"""Aggregates and window functions."""

from __future__ import annotations

from typing import Any

from minispark.sql.column import Column, expr_of, named
from minispark.sql.functions.making import known, of
from planner.columns.expressions import Call, Literal, Star
from planner.columns.types import INT


def count(col: Any) -> Column:
    """How many values are not NULL; with "*" how many rows.

    >>> spark.range(3).agg(count("*")).first()[0]
    3
    """
    arg = named(col)
    return of("count", Literal(1, INT) if arg == Star() else arg)


def mean(col: Any) -> Column:
    """The mean."""
    return of("avg", named(col))


def count_distinct(col: Any, *cols: Any) -> Column:
    """How many different values (or rows of values) there are, none of them NULL.

    >>> spark.range(6).agg(count_distinct(F.lit(1)).alias("n")).first()
    Row(n=1)
    """
    return of("count", named(col), *(named(each) for each in cols), distinct=True)


def sum_distinct(col: Any) -> Column:
    """The sum of the different values."""
    return of("sum", named(col), distinct=True)


def approx_count_distinct(col: Any, rsd: float | None = None) -> Column:
    """About how many different values there are; `rsd` is the relative error allowed."""
    return of("approx_count_distinct", named(col), *(() if rsd is None else (expr_of(rsd),)))


def _flag(value: Any) -> bool:
    found = value._expr.value if isinstance(value, Column) else value  # type: ignore[attr-defined]
    return bool(found)


def first(col: Any, ignorenulls: bool = False) -> Column:
    """The first value, or the first that is not NULL."""
    return of("first", named(col), ignore_nulls=_flag(ignorenulls))


def last(col: Any, ignorenulls: bool = False) -> Column:
    """The last value, or the last that is not NULL."""
    return of("last", named(col), ignore_nulls=_flag(ignorenulls))


def first_value(col: Any, ignoreNulls: Any = None) -> Column:
    """The first value, or the first that is not NULL."""
    return of("first_value", named(col), ignore_nulls=_flag(ignoreNulls))


def last_value(col: Any, ignoreNulls: Any = None) -> Column:
    """The last value, or the last that is not NULL."""
    return of("last_value", named(col), ignore_nulls=_flag(ignoreNulls))


def any_value(col: Any, ignoreNulls: Any = None) -> Column:
    """Some value, or some that is not NULL."""
    return of("any_value", named(col), ignore_nulls=_flag(ignoreNulls))


def mode(col: Any, deterministic: bool = False) -> Column:
    """The value that occurs most; with `deterministic` the smallest of several."""
    return of("mode", named(col), *((expr_of(True),) if deterministic else ()))


def percentile(col: Any, percentage: Any, frequency: Any = 1) -> Column:
    """The exact percentile, between values where need be."""
    return of("percentile", named(col), expr_of(percentage), expr_of(frequency))


def percentile_approx(col: Any, percentage: Any, accuracy: Any = 10000) -> Column:
    """The value at a percentile; `accuracy` says how exact."""
    return of("percentile_approx", named(col), expr_of(percentage), expr_of(accuracy))


def approx_percentile(col: Any, percentage: Any, accuracy: Any = 10000) -> Column:
    """The value at a percentile; `accuracy` says how exact."""
    return of("approx_percentile", named(col), expr_of(percentage), expr_of(accuracy))


def _distinct_text(name: str, col: Any, delimiter: Any) -> Column:
    given = () if delimiter is None else (expr_of(delimiter),)
    return of(name, named(col), *given, distinct=True)


def listagg_distinct(col: Any, delimiter: Any = None) -> Column:
    """The different values as one text."""
    return _distinct_text("listagg", col, delimiter)


def string_agg_distinct(col: Any, delimiter: Any = None) -> Column:
    """The different values as one text."""
    return _distinct_text("string_agg", col, delimiter)


# ---- windows -------------------------------------------------------------------------------------


def lag(col: Any, offset: int = 1, default: Any = None) -> Column:
    """The value some rows before, or `default`.

    >>> from minispark.sql import Window
    >>> df = spark.range(3)
    >>> df.select(lag("id").over(Window.orderBy("id")).alias("before")).collect()
    [Row(before=None), Row(before=0), Row(before=1)]
    """
    return of("lag", named(col), expr_of(offset), expr_of(default))


def lead(col: Any, offset: int = 1, default: Any = None) -> Column:
    """The value some rows after, or `default`."""
    return of("lead", named(col), expr_of(offset), expr_of(default))


def nth_value(col: Any, offset: int, ignoreNulls: bool | None = False) -> Column:
    """The value of the n-th row of the frame, from 1."""
    return of("nth_value", named(col), expr_of(offset), ignore_nulls=bool(ignoreNulls))


def ntile(n: int) -> Column:
    """The number, from 1, of the n about equal parts of the window that the row is in."""
    return of("ntile", expr_of(n))


def monotonically_increasing_id() -> Column:
    """A number that grows from row to row: the partition's index, shifted by 33 bits, and the
    row's place in it."""
    return Column(Call(known("monotonically_increasing_id")))
