"""Levels with several copies: made before the job goes on, and worth it when a home dies."""

from __future__ import annotations

from by_hand import World, map_stage, mapped, shuffled, source

from planner.events import Copy, FreeBlocks, FreeKept, Lost, Recomputed, TaskEnded
from planner.failures import ExecutorLost
from planner.levels import StorageLevel
from planner.plan import Union

TWICE = StorageLevel.MEMORY_ONLY_2


def test_a_job_waits_for_the_second_copies() -> None:
    world = World(3)
    base = mapped(source(1))
    world.keep(base, TWICE)
    job = world.ask(mapped(base))
    home = world.home(job.stage, 0)
    actions = world.done(job.stage, 0)
    (copy,) = [action for action in actions if isinstance(action, Copy)]
    assert copy.executor != home
    assert job.id not in world.ended, "a copy that is promised is made"
    actions = world.copied(copy.executor)
    assert [a.blocks for a in actions if isinstance(a, FreeBlocks)] == [(copy.block,)]
    assert world.ended[job.id] is None
    world.close()


def test_a_copy_goes_to_another_node_if_there_is_one() -> None:
    world = World({"a0": "a", "a1": "a", "b0": "b"})
    base = mapped(source(1))
    world.keep(base, TWICE)
    job = world.ask(mapped(base))
    home = world.home(job.stage, 0)
    world.done(job.stage, 0)
    (copy,) = world.copies
    assert world.nodes[copy.executor] != world.nodes[home]
    world.finish()
    world.close()


def test_a_lone_executor_has_nobody_to_copy_to() -> None:
    world = World(1)
    base = mapped(source(1))
    world.keep(base, TWICE)
    job = world.ask(mapped(base))
    world.done(job.stage, 0)
    assert world.ended[job.id] is None
    world.close()


def test_three_copies_are_made_on_three_executors() -> None:
    world = World(4)
    base = mapped(source(1))
    world.keep(base, StorageLevel.DISK_ONLY_3)
    job = world.ask(mapped(base))
    world.done(job.stage, 0)
    assert len({copy.executor for copy in world.copies} | {world.home(job.stage, 0)}) == 3
    world.copied(world.copies[0].executor)
    assert job.id not in world.ended
    world.copied(world.copies[0].executor)
    assert world.ended[job.id] is None
    world.close()


def test_a_copy_whose_target_dies_is_waited_for_no_longer() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base, TWICE)
    job = world.ask(mapped(base))
    world.done(job.stage, 0)
    (copy,) = world.copies
    world.down(copy.executor)
    assert world.ended[job.id] is None
    world.close()


def test_a_copy_that_could_not_be_made_is_no_failure() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base, TWICE)
    job = world.ask(mapped(base))
    world.done(job.stage, 0)
    world.copied(world.copies[0].executor, well=False)
    assert world.ended[job.id] is None
    world.close()


def test_killing_one_home_of_two_copies_recomputes_nothing() -> None:
    world = World(3)
    base = mapped(source(3))
    persist = world.keep(base, TWICE)
    first = world.ask(mapped(base))
    world.finish()
    world.down(world.home(first.stage, 1), node_lost=True)
    assert not [n for n in world.heard(Lost) if n.what == "kept"]
    second = world.ask(mapped(base))
    world.finish()
    launches = [launch for launch in world.launched if launch.task.stage == second.stage.id]
    assert sorted(key for launch in launches for key in launch.has) == [
        (persist, partition) for partition in range(3)
    ]
    assert not world.heard(Recomputed)
    world.close()


def test_the_first_home_may_die_while_its_copy_is_made() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base, TWICE)
    wide = shuffled(mapped(base), 1)
    job = world.ask(mapped(wide))
    maps = map_stage(job)
    world.done(maps, 0)
    world.down(world.home(maps, 0))
    world.finish()
    assert world.ended[job.id] is None
    world.close(wide)


def test_cancelling_while_copies_are_made_frees_everything_and_claims_nothing() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base, TWICE)
    wide = shuffled(mapped(base), 1)
    first = world.ask(mapped(wide))
    maps = map_stage(first)
    world.done(maps, 0)
    assert world.copies
    world.cancel(first)
    assert world.scheduler.tables()["computing"] == 0
    world.finish()
    world.down(world.home(maps, 0))  # what is kept goes with it, or is at the other one
    second = world.ask(mapped(base))
    world.finish()
    assert world.ended[second.id] is None, "nobody computes it any more, so nobody waits"
    world.close(wide)


def test_an_eviction_of_one_of_two_copies_loses_nothing() -> None:
    world = World(2)
    base = mapped(source(1))
    persist = world.keep(base, TWICE)
    first = world.ask(mapped(base))
    world.done(first.stage, 0)
    world.finish()
    home = world.home(first.stage, 0)
    blocker = world.ask(mapped(source(2)))
    at_home = next(p for p in (0, 1) if world.home(blocker.stage, p) == home)
    world.done(blocker.stage, at_home, dropped=((persist, 0),))
    assert not world.heard(Lost)
    world.finish()
    second = world.ask(mapped(base))
    assert world.find(second.stage, 0).has
    assert world.home(second.stage, 0) != home
    world.finish()
    world.close()


def test_a_copy_that_arrives_after_the_release_is_freed_again() -> None:
    world = World(2)
    base = mapped(source(1))
    persist = world.keep(base, TWICE)
    job = world.ask(mapped(base))
    world.done(job.stage, 0)
    world.unpersist(base)
    actions = world.copied(world.copies[0].executor)
    assert [action.persists for action in actions if isinstance(action, FreeKept)] == [(persist,)]
    assert world.ended[job.id] is None
    world.close()


def test_a_node_lost_while_copies_are_made_takes_what_the_task_wrote() -> None:
    """The task had ended well; but what it wrote was not entered yet, and is gone."""
    world = World(2)
    base = mapped(source(1))
    persist = world.keep(base, TWICE)
    wide = shuffled(mapped(base), 1)
    job = world.ask(mapped(wide))
    maps = map_stage(job)
    world.done(maps, 0)
    target = world.copies[0].executor
    world.down(world.home(maps, 0), node_lost=True, replaced=True)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(maps) == {0: 2}
    assert [n.failure for n in world.heard(TaskEnded) if n.failure] == [
        ExecutorLost("node n0 is lost")
    ]
    assert (persist, 0) in world.kept[target]
    world.close(wide)


def test_who_wants_a_partition_that_is_being_copied_finds_the_copy() -> None:
    """Its first home drops it at once; nobody computes it again meanwhile."""
    world = World(2)
    base = mapped(source(1))
    persist = world.keep(base, TWICE)
    job = world.ask(Union((mapped(base), mapped(base))))
    world.done(job.stage, 0, dropped=((persist, 0),))
    (copy,) = world.copies
    assert not world.running(job.stage)
    world.copied(copy.executor)
    launch = world.find(job.stage, 1)
    assert (launch.executor, list(launch.has)) == (copy.executor, [(persist, 0)])
    world.finish()
    assert world.ended[job.id] is None
    world.close()
