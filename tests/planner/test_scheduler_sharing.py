"""One shuffle, several jobs: it runs once, and lives as long as somebody wants it."""

from __future__ import annotations

from by_hand import RAISED, World, map_stage, mapped, shuffled, source, zipped

from planner.events import CancelTask, Deliver, FreeBlocks, Launch, StageStarted, Tell
from planner.failures import Cancelled


def test_a_later_job_reuses_a_finished_shuffle() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    first = world.ask(mapped(wide))
    world.finish()
    second = world.ask(mapped(wide))
    assert map_stage(second) is map_stage(first), "one exchange has one stage"
    assert world.running(second.stage) == [0, 1], "readers start at once"
    world.finish()
    assert world.runs(map_stage(first)) == {0: 1, 1: 1}
    started = [notice.stage for notice in world.heard(StageStarted)]
    assert started.count(map_stage(first).id) == 1
    world.close(wide)


def test_two_jobs_at_once_share_one_run_of_the_shuffle() -> None:
    world = World(2)
    wide = shuffled(mapped(source(3)))
    jobs = [world.ask(mapped(wide)), world.ask(mapped(wide))]
    world.finish()
    assert world.runs(map_stage(jobs[0])) == {0: 1, 1: 1, 2: 1}
    assert all(world.ended[job.id] is None for job in jobs)
    assert all(sorted(world.delivered[job.id]) == [0, 1] for job in jobs)
    world.close(wide)


def test_the_second_job_keeps_the_shuffle_alive_when_the_first_is_cancelled() -> None:
    world = World(1)
    wide = shuffled(mapped(source(3)))
    first, second = world.ask(mapped(wide)), world.ask(mapped(wide))
    maps = map_stage(second)
    world.done(maps, 0)
    actions = world.cancel(first)
    assert not any(isinstance(action, CancelTask) for action in actions)
    assert isinstance(world.ended[first.id], Cancelled)
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(maps) == {0: 1, 1: 1, 2: 1}
    assert not world.runs(first.stage)
    world.close(wide)


def test_the_first_job_keeps_the_shuffle_alive_when_the_second_is_cancelled() -> None:
    world = World(1)
    wide = shuffled(mapped(source(2)))
    first, second = world.ask(mapped(wide)), world.ask(mapped(wide))
    world.cancel(second)
    world.finish()
    assert world.ended[first.id] is None
    assert world.runs(map_stage(first)) == {0: 1, 1: 1}
    world.close(wide)


def test_a_failing_stage_fails_every_job_that_wants_it() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    jobs = [world.ask(mapped(wide)), world.ask(mapped(wide))]
    unrelated = world.ask(mapped(source(1)))
    world.fail(map_stage(jobs[0]), 0)
    assert [world.ended[job.id] for job in jobs] == [RAISED, RAISED]
    assert unrelated.id not in world.ended
    world.finish()
    assert world.ended[unrelated.id] is None
    world.close(wide)


def test_the_failure_of_one_job_leaves_the_other_reader_alone() -> None:
    """Both read the shuffle; only the first one's own stage fails."""
    world = World(2)
    wide = shuffled(mapped(source(2)))
    first, second = world.ask(mapped(wide)), world.ask(mapped(wide))
    world.done(map_stage(first), 0)
    world.done(map_stage(first), 1)
    world.fail(first.stage, 0)
    assert world.ended == {first.id: RAISED}
    world.finish()
    assert world.ended[second.id] is None
    world.close(wide)


def test_a_shuffle_used_twice_in_one_job_runs_once() -> None:
    world = World(2)
    wide = shuffled(mapped(source(2)))
    plan = zipped(mapped(wide), shuffled(mapped(wide)))
    job = world.ask(plan)
    world.finish()
    assert world.runs(job.stage.parents[wide.id]) == {0: 1, 1: 1}
    assert world.ended[job.id] is None
    world.close(plan)


def test_a_late_joiner_is_there_for_what_the_running_stage_lacks() -> None:
    """The second job joins while the shuffle's own input is absent; the first leaves."""
    world = World(1)
    lower = shuffled(mapped(source(2)))
    upper = shuffled(mapped(lower))
    first, second = world.ask(mapped(upper)), world.ask(mapped(upper))
    world.cancel(first)
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(map_stage(second)) == {0: 1, 1: 1}
    world.close(upper)


def test_what_a_cancelled_job_had_shuffled_serves_the_next_one() -> None:
    world = World(1)
    wide = shuffled(mapped(source(2)))
    first = world.ask(mapped(wide))
    world.done(map_stage(first), 0)
    world.cancel(first)
    world.finish()  # the cancelled task ends
    second = world.ask(mapped(wide))
    world.finish()
    assert world.ended[second.id] is None
    assert world.runs(map_stage(first)) == {0: 1, 1: 2}, "0 is not computed again"
    world.close(wide)


def test_a_map_task_that_ends_after_its_job_frees_what_it_wrote() -> None:
    world = World(1)
    wide = shuffled(mapped(source(1)))
    job = world.ask(mapped(wide))
    launch = world.find(map_stage(job), 0)
    world.cancel(job)
    actions = [a for a in world.feed(world.success(launch)) if not isinstance(a, Tell)]
    assert [type(action) for action in actions] == [FreeBlocks]
    world.close(wide)


def test_results_are_not_shared() -> None:
    """The same plan asked twice is two jobs with a result stage each."""
    world = World(4)
    plan = mapped(source(2))
    first, second = world.ask(plan), world.ask(plan)
    assert first.stage.id != second.stage.id
    actions = world.done(first.stage, 0)
    assert [a.job for a in actions if isinstance(a, Deliver)] == [first.id]
    assert not any(isinstance(action, Launch) for action in actions)
    world.finish()
    world.close(plan)
