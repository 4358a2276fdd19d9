"""Barrier stages: all tasks start together, exchange messages, and run again together."""

from __future__ import annotations

import pytest
from by_hand import (
    RAISED,
    World,
    at_barrier,
    map_stage,
    mapped,
    shuffled,
    source,
    zipped,
)

from planner.events import (
    BarrierCall,
    CancelTask,
    Deliver,
    Discard,
    FreeBlocks,
    Job,
    Launch,
    Reply,
    TaskStarted,
)
from planner.failures import EngineFailure
from planner.ops import Identity
from planner.plan import Narrow, Node, Union
from planner.reads import Groups


def test_all_tasks_start_at_the_same_event() -> None:
    world = World(3)
    blocker = world.ask(mapped(source(2)))
    job = world.ask(at_barrier(source(3)))
    assert not world.running(job.stage), "one idle executor is not enough"
    world.done(blocker.stage, 0)
    assert not world.running(job.stage)
    world.done(blocker.stage, 1)
    assert world.running(job.stage) == [0, 1, 2]
    assert {launch.peers for launch in world.wanted()} == {3}
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_others_hold_back_while_a_barrier_stage_gathers_its_seats() -> None:
    world = World(2)
    blocker = world.ask(mapped(source(2)))
    job = world.ask(at_barrier(source(2)))
    crowd = world.ask(mapped(source(5)))
    world.done(blocker.stage, 0)
    assert not world.running(crowd.stage)
    world.done(blocker.stage, 1)
    assert world.running(job.stage) == [0, 1]
    world.finish()
    assert world.ended[crowd.id] is None
    world.close()


def test_answers_are_held_until_all_are_there() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    assert not [a for a in world.done(job.stage, 0) if isinstance(a, Deliver)]
    delivered = [a for a in world.done(job.stage, 1) if isinstance(a, Deliver)]
    assert [action.partition for action in delivered] == [0, 1]
    world.close()


def test_everybody_gets_all_messages_in_the_order_of_partitions() -> None:
    world = World(3)
    job = world.ask(at_barrier(source(3)))
    world.call(job.stage, 2, "c")
    world.call(job.stage, 0, "a")
    assert not world.replies
    world.call(job.stage, 1, "b")
    assert sorted(reply.task.partition for reply in world.replies) == [0, 1, 2]
    assert {reply.messages for reply in world.replies} == {("a", "b", "c")}
    assert all(
        reply.executor == world.home(job.stage, reply.task.partition) for reply in world.replies
    )


def test_they_may_meet_many_times() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    for turn in range(3):
        world.call(job.stage, 0, f"{turn}")
        world.call(job.stage, 1, f"{turn}")
    assert [reply.messages for reply in world.replies] == [
        (f"{turn}", f"{turn}") for turn in (0, 0, 1, 1, 2, 2)
    ]
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_one_failure_runs_all_tasks_again() -> None:
    world = World(2, failures=2)
    job = world.ask(at_barrier(source(2)))
    world.call(job.stage, 1)
    actions = world.fail(job.stage, 0)
    assert [a.task.partition for a in actions if isinstance(a, CancelTask)] == [1]
    assert not world.running(job.stage), "the cancelled task has not answered yet"
    world.finish()
    assert world.runs(job.stage) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    world.close()


def test_a_finished_task_runs_again_and_what_it_wrote_is_freed() -> None:
    world = World(2, failures=2)
    plan = mapped(shuffled(at_barrier(source(2)), 1))
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    written = set(world.blocks)
    actions = world.fail(maps, 1)
    assert {b for a in actions if isinstance(a, FreeBlocks) for b in a.blocks} == written
    assert world.running(maps) == [0, 1]
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_failure_at_the_limit_fails_the_job_and_frees_what_was_held() -> None:
    world = World(2)
    plan = mapped(shuffled(at_barrier(source(2)), 1))
    job = world.ask(plan)
    world.done(map_stage(job), 0)
    world.fail(map_stage(job), 1)
    assert world.ended[job.id] is RAISED
    world.close(plan)


def test_cancelling_a_half_done_barrier_stage_frees_what_was_held() -> None:
    world = World(2)
    plan = mapped(shuffled(at_barrier(source(2)), 1))
    job = world.ask(plan)
    world.done(map_stage(job), 0)
    world.cancel(job)
    world.finish()
    world.close(plan)


def test_a_lost_executor_runs_all_tasks_again() -> None:
    world = World(3)
    job = world.ask(at_barrier(source(2)))
    world.down(world.home(job.stage, 1))
    world.finish()
    assert world.runs(job.stage) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    assert [n.why for n in world.heard(TaskStarted)] == ["first", "first", "lost", "lost"]
    world.close()


def test_an_input_that_goes_while_seats_are_gathered_is_written_again_first() -> None:
    world = World(3)
    plan = at_barrier(shuffled(mapped(source(2)), 2))
    job = world.ask(plan)
    maps = map_stage(job)
    blocker = world.ask(mapped(source(2)))
    world.done(maps, 0)
    world.done(maps, 1)
    assert not world.running(job.stage), "ready, but there is one seat only"
    world.down(world.home(maps, 0), node_lost=True)
    while world.running(blocker.stage):
        world.done(blocker.stage, world.running(blocker.stage)[0])
    assert world.running(maps) == [0]
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 1}
    assert world.runs(job.stage) == {0: 1, 1: 1}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_barrier_stage_waits_for_a_replacement() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    world.down("e1", replaced=True)
    world.finish()
    assert not world.tasks
    assert job.id not in world.ended
    world.up("e2")
    assert world.running(job.stage) == [0, 1]
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_too_few_executors_is_an_error_that_says_so() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(3)))
    failure = world.ended[job.id]
    assert isinstance(failure, EngineFailure)
    assert "3 tasks" in failure.message
    assert "there are 2" in failure.message
    world.close()


def test_executors_that_went_for_good_make_too_few() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    world.down("e1", replaced=False)
    assert isinstance(world.ended[job.id], EngineFailure)
    world.finish()
    world.close()


def test_two_barrier_stages_of_a_job_that_cannot_have_one_of_them() -> None:
    """The first is too wide, which ends the job; the second must not be started after that."""
    world = World(2)
    blocker = world.ask(mapped(source(2)))
    plan = zipped(shuffled(at_barrier(source(2))), shuffled(at_barrier(source(3))))
    job = world.ask(plan)
    world.finish()
    assert isinstance(world.ended[job.id], EngineFailure)
    assert world.ended[blocker.id] is None
    world.close(plan)


@pytest.mark.parametrize("wide_first", [False, True])
def test_the_order_of_two_barrier_stages_does_not_matter(wide_first: bool) -> None:
    world = World(2)
    sides: list[Node] = [shuffled(at_barrier(source(3))), shuffled(at_barrier(source(2)))]
    plan = zipped(*(sides if wide_first else reversed(sides)))
    job = world.ask(plan)
    world.finish()
    assert isinstance(world.ended[job.id], EngineFailure)
    world.close(plan)


def test_a_task_that_ends_while_others_wait_for_it_fails_the_job() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    world.call(job.stage, 0)
    world.done(job.stage, 1)
    failure = world.ended[job.id]
    assert isinstance(failure, EngineFailure)
    assert "barrier" in failure.message
    world.finish()
    world.close()


def test_a_task_that_waits_for_one_that_has_ended_fails_the_job() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    world.done(job.stage, 1)
    world.call(job.stage, 0)
    assert isinstance(world.ended[job.id], EngineFailure)
    world.finish()
    world.close()


def test_a_call_of_a_cancelled_task_is_not_answered() -> None:
    world = World(2)
    job = world.ask(at_barrier(source(2)))
    task = world.find(job.stage, 0).task
    world.cancel(job)
    assert world.feed(BarrierCall(task, "hello?")) == []
    world.finish()
    world.close()


def test_a_barrier_stage_that_reads_a_shuffle_starts_when_it_is_there() -> None:
    world = World(2)
    plan = at_barrier(shuffled(mapped(source(3)), 2))
    job = world.ask(plan)
    for partition in range(3):
        assert not world.running(job.stage)
        world.done(map_stage(job), partition)
    assert world.running(job.stage) == [0, 1]
    world.finish()
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_lost_slice_under_a_barrier_stage_runs_all_its_tasks_again() -> None:
    world = World(2)
    plan = at_barrier(shuffled(mapped(source(2)), 2))
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    world.slice_lost(job.stage, 0, maps, source=1)
    world.finish()
    assert world.runs(maps) == {0: 1, 1: 2}
    assert world.runs(job.stage) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_lost_output_of_a_barrier_stage_runs_the_whole_stage_again() -> None:
    """Its tasks met: what one wrote depends on all."""
    world = World(2)
    plan = mapped(shuffled(at_barrier(source(2)), 2))
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    world.down(world.home(maps, 1), node_lost=True, replaced=True)
    world.up("e2")
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_node_lost_under_a_half_done_barrier_stage_runs_it_again() -> None:
    """What the finished task wrote is gone, though the others still run."""
    world = World(3)
    plan = mapped(shuffled(at_barrier(source(2)), 2))
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.down(world.home(maps, 0), node_lost=True)
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 2}
    assert world.ended[job.id] is None
    world.close(plan)


def test_held_answers_of_a_stage_that_runs_again_are_discarded() -> None:
    world = World(2, failures=2)
    job = world.ask(at_barrier(source(2)))
    world.done(job.stage, 0)
    actions = world.fail(job.stage, 1)
    assert [type(action) for action in actions].count(Discard) == 1
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_a_second_job_that_joins_a_half_done_barrier_stage_starts_nothing_twice() -> None:
    world = World(3)
    wide = shuffled(at_barrier(source(2)), 2)
    first = world.ask(mapped(wide))
    maps = map_stage(first)
    world.done(maps, 0)
    second = world.ask(mapped(wide))
    world.done(maps, 1)
    world.finish()
    assert world.runs(maps) == {0: 1, 1: 1}
    assert world.ended == {first.id: None, second.id: None}
    world.close(wide)


def meet(world: World, job: Job) -> None:
    """All tasks of the result stage run and meet once."""
    assert world.running(job.stage) == list(job.partitions)
    for partition in job.partitions:
        world.call(job.stage, partition)
    assert len(world.replies) == len(job.partitions)


def test_a_cache_claimed_after_a_barrier_task_was_ready_is_not_waited_for_at_the_barrier() -> None:
    """Partition 0 is ready, 1 waits for a shuffle; meanwhile another job computes what 0 wants."""
    world = World(4)
    base = mapped(source(1))
    world.keep(base)
    wide = shuffled(mapped(source(1)), 1)
    job = world.ask(at_barrier(Union((base, wide))))
    other = world.ask(mapped(base))
    world.done(map_stage(job), 0)
    if not world.running(job.stage):
        world.done(other.stage, 0)
    meet(world, job)
    world.finish()
    assert world.ended == {other.id: None, job.id: None}
    world.close(wide)


def test_two_barrier_tasks_that_want_one_absent_cached_partition_meet() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base)
    twice = Narrow(base, Identity(), Groups(((0,), (0,))))
    job = world.ask(at_barrier(twice))
    meet(world, job)
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_barrier_tasks_go_where_their_input_is_kept() -> None:
    world = World(3)
    base = mapped(source(3))
    world.keep(base)
    first = world.ask(mapped(base))
    world.finish()
    job = world.ask(at_barrier(base))
    for partition in range(3):
        assert world.home(job.stage, partition) == world.home(first.stage, partition)
        assert world.find(job.stage, partition).has
    world.finish()
    world.close()


def test_a_barrier_stage_over_a_cache_whose_lineage_is_gone() -> None:
    """Two partitions are kept at one executor; one of the tasks has to run elsewhere."""
    world = World(1)
    wide = shuffled(mapped(source(1)), 2)
    base = mapped(wide)
    world.keep(base)
    world.ask(mapped(base))
    world.finish()
    world.up("e1")
    world.release(wide)
    job = world.ask(at_barrier(base))
    world.finish()
    assert world.ended[job.id] is None
    world.close(base)


def test_launches_of_a_barrier_stage_are_the_only_ones_with_peers() -> None:
    world = World(2)
    world.ask(mapped(source(2)))
    assert {launch.peers for launch in world.wanted()} == {0}
    assert all(isinstance(launch, Launch) for launch in world.launched)
    assert not [a for answer in world.answers for a in answer if isinstance(a, Reply)]
