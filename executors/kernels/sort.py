"""Sorting a partition: in memory, or in runs that are merged."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any

from executors.kernels.at import At
from executors.memory import more
from executors.spill import Runs

Rows = Iterator[Any]


def sort_rows(rows: Rows, key: Callable[[Any], Any] | None, ascending: bool, at: At) -> Rows:
    """The rows in order of `key` (of themselves if None), equal ones in the order they came."""
    runs = Runs(at.spills)
    here: list[Any] = []
    while more(here, rows):
        if at.memory.full(here):
            here.sort(key=key, reverse=not ascending)
            runs.add(here)
            here = []
    here.sort(key=key, reverse=not ascending)
    if not runs.files:
        return iter(here)
    return _merged(runs, here, key, ascending)


def _merged(runs: Runs, here: list[Any], key: Callable[[Any], Any] | None, ascending: bool) -> Rows:
    try:
        yield from heapq.merge(*runs.each(), here, key=key, reverse=not ascending)
    finally:
        runs.close()
