"""Answers that end in a limit: no more tasks run than the first rows need."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from contexts import Recorder, make_context
from hand_made import call, desc, engine_of, group, order, people, rows_of, select, where

from executors.formats.parquet import described
from minispark.context import SparkContext
from minispark.sql import SparkSession
from planner import events as ev
from planner.columns.columnar import schema_from_arrow
from planner.columns.expressions import Attr
from planner.query import logical as l

FILES, ROWS = 20, 10


@pytest.fixture(scope="module")
def inline(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("inline[2]", request)
    yield context
    context.stop()


@pytest.fixture
def seen(inline: SparkContext) -> Recorder:
    listener = Recorder()
    inline._session.add_listener(listener)
    return listener


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Files of which each is a task of its own."""
    place = tmp_path_factory.mktemp("files")
    for at in range(FILES):
        frame = pl.DataFrame({"n": range(at * ROWS, (at + 1) * ROWS)})
        frame.write_parquet(place / f"part-{at:02}.parquet")
    return str(place)


def files(folder: str) -> l.Scan:
    schema, slices = described([f"{folder}/part-{at:02}.parquet" for at in range(FILES)])[:2]
    attrs = tuple(Attr(f.name, f.dataType) for f in schema_from_arrow(schema).fields)
    return l.Scan("parquet", attrs, slices)


def tasks(seen: Recorder) -> int:
    return len(seen.of(ev.TaskStarted))


@pytest.mark.parametrize(
    ("count", "offset", "wanted"),
    [(1, 0, 1), (10, 0, 1), (11, 0, 5), (40, 9, 5), (60, 0, FILES), (1, 199, FILES), (0, 0, 0)],
)
def test_tasks_run_as_they_are_needed(
    count: int, offset: int, wanted: int, folder: str, inline: SparkContext, seen: Recorder
) -> None:
    engine = engine_of(inline, mode="never", opening="128m")
    found = engine.table(l.Limit(files(folder), count, offset))
    assert found.column(0).to_pylist() == list(range(200))[offset : offset + count]
    assert tasks(seen) == wanted


def test_what_rows_are_left_decides(folder: str, inline: SparkContext, seen: Recorder) -> None:
    engine = engine_of(inline, mode="never", opening="128m")
    plan = select(where(files(folder), call(">=", "n", 35)), call("+", "n", 1))
    found = engine.table(l.Limit(plan, 2))
    assert found.column(0).to_pylist() == [36, 37]
    assert tasks(seen) == 5
    seen.clear()
    none = engine.table(l.Limit(where(files(folder), call("<", "n", 0)), 2))
    assert none.num_rows == 0 and none.column_names == ["n"] and tasks(seen) == FILES


def test_a_union_begins_with_its_first_side(
    folder: str, inline: SparkContext, seen: Recorder
) -> None:
    one, two = files(folder), files(folder)
    engine = engine_of(inline, mode="never", opening="128m")
    found = engine.table(l.Limit(l.Union((one, two), one.output), 3))
    assert found.column(0).to_pylist() == [0, 1, 2] and tasks(seen) == 1


def test_stages_before_run_whole(folder: str, inline: SparkContext, seen: Recorder) -> None:
    engine = engine_of(inline, mode="never", partitions=6, opening="128m")
    plan = group(files(folder), ["n"], call("count", "n"))
    assert engine.table(l.Limit(plan, 3)).num_rows == 3
    assert tasks(seen) == FILES + 1


def test_the_first_in_order_leave_a_task_few_rows(inline: SparkContext, seen: Recorder) -> None:
    engine = engine_of(inline, mode="never", partitions=4)
    plan = l.Limit(order(people(2000), desc("n"), "id"), 7, 2)
    fused = rows_of(engine_of(inline, mode="always").table(plan), ordered=True)
    seen.clear()
    assert rows_of(engine_of(inline, mode="never", partitions=4).table(plan), ordered=True) == fused
    sent = sorted(each.report.rows_out for each in seen.of(ev.TaskEnded))
    assert sent == [7, 9, 9, 9, 9]
    assert engine.staged is not None


def test_actions_that_need_few_rows(
    folder: str, inline: SparkContext, seen: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    spark = SparkSession(inline)
    settings = {
        "minispark.sql.singleNode": "never",
        "spark.sql.files.openCostInBytes": "128m",
    }
    for name, value in settings.items():
        spark.conf.set(name, value)
    try:
        frame = spark.read.parquet(folder)
        for action in (
            frame.first,
            frame.head,
            frame.isEmpty,
            lambda: frame.take(3),
            lambda: frame.head(2),
            lambda: frame.limit(5).collect(),
            lambda: frame.limit(5).toPandas(),
            lambda: list(frame.limit(5).toLocalIterator()),
            lambda: frame.show(4),
            lambda: spark.sql(f"select n + 1 from parquet.`{folder}` limit 2").collect(),
        ):
            seen.clear()
            action()
            assert tasks(seen) == 1
        assert frame.limit(5).count() == 5
        assert "only showing top 4 rows" in capsys.readouterr().out
    finally:
        for name in settings:
            spark.conf.unset(name)
