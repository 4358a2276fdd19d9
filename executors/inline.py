"""`inline[n]`: n virtual workers in the caller's thread.

Every task and result is pickled as on the other back ends, each worker has a store of its own and
is a node of its own, so a killed worker loses its kept partitions *and* its blocks. A debugger
works in user functions.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

from executors import pickling
from executors.blockio import BlockMissing
from executors.ctrl_c import ctrl_c
from executors.interrupts import Interrupts
from executors.orders import Order, WorkerConfig
from executors.protocol import EngineConf
from executors.runtime import Runtime, TaskCancelled
from executors.session_folder import SessionFolder
from planner.blocks import Block
from planner.events import BarrierCall, Event, ExecutorDown, ExecutorUp, TaskFailed, TaskId
from planner.failures import Cancelled
from planner.levels import StorageLevel


class _Killed(BaseException):
    """The virtual worker's process has ended."""


class MemoryBlocks:
    """Blocks of one virtual node, in a dict that all nodes share."""

    def __init__(self, shared: dict[str, bytes], node: str) -> None:
        self.shared = shared
        self.node = node

    def write(self, name: str, parts: Sequence[bytes | memoryview], memory_left: int = 0) -> Block:
        data = b"".join(parts)
        self.shared[f"{self.node}/{name}"] = data
        return Block(f"{self.node}/{name}", self.node, len(data))

    def read(self, block: Block, start: int = 0, length: int | None = None) -> memoryview:
        data = self.shared.get(block.where)
        if data is None:
            raise BlockMissing(block.where)
        return memoryview(data)[start : None if length is None else start + length]

    def remove(self, block: Block) -> None:
        self.shared.pop(block.where, None)


class InlineExecutors:
    """See the module."""

    threaded = False

    def __init__(self, slots: int, conf: EngineConf) -> None:
        self.slots = slots
        self.conf = conf
        self._folder = SessionFolder(conf.local_dir or tempfile.gettempdir())
        self.folder = self._folder.path
        self.files_folder = os.path.join(self.folder, "files")
        os.mkdir(self.files_folder)
        self.blocks: dict[str, bytes] = {}
        self.workers: dict[str, Runtime] = {}
        self._driver = MemoryBlocks(self.blocks, "driver")
        self._named = 0
        self._put = 0
        self._orders: deque[tuple[str, int, bytes, bytes]] = deque()  # with the task's number
        self._events: deque[Event] = deque()
        self._replies: dict[int, SimpleQueue[Any]] = {}
        self._threads: list[threading.Thread] = []
        self._from_threads: SimpleQueue[Event] = SimpleQueue()
        self._interrupts = Interrupts()

    def start(self) -> None:
        for _ in range(self.slots):
            self._add_worker()

    def _add_worker(self) -> None:
        name = f"inline-{self._named}"
        self._named += 1
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        config = WorkerConfig(
            name,
            name,
            self.conf.executor_memory,
            folder,
            folder,
            self.files_folder,
            conf=self.conf.conf,
            own_process=False,
        )
        blocks = MemoryBlocks(self.blocks, name)
        passing = (_Killed, KeyboardInterrupt)

        def kill(victim: str | None) -> None:
            if victim is None or victim == name:
                raise _Killed
            self._end_worker(victim)

        self.workers[name] = Runtime(config, blocks, kill, self._meet, self._shield, passing)
        self._events.append(ExecutorUp(name, name))

    def submit(self, executor: str, order: Order, program: bytes) -> None:
        self._orders.append((executor, order.task.number, pickling.dumps(order), program))

    def poll(self, timeout: float | None) -> Sequence[Event]:
        if not self._events and self._orders:
            executor, _, data, program = self._orders.popleft()
            self._run(executor, data, program)
        while not self._events and not self._orders and self._threads:
            try:
                with ctrl_c.let_through():
                    self._events.append(self._from_threads.get(timeout=0.05))
            except Empty:  # the last event of a thread comes a moment before its end
                self._threads = [thread for thread in self._threads if thread.is_alive()]
        events = list(self._events)
        self._events.clear()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while not self._from_threads.empty():
            events.append(self._from_threads.get())
        return events

    def _run(self, executor: str, data: bytes, program: bytes) -> None:
        order: Order = pickle.loads(data)
        if order.peers:  # tasks of a barrier stage wait for each other: each needs a thread
            self._replies[order.task.number] = SimpleQueue()
            thread = threading.Thread(target=self._run_peer, args=(executor, order, program))
            self._threads.append(thread)
            thread.start()
        else:
            self._events.extend(self._answers(executor, order, program))

    @contextmanager
    def _shield(self) -> Iterator[None]:
        with ctrl_c.shield(), self._interrupts:
            yield

    def _run_peer(self, executor: str, order: Order, program: bytes) -> None:
        for event in self._answers(executor, order, program):
            self._from_threads.put(event)
        self._replies.pop(order.task.number, None)

    def _answers(self, executor: str, order: Order, program: bytes) -> list[Event]:
        runtime = self.workers[executor]
        if order.task.stage not in runtime.programs:
            runtime.add_program(order.task.stage, program)
        try:
            event = runtime.run(order) if order.peers else self._alone(runtime, order)
            return [pickle.loads(pickling.dumps(event))]
        except KeyboardInterrupt:  # Ctrl-C reaches the caller, and the task has ended
            self._events.append(TaskFailed(order.task, executor, Cancelled("interrupted")))
            raise
        except _Killed:
            self._end_worker(executor)
            return []

    def _alone(self, runtime: Runtime, order: Order) -> Event:
        try:
            try:
                self._interrupts.arm(order.task.number)
                with ctrl_c.let_through():
                    return runtime.run(order)
            finally:
                self._interrupts.disarm()
        except TaskCancelled:  # while the answer was being made
            return TaskFailed(order.task, runtime.config.executor, Cancelled("cancelled"))

    def interrupt(self, tasks: Collection[int]) -> None:
        for number in tasks:
            self._interrupts.cancel(number)

    def _end_worker(self, name: str) -> None:
        """A virtual process dies, with everything it had; another one takes its place."""
        del self.workers[name]
        for where in [where for where in self.blocks if where.startswith(f"{name}/")]:
            del self.blocks[where]
        shutil.rmtree(os.path.join(self.folder, name))
        self._orders = deque(order for order in self._orders if order[0] != name)
        self._events.append(ExecutorDown(name, f"executor {name} was killed", node_lost=True))
        self._add_worker()

    def _meet(self, task: TaskId, message: Any) -> Sequence[Any]:
        replies = self._replies[task.number]
        self._from_threads.put(BarrierCall(task, message))
        answer = replies.get()
        if answer is None:
            raise TaskCancelled
        assert isinstance(answer, tuple)
        return answer

    def wake(self) -> None:
        """Nothing waits: tasks run inside poll."""

    def cancel(self, executor: str, task: TaskId) -> None:
        if task.number in self._replies:
            self._replies[task.number].put(None)
            return
        left = deque(order for order in self._orders if order[1] != task.number)
        if len(left) < len(self._orders):
            self._orders = left
            self._events.append(TaskFailed(task, executor, Cancelled("cancelled")))

    def message(self, executor: str, task: TaskId, messages: Sequence[Any]) -> None:
        self._replies[task.number].put(tuple(messages))

    def replicate(
        self,
        executor: str,
        persist: int,
        partition: int,
        block: Block,
        level: StorageLevel,
        site: str,
    ) -> None:
        worker = self.workers.get(executor)
        if worker is not None:
            self._events.append(worker.copy(persist, partition, block, level, site))

    def forget_stage(self, stage: int) -> None:
        for runtime in self.workers.values():
            runtime.forget_stages((stage,))

    def free_kept(self, persists: Sequence[int], shared: Sequence[Any]) -> None:
        for runtime in self.workers.values():
            runtime.free_kept(persists)

    def free(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._driver.remove(block)

    def fetch(self, block: Block) -> memoryview:
        return self._driver.read(block)

    def put(self, payload: bytes) -> Block:
        self._put += 1
        block = self._driver.write(f"put-{self._put}", [payload])
        return Block(block.where, None, block.bytes)

    def memory_left(self) -> int:
        return 1 << 40

    def destinations(self, channels: int) -> tuple[int, ...]:
        return (0,)

    def ship_file(self, path: str) -> Block | None:
        return None

    def describe(self) -> dict[str, Any]:
        return {name: {"node": name, "pid": os.getpid()} for name in self.workers}

    def close(self) -> None:
        for replies in list(self._replies.values()):
            replies.put(None)
        for thread in self._threads:
            thread.join(timeout=5)
        self.workers.clear()
        self.blocks.clear()
        self._folder.close()
