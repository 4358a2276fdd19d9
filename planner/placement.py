"""Who runs what next: one seat an executor, and the queues before them.

A task whose input is kept at an executor waits in that executor's *bound* queue; another executor
takes it only if it has that input too, or two wait there and computing anew is quicker. Every other
task waits in the *free* queue of the executor its partition number points to, so that datasets made
alike lie alike; anybody idle may take it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Slot = tuple[int, int]  # (stage id, partition)


class Seats:
    """Executors, whether they are busy, and the tasks that wait for them."""

    def __init__(self) -> None:
        self.nodes: dict[str, str] = {}
        self.busy: dict[str, int] = {}
        self.bound: dict[str, deque[Slot]] = {}
        self.free: dict[str, deque[Slot]] = {}
        self.anywhere: deque[Slot] = deque()
        self.awaited = 0  # executors being started
        self._new = True
        self.opening = False  # the first ones: work waits for all, so that it spreads evenly

    def await_more(self, number: int) -> None:
        """So many executors are being started; the first time, nothing runs until all are there."""
        self.opening = self._new
        self._new = False
        self.awaited += number

    def await_less(self) -> None:
        """One that was awaited is there, or will never be."""
        self.awaited = max(0, self.awaited - 1)
        self.opening = self.opening and self.awaited > 0

    def add(self, executor: str, node: str) -> None:
        self.nodes[executor] = node
        self.bound[executor] = deque()
        self.free[executor] = deque()

    def remove(self, executor: str) -> tuple[int | None, list[Slot]]:
        """Take the executor away; its running task's number and the slots that waited for it."""
        if executor not in self.nodes:
            return None, []
        del self.nodes[executor]
        waited = [*self.bound.pop(executor), *self.free.pop(executor)]
        return self.busy.pop(executor, None), waited

    def idle(self) -> list[str]:
        return [executor for executor in self.nodes if executor not in self.busy]

    def wait_for(self, slot: Slot, home: str | None, bound: bool) -> None:
        """Queue a ready task: `bound` to `home` where its input is, or free, rather at `home`."""
        if home is not None and home in self.bound:
            (self.bound if bound else self.free)[home].append(slot)
        elif self.free:
            executors = list(self.free)
            self.free[executors[slot[1] % len(executors)]].append(slot)
        else:
            self.anywhere.append(slot)

    def own(self, executor: str) -> Slot | None:
        """The next task that waits for this executor."""
        for queue in (self.bound[executor], self.free[executor], self.anywhere):
            if queue:
                return queue.popleft()
        return None

    def another(self, executor: str, may_steal: Callable[[Slot, str, int], bool]) -> Slot | None:
        """A task that waits for another executor and that this idle one may take."""
        longest = max(self.free.values(), key=len)
        if longest:
            return longest.popleft()
        crowded = max(self.bound.values(), key=len)
        if crowded and may_steal(crowded[-1], executor, len(crowded)):
            return crowded.pop()
        return None

    def purge(self, stage: int) -> None:
        """Nothing of this stage waits any more."""
        for queue in (*self.bound.values(), *self.free.values(), self.anywhere):
            if any(slot[0] == stage for slot in queue):
                kept = [slot for slot in queue if slot[0] != stage]
                queue.clear()
                queue.extend(kept)

    def waiting(self) -> int:
        """How many tasks wait, for leak checks."""
        return sum(
            len(queue) for queue in (*self.bound.values(), *self.free.values(), self.anywhere)
        )
