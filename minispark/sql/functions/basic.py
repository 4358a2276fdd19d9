"""Columns, constants, choices, sort keys, structures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minispark.errors import PySparkTypeError
from minispark.sql.column import Column, expr_of, name_of, named
from minispark.sql.functions.making import call, flat, of
from minispark.sql.texts import expression
from planner.columns.expressions import Call, Expr, Order

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame


def col(col: str) -> Column:
    """The column of a name; `t.a` is the column a of a table t, or a field of a struct.

    >>> col("age") + 1
    Column<'+(age, 1)'>
    """
    if not isinstance(col, str):
        raise PySparkTypeError(f"the name of a column is a str, not {col!r}", "NOT_EXPECTED_TYPE")
    return Column(name_of(col))


column = col


def lit(col: Any) -> Column:
    """A constant; a list becomes an array, a Column stays as it is.

    >>> lit(3), lit("a")
    (Column<'3'>, Column<''a''>)
    """
    return col if isinstance(col, Column) else Column(expr_of(col))


def expr(str: str) -> Column:
    """An expression of SQL.

    >>> spark.range(2).select(expr("id * 2 AS double")).collect()
    [Row(double=0), Row(double=2)]
    """
    return Column(expression(str))


def when(condition: Column, value: Any) -> Column:
    """The value where the condition is true: `.when(…)` and `.otherwise(…)` may follow.

    >>> df = spark.range(3).select(when(col("id") == 1, "one").otherwise("other").alias("w"))
    >>> [row.w for row in df.collect()]
    ['other', 'one', 'other']
    """
    if not isinstance(condition, Column):
        raise PySparkTypeError(f"a condition must be a Column: {condition!r}", "NOT_EXPECTED_TYPE")
    return Column(Call("case_when", (condition._expr, expr_of(value))))


def broadcast(df: DataFrame) -> DataFrame:
    """Say that a DataFrame is small enough to be sent to every executor, for joins.

    >>> broadcast(spark.range(3)).count()
    3
    """
    return df.hint("broadcast")


def coalesce(*cols: Any) -> Column:
    """The first value that is not NULL.

    >>> spark.range(1).select(coalesce(lit(None), lit(2)).alias("c")).first()
    Row(c=2)
    """
    return call("coalesce", *cols)


def _order(value: Any) -> Expr:
    return named(value)


def asc(col: Any) -> Column:
    """A sort key, the smallest first."""
    return Column(Order(_order(col), True))


def desc(col: Any) -> Column:
    """A sort key, the largest first.

    >>> spark.range(3).orderBy(desc("id")).first()
    Row(id=2)
    """
    return Column(Order(_order(col), False))


def asc_nulls_first(col: Any) -> Column:
    """A sort key, the smallest first, NULLs before them."""
    return Column(Order(_order(col), True, True))


def asc_nulls_last(col: Any) -> Column:
    """A sort key, the smallest first, NULLs at the end."""
    return Column(Order(_order(col), True, False))


def desc_nulls_first(col: Any) -> Column:
    """A sort key, the largest first, NULLs before them."""
    return Column(Order(_order(col), False, True))


def desc_nulls_last(col: Any) -> Column:
    """A sort key, the largest first, NULLs at the end."""
    return Column(Order(_order(col), False, False))


# ---- structures ----------------------------------------------------------------------------------


def array(*cols: Any) -> Column:
    """An array of the values of columns.

    >>> spark.range(1).select(array("id", lit(5)).alias("a")).first()
    Row(a=[0, 5])
    """
    return call("array", *flat(cols))


def struct(*cols: Any) -> Column:
    """A struct with the columns as fields.

    >>> spark.range(1).select(struct("id", lit(5).alias("five")).alias("s")).first()
    Row(s=Row(id=0, five=5))
    """
    return call("struct", *flat(cols))


def create_map(*cols: Any) -> Column:
    """A map of keys and values, in turn.

    >>> spark.range(1).select(create_map(lit("a"), "id").alias("m")).first()
    Row(m={'a': 0})
    """
    return call("map", *flat(cols))


def map_concat(*cols: Any) -> Column:
    """All entries of several maps."""
    return call("map_concat", *flat(cols))


def call_function(funcName: str, *cols: Any) -> Column:
    """A function of SQL by name, of the user's registered ones too.

    >>> spark.range(1).select(call_function("coalesce", lit(None), "id").alias("c")).first()
    Row(c=0)
    """
    return Column(Call(funcName, tuple(named(each) for each in cols)))


call_udf = call_function


# ---- constants in odd places ---------------------------------------------------------------------


def _place(name: str, value: Any, *rest: Any) -> Column:
    """A call whose first argument is a constant, and the others columns."""
    return of(name, expr_of(value), *(named(each) for each in rest))


def concat_ws(sep: str, *cols: Any) -> Column:
    """The texts with a separator between them; NULLs are left out.

    >>> spark.range(1).select(concat_ws("-", lit("a"), lit("b")).alias("t")).first()
    Row(t='a-b')
    """
    return _place("concat_ws", sep, *flat(cols))


def format_string(format: str, *cols: Any) -> Column:
    """Values put into a text by printf's rules."""
    return _place("format_string", format, *cols)


def printf(format: Any, *cols: Any) -> Column:
    """Values put into a text by printf's rules; the format may be a column."""
    return call("printf", format, *cols)


def date_trunc(format: str, timestamp: Any) -> Column:
    """The beginning of the year, month, hour, … of an instant."""
    return _place("date_trunc", format, timestamp)


def locate(substr: str, str: Any, pos: int = 1) -> Column:
    """The place of one text in another, from 1; 0 where it is not."""
    return of("locate", expr_of(substr), named(str), expr_of(pos))


def json_tuple(col: Any, *fields: str) -> Column:
    """Fields of JSON text as columns."""
    return of("json_tuple", named(col), *(expr_of(field) for field in fields))


def log(arg1: Any, arg2: Any = None) -> Column:
    """The natural logarithm; with two arguments the first is the base."""
    if arg2 is None:
        return call("ln", arg1)
    return of("log", expr_of(arg1), named(arg2))


def _both(name: str, a: Any, b: Any) -> Column:
    """A call over two columns, each of which may be a number."""
    return of(
        name, *(expr_of(each) if isinstance(each, int | float) else named(each) for each in (a, b))
    )


def atan2(col1: Any, col2: Any) -> Column:
    """The angle of a point with y `col1` and x `col2`."""
    return _both("atan2", col1, col2)


def hypot(col1: Any, col2: Any) -> Column:
    """The length of the hypotenuse."""
    return _both("hypot", col1, col2)


def pow(col1: Any, col2: Any) -> Column:
    """The one to the power of the other."""
    return _both("power", col1, col2)


power = pow


def pmod(dividend: Any, divisor: Any) -> Column:
    """The remainder, never negative for a positive divisor."""
    return _both("pmod", dividend, divisor)


def bitwise_not(col: Any) -> Column:
    """All bits turned."""
    return call("~", col)


def negate(col: Any) -> Column:
    """The value with its sign turned."""
    return call("negative", col)


def months_between(date1: Any, date2: Any, roundOff: bool = True) -> Column:
    """How many months one date is after another."""
    return of("months_between", named(date1), named(date2), expr_of(roundOff))


def unix_timestamp(timestamp: Any = None, format: str = "yyyy-MM-dd HH:mm:ss") -> Column:
    """Seconds since 1970, of text in a format or of a timestamp; of now without arguments."""
    if timestamp is None:
        return call("unix_timestamp")
    return of("unix_timestamp", named(timestamp), expr_of(format))


def from_unixtime(timestamp: Any, format: str = "yyyy-MM-dd HH:mm:ss") -> Column:
    """Seconds since 1970 as text."""
    return of("from_unixtime", named(timestamp), expr_of(format))


def overlay(src: Any, replace: Any, pos: Any, len: Any = -1) -> Column:
    """The text with a part of it replaced."""
    numbers = [expr_of(each) if isinstance(each, int) else named(each) for each in (pos, len)]
    return of("overlay", named(src), named(replace), *numbers)


def split(str: Any, pattern: Any, limit: Any = -1) -> Column:
    """The parts of a text between the matches of a regular expression.

    >>> spark.range(1).select(split(lit("a,b"), ",").alias("s")).first()
    Row(s=['a', 'b'])
    """
    cut = expr_of(limit) if isinstance(limit, int) else named(limit)
    return of("split", named(str), expr_of(pattern), cut)


def sort_array(col: Any, asc: bool = True) -> Column:
    """The elements in order."""
    return of("sort_array", named(col), expr_of(asc))


def array_join(col: Any, delimiter: str, null_replacement: str | None = None) -> Column:
    """The elements as one text."""
    last = () if null_replacement is None else (expr_of(null_replacement),)
    return of("array_join", named(col), expr_of(delimiter), *last)


def rand(seed: int | None = None) -> Column:
    """A random number in [0, 1) for each row."""
    return of("rand", *(() if seed is None else (expr_of(seed),)))


def randn(seed: int | None = None) -> Column:
    """A random number of the normal distribution for each row."""
    return of("randn", *(() if seed is None else (expr_of(seed),)))


def grouping_id(*cols: Any) -> Column:
    """Which of the grouped columns this row is summed over, as bits."""
    return Column(Call("grouping_id", tuple(named(each) for each in cols)))


def grouping(col: Any) -> Column:
    """1 where this row is summed over the column, 0 where it is grouped by it."""
    return Column(Call("grouping", (named(col),)))


def window(
    timeColumn: Any,
    windowDuration: str,
    slideDuration: str | None = None,
    startTime: str | None = None,
) -> Column:
    """The window of time that an instant is in."""
    given = [expr_of(windowDuration), expr_of(slideDuration or windowDuration)]
    if startTime is not None:
        given.append(expr_of(startTime))
    return of("window", named(timeColumn), *given)


def convert_timezone(sourceTz: Any, targetTz: Any, sourceTs: Any) -> Column:
    """A timestamp without a zone moved from one zone to another; None is the session's zone."""
    given = (targetTz, sourceTs) if sourceTz is None else (sourceTz, targetTz, sourceTs)
    return Column(Call("convert_timezone", tuple(named(each) for each in given)))


def session_window(timeColumn: Any, gapDuration: Any) -> Column:
    """The session that an instant is in."""
    return of("session_window", named(timeColumn), expr_of(gapDuration))
