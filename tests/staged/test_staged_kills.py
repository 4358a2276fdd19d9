"""Every single-kill history of queries in stages, on virtual workers.

While each task passes each point its worker dies. A virtual worker is a node of its own, so it
takes its cached partitions and its shuffle blocks with it. The answer does not change, and what
runs again is exactly what the history makes necessary: `histories.py` works that out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from contexts import make_context
from hand_made import call, engine_of, group, join, named, order, people, rows_of, select, where
from histories import Ask, History, kill_each

from executors.faultbook import Injection
from minispark.context import SparkContext
from minispark.sql.engine import QueryEngine
from planner import events as ev
from planner.levels import StorageLevel
from planner.query import logical as l

STAGES = 5  # of the query of scans, join, groups and sort


@pytest.fixture(scope="module")
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context("inline[3]", request)
    yield found
    found.stop()


@pytest.fixture
def history(context: SparkContext) -> Iterator[History]:
    found = History(context._session, blocks_die=True)
    yield found
    found.end()


PART = where(people(400), call(">", "id", 3))
JOINED = join(
    PART, select(people(100, 2), named("k", "key"), named("n", "m")), call("=", "k", "key")
)
QUERY = order(group(JOINED, ["s"], call("sum", "m"), call("count", "n")), "s")


def asker(engine: QueryEngine, plan: l.Plan = QUERY) -> Ask:
    return lambda: rows_of(engine.table(plan), ordered=True)


@pytest.mark.parametrize("adaptive", [False, True])
def test_nothing_is_cached(adaptive: bool, context: SparkContext, history: History) -> None:
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1", adaptive=adaptive)
    # tasks: 3 + 3 scans, 3 joins, 3 groups, 1 sort; adaptive: 1 join and 1 group
    cases = 6 * 2 + (2 if adaptive else 6) * 3 + 3
    assert kill_each(history, context, asker(engine)) == cases


def test_another_worker_dies(context: SparkContext, history: History) -> None:
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1")
    assert kill_each(history, context, asker(engine), another=True) == 33


CACHED = {"below the join": PART, "above the join": JOINED}


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("where_", CACHED)
def test_a_part_is_cached(
    where_: str, adaptive: bool, context: SparkContext, history: History
) -> None:
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1", adaptive=adaptive)
    check_cached(engine, CACHED[where_], StorageLevel.MEMORY_AND_DISK, context, history)


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "MEMORY_AND_DISK_2"])
@pytest.mark.parametrize("where_", CACHED)
def test_every_kind_of_level(
    where_: str, level: str, context: SparkContext, history: History
) -> None:
    """It is cached anew for each: two copies outlive one worker, and not two."""
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1", adaptive=True)
    check_cached(engine, CACHED[where_], getattr(StorageLevel, level), context, history, True)
    back = [each for each in history.log if isinstance(each, ev.Recomputed) and each.what == "kept"]
    assert bool(back) == (not level.endswith("_2"))


def check_cached(
    engine: QueryEngine,
    part: l.Plan,
    level: StorageLevel,
    context: SparkContext,
    history: History,
    anew: bool = False,
    least: int = 12,
) -> None:
    def cache() -> None:
        engine.unpersist(part, blocking=True)
        engine.cache(part, level)
        history.cached = {engine.cached.find(part).node.id}
        engine.table(part)

    cache()
    try:
        ask = asker(engine)
        assert kill_each(history, context, ask, before=cache if anew else lambda: None) >= least
    finally:
        engine.unpersist(part, blocking=True)


def test_a_worker_dies_while_it_caches(context: SparkContext, history: History) -> None:
    """Nothing is there before: each time the plan is cached anew."""
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1")
    expected = asker(engine)()
    for part in CACHED.values():
        for point in ("in cache put", "after cache put"):
            for partition in range(3):
                engine.cache(part)
                history.cached = {engine.cached.find(part).node.id}
                history.begin()
                injection = Injection(
                    "kill",
                    point,
                    1,
                    lambda launch, at=partition: bool(launch.keep) and launch.task.partition == at,
                )
                context._session.faults.add(injection)
                assert asker(engine)() == expected
                context._session.faults.remove(injection)
                assert injection.left == 0
                assert history.ran_again() == history.must_run_again()
                assert len(history.ran_again().tasks) < len(history.tasks())
                history.begin()
                assert asker(engine)() == expected
                engine.unpersist(part, blocking=True)


def test_a_sort_by_range(
    context: SparkContext, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its rows while it samples them, and lets them go when they are sent."""
    engine = engine_of(context, mode="never", partitions=3)
    how = engine.lowering
    monkeypatch.setattr(
        engine, "lowering", lambda settings: replace(how(settings), sort_bytes=0), raising=True
    )
    plan = select(order(people(200), "k", "id"), "id")
    assert "Exchange ChannelColumn(3)" in engine.explain(plan)
    # tasks: 3 samples, 1 for their bounds, 3 that send and keep, 3 sorts
    assert kill_each(history, context, asker(engine, plan)) > 12
    assert sum(context._session.kept_bytes().values()) == 0


def test_a_side_that_everyone_reads(context: SparkContext, history: History) -> None:
    engine = engine_of(context, mode="never", partitions=3, broadcast="10m")
    assert "Broadcast" in engine.explain(QUERY)
    assert kill_each(history, context, asker(engine)) > 12


# ---- in one task ---------------------------------------------------------------------------------


def test_the_worker_of_the_whole_query_dies(context: SparkContext, history: History) -> None:
    engine = engine_of(context, mode="always")
    assert kill_each(history, context, asker(engine)) == 2


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "MEMORY_AND_DISK_2"])
def test_and_what_it_reads_is_cached(level: str, context: SparkContext, history: History) -> None:
    """In one partition, which is computed in the same task; again only if no copy is left."""
    engine = engine_of(context, mode="always")
    check_cached(engine, JOINED, getattr(StorageLevel, level), context, history, True, 2)
    back = [each for each in history.log if isinstance(each, ev.Recomputed) and each.what == "kept"]
    assert len(back) == (0 if level.endswith("_2") else 2)


def test_and_what_it_reads_is_cached_in_partitions(context: SparkContext, history: History) -> None:
    """Those that its worker held are computed again, and no others."""
    engine = engine_of(context, mode="always")
    part = l.Repartition(PART, 3, (), True)
    plan = order(group(part, ["s"], call("sum", "n")), "s")
    engine.cache(part)
    try:
        history.cached = {engine.cached.find(part).node.id}
        engine.table(part)
        assert kill_each(history, context, asker(engine, plan)) == 3 * 2 + 3
        back = [each.partition for each in history.log if isinstance(each, ev.Recomputed)]
        assert set(back) == {0, 1, 2}
    finally:
        engine.unpersist(part, blocking=True)
