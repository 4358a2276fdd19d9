"""The adaptive seam: a stage may be rewritten once, when the sizes of what it reads are known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from by_hand import World, map_stage, mapped, shuffled, source, zipped

from planner.events import Job, Launch
from planner.plan import Exchange, Node, Union
from planner.program import Fetch
from planner.stages import Stage

Sizes = dict[int, tuple[int, ...]]


class MergeAll:
    """All channels of every exchange are read by one task, as a view on what was written."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, Sizes]] = []

    def __call__(self, stage: Stage, sizes: Sizes) -> Stage:
        self.calls.append((stage.id, dict(sizes)))
        if stage.exchange is None:
            return stage
        program = tuple(
            replace(step, width=1, view=(tuple(range(step.width)),))
            if isinstance(step, Fetch)
            else replace(step, width=1)
            for step in stage.program
        )
        return replace(stage, program=program, width=1)

    def of(self, stage: Stage) -> list[Sizes]:
        return [sizes for at, sizes in self.calls if at == stage.id]


def three_stages(channels: int = 3) -> Node:
    """Two maps → `channels` tasks in the middle → one reader."""
    return mapped(shuffled(mapped(shuffled(mapped(source(2)), channels)), 1))


def test_small_channels_are_merged_by_a_view() -> None:
    merge = MergeAll()
    world = World(3, adapt=merge)
    plan = three_stages(channels=3)
    job = world.ask(plan)
    middle = map_stage(job)
    (bottom,) = middle.parents.values()
    world.done(bottom, 0)
    assert not merge.calls, "sizes are not known yet"
    world.done(bottom, 1)
    assert world.running(middle) == [0], "one task instead of three"
    (slices,) = world.find(middle, 0).fetches.values()
    assert [(piece.channel, piece.source) for piece in slices] == [
        (channel, at) for channel in range(3) for at in range(2)
    ]
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(middle) == {0: 1}
    assert merge.of(middle) == [{bottom.exchange: (20, 20, 20)}]
    world.close(plan)


def test_a_skewed_channel_may_be_split_among_more_tasks() -> None:
    """Twice the tasks; here each channel is simply read by two of them."""

    def twice(stage: Stage, sizes: Sizes) -> Stage:
        if stage.exchange is None:
            return stage
        width = 2 * stage.width
        view = tuple((at // 2,) for at in range(width))
        program = tuple(
            replace(step, width=width, view=view)
            if isinstance(step, Fetch)
            else replace(step, width=width)
            for step in stage.program
        )
        return replace(stage, program=program, width=width)

    world = World(2, adapt=twice)
    plan = three_stages(channels=2)
    job = world.ask(plan)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(map_stage(job)) == dict.fromkeys(range(4), 1)
    world.close(plan)


def test_the_rule_is_asked_once_for_every_stage_that_reads_an_exchange() -> None:
    merge = MergeAll()
    world = World(2, adapt=merge)
    plan = three_stages()
    job = world.ask(plan)
    world.finish()
    assert [stage for stage, _ in merge.calls] == [map_stage(job).id, job.stage.id]
    world.close(plan)


def test_all_the_sizes_have_to_be_known() -> None:
    merge = MergeAll()
    world = World(2, adapt=merge)
    left, right = shuffled(mapped(source(1)), 2), shuffled(mapped(source(1)), 2)
    plan = shuffled(zipped(left, right), 1)
    job = world.ask(plan)
    middle = map_stage(job)
    world.done(middle.parents[left.id], 0)
    assert not merge.of(middle)
    world.done(middle.parents[right.id], 0)
    assert merge.of(middle) == [{left.id: (10, 10), right.id: (10, 10)}]
    assert world.running(middle) == [0]
    world.finish()
    world.close(plan)


def test_a_started_stage_is_left_as_it_is() -> None:
    """One side of the union can start before the exchange of the other is there."""
    merge = MergeAll()
    world = World(2, adapt=merge)
    wide = shuffled(mapped(source(1)), 2)
    plan = shuffled(Union((mapped(source(1)), wide)), 1)
    job = world.ask(plan)
    middle = map_stage(job)
    assert world.running(middle) == [0]
    world.done(middle.parents[wide.id], 0)
    assert not merge.of(middle)
    world.finish()
    assert world.runs(middle) == {0: 1, 1: 1, 2: 1}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_stage_with_partitions_in_the_queue_is_rewritten_before_they_start() -> None:
    merge = MergeAll()
    world = World(1, adapt=merge)
    wide = shuffled(mapped(source(1)), 2)
    plan = shuffled(zipped(mapped(wide), shuffled(mapped(source(1)), 2)), 1)
    job = world.ask(plan)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(map_stage(job)) == {0: 1}
    world.close(plan)


def test_a_lost_block_under_a_rewritten_stage_asks_the_rule_no_second_time() -> None:
    merge = MergeAll()
    world = World(2, adapt=merge)
    plan = three_stages()
    job = world.ask(plan)
    middle = map_stage(job)
    (bottom,) = middle.parents.values()
    world.done(bottom, 0)
    world.done(bottom, 1)
    world.slice_lost(middle, 0, bottom, source=1)
    assert world.running(bottom) == [1]
    world.done(bottom, 1)
    assert world.running(middle) == [0]
    assert len(merge.of(middle)) == 1
    world.finish()
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_block_lost_before_the_rewritten_stage_starts_asks_no_second_time() -> None:
    merge = MergeAll()
    world = World({"e0": "n0", "e1": "n1"}, adapt=merge)
    plan = three_stages()
    blockers = [world.ask(mapped(source(1))) for _ in range(2)]
    job = world.ask(plan)
    middle = map_stage(job)
    (bottom,) = middle.parents.values()
    world.done(blockers[0].stage, 0)
    busy = world.home(blockers[1].stage, 0)
    while world.running(bottom):  # at the other executor, one after the other
        world.done(bottom, world.running(bottom)[0])
    assert len(merge.of(middle)) == 1
    other = world.home(bottom, 0)
    assert other != busy
    world.down(other, node_lost=True)
    world.finish()
    assert world.ended[job.id] is None
    assert len(merge.of(middle)) == 1
    assert world.runs(bottom) == {0: 2, 1: 2}
    world.close(plan)


def test_a_lost_output_of_a_rewritten_stage_is_written_again_as_rewritten() -> None:
    """By a later job, which was split from the plan as it was."""
    merge = MergeAll()
    world = World({"e0": "n0", "e1": "n1"}, adapt=merge)
    plan = three_stages()
    first = world.ask(plan)
    middle = map_stage(first)
    world.finish()
    world.down(world.home(middle, 0), node_lost=True, replaced=True)
    world.up("e2")
    second = world.ask(plan)
    assert map_stage(second) is middle
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(middle) == {0: 2}
    last = [launch for launch in world.launched if launch.task.stage == middle.id][-1]
    assert last.stage.width == 1
    assert len(merge.of(middle)) == 1
    world.close(plan)


def test_a_later_job_over_a_finished_shuffle_may_be_rewritten_too() -> None:
    merge = MergeAll()
    world = World(2, adapt=merge)
    wide = shuffled(mapped(source(2)), 3)
    world.ask(mapped(wide))
    world.finish()
    upper = shuffled(mapped(wide), 1)
    second = world.ask(upper)
    assert world.running(map_stage(second)) == [0]
    world.finish()
    assert world.ended[second.id] is None
    world.close(upper)


def unread(world: World) -> tuple[Exchange, Exchange, Job]:
    """A shuffle whose stage has started with one side of a union before the other is there."""
    wide = shuffled(mapped(source(1)), 2)
    upper = shuffled(Union((mapped(source(1)), wide)), 1)
    return wide, upper, world.ask(mapped(upper))


def merge_union(stage: Stage, sizes: Sizes) -> Stage:
    """For the stage above: both channels of its second side become one."""
    if stage.exchange is None or not sizes:
        return stage
    read, apply, fetch, beside = stage.program
    assert isinstance(fetch, Fetch)
    fetch = replace(fetch, width=1, view=((0, 1),))
    return replace(stage, program=(read, apply, fetch, replace(beside, width=2)), width=2)


def test_a_job_that_joins_a_started_stage_finds_it_as_it_started() -> None:
    world = World(1, adapt=merge_union)
    wide, upper, first = unread(world)
    middle = map_stage(first)
    while not world.runs(middle).keys() >= {0}:
        world.answer(world.tasks[min(world.tasks)])
    second = world.ask(mapped(upper))
    world.finish()
    assert world.ended == {first.id: None, second.id: None}
    world.close(upper)


def test_a_stage_that_started_in_vain_may_be_rewritten_by_the_next_job() -> None:
    world = World(2, adapt=merge_union)
    wide, upper, first = unread(world)
    middle = map_stage(first)
    assert world.running(middle) == [0]
    world.done(middle.parents[wide.id], 0)
    world.cancel(first)
    world.finish()
    second = world.ask(mapped(upper))
    world.finish()
    assert world.ended[second.id] is None
    widths = [launch.stage.width for launch in world.launched if launch.stage.id == middle.id]
    assert widths == [3, 3, 2, 2]
    world.close(upper)


def test_cancelling_a_job_with_rewritten_stages_leaves_nothing() -> None:
    for moment in range(5):
        world = World(2, adapt=MergeAll())
        plan = three_stages()
        job = world.ask(plan)
        for _ in range(moment):
            if world.tasks:
                world.answer(world.tasks[min(world.tasks)])
        world.cancel(job)
        world.finish()
        world.close(plan)


def test_two_jobs_share_a_rewritten_stage() -> None:
    merge = MergeAll()
    world = World(2, adapt=merge)
    plan = three_stages()
    jobs = [world.ask(plan), world.ask(plan)]
    world.finish()
    assert [world.ended[job.id] for job in jobs] == [None, None]
    assert world.runs(map_stage(jobs[0])) == {0: 1}
    world.close(plan)


def test_the_width_of_an_answer_is_the_users() -> None:
    def narrow(stage: Stage, sizes: Sizes) -> Stage:
        return replace(stage, width=1)

    world = World(1, adapt=narrow)
    world.ask(mapped(shuffled(mapped(source(1)), 2)))
    with pytest.raises(ValueError, match="result stage's width"):
        world.finish()


def test_a_rule_that_changes_nothing_changes_nothing() -> None:
    seen: list[Launch] = []
    for adapt in (lambda stage, sizes: stage, None):
        world = World(2, adapt=adapt) if adapt else World(2)
        world.ask(three_stages())
        world.finish()
        seen.append(world.launched[-1])
        if len(seen) == 2:
            assert seen[0].task.number == seen[1].task.number
            assert seen[0].executor == seen[1].executor
