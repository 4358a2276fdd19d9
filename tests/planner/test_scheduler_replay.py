"""The same events into a new scheduler give the same actions."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from by_hand import World, mapped, shape, shuffled, source, zipped

from planner.levels import StorageLevel
from planner.scheduler import Limits, Scheduler


def replayed(world: World, limits: Limits) -> list[object]:
    """What a new scheduler makes of all that the old one was told."""
    scheduler = Scheduler(limits)
    return [shape(scheduler.handle(event)) for event in world.events]


def eventful() -> World:
    """Kept data with copies, two jobs on one shuffle, losses of every kind, a cancel."""
    world = World({"a0": "a", "a1": "a", "b0": "b", "c0": "c"}, failures=3)
    base = mapped(source(4))
    persist = world.keep(base, StorageLevel.MEMORY_AND_DISK_2)
    other = mapped(source(4))
    world.keep(other)
    wide = shuffled(zipped(base, other), 3)
    upper = shuffled(mapped(wide), 2)
    jobs = [world.ask(mapped(wide)), world.ask(upper)]
    turn = 0
    while world.tasks or world.copies:
        turn += 1
        if turn == 3 and world.wanted():
            launch = world.wanted()[-1]
            world.fail(launch.stage, launch.task.partition)
        elif turn == 9:
            world.down("b0", node_lost=True, replaced=True)
        elif turn == 11:
            world.up("b1", "b")
        elif turn == 14:
            world.down("a1")
        elif turn == 16:
            world.cancel(jobs[0])
        elif world.copies:
            world.copied(world.copies[0].executor, well=turn % 4 > 0)
        else:
            world.answer(world.tasks[min(world.tasks)])
        assert turn < 500
    home = next(home for home, keys in sorted(world.kept.items()) if (persist, 0) in keys)
    world.evict(home, (persist, 0))
    world.ask(mapped(base))
    world.finish()
    assert len(world.ended) == 3
    world.close(upper)
    return world


def test_a_recorded_history_gives_the_same_actions() -> None:
    world = eventful()
    assert len(world.events) > 30
    assert replayed(world, world.scheduler.limits) == [shape(actions) for actions in world.answers]


def test_it_gives_them_every_time() -> None:
    world = eventful()
    assert replayed(world, world.scheduler.limits) == replayed(world, world.scheduler.limits)


def test_other_limits_give_another_story() -> None:
    """So the comparison above can fail."""
    world = eventful()
    assert replayed(world, Limits(failures=1)) != [shape(actions) for actions in world.answers]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_nothing_depends_on_the_hash_seed(seed: str) -> None:
    """The story of task starts is the same in a process whose sets have another order."""
    here = [(t.task.partition, t.executor, t.task.attempt) for t in eventful().launched]
    code = (
        "import pickle, sys, test_scheduler_replay as t;"
        "story = [(l.task.partition, l.executor, l.task.attempt) for l in t.eventful().launched];"
        "sys.stdout.buffer.write(pickle.dumps(story))"
    )
    folder = Path(__file__).parent
    root = folder.parent.parent
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{root}:{folder}"},
        cwd=folder,
        capture_output=True,
        check=True,
    )
    assert pickle.loads(found.stdout) == here
