"""What a back end offers to the run loop."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from executors.orders import Order
from planner.blocks import Block
from planner.events import Event, TaskId
from planner.levels import StorageLevel


@dataclass(frozen=True)
class EngineConf:
    """What every back end is told. Sizes are in bytes."""

    app_name: str
    executor_memory: int
    sys_path: tuple[str, ...]
    conf: dict[str, str]
    local_dir: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables to set for executors: the settings `spark.executorEnv.<name>`."""
        head = "spark.executorEnv."
        return {k.removeprefix(head): v for k, v in self.conf.items() if k.startswith(head)}


@runtime_checkable
class InCallersThread(Protocol):
    """What executors offer whose tasks run inside `poll`."""

    def interrupt(self, tasks: Collection[int]) -> None:
        """Stop the running task if it is one of these numbers. From another thread."""
        ...


class Executors(Protocol):
    """A set of executors. Called from one thread, but for `wake`, `fetch`, `put` and `remove`.

    Whatever goes wrong with an executor comes back from `poll` as a typed event.
    """

    threaded: bool  # False: tasks run inside `poll`, in the caller's thread
    slots: int  # tasks that can run at the same time
    files_folder: str

    def start(self) -> None:
        """Begin to start the executors; `poll` tells when each is up."""
        ...

    def submit(self, executor: str, order: Order, program: bytes) -> None:
        """Start a task. `program` is the stage's; a back end sends it to each executor once."""
        ...

    def poll(self, timeout: float | None) -> Sequence[Event]:
        """What happened, waiting up to `timeout` seconds for something."""
        ...

    def wake(self) -> None:
        """Make `poll` return now. From any thread."""
        ...

    def cancel(self, executor: str, task: TaskId) -> None:
        """Stop a task: it answers with Cancelled, or its executor is ended."""
        ...

    def message(self, executor: str, task: TaskId, messages: Sequence[Any]) -> None:
        """Answer a barrier call."""
        ...

    def replicate(
        self,
        executor: str,
        persist: int,
        partition: int,
        block: Block,
        level: StorageLevel,
        site: str,
    ) -> None:
        """Have `executor` keep a copy of what is in `block`, which was kept at call site `site`;
        answered by CopyDone."""
        ...

    def forget_stage(self, stage: int) -> None:
        """No more tasks of this stage."""
        ...

    def free_kept(self, persists: Sequence[int], shared: Sequence[Any]) -> None:
        """Every executor drops these kept datasets; `shared` copies outlive their executor."""
        ...

    def free(self, blocks: Sequence[Block]) -> None:
        """Delete blocks."""
        ...

    def fetch(self, block: Block) -> memoryview:
        """A block's bytes, on the driver. Raises BlockMissing."""
        ...

    def put(self, payload: bytes) -> Block:
        """A block made by the driver, that every executor can read."""
        ...

    def memory_left(self) -> int:
        """Bytes that may still go into memory-backed blocks."""
        ...

    def destinations(self, channels: int) -> tuple[int, ...]:
        """The first channel of each block that a map task shall write."""
        ...

    def ship_file(self, path: str) -> Block | None:
        """Make a file of `files_folder` readable by workers; None if they share the folder."""
        ...

    def describe(self) -> dict[str, Any]:
        """Executors by name, for people: process, node, state."""
        ...

    def close(self) -> None:
        """End all executors; leave no process, file or shared memory."""
        ...
