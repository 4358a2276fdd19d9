"""Answers that end in a limit: partitions are computed as they are needed, the first one alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from planner.plan import Node
from planner.query.lowering.first_rows import FirstRows

_WIDER = 4  # times as many partitions, if those before had too few rows

Run = Callable[[Node, Sequence[int]], Iterable[tuple[int, list[Any]]]]


def in_waves(wanted: FirstRows, run: Run) -> Iterator[tuple[int, list[pa.Table]]]:
    """(partition, its tables) of the first rows, in order; `run` gives partitions in any order."""
    skip, left, seen = wanted.offset, wanted.count, 0
    while left > 0 and seen < wanted.node.width:
        wave = range(seen, min(max(1, seen * (1 + _WIDER)), wanted.node.width))
        come = dict(run(wanted.node, wave))
        for partition in wave:
            tables = []
            for table in come[partition]:
                skipped = min(skip, table.num_rows)
                part = table.slice(skipped, left)
                skip -= skipped
                left -= part.num_rows
                tables.append(part)
            yield partition, tables
        seen = wave.stop
