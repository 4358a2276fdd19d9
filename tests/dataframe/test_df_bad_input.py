"""What DataFrames say of bad input: the message names what is wrong, and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from minispark import SparkContext
from minispark.errors import (
    AnalysisException,
    PySparkAttributeError,
    PySparkTypeError,
    PySparkValueError,
)
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
        (lambda df: df.select("nmae"), AnalysisException, r"no column nmae.*mean.*name"),
        (lambda df: df.where("agee > 1"), AnalysisException, r"no column agee.*age"),
        (lambda df: df.nmae, PySparkAttributeError, r"nmae.*name, age"),
        (lambda df: df.select(df.age + df.name + F.array("age")), AnalysisException, "array<"),
        (lambda df: df.groupBy("name").agg(df.age), AnalysisException, r"age.*first\(age\)"),
        (lambda df: df.join(df.limit(1), "nope"), AnalysisException, "no column nope"),
        (lambda df: df.join(df, "name", "sidways"), AnalysisException, "sidways.*inner"),
        (lambda df: df.union(df.select("age")), AnalysisException, "2 and 1 columns"),
        (lambda df: df.limit("3"), PySparkTypeError, "'3'"),
        (lambda df: bool(df.age > 1), PySparkValueError, "& for and"),
        (lambda df: df.drop(3), PySparkTypeError, "int"),
        (lambda df: df.select(df.age.cast("nonsense")), AnalysisException, "no type nonsense"),
        (lambda df: df.orderBy(7), AnalysisException, "no column 7.*1 to 2"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_defined(
    df: DataFrame, use: Callable[[DataFrame], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"(?s){words}"):
        use(df)


def test_ambiguous_after_a_join(df: DataFrame) -> None:
    both = df.join(df.withColumnRenamed("age", "other"), df.age == F.col("other"))
    with pytest.raises(AnalysisException, match="name is ambiguous"):
        both.select("name")
    cats = df.where("age > 0")
    joined = df.join(cats, df.age == cats.age)
    with pytest.raises(AnalysisException, match="alias"):
        joined.select(cats.age)
    assert joined.count() == 1


def test_columns_of_other_frames_are_refused(spark: SparkSession, df: DataFrame) -> None:
    with pytest.raises(AnalysisException, match="id belongs to another DataFrame"):
        df.select(spark.range(3).id)


def test_the_users_exception_comes_with_its_row(df: DataFrame) -> None:
    inverse = F.udf(lambda n: 6 // n, "long")
    with pytest.raises(ZeroDivisionError) as caught:
        df.select(inverse("age")).collect()
    assert any("0), row 1 of the partition" in note for note in caught.value.__notes__)


def test_a_wrong_type_out_of_python_is_named(df: DataFrame) -> None:
    with pytest.raises(TypeError, match="should give int, and gave 'Ann' of type str"):
        df.select(F.udf(lambda text: text, "int")("name")).collect()
    with pytest.raises(RuntimeError, match="lacks a, b"):
        df.mapInPandas(lambda frames: frames, "a string, b long").collect()


@pytest.mark.parametrize(
    ("rows", "schema", "words"),
    [
        ([("x",)], "a int", r"a is a column of int, and 'x' is of type str"),
        ([({"k": "v"},)], "m map<string,int>", "value of m is a column of int"),
        ([(1,)], "a int, b int", "1 values, and the schema 2"),
        ([(2**40,)], "a int", "a: a value does not fit int"),
    ],
)
def test_values_that_do_not_fit_their_column(
    spark: SparkSession, rows: list[Any], schema: str, words: str
) -> None:
    with pytest.raises((PySparkTypeError, PySparkValueError), match=words):
        spark.createDataFrame(rows, schema)


def test_what_is_not_there_is_named(spark: SparkSession, df: DataFrame) -> None:
    for use in (
        lambda: df.observe("o", F.count("*")),
        lambda: df.writeStream,
        lambda: df.withWatermark("t", "1 minute"),
        lambda: df.lateralJoin(df),
        lambda: spark.streams,
    ):
        with pytest.raises(NotImplementedError, match="is not there"):
            use()
