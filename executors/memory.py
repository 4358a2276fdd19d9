"""Is there room for more rows? Asked every some ten thousand by whatever grows with its input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from executors.sizing import estimate

_PAGE = os.sysconf("SC_PAGE_SIZE")
BATCH = 1 << 16  # rows between two questions
FLOOR = 4 << 20  # never call less than this too much


def resident() -> int:
    """Resident bytes of this process."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except OSError:  # not Linux: without the cheap gate every question goes to the estimate
        return 1 << 62


class Memory:
    """The share of a worker's budget that running tasks may fill with rows.

    `budget` is in bytes; `kept` tells how much of it cached partitions use now. At least a quarter
    of the budget is always the tasks'.
    """

    def __init__(self, budget: int, kept: Callable[[], int]) -> None:
        self.budget = budget
        self._kept = kept
        self._base = resident() if resident() < 1 << 61 else 0

    @property
    def room(self) -> int:
        """Bytes a growing structure may take."""
        return max(self.budget - self._kept(), self.budget // 4, FLOOR)

    def full(self, rows: Any) -> bool:
        """Whether `rows` (a dict or a list) has outgrown the room."""
        if resident() - self._base < self.room // 2:
            return False
        return size_of(rows) > self.room


def more(rows: list[Any], source: Iterator[Any]) -> bool:
    """Append the next BATCH of `source` to `rows`; False if none came."""
    before = len(rows)
    rows.extend(islice(source, BATCH))
    return len(rows) > before


def size_of(rows: dict[Any, Any] | Sequence[Any]) -> int:
    """Estimated bytes of a dict or list and all it holds, from a sample."""
    return estimate(rows)
