"""Values that make a query fail: fused and in stages the message is one line, with the place."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bad import said

from minispark import SparkContext, errors
from minispark.sql import SparkSession, functions
from minispark.sql.dataframe import DataFrame

F = functions


@pytest.fixture(scope="module", params=["always", "never"])
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """Fused, and in stages."""
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    builder = SparkSession.builder.master("inline[2]")
    session = builder.config("minispark.sql.singleNode", request.param).getOrCreate()
    yield session
    session.stop()


def people(spark: SparkSession, ansi: bool = True) -> DataFrame:
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    found = spark.createDataFrame([("Ann", 3), ("Bob", 0), (None, 7)], "name string, age long")
    found.createOrReplaceTempView("people")
    return found


FAILS = [
    ("6 / age", errors.ArithmeticException, "DIVIDE_BY_ZERO", "division by zero"),
    ("6 % age", errors.ArithmeticException, "REMAINDER_BY_ZERO", "zero"),
    ("9223372036854775807 + age", errors.ArithmeticException, "ARITHMETIC_OVERFLOW", "bigint"),
    ("cast(name AS int)", errors.NumberFormatException, "CAST_INVALID_INPUT", "no int"),
    ("cast(name AS date)", errors.DateTimeException, "CAST_INVALID_INPUT", "no date"),
    ("cast(age + 2147483647 AS int)", errors.ArithmeticException, "CAST_OVERFLOW", "int"),
    ("array(1, 2)[age]", errors.ArrayIndexOutOfBoundsException, "INVALID_ARRAY_INDEX", "index"),
]


@pytest.mark.parametrize(("text", "kind", "code", "word"), FAILS, ids=lambda each: str(each)[:30])
@pytest.mark.parametrize("way", ["sql", "frame"])
def test_it_raises_under_ansi(
    spark: SparkSession, text: str, kind: type[Exception], code: str, word: str, way: str
) -> None:
    df = people(spark)
    asked = spark.sql(f"SELECT {text} AS x FROM people") if way == "sql" else df.selectExpr(text)
    with pytest.raises(kind) as caught:
        asked.collect()
    message = str(caught.value)
    assert type(caught.value) is kind and caught.value.getCondition() == code  # type: ignore[attr-defined]
    assert word in message and "\n" not in message and "#" not in message
    assert "test_frames_values.py:" in said(caught.value)  # where it was asked for
    assert spark.range(3).count() == 3


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("6 / age", [2.0, None, 6 / 7]),
        ("6 % age", [0, None, 6]),
        ("9223372036854775807 + age", [-(2**63) + 2, 2**63 - 1, -(2**63) + 6]),
        ("cast(name AS int)", [None, None, None]),
        ("cast(name AS date)", [None, None, None]),
        ("array(1, 2)[age]", [None, 1, None]),
    ],
)
def test_it_does_not_without(spark: SparkSession, text: str, answer: list[Any]) -> None:
    found = people(spark, ansi=False).selectExpr("age", f"{text} AS x").collect()
    assert [row.x for row in found] == answer


def test_a_sum_that_is_too_large_in_a_part_of_the_rows_is_null(spark: SparkSession) -> None:
    people(spark, ansi=False)
    large = "SELECT sum(cast(9e37 AS decimal(38, 0))) AS x FROM people"
    assert spark.sql(large).first() == (None,)
    assert spark.sql(f"{large} WHERE age > 100").first() == (None,)
    assert spark.sql(f"{large} WHERE age = 0").first() == (Decimal(9 * 10**37),)
    people(spark)
    with pytest.raises(errors.ArithmeticException, match="38 digits"):
        spark.sql(large).collect()


def test_a_value_of_any_length_leaves_the_message_readable(spark: SparkSession) -> None:
    people(spark)
    long = spark.createDataFrame([("x" * 100_000,)], "s string")
    with pytest.raises(errors.NumberFormatException) as caught:
        long.select(F.col("s").cast("int")).collect()
    assert len(str(caught.value)) < 2_000 and "try_cast" in str(caught.value)


def test_hard_cases(spark: SparkSession) -> None:
    people(spark)
    with pytest.raises(errors.SparkRuntimeException, match="more than one row"):
        spark.sql("SELECT (SELECT age FROM people)").collect()
    with pytest.raises(errors.SparkRuntimeException, match="more than one row"):
        spark.sql(
            "SELECT (SELECT b.age FROM people b WHERE b.age >= a.age) FROM people a"
        ).collect()
    none = spark.sql("SELECT count(*), count(age), sum(age) FROM people WHERE age > 100").first()
    assert none == (0, 0, None)
    not_in = "SELECT * FROM people WHERE 'x' NOT IN (SELECT name FROM people)"
    assert spark.sql(not_in).collect() == []


@pytest.mark.parametrize("terms", [10, 200])
def test_long_sums_take_time_by_their_length(spark: SparkSession, terms: int) -> None:
    df = people(spark)
    total = F.col("age")
    for _ in range(terms):
        total = total + 1
    assert [row[0] for row in df.select(total).collect()] == [3 + terms, terms, 7 + terms]
    assert df.where(total > terms + 3).count() == 1
