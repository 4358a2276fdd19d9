"""Python functions in queries that raise or give what was not promised: the row is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bad import said

from executors.unpicklable import ClosureError
from minispark import SparkContext
from minispark.sql import SparkSession, functions
from minispark.sql.dataframe import DataFrame

F = functions


@pytest.fixture(scope="module", params=["always", "never"])
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """Fused, and in stages."""
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    builder = SparkSession.builder.master("inline[1]")
    session = builder.config("minispark.sql.singleNode", request.param).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def df(spark: SparkSession) -> DataFrame:
    found = spark.createDataFrame([("Ann", 3), ("Bob", 0)], "name string, age long")
    found.createOrReplaceTempView("people")
    return found


def inverse(n: int) -> int:
    return 6 // n


@pytest.mark.parametrize("way", ["frame", "sql"])
def test_what_it_raises_comes_with_row_and_traceback(
    spark: SparkSession, df: DataFrame, way: str
) -> None:
    spark.udf.register("inverse", inverse, "long")
    with pytest.raises(ZeroDivisionError) as caught:
        if way == "sql":
            spark.sql("SELECT inverse(age) FROM people").collect()
        else:
            df.select(F.udf(inverse, "long")("age")).collect()
    message = said(caught.value)
    assert "in inverse(0), row 1 of the partition" in message
    assert "test_frames_udfs.py:" in message
    trace = str(caught.value.__cause__)
    assert "return 6 // n" in trace and "executors" not in trace


@pytest.mark.parametrize(
    ("f", "kind", "error", "words"),
    [
        (lambda n: "x", "int", TypeError, "should give int, and gave 'x' of type str"),
        (lambda n: "abc", "array<string>", TypeError, "and gave 'abc' of type str"),
        (lambda n: [1], "map<int,int>", TypeError, r"and gave \[1\] of type list"),
        (lambda n: "2020", "date", TypeError, "should give date, and gave '2020' of type str"),
        (lambda n: (1, 2, 3), "a int, b int", ValueError, r"gave 3 values: \(1, 2, 3\)"),
        (lambda n: 2**70, "long", OverflowError, "gave 1180591620717411303424, which does not fit"),
        (lambda n: next(iter([])), "long", RuntimeError, "StopIteration came out"),
    ],
)
def test_what_was_not_promised_is_shown_with_its_row(
    df: DataFrame, f: Callable[[int], Any], kind: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        df.select(F.udf(f, kind)("age")).collect()
    assert "in <lambda>(3), row 0 of the partition" in said(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda df: df.select(F.pandas_udf(lambda s: 3, "long")("age")), "a pandas Series"),
        (lambda df: df.select(F.pandas_udf(lambda s: s[:1], "long")("age")), "given 2 rows"),
        (lambda df: df.mapInPandas(lambda it: None, "a int"), "an iterator, and gave None"),
        (lambda df: df.mapInPandas(lambda it: [3], "a int"), "pandas frames, not int"),
        (lambda df: df.mapInArrow(lambda it: [3], "a int"), "record batches, not int"),
        (lambda df: df.groupBy("name").applyInPandas(lambda g: 3, "a int"), "frames, not int"),
    ],
)
def test_batches_that_are_none(df: DataFrame, use: Callable[[Any], Any], words: str) -> None:
    with pytest.raises((TypeError, RuntimeError), match=words):
        use(df).collect()


def test_a_session_in_a_function_is_named(spark: SparkSession, df: DataFrame) -> None:
    with pytest.raises(ClosureError, match="spark.*lives in the driver.*pass the values") as caught:
        df.select(F.udf(lambda n: spark.range(n).count(), "long")("age")).collect()
    assert "internal" not in str(caught.value) and "test_frames_udfs.py:" in str(caught.value)
    assert df.count() == 2


def test_sys_exit_ends_the_job_and_not_the_program(df: DataFrame) -> None:
    def leaves(n: int) -> int:
        raise SystemExit(3)

    with pytest.raises(Exception, match=r"sys\.exit\(3\)"):
        df.select(F.udf(leaves, "long")("age")).collect()
    assert df.count() == 2
