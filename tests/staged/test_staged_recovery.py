"""Real worker processes die under queries, lose blocks and cached partitions, and are cancelled.

The answer stays, and what runs again is exactly what the history makes necessary (`histories.py`);
all single-kill histories are gone through in `test_staged_kills.py`.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contexts import make_context
from hand_made import call, engine_of, group, join, named, order, people, rows_of, select, where
from histories import History, task

from executors.faultbook import Injection
from minispark import JobCancelled
from minispark.context import SparkContext
from minispark.sql import SparkSession
from minispark.sql import functions as f
from minispark.sql.engine import QueryEngine
from planner import events as ev
from planner.levels import StorageLevel
from planner.query import logical as l

PATIENCE = 2.0  # seconds after which nothing of a cancelled query runs
PART = where(people(400), call(">", "id", 3))
JOINED = join(
    PART, select(people(100, 2), named("k", "key"), named("n", "m")), call("=", "k", "key")
)
QUERY = order(group(JOINED, ["s"], call("sum", "m"), call("count", "n")), "s")


@pytest.fixture(scope="module", params=["local[2]", "ray[2]"])
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context(request.param, request)
    yield found
    found.stop()


@pytest.fixture
def history(context: SparkContext) -> Iterator[History]:
    found = History(context._session, blocks_die=False)
    yield found
    found.end()


@pytest.fixture(scope="module")
def expected(context: SparkContext) -> list[object]:
    return rows_of(engine_of(context, mode="always").table(QUERY), ordered=True)


def staged(context: SparkContext, **settings: Any) -> QueryEngine:
    return engine_of(context, **{"mode": "never", "partitions": 3, "broadcast": "-1", **settings})


def harmed(history: History, context: SparkContext, injection: Injection, ask: Any) -> Any:
    """The answer to `ask` while something goes wrong, which it has to."""
    history.begin()
    context._session.faults.add(injection)
    try:
        found = ask()
    finally:
        context._session.faults.remove(injection)
    assert injection.left == 0, "the token was not spent"
    return found


# ---- a worker dies -------------------------------------------------------------------------------

# (what is cached, rank of the stage, partition, point): stages are two scans, join, groups, sort
KILLS = {
    "local[2]": [
        ("nothing", 0, 1, "before write"),
        ("nothing", 1, 2, "after write"),
        ("nothing", 2, 0, "in fetch"),
        ("nothing", 3, 1, "before write"),
        ("nothing", 4, 0, "in fetch"),
        ("nothing", 4, 0, "after write"),
        ("below", 0, 1, "before write"),
        ("below", 2, 1, "in fetch"),
        ("above", 2, 1, "before write"),
        ("above", 4, 0, "in fetch"),
        ("twice", 2, 1, "after write"),
    ],
    "ray[2]": [
        ("nothing", 1, 2, "after write"),
        ("nothing", 2, 0, "in fetch"),
        ("above", 2, 1, "before write"),
    ],
}
CACHED = {
    "below": (PART, StorageLevel.MEMORY_ONLY),
    "above": (JOINED, StorageLevel.MEMORY_AND_DISK),
    "twice": (JOINED, StorageLevel.MEMORY_AND_DISK_2),
}


@pytest.mark.parametrize("cached", ["nothing", *CACHED])
def test_a_worker_dies_in_each_stage(
    cached: str, context: SparkContext, history: History, expected: list[object]
) -> None:
    engine = staged(context)
    part, level = CACHED.get(cached, (None, None))
    if part is not None:
        engine.cache(part, level)
        history.cached = {engine.cached.find(part).node.id}

    def ask() -> list[object]:
        return rows_of(engine.table(QUERY), ordered=True)

    kept = 0
    try:
        assert ask() == expected
        whole = set(history.tasks())
        for _, stage, partition, point in [k for k in KILLS[context.master] if k[0] == cached]:
            injection = Injection("kill", point, 1, task(stage, partition))
            assert harmed(history, context, injection, ask) == expected
            assert len(history.of(ev.ExecutorRemoved)) == 1
            again = history.ran_again()
            assert again == history.must_run_again(), (stage, partition, point)
            assert again.tasks == {launched(history, stage, partition)}, "blocks outlive it"
            assert len(again.tasks) < len(whole)
            kept += len(again.kept)
            assert ask() == expected
    finally:
        if part is not None:
            engine.unpersist(part, blocking=True)
    if cached == "twice":
        assert not kept


def launched(history: History, stage: int, partition: int) -> tuple[int, int]:
    """Where the task with that rank really was."""
    found = next(each for each in history.launches() if task(stage, partition)(each))
    return found.task.stage, found.task.partition


@pytest.mark.parametrize("point", ["before write", "after write"])
def test_the_worker_of_the_whole_query_dies(
    point: str, context: SparkContext, history: History, expected: list[object]
) -> None:
    """What it reads is cached in partitions, of which the dead worker had some."""
    engine = engine_of(context, mode="always")
    part = l.Repartition(PART, 3, (), True)
    plan = order(group(part, ["s"], call("sum", "n")), "s")
    right = rows_of(engine.table(plan), ordered=True)
    engine.cache(part)
    try:
        history.cached = {engine.cached.find(part).node.id}
        engine.table(part)
        for asked, answer in ((plan, right), (QUERY, expected)):
            injection = Injection("kill", point, 1, lambda launch: launch.stage.exchange is None)

            def ask(asked: l.Plan = asked) -> list[object]:
                return rows_of(engine.table(asked), ordered=True)

            assert harmed(history, context, injection, ask) == answer
            again = history.ran_again()
            assert again == history.must_run_again()
            assert len(again.tasks) == 1 and not again.kept, "its inputs were in blocks already"
            if context.master.startswith("ray"):
                break
        assert rows_of(engine.table(plan), ordered=True) == right
    finally:
        engine.unpersist(part, blocking=True)


# ---- something is lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize(
    ("stage", "point"),
    [
        (0, "after write"),
        (2, "in fetch"),
        (2, "after write"),
        (3, "in fetch"),
        (3, "after write"),
        (4, "in fetch"),
    ],
)
def test_a_block_of_tables_is_lost(
    stage: int,
    point: str,
    adaptive: bool,
    context: SparkContext,
    history: History,
    expected: list[object],
) -> None:
    engine = staged(context, adaptive=adaptive)

    def ask() -> list[object]:
        return rows_of(engine.table(QUERY), ordered=True)

    injection = Injection("lose_block", point, 1, task(stage, 0))
    assert harmed(history, context, injection, ask) == expected
    assert len(history.of(ev.Lost)) == 1 and not history.of(ev.ExecutorRemoved)
    again = history.ran_again().tasks
    assert again == history.must_follow_a_loss()
    assert 2 <= len(again) < len(history.tasks())


@pytest.mark.parametrize("mode", ["always", "never"])
def test_a_cached_partition_is_dropped(
    mode: str, context: SparkContext, history: History, expected: list[object]
) -> None:
    """Nobody is told: the next task that looks for it says so, and it is computed again."""
    engine = engine_of(context, mode=mode, partitions=3, broadcast="-1")
    engine.cache(JOINED)
    try:
        kept = engine.cached.find(JOINED).node.id
        engine.table(JOINED)

        def ask() -> list[object]:
            return rows_of(engine.table(QUERY), ordered=True)

        dropped = 1 if mode == "never" else 0
        injection = Injection(
            "drop_kept",
            "after write",
            1,
            lambda launch: (kept, dropped) in launch.has,
            (kept, dropped),
        )
        assert harmed(history, context, injection, ask) == expected
        assert not history.ran_again().tasks, "it was read before it was dropped"
        history.begin()
        assert ask() == expected
        assert [(n.what, n.owner, n.partition) for n in history.of(ev.Lost)] in (
            [],  # the task before said what it no longer has
            [("kept", kept, dropped)],
        )
        assert {(n.owner, n.partition) for n in history.of(ev.Recomputed)} == {(kept, dropped)}
        assert len(history.ran_again().tasks) <= 1
        history.begin()
        assert ask() == expected
        assert not history.of(ev.Recomputed) and not history.ran_again().tasks
    finally:
        engine.unpersist(JOINED, blocking=True)


# ---- cancelled -----------------------------------------------------------------------------------


def until(happened: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"it did not happen in {seconds} s"
        time.sleep(0.01)


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def computing(context: SparkContext, history: History) -> Callable[[], bool]:
    """Says whether a task that began after `begin` has used half a second of its processor."""
    before = {name: cpu_seconds(each["pid"]) for name, each in context.executors().items()}

    def check() -> bool:
        busy = [start.executor for start in history.of(ev.TaskStarted)]
        return any(
            cpu_seconds(each["pid"]) > before[name] + 0.5
            for name, each in context.executors().items()
            if name in busy
        )

    return check


@pytest.mark.parametrize("mode", ["always", "never"])
@pytest.mark.parametrize("way", ["group", "ctrl-c"])
def test_a_query_is_cancelled_while_polars_computes(
    way: str, mode: str, context: SparkContext, history: History
) -> None:
    """It ends at once; the workers live on, and what they have cached is there."""
    spark = SparkSession(context)
    spark.conf.set("minispark.sql.singleNode", mode)
    small = spark.range(1_000).withColumn("k", f.col("id") % 7).cache()
    counted = small.groupBy("k").count().orderBy("k")
    right = counted.collect()
    before = context._session.kept_bytes()
    many = spark.range(60_000).toDF("a").crossJoin(spark.range(2_000_000).toDF("b"))
    slow = small.join(many.where("sqrt(a * b + 1) < 0.5"), f.col("a") == f.col("id")).count
    history.begin()
    check, asked = computing(context, history), []

    def stop() -> None:
        until(check)
        asked.append(time.monotonic())
        if way == "group":
            context.cancelJobGroup("slow")
        else:
            os.kill(os.getpid(), signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    context.setJobGroup("slow", "a query that takes long")
    try:
        with pytest.raises(KeyboardInterrupt if way == "ctrl-c" else JobCancelled):
            slow()
    finally:
        stopper.join()
        context.setLocalProperty("spark.jobGroup.id", None)
        context.setLocalProperty("spark.job.description", None)
    try:
        # on every worker at once: so none of them does anything else
        everywhere = context.parallelize([1, 2], 2).barrier().mapPartitions(list)
        assert everywhere.collect() == [1, 2]
        assert time.monotonic() - asked[0] < PATIENCE
        assert counted.collect() == right
        assert not history.of(ev.ExecutorRemoved) and not history.of(ev.Lost)
        assert context._session.kept_bytes() == before
    finally:
        small.unpersist(blocking=True)
