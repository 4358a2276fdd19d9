"""Decimals of up to 38 digits under aggregates: types and values as PySpark 4.3 has them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from minispark import SparkContext
from minispark.errors import PySparkException
from minispark.sql import SparkSession

NINES = f"cast('{'9' * 38}' as decimal(38,0))"


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    made = SparkSession.builder.master("inline[1]").getOrCreate()
    yield made
    made.stop()


@pytest.fixture(params=["auto", "never"])
def anyhow(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """The session, with queries in one task and in stages."""
    spark.conf.set("minispark.sql.singleNode", request.param)
    yield spark
    spark.conf.set("minispark.sql.singleNode", "auto")


@pytest.mark.parametrize(
    ("digits", "scale", "summed", "averaged", "both"),
    [  # `both`: beside a decimal(38,6)
        (38, 37, (38, 37), (38, 38), (38, 6)),
        (38, 30, (38, 30), (38, 34), (38, 6)),
        (38, 10, (38, 10), (38, 14), (38, 6)),
        (30, 28, (38, 28), (34, 32), (38, 6)),
        (34, 30, (38, 30), (38, 34), (38, 6)),
        (36, 2, (38, 2), (38, 6), (38, 4)),
        (38, 0, (38, 0), (38, 4), (38, 0)),
        (12, 2, (22, 2), (16, 6), (38, 6)),
    ],
)
def test_types_are_cut_to_38_digits(
    spark: SparkSession,
    digits: int,
    scale: int,
    summed: tuple[int, int],
    averaged: tuple[int, int],
    both: tuple[int, int],
) -> None:
    one = f"cast(1 as decimal({digits},{scale}))"
    other = "cast(1 as decimal(38,6))"
    found = spark.sql(f"select sum({one}), avg({one}), coalesce({one}, {other}), try_sum({one})")
    wanted = [summed, averaged, both, summed]
    assert [kind for _, kind in found.dtypes] == ["decimal({},{})".format(*each) for each in wanted]
    if scale < 37 and both != (38, 0):
        assert list(found.collect()[0]) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        (["9" * 34], "38,0", "9" * 34 + ".0000"),
        (["1234567890123456789012345678901234", "1", "5"], "38,0",
         "411522630041152263004115226300413.3333"),
        (["-1234567890123456789012345678901.25", "1", "5"], "38,2",
         "-411522630041152263004115226298.416667"),
        (["0.0000000000000000000000000000000000125", "0.0000000000000000000000000000000000002"],
         "38,37", "0.00000000000000000000000000000000000635"),
        (["1.5", "2.6"], "30,1", "2.05000"),
        (["1", "2", "2"], "38,4", "1.66666667"),
        (["-1", "-2", "-2"], "38,4", "-1.66666667"),
    ],
)  # fmt: skip
def test_averages_are_exact(
    anyhow: SparkSession, values: list[str], kind: str, wanted: str
) -> None:
    rows = ", ".join(f"(cast('{value}' as decimal({kind})))" for value in values)
    table = f"values {rows}, (null) t(x)"
    found = anyhow.sql(f"select avg(x), try_avg(x) from {table}").collect()
    assert [list(row) for row in found] == [[Decimal(wanted)] * 2]
    beside = anyhow.sql(f"select avg(x) over () from {table}").collect()
    assert [row[0] for row in beside] == [Decimal(wanted)] * (len(values) + 1)


def test_an_average_that_does_not_fit(anyhow: SparkSession) -> None:
    with pytest.raises(PySparkException) as caught:
        anyhow.sql(f"select avg({NINES})").collect()
    assert caught.value.getCondition() == "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"
    assert "decimal(38,4)" in str(caught.value) and "try_avg" in str(caught.value)
    assert anyhow.sql(f"select try_avg({NINES})").collect()[0][0] is None
    anyhow.conf.set("spark.sql.ansi.enabled", "false")
    try:
        assert anyhow.sql(f"select avg({NINES})").collect()[0][0] is None
    finally:
        anyhow.conf.set("spark.sql.ansi.enabled", "true")
