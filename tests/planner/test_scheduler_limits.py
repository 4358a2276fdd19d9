"""Attempts are bounded: a job ends, well or not, whatever its tasks do."""

from __future__ import annotations

import pytest
from by_hand import RAISED, World, map_stage, mapped, shuffled, source, two_stages

from planner.events import TaskStarted
from planner.failures import (
    EngineFailure,
    ExecutorLost,
    Failure,
    SliceLost,
    UserFailure,
)


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_a_task_may_fail_so_often_and_no_more(failures: int) -> None:
    world = World(1, failures=failures)
    job = world.ask(mapped(source(1)))
    for attempt in range(failures):
        assert job.id not in world.ended
        assert world.find(job.stage, 0).task.attempt == attempt
        world.fail(job.stage, 0)
    assert world.ended[job.id] is RAISED
    assert world.runs(job.stage) == {0: failures}
    world.close()


def test_failures_of_different_partitions_are_counted_apart() -> None:
    world = World(2, failures=2)
    job = world.ask(mapped(source(2)))
    world.fail(job.stage, 0)
    world.fail(job.stage, 1)
    assert job.id not in world.ended
    world.finish()
    assert world.ended[job.id] is None
    assert [n.why for n in world.heard(TaskStarted)] == ["first", "first", "retry", "retry"]
    world.close()


def test_a_failure_that_will_not_go_away_is_not_tried_again() -> None:
    world = World(1, failures=4)
    job = world.ask(mapped(source(1)))
    hopeless = UserFailure("SystemExit: 1", retry=False)
    world.fail(job.stage, 0, hopeless)
    assert world.ended[job.id] is hopeless
    world.close()


def test_an_engine_failure_counts_as_a_failure() -> None:
    world = World(1, failures=1)
    job = world.ask(mapped(source(1)))
    world.fail(job.stage, 0, EngineFailure("the disk is full"))
    assert world.ended[job.id] == EngineFailure("the disk is full")


def test_losses_have_a_limit_of_their_own() -> None:
    world = World(1, failures=1, losses=3)
    job = world.ask(mapped(source(1)))
    for attempt in range(3):
        assert job.id not in world.ended, f"loss {attempt} is not the user's fault"
        world.down(next(iter(world.nodes)), replaced=True)
        if job.id not in world.ended:
            world.up(f"r{attempt}")
    assert isinstance(world.ended[job.id], ExecutorLost)
    assert world.runs(job.stage) == {0: 3}


def test_slices_that_are_lost_again_and_again_end_the_job() -> None:
    world = World(1, losses=3)
    plan = two_stages(maps=1, reduces=1)
    job = world.ask(plan)
    maps = map_stage(job)
    for _ in range(3):
        world.done(maps, 0)
        world.slice_lost(job.stage, 0, maps, source=0)
    assert isinstance(world.ended[job.id], SliceLost)
    assert world.runs(maps) == {0: 3}
    world.close(plan)


def test_losses_do_not_use_up_failures() -> None:
    world = World(2, failures=2, losses=8)
    plan = two_stages(maps=1, reduces=1)
    job = world.ask(plan)
    maps = map_stage(job)
    for _ in range(4):
        world.done(maps, 0)
        world.slice_lost(job.stage, 0, maps, source=0)
    world.done(maps, 0)
    world.fail(job.stage, 0)
    assert job.id not in world.ended
    world.finish()
    assert world.ended[job.id] is None
    world.close(plan)


def test_the_next_job_starts_with_a_clean_slate() -> None:
    world = World(1, failures=2)
    wide = shuffled(mapped(source(1)))
    first = world.ask(mapped(wide))
    world.fail(map_stage(first), 0)
    world.cancel(first)
    world.finish()
    second = world.ask(mapped(wide))
    world.fail(map_stage(second), 0)
    assert second.id not in world.ended
    world.finish()
    assert world.ended[second.id] is None
    world.close(wide)


@pytest.mark.parametrize(
    "failure",
    [RAISED, EngineFailure("x"), SliceLost("x", 1, (0,)), ExecutorLost("x")],
    ids=lambda failure: type(failure).__name__,
)
def test_a_task_that_always_ends_badly_ends_its_job(failure: Failure) -> None:
    world = World(1, failures=3, losses=5)
    job = world.ask(mapped(source(1)))
    attempts = 0
    while job.id not in world.ended:
        world.fail(job.stage, 0, failure)
        attempts += 1
        assert attempts < 10
    assert attempts in (3, 5)
    world.close()
