"""Rows without columns are still rows: fused and in stages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from minispark import SparkContext
from minispark.sql import SparkSession, functions

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


def test_they_are_counted(spark: SparkSession) -> None:
    two = spark.createDataFrame([(1,), (2,)], ["a"])
    none = two.select()
    assert none.collect() == [(), ()] and none.count() == 2
    assert none.agg(F.count("*")).first() == (2,)
    assert none.union(none).count() == 4
    assert none.crossJoin(two).count() == 4
    assert none.repartition(2).count() == 2
    assert none.toPandas().shape == (2, 0)
    assert two.drop("a").withColumn("x", F.lit(1)).collect() == [(1,), (1,)]
    assert none.rdd.count() == 2


def test_a_folder_without_files(spark: SparkSession, tmp_path: object) -> None:
    for form in ("csv", "json", "parquet", "orc", "text"):
        assert spark.read.format(form).schema("value string").load(str(tmp_path)).collect() == []
