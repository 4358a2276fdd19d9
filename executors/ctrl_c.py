"""When a Ctrl-C may take effect.

It may end the user's code at any point, but must not tear the engine's own steps apart: a job that
was posted would run on though nobody holds it, a scheduler in the caller's thread (`inline`) would
forget an event. So it waits for the end of such steps, but for the places where they themselves
wait, or run a task.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


class CtrlC:
    """What is to happen at a Ctrl-C now. In other threads than the main one all of this is idle.

    Examples
    --------
    >>> try:
    ...     with ctrl_c.held_back():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("the engine has finished its step")
    ... except KeyboardInterrupt:
    ...     print("and the user's program hears of it")
    the engine has finished its step
    and the user's program hears of it
    """

    def __init__(self) -> None:
        self._handler: Handler | None = None  # the user's, while ours is in its place
        self._open = False  # whether user code runs
        self._shields = 0
        self._waiting = False

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """In this block a Ctrl-C waits for its end."""
        before = signal.getsignal(signal.SIGINT)
        if self._handler is not None or not _in_main() or not callable(before):
            yield
            return
        try:
            self._handler = before
            signal.signal(signal.SIGINT, self._on_signal)  # may raise: it sees to waiting signals
            yield
        finally:
            self._handler = None
            try:
                signal.signal(signal.SIGINT, before)  # as soon as it has, the user's may raise
            finally:
                waiting, self._waiting = self._waiting, False
            if waiting:
                before(signal.SIGINT, None)

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """In this part of it a Ctrl-C is passed on at once."""
        if not _in_main():
            yield
            return
        self._open = True
        try:
            self._pass_on(self._handler)
            yield
        finally:
            self._open = False

    @contextmanager
    def shield(self) -> Iterator[None]:
        """In this part of that, again, it waits."""
        if not _in_main():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._open and not self._shields:
            self._pass_on(self._handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._waiting = True
        if self._open and not self._shields:
            self._pass_on(self._handler)

    def _pass_on(self, handler: Handler | None) -> None:
        if self._waiting and handler is not None:
            self._waiting = False
            was, self._open = self._open, False  # if it raises, a second one waits
            handler(signal.SIGINT, None)
            self._open = was


def _in_main() -> bool:
    return threading.current_thread() is threading.main_thread()


ctrl_c = CtrlC()  # one for the process, as the signal is
