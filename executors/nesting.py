"""Room for queries that nest deeply: Python's limit of calls is raised while one is worked on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CALLS = 10_000  # half of what the stack of a thread holds, pickling included


class _Room:
    """Who needs it now, and the limit that there was before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = 0

    def enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(CALLS, self._before))

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and sys.getrecursionlimit() == max(CALLS, self._before):
                sys.setrecursionlimit(self._before)  # unless the user set another meanwhile


_room = _Room()


@contextmanager
def room() -> Iterator[None]:
    """In this block functions may call each other `CALLS` deep."""
    _room.enter()
    try:
        yield
    finally:
        _room.leave()
