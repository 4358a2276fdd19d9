"""The way of a job through the scheduler when nothing goes wrong."""

from __future__ import annotations

import pytest
from by_hand import (
    World,
    everywhere,
    map_stage,
    mapped,
    shuffled,
    source,
    two_stages,
    zipped,
)

from planner.events import (
    Deliver,
    EndJob,
    Event,
    ExecutorAdded,
    ExecutorRemoved,
    ExecutorsAwaited,
    ExecutorUp,
    ForgetStage,
    Job,
    JobAsked,
    JobEnded,
    JobStarted,
    Launch,
    StageEnded,
    StageStarted,
    TaskDone,
    TaskEnded,
    TaskStarted,
    Tell,
)
from planner.failures import EngineFailure
from planner.plan import Union
from planner.scheduler import Scheduler


def test_two_stages_run_one_after_the_other() -> None:
    world = World(2)
    plan = two_stages(maps=2, reduces=2)
    job = world.ask(plan)
    maps = map_stage(job)
    assert world.running(maps) == [0, 1]
    assert not world.running(job.stage)

    world.done(maps, 0)
    assert not world.running(job.stage), "a reducer waits for all maps"
    world.done(maps, 1)
    assert world.running(job.stage) == [0, 1]

    world.done(job.stage, 1)
    assert job.id not in world.ended
    world.done(job.stage, 0)
    assert world.ended == {job.id: None}
    assert world.delivered == {job.id: [1, 0]}
    assert world.runs(maps) == world.runs(job.stage) == {0: 1, 1: 1}
    world.close(plan)


def test_a_task_is_told_where_its_slices_are_in_map_order() -> None:
    world = World(3)
    job = world.ask(two_stages(maps=3, reduces=2))
    maps = map_stage(job)
    for partition in (2, 0, 1):  # in whatever order they end
        world.done(maps, partition)
    launch = world.find(job.stage, 1)
    (slices,) = launch.fetches.values()
    assert [piece.source for piece in slices] == [0, 1, 2]
    assert {piece.channel for piece in slices} == {1}
    assert {piece.block.node for piece in slices} == {"n0", "n1", "n2"}
    assert not launch.reads
    assert not launch.has


def test_the_notices_tell_the_story_in_order() -> None:
    world = World(1)
    plan = two_stages(maps=1, reduces=1)
    job = world.ask(plan)
    maps, result = map_stage(job), job.stage
    world.finish()
    told = [n for n in world.notices if not type(n).__name__.startswith("Executor")]
    assert [type(notice) for notice in told] == [
        JobStarted,
        StageStarted,
        StageStarted,
        TaskStarted,
        TaskEnded,
        StageEnded,
        TaskStarted,
        TaskEnded,
        StageEnded,
        JobEnded,
    ]
    first = told[0]
    assert isinstance(first, JobStarted)
    assert first.stages == tuple(sorted([maps.id, result.id]))
    assert [n.stage for n in world.heard(StageEnded)] == [maps.id, result.id]
    assert all(n.counted and n.failure is None for n in world.heard(TaskEnded))
    assert [n.why for n in world.heard(TaskStarted)] == ["first", "first"]
    assert not any(n.again for n in world.heard(StageStarted))


def test_a_job_names_all_the_stages_it_may_need() -> None:
    world = World(1)
    bottom = shuffled(mapped(source(1)), 1)
    upper = shuffled(mapped(bottom), 1)
    job = world.ask(mapped(upper))
    middle = map_stage(job)
    (first,) = middle.parents.values()
    (told,) = world.heard(JobStarted)
    assert told.stages == tuple(sorted([first.id, middle.id, job.stage.id]))
    world.finish()
    world.close(upper)


def test_executors_that_come_and_go_are_told() -> None:
    world = World({"e0": "n0"})
    world.up("e1", "n1")
    world.down("e0")
    assert world.heard(ExecutorAdded) == [ExecutorAdded("e0", "n0"), ExecutorAdded("e1", "n1")]
    assert world.heard(ExecutorRemoved) == [ExecutorRemoved("e0", "killed")]


def test_only_the_partitions_asked_for_run() -> None:
    world = World(4)
    job = world.ask(mapped(source(10)), [7, 3])
    assert world.running(job.stage) == [3, 7]
    world.finish()
    assert sorted(world.delivered[job.id]) == [3, 7]
    assert world.ended[job.id] is None


def test_a_job_of_no_partitions_ends_at_once() -> None:
    world = World(0)
    job = world.ask(mapped(source(0)))
    assert world.ended == {job.id: None}
    world.close()


def test_the_launch_of_a_source_carries_its_part_only() -> None:
    world = World(4)
    plan = source(4)
    job = world.ask(mapped(plan))
    for partition in range(4):
        assert list(world.find(job.stage, partition).reads.values()) == [plan.parts[partition]]


def test_more_tasks_than_executors_wait_for_a_seat() -> None:
    world = World(2)
    job = world.ask(mapped(source(5)))
    assert len(world.running(job.stage)) == 2
    world.done(job.stage, world.running(job.stage)[0])
    assert len(world.running(job.stage)) == 2
    world.finish()
    assert world.runs(job.stage) == dict.fromkeys(range(5), 1)


def test_datasets_made_alike_lie_alike() -> None:
    """Partition p of one dataset goes where partition p of another went."""
    world = World(3)
    first = world.ask(mapped(source(3)))
    world.finish()
    second = world.ask(mapped(source(3)))
    world.finish()
    for partition in range(3):
        assert world.home(first.stage, partition) == world.home(second.stage, partition)


def test_a_job_waits_for_executors_that_are_on_their_way() -> None:
    world = World(1)
    world.down("e0", replaced=True)
    job = world.ask(mapped(source(2)))
    assert not world.tasks
    world.up("e1")
    world.finish()
    assert world.ended[job.id] is None


def test_a_job_without_any_executor_fails_at_once() -> None:
    world = World(0)
    job = world.ask(mapped(source(2)))
    assert isinstance(world.ended[job.id], EngineFailure)
    world.close()


def test_a_broadcast_is_given_whole_to_every_reader() -> None:
    world = World(2)
    left, right = mapped(source(3)), everywhere(mapped(source(2)))
    plan = zipped(left, right)
    job = world.ask(plan)
    world.done(map_stage(job), 0)
    world.done(map_stage(job), 1)
    for partition in world.running(job.stage):
        (slices,) = world.find(job.stage, partition).fetches.values()
        assert [(piece.source, piece.channel) for piece in slices] == [(0, 0), (1, 0)]
    world.finish()
    assert world.runs(job.stage) == {0: 1, 1: 1, 2: 1}
    world.close(plan)


def test_a_shuffle_of_no_partitions_is_complete_from_the_start() -> None:
    world = World(2)
    plan = mapped(shuffled(mapped(source(0)), 3))
    job = world.ask(plan)
    assert len(world.running(job.stage)) == 2
    world.finish()
    assert world.ended[job.id] is None
    assert sorted(world.delivered[job.id]) == [0, 1, 2]
    second = world.ask(plan)
    world.finish()
    assert world.ended[second.id] is None
    world.close(plan)


def test_nothing_starts_before_all_the_first_executors_are_there() -> None:
    """So that the first dataset lies on all of them."""
    world = World(0)
    world.feed(ExecutorsAwaited(2))
    job = world.ask(mapped(source(2)))
    world.up("e0")
    assert not world.tasks
    world.up("e1")
    assert world.running(job.stage) == [0, 1]
    world.finish()
    world.close()


def test_a_partition_whose_inputs_are_there_does_not_wait_for_the_others() -> None:
    """One side of a union reads a source, the other an exchange."""
    world = World(4)
    plan = Union((mapped(source(1)), shuffled(mapped(source(1)), 1)))
    job = world.ask(plan)
    assert world.running(job.stage) == [0]
    assert world.running(map_stage(job)) == [0]
    world.finish()
    assert sorted(world.delivered[job.id]) == [0, 1]
    world.close(plan)


def test_a_reducer_prefers_the_node_with_most_of_its_bytes() -> None:
    world = World({"b0": "b", "b1": "b", "a0": "a"})
    job = world.ask(two_stages(maps=3, reduces=1))
    maps = map_stage(job)
    for partition in range(3):
        world.done(maps, partition)
    assert world.nodes[world.home(job.stage, 0)] == "b"


def test_actions_come_back_from_the_event_that_caused_them() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    actions = [action for action in world.done(job.stage, 0) if not isinstance(action, Tell)]
    assert {type(action) for action in actions} == {Deliver, EndJob, ForgetStage}
    assert world.forgotten == [job.stage.id]


def test_what_is_not_an_event_is_refused() -> None:
    with pytest.raises(TypeError, match="not an event"):
        Scheduler().handle(Event())


def test_a_stage_of_ten_thousand_tasks_is_scheduled_without_rescans() -> None:
    """Each answer costs the same, however many partitions the stage has."""
    scheduler = Scheduler()
    scheduler.handle(ExecutorUp("e0", "n0"))
    world = World(0)
    stage = world.splitter.result_stage(mapped(source(10_000)))
    actions = scheduler.handle(JobAsked(Job(0, stage, tuple(range(stage.width)))))
    ended = 0
    while actions:
        launches = [each for each in actions if isinstance(each, Launch)]
        ended += sum(isinstance(each, EndJob) for each in actions)
        actions = []
        for launch in launches:
            actions += scheduler.handle(TaskDone(launch.task, "e0", result="rows"))
    assert ended == 1
    assert not any(scheduler.tables().values())
