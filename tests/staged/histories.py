"""What a session did, in order, and what an executor's death makes necessary.

`History` listens; `must_run_again` works out from what had happened before the death, and from
nothing after it, which tasks have to run again. A test compares that with what did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from executors.faultbook import Injection
from minispark.context import SparkContext
from minispark.session import Session
from planner import events as ev
from planner.failures import SliceLost
from planner.partitioning import ChannelColumn
from planner.program import Fetch, Keep, unfold
from planner.stages import Stage, ancestors

At = tuple[int, int]  # (stage, partition)
Key = tuple[int, int]  # (persist id, partition)
Ask = Callable[[], Any]  # asks a query and gives its answer


@dataclass
class World:
    """What is where; executors by name. `kept` are the homes of kept partitions."""

    stages: dict[int, Stage] = field(default_factory=dict)
    written: dict[int, dict[int, str]] = field(default_factory=dict)  # exchange -> partition -> by
    answered: set[At] = field(default_factory=set)
    running: dict[At, ev.Launch] = field(default_factory=dict)
    kept: dict[Key, set[str]] = field(default_factory=dict)
    started: set[At] = field(default_factory=set)
    job: ev.Job | None = None

    def stage_of(self, exchange: int) -> Stage:
        return next(stage for stage in self.stages.values() if stage.exchange == exchange)


@dataclass(frozen=True)
class Again:
    """Tasks that run a second time, and kept partitions that are computed a second time."""

    tasks: set[At]
    kept: set[Key]


class History:
    """Everything a session does from here on: its launches and notices, in order.

    On inline what an executor wrote is lost with it; elsewhere it is not. `cached` are the ids of
    what the test has cached.
    """

    def __init__(self, session: Session, blocks_die: bool) -> None:
        self._session = session
        self._blocks_die = blocks_die
        self.log: list[Any] = []
        self.mark = 0
        self.cached: Collection[int] = ()
        self._homes: dict[Key, set[str]] = {}
        self._watch = Injection("watch", "before write", 1, self._see)
        session.faults.add(self._watch)
        session.add_listener(self)

    def _see(self, launch: ev.Launch) -> bool:
        self.log.append(launch)
        return False

    def on_event(self, notice: ev.Notice) -> None:
        self.log.append(notice)

    def end(self) -> None:
        self._session.remove_listener(self)
        self._session.faults.remove(self._watch)

    def begin(self) -> None:
        """What is asked about is what happens from here on."""
        self._session._loop.settle()
        self.mark = len(self.log)
        homes = self._session._loop.scheduler.kept.homes
        self._homes = {key: set(copies) for key, copies in homes.items()}

    def of(self, kind: type) -> list[Any]:
        """Notices since `begin`."""
        return [each for each in self.log[self.mark :] if isinstance(each, kind)]

    # ---- what ran --------------------------------------------------------------------------------

    def tasks(self) -> list[tuple[int, int]]:
        """(rank of its stage, partition) of every task that was launched since `begin`."""
        return list(dict.fromkeys((rank(each), each.task.partition) for each in self.launches()))

    def cases(self) -> list[tuple[int, int, str]]:
        """(rank of its stage, partition, point) of every task launched since `begin`."""
        return [
            (rank(launch), launch.task.partition, point)
            for launch in self.launches()
            for point in points(launch)
        ]

    def launches(self) -> list[ev.Launch]:
        return self.of(ev.Launch)

    def ran_again(self) -> Again:
        """What started since `begin` and had started before; kept partitions that are back."""
        before = {_at(each.task) for each in self.log[: self.mark] if _starts(each)}
        again = set()
        for start in self.of(ev.TaskStarted):
            if _at(start.task) in before:
                again.add(_at(start.task))
            before.add(_at(start.task))
        back = [each for each in self.of(ev.Recomputed) if each.what == "kept"]
        return Again(again, {(each.owner, each.partition) for each in back})

    # ---- what has to run -------------------------------------------------------------------------

    def must_run_again(self, has_read: tuple[int, int] | None = None) -> Again:
        """What the first death since `begin` makes necessary. The task `has_read`, (rank of its
        stage, partition), is not the dead one's and has all it needs."""
        end = next(
            at
            for at, each in enumerate(self.log)
            if at >= self.mark and isinstance(each, ev.ExecutorRemoved)
        )
        world = self._world(end)
        victim = self.log[end].executor
        before = set(world.kept)
        lost = self._bury(world, victim, has_read)
        tasks, claimed = _closure(world)
        return Again({at for at in tasks if at in world.started}, claimed & (before & lost))

    def must_follow_a_loss(self) -> set[At]:
        """Tasks that wrote what got lost since `begin`, and those that did not find it."""
        by_exchange = {
            each.stage.exchange: each.stage.id for each in self.log if isinstance(each, ev.Launch)
        }
        wrote = {
            (by_exchange[each.owner], each.partition)
            for each in self.of(ev.Lost)
            if each.what == "shuffle"
        }
        missed = {
            _at(each.task) for each in self.of(ev.TaskEnded) if isinstance(each.failure, SliceLost)
        }
        return wrote | missed

    def _world(self, end: int) -> World:
        """As it was before the notice at `end`."""
        world = World()
        launched: dict[int, ev.Launch] = {}
        for at, each in enumerate(self.log[:end]):
            if at == self.mark:
                world.kept = {key: set(homes) for key, homes in self._homes.items()}
            if isinstance(each, ev.Launch):
                launched[each.task.number] = each
                world.job = each.job
                for stage in ancestors(each.job.stage):
                    world.stages.setdefault(stage.id, stage)
                world.stages[each.stage.id] = each.stage
                world.running[_at(each.task)] = each
                world.started.add(_at(each.task))
            elif isinstance(each, ev.ExecutorRemoved):
                self._bury(world, each.executor)
            elif isinstance(each, ev.TaskEnded):
                self._ended(world, each, launched[each.task.number])
            elif isinstance(each, ev.JobEnded):
                world.running.clear()
        return world

    def _ended(self, world: World, end: ev.TaskEnded, launch: ev.Launch) -> None:
        world.running.pop(_at(end.task), None)
        for kept in end.report.kept:
            world.kept.setdefault((kept.persist, kept.partition), set()).add(kept.home)
        for key in end.report.dropped:
            world.kept.pop(key, None)
        if end.failure is not None:
            return
        stage = launch.stage
        if stage.exchange is None:
            world.answered.add(_at(end.task))
            return
        there = world.written.setdefault(stage.exchange, {})
        there[end.task.partition] = end.executor
        if isinstance(stage.output, ChannelColumn) and len(there) == stage.width:
            self._let_go(world, stage)

    def _let_go(self, world: World, stage: Stage) -> None:
        """A sort by range keeps its rows until they are sent, and no longer."""
        own = {step.persist for step in stage.program if isinstance(step, Keep)}
        for key in [key for key in world.kept if key[0] in own.difference(self.cached)]:
            del world.kept[key]

    def _bury(
        self, world: World, executor: str, has_read: tuple[int, int] | None = None
    ) -> set[Key]:
        """The executor and what it had are gone; kept partitions of which no copy is left."""
        lost = set()
        for key, homes in list(world.kept.items()):
            homes.discard(executor)
            if not homes:
                del world.kept[key]
                lost.add(key)
        for at, launch in list(world.running.items()):
            unread = (rank(launch), at[1]) != has_read and any(
                slice_.block.node == executor
                for slices in launch.fetches.values()
                for slice_ in slices
            )
            if launch.executor == executor or (self._blocks_die and unread):
                del world.running[at]
        if self._blocks_die:
            for there in world.written.values():
                for partition in [p for p, by in there.items() if by == executor]:
                    del there[partition]
        return lost


def rank(launch: ev.Launch) -> int:
    """Which stage of its job it is of, the first planned first."""
    return sorted(stage.id for stage in ancestors(launch.job.stage)).index(launch.task.stage)


def points(launch: ev.Launch) -> list[str]:
    """The points that a task passes that keeps nothing."""
    fetches = any(launch.fetches.values())
    return [*(["in fetch"] if fetches else []), "before write", "after write"]


def task(stage: int, partition: int) -> Callable[[ev.Launch], bool]:
    """Matches the first attempt at a task, by the rank of its stage."""
    return lambda launch: (
        (rank(launch), launch.task.partition, launch.task.attempt) == (stage, partition, 0)
    )


def _starts(each: Any) -> bool:
    return isinstance(each, ev.TaskStarted)


def _at(task: ev.TaskId) -> At:
    return task.stage, task.partition


def _closure(world: World) -> tuple[set[At], set[Key]]:
    """The tasks that have to run from here, and the kept partitions that they compute."""
    job = world.job
    assert job is not None
    todo = [(job.stage.id, p) for p in job.partitions]
    run: set[At] = set()
    computed: set[Key] = set()
    while todo:
        at = todo.pop()
        if at in run or at in world.running or at in world.answered:
            continue
        run.add(at)
        stage = world.stages[at[0]]
        for instance in unfold(stage.program, at[1], lambda d, p: (d, p) in world.kept):
            step = stage.program[instance.step]
            if isinstance(step, Keep) and instance.inputs:
                computed.add((step.persist, instance.partition))
            if not isinstance(step, Fetch):
                continue
            source = world.stage_of(step.exchange)
            there = world.written.get(step.exchange, {})
            todo.extend((source.id, p) for p in range(source.width) if p not in there)
    return run, computed


# ---- all of them ---------------------------------------------------------------------------------


def kill_each(
    history: History,
    context: SparkContext,
    ask: Ask,
    another: bool = False,
    before: Ask = lambda: None,
) -> int:
    """Ask again and again while one task after the other dies; how many histories there were.

    With `another` it is not the task's own worker that dies, but one beside it. `before` is called
    before each time.
    """
    expected = ask()
    history.begin()
    assert ask() == expected
    whole = set(history.tasks())
    cases = history.cases()
    for stage, partition, point in cases:
        before()
        case = f"{point} of partition {partition} of stage {stage}"
        chosen = task(stage, partition)
        injection = Injection("kill", point, 1, chosen)
        if another:

            def elsewhere(
                launch: ev.Launch,
                chosen: Callable[[ev.Launch], bool] = chosen,
                injection: Injection = injection,
            ) -> bool:
                others = sorted(set(context.executors()) - {launch.executor})
                injection.detail = others[launch.task.partition % 2]
                return chosen(launch)

            injection.match = elsewhere
        history.begin()
        context._session.faults.add(injection)
        assert ask() == expected, case
        context._session.faults.remove(injection)
        assert injection.left == 0, f"{case}: the token was not spent"
        assert len(history.of(ev.ExecutorRemoved)) == 1, case
        again = history.ran_again()
        has_read = (stage, partition) if another and point != "in fetch" else None
        assert again == history.must_run_again(has_read), case
        assert len(again.tasks) < len(set(history.tasks()) | whole) or len(whole) == 1, case
    history.begin()
    assert ask() == expected
    assert not history.of(ev.ExecutorRemoved)
    return len(cases)


def lose_each(history: History, context: SparkContext, ask: Ask) -> int:
    """Ask again and again while each task in turn loses the block it has written, or does not find
    the first one that it reads; how many histories there were."""
    expected = ask()
    history.begin()
    assert ask() == expected
    whole = set(history.tasks())
    writers = {rank(launch) for launch in history.launches() if launch.stage.exchange is not None}
    cases = [
        (stage, partition, point)
        for stage, partition, point in history.cases()
        if point == "in fetch" or (point == "after write" and stage in writers)
    ]
    for stage, partition, point in cases:
        case = f"{point} of partition {partition} of stage {stage}"
        injection = Injection("lose_block", point, 1, task(stage, partition))
        history.begin()
        context._session.faults.add(injection)
        assert ask() == expected, case
        context._session.faults.remove(injection)
        assert injection.left == 0, f"{case}: the token was not spent"
        assert not history.of(ev.ExecutorRemoved)
        lost = history.of(ev.Lost)
        if not lost:  # what it wrote had no rows that anybody reads
            assert point == "after write" and not history.ran_again().tasks, case
            continue
        assert len(lost) == 1, case
        again = history.ran_again().tasks
        assert again == history.must_follow_a_loss(), case
        assert len(again) < len(whole), case
    return len(cases)
