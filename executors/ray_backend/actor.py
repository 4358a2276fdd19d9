"""One executor: the class that Ray makes an actor of. One process, one task at a time.

Its methods run in three groups. `run`, `tell`, `copy` and `stop` share one thread and keep their
order; the `control` requests get through while a task runs; `notices` waits in a thread of its own,
and the driver knows by its end that the actor is dead.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

import ray

from executors import kept_files, pickling
from executors.interrupts import Interrupts
from executors.machine import cores
from executors.orders import Order, WorkerConfig
from executors.ray_backend.blocks import Key, ObjectBlocks
from executors.ray_backend.node_folder import NodeFolder
from executors.runtime import Runtime, TaskCancelled
from executors.session_folder import memory_root
from planner.events import BarrierCall, TaskDone, TaskFailed, TaskId
from planner.failures import Cancelled

# Groups of methods and how many threads each has. What is in none of them shares one more thread.
GROUPS = {"control": 1, "waiting": 1}


class Executor:
    """See the module. `config` lacks what only the node knows; `disk` is the driver's choice."""

    def __init__(self, config: WorkerConfig, session: str, disk: str | None) -> None:
        here = [entry for entry in config.sys_path if os.path.exists(entry)]
        sys.path[:] = [*here, *(entry for entry in sys.path if entry not in here)]
        fused = config.conf.get("minispark.sql.singleNode") == "always"
        threads = cores() if fused else 1  # there is an actor for each core
        os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
        node: str = ray.get_runtime_context().get_node_id()
        self._memory = NodeFolder(memory_root(), session, node)
        self._disk = NodeFolder(_usable(disk), f"{session}-disk", node)
        files = os.path.join(self._disk.path, f"files-{config.executor}")
        os.makedirs(files, exist_ok=True)
        self.config = replace(
            config,
            node=node,
            memory_folder=self._memory.path,
            disk_folder=self._disk.path,
            files_folder=files,
        )
        self._blocks = ObjectBlocks(node)
        self._interrupts = Interrupts()
        self._interrupts.make_sleep_wake()
        self._interrupts.make_polars_stop()
        self._calls: SimpleQueue[BarrierCall] = SimpleQueue()
        self._replies: SimpleQueue[tuple[int, Sequence[Any] | None]] = SimpleQueue()
        self.runtime = Runtime(self.config, self._blocks, _kill, self._meet, self._interrupts)

    def __repr__(self) -> str:
        """What Ray puts before the lines that tasks print."""
        return self.config.executor

    def hello(self) -> tuple[str, int]:
        """The node and process this is."""
        return self.config.node, os.getpid()

    # ---- one after the other -------------------------------------------------------------------

    def run(self, request: bytes, refs: dict[Key, Any] | None) -> Any:
        """Carry out a task: the pickled (event, removed blocks), and the objects with its blocks.

        `request` is the pickled order, its stage's program the first time, and the stages that have
        no tasks any more; `refs` are the blocks it reads, and all new ones made by the driver.
        """
        order: Order
        order, program, forget = pickling.loads(request)
        self.runtime.forget_stages(forget)
        if program is not None:
            self.runtime.add_program(order.task.stage, program)
        event: TaskDone | TaskFailed
        self._blocks.begin(order, refs or {})
        try:
            try:
                self._interrupts.arm(order.task.number)
                event = self.runtime.run(order)
            finally:
                self._interrupts.disarm()
        except TaskCancelled:  # before it began, or while the answer was being made
            event = TaskFailed(order.task, self.config.executor, Cancelled("cancelled"))
        made, removed = self._blocks.end()
        return pickling.dumps((event, removed)), *made

    def copy(self, request: bytes, refs: dict[Key, Any]) -> bytes:
        """Keep a copy of a partition that another executor wrote to a block."""
        self._blocks.borrow(refs)
        try:
            return pickling.dumps(self.runtime.copy(*pickling.loads(request)))
        finally:
            self._blocks.end()

    def free_kept(self, persists: Sequence[int], shared: Sequence[str]) -> None:
        """Drop what is kept of these datasets, and these files of theirs if they are here."""
        self.runtime.free_kept(persists)
        for path in shared:
            kept_files.remove(path)

    def stop(self) -> None:
        """Leave nothing behind. The driver then ends the process."""
        sys.stdout.flush()
        self._memory.close()
        self._disk.close()

    # ---- while a task runs ---------------------------------------------------------------------

    def cancel(self, task: int) -> None:
        self._interrupts.cancel(task)
        self._replies.put((task, None))  # wakes a task that waits at a barrier

    def reply(self, task: int, messages: Sequence[Any]) -> None:
        """Everybody's messages, for a task that waits at a barrier."""
        self._replies.put((task, messages))

    def lose(self, nodes: Sequence[str], keys: Sequence[Key]) -> None:
        """Blocks on these nodes, and these blocks, are lost: nobody shall wait for them."""
        self._blocks.lost_nodes.update(nodes)
        self._blocks.lost_keys.update(keys)

    def delete(self, keys: Sequence[Key]) -> None:
        """These driver-made blocks are not needed any more."""
        self._blocks.forget(keys)

    def notices(self) -> bytes:
        """Wait until tasks have something to say before they end, and say it."""
        calls = [self._calls.get()]
        try:
            while True:
                calls.append(self._calls.get_nowait())
        except Empty:
            return pickling.dumps(calls)

    def _meet(self, task: TaskId, message: Any) -> Sequence[Any]:
        self._calls.put(BarrierCall(task, message))
        while True:
            number, messages = self._replies.get()
            if number == task.number and messages is not None:
                return messages
            # else it was for a task before; or this one is cancelled, which is raised right here


for method in (Executor.cancel, Executor.reply, Executor.lose, Executor.delete):
    ray.method(concurrency_group="control", num_returns=0)(method)
ray.method(concurrency_group="waiting")(Executor.notices)
ray.method(num_returns=0)(Executor.free_kept)


def _usable(folder: str | None) -> str:
    """The driver's local folder if this node has it, else its temporary one."""
    if folder is not None and os.access(folder, os.W_OK):
        return folder
    return tempfile.gettempdir()


def _kill(victim: str | None) -> None:
    if victim is not None:
        raise NotImplementedError("an executor on Ray can only kill itself")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
