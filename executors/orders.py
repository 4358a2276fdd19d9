"""What the driver sends to an executor. Answers are the events of `planner/events.py`."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from planner.blocks import Block, Slice
from planner.events import TaskId
from planner.partitioning import Partitioning
from planner.sources import Part

IMPORTS = "minispark.executor.imports"  # the setting with modules that workers import when idle
CANCEL = struct.Struct("<Q")  # the number of a task to stop, in a local worker's pipe


@dataclass(frozen=True)
class Fault:
    """A failure to be injected by the task itself: `what` at point `at`. `token` names it."""

    token: int
    what: str  # kill, drop_kept, lose_block, fail
    at: str  # before write, after write, in fetch, in cache put
    detail: Any = None


@dataclass(frozen=True, eq=False)
class Order:
    """Run one task. What a stage's tasks have in common (its program) is sent apart, once.

    `kind` says what becomes of the rows: `map` (channels of a block), `rows` (the answer itself),
    `block` (they stay with the executor). By (step, partition): `reads` and `fetches`; by (persist
    id, partition): `has`, the kept partitions that are there, with how to read shared ones.
    `firsts` are the first channels of each block to write.
    """

    task: TaskId
    kind: str
    reads: dict[tuple[int, int], Part]
    fetches: dict[tuple[int, int], tuple[Slice, ...]]
    has: dict[tuple[int, int], Any]
    keep: frozenset[int]
    firsts: tuple[int, ...] = (0,)
    peers: int = 0
    properties: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, Block | None, bool], ...] = ()  # see Runtime.place_files
    faults: tuple[Fault, ...] = ()
    memory_left: int = 1 << 40  # bytes that may still go into the memory-backed folder
    compress: bool = False
    site: str = ""  # where the user asked for the stage


@dataclass(frozen=True, eq=False)
class StageProgram:
    """What the tasks of a stage have in common.

    `profiler`, if any, has a method `profile(f)` that gives what `f()` gives.
    """

    stage: int
    program: tuple[Any, ...]
    output: Partitioning | None
    profiler: Any = None


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker is told once, when it starts."""

    executor: str
    node: str
    memory_bytes: int
    memory_folder: str
    disk_folder: str
    files_folder: str
    sys_path: tuple[str, ...] = ()
    conf: dict[str, str] = field(default_factory=dict)
    own_process: bool = True  # False where user code shares the driver's process


@dataclass(frozen=True)
class Pickled:
    """A value that only its user shall unpickle."""

    data: bytes


@dataclass(frozen=True)
class Inline:
    """A result that is small enough to travel in the answer."""

    frame: bytes


@dataclass(frozen=True)
class InBlock:
    """A result that waits in a block."""

    block: Block
    rows: int
