"""What the scheduler remembers of stages and tasks that are under way."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.blocks import Block, Slice
from planner.events import BarrierCall, TaskDone, TaskId
from planner.kept import Key
from planner.stages import Stage

WAITING, QUEUED, RUNNING = "waiting", "queued", "running"


@dataclass(eq=False)
class Run:
    """A stage that some job wants now."""

    stage: Stage
    users: dict[int, None] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)  # partitions in flight
    answered: set[int] = field(default_factory=set)  # result stage: partitions delivered
    attempts: dict[int, int] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)
    losses: dict[int, int] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)
    started: bool = False
    finished: int = 0  # tasks, and the seconds they took together
    seconds: float = 0.0
    ready: set[int] = field(default_factory=set)  # barrier: partitions whose inputs are there
    held: dict[int, TaskDone] = field(default_factory=dict)  # barrier: answers until all are in
    calls: dict[int, BarrierCall] = field(default_factory=dict)


@dataclass(eq=False)
class Running:
    """A task at an executor. `run` is None when nobody wants its answer any more."""

    task: TaskId
    executor: str
    job: int
    run: Run | None
    fetches: dict[tuple[int, int], tuple[Slice, ...]]
    claims: tuple[Key, ...]


@dataclass(eq=False)
class Held:
    """A finished task whose kept partitions are still being copied."""

    done: TaskDone
    running: Running
    copies: set[tuple[int, int, str]]
    blocks: tuple[Block, ...]
