"""`spark.sql` in a session: views, commands, what it gives to a query; and TPC-H by one worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tpch_tables import TABLES, Tpch, compare, query_text

from minispark.errors import AnalysisException, TempTableAlreadyExistsException
from minispark.sql import SparkSession


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    with SparkSession.builder.master("inline[1]").getOrCreate() as made:
        yield made


@pytest.fixture
def spark(session: SparkSession) -> Iterator[SparkSession]:
    yield session
    for table in session.catalog.listTables():
        session.catalog.dropTempView(table.name)
    session.catalog.clearCache()


@pytest.mark.parametrize("number", [1, 2, 13, 15, 16, 20, 21, 22])
def test_tpch_in_a_session(session: SparkSession, tpch: Tpch, number: int) -> None:
    for name in TABLES:
        session.read.parquet(tpch.path(name)).createOrReplaceTempView(name)
    compare(session.sql(query_text(number)).toArrow(), tpch.expected(number), ordered=True)


def test_a_view_of_a_statement_follows_the_views_that_it_uses(spark: SparkSession) -> None:
    spark.range(2).createOrReplaceTempView("numbers")
    spark.sql("CREATE TEMP VIEW sums (total) AS SELECT sum(id) FROM numbers")
    assert spark.table("sums").collect() == [(1,)]
    spark.range(4).createOrReplaceTempView("numbers")
    assert spark.table("sums").collect() == [(6,)]


def test_a_view_can_be_made_of_itself(spark: SparkSession) -> None:
    spark.range(3).createOrReplaceTempView("numbers")
    spark.sql("CREATE OR REPLACE TEMP VIEW numbers AS SELECT id + 1 AS id FROM numbers")
    assert spark.sql("SELECT max(id) FROM numbers").collect() == [(3,)]


def test_a_taken_name_is_an_error(spark: SparkSession) -> None:
    spark.sql("CREATE TEMP VIEW one AS SELECT 1 AS x")
    with pytest.raises(TempTableAlreadyExistsException):
        spark.sql("CREATE TEMP VIEW one AS SELECT 2 AS x")
    spark.sql("CREATE TEMP VIEW IF NOT EXISTS one AS SELECT 2 AS x")
    assert spark.table("ONE").collect() == [(1,)]
    spark.sql("DROP VIEW one")
    with pytest.raises(AnalysisException) as caught:
        spark.table("one")
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    spark.sql("DROP VIEW IF EXISTS one")


def test_views_of_all_sessions(spark: SparkSession) -> None:
    spark.sql("CREATE GLOBAL TEMP VIEW shared AS SELECT 5 AS x")
    other = spark.newSession()
    assert other.sql("SELECT x FROM global_temp.shared").collect() == [(5,)]
    assert spark.catalog.dropGlobalTempView("shared")


def test_cache_table(spark: SparkSession) -> None:
    spark.sql("CACHE TABLE kept AS SELECT id FROM range(3)")
    assert spark.catalog.isCached("kept")
    assert spark.sql("SELECT count(*) FROM kept").collect() == [(3,)]
    spark.sql("UNCACHE TABLE kept")
    assert not spark.catalog.isCached("kept")


def test_telling(spark: SparkSession) -> None:
    spark.sql("CREATE TEMP VIEW shown AS SELECT 1 AS a, 'x' AS b")
    tables = spark.sql("SHOW TABLES LIKE 'sho*'")
    assert tables.columns == ["namespace", "tableName", "isTemporary"]
    assert tables.collect() == [("", "shown", True)]
    assert spark.sql("SHOW COLUMNS IN shown").collect() == [("a",), ("b",)]
    assert spark.sql("DESCRIBE shown").collect() == [("a", "int", None), ("b", "string", None)]
    assert spark.sql("DESC SELECT 1.5 AS c").collect() == [("c", "decimal(2,1)", None)]
    assert ("count",) in spark.sql("SHOW FUNCTIONS LIKE 'count*'").collect()
    (plan,) = spark.sql("EXPLAIN SELECT * FROM shown WHERE a > 0").collect()[0]
    assert plan.startswith("== Physical Plan ==")


def test_settings(spark: SparkSession) -> None:
    spark.sql("SET spark.sql.ansi.enabled = false")
    assert spark.sql("SELECT 1 / 0 AS x").collect() == [(None,)]
    assert spark.sql("SET spark.sql.ansi.enabled").collect() == [
        ("spark.sql.ansi.enabled", "false")
    ]
    spark.sql("RESET spark.sql.ansi.enabled")
    assert spark.conf.get("spark.sql.ansi.enabled", "unset") in ("unset", "true")


def test_frames_and_functions_in_a_statement(spark: SparkSession) -> None:
    df = spark.range(3)
    assert spark.sql("SELECT * FROM {df} WHERE id > {n}", df=df, n=1).collect() == [(2,)]
    spark.udf.register("twice", lambda x: 2 * x, "long")
    assert spark.sql("SELECT twice(id) FROM {df} WHERE id = 2", df=df).collect() == [(4,)]


def test_files_by_their_format(spark: SparkSession, tpch: Tpch) -> None:
    text = f"SELECT count(*) FROM parquet.`{tpch.path('region')}`"
    assert spark.sql(text).collect() == [(5,)]


def test_the_line_of_the_statement_is_in_the_plan(spark: SparkSession) -> None:
    plan = spark.sql("SELECT id FROM range(3) WHERE id > 1")._plan
    assert plan.site.method == "sql" and plan.site.file == __file__
