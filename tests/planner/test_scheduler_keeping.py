"""Kept partitions: computed once, used where they are, recomputed when they are lost."""

from __future__ import annotations

from by_hand import RAISED, World, mapped, shuffled, source, zipped

from planner.events import (
    FreeKept,
    KeptPartition,
    Launch,
    Lost,
    Recomputed,
    TaskStarted,
)
from planner.levels import StorageLevel
from planner.ops import Identity
from planner.plan import Narrow, Node
from planner.reads import coalesce

TWICE = StorageLevel.MEMORY_ONLY_2


# ---- homes ---------------------------------------------------------------------------------------


def test_a_kept_partition_is_computed_once_and_then_found() -> None:
    world = World(2)
    base = mapped(source(2))
    persist = world.keep(base)
    first = world.ask(mapped(base))
    assert world.find(first.stage, 0).keep == {persist}
    assert world.find(first.stage, 0).reads
    world.finish()
    second = world.ask(mapped(base))
    for partition in (0, 1):
        launch = world.find(second.stage, partition)
        assert list(launch.has) == [(persist, partition)]
        assert not launch.reads
        assert not launch.keep
        assert launch.executor == world.home(first.stage, partition)
    world.finish()
    world.close()


def test_a_kept_shuffle_is_not_fetched_again() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    base = mapped(wide)
    world.keep(base)
    world.ask(mapped(base))
    world.finish()
    world.release(wide)
    job = world.ask(mapped(base))
    assert world.running(job.stage) == [0, 1], "nothing below what is kept is needed"
    assert not world.find(job.stage, 0).fetches
    world.finish()
    world.close(base)


def test_tasks_wait_for_the_executor_that_has_their_input() -> None:
    world = World(2)
    base = mapped(source(2))
    world.keep(base)
    first = world.ask(mapped(base))
    world.finish()
    home = world.home(first.stage, 0)
    blocker = world.ask(mapped(source(2)))  # both executors are busy
    second = world.ask(mapped(base), [0])
    other = next(p for p in (0, 1) if world.home(blocker.stage, p) != home)
    world.done(blocker.stage, other)
    assert not world.running(second.stage), "an idle executor leaves a lone bound task alone"
    world.done(blocker.stage, 1 - other)
    assert world.home(second.stage, 0) == home
    assert world.find(second.stage, 0).has
    world.finish()
    world.close()


def crowded(world: World, level: StorageLevel = StorageLevel.MEMORY_ONLY) -> Node:
    """Four partitions, all kept at e0 in a second each; then e1 comes up."""
    base = mapped(source(4))
    world.keep(base, level)
    world.ask(mapped(base))
    world.finish()
    world.up("e1", "n1")
    return base


def test_an_idle_executor_takes_one_of_two_that_wait_and_recomputes() -> None:
    world = World(1)
    base = crowded(world)
    job = world.ask(mapped(base))
    assert [task.executor for task in world.wanted()] == ["e0"], "nobody knows how quick it is"
    world.done(job.stage, 0)
    stolen = next(task for task in world.wanted() if task.executor == "e1")
    assert not stolen.has
    assert stolen.reads
    assert stolen.keep, "it keeps what it computes, too"
    world.finish()
    assert world.ended[job.id] is None
    assert len(world.kept["e1"]) == 1
    world.close()


def test_what_takes_long_to_compute_is_not_stolen() -> None:
    world = World(1)
    base = crowded(world)
    job = world.ask(mapped(base))
    while world.tasks:  # a second to compute, a tenth of one to use
        (launch,) = world.wanted()
        assert launch.executor == "e0"
        world.done(job.stage, launch.task.partition, seconds=0.1)
    assert world.ended[job.id] is None
    world.close()


def test_a_lone_task_that_waits_is_not_stolen() -> None:
    world = World(1)
    base = crowded(world)
    job = world.ask(mapped(base), [0, 1, 2])
    world.done(job.stage, 0)  # one runs, one waits
    assert [task.executor for task in world.wanted()] == ["e0"]
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_what_is_kept_in_several_copies_is_never_computed_by_a_thief() -> None:
    world = World(1)
    base = crowded(world, TWICE)
    job = world.ask(mapped(base))
    while world.tasks:
        (launch,) = world.wanted()
        assert launch.executor == "e0"
        world.done(job.stage, launch.task.partition)
    assert world.ended[job.id] is None
    world.close()


def test_an_idle_executor_that_has_the_input_too_helps_at_once() -> None:
    world = World(2)
    base = mapped(source(4))
    world.keep(base, TWICE)
    world.ask(mapped(base))
    world.finish()
    job = world.ask(mapped(base))
    assert sorted(task.executor for task in world.wanted()) == ["e0", "e1"]
    world.finish()
    assert all(launch.has for launch in world.launched if launch.task.stage == job.stage.id)
    world.close()


def test_nothing_is_stolen_whose_inputs_are_absent() -> None:
    world = World({"e0": "n0"})
    wide = shuffled(mapped(source(2)), 4)
    base = mapped(wide)
    world.keep(base)
    world.ask(mapped(base))
    world.finish()
    world.release(wide)
    world.up("e1", "n1")
    job = world.ask(mapped(base))
    assert [task.executor for task in world.wanted()] == ["e0"]
    world.finish()
    assert {world.home(job.stage, p) for p in range(4)} == {"e0"}
    assert world.ended[job.id] is None
    world.close(base)


def test_a_task_of_two_kept_inputs_goes_where_more_of_them_is() -> None:
    world = World(3)
    left, right, third = mapped(source(3)), mapped(source(3)), mapped(source(3))
    for base in (left, right, third):
        world.keep(base)
    for base in (left, right):
        world.ask(mapped(base), [0])
        world.finish()
    home = next(home for home, keys in world.kept.items() if len(keys) == 2)
    world.down(home)
    world.ask(zipped(left, right), [0])
    world.finish()
    job = world.ask(zipped(left, right, third), [0])
    assert len(world.find(job.stage, 0).has) == 2
    world.finish()
    world.close()


def test_inputs_kept_at_two_places_with_lost_lineage_do_not_send_the_task_round() -> None:
    """One input is at e0, the other at e1, and e1 alone is idle but lacks what e0 has."""
    world = World(2)
    wides = [shuffled(mapped(source(1)), 1) for _ in range(2)]
    bases = [mapped(wide) for wide in wides]
    homes: list[str] = []
    for base in bases:
        world.keep(base)
        if homes:  # the first home is busy, so the second one is elsewhere
            blocker = world.ask(mapped(source(1)))
        job = world.ask(mapped(base))
        for _ in range(10):
            own = [task for task in world.wanted() if task.job.id == job.id]
            if own:
                world.answer(own[0])
        homes.append(world.home(job.stage, 0))
    world.finish()
    assert len(set(homes)) == 2
    world.release(*wides)
    blocker = world.ask(mapped(source(2)))
    job = world.ask(zipped(*bases))
    at_second = next(p for p in (0, 1) if world.home(blocker.stage, p) == homes[1])
    world.done(blocker.stage, at_second)
    world.finish()
    assert world.ended[job.id] is None
    world.close(*bases)


# ---- two tasks want one --------------------------------------------------------------------------


def test_the_second_task_that_wants_an_absent_partition_waits_and_runs_at_its_home() -> None:
    world = World(3)
    base = mapped(source(1))
    persist = world.keep(base)
    first, second = world.ask(mapped(base)), world.ask(mapped(base))
    assert world.running(first.stage) == [0]
    assert not world.running(second.stage)
    world.done(first.stage, 0)
    launch = world.find(second.stage, 0)
    assert list(launch.has) == [(persist, 0)]
    assert launch.executor == world.home(first.stage, 0)
    world.finish()
    assert world.ended[second.id] is None
    world.close()


def test_the_second_task_computes_it_when_the_first_one_fails() -> None:
    world = World(3)
    base = mapped(source(1))
    persist = world.keep(base)
    first, second = world.ask(mapped(base)), world.ask(mapped(base))
    world.fail(first.stage, 0)
    assert world.ended[first.id] is RAISED
    assert world.find(second.stage, 0).keep == {persist}
    world.finish()
    world.close()


def test_the_second_task_computes_it_when_the_first_ones_executor_dies() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base)
    first, second = world.ask(mapped(base)), world.ask(mapped(base))
    world.down(world.home(first.stage, 0))
    assert len(world.wanted()) == 1
    world.finish()
    assert world.ended[first.id] is None
    assert world.ended[second.id] is None
    assert sum(world.runs(first.stage).values()) + sum(world.runs(second.stage).values()) == 3
    world.close()


def test_the_second_task_computes_it_when_the_first_job_is_cancelled() -> None:
    world = World(2)
    base = mapped(source(1))
    world.keep(base)
    first, second = world.ask(mapped(base)), world.ask(mapped(base))
    launch = world.find(first.stage, 0)
    world.cancel(first)
    assert not world.running(second.stage), "the cancelled task still holds its claim"
    world.answer(launch)
    assert world.running(second.stage) == [0]
    world.finish()
    assert world.ended[second.id] is None
    world.close()


def test_a_partition_that_did_not_fit_is_no_error() -> None:
    world = World(1)
    base = mapped(source(1))
    world.keep(base)
    for _ in range(2):
        job = world.ask(mapped(base))
        world.done(job.stage, 0, kept=())
        assert world.ended[job.id] is None
    world.close()


# ---- what executors report -----------------------------------------------------------------------


def test_an_eviction_is_reported_and_the_partition_recomputed_when_wanted() -> None:
    world = World(1)
    base, other = mapped(source(2)), mapped(source(1))
    persist = world.keep(base)
    world.ask(mapped(base))
    world.finish()
    job = world.ask(other)
    world.done(job.stage, 0, dropped=((persist, 1),))
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [("kept", persist, 1)]
    again = world.ask(mapped(base))
    world.done(again.stage, 0)
    launch = world.find(again.stage, 1)
    assert launch.keep == {persist}
    assert not launch.has
    world.finish()
    assert [(n.what, n.partition) for n in world.heard(Recomputed)] == [("kept", 1)]
    world.close()


def test_what_a_task_kept_and_dropped_again_is_not_there() -> None:
    """`dropped` is what had gone when the task ended, even if the task itself had put it there."""
    world = World(1)
    base = mapped(source(3))
    persist = world.keep(base)
    packed = Narrow(base, Identity(), coalesce(3, 1))
    world.ask(packed)
    (launch,) = world.wanted()
    world.feed(world.success(launch, dropped=((persist, 0), (persist, 1))))
    job = world.ask(packed)
    launch = world.find(job.stage, 0)
    assert list(launch.has) == [(persist, 2)]
    assert len(launch.reads) == 2
    world.finish()
    assert world.ended[job.id] is None
    world.close()


def test_a_kept_partition_that_is_not_found_is_computed_again() -> None:
    world = World(1)
    base = mapped(source(1))
    persist = world.keep(base)
    first = world.ask(mapped(base))
    world.finish()
    world.evict(world.home(first.stage, 0), (persist, 0))
    second = world.ask(mapped(base))
    assert world.find(second.stage, 0).has
    world.answer(world.find(second.stage, 0))
    launch = world.find(second.stage, 0)
    assert not launch.has
    assert launch.task.attempt == 1
    world.finish()
    assert world.ended[second.id] is None
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [("kept", persist, 0)]
    assert [n.what for n in world.heard(Recomputed)] == ["kept"]
    assert [n.why for n in world.heard(TaskStarted)] == ["first", "first", "lost"]
    world.close()


def put_for_the_node(world: World, launch: Launch, persist: int) -> None:
    """The task keeps its partition where all executors of its node can read it."""
    node = world.nodes[launch.executor]
    world.kept[node] = {(persist, 0)}
    kept = KeptPartition(persist, 0, node, "disk-file", 10, shared="/somewhere")
    world.feed(world.success(launch, kept=(kept,)))


def test_a_copy_shared_by_a_node_serves_all_its_executors() -> None:
    world = World({"a0": "a", "a1": "a"})
    base = mapped(source(1))
    persist = world.keep(base, StorageLevel.DISK_ONLY)
    first = world.ask(mapped(base))
    put_for_the_node(world, world.find(first.stage, 0), persist)
    world.down(world.home(first.stage, 0))
    assert not world.heard(Lost)
    second = world.ask(mapped(base))
    assert world.find(second.stage, 0).has == {(persist, 0): "/somewhere"}
    world.finish()
    world.close()


def test_a_copy_shared_by_a_node_is_lost_with_the_node() -> None:
    world = World({"a0": "a", "b0": "b"})
    base = mapped(source(1))
    persist = world.keep(base, StorageLevel.DISK_ONLY)
    first = world.ask(mapped(base))
    put_for_the_node(world, world.find(first.stage, 0), persist)
    world.down(world.home(first.stage, 0), node_lost=True)
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [("kept", persist, 0)]
    second = world.ask(mapped(base))
    assert not world.find(second.stage, 0).has
    world.finish()
    world.close()


def test_a_shared_copy_that_its_executor_dropped_is_forgotten() -> None:
    world = World({"a0": "a"})
    base = mapped(source(1))
    persist = world.keep(base, StorageLevel.OFF_HEAP)
    first = world.ask(mapped(base))
    put_for_the_node(world, world.find(first.stage, 0), persist)
    other = world.ask(mapped(source(1)))
    world.done(other.stage, 0, dropped=((persist, 0),))
    second = world.ask(mapped(base))
    assert not world.find(second.stage, 0).has
    world.finish()
    world.unpersist(base)
    world.kept.clear()
    world.close()


def test_copies_for_a_node_are_named_when_they_are_released() -> None:
    """Nobody but the driver knows who may still have their files."""
    world = World({"a0": "a"})
    base = mapped(source(1))
    persist = world.keep(base, StorageLevel.DISK_ONLY)
    first = world.ask(mapped(base))
    put_for_the_node(world, world.find(first.stage, 0), persist)
    (freed,) = [action for action in world.unpersist(base) if isinstance(action, FreeKept)]
    assert (freed.persists, freed.shared) == ((persist,), ("/somewhere",))


# ---- the end of keeping --------------------------------------------------------------------------


def test_unpersist_frees_it_at_every_executor() -> None:
    world = World(2)
    base = mapped(source(2))
    persist = world.keep(base)
    world.ask(mapped(base))
    world.finish()
    actions = world.unpersist(base)
    assert [action.persists for action in actions if isinstance(action, FreeKept)] == [(persist,)]
    assert not any(world.kept.values())
    job = world.ask(mapped(base))
    assert not world.find(job.stage, 0).has
    assert not world.find(job.stage, 0).keep
    world.finish()
    world.close()


def test_unpersist_in_the_middle_of_a_job_changes_no_answer() -> None:
    world = World(1)
    base = mapped(source(3))
    world.keep(base)
    world.ask(mapped(base))
    world.finish()
    job = world.ask(mapped(base))
    world.unpersist(base)
    world.finish()
    assert world.ended[job.id] is None
    assert not any(world.kept.values())
    world.close()


def test_what_is_kept_after_its_release_is_freed_at_once() -> None:
    world = World(1)
    base = mapped(source(1))
    persist = world.keep(base)
    job = world.ask(mapped(base))
    world.unpersist(base)
    actions = world.done(job.stage, 0)
    assert [action.persists for action in actions if isinstance(action, FreeKept)] == [(persist,)]
    assert not any(world.kept.values())
    world.close()
