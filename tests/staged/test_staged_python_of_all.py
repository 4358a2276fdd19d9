"""Python functions of all rows, without keys to group them by: the rows are in one place then."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from contexts import make_context

from minispark.sql import SparkSession, Window
from minispark.sql import functions as f

ROWS = 100
TOTAL = sum(range(ROWS))


@pytest.fixture(scope="module", params=["always", "never"])
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    context = make_context("inline[2]", request)
    found = SparkSession(context)
    found.conf.set("minispark.sql.singleNode", request.param)
    yield found
    context.stop()


def total(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"s": [frame.id.sum()]})


def test_an_aggregate(spark: SparkSession) -> None:
    @f.pandas_udf("double")
    def added(values: pd.Series) -> float:
        return float(values.sum())

    df = spark.range(0, ROWS, 1, 4)
    assert [tuple(row) for row in df.agg(added("id")).collect()] == [(TOTAL,)]
    everywhere = df.select(added("id").over(Window.partitionBy()).alias("s")).collect()
    assert [row.s for row in everywhere] == [TOTAL] * ROWS


def test_a_group(spark: SparkSession) -> None:
    rows = spark.range(0, ROWS, 1, 4).groupBy().applyInPandas(total, "s long").collect()
    assert [row.s for row in rows] == [TOTAL]


def test_two_groups(spark: SparkSession) -> None:
    def both(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"s": [left.id.sum() + right.id.sum()]})

    one, other = spark.range(0, ROWS, 1, 4), spark.range(0, ROWS, 1, 3)
    rows = one.groupBy().cogroup(other.groupBy()).applyInPandas(both, "s long").collect()
    assert [row.s for row in rows] == [2 * TOTAL]


def test_one_partition_that_was_asked_for(spark: SparkSession) -> None:
    def sizes(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"n": [sum(map(len, frames))]})

    rows = spark.range(0, ROWS, 1, 4).repartition(1).mapInPandas(sizes, "n long").collect()
    assert [row.n for row in rows] == [ROWS]
