"""`local[n]`: worker processes on this machine.

Workers are started as `python -m executors.worker`, so a user's script needs no main guard. They
talk over inherited socket pairs and pass blocks as files of the session's private folders.
"""

from __future__ import annotations

import glob
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from executors import kept_files, pickling
from executors.blockio import FileBlocks
from executors.machine import kernel_threads
from executors.orders import CANCEL, InBlock, Order, WorkerConfig
from executors.protocol import EngineConf
from executors.session_folder import SessionFolder, memory_root
from planner.blocks import Block
from planner.events import (
    CopyDone,
    Event,
    ExecutorDown,
    ExecutorUp,
    TaskDone,
    TaskFailed,
    TaskId,
)
from planner.levels import StorageLevel

NODE = "localhost"
HASH_SEED = "0"
_GRACE = 1.3  # seconds a cancelled task has to end before its process is ended
_AGAIN = 0.05  # seconds between two signals to a cancelled task
_HOPELESS = 3  # workers in a row that died before they were up


@dataclass(eq=False)
class _Process:
    """One worker process, as the driver sees it."""

    name: str
    popen: subprocess.Popen[bytes]
    connection: Connection
    control: int  # a pipe for the numbers of tasks to stop
    up: bool = False
    task: TaskId | None = None
    programs: set[int] = field(default_factory=set)
    later: list[tuple[Any, ...]] = field(default_factory=list)  # requests that can wait
    frees: bool = False  # whether memory waits for one of them
    copies: list[tuple[int, int]] = field(default_factory=list)
    deadline: float | None = None  # when a cancelled task's process is ended
    asked: float = 0.0  # when it was last asked to stop the task
    overdue: bool = False  # whether it was ended because its task did not stop
    doomed: bool = False  # whether its task carries a fault that kills it

    def close(self) -> None:
        self.connection.close()
        os.close(self.control)


class LocalExecutors:
    """See the module."""

    threaded = True

    def __init__(self, slots: int, conf: EngineConf) -> None:
        self.slots = slots
        self.conf = conf
        self._disk = SessionFolder(conf.local_dir or tempfile.gettempdir())
        self._memory = SessionFolder(memory_root())
        self.files_folder = os.path.join(self._disk.path, "files")
        os.mkdir(self.files_folder)
        self._blocks = FileBlocks(self._memory.path, self._disk.path, NODE)
        self._in_memory = 0  # bytes of blocks in the memory-backed folder
        self._memory_limit = conf.executor_memory * slots // 2
        self._counting = threading.Lock()
        self._processes: dict[str, _Process] = {}
        self._started = 0
        self._died_early = 0
        self._put = 0
        self._events: list[Event] = []
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        self._life_read, self._life_write = os.pipe()

    # ---- processes -----------------------------------------------------------------------------

    def start(self) -> None:
        for _ in range(self.slots):
            self._start_process()

    def _start_process(self) -> None:
        name = f"worker-{self._started}"
        self._started += 1
        ours, theirs = socket.socketpair()
        control, control_in = os.pipe()
        given = (theirs.fileno(), control, self._life_read)
        arguments = [sys.executable, "-P", "-m", "executors.worker", *map(str, given)]
        staged = self.conf.conf.get("minispark.sql.singleNode") == "never"
        environment = {
            "POLARS_MAX_THREADS": str(kernel_threads(self.slots, staged)),
            **os.environ,
            **self.conf.environment,
            "PYTHONHASHSEED": HASH_SEED,
            "PYTHONPATH": os.pathsep.join(self.conf.sys_path),
        }
        try:
            popen = subprocess.Popen(
                [*arguments, self._memory.path, self._disk.path],
                pass_fds=given,
                env=environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            os.close(control_in)
            raise
        finally:
            theirs.close()
            os.close(control)
        process = _Process(name, popen, Connection(ours.detach()), control_in)
        self._processes[name] = process
        self._selector.register(process.connection.fileno(), selectors.EVENT_READ, process)
        config = WorkerConfig(
            name,
            NODE,
            self.conf.executor_memory,
            self._memory.path,
            self._disk.path,
            self.files_folder,
            self.conf.sys_path,
            self.conf.conf,
        )
        self._send(process, ("hello", config))

    def _send(self, process: _Process, request: tuple[Any, ...]) -> None:
        try:
            process.connection.send_bytes(pickling.dumps(request))
        except OSError:
            pass  # it is dead: its socket's end is read in poll, where deaths are told

    def _down(self, process: _Process) -> None:
        """The one place where the end of a process becomes an event."""
        self._selector.unregister(process.connection.fileno())
        process.close()
        del self._processes[process.name]
        try:
            code = process.popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            code = process.popen.wait()
        self._died_early = 0 if process.up else self._died_early + 1
        reason = _reason(process, code)
        replaced = False
        if self._died_early < _HOPELESS:
            try:
                self._start_process()
                replaced = True
            except OSError as error:  # too many files or processes
                reason += f"; another one cannot be started: {error}"
        if process.task is not None:
            self._clean(process.task)
        for persist, partition in process.copies:
            self._events.append(CopyDone(persist, partition, process.name, None))
        self._events.append(ExecutorDown(process.name, reason, replaced=replaced))

    def _clean(self, task: TaskId) -> None:
        """Files of a task that did not come to an end."""
        for folder in (self._memory.path, self._disk.path):
            result = f"result-{task.number}"
            for name in (f"shuffle-{task.number}-*", result, f"{result}.*"):
                for path in glob.glob(os.path.join(glob.escape(folder), name)):
                    os.unlink(path)

    # ---- the protocol --------------------------------------------------------------------------

    def submit(self, executor: str, order: Order, program: bytes) -> None:
        process = self._processes.get(executor)
        if process is None:
            return  # its death is being told
        self._catch_up(process)
        if order.task.stage not in process.programs:
            process.programs.add(order.task.stage)
            self._send(process, ("program", order.task.stage, program))
        process.task = order.task
        process.doomed = any(fault.what == "kill" for fault in order.faults)
        self._send(process, ("run", order))

    def _catch_up(self, process: _Process) -> None:
        """Send what had to wait for the end of a task."""
        for request in process.later:
            self._send(process, request)
        process.later.clear()

    def poll(self, timeout: float | None) -> Sequence[Event]:
        if self._events:
            timeout = 0
        for process in self._processes.values():
            if process.frees and process.task is None:  # now, not at the cost of its next task
                self._catch_up(process)
                process.frees = False
        for key, _ in self._selector.select(self._until_deadline(timeout)):
            process = key.data
            if process is None:
                self._drain_wakes()
            else:
                self._receive(process)
        self._end_overdue()
        events, self._events = self._events, []
        return events

    def _until_deadline(self, timeout: float | None) -> float | None:
        deadlines = [p.deadline for p in self._processes.values() if p.deadline is not None]
        if not deadlines:
            return timeout
        left = min(_AGAIN, max(0.0, min(deadlines) - time.monotonic()))
        return left if timeout is None else min(left, timeout)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for process in list(self._processes.values()):
            if process.deadline is None:
                continue
            if process.deadline <= now:
                process.deadline = None
                process.overdue = True
                process.popen.kill()
            elif process.asked + _AGAIN <= now:  # it was importing something
                self._interrupt(process, now)

    def _interrupt(self, process: _Process, now: float) -> None:
        """SIGUSR1 reaches Python code; while Polars computes, it is SIGINT that ends that."""
        process.asked = now
        process.popen.send_signal(signal.SIGUSR1)
        process.popen.send_signal(signal.SIGINT)

    def _drain_wakes(self) -> None:
        try:
            while self._wake_out.recv(4096):
                pass
        except BlockingIOError:
            pass  # all read

    def _receive(self, process: _Process) -> None:
        try:
            event = pickling.loads(process.connection.recv_bytes())
        except (EOFError, OSError):
            self._down(process)
            return
        if isinstance(event, tuple):
            process.up = True
            self._events.append(ExecutorUp(process.name, NODE))
            return
        if isinstance(event, TaskDone | TaskFailed):
            process.task = process.deadline = None
            self._count(event)
        elif isinstance(event, CopyDone):
            process.copies.remove((event.persist, event.partition))
        self._events.append(event)

    def _count(self, event: TaskDone | TaskFailed) -> None:
        if isinstance(event, TaskFailed):
            self._clean(event.task)
            return
        blocks = event.output.blocks if event.output is not None else ()
        if isinstance(event.result, InBlock):
            blocks = (event.result.block,)
        with self._counting:
            self._in_memory += sum(b.bytes for b in blocks if self._is_in_memory(b))

    def _is_in_memory(self, block: Block) -> bool:
        return str(block.where).startswith(self._memory.path)

    def wake(self) -> None:
        try:
            self._wake_in.send(b"x")
        except BlockingIOError:
            pass  # full of wakes already

    def cancel(self, executor: str, task: TaskId) -> None:
        process = self._processes.get(executor)
        if process is not None and process.task == task:
            now = time.monotonic()
            process.deadline = now + _GRACE
            try:
                os.write(process.control, CANCEL.pack(task.number))
            except BrokenPipeError:
                return  # it is dead: its socket's end is read in poll, where deaths are told
            self._interrupt(process, now)

    def message(self, executor: str, task: TaskId, messages: Sequence[Any]) -> None:
        process = self._processes.get(executor)
        if process is not None:
            self._send(process, ("reply", task.number, messages))

    def replicate(
        self,
        executor: str,
        persist: int,
        partition: int,
        block: Block,
        level: StorageLevel,
        site: str,
    ) -> None:
        process = self._processes.get(executor)
        if process is None:
            self._events.append(CopyDone(persist, partition, executor, None))
            return
        process.copies.append((persist, partition))
        self._send(process, ("copy", persist, partition, block, level, site))

    def forget_stage(self, stage: int) -> None:
        for process in self._processes.values():
            if stage in process.programs:
                process.programs.discard(stage)
                process.later.append(("forget", (stage,)))

    def free_kept(self, persists: Sequence[int], shared: Sequence[Any]) -> None:
        for path in shared:
            kept_files.remove(path)
        for process in self._processes.values():
            if process.task is None:
                self._send(process, ("free", tuple(persists)))
            else:  # it reads its socket when its task has ended
                process.later.append(("free", tuple(persists)))
                process.frees = True

    def free(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._blocks.remove(block)
            if self._is_in_memory(block):
                with self._counting:
                    self._in_memory -= block.bytes

    def fetch(self, block: Block) -> memoryview:
        return self._blocks.read(block)

    def put(self, payload: bytes) -> Block:
        with self._counting:
            self._put += 1
            name = f"put-{self._put}"
        block = self._blocks.write(name, [payload], self.memory_left())
        with self._counting:
            self._in_memory += block.bytes if self._is_in_memory(block) else 0
        return Block(block.where, None, block.bytes)

    def memory_left(self) -> int:
        return max(0, self._memory_limit - self._in_memory) // self.slots

    def destinations(self, channels: int) -> tuple[int, ...]:
        return (0,)

    def ship_file(self, path: str) -> Block | None:
        return None

    def describe(self) -> dict[str, Any]:
        return {p.name: {"node": NODE, "pid": p.popen.pid} for p in self._processes.values()}

    def close(self) -> None:
        processes = list(self._processes.values())
        self._processes.clear()
        for process in processes:
            if process.task is not None:
                process.popen.kill()
            else:
                self._send(process, ("stop",))
        for process in processes:
            try:
                process.popen.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
            process.close()
        os.close(self._life_write)
        os.close(self._life_read)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
        self._memory.close()
        self._disk.close()


def _reason(process: _Process, code: int) -> str:
    """How a worker ended, for people."""
    if code >= 0:
        what = f"ended with exit code {code}"
        what += (
            ": something that the task called ended its process"
            if process.up
            else " before it was ready"
        )
        return f"executor {process.name} {what}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if process.overdue:
        return f"executor {process.name} was ended: a cancelled task did not stop"
    if process.doomed:
        return f"executor {process.name} was ended by {name}, as a fault of minispark.chaos wanted"
    hint = {
        "SIGKILL": ": the system may have run out of memory, of which more, smaller partitions "
        "need less",
        "SIGSEGV": ": native code that the task called crashed",
        "SIGABRT": ": native code that the task called gave up",
    }.get(name, "")
    return f"executor {process.name} was ended by {name}{hint}"
