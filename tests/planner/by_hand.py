"""A scheduler driven by hand: plans that must not run, and a pretend world that keeps the score.

`World` does what actions ask for, as far as the scheduler can tell: it remembers which executor is
busy, which blocks and kept partitions exist, and which the scheduler was told are gone. It refuses
any action that a real back end could not carry out, so every test is also a test of that.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn, TypeVar

from planner.blocks import Block, MapOutput
from planner.events import (
    Account,
    Action,
    Adapted,
    BarrierCall,
    CancelAsked,
    CancelTask,
    Copy,
    CopyDone,
    Deliver,
    Discard,
    EndJob,
    Event,
    ExecutorDown,
    ExecutorsAwaited,
    ExecutorUp,
    ForgetStage,
    FreeBlocks,
    FreeKept,
    Job,
    JobAsked,
    KeepAsked,
    KeptPartition,
    Launch,
    Notice,
    Released,
    Reply,
    TaskDone,
    TaskFailed,
    TaskReport,
    Tell,
)
from planner.failures import Cancelled, Failure, KeptLost, SliceLost, UserFailure
from planner.goals import Goals
from planner.levels import StorageLevel
from planner.ops import Later, Map, MapPartitions, Relational, ZipRows
from planner.partitioning import Broadcast, Hash, HashColumns
from planner.plan import Exchange, Narrow, Node, Source, Zip, walk
from planner.program import Fetch, Keep, Program, Read, unfold
from planner.scheduler import Limits, Scheduler, unchanged
from planner.sources import RangePart
from planner.stages import Splitter, Stage

Key = tuple[int, int]
N = TypeVar("N", bound=Notice)

RAISED = UserFailure("ValueError: no")


# ---- plans ---------------------------------------------------------------------------------------


def must_not_run(*_: object) -> NoReturn:
    """Stands for every function of a user: planning and scheduling never call it."""
    raise AssertionError("a user's function ran while a plan was made or scheduled")


def source(width: int) -> Source:
    return Source(tuple(RangePart(at, at + 1, 1) for at in range(width)))


def mapped(child: Node) -> Narrow:
    return Narrow(child, Map(must_not_run))


def shuffled(child: Node, channels: int = 2) -> Exchange:
    return Exchange(child, Hash(channels))


def everywhere(child: Node) -> Exchange:
    return Exchange(child, Broadcast())


def zipped(*sides: Node) -> Zip:
    return Zip(sides, ZipRows())


def by_columns(child: Node, channels: int = 2) -> Exchange:
    return Exchange(child, HashColumns(channels, (0,)))


def joined(small: Node, large: Node, channels: int = 2, limit: int = 60) -> Zip:
    """A join of tables, whose second side waits until the first is measured: if that has no more
    than `limit` bytes, it need not move. Tasks write 10 bytes to a channel."""
    goals = Goals(tasks=2, least=1)
    op = Relational(must_not_run, "join", splits=(0, 1), later=(Later(1, limit),), goals=goals)
    return Zip((by_columns(small, channels), by_columns(large, channels)), op)


def at_barrier(child: Node) -> Narrow:
    return Narrow(child, MapPartitions(must_not_run, "mapPartitions", barrier=True))


def two_stages(maps: int = 2, reduces: int = 2) -> Node:
    return mapped(shuffled(mapped(source(maps)), reduces))


def map_stage(job: Job) -> Stage:
    """The one stage that the job's result stage reads."""
    (stage,) = job.stage.parents.values()
    return stage


# ---- the world -----------------------------------------------------------------------------------


class World:
    """A scheduler with `executors` up: a number, each on a node of its own, or names with nodes."""

    def __init__(
        self,
        executors: int | Mapping[str, str] = 2,
        failures: int = 1,
        losses: int = 8,
        adapt: Callable[..., Stage] = unchanged,
    ) -> None:
        self.scheduler = Scheduler(Limits(failures, losses), adapt)
        self.splitter = Splitter()
        self.events: list[Event] = []
        self.answers: list[list[Action]] = []  # what each event led to
        self.nodes: dict[str, str] = {}  # executors that are up
        self.tasks: dict[int, Launch] = {}  # at executors now
        self.cancelled: set[int] = set()
        self.meeting: set[int] = set()  # tasks that wait at a barrier
        self.launched: list[Launch] = []
        self.jobs: dict[int, Job] = {}
        self.ended: dict[int, Failure | None] = {}
        self.delivered: dict[int, list[int]] = {}
        self.accounts: list[dict[int, Any]] = []
        self.notices: list[Notice] = []
        self.forgotten: list[int] = []
        self.results: set[str] = set()  # handles of rows that somebody has to take or discard
        self.replies: list[Reply] = []
        self.copies: list[Copy] = []
        self.blocks: set[Block] = set()  # that exist
        self.freed: set[Block] = set()  # by the scheduler
        self.gone: set[Block] = set()  # freed, or lost with a node as the scheduler was told
        self.kept: dict[str, set[Key]] = {}  # home -> what is really there
        self.vanished: set[tuple[str, Key]] = set()  # kept partitions lost without a word
        self._jobs = 0
        self._persists = 0
        homes = executors if isinstance(executors, Mapping) else {}
        if isinstance(executors, int):
            homes = {f"e{at}": f"n{at}" for at in range(executors)}
        if homes:
            self.feed(ExecutorsAwaited(len(homes)))
        for executor, node in homes.items():
            self.up(executor, node)

    # ---- events ----------------------------------------------------------------------------------

    def feed(self, event: Event) -> list[Action]:
        """Tell the scheduler, do what it wants, check that it could be done."""
        self.events.append(event)
        actions = self.scheduler.handle(event)
        self.answers.append(actions)
        for action in actions:
            self._obey(action)
        self._check_barriers([each for each in actions if isinstance(each, Launch)])
        return actions

    def up(self, executor: str, node: str | None = None) -> list[Action]:
        self.nodes[executor] = node or f"n-{executor}"
        return self.feed(ExecutorUp(executor, self.nodes[executor]))

    def down(self, executor: str, node_lost: bool = False, replaced: bool = False) -> list[Action]:
        node = self.nodes.pop(executor)
        for number in [n for n, task in self.tasks.items() if task.executor == executor]:
            self._leave(number)
        self._lose_home(executor)
        if node_lost:
            self._lose_home(node)
            there = {block for block in self.blocks if block.node == node}
            self.blocks -= there
            self.gone |= there
        self.copies = [copy for copy in self.copies if copy.executor != executor]
        return self.feed(ExecutorDown(executor, "killed", node_lost, replaced))

    def _lose_home(self, home: str) -> None:
        self.kept.pop(home, None)
        self.vanished = {lost for lost in self.vanished if lost[0] != home}

    def ask(self, plan: Node, partitions: Iterable[int] | None = None) -> Job:
        """Begin a job."""
        stage = self.splitter.result_stage(plan)
        wanted = tuple(range(stage.width) if partitions is None else partitions)
        job = Job(self._jobs, stage, wanted)
        self._jobs += 1
        self.jobs[job.id] = job
        self.feed(JobAsked(job))
        return job

    def cancel(self, *jobs: Job) -> list[Action]:
        return self.feed(CancelAsked(tuple(job.id for job in jobs), Cancelled("enough")))

    def keep(self, node: Node, level: StorageLevel = StorageLevel.MEMORY_ONLY) -> int:
        """Keep a dataset from now on; its persist id."""
        self._persists += 1
        persist = 1_000_000 + self._persists
        self.splitter.kept[node.id] = (persist, level)
        self.feed(KeepAsked(persist))
        return persist

    def unpersist(self, node: Node) -> list[Action]:
        persist, _ = self.splitter.kept.pop(node.id)
        return self.feed(Released(persists=(persist,)))

    def release(self, *exchanges: Node) -> list[Action]:
        """These exchanges are garbage: their stages go, and what was written for them."""
        for node in exchanges:
            self.splitter.stages.pop(node.id, None)
        return self.feed(Released(exchanges=tuple(node.id for node in exchanges)))

    # ---- answers of tasks ------------------------------------------------------------------------

    def done(self, stage: Stage, partition: int, **report: Any) -> list[Action]:
        """The running task of this partition ends well."""
        return self.feed(self.success(self.find(stage, partition), **report))

    def fail(self, stage: Stage, partition: int, failure: Failure = RAISED) -> list[Action]:
        """The running task of this partition ends with `failure`."""
        launch = self.find(stage, partition)
        self._leave(launch.task.number)
        return self.feed(TaskFailed(launch.task, launch.executor, failure))

    def success(
        self,
        launch: Launch,
        dropped: tuple[Key, ...] = (),
        kept: tuple[KeptPartition, ...] | None = None,
        **report: Any,
    ) -> TaskDone:
        """What a task that has all it needs answers; its blocks and kept partitions exist now."""
        self._leave(launch.task.number)
        if kept is None:
            kept = tuple(self._keep(launch, key) for key in self.computed(launch))
        for key in dropped:
            self.kept.get(launch.executor, set()).discard(key)
        report = {"seconds": 1.0, "kept": kept, "dropped": dropped, **report}
        return TaskDone(
            launch.task,
            launch.executor,
            self._write(launch),
            self._rows(launch),
            TaskReport(**report),
        )

    def answer(self, launch: Launch) -> list[Action]:
        """The honest end of a task: well, or with what it did not find."""
        failure = self.missing(launch)
        if failure is None:
            return self.feed(self.success(launch))
        self._leave(launch.task.number)
        return self.feed(TaskFailed(launch.task, launch.executor, failure))

    def missing(self, launch: Launch) -> Failure | None:
        if launch.task.number in self.cancelled:
            return Cancelled("cancelled")
        for slices in launch.fetches.values():
            for piece in slices:
                if piece.block not in self.blocks:
                    return SliceLost("gone", piece.exchange, (piece.source,))
        for key in launch.has:
            if not self.has(launch.executor, key):
                return KeptLost("gone", *key)
        return None

    def slice_lost(self, reader: Stage, partition: int, filler: Stage, source: int) -> list[Action]:
        """The reader did not find what `source` wrote, and it is not there any more."""
        launch = self.find(reader, partition)
        self.blocks -= set(self.written(launch, filler, source))
        assert filler.exchange is not None
        return self.fail(reader, partition, SliceLost("gone", filler.exchange, (source,)))

    def written(self, reader: Launch, filler: Stage, source: int) -> list[Block]:
        """The blocks of map partition `source` that the task was told to read."""
        return [
            piece.block
            for slices in reader.fetches.values()
            for piece in slices
            if (piece.exchange, piece.source) == (filler.exchange, source)
        ]

    def copied(self, executor: str, well: bool = True) -> list[Action]:
        """A further copy at `executor` was made, or could not be."""
        copy = next(copy for copy in self.copies if copy.executor == executor)
        self.copies.remove(copy)
        key = (copy.persist, copy.partition)
        kept = None
        if well and copy.block in self.blocks:
            self.kept.setdefault(executor, set()).add(key)
            kept = KeptPartition(*key, executor, "pickled", 10)
        return self.feed(CopyDone(*key, executor, kept))

    def call(self, stage: Stage, partition: int, message: str = "") -> list[Action]:
        """A barrier task waits for the others."""
        task = self.find(stage, partition).task
        self.meeting.add(task.number)
        return self.feed(BarrierCall(task, message))

    def finish(self, limit: int = 10_000) -> None:
        """Answer, honestly, whatever runs, until nothing does."""
        for _ in range(limit):
            ready = [n for n in self.tasks if n not in self.meeting or n in self.cancelled]
            if ready:
                self.answer(self.tasks[min(ready)])
            elif self.copies:
                self.copied(self.copies[0].executor)
            else:
                return
        raise AssertionError("the jobs do not come to an end")

    # ---- looking ---------------------------------------------------------------------------------

    def find(self, stage: Stage, partition: int) -> Launch:
        """The task of this partition that runs now and is wanted."""
        (launch,) = [
            task
            for task in self.wanted()
            if (task.task.stage, task.task.partition) == (stage.id, partition)
        ]
        return launch

    def wanted(self) -> list[Launch]:
        return [task for number, task in self.tasks.items() if number not in self.cancelled]

    def running(self, stage: Stage) -> list[int]:
        """The partitions of the stage that run now and are wanted."""
        return sorted(task.task.partition for task in self.wanted() if task.task.stage == stage.id)

    def runs(self, stage: Stage) -> dict[int, int]:
        """How many attempts of each partition were started so far."""
        return dict(
            Counter(each.task.partition for each in self.launched if each.task.stage == stage.id)
        )

    def home(self, stage: Stage, partition: int) -> str:
        """Where the last attempt of this partition was started."""
        return [
            launch.executor
            for launch in self.launched
            if (launch.task.stage, launch.task.partition) == (stage.id, partition)
        ][-1]

    def heard(self, kind: type[N]) -> list[N]:
        """The notices of one kind so far."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def has(self, executor: str, key: Key) -> bool:
        homes = (executor, self.nodes.get(executor, ""))
        return any(key in self.kept.get(home, ()) for home in homes)

    def evict(self, home: str, key: Key) -> None:
        """A kept partition goes and nobody is told."""
        self.kept[home].remove(key)
        self.vanished.add((home, key))

    def computed(self, launch: Launch) -> list[Key]:
        """The kept partitions that the task computes and shall keep."""
        found: dict[Key, None] = {}
        program = launch.stage.program
        for each in unfold(program, launch.task.partition, lambda d, p: (d, p) in launch.has):
            step = program[each.step]
            if isinstance(step, Keep) and each.inputs and step.persist in launch.keep:
                found[(step.persist, each.partition)] = None
        return list(found)

    def close(self, *plans: Node) -> None:
        """Everything ends: nothing may be left in any table, nor any block anywhere."""
        assert set(self.ended) == set(self.jobs), "a job did not end"
        exchanges = {n.id for plan in plans for n in walk(plan) if isinstance(n, Exchange)}
        persists = [persist for persist, _ in self.splitter.kept.values()]
        self.feed(Released(tuple(sorted(exchanges)), tuple(persists)))
        left = {name: size for name, size in self.scheduler.tables().items() if size}
        assert not left, left
        assert not self.blocks, self.blocks
        assert not self.results, self.results
        assert not any(self.kept.values()), self.kept

    # ---- doing what actions say ------------------------------------------------------------------

    def _obey(self, action: Action) -> None:
        match action:
            case Launch():
                self._start(action)
            case CancelTask(task, executor):
                assert self.tasks[task.number].executor == executor
                self.cancelled.add(task.number)
            case Discard(result):
                self.results.remove(result)
            case Deliver(job, partition, _, result):
                self.results.remove(result)
                assert job not in self.ended, "an answer after the end of its job"
                assert partition not in self.delivered.setdefault(job, []), "an answer twice"
                self.delivered[job].append(partition)
            case Account(_, updates):
                self.accounts.append(updates)
            case Adapted(job, stage):
                assert job not in self.ended
                assert self.scheduler.adapted[stage.id] is stage
            case EndJob(job, failure):
                assert job not in self.ended, "a job ended twice"
                if failure is None:
                    assert set(self.delivered.get(job, [])) == set(self.jobs[job].partitions)
                self.ended[job] = failure
            case Reply(task):
                assert task.number in self.meeting and task.number not in self.cancelled
                self.meeting.remove(task.number)
                self.replies.append(action)
            case Copy(_, _, executor, block):
                assert executor in self.nodes and block in self.blocks
                self.copies.append(action)
            case FreeBlocks(blocks):
                for block in blocks:
                    self._free(block)
            case FreeKept(persists):
                for home in self.kept:
                    self.kept[home] = {k for k in self.kept[home] if k[0] not in persists}
                self.vanished = {lost for lost in self.vanished if lost[1][0] not in persists}
            case ForgetStage(stage):
                self.forgotten.append(stage)
            case Tell(notice):
                self.notices.append(notice)
            case _:
                raise AssertionError(action)

    def _start(self, launch: Launch) -> None:
        task, stage = launch.task, launch.stage
        assert launch.executor in self.nodes, f"{task} sent to a dead executor"
        busy = [other.executor for other in self.tasks.values()]
        assert launch.executor not in busy, f"{task} sent to a busy executor"
        slots = [(other.task.stage, other.task.partition) for other in self.wanted()]
        assert (task.stage, task.partition) not in slots, f"{task} runs twice"
        assert not self.launched or task.number > self.launched[-1].task.number
        assert launch.job.id not in self.ended and task.stage == stage.id
        self._check_inputs(launch)
        self.tasks[task.number] = launch
        self.launched.append(launch)

    def _check_inputs(self, launch: Launch) -> None:
        """The task is given what its program asks for, all of it, and nothing that is gone."""
        program = launch.stage.program
        reads, fetches = {}, set()
        for each in unfold(program, launch.task.partition, lambda d, p: (d, p) in launch.has):
            step, at = program[each.step], (each.step, each.partition)
            if isinstance(step, Read):
                reads[at] = launch.stage.sources[each.step][each.partition]
            elif isinstance(step, Fetch):
                fetches.add(at)
                filler = launch.stage.parents[step.exchange]
                filler = self.scheduler.adapted.get(filler.id, filler)
                maps = range(filler.width)
                expected = [(c, s) for c in step.channels(each.partition) for s in maps]
                given = [(piece.channel, piece.source) for piece in launch.fetches[at]]
                assert given == expected, "not all slices in map order"
        assert launch.reads == reads
        assert set(launch.fetches) == fetches
        for slices in launch.fetches.values():
            for piece in slices:
                assert piece.block not in self.gone, f"{launch.task} shall read what is gone"
        for key in launch.has:
            homes = (launch.executor, self.nodes[launch.executor])
            lost = any((home, key) in self.vanished for home in homes)
            assert lost or self.has(launch.executor, key), f"{key} is not kept there"

    def _check_barriers(self, launches: list[Launch]) -> None:
        """Tasks of a barrier stage start in one go, all of them."""
        for stage in {launch.stage for launch in launches if launch.stage.barrier}:
            started = sorted(each.task.partition for each in launches if each.stage is stage)
            job = next(each.job for each in launches if each.stage is stage)
            whole = range(stage.width) if stage.exchange is not None else sorted(job.partitions)
            assert started == list(whole), f"only {started} of {stage} started"

    def _leave(self, number: int) -> None:
        self.tasks.pop(number, None)
        self.cancelled.discard(number)
        self.meeting.discard(number)

    def _free(self, block: Block) -> None:
        assert block not in self.freed, f"{block} freed twice"
        self.freed.add(block)
        self.gone.add(block)
        self.blocks.discard(block)

    def _rows(self, launch: Launch) -> str | None:
        if launch.stage.output is not None:
            return None
        result = f"rows of task {launch.task.number}"
        self.results.add(result)
        return result

    def _write(self, launch: Launch) -> MapOutput | None:
        output = launch.stage.output
        if output is None:
            return None
        task = launch.task
        size = 10 * output.channels
        block = Block(f"{task.stage}.{task.partition}.{task.number}", self._node(launch), size)
        self.blocks.add(block)
        return MapOutput((block,), (0,), array("q", range(0, size + 1, 10)))

    def _keep(self, launch: Launch, key: Key) -> KeptPartition:
        level = next(lv for persist, lv in levels(launch.stage.program) if persist == key[0])
        if launch.executor in self.nodes:
            self.kept.setdefault(launch.executor, set()).add(key)
            self.vanished.discard((launch.executor, key))
        replica = None
        if level.replication > 1:
            name = f"replica {key} {launch.task.number}"
            replica = Block(name, self._node(launch), 10)
            self.blocks.add(replica)
        return KeptPartition(*key, launch.executor, "live", 10, None, level.replication, replica)

    def _node(self, launch: Launch) -> str:
        return self.nodes.get(launch.executor, "a node that is gone")


def levels(program: Program) -> list[tuple[int, StorageLevel]]:
    """The kept datasets of a program."""
    return [(step.persist, step.level) for step in program if isinstance(step, Keep)]


# ---- comparing -----------------------------------------------------------------------------------


def shape(value: Any) -> Any:
    """A value that is equal for equal actions, though some of their parts compare by identity."""
    if isinstance(value, Stage | Job):
        return (type(value).__name__, value.id)
    if isinstance(value, type) or callable(value):
        return value
    if is_dataclass(value):
        return (
            type(value).__name__,
            *((field.name, shape(getattr(value, field.name))) for field in fields(value)),
        )
    if isinstance(value, Mapping):
        return [(key, shape(part)) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [shape(part) for part in value]
    return value
