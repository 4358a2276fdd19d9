"""Cancelling a task from another thread of its process.

Ray runs the tasks of an actor that has concurrency groups in a thread of its own, where signals do
not reach, and `inline` in the thread of whoever asked. So a cancel is raised in that thread by the
interpreter: at its next bytecode, never inside a shield, and never after the task has ended.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from executors.runtime import TaskCancelled

_AGAIN = 0.02  # seconds until a cancel that met an import is tried again


def is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported there. Half imported, it would be of no use to anybody."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


class _TakenBack(BaseException):
    """Raised instead of a cancel that is taken back."""


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Make `thread` raise `error` at its next bytecode."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _tell_polars() -> None:
    """SIGINT for this thread alone, also where Ray has blocked it for all."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.raise_signal(signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _take_back() -> None:
    """Undo a `_raise_in` of this thread if it was not raised yet.

    Something else is raised in its place. Taking it back with NULL would leave CPython 3.11 looking
    for it for ever, and a profiler or debugger that comes later would hang.
    """
    try:
        _raise_in(threading.get_ident(), _TakenBack)
        while True:
            pass
    except _TakenBack:
        return


class Interrupts:
    """Says which task may be interrupted now. Calling it gives the shield for `Runtime`.

    `arm` and `disarm` are called around a task by its thread, `cancel` by any other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = 0
        self._task = -1  # number of the armed task; numbers only grow
        self._last = -1  # the newest task that was armed
        self._early: set[int] = set()  # cancelled before they began
        self._depth = 0
        self._sent = False
        self._pending = False
        self._woken = threading.Event()
        self._polars_listens = False

    def arm(self, task: int) -> None:
        """From now on this thread runs `task`. Raises TaskCancelled if it is cancelled already."""
        with self._lock:
            self._thread = threading.get_ident()
            self._task = self._last = task
            self._depth = 0
            self._sent = self._pending = False
            self._woken.clear()
            cancelled = task in self._early
            self._early = {number for number in self._early if number > task}
        if cancelled:
            raise TaskCancelled

    def disarm(self) -> None:
        """The task has ended: what was not raised by now never will be."""
        while True:
            try:
                with self._lock:
                    self._task = -1
                    if self._sent:
                        _take_back()
                    self._sent = self._pending = False  # it was this task's, and nobody else's
                return
            except TaskCancelled:
                continue  # it came at the last moment, and comes only once

    def cancel(self, task: int) -> None:
        """Raise TaskCancelled in `task`, now or when it begins; nothing if it has ended."""
        with self._lock:
            if task > self._last:
                self._early.add(task)
            if task != self._task or self._sent:
                return
            if not self._depth and is_importing(sys._current_frames().get(self._thread)):
                again = threading.Timer(_AGAIN, self.cancel, (task,))
                again.daemon = True
                again.start()
                return
            self._sent = True
            if self._depth:
                self._pending = True
            else:
                _raise_in(self._thread, TaskCancelled)
                if self._polars_listens:
                    _tell_polars()
            self._woken.set()

    def __call__(self) -> Interrupts:
        return self

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._sent:  # raised a moment ago and not delivered: it waits for the shield's end
                _take_back()
                self._pending = True

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
            due = self._pending and not self._depth
            self._pending = self._pending and not due
        if due:
            raise TaskCancelled

    def make_polars_stop(self) -> None:
        """Let a cancel end what Polars computes: that runs on inside one bytecode, too.

        While it computes it listens to SIGINT, which the process has to ignore otherwise; and it
        has to ignore it before Polars is imported, which passes the signal on to who was there.
        Python has no way to say so from any but the main thread.
        """
        if "polars" not in sys.modules:
            ctypes.CDLL(None).signal(int(signal.SIGINT), ctypes.c_void_p(int(signal.SIG_IGN)))
            self._polars_listens = True

    def make_sleep_wake(self) -> None:
        """Let a cancel end `time.sleep` in tasks: it would sleep on, being inside one bytecode."""
        really_sleep = time.sleep

        def sleep(seconds: Any, /) -> None:
            ours = threading.get_ident() == self._thread and self._task >= 0
            if ours and isinstance(seconds, int | float) and 0 < seconds < threading.TIMEOUT_MAX:
                end = time.monotonic() + seconds
                if not self._woken.wait(seconds):
                    return
                seconds = max(0.0, end - time.monotonic())  # shielded, or swallowed by the user
            really_sleep(seconds)

        time.sleep = sleep
