"""What scripts written for PySpark rely on; wanted values are those of PySpark 4.3."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from minispark import SparkContext
from minispark.errors import AnalysisException
from minispark.sql import DataFrame, Row, SparkSession
from minispark.sql import functions as F  # noqa: N812


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    made = SparkSession.builder.master("inline[1]").getOrCreate()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def users(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, "a"), (2, "b")], "id int, user string")


def test_a_filter_may_use_what_was_not_selected(users: DataFrame) -> None:
    assert users.select("user").where("id = 1").collect() == [Row(user="a")]
    assert users.select("user").where(F.col("id") == 2).columns == ["user"]
    assert users.drop("id").filter("id = 1 and user = 'a'").collect() == [Row(user="a")]
    assert users.select(F.upper("user").alias("u")).filter("id = 2").collect() == [Row(u="B")]
    renamed = users.select(F.upper("user").alias("user"))
    assert renamed.where("user = 'a'").collect() == []  # the column that comes out counts
    for missing in ("age = 1", "id = 1 and age = 1"):
        with pytest.raises(AnalysisException, match="there is no column") as caught:
            users.select("user").where(missing)
        assert caught.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"


def test_a_lambda_has_its_variables_for_itself(spark: SparkSession) -> None:
    found = spark.sql(
        "select transform(array(1, 2), x -> x + 1) a, 5 x, "
        "aggregate(array(1, 2), 0, (a, x) -> a + x) c, size(a) + x d"
    )
    assert found.first() == Row(a=[2, 3], x=5, c=3, d=7)


def test_null_is_nothing_to_cov_and_corr(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, None), (2, 4.0), (3, 6.0)], "x int, y double")
    assert frame.corr("x", "y") == pytest.approx(0.9819805060619656, rel=1e-12)
    assert frame.cov("x", "y") == 3.0
    assert frame.where("x > 9").cov("x", "y") == 0.0 and frame.where("x = 1").cov("x", "y") == 0.0
    assert math.isnan(frame.where("x > 9").corr("x", "y"))
    assert frame.select(F.covar_samp("x", "y").alias("c")).first() == Row(c=1.0)


def test_unpivot_mixes_no_texts_with_numbers(users: DataFrame) -> None:
    with pytest.raises(AnalysisException, match="id int, user string") as caught:
        users.unpivot("id", ["id", "user"], "k", "v")
    assert caught.value.getCondition() == "UNPIVOT_VALUE_DATA_TYPE_MISMATCH"


def test_pandas_columns_of_several_kinds_are_texts(spark: SparkSession) -> None:
    frame = spark.createDataFrame(pd.DataFrame({"o": [1, "x"], "p": [1.5, 2.5]}))
    assert frame.dtypes == [("o", "string"), ("p", "double")]
    assert frame.collect() == [Row(o="1", p=1.5), Row(o="x", p=2.5)]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("array(1, 2)", np.array([1, 2], dtype="int32")),
        ("array(1, null)", np.array([1.0, np.nan])),
        ("array('x', null)", np.array(["x", None], dtype=object)),
        ("array(1.5D)", np.array([1.5])),
        ("array(1.5)", np.array([Decimal("1.5")], dtype=object)),
        ("array(date'2020-01-01')", np.array([dt.date(2020, 1, 1)], dtype=object)),
        ("array(struct(1 as c))", np.array([{"c": 1}], dtype=object)),
        ("struct(struct('1' as b) as a)", {"a": {"b": "1"}}),
        ("map('k', struct(1 as d))", {"k": {"d": 1}}),
        ("map('k', struct(timestamp_ntz'2020-01-01' as d))", {"k": {"d": dt.datetime(2020, 1, 1)}}),
    ],
)
def test_nested_values_in_pandas(spark: SparkSession, value: str, wanted: Any) -> None:
    (found,) = spark.sql(f"select {value} v").toPandas()["v"]
    assert type(found) is type(wanted)
    if isinstance(wanted, np.ndarray):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    else:
        assert found == wanted


def test_functions_over_pandas_see_arrays_of_numpy(spark: SparkSession) -> None:
    @F.pandas_udf("double")
    def square(vectors: pd.Series) -> pd.Series:
        return vectors.map(lambda vector: float((vector * vector).sum()))

    frame = spark.sql("select 1 g, array(1.5D, 2.5D) a, map('k', array(1)) m")
    assert frame.select(square("a").alias("s")).first() == Row(s=8.5)
    same = [Row(g=1, a=[1.5, 2.5], m={"k": [1]})]
    assert frame.mapInPandas(lambda frames: frames, frame.schema).collect() == same
    assert frame.groupBy("g").applyInPandas(lambda each: each, frame.schema).collect() == same
    assert spark.createDataFrame(frame.toPandas()[["g", "a"]]).first() == Row(g=1, a=[1.5, 2.5])


PIVOTS = {  # what a value without rows comes to depends on the types of all aggregates
    "count(n)": [("a", 1, None), ("b", 2, None), ("c", 0, None)],
    "count(n) + 1": [("a", 2, None), ("b", 3, None), ("c", 1, None)],
    "collect_list(n)": [("a", [1], []), ("b", [3, 3], []), ("c", [], [])],
    "count(n) as c, max(p) as m": [
        ("a", 1, "x", 0, None),
        ("b", 2, "x", 0, None),
        ("c", 0, "x", 0, None),
    ],
    "count(distinct n) as c, max(d) as m": [
        ("a", 1, dt.date(2020, 1, 1), 0, None),
        ("b", 1, None, 0, None),
        ("c", 0, None, 0, None),
    ],
    "count(n) filter (where n > 1) as c, max(p) as m": [
        ("a", 0, "x", 0, None),
        ("b", 2, "x", 0, None),
        ("c", 0, "x", 0, None),
    ],
}


@pytest.mark.parametrize("aggregates", PIVOTS)
def test_a_pivot_of_values_without_rows(spark: SparkSession, aggregates: str) -> None:
    rows = (
        "select * from values ('a', 'x', 1, date'2020-01-01'), ('a', 'y', 2, date'2020-01-02'), "
        "('b', 'x', 3, null), ('b', 'x', 3, null), ('c', 'x', null, null) t(k, p, n, d)"
    )
    made = [F.expr(each) for each in aggregates.split(", ")]
    found = spark.sql(rows).groupBy("k").pivot("p", ["x", "z"]).agg(*made).orderBy("k")
    assert [tuple(row) for row in found.collect()] == PIVOTS[aggregates]


def test_dicts_take_new_names_by_the_places_of_their_own(spark: SparkSession) -> None:
    """Their own names in the order of the alphabet."""
    rows = [{"b": 1, "a": 2}, {"b": 3}]
    assert spark.createDataFrame(rows, ["x"]).collect() == [Row(x=2, b=1), Row(x=None, b=3)]
    assert spark.createDataFrame(rows, ["x", "y"]).collect() == [Row(x=2, y=1), Row(x=None, y=3)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda df: df.mapInPandas(1, "id long"),
        lambda df: df.mapInArrow("f", "id long"),
        lambda df: df.groupBy("id").applyInPandas(1, "id long"),
        lambda df: df.groupBy("id").cogroup(df.groupBy("id")).applyInArrow(None, "id long"),
    ],
)
def test_what_is_no_function_is_refused_at_once(spark: SparkSession, ask: Any) -> None:
    with pytest.raises(TypeError, match="function") as caught:
        ask(spark.range(3))
    assert caught.value.getCondition() == "NOT_CALLABLE"
