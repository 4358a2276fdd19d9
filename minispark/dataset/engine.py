"""What a Dataset asks of its context and of the engine behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from planner.levels import StorageLevel
from planner.plan import Exchange, Node, Persist, Source


class RunningJob(Protocol):
    """A job that runs while the caller does something else."""

    def next(self, timeout: float | None = None) -> tuple[int, list[Any]] | None:
        """A partition and its rows; None after `timeout` seconds; StopIteration at the end."""

    def cancel(self, reason: str = ...) -> None:
        """Stop the tasks that still run."""


class Engine(Protocol):
    """The part of `minispark.session.Session` that datasets use."""

    def run(
        self, plan: Node, partitions: Sequence[int] | None = None, **about: Any
    ) -> Iterator[tuple[int, list[Any]]]: ...

    def submit(
        self, plan: Node, partitions: Sequence[int] | None = None, **about: Any
    ) -> RunningJob: ...

    def persist(self, node: Node, level: StorageLevel) -> Persist: ...

    def keep_until_written(self, kept: Persist, exchange: Node) -> None: ...

    def unpersist(self, node: Node, blocking: bool) -> None: ...

    def kept_level(self, node: Node) -> StorageLevel | None: ...

    def checkpoint(self, node: Node, write: Callable[[], Source]) -> None: ...

    def checkpointed(self, node: Node) -> Source | None: ...

    def local_checkpoint(self, node: Node) -> Source: ...

    def forget_shuffles(self, exchanges: Sequence[Exchange], blocking: bool) -> None: ...

    def picture(self, plan: Node) -> str: ...


class Context(Protocol):
    """The part of `minispark.context.SparkContext` that datasets use."""

    _conf: Any

    @property
    def _session(self) -> Engine: ...

    @property
    def defaultParallelism(self) -> int: ...

    def getCheckpointDir(self) -> str | None: ...

    def _about_job(self) -> dict[str, Any]:
        """Group, tags, description and properties that the calling thread has set for its jobs."""
