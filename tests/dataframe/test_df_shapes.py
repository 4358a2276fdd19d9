"""DataFrames beside themselves, clocks, caching, Python on several workers, and ways to rows."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator

import pytest

from minispark import SparkContext
from minispark.errors import AnalysisException
from minispark.sql import Row, SparkSession, Window, functions

F = functions


def session(**settings: str) -> SparkSession:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    builder = SparkSession.builder.master("inline[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


@pytest.fixture
def spark() -> Iterator[SparkSession]:
    made = session()
    yield made
    made.stop()


def test_two_frames_of_one_and_the_columns_of_each(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, "a"), (2, "b")], ["id", "v"])
    left, right = df.where("id > 0"), df.where("id < 9")
    joined = left.join(right, left.id == right.id)
    assert joined.select(left.id, left.v).orderBy("v").collect() == [(1, "a"), (2, "b")]
    assert left.join(right, (left.id == right.id) & (left.v == "a")).count() == 1
    with pytest.raises(AnalysisException, match="alias"):
        joined.select(right.v)
    with pytest.raises(AnalysisException, match="alias"):
        left.join(right, left.id < right.id)
    named = df.alias("a").join(df.alias("b"), F.col("a.id") < F.col("b.id"))
    assert named.select("a.v", "b.v").collect() == [("a", "b")]


def test_clocks_of_the_session_and_of_the_process() -> None:
    """As PySpark has it: text and pandas by the session's zone, Python values by the process's."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    try:
        spark = session(**{"spark.sql.session.timeZone": "Asia/Tokyo"})
        noon = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
        df = spark.createDataFrame([(noon,)], "t timestamp")
        assert df.collect() == [Row(t=dt.datetime(2024, 1, 1, 7))]
        assert "|2024-01-01 21:00:00|" in df._show_string()
        assert str(df.toPandas().t[0]) == "2024-01-01 21:00:00"
        assert df.toArrow().column("t").to_pylist() == [noon]
        seen = df.select(F.udf(lambda t: repr(t))("t")).first()
        assert seen[0] == "datetime.datetime(2024, 1, 1, 7, 0)"
        bare = spark.createDataFrame([(dt.datetime(2024, 1, 1, 12),)], ["t"])
        assert "|2024-01-02 02:00:00|" in bare._show_string()
        assert bare.collect() == [Row(t=dt.datetime(2024, 1, 1, 12))]
        spark.stop()
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def test_what_is_kept_is_read_by_plans_that_say_the_same(spark: SparkSession) -> None:
    df = spark.range(10).select((F.col("id") * 2).alias("n"))
    assert not df.is_cached
    kept = df.cache()
    assert kept is df
    assert df.count() == 10
    assert df.is_cached and df.storageLevel.useMemory
    assert df.where("n > 4").count() == 7
    assert not df.unpersist().is_cached


@pytest.mark.parametrize("staged", ["auto", "never"])
def test_python_functions_in_all_places(spark: SparkSession, staged: str) -> None:
    spark.conf.set("minispark.sql.singleNode", staged)
    df = spark.range(20)
    half = F.udf(lambda n: n // 2, "long")
    assert df.where(half("id") == 3).count() == 2
    assert df.groupBy(half("id").alias("h")).count().where("count = 2").count() == 10
    assert df.agg(F.sum(half(half("id")))).first()[0] == sum(n // 4 for n in range(20))
    assert df.orderBy(half("id").desc(), "id").first().id == 18
    other = spark.range(3).toDF("k")
    assert df.join(other, half("id") == other.k).count() == 6
    top = df.select(F.sum(half("id")).over(Window.partitionBy(F.col("id") % 2)).alias("s"))
    assert {row.s for row in top.collect()} == {45}
    found = df.groupBy((F.col("id") % 3).alias("k")).applyInPandas(
        lambda key, rows: rows.head(1).assign(n=len(rows), k=key[0])[["k", "n"]], "k long, n long"
    )
    assert sorted(found.collect()) == [(0, 7), (1, 7), (2, 6)]
    spark.conf.unset("minispark.sql.singleNode")


def test_generators_make_rows(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, [5, 6]), (2, [])], "id int, xs array<int>")
    assert df.select("id", F.explode("xs")).collect() == [(1, 5), (1, 6)]
    assert df.select("id", F.explode_outer("xs").alias("x")).count() == 3
    assert df.select(F.posexplode("xs").alias("p", "x")).columns == ["p", "x"]
    assert df.withColumn("x", F.explode("xs")).columns == ["id", "xs", "x"]


def test_samples_are_the_same_each_time(spark: SparkSession) -> None:
    df = spark.range(2000)
    assert df.sample(0.5, 3).collect() == df.sample(0.5, 3).collect()
    assert 800 < df.sample(0.5, 3).count() < 1200
    assert 3600 < df.sample(True, 2.0, 3).count() < 4400
    parts = df.randomSplit([1.0, 1.0, 2.0], 5)
    together = parts[0].union(parts[1]).union(parts[2])
    assert sorted(row.id for row in together.collect()) == list(range(2000))
    assert df.sampleBy(F.col("id") % 2, {0: 1.0}, 1).count() == 1000


def test_rows_and_columns_cross_over(spark: SparkSession) -> None:
    df = spark.range(6).withColumn("w", F.lit("x"))
    pairs = df.rdd.map(lambda row: (row.id % 2, row.w)).toDF(["odd", "w"])
    assert pairs.groupBy("odd").count().orderBy("odd").collect() == [(0, 3), (1, 3)]
    assert [row.id for row in df.toLocalIterator()] == list(range(6))
    seen = spark.sparkContext.accumulator(0)
    df.foreach(lambda row: seen.add(row.id))
    assert seen.value == 15
    assert df.repartition(3).rdd.getNumPartitions() == 3
