"""The scheduler's tables, and the small things that every floor above does with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planner.blocks import Block, Outputs
from planner.events import (
    Account,
    Action,
    Discard,
    FreeBlocks,
    Job,
    Lost,
    Notice,
    Recomputed,
    TaskDone,
    TaskEnded,
    TaskFailed,
    TaskId,
    TaskReport,
    Tell,
)
from planner.failures import (
    Failure,
)
from planner.kept import KeptTable, Key
from planner.needs import Needs
from planner.placement import Seats, Slot
from planner.runs import Held, Run, Running
from planner.stages import Stage

Sizes = Mapping[int, tuple[int, ...]]  # exchange -> bytes in each of its channels
Adapt = Callable[[Stage, Sizes], Stage]


def unchanged(stage: Stage, sizes: Sizes) -> Stage:
    """The adaptive seam left alone: stages run as they were planned."""
    return stage


class Measured(Sizes):
    """The sizes of exchanges that are written, added up when somebody looks."""

    def __init__(self, outputs: Mapping[int, Outputs], exchanges: Iterable[int]) -> None:
        self._outputs = outputs
        self._exchanges = tuple(exchanges)

    def __getitem__(self, exchange: int) -> tuple[int, ...]:
        if exchange not in self._exchanges:
            raise KeyError(exchange)
        return self._outputs[exchange].sizes()

    def __iter__(self) -> Iterator[int]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)


@dataclass(frozen=True)
class Limits:
    """`failures`: times a task may fail by the user's code; `losses`: times it may lose its
    executor or input. At the limit its jobs fail."""

    failures: int = 1
    losses: int = 8


@dataclass(frozen=True)
class Asked:
    """The adaptive rule was asked about the stage of `exchange` when `known` were written."""

    exchange: int | None
    known: frozenset[int]


class Tables:
    """All state of the scheduler. Actions gather in `_actions`, questions in `_todo`."""

    def __init__(self, limits: Limits = Limits(), adapt: Adapt = unchanged) -> None:
        self.limits = limits
        self.adapt = adapt
        self.seats = Seats()
        self.kept = KeptTable()
        self.jobs: dict[int, Job] = {}
        self.runs: dict[int, Run] = {}
        self.outputs: dict[int, Outputs] = {}
        self.needs = Needs(self.outputs, self.kept, self.seats)
        self.adapted: dict[int, Stage] = {}  # stages that the adaptive rule changed, by their id
        self.asked: dict[int, Asked] = {}  # what the rule was asked, by the same
        self.counted: dict[int, set[int]] = {}  # exchange -> map partitions whose updates counted
        self.on_node: dict[str, set[tuple[int, int]]] = {}  # node -> (exchange, map partition)
        self.running: dict[int, Running] = {}
        self.held: dict[int, Held] = {}
        self.for_exchange: dict[int, dict[Slot, None]] = {}
        self.for_kept: dict[Key, dict[Slot, None]] = {}
        self.computing: dict[Key, int] = {}
        self.lost: dict[tuple[str, int, int], None] = {}
        self._numbers = 0
        self._todo: deque[Slot] = deque()
        self._actions: list[Action] = []

    def _leave_seat(self, task: TaskId, executor: str) -> Running | None:
        if self.seats.busy.get(executor) == task.number:
            del self.seats.busy[executor]
        return self.running.pop(task.number, None)

    def _job_of(self, task: TaskId) -> int:
        run = self.runs.get(task.stage)
        return next(iter(run.users), -1) if run is not None else -1

    def _lose(self, what: str, owner: int, partition: int, where: str) -> None:
        self.lost[(what, owner, partition)] = None
        self._tell(Lost(what, owner, partition, where))

    def _regain(self, what: str, owner: int, partition: int, report: TaskReport, job: int) -> None:
        if (what, owner, partition) in self.lost:
            del self.lost[(what, owner, partition)]
            self._tell(Recomputed(what, owner, partition, report.seconds, job))

    def _account(self, job: int, report: TaskReport) -> None:
        if report.updates:
            self._actions.append(Account(job, report.updates))

    def _ended(
        self, event: TaskDone | TaskFailed, job: int, failure: Failure | None, counted: bool
    ) -> None:
        self._tell(TaskEnded(event.task, job, event.executor, failure, event.report, counted))

    def _free(self, blocks: tuple[Block, ...]) -> None:
        if blocks:
            self._actions.append(FreeBlocks(blocks))

    def _discard(self, event: TaskDone) -> None:
        """What a task wrote, and nobody wants."""
        if event.output is not None:
            self._free(event.output.blocks)
        if event.result is not None:
            self._actions.append(Discard(event.result))

    def _tell(self, notice: Notice) -> None:
        self._actions.append(Tell(notice))

    def _unclaim(self, running: Running) -> None:
        """The task no longer computes kept partitions; who waited for them asks again."""
        for key in running.claims:
            if self.computing.get(key) == running.task.number:
                del self.computing[key]
                for slot in self.for_kept.pop(key, {}):
                    self._todo.append(slot)

    def tables(self) -> dict[str, Any]:
        """How much every table holds, for leak checks."""
        names = ["jobs", "runs", "outputs", "adapted", "asked", "counted", "on_node", "running"]
        names += ["held", "for_exchange", "for_kept", "computing", "lost"]
        sizes = {name: len(getattr(self, name)) for name in names}
        return {**sizes, "waiting": self.seats.waiting(), **self.kept.describe()}
