"""What user code inside a task can reach: the worker sets `running` while a task runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from executors.task_context import TaskContext
from planner.blocks import Block


@dataclass(eq=False)
class Running:
    """The task this process is running."""

    context: TaskContext
    open_block: Callable[[Block], memoryview]  # bytes of a driver-made block (a broadcast)
    files_folder: str = ""  # where the files of sc.addFile are
    updates: dict[int, Any] = field(default_factory=dict)  # accumulators, by id
    conf: dict[str, str] = field(default_factory=dict)


running: Running | None = None


def get() -> Running | None:
    """The task that runs in this process now, None on the driver."""
    return running


def enter(task: Running | None) -> None:
    """Set or clear the running task."""
    global running
    running = task
