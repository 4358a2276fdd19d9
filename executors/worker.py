"""A worker process: `python -m executors.worker SOCKET CONTROL LIFELINE FOLDER…`, which
`executors/local.py` starts.

The main thread reads requests and runs tasks, one at a time. A cancel comes as SIGUSR1, so that it
reaches a task that sleeps or computes. The lifeline is a pipe whose other end only the driver
holds: when it closes the driver is dead, and the worker removes the session's files and ends.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from types import FrameType, TracebackType
from typing import Any, NoReturn

from executors import pickling
from executors.blockio import FileBlocks
from executors.interrupts import is_importing
from executors.orders import CANCEL, IMPORTS, Order, WorkerConfig
from executors.runtime import Runtime, TaskCancelled
from executors.session_folder import remove_if_dead
from planner.events import BarrierCall, TaskFailed, TaskId
from planner.failures import Cancelled

_PARENT = os.getppid()


class _Interrupts:
    """Turns SIGUSR1 into TaskCancelled in the running task, but not inside a shield.

    The numbers of cancelled tasks come through the pipe `control`: a signal may come before its
    task has begun, or after it has ended. The driver signals until the task has ended, since an
    exception raised in a finalizer is dropped by Python; one on its way out is not raised again.
    """

    def __init__(self, control: int) -> None:
        self.armed = False
        self._control = control
        self._task = -1
        self._cancelled: set[int] = set()
        self._depth = 0
        self._pending = False
        os.set_blocking(control, False)
        signal.signal(signal.SIGUSR1, self._on_signal)

    def _is_meant(self) -> bool:
        """Whether the task under way is one of those cancelled."""
        try:
            while numbers := os.read(self._control, 4096):
                self._cancelled.update(each for (each,) in CANCEL.iter_unpack(numbers))
        except BlockingIOError:
            pass  # all read
        return self._task in self._cancelled

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._is_meant() or not self.armed or is_importing(frame):
            return  # the driver asks again
        if self._depth:
            self._pending = True
        elif not _is_on_its_way(sys.exception()):
            raise TaskCancelled

    def __call__(self) -> _Interrupts:
        return self

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._pending and not self._depth:
            self._pending = False
            raise TaskCancelled

    def arm(self, task: int) -> None:
        """Task number `task` begins. Raises TaskCancelled if it is cancelled already."""
        for number in tuple(self._cancelled):  # in place: a signal may add one meanwhile
            if number < task:
                self._cancelled.discard(number)
        self._pending = False
        self._task = task
        self.armed = True
        if self._is_meant():
            self.armed = False
            raise TaskCancelled

    def disarm(self) -> None:
        self.armed = False


def _is_on_its_way(handled: BaseException | None) -> bool:
    """Whether `finally` or `except` blocks of the task are being run for a cancel."""
    while handled is not None:
        if isinstance(handled, TaskCancelled):
            return True
        handled = handled.__context__
    return False


class Worker:
    """The request loop."""

    def __init__(self, connection: Connection, control: int) -> None:
        self.connection = connection
        self.waiting: deque[tuple[Any, ...]] = deque()  # requests that came in a barrier
        self.needed: deque[str] = deque()  # modules to import when idle
        self.interrupts = _Interrupts(control)
        self.runtime: Runtime
        self.handlers: dict[str, Callable[..., None]] = {
            "run": self.run,
            "program": lambda stage, data: self.runtime.add_program(stage, data),
            "forget": lambda stages: self.runtime.forget_stages(stages),
            "free": lambda persists: self.runtime.free_kept(persists),
            "copy": self.copy,
            "stop": self.stop,
            "reply": lambda number, messages: None,  # to a task that was cancelled meanwhile
        }

    def serve(self) -> None:
        kind, config = self._receive()
        assert kind == "hello"
        self.hello(config)
        self.needed = deque(config.conf.get(IMPORTS, "").split())
        while True:
            self.get_ready()
            name, *arguments = self.waiting.popleft() if self.waiting else self._receive()
            self.handlers[name](*arguments)

    def hello(self, config: WorkerConfig) -> None:
        sys.path[:] = [*config.sys_path, *(p for p in sys.path if p not in config.sys_path)]
        blocks = FileBlocks(config.memory_folder, config.disk_folder, config.node)
        self.runtime = Runtime(config, blocks, _kill, self.meet, self.interrupts)
        self._send(("up", os.getpid()))

    def get_ready(self) -> None:
        """Import what tasks are going to need, for as long as nobody asks for anything."""
        while self.needed and not self.waiting and not self.connection.poll(0):
            importlib.import_module(self.needed.popleft())

    def run(self, order: Order) -> None:
        try:
            self.interrupts.arm(order.task.number)
            try:
                event = self.runtime.run(order)
            finally:
                self.interrupts.disarm()
        except TaskCancelled:  # it came while the answer was being made, or in arm or disarm
            self.interrupts.disarm()
            failure = Cancelled("cancelled")
            event = TaskFailed(order.task, self.runtime.config.executor, failure)
        self._send(event)

    def copy(self, *what: Any) -> None:
        self._send(self.runtime.copy(*what))

    def stop(self) -> None:
        sys.stdout.flush()
        os._exit(0)

    def meet(self, task: TaskId, message: Any) -> Sequence[Any]:
        """Send a barrier task's message and wait for all the others'."""
        self._send(BarrierCall(task, message))
        while True:
            self.connection.poll(None)  # a cancel comes here, not between two parts of a request
            with self.interrupts:
                request = self._receive()
            if request[0] == "reply" and request[1] == task.number:
                messages: Sequence[Any] = request[2]
                return messages
            self.waiting.append(request)

    def _receive(self) -> tuple[Any, ...]:
        try:
            request: tuple[Any, ...] = pickling.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            _cut_off()
        return request

    def _send(self, value: Any) -> None:
        data = pickling.dumps(value)
        with self.interrupts:
            try:
                self.connection.send_bytes(data)
            except OSError:
                _cut_off()


def _kill(victim: str | None) -> None:
    if victim is not None:
        raise NotImplementedError("a worker process can only kill itself")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(lifeline: int, folders: Sequence[str]) -> None:
    """Wait for the driver's end; then nothing of the session may stay behind."""
    while True:
        try:
            if not os.read(lifeline, 1):
                break
        except InterruptedError:
            continue
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)
    try:
        for folder in folders:
            remove_if_dead(folder, dying=True)
    finally:
        os._exit(1)


def _cut_off() -> NoReturn:
    """The socket is closed. If the driver is dead, `_watch` ends the process when it has cleaned
    up; if it lives, a task has closed the socket, and the process is of no more use."""
    time.sleep(1.0)  # a dying driver closes its sockets a moment before it is gone
    if os.getppid() == _PARENT:
        os._exit(1)
    _park()


def _park(*_: Any) -> NoReturn:
    """The driver is dead: the main thread stops where it is, so that it writes no more files, and
    `_watch` ends the process."""
    while True:
        signal.pause()


def main() -> None:
    """Serve until the driver says stop or is gone."""
    socket, control, lifeline, *folders = sys.argv[1:]
    sys.argv[1:] = []
    faulthandler.enable()  # where native code crashed, on stderr
    # Ctrl-C is the driver's; it cancels, and sends SIGINT itself: Polars, once imported, listens to
    # that while it computes, and nothing else does
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, _park)
    threading.Thread(target=_watch, args=(int(lifeline), folders), daemon=True).start()
    Worker(Connection(int(socket)), int(control)).serve()


if __name__ == "__main__":
    main()
