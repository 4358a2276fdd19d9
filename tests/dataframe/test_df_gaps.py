"""Table functions of users, Python functions over windows, names of files, observations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from minispark import SparkContext
from minispark.errors import AnalysisException, PySparkAssertionError
from minispark.sql import Observation, Row, SparkSession, Window
from minispark.sql import functions as F  # noqa: N812


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


# ---- table functions -----------------------------------------------------------------------------


class Count:
    def __init__(self) -> None:
        self.seen = 0

    def eval(self, n: int | None, by: int = 1) -> Iterator[tuple[int, str]]:
        self.seen += 1
        for i in range(0, n or 0, by):
            yield i, str(i)

    def terminate(self) -> Iterator[tuple[int, str]]:
        yield -self.seen, "end"


def test_a_table_function_of_constants(spark: SparkSession) -> None:
    count = F.udtf(Count, returnType="a int, b string")
    assert count(F.lit(2)).collect() == [Row(a=0, b="0"), Row(a=1, b="1"), Row(a=-1, b="end")]
    assert count(F.lit(5), by=F.lit(4)).count() == 3


def test_a_table_function_of_nothing_is_called_once(anyhow: SparkSession) -> None:
    class Greeting:
        def eval(self, *words: str) -> Iterator[tuple[str, int]]:
            yield "hello", len(words)

    greet = F.udtf(Greeting, returnType="word string, n int")
    assert greet().collect() == [Row(word="hello", n=0)]
    anyhow.udtf.register("greet", greet)
    assert anyhow.sql("select * from greet()").collect() == [Row(word="hello", n=0)]


def test_a_table_function_in_sql(anyhow: SparkSession) -> None:
    class Twice:
        def eval(self, n: int) -> Any:
            return [(n,), (n * 10,)] if n else None

    anyhow.udtf.register("twice", F.udtf(Twice, returnType="m int"))
    assert anyhow.sql("SELECT m FROM twice(n => 3)").collect() == [Row(m=3), Row(m=30)]
    rows = "VALUES (1), (0) AS t(n)"
    found = anyhow.sql(f"SELECT n, x.m FROM {rows}, LATERAL twice(n) x").collect()
    assert sorted(found) == [Row(n=1, m=1), Row(n=1, m=10)]
    found = anyhow.sql(f"SELECT * FROM {rows} LEFT JOIN LATERAL twice(n) AS x(k) ON true")
    assert found.columns == ["n", "k"]
    assert sorted(found.collect(), key=repr) == [Row(n=0, k=None), Row(n=1, k=1), Row(n=1, k=10)]
    found = anyhow.sql(f"SELECT * FROM {rows} JOIN LATERAL twice(n) x ON x.m > 5")
    assert found.collect() == [Row(n=1, m=10)]


def test_what_a_table_function_does_wrong_is_told(spark: SparkSession) -> None:
    class Wide:
        def eval(self) -> Any:
            yield 1, 2

    class Plain:
        def eval(self) -> Any:
            return 3

    with pytest.raises(RuntimeError, match="promised 1 columns, and gave a row of 2"):
        F.udtf(Wide, returnType="a int")().collect()
    with pytest.raises(TypeError, match="must give rows, and gave 3"):
        F.udtf(Plain, returnType="a int")().collect()
    with pytest.raises(AttributeError, match="eval"):
        F.udtf(int, returnType="a int")
    with pytest.raises(NotImplementedError, match="returnType"):
        F.udtf(Plain)


# ---- Python functions ----------------------------------------------------------------------------


@F.pandas_udf("double")
def total(values: pd.Series) -> float:
    return float(values.sum())


def test_a_grouped_pandas_udf_over_windows(anyhow: SparkSession) -> None:
    """As F.sum over the same windows, but for frames without rows."""
    rows = [("a", 1, 10), ("a", 2, 20), ("a", 2, 5), ("b", 3, 7), ("b", 4, 1), (None, 1, 2)]
    df = anyhow.createDataFrame(rows, "s string, k int, v int")
    by = Window.partitionBy("s")
    windows = [
        by,
        by.orderBy("k"),
        by.orderBy(F.desc("k"), "v"),
        by.orderBy("k", "v").rowsBetween(-1, 0),
        by.orderBy("k", "v").rowsBetween(0, Window.unboundedFollowing),
        Window.orderBy("k", "v", "s").rowsBetween(-2, 1),
        Window.orderBy("k").rangeBetween(0, Window.unboundedFollowing),
    ]
    for window in windows:
        found = df.select(total("v").over(window).alias("x"), F.sum("v").over(window).alias("y"))
        assert all(row.x == row.y for row in found.collect())
    later = df.select("v", total("v").over(by.orderBy("k", "v").rowsBetween(1, 1)).alias("x"))
    assert {row.v: row.x for row in later.collect()}[20] == 0.0
    with pytest.raises(NotImplementedError, match="RANGE with an offset"):
        df.select(total("v").over(by.orderBy("k").rangeBetween(-1, 0)))


def test_an_arrow_udf(spark: SparkSession) -> None:
    @F.arrow_udf("string")
    def upper(texts: pa.Array) -> pa.Array:
        return pc.utf8_upper(texts)

    df = spark.createDataFrame([("a", 1), (None, 2)], "s string, k int")
    added = F.arrow_udf(lambda a, b: pc.add(a, b), "long")
    found = df.select(upper("s").alias("s"), added("k", "k").alias("k")).collect()
    assert found == [Row(s="A", k=2), Row(s=None, k=4)]
    with pytest.raises(TypeError, match="should give an Arrow array, and gave int"):
        df.select(F.arrow_udf(lambda a: 3, "long")("k")).collect()


# ---- files ---------------------------------------------------------------------------------------


def test_the_file_of_a_row(anyhow: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    anyhow.range(6).repartition(2).write.parquet(str(folder))
    names = {f"file://{path}".replace(" ", "%20") for path in folder.glob("*.parquet")}
    df = anyhow.read.parquet(str(folder))
    assert len(names) == 2
    assert {row[0] for row in df.select(F.input_file_name()).collect()} == names
    counted = df.groupBy(F.input_file_name().alias("f")).count().collect()
    assert {row.f for row in counted} == names and sum(row["count"] for row in counted) == 6
    one = sorted(names)[0]
    assert 0 < df.where(F.input_file_name() == one).count() < 6
    assert df.withColumn("f", F.input_file_name()).where(F.col("f") == one).columns == ["id", "f"]
    short = df.where("id > 3").select("_metadata.file_name").distinct().collect()
    assert {row.file_name for row in short} <= {name.rsplit("/", 1)[1] for name in names}
    both = df.union(anyhow.range(1)).select(F.input_file_name().alias("f"))
    assert {row.f for row in both.collect()} == {*names, ""}


def test_the_file_of_a_row_where_it_cannot_be_told(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(2).write.parquet(str(tmp_path / "a"))
    df = spark.read.parquet(str(tmp_path / "a"))
    with pytest.raises(AnalysisException, match="come from 2"):
        df.join(df.alias("b"), "id").select(F.input_file_name())
    with pytest.raises(NotImplementedError, match="select it before"):
        df.distinct().select(F.input_file_name())
    with pytest.raises(NotImplementedError, match="file_size"):
        df.select("_metadata.file_size")
    with pytest.raises(AnalysisException, match="_metadata"):
        spark.range(1).select("_metadata.file_name")


# ---- others --------------------------------------------------------------------------------------


def test_an_observation(spark: SparkSession) -> None:
    seen = Observation("seen")
    df = spark.range(5).observe(seen, F.count(F.lit(1)).alias("rows"), F.max("id").alias("most"))
    assert df.where("id > 1").count() == 3
    assert seen.get == {"rows": 5, "most": 4}
    with pytest.raises(PySparkAssertionError):
        df.observe(seen, F.count("id"))
    with pytest.raises(PySparkAssertionError):
        _ = Observation().get


def test_windows_of_time_in_stages(anyhow: SparkSession) -> None:
    rows = "(0, 'a'), (4, 'a'), (9, 'b'), (14, 'a'), (30, 'a'), (NULL, 'a')"
    anyhow.sql(f"SELECT timestamp_seconds(s * 60) t, k FROM VALUES {rows} AS v(s, k)")
    text = f"(SELECT timestamp_seconds(s * 60) t, k FROM VALUES {rows} AS v(s, k))"
    slid = "SELECT count(*) n FROM {} GROUP BY window(t, '10 minutes', '5 minutes')"
    assert sorted(r.n for r in anyhow.sql(slid.format(text)).collect()) == [1, 1, 1, 2, 2, 3]
    session = "SELECT k, count(*) n FROM {} GROUP BY session_window(t, '10 minutes'), k"
    found = sorted(map(tuple, anyhow.sql(session.format(text)).collect()))
    assert found == [("a", 1), ("a", 3), ("b", 1)]


def test_a_query_that_asks_for_partitions_has_them(spark: SparkSession) -> None:
    """A query is one task by default: not where its rows say in which partition they are."""
    ranged = spark.range(0, 10, 1, 3)
    here = ranged.select(F.spark_partition_id().alias("p"))
    assert [row.p for row in here.collect()] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    spread = ranged.repartition(9).groupBy(F.spark_partition_id().alias("p")).count()
    assert sum(row["count"] for row in spread.collect()) == 10
    assert {row.p for row in spread.collect()} <= set(range(9)) and spread.count() > 3
    spark.conf.set("minispark.sql.singleNode", "always")
    try:
        assert {row.p for row in here.collect()} == {0}
    finally:
        spark.conf.set("minispark.sql.singleNode", "auto")


def test_functions_of_the_session_are_called_by_name(anyhow: SparkSession) -> None:
    anyhow.udf.register("plus_two", lambda n: n + 2, "int")
    frame = anyhow.createDataFrame([(1,), (5,)], "n int")
    found = frame.select(F.call_udf("plus_two", "n"), F.call_function("plus_two", F.col("n")))
    assert [tuple(row) for row in found.collect()] == [(3, 3), (7, 7)]
    assert frame.select(F.call_function("abs", -F.col("n"))).first() == Row(
        **{"abs(negative(n))": 1}
    )
    with pytest.raises(AnalysisException, match="plus_three") as caught:
        frame.select(F.call_function("plus_three", "n"))
    assert caught.value.getCondition() == "UNRESOLVED_ROUTINE"


def test_lists_that_are_all_empty_arrive(anyhow: SparkSession) -> None:
    rows = [([2, 1, None, 3],), ([1],), ([],)]
    frame = anyhow.createDataFrame(rows, "data array<int>")
    found = frame.select(F.array_sort("data").alias("r")).collect()
    assert [row.r for row in found] == [[1, 2, 3, None], [1], []]
    held = frame.repartition(5).select(F.struct(F.array_sort("data").alias("r")).alias("s"))
    assert sorted(len(row.s.r) for row in held.collect()) == [0, 1, 4]


def test_arrow_tables_have_the_types_of_pyspark(
    anyhow: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = anyhow.range(40).selectExpr(
        "cast(id as string) s",
        "cast(cast(id as string) as binary) b",
        "array(cast(id as string)) l",
        "named_struct('t', array(named_struct('u', cast(id as string)))) n",
        "map(cast(id as string), id) m",
        "id",
    )
    whole = frame.toArrow()
    assert [str(kind).replace(" not null", "") for kind in whole.schema.types] == [
        "string",
        "binary",
        "list<element: string>",
        "struct<t: list<element: struct<u: string>>>",
        "map<string, int64>",
        "int64",
    ]
    assert whole.to_pylist() == [row.asDict(recursive=True) | {"m": [(str(row.id), row.id)],
        "b": str(row.id).encode()} for row in frame.collect()]  # fmt: skip
    monkeypatch.setattr("executors.relational.tables.SHORT", 100)
    cut = frame.toArrow()
    assert cut.column("s").num_chunks > 3 and cut.equals(whole)


def test_values_of_a_statement_may_be_tuples(spark: SparkSession) -> None:
    frame = spark.range(6)
    text = "select {col} from {frame} where id in {some} and cast(id as string) in {texts}"
    found = spark.sql(text, col=frame.id, frame=frame, some=(1, 3, 5), texts=("3", "5", "7"))
    assert [row.id for row in found.collect()] == [3, 5]


def test_settings_that_nobody_set_have_their_usual_values(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.shuffle.partitions") == str(
        spark.sparkContext.defaultParallelism
    )
    for key, value in {
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.autoBroadcastJoinThreshold": "10485760b",
        "spark.sql.sources.partitionOverwriteMode": "STATIC",
        "spark.sql.parquet.compression.codec": "snappy",
        "spark.sql.caseSensitive": "false",
    }.items():
        assert spark.conf.get(key) == value
        assert spark.conf.get(key, "mine") == "mine"


def test_pairs_of_rows_come_by_the_left_side(anyhow: SparkSession) -> None:
    left, right = anyhow.createDataFrame([(1,), (2,)], "a int"), anyhow.range(3)
    pairs = [(a, b) for a in (1, 2) for b in range(3)]
    assert [tuple(row) for row in left.crossJoin(right).collect()] == pairs


def test_bytes_are_reversed(spark: SparkSession) -> None:
    assert spark.sql("select hex(reverse(X'CAFE')) h, reverse('añb') t").first() == Row(
        h="FECA", t="bña"
    )
    assert spark.range(65, 67).select(F.chr("id").alias("c")).collect() == [Row(c="A"), Row(c="B")]


def test_notebooks_offer_the_columns(spark: SparkSession) -> None:
    assert spark.range(1).withColumn("b c", F.lit(1))._ipython_key_completions_() == ["id", "b c"]
