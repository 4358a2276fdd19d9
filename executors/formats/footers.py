"""What the footers of Parquet files say of values: the least and greatest of each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planner.query.spans import number

Spans = tuple[tuple[str, float, float], ...]
_GROUPS = 32  # of a file: sizes are guessed from so many


def spans_of(groups: Sequence[Any]) -> Spans:
    """Of a file's row groups (`pyarrow.parquet.RowGroupMetaData`): name, least, greatest."""
    step = max(1, len(groups) // _GROUPS)
    return together([_of_group(group) for group in groups[::step]])


def _of_group(group: Any) -> Spans:
    found = []
    for at in range(group.num_columns):
        column = group.column(at)
        if column.physical_type == "BYTE_ARRAY" or not column.is_stats_set:
            continue
        stats = column.statistics
        if not stats.has_min_max:
            continue
        low, high = number(stats.min), number(stats.max)
        if low is not None and high is not None:
            found.append((column.path_in_schema, low, high))
    return tuple(found)


def together(parts: Sequence[Spans]) -> Spans:
    """The spans of several pieces as those of all."""
    found: dict[str, tuple[float, float]] = {}
    for name, low, high in (each for part in parts for each in part):
        known = found.get(name, (low, high))
        found[name] = (min(low, known[0]), max(high, known[1]))
    return tuple((name, low, high) for name, (low, high) in found.items())
