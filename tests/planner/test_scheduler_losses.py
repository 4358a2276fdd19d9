"""Something that was there is gone: only it, and what it needs and lacks, runs again."""

from __future__ import annotations

import pytest
from by_hand import World, map_stage, mapped, shuffled, source, two_stages, zipped

from planner.events import (
    ExecutorDown,
    FreeBlocks,
    Lost,
    Recomputed,
    StageStarted,
    TaskEnded,
    TaskFailed,
    TaskStarted,
    Tell,
)
from planner.failures import EngineFailure, ExecutorLost, SliceLost

# ---- slices --------------------------------------------------------------------------------------


def test_a_lost_slice_runs_its_map_task_again_and_then_the_reader() -> None:
    world = World(2)
    plan = two_stages(maps=3, reduces=2)
    job = world.ask(plan)
    maps, result = map_stage(job), job.stage
    for partition in range(3):
        world.done(maps, partition)
    world.slice_lost(result, 0, maps, source=1)
    assert world.running(maps) == [1]
    assert world.running(result) == [1], "the other reader goes on"
    world.done(result, 1)
    world.done(maps, 1)
    assert world.running(result) == [0]
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(maps) == {0: 1, 1: 2, 2: 1}
    assert world.runs(result) == {0: 2, 1: 1}
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [
        ("shuffle", maps.exchange, 1)
    ]
    assert [(n.what, n.partition, n.seconds) for n in world.heard(Recomputed)] == [
        ("shuffle", 1, 1.0)
    ]
    assert world.scheduler.tables()["lost"] == 0, "it is there again"
    why = [(n.task.stage, n.why) for n in world.heard(TaskStarted) if n.task.attempt]
    assert (result.id, "lost") in why
    world.close(plan)


def test_recovery_is_told_as_a_stage_that_starts_again() -> None:
    world = World(1)
    job = world.ask(two_stages(maps=2, reduces=1))
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    world.slice_lost(job.stage, 0, maps, source=0)
    told = [notice for notice in world.heard(StageStarted) if notice.stage == maps.id]
    assert [(notice.partitions, notice.again) for notice in told] == [((0, 1), False), ((0,), True)]


def test_tasks_that_bring_back_what_was_lost_say_so() -> None:
    """In a later job too, where they are first attempts."""
    world = World({"e0": "n0"})
    base = mapped(source(1))
    world.keep(base)
    wide = shuffled(mapped(base), 1)
    world.ask(mapped(wide))
    world.finish()
    world.down("e0", node_lost=True, replaced=True)
    world.up("e1")
    world.ask(mapped(wide))
    world.ask(mapped(base))
    world.finish()
    assert [n.why for n in world.heard(TaskStarted)] == ["first", "first", "lost", "first", "first"]
    world.close(wide)


def test_two_readers_that_miss_the_same_slice_have_it_written_once() -> None:
    world = World(3)
    plan = two_stages(maps=2, reduces=2)
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    world.slice_lost(job.stage, 0, maps, source=0)
    world.slice_lost(job.stage, 1, maps, source=0)
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 1}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_late_complaint_about_an_output_written_anew_changes_nothing() -> None:
    world = World(3)
    plan = two_stages(maps=2, reduces=2)
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    late = world.find(job.stage, 1)  # reads the first output of map 0 for a long time
    world.slice_lost(job.stage, 0, maps, source=0)
    world.done(maps, 0)
    assert world.running(job.stage) == [0, 1]
    world.answer(late)
    assert not world.running(maps), "what map 0 wrote the second time is still there"
    assert world.running(job.stage) == [0, 1]
    world.finish()
    assert world.runs(maps) == {0: 2, 1: 1}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_slice_lost_by_a_job_that_ended_meanwhile_is_still_forgotten() -> None:
    world = World(2)
    wide = shuffled(mapped(source(1)), 1)
    first = world.ask(mapped(wide))
    maps = map_stage(first)
    world.done(maps, 0)
    launch = world.find(first.stage, 0)
    world.cancel(first)
    world.blocks -= set(world.written(launch, maps, 0))
    assert maps.exchange is not None
    failure = SliceLost("gone", maps.exchange, (0,))
    world.tasks.pop(launch.task.number)
    world.feed(TaskFailed(launch.task, launch.executor, failure))
    second = world.ask(mapped(wide))
    assert world.running(maps) == [0], "the next job does not stumble over it"
    world.finish()
    assert world.ended[second.id] is None
    world.close(wide)


def test_only_the_missing_ancestors_run_again() -> None:
    """Three stages; the first one's output is gone too when the second's is asked for again."""
    world = World({"e0": "n0", "e1": "n1"})
    lower = shuffled(mapped(source(2)), 2)
    upper = shuffled(mapped(lower), 2)
    plan = mapped(upper)
    job = world.ask(plan)
    middle = map_stage(job)
    bottom = middle.parents[lower.id]
    for stage in (bottom, middle):
        for partition in (0, 1):
            world.done(stage, partition)
    at_n1 = {
        stage.id: [p for p in (0, 1) if world.home(stage, p) == "e1"] for stage in (bottom, middle)
    }
    world.down("e1", node_lost=True)
    world.finish()
    assert world.ended[job.id] is None
    for stage in (bottom, middle):
        again = [p for p, runs in world.runs(stage).items() if runs == 2]
        assert again == at_n1[stage.id]
        assert len(again) == 1, "less than the whole stage"
    world.close(plan)


def test_a_reader_that_waits_for_two_shuffles_gets_both_back() -> None:
    """It waits for the second one when an output of the first one is lost."""
    world = World({"e0": "n0", "e1": "n1", "e2": "n2"})
    left, right = shuffled(mapped(source(1))), shuffled(mapped(source(2)))
    plan = zipped(left, right)
    job = world.ask(plan)
    fills_left, fills_right = job.stage.parents[left.id], job.stage.parents[right.id]
    world.done(fills_left, 0)
    home = world.home(fills_left, 0)
    world.done(fills_right, next(p for p in (0, 1) if world.home(fills_right, p) != home))
    world.down(home, node_lost=True)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(fills_left) == {0: 2}
    world.close(plan)


# ---- executors and nodes -------------------------------------------------------------------------


def test_a_dead_executor_takes_its_running_task_and_nothing_written() -> None:
    """Two executors share a node: what the dead one wrote can still be read."""
    world = World({"e0": "n", "e1": "n"})
    plan = two_stages(maps=4, reduces=1)
    job = world.ask(plan)
    maps = map_stage(job)
    world.done(maps, 0)
    world.done(maps, 1)
    lost = world.tasks[max(n for n, t in world.tasks.items() if t.executor == "e1")]
    world.down("e1")
    world.finish()
    assert world.ended[job.id] is None
    expected = {p: 2 if p == lost.task.partition else 1 for p in range(4)}
    assert world.runs(maps) == expected
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [
        ("running", maps.id, lost.task.partition)
    ]
    assert [n.what for n in world.heard(Recomputed)] == ["running"]
    ended = [n for n in world.heard(TaskEnded) if n.failure is not None]
    assert [n.failure for n in ended] == [ExecutorLost("killed")]
    world.close(plan)


def test_kept_partitions_die_with_their_executor_but_shuffles_do_not() -> None:
    world = World({"e0": "n", "e1": "n"})
    base = mapped(source(2))
    persist = world.keep(base)
    wide = shuffled(mapped(base), 2)
    first = world.ask(mapped(wide))
    maps = map_stage(first)
    world.finish()
    (lost,) = [p for p in (0, 1) if world.home(maps, p) == "e1"]
    world.down("e1")
    assert [(n.what, n.owner, n.partition) for n in world.heard(Lost)] == [("kept", persist, lost)]
    second = world.ask(mapped(wide))
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(maps) == {0: 1, 1: 1}, "the shuffle is read again, not written again"
    third = world.ask(mapped(base))
    assert world.find(third.stage, 1 - lost).has, "what is kept elsewhere is used"
    world.finish()
    assert [(n.what, n.partition) for n in world.heard(Recomputed)] == [("kept", lost)]
    world.close(wide)


def test_a_lost_node_takes_kept_partitions_and_shuffles() -> None:
    world = World({"e0": "a", "e1": "b"})
    base = mapped(source(2))
    persist = world.keep(base)
    wide = shuffled(mapped(base), 2)
    first = world.ask(mapped(wide))
    maps = map_stage(first)
    world.finish()
    (lost,) = [p for p in (0, 1) if world.home(maps, p) == "e1"]
    world.down("e1", node_lost=True)
    assert {(n.what, n.owner, n.partition) for n in world.heard(Lost)} == {
        ("kept", persist, lost),
        ("shuffle", maps.exchange, lost),
    }
    second = world.ask(mapped(wide))
    assert world.running(maps) == [lost]
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(maps) == {lost: 2, 1 - lost: 1}
    assert {(n.what, n.partition) for n in world.heard(Recomputed)} == {
        ("kept", lost),
        ("shuffle", lost),
    }
    world.close(wide)


def test_a_node_of_two_executors_is_forgotten_at_its_first_sign_of_death() -> None:
    world = World({"a0": "a", "a1": "a", "b0": "b"})
    plan = two_stages(maps=3, reduces=3)
    job = world.ask(plan)
    maps = map_stage(job)
    for partition in range(3):
        world.done(maps, partition)
    world.down("a0", node_lost=True)
    gone = [n.partition for n in world.heard(Lost) if n.what == "shuffle"]
    assert gone == sorted(p for p in range(3) if world.home(maps, p).startswith("a"))
    world.down("a1", node_lost=True)
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(maps) == {p: 2 if p in gone else 1 for p in range(3)}
    world.close(plan)


def test_a_success_that_comes_after_its_executor_died_is_ignored_and_freed() -> None:
    world = World({"e0": "n", "e1": "n"})
    plan = two_stages(maps=2, reduces=1)
    job = world.ask(plan)
    maps = map_stage(job)
    launch = world.find(maps, 1)
    world.down(launch.executor)
    assert world.running(maps) == [0]
    late = world.success(launch)
    actions = world.feed(late)
    assert late.output is not None
    assert [a for a in actions if not isinstance(a, Tell)] == [FreeBlocks(late.output.blocks)]
    assert not [a for a in actions if isinstance(a, Tell)]
    world.finish()
    assert world.runs(maps) == {0: 1, 1: 2}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_failure_that_comes_after_its_executor_died_is_ignored() -> None:
    world = World(2)
    job = world.ask(mapped(source(2)))
    launch = world.find(job.stage, 1)
    world.down(launch.executor)
    assert world.feed(TaskFailed(launch.task, launch.executor, ExecutorLost("dead"))) == []
    world.finish()
    assert world.ended[job.id] is None


def test_the_death_of_an_executor_nobody_knows_changes_nothing() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    assert world.feed(ExecutorDown("e7", "never seen", replaced=False)) == []
    world.finish()
    assert world.ended[job.id] is None


def test_tasks_that_waited_for_a_dead_executor_go_elsewhere() -> None:
    world = World(2)
    job = world.ask(mapped(source(6)))
    world.down("e0")
    world.finish()
    assert world.ended[job.id] is None
    assert sum(world.runs(job.stage).values()) == 7
    world.close()


# ---- the last executor ---------------------------------------------------------------------------


def test_the_last_executor_without_a_replacement_ends_all_jobs() -> None:
    world = World(1)
    wide = shuffled(mapped(source(2)))
    jobs = [world.ask(mapped(wide)), world.ask(mapped(source(1)))]
    world.down("e0", replaced=False)
    assert all(isinstance(world.ended[job.id], EngineFailure) for job in jobs)
    world.close(wide)


def test_the_last_executor_with_a_replacement_is_waited_for() -> None:
    world = World(1)
    plan = two_stages(maps=2, reduces=1)
    job = world.ask(plan)
    world.done(map_stage(job), 0)
    world.down("e0", node_lost=True, replaced=True)
    assert job.id not in world.ended
    assert not world.tasks
    world.up("e1")
    world.finish()
    assert world.ended[job.id] is None
    assert world.runs(map_stage(job)) == {0: 2, 1: 2}
    world.close(plan)


def test_a_replacement_that_never_comes_up_ends_the_jobs_that_wait() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    world.down("e0", replaced=True)
    assert job.id not in world.ended
    world.feed(ExecutorDown("e1", "could not be started", replaced=False))
    failure = world.ended[job.id]
    assert isinstance(failure, EngineFailure)
    assert "could not be started" in failure.message
    world.close()


def test_the_next_job_works_after_all_executors_were_lost_and_replaced() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    world.ask(mapped(wide))
    world.finish()
    world.down("e0", node_lost=True, replaced=True)
    world.down("e1", node_lost=True, replaced=True)
    world.up("e2")
    job = world.ask(mapped(wide))
    world.finish()
    assert world.ended[job.id] is None
    world.close(wide)


# ---- an executor dies at every moment ------------------------------------------------------------


@pytest.mark.parametrize("node_lost", [False, True])
@pytest.mark.parametrize("victim", ["e0", "e1"])
@pytest.mark.parametrize("moment", range(6))
def test_one_death_at_any_moment_loses_no_answer(moment: int, victim: str, node_lost: bool) -> None:
    nodes = {"e0": "n0", "e1": "n1"} if node_lost else {"e0": "n", "e1": "n"}
    world = World(nodes)
    plan = two_stages(maps=3, reduces=3)
    job = world.ask(plan)
    for _ in range(moment):
        world.answer(world.tasks[min(world.tasks)])
    world.down(victim, node_lost=node_lost)
    world.finish()
    assert world.ended == {job.id: None}
    again = sum(world.runs(map_stage(job)).values()) + sum(world.runs(job.stage).values()) - 6
    assert again <= (4 if node_lost else 1), "less than the whole job ran again"
    world.close(plan)
