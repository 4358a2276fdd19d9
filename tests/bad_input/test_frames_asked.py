"""What cannot be asked for is refused when it is asked, in one line that says what would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minispark import SparkContext, errors
from minispark.sql import SparkSession, functions
from minispark.sql.dataframe import DataFrame

F = functions


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    session = SparkSession.builder.master("inline[1]").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def df(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("Ann", 3), ("Bob", 0)], ["name", "age"])


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda df: df.where("age >"), errors.ParseException, r"position 4\): age >>>><<<"),
        (lambda df: df.selectExpr("age +* 2"), errors.ParseException, "position 7"),
        (lambda df: df.orderBy(F.sum("age")), errors.AnalysisException, r"sum\(age\).*groupBy"),
        (lambda df: df.where(F.sum("age") > 1), errors.AnalysisException, "having"),
        (lambda df: df.select(None), errors.PySparkTypeError, "Column or a str"),
        (lambda df: df.select(3), errors.PySparkTypeError, r"lit\(\)"),
        (lambda df: df.groupBy(None), errors.PySparkTypeError, "NoneType"),
        (lambda df: df.orderBy(None), errors.PySparkTypeError, "NoneType"),
        (lambda df: df.withColumn(None, F.lit(1)), errors.PySparkTypeError, "is a str"),
        (lambda df: df.withColumnRenamed(3, "x"), errors.PySparkTypeError, "is a str"),
        (lambda df: df.repartition(0), errors.IllegalArgumentException, "positive, not 0"),
        (lambda df: df.take(-1), errors.AnalysisException, "not negative, and not -1"),
        (lambda df: df.head("x"), errors.PySparkTypeError, "'x'"),
        (lambda df: df[7], IndexError, "no column 7: there are 2"),
        (lambda df: F.col(None), errors.PySparkTypeError, "None"),
        (lambda df: df.createOrReplaceTempView("a b"), errors.AnalysisException, "backticks"),
        (lambda df: df.write.parquet(None), errors.IllegalArgumentException, "needs a path"),
        (lambda df: df.select().write.csv("out"), errors.AnalysisException, "one column"),
    ],
)
def test_frames(
    df: DataFrame, use: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        use(df)
    assert type(caught.value) is error and "\n" not in str(caught.value)
    assert df.tail(-1) == []


def test_names_are_shown_as_they_must_be_written(spark: SparkSession) -> None:
    odd = spark.createDataFrame([(1, 2)], ["a.b", "c\nd"])
    with pytest.raises(errors.AnalysisException, match="did you mean one of `a.b`"):
        odd.select("a.b")
    with pytest.raises(errors.AnalysisException) as caught:
        odd.select("`c\ne`")
    assert "\n" not in str(caught.value)
    assert odd.select("`a.b`").first() == (1,)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"sep": ""}, "sep cannot be empty"), ({"encoding": "nope"}, "nope"), ({"header": "x"}, "x")],
)
def test_options_of_files(spark: SparkSession, options: dict[str, str], words: str) -> None:
    with pytest.raises(errors.IllegalArgumentException, match=words):
        spark.read.schema("a int").csv(__file__, **options)
    for path in (3, None):
        with pytest.raises(errors.PySparkTypeError, match="path"):
            spark.read.csv(path)


def test_a_file_in_the_way_of_a_folder(df: DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        df.write.parquet(str(tmp_path / "file" / "out"))
    assert "_temporary" not in str(caught.value) and "file/out" in str(caught.value)
    nested = df.select("age", F.create_map("name", "age").alias("m"))
    with pytest.raises(errors.AnalysisException, match="m is map<string,bigint>"):
        nested.write.partitionBy("m").parquet(str(tmp_path / "out"))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
