"""Joins whose small side is measured first: the large side then does not move.

The maps write 10 bytes to each channel; see `joined` in by_hand.py.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from by_hand import World, by_columns, joined, map_stage, mapped, shuffled, source

from planner.events import Adapted, Job, StageStarted
from planner.levels import StorageLevel
from planner.plan import Exchange, Node, Zip
from planner.program import Fetch
from planner.query.adaptive import by_size
from planner.stages import Stage


def world_of(executors: int | dict[str, str] = 4, **more: int) -> World:
    return World(executors, adapt=by_size, **more)


def sides(join: Zip, job: Job, at: Callable[[Job], Stage] = map_stage) -> tuple[Stage, Stage]:
    """The stages that fill the two sides of a join."""
    small, large = (at(job).parents[side.id] for side in join.sides)
    return small, large


def asked(world: World, join: Node) -> tuple[Node, Job]:
    """A shuffle above the join, and a job that wants it."""
    plan = mapped(by_columns(join))
    return plan, world.ask(plan)


def test_the_large_side_does_not_move() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(5)))
    plan, job = asked(world, join)
    small, large = sides(join, job)
    assert world.running(small) == [0, 1] and not world.running(large)
    world.done(small, 0)
    world.done(small, 1)
    assert world.running(map_stage(job)) == [0, 1]
    launch = world.find(map_stage(job), 0)
    assert [part.start for part in launch.reads.values()] == [0, 1], "parts of the large side"
    (slices,) = launch.fetches.values()
    assert [(piece.channel, piece.source) for piece in slices] == [
        (channel, at) for channel in range(2) for at in range(2)
    ]
    others = [p.start for p in world.find(map_stage(job), 1).reads.values()]
    assert others == [2, 3, 4]
    world.finish()
    assert world.ended[job.id] is None
    assert not world.runs(large)
    world.close(plan)


def test_a_side_that_is_not_small_lets_the_other_one_move() -> None:
    world = world_of()
    join = joined(mapped(source(4)), mapped(source(5)))  # 80 bytes
    plan, job = asked(world, join)
    small, large = sides(join, job)
    for at in range(4):
        assert not world.running(large)
        world.done(small, at)
    assert world.running(large) == [0, 1, 2, 3]
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(large) == dict.fromkeys(range(5), 1)
    assert not world.scheduler.adapted
    world.close(plan)


def test_an_answer_is_joined_so_too_if_all_of_it_is_wanted() -> None:
    for partitions, moves in ((None, False), ([0], True)):
        world = world_of()
        join = joined(mapped(source(2)), mapped(source(3)))
        job = world.ask(join, partitions)
        small, large = sides(join, job, lambda job: job.stage)
        assert bool(world.running(large)) == moves
        world.finish()
        assert world.ended[job.id] is None
        assert bool(world.runs(large)) == moves
        world.close(join)


def test_few_partitions_leave_tasks_without_any() -> None:
    world = world_of()
    join = joined(mapped(source(1)), mapped(source(1)), channels=3)
    plan, job = asked(world, join)
    world.done(sides(join, job)[0], 0)
    reads = [len(world.find(map_stage(job), at).reads) for at in range(3)]
    assert reads == [1, 0, 0]
    world.finish()
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_lost_block_of_the_small_side_is_written_again_and_nothing_else_changes() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(5)))
    plan, job = asked(world, join)
    small, large = sides(join, job)
    world.done(small, 0)
    world.done(small, 1)
    world.slice_lost(map_stage(job), 0, small, source=1)
    assert world.running(small) == [1]
    world.done(small, 1)
    assert world.running(map_stage(job)) == [0, 1]
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(small) == {0: 1, 1: 2}
    assert world.runs(map_stage(job)) == {0: 2, 1: 2}, "both had been told to read it"
    assert not world.runs(large)
    world.close(plan)


@pytest.mark.parametrize("moment", range(6))
def test_a_node_that_is_lost_at_any_moment(moment: int) -> None:
    world = world_of({"e0": "n0", "e1": "n1"})
    join = joined(mapped(source(2)), mapped(source(3)))
    plan, job = asked(world, join)
    for _ in range(moment):
        world.answer(world.tasks[min(world.tasks)])
    world.down("e0", node_lost=True, replaced=True)
    world.up("e2", "n2")
    world.finish()
    assert world.ended[job.id] is None
    assert not world.runs(sides(join, job)[1])
    world.close(plan)


def test_what_the_joined_stage_wrote_is_written_again_as_it_was_by_a_later_job() -> None:
    world = world_of({"e0": "n0", "e1": "n1"})
    join = joined(mapped(source(2)), mapped(source(3)))
    plan, first = asked(world, join)
    middle = map_stage(first)
    world.finish()
    world.down(world.home(middle, 0), node_lost=True, replaced=True)
    world.up("e2")
    second = world.ask(plan)
    world.finish()
    assert world.ended[second.id] is None
    assert not world.runs(sides(join, first)[1])
    world.close(plan)


def test_a_join_on_the_large_side_of_a_join_goes_the_same_way() -> None:
    world = world_of()
    inner = joined(mapped(source(1)), mapped(source(4)))
    outer = joined(mapped(source(2)), inner)
    plan, job = asked(world, outer)
    small, large = sides(outer, job)
    in_small, in_large = (large.parents[side.id] for side in inner.sides)
    world.done(small, 0)
    world.done(small, 1)
    assert world.running(in_small) == [0]
    assert not world.running(in_large) and not world.running(map_stage(job))
    world.done(in_small, 0)
    assert world.running(map_stage(job)) == [0, 1]
    reads = [[p.start for p in world.find(map_stage(job), at).reads.values()] for at in (0, 1)]
    assert reads == [[0, 1], [2, 3]]
    world.finish()
    assert world.ended[job.id] is None
    assert not world.runs(large) and not world.runs(in_large)
    world.close(plan)


def test_a_large_side_that_others_read_moves() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(3)))
    other = mapped(join.sides[1])
    plan = Zip((by_columns(join), by_columns(other)), join.op)
    job = world.ask(plan)
    world.finish()
    assert world.ended[job.id] is None
    large = job.stage.parents[plan.sides[1].id].parents[join.sides[1].id]
    assert world.runs(large) == {0: 1, 1: 1, 2: 1}
    world.close(plan)


def test_a_large_side_that_was_written_before_is_read() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(3)))
    world.ask(mapped(join.sides[1]))
    world.finish()
    plan, job = asked(world, join)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(sides(join, job)[1]) == {0: 1, 1: 1, 2: 1}
    assert world.runs(map_stage(job)) == {0: 1, 1: 1}
    assert all(each.stage.parents.keys() == map_stage(job).parents.keys() for each in fused(world))
    world.close(plan)


def fused(world: World) -> list[Adapted]:
    return [each for answer in world.answers for each in answer if isinstance(each, Adapted)]


def test_what_needs_rows_of_a_key_together_keeps_the_exchange() -> None:
    """A step on rows, or a kept dataset, may count on where they are."""
    for above in ("rows", "kept"):
        world = world_of()
        join = joined(mapped(source(2)), mapped(source(3)))
        if above == "kept":
            world.keep(join, StorageLevel.MEMORY_ONLY)
        plan = by_columns(mapped(join) if above == "rows" else join)
        job = world.ask(plan)
        world.finish()
        assert world.ended[job.id] is None
        middle = job.stage.parents[plan.id]
        assert world.runs(middle.parents[join.sides[1].id])
        world.close(plan)


def test_kept_partitions_of_the_large_side_are_used() -> None:
    world = world_of()
    base = mapped(source(3))
    world.keep(base, StorageLevel.MEMORY_ONLY)
    join = joined(mapped(source(2)), mapped(base))
    plan, first = asked(world, join)
    world.finish()
    again = joined(mapped(source(2)), mapped(base))
    other, second = asked(world, again)
    world.finish()
    assert world.ended == {first.id: None, second.id: None}
    tasks = [each for each in world.launched if each.task.stage == map_stage(second).id]
    assert {key for each in tasks for key in each.has} != set()
    world.close(plan, other)


def test_two_jobs_share_the_joined_stage() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(3)))
    plan, first = asked(world, join)
    second = world.ask(plan)
    world.finish()
    assert world.ended == {first.id: None, second.id: None}
    assert world.runs(map_stage(first)) == {0: 1, 1: 1}
    world.close(plan)


def test_cancelling_leaves_nothing() -> None:
    for moment in range(6):
        world = world_of(2)
        join = joined(mapped(source(2)), mapped(source(3)))
        plan, job = asked(world, join)
        for _ in range(moment):
            if world.tasks:
                world.answer(world.tasks[min(world.tasks)])
        world.cancel(job)
        world.finish()
        world.close(plan)


def test_a_stage_that_nothing_changed_is_not_told_of() -> None:
    world = world_of()
    plan = mapped(shuffled(mapped(source(2))))
    world.ask(plan)
    world.finish()
    assert not world.scheduler.adapted and not fused(world)
    world.close(plan)


def test_the_change_says_what_it_saw() -> None:
    world = world_of()
    join = joined(mapped(source(2)), mapped(source(3)))
    plan, job = asked(world, join)
    world.finish()
    (action,) = fused(world)
    (change,) = action.stage.changes
    assert action.job == job.id and action.stage.id == map_stage(job).id
    assert "only 40 B" in change.why
    assert change.gone == (join.sides[1].id,) and change.whole == (join.sides[0].id,)
    started = [notice.stage for notice in world.heard(StageStarted)]
    assert sides(join, job)[1].id not in started
    fetches = [step for step in action.stage.program if isinstance(step, Fetch)]
    assert [step.exchange for step in fetches] == [join.sides[0].id]
    assert isinstance(join.sides[0], Exchange)
    world.close(plan)
