"""Cancelling a job stops what runs for it alone, and forgets what waits."""

from __future__ import annotations

from by_hand import World, map_stage, mapped, shuffled, source, two_stages

from planner.events import CancelTask, ForgetStage, Launch, TaskEnded, TaskFailed
from planner.failures import Cancelled


def test_running_tasks_are_cancelled_and_waiting_ones_purged() -> None:
    world = World(2)
    job = world.ask(mapped(source(10)))
    actions = world.cancel(job)
    cancelled = [action for action in actions if isinstance(action, CancelTask)]
    assert sorted(action.task.partition for action in cancelled) == [0, 1]
    assert world.ended[job.id] == Cancelled("enough")
    assert world.scheduler.tables()["waiting"] == 0
    assert not any(isinstance(action, Launch) for action in actions)
    assert [a.stage for a in actions if isinstance(a, ForgetStage)] == [job.stage.id]
    world.finish()
    assert world.runs(job.stage) == {0: 1, 1: 1}, "nothing of it starts any more"
    world.close()


def test_a_seat_is_taken_until_the_cancelled_task_answers() -> None:
    world = World(1)
    first = world.ask(mapped(source(1)))
    launch = world.find(first.stage, 0)
    world.cancel(first)
    second = world.ask(mapped(source(1)))
    assert not world.running(second.stage)
    world.answer(launch)
    assert world.running(second.stage) == [0]
    world.finish()
    assert world.ended[second.id] is None
    world.close()


def test_the_end_of_a_cancelled_task_is_told_as_not_counted() -> None:
    world = World(1)
    job = world.ask(mapped(source(1)))
    launch = world.find(job.stage, 0)
    world.cancel(job)
    world.answer(launch)
    assert [(n.task, n.counted) for n in world.heard(TaskEnded)] == [(launch.task, False)]


def test_other_jobs_go_on_as_they_were() -> None:
    world = World(2)
    plan = two_stages(maps=3, reduces=2)
    other = world.ask(plan)
    world.done(map_stage(other), 0)
    before = (world.running(map_stage(other)), world.scheduler.seats.waiting())
    doomed = two_stages(maps=4, reduces=2)
    world.cancel(world.ask(doomed))
    assert (world.running(map_stage(other)), world.scheduler.seats.waiting()) == before
    world.finish()
    assert world.ended[other.id] is None
    assert world.runs(map_stage(other)) == {0: 1, 1: 1, 2: 1}
    world.close(plan, doomed)


def test_a_job_cancelled_while_it_waits_for_its_shuffle_leaves_no_trace() -> None:
    world = World(1)
    plan = two_stages(maps=3, reduces=3)
    job = world.ask(plan)
    world.cancel(job)
    tables = world.scheduler.tables()
    assert tables["for_exchange"] == tables["runs"] == tables["waiting"] == 0
    world.finish()
    world.close(plan)


def test_several_jobs_are_cancelled_at_once_and_unknown_ones_are_ignored() -> None:
    world = World(1)
    jobs = [world.ask(mapped(source(2))) for _ in range(3)]
    world.finish()
    late = world.ask(mapped(source(1)))
    world.cancel(jobs[0], late)
    assert isinstance(world.ended[late.id], Cancelled)
    assert world.ended[jobs[0].id] is None
    world.finish()
    world.close()


def test_kept_partitions_survive_a_cancel() -> None:
    world = World(2)
    base = mapped(source(2))
    world.keep(base)
    first = world.ask(mapped(base))
    world.finish()
    second = world.ask(mapped(base))
    world.cancel(second)
    world.finish()
    third = world.ask(mapped(base))
    for partition in (0, 1):
        assert world.find(third.stage, partition).has
        assert world.home(third.stage, partition) == world.home(first.stage, partition)
    world.finish()
    world.close()


def test_what_a_cancelled_task_kept_before_it_ended_is_used() -> None:
    world = World(1)
    base = mapped(source(1))
    persist = world.keep(base)
    first = world.ask(mapped(base))
    launch = world.find(first.stage, 0)
    world.cancel(first)
    report = world.success(launch).report
    world.results.clear()  # the cancel came before it had its answer together
    world.feed(TaskFailed(launch.task, launch.executor, Cancelled("cancelled"), report))
    second = world.ask(mapped(base))
    assert list(world.find(second.stage, 0).has) == [(persist, 0)]
    world.finish()
    world.close()


def test_a_result_that_comes_after_the_cancel_is_not_delivered() -> None:
    world = World(1)
    job = world.ask(mapped(source(2)))
    launch = world.find(job.stage, 0)
    world.cancel(job)
    world.feed(world.success(launch))
    assert world.delivered.get(job.id, []) == []
    world.close()


def test_cancelling_at_any_moment_leaves_nothing() -> None:
    for moment in range(7):
        world = World(2)
        base = mapped(source(2))
        world.keep(base)
        wide = shuffled(mapped(base))
        job = world.ask(mapped(wide))
        for _ in range(moment):
            if world.tasks:
                world.answer(world.tasks[min(world.tasks)])
        world.cancel(job)
        world.finish()
        world.close(wide)
