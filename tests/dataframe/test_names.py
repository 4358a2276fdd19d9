"""Names of columns as PySpark 4.3 gives them (recorded): scripts read results by these names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from minispark import SparkContext
from minispark.sql import SparkSession
from minispark.sql import functions as F  # noqa: N812

with open(os.path.join(os.path.dirname(__file__), "names.json")) as _file:
    NAMES: dict[str, list[str]] = json.load(_file)

NOT_THERE = {  # each says so, but for the last three
    "sentences(s)",
    "make_interval(1)",
    "make_interval(1, 2)",
    "shuffle(a)",
    "mode() within group (order by n desc)",
    "version()",
    "arrays_zip(a, a)",
    "+n",
    "n >>> 1",
}
ROW = (
    "select 1 n, 0.5D x, 'abc' s, date'2020-01-01' d, timestamp'2020-01-01 00:00:00' ts, "
    "array(1,2) a, map('k',1) m, struct(1 as p) st"
)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    made = SparkSession.builder.master("inline[1]").getOrCreate()
    made.sql(ROW).createOrReplaceTempView("t")
    yield made
    made.stop()


@pytest.mark.parametrize("text", [text for text in NAMES if text not in NOT_THERE])
def test_a_column_is_named_as_in_pyspark(spark: SparkSession, text: str) -> None:
    assert spark.sql(f"select {text} from t").columns == NAMES[text]


def test_the_functions_of_python_name_their_columns_alike(spark: SparkSession) -> None:
    t = spark.table("t")
    found = t.select(
        F.round("x"),
        F.ceiling("x"),
        F.locate("b", "s"),
        F.split("s", ","),
        F.substring("s", 1, 2),
        F.regexp_extract("s", "a", 0),
        F.months_between("d", "d"),
        F.sort_array("a"),
        F.negative("n"),
        F.date_add("d", 1),
        F.expr("-n"),
        -t.n,
        ~(t.n > 1),
        t.s.substr(1, 2),
        t.s.rlike("a"),
    )
    assert found.columns == [
        "round(x, 0)",
        "ceiling(x)",
        "locate(b, s, 1)",
        "split(s, ,, -1)",
        "substring(s, 1, 2)",
        "regexp_extract(s, a, 0)",
        "months_between(d, d, true)",
        "sort_array(a, true)",
        "negative(n)",
        "date_add(d, 1)",
        "(- n)",
        "negative(n)",
        "(NOT (n > 1))",
        "substr(s, 1, 2)",
        "RLIKE(s, a)",
    ]


def test_a_summary_is_found_by_its_name(spark: SparkSession) -> None:
    found = spark.table("t").groupBy("s").agg(F.round(F.avg("x"), 2), F.count("*")).first()
    assert found is not None and found["round(avg(x), 2)"] == 0.5 and found["count(1)"] == 1
