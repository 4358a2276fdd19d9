"""Injected faults on the driver's side: which task carries which, and which went off.

A fault has a number of tokens. One is attached to a task that it matches when the task is launched,
and comes back if the task ended without passing the point. So a fault fires exactly as often as it
was told to, on every back end.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from executors.orders import Fault
from planner.events import Event, ExecutorDown, Launch, TaskDone, TaskFailed

POINTS = ("before write", "after write", "in fetch", "in cache put", "after cache put")


@dataclass(eq=False)
class Injection:
    """A fault asked for by the user. `match` is asked for each launch."""

    what: str
    at: str
    times: int
    match: Callable[[Launch], bool]
    detail: Any = None
    left: int = field(init=False)
    fired: list[str] = field(init=False, default_factory=list)  # what it hit, in words

    def __post_init__(self) -> None:
        self.left = self.times


class FaultBook:
    """All injections of a session."""

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._injections: list[Injection] = []
        self._carried: dict[int, list[tuple[Fault, Injection, Launch]]] = {}
        self._lock = threading.Lock()

    def add(self, injection: Injection) -> None:
        with self._lock:
            self._injections.append(injection)

    def remove(self, injection: Injection) -> None:
        with self._lock:
            self._injections.remove(injection)

    def take(self, launch: Launch) -> tuple[Fault, ...]:
        """The faults a task shall carry."""
        if not self._injections:
            return ()
        with self._lock:
            carried = []
            for injection in self._injections:
                if injection.left and injection.match(launch):
                    injection.left -= 1
                    fault = Fault(
                        next(self._tokens), injection.what, injection.at, injection.detail
                    )
                    carried.append((fault, injection, launch))
            if carried:
                self._carried[launch.task.number] = carried
            return tuple(fault for fault, _, _ in carried)

    def note(self, event: Event) -> None:
        """Take in an answer: count what fired, take back what did not."""
        if not self._carried:
            return
        with self._lock:
            if isinstance(event, TaskDone | TaskFailed):
                self._settle(event.task.number, event.report.faults, dead=False)
            elif isinstance(event, ExecutorDown):
                for number, carried in list(self._carried.items()):
                    if carried[0][2].executor == event.executor:
                        self._settle(number, (), dead=True)

    def _settle(self, number: int, fired: tuple[int, ...], dead: bool) -> None:
        for fault, injection, launch in self._carried.pop(number, []):
            if fault.token in fired or (dead and fault.what == "kill"):
                task = launch.task
                injection.fired.append(
                    f"{fault.what} {fault.at}: stage {task.stage} partition {task.partition} "
                    f"attempt {task.attempt} on {launch.executor}"
                )
            else:
                injection.left += 1
