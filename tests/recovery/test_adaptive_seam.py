"""A rule that rewrites a stage while the job runs: what the workers run is the new one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executors.faultbook import Injection
from minispark.session import Session
from planner.ops import Map, MapPartitions
from planner.partitioning import Hash
from planner.plan import Exchange, Narrow, Source
from planner.program import Apply, Fetch
from planner.sources import RangePart
from planner.stages import Stage


def doubled(index: int, rows):
    return [2 * sum(value for _, value in rows)]


def total(index: int, rows):
    return [sum(value for _, value in rows)]


@pytest.mark.parametrize("lose", [False, True])
def test_a_rewritten_program_is_what_runs(lose: bool) -> None:
    seen: list[tuple[int, ...]] = []

    def adapt(stage: Stage, sizes: dict[int, tuple[int, ...]]) -> Stage:
        (channels,) = sizes.values()
        seen.append(channels)
        fetch, apply = stage.program
        assert isinstance(fetch, Fetch) and isinstance(apply, Apply)
        other = replace(apply, ops=(MapPartitions(doubled),))
        return replace(stage, program=(fetch, other))

    session = Session("inline[2]", {})
    session._loop.scheduler.adapt = adapt
    try:
        source = Source(tuple(RangePart(at * 10, at * 10 + 10, 1) for at in range(3)))
        moved = Exchange(Narrow(source, Map(lambda n: (n % 4, n))), Hash(2))
        plan = Narrow(moved, MapPartitions(total))
        injection = Injection("lose_block", "in fetch", 1, lambda launch: bool(launch.fetches))
        if lose:
            session.faults.add(injection)
        assert sum(row for _, rows in session.run(plan) for row in rows) == 2 * sum(range(30))
        assert len(seen) == 1 and all(size > 0 for size in seen[0])
        assert injection.left == (0 if lose else 1)
    finally:
        session.stop()
