"""Accumulator updates count once; what is released leaves nothing behind."""

from __future__ import annotations

from by_hand import World, map_stage, mapped, shuffled, source, two_stages

from planner.events import Account, FreeBlocks, KeepAsked, Released, Tell

ONE = {7: 1}


def test_every_partition_of_every_stage_counts_once() -> None:
    world = World(2)
    plan = two_stages(maps=2, reduces=2)
    job = world.ask(plan)
    for stage in (map_stage(job), job.stage):
        for partition in (0, 1):
            world.done(stage, partition, updates=ONE)
    assert world.accounts == [ONE] * 4
    world.close(plan)


def test_updates_are_applied_before_the_job_is_told_to_have_ended() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    names = [type(action).__name__ for action in world.done(job.stage, 0, updates=ONE)]
    assert names.index("Account") < names.index("EndJob")


def test_a_map_task_that_runs_again_does_not_count_again() -> None:
    world = World(2)
    plan = two_stages(maps=2, reduces=1)
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0, updates=ONE)
    world.done(maps, 1, updates=ONE)
    world.slice_lost(job.stage, 0, maps, source=1)
    world.done(maps, 1, updates=ONE)
    assert world.accounts == [ONE] * 2
    world.done(job.stage, 0, updates=ONE)
    assert world.accounts == [ONE] * 3
    world.close(plan)


def test_not_even_for_a_later_job() -> None:
    world = World({"e0": "n0"})
    wide = shuffled(mapped(source(1)), 1)
    first = world.ask(mapped(wide))
    world.done(map_stage(first), 0, updates=ONE)
    world.done(first.stage, 0)
    world.down("e0", node_lost=True, replaced=True)
    world.up("e1")
    second = world.ask(mapped(wide))
    world.done(map_stage(second), 0, updates=ONE)
    world.done(second.stage, 0, updates=ONE)
    assert world.accounts == [ONE, ONE]
    world.close(wide)


def test_late_answers_and_failures_do_not_count() -> None:
    world = World(2, failures=2)
    job = world.ask(mapped(source(2)))
    late = world.find(job.stage, 1)
    world.down(late.executor)
    world.feed(world.success(late, updates=ONE))
    world.fail(job.stage, 0)
    assert not world.accounts
    while world.tasks:
        world.done(job.stage, world.running(job.stage)[0], updates=ONE)
    assert world.accounts == [ONE, ONE]
    world.close()


def test_an_answer_after_the_cancel_does_not_count() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    launch = world.find(job.stage, 0)
    world.cancel(job)
    world.feed(world.success(launch, updates=ONE))
    assert not world.accounts


def test_a_shuffle_shared_by_two_jobs_counts_once() -> None:
    world = World(1)
    wide = shuffled(mapped(source(1)), 1)
    jobs = [world.ask(mapped(wide)), world.ask(mapped(wide))]
    world.done(map_stage(jobs[0]), 0, updates=ONE)
    world.finish()
    assert world.accounts == [ONE]
    world.close(wide)


def test_no_updates_no_account() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    assert not [a for a in world.done(job.stage, 0) if isinstance(a, Account)]


# ---- releases ------------------------------------------------------------------------------------


def test_releasing_an_exchange_frees_what_was_written_for_it() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    world.ask(mapped(wide))
    world.finish()
    written = set(world.blocks)
    assert len(written) == 2
    actions = world.release(wide)
    assert {b for a in actions if isinstance(a, FreeBlocks) for b in a.blocks} == written
    assert not any(world.scheduler.tables().values())


def test_what_is_released_before_it_was_whole_is_freed_too() -> None:
    world = World(1)
    wide = shuffled(mapped(source(2)))
    job = world.ask(mapped(wide))
    world.done(map_stage(job), 0)
    world.cancel(job)
    world.finish()
    world.release(wide)
    assert not world.blocks
    assert not any(world.scheduler.tables().values())


def test_releasing_what_nobody_knows_does_nothing() -> None:
    world = World(1)
    assert world.feed(Released(exchanges=(123,), persists=(456,))) == []


def test_a_dataset_that_was_never_computed_is_released_quietly() -> None:
    world = World(1)
    world.feed(KeepAsked(5))
    assert world.scheduler.tables()["live"] == 1
    world.feed(Released(persists=(5,)))
    assert not any(world.scheduler.tables().values())


def test_what_is_lost_and_never_recomputed_is_forgotten_with_its_dataset() -> None:
    world = World({"e0": "n0", "e1": "n1"})
    base = mapped(source(2))
    world.keep(base)
    wide = shuffled(mapped(base))
    world.ask(mapped(wide))
    world.finish()
    world.down("e0", node_lost=True)
    assert world.scheduler.tables()["lost"] == 2
    world.close(wide)


def test_many_jobs_leave_the_tables_as_they_were() -> None:
    world = World(2)
    base = mapped(source(2))
    world.keep(base)
    world.ask(base)
    world.finish()
    before = world.scheduler.tables()
    for _ in range(50):
        wide = shuffled(mapped(base))
        world.ask(mapped(wide))
        world.finish()
        world.release(wide)
    assert world.scheduler.tables() == before
    world.close()


def test_notices_are_not_what_empties_tables() -> None:
    """A job that is told of leaves no more than one that is not."""
    world = World(1)
    job = world.ask(mapped(source(3)))
    world.finish()
    assert job.id in world.ended
    assert any(isinstance(a, Tell) for answer in world.answers for a in answer)
    assert not any(world.scheduler.tables().values())
