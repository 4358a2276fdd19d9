"""Names of columns, windows of time, lengths of time, lateral joins, recursion: as PySpark answers
(recorded in answers/gaps.json), and what it could not be asked."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import random
import struct
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from minispark import SparkContext
from minispark.errors import PySparkException, SparkRuntimeException
from minispark.sql import Row, SparkSession, Window, functions, types

ANSWERS = json.loads((Path(__file__).parent / "answers" / "gaps.json").read_text())
TABLES = json.loads((Path(__file__).parent / "answers" / "tables.json").read_text())
F = functions


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    made = (
        SparkSession.builder.master("inline[1]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield made
    made.stop()
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def views(spark: SparkSession, group: int) -> None:
    if group == 5:
        t = spark.createDataFrame([(0, 1), (1, 2), (2, 0)], "a int, b int")
        t.createOrReplaceTempView("d")
        u = spark.createDataFrame([(0, 5), (1, 0), (2, 6)], "a int, c int")
    else:
        rows = [(1, "a", 10), (2, "b", 20), (3, "c", None)]
        spark.createDataFrame(rows, "id int, s string, v int").createOrReplaceTempView("t")
        lists = [(1, [1, 2], "x"), (2, [], "y"), (3, None, "z")]
        u = spark.createDataFrame(lists, "id int, xs array<int>, k string")
    u.createOrReplaceTempView("u")


def answer(spark: SparkSession, asked: str) -> dict[str, Any]:
    """What became of a statement or an expression of Python, as it is recorded."""
    sql = asked.split(" ", 1)[0].isalpha() and not asked.startswith("lambda")
    names = {
        "spark": spark,
        "F": functions,
        "T": types,
        "Row": Row,
        "Window": Window,
        "dt": dt,
        "D": Decimal,
        "show": _shown,
    }
    try:
        found = spark.sql(asked) if sql else eval(asked, names)
        if not hasattr(found, "collect"):
            return {"value": repr(found)}
        rows = found.collect()
    except PySparkException as error:
        return {"code": error.getCondition()}
    return {
        "cols": found.columns,
        "types": [kind for _, kind in found.dtypes],
        "rows": repr(sorted(rows, key=repr)),
    }


def _shown(frame: Any, *args: Any) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        frame.show(*args)
    return out.getvalue()


@pytest.mark.parametrize("group", [4, 5])
def test_as_pyspark(spark: SparkSession, group: int) -> None:
    views(spark, group)
    asked = [each for kind in ("sql", "expr") for each in ANSWERS[kind] if each["group"] == group]
    wrong = []
    for each in asked:
        wanted = {key: value for key, value in each.items() if key not in ("asked", "group")}
        found = answer(spark, each["asked"])
        if found != wanted:
            wrong.append((each["asked"], wanted, found))
    assert len(asked) > 30
    assert not wrong, wrong[:3]


def test_tables_that_stay_as_pyspark(spark: SparkSession) -> None:
    """One statement after the other; those that are asked twice are only done."""
    views(spark, 4)
    spark.catalog.dropTempView("d")
    wrong = []
    for each in TABLES:
        wanted = {key: value for key, value in each.items() if key != "asked"}
        found = answer(spark, each["asked"])
        if wanted and found != wanted:
            wrong.append((each["asked"], wanted, found))
    assert not wrong, wrong[:3]


def test_a_table_is_there_in_a_later_session(spark: SparkSession) -> None:
    spark.range(3).write.saveAsTable("lasting")
    assert spark.newSession().table("lasting").count() == 3
    spark.sql("INSERT OVERWRITE lasting SELECT 9")
    assert spark.table("lasting").collect() == [Row(id=9)]
    with pytest.raises(PySparkException, match="read from"):
        spark.sql("INSERT OVERWRITE lasting SELECT id + 1 FROM lasting")
    assert spark.table("lasting").collect() == [Row(id=9)]
    spark.sql("DROP TABLE lasting")
    assert not spark.catalog.tableExists("lasting")


def test_varchar_is_checked(spark: SparkSession) -> None:
    spark.sql("CREATE TABLE short (v VARCHAR(3)) USING parquet")
    spark.sql("INSERT INTO short VALUES ('abc'), ('de  ')")
    assert sorted(row.v for row in spark.table("short").collect()) == ["abc", "de "]
    with pytest.raises(SparkRuntimeException) as caught:
        spark.sql("INSERT INTO short VALUES ('abcd')")
    assert caught.value.getCondition() == "EXCEED_LIMIT_LENGTH"
    assert spark.table("short").count() == 2
    assert spark.sql("DESCRIBE short").first()[1] == "varchar(3)"


def test_an_external_table_keeps_its_files(spark: SparkSession, tmp_path: Path) -> None:
    folder = str(tmp_path / "outside")
    spark.range(2).write.option("path", folder).saveAsTable("outside")
    spark.sql("DROP TABLE outside")
    assert spark.read.parquet(folder).count() == 2


@pytest.mark.parametrize("single", ["auto", "never"])
def test_recursion_stops_at_its_limits(spark: SparkSession, single: str) -> None:
    spark.conf.set("minispark.sql.singleNode", single)
    try:
        more = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r"
        assert spark.sql(f"{more} LIMIT 5").count() == 5
        with pytest.raises(SparkRuntimeException) as caught:
            spark.sql(more).collect()
        assert caught.value.getCondition() == "RECURSION_LEVEL_LIMIT_EXCEEDED"
        spark.conf.set("spark.sql.cteRecursionRowLimit", "50")
        with pytest.raises(SparkRuntimeException) as caught:
            spark.sql(more).collect()
        assert caught.value.getCondition() == "RECURSION_ROW_LIMIT_EXCEEDED"
    finally:
        spark.conf.unset("spark.sql.cteRecursionRowLimit")
        spark.conf.set("minispark.sql.singleNode", "auto")


def test_recursion_within_the_level_that_is_said(spark: SparkSession) -> None:
    text = (
        "WITH RECURSIVE r(n) MAX RECURSION LEVEL {} AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r"
    )
    assert spark.sql(text.format(5)).count() == 5
    with pytest.raises(SparkRuntimeException):
        spark.sql(text.format(4)).collect()


def test_quotients_by_constants_are_exact(spark: SparkSession) -> None:
    """As in IEEE's arithmetic, which PySpark's is; Polars alone would multiply by 1/3."""
    random.seed(7)
    bits = [struct.pack("Q", random.getrandbits(64)) for _ in range(10_000)]
    values = [x for x in (struct.unpack("d", each)[0] for each in bits) if x - x == 0]
    frame = spark.createDataFrame([(x,) for x in values], "a double")
    rows = frame.select("a", (F.col("a") / 3.0).alias("x"), F.expr("a / 10").alias("y")).collect()
    assert all(row.x == row.a / 3.0 and row.y == row.a / 10 for row in rows)


GUARDED = [
    "d WHERE a <> 0 AND 1 / a > 0",
    "d JOIN u ON d.a = u.a WHERE d.a <> 0 AND 1 / d.a > 0",
    "d JOIN u ON d.a = u.a AND d.a <> 0 AND 1 / d.a > 0",
    "d JOIN u ON d.b = u.a AND d.a <> 0 WHERE 1 / d.a > 0",
    "d WHERE a IN (SELECT a FROM u WHERE a <> 0 AND 1 / a > 0)",
    "d WHERE a <> 0 AND EXISTS (SELECT 1 FROM u WHERE u.a = d.a AND 1 / d.a > 0)",
    "(SELECT a, max(b) m FROM d GROUP BY a) WHERE a <> 0 AND 1 / a > 0",
    "(SELECT * FROM d WHERE a <> 0 LIMIT 9) WHERE 1 / a > 0",
]


@pytest.mark.parametrize("single", ["auto", "never"])
def test_a_condition_is_not_computed_where_one_before_is_false(
    spark: SparkSession, single: str
) -> None:
    views(spark, 5)
    spark.conf.set("minispark.sql.singleNode", single)
    try:
        for text in GUARDED:
            assert spark.sql(f"SELECT * FROM {text}").count() == 2, text
    finally:
        spark.conf.set("minispark.sql.singleNode", "auto")


def test_months_have_no_value_in_python(spark: SparkSession) -> None:
    frame = spark.sql("SELECT INTERVAL '3' MONTH AS x")
    for ask in (frame.collect, frame.toPandas):
        with pytest.raises(NotImplementedError, match="cast it"):
            ask()
    assert spark.sql("SELECT CAST(INTERVAL '3' MONTH AS INT) AS x").first().x == 3
