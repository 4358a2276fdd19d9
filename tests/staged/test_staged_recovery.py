"""An executor dies in each stage of a query of tables: the answer stays, little runs again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contexts import make_context
from hand_made import call, engine_of, group, join, named, order, people, rows_of, select, where

from minispark import chaos
from minispark.context import SparkContext
from planner.levels import StorageLevel
from planner.query import logical as l


def query() -> tuple[l.Plan, l.Plan]:
    """(a part of it, a query of three stages: two scans, their join, the groups)."""
    part = where(people(400), call(">", "id", 3))
    right = select(people(100, 2), named("k", "key"), named("n", "m"))
    joined = join(part, right, call("=", "k", "key"))
    return part, order(group(joined, ["s"], call("sum", "m"), call("count", "n")), "s")


@pytest.fixture(scope="module", params=["inline[3]", "local[2]"])
def context(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    found = make_context(request.param, request)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def expected(context: SparkContext) -> list[object]:
    return rows_of(engine_of(context, mode="always").table(query()[1]), ordered=True)


def _stage(name: str, info: chaos.TaskInfo) -> bool:
    kinds = {
        "scans": info.writes_shuffle and not info.fetches,
        "join": info.writes_shuffle and info.fetches,
        "groups": not info.writes_shuffle,
    }
    return kinds[name]


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("point", ["in fetch", "before write", "after write"])
@pytest.mark.parametrize("stage", ["scans", "join", "groups"])
def test_an_executor_dies(
    stage: str, point: str, cached: bool, context: SparkContext, expected: list[object]
) -> None:
    if stage == "scans" and point == "in fetch":
        pytest.skip("scans fetch nothing")
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1")
    part, plan = query()
    if cached:
        assert engine.cache(part)
        assert rows_of(engine.table(part)) == rows_of(engine_of(context, mode="always").table(part))
    try:
        with chaos.kill_executor(at=point, when=lambda info: _stage(stage, info)) as fault:
            assert rows_of(engine.table(plan), ordered=True) == expected
        assert fault.count == 1
        assert rows_of(engine.table(plan), ordered=True) == expected
    finally:
        engine.unpersist(part, blocking=True)


@pytest.mark.parametrize("point", ["before write", "after write"])
@pytest.mark.parametrize("cached", [False, True])
def test_the_fused_worker_dies(
    point: str, cached: bool, context: SparkContext, expected: list[object]
) -> None:
    engine = engine_of(context, mode="always")
    part, plan = query()
    if cached:
        engine.cache(part)
    try:
        with chaos.kill_executor(at=point) as fault:
            assert rows_of(engine.table(plan), ordered=True) == expected
        assert fault.count == 1
    finally:
        engine.unpersist(part, blocking=True)


def test_a_lost_block_of_tables_is_written_again(
    context: SparkContext, expected: list[object]
) -> None:
    engine = engine_of(context, mode="never", partitions=3, broadcast="-1")
    with chaos.lose_shuffle_block() as fault:
        assert rows_of(engine.table(query()[1]), ordered=True) == expected
    assert fault.count == 1


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "MEMORY_AND_DISK", "DISK_ONLY", "OFF_HEAP"])
def test_a_sort_by_range_survives(level: str, context: SparkContext) -> None:
    """Its rows are kept between the sample and the sending; here on top of a kept plan."""
    engine = engine_of(context, mode="never", partitions=3)
    plan = people(300)
    engine.cache(plan, getattr(StorageLevel, level))
    try:
        for point in ("in cache put", "after cache put", "after write"):
            with chaos.kill_executor(at=point):
                found = engine.table(order(plan, "k", "id"))
            assert (
                found["id"].to_pylist()
                == engine_of(context, mode="always").table(order(plan, "k", "id"))["id"].to_pylist()
            )
    finally:
        engine.unpersist(plan, blocking=True)
