"""DataFrames whose workers die: what the report says, files that are written, Python functions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from contexts import make_context
from histories import History, kill_each, lose_each

from minispark import chaos
from minispark.context import SparkContext
from minispark.sql import DataFrame, SparkSession, Window
from minispark.sql import functions as f
from planner import events as ev

HERE = "test_staged_kills_users.py"


@pytest.fixture(scope="module")
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    context = make_context("inline[3]", request)
    yield session_of(context)
    context.stop()


def session_of(context: SparkContext) -> SparkSession:
    found = SparkSession(context)
    found.conf.set("minispark.sql.singleNode", "never")
    found.conf.set("spark.sql.shuffle.partitions", "3")
    found.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    return found


@pytest.fixture
def history(spark: SparkSession) -> Iterator[History]:
    found = History(spark.sparkContext._session, blocks_die=True)
    yield found
    found.end()


def sales(spark: SparkSession) -> DataFrame:
    return spark.range(0, 600, 1, 3).select("id", (f.col("id") % 7).alias("k"))


# ---- the report ----------------------------------------------------------------------------------


def line_of(words: str) -> int:
    """The line of this file that has these words and a mark."""
    lines = Path(__file__).read_text().splitlines()
    return next(at for at, line in enumerate(lines, 1) if line.endswith(f"# here: {words}"))


def report_of(spark: SparkSession) -> list[str]:
    """The last job's report without seconds."""
    text = str(spark.sparkContext.recoveryReport())
    return re.sub(r"\d+\.\d\d s", "… s", re.sub(r"stage \d+", "stage …", text)).splitlines()


def test_the_report_names_what_explain_names(spark: SparkSession) -> None:
    names = spark.range(7).select(f.col("id").alias("key"), f.col("id").cast("string").alias("s"))
    both = sales(spark).join(names, f.col("k") == f.col("key"))  # here: join
    counted = both.groupBy("s").agg(f.count("id").alias("n"))  # here: agg
    where = {words: f"{HERE}:{line_of(words)}" for words in ("join", "agg")}
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    with chaos.kill_executor(at="in fetch", partition=1, when=lambda t: not t.writes_shuffle):
        assert sorted(row.n for row in counted.collect()) == [85, 85, 86, 86, 86, 86, 86]
    spark.conf.unset("spark.sql.adaptive.enabled")
    head, died, *said = report_of(spark)
    assert re.fullmatch(rf"job \d+ \(collect at {HERE}:\d+\): \d+ tasks, … s", head)
    assert re.fullmatch(r"  executor lost: executor inline-\d+ was killed", died)
    stage = f"Partial < Project < Join, agg at {where['agg']}, partition"
    lost, task, *back = said
    assert re.match(r"  lost: \d shuffle outputs \(", lost) and stage in lost
    last = f"(Project < Merged, agg at {where['agg']}, stage …, partition 1)"
    assert task == f"  lost: 1 running task {last}"
    assert len(back) == 2 and stage in back[0]
    assert back[1] == f"  recomputed: 1 running task {last} in … s"
    assert "internal" not in "".join(said) and "internal" not in shown(spark, counted)
    for title in re.findall(r"[(;] ?([^(;]*?), agg at", lost):
        assert title in shown(spark, counted), "the plan that is shown calls it the same"


def shown(spark: SparkSession, df: DataFrame) -> str:
    return df._engine.explain(df._plan)


def test_the_report_of_a_statement_tells_its_stages_apart(spark: SparkSession) -> None:
    sales(spark).createOrReplaceTempView("sales")
    text = "select k, count(*) n from sales group by k order by k"
    with chaos.lose_shuffle_block(when=lambda t: t.writes_shuffle):
        assert len(spark.sql(text).collect()) == 7
    one, *_ = [line for line in report_of(spark) if "lost" in line]
    with chaos.lose_shuffle_block(when=lambda t: not t.writes_shuffle):
        assert len(spark.sql(text).collect()) == 7
    other, *_ = [line for line in report_of(spark) if "lost" in line]
    assert re.search(r"lost: 1 shuffle output \(Partial.*, sql at .*, partition \d\)", one), one
    assert re.search(r"lost: 1 shuffle output \(.*Merged, sql at .*, partition \d\)", other), other


def test_the_report_names_a_cached_dataframe(spark: SparkSession) -> None:
    part = sales(spark).where("k > 2")
    with pytest.raises(ValueError, match="not kept"):
        chaos.drop_cached(part, partition=1)
    part.cache()  # here: cache
    try:
        assert part.count() == 342
        with chaos.drop_cached(part, partition=1) as fault:
            assert part.count() == 342
        assert fault.count == 1
        assert part.count() == 342
        name = f"(cache at {HERE}:{line_of('cache')}, partition 1)"
        jobs = spark.sparkContext._session.recovery.jobs.values()
        said = "\n".join(str(job) for job in list(jobs)[-2:])
        assert f"lost: 1 cached partition {name}" in said
        assert f"recomputed: 1 cached partition {name}" in said
        assert said.count("lost: 1") == said.count("recomputed: 1") == 1
    finally:
        part.unpersist(blocking=True)


# ---- other queries -------------------------------------------------------------------------------


def ranked(df: DataFrame) -> DataFrame:
    return df.withColumn("r", f.row_number().over(Window.partitionBy("k").orderBy("id")))


def beside_itself(df: DataFrame) -> DataFrame:
    return df.union(df.where("k = 1")).groupBy("k").count()


@pytest.mark.parametrize("query", [ranked, beside_itself])
def test_each_worker_of_another_query_dies(
    query: Callable[[DataFrame], DataFrame], spark: SparkSession, history: History
) -> None:
    asked = query(sales(spark))
    assert kill_each(history, spark.sparkContext, lambda: sorted(asked.collect())) >= 9
    assert lose_each(history, spark.sparkContext, lambda: sorted(asked.collect())) >= 4


# ---- files ---------------------------------------------------------------------------------------


def rows_in(folder: Path) -> tuple[list[Any], list[str]]:
    """The rows of all files, and the files' names without what is random in them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [
        tuple(row.values())
        for path in files
        if path.suffix == ".parquet"
        for row in parquet.ParquetFile(path).read().to_pylist()
    ]
    return sorted(rows), sorted(re.sub(r"-[0-9a-f]{8}-.*", "", path.name) for path in files)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_each_worker_of_a_write_dies(
    mode: str, spark: SparkSession, history: History, tmp_path: Path
) -> None:
    """Before and after a task has written, which is before what it wrote is published."""
    spark.conf.set("minispark.sql.singleNode", mode)
    sums = sales(spark).groupBy("k").agg(f.sum("id").alias("s"))
    out = tmp_path / "out"

    def ask() -> Any:
        sums.write.mode("overwrite").parquet(str(out))
        assert not list(out.glob("_temporary*")) and (out / "_SUCCESS").exists()
        return rows_in(out)

    try:
        rows, files = ask()
        assert rows == [(k, sum(range(k, 600, 7))) for k in range(7)]
        assert len(files) == len(set(files))
        # tasks: 3 that read, 1 that groups and writes since there is little; or one for all
        assert kill_each(history, spark.sparkContext, ask) >= (9 if mode == "never" else 2)
    finally:
        spark.conf.set("minispark.sql.singleNode", "never")


def test_a_write_into_partitions_whose_blocks_are_lost(
    spark: SparkSession, history: History, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    moved = sales(spark).repartition(3, "k")
    moved.write.partitionBy("k").parquet(str(out))
    expected = rows_in(out)
    assert len(expected[0]) == 600
    for partition in range(3):
        history.begin()
        with chaos.lose_shuffle_block(partition=partition) as fault:
            moved.write.partitionBy("k").mode("overwrite").parquet(str(out))
        assert fault.count == 1
        assert rows_in(out) == expected
        assert history.ran_again().tasks == history.must_follow_a_loss()


# ---- Python functions ----------------------------------------------------------------------------


def doubled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        values = [value * 2 for value in batch.column("id").to_pylist()]
        yield pa.RecordBatch.from_pydict({"id": values, "k": batch.column("k")})


def centred(group: pd.DataFrame) -> pd.DataFrame:
    return group.assign(id=group["id"] - group["id"].min())


def by_arrow(df: DataFrame, function: Callable[..., Any] = doubled) -> DataFrame:
    return df.mapInArrow(function, "id long, k long").groupBy("k").agg(f.sum("id").alias("s"))


def by_pandas(df: DataFrame, function: Callable[..., Any] = centred) -> DataFrame:
    return df.groupBy("k").applyInPandas(function, "id long, k long").where("id < 50")


@pytest.mark.parametrize("query", [by_arrow, by_pandas])
def test_each_worker_of_python_dies(
    query: Callable[..., DataFrame], spark: SparkSession, history: History
) -> None:
    asked = query(sales(spark))
    assert kill_each(history, spark.sparkContext, lambda: sorted(asked.collect())) >= 9


class Once:
    """Kills the process that calls it, in the middle of its rows, once."""

    def __init__(self, flag: Path, function: Callable[..., Any], at: int) -> None:
        self.flag, self.function, self.at = str(flag), function, at

    def __call__(self, given: Any) -> Any:
        if isinstance(given, pd.DataFrame):
            self.strike(int(given["k"].iloc[0]))
            return self.function(given)
        return self.function(self.struck(given))

    def struck(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch  # what is made of it has been handed on
            self.strike(int(batch.column("id")[0].as_py()) // 200)

    def strike(self, here: int) -> None:
        if here == self.at and not os.path.exists(self.flag):
            Path(self.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_dies_within_a_python_function(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The last test of this file: it takes the place of the other context."""
    spark = session_of(make_context("local[2]", request))
    history = History(spark.sparkContext._session, blocks_die=False)
    try:
        for query, function, at in ((by_arrow, doubled, 1), (by_pandas, centred, 3)):
            data = sales(spark)
            if query is by_pandas:
                data.cache().count()
                history.cached = {data._engine.cached.find(data._plan).node.id}
            expected = sorted(query(data).collect())
            flag = tmp_path / query.__name__
            history.begin()
            assert sorted(query(data, Once(flag, function, at)).collect()) == expected
            assert flag.exists() and len(history.of(ev.ExecutorRemoved)) == 1
            again = history.ran_again()
            assert again == history.must_run_again()
            assert len(again.tasks) == 1 < len(history.tasks())
    finally:
        history.end()
        spark.stop()
