"""What the footers of Parquet files say of values: the least and greatest of each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner.query.spans import number

_GROUPS = 32  # of a file: sizes are guessed from so many
_ALL_GROUPS = 1024  # of all files: if there are no more, each is looked at


@dataclass(frozen=True)
class Spans:
    """`of`: names of columns with their least and greatest value; `sure`: the columns of which
    no value lies elsewhere, since every row group told."""

    of: tuple[tuple[str, float, float], ...] = ()
    sure: frozenset[str] = frozenset()


def spans_of(groups: Sequence[Any], files: int = 1) -> Spans:
    """Of a file's row groups (`pyarrow.parquet.RowGroupMetaData`), where it is one of `files`."""
    step = max(1, len(groups) // max(_GROUPS, _ALL_GROUPS // files))
    found = together([_of_group(group) for group in groups[::step]])
    return found if step == 1 else Spans(found.of)


def _of_group(group: Any) -> Spans:
    found = []
    sure = []
    for at in range(group.num_columns):
        column = group.column(at)
        if column.physical_type == "BYTE_ARRAY" or not column.is_stats_set:
            continue
        stats = column.statistics
        if not stats.has_min_max:
            if stats.null_count == group.num_rows:
                sure.append(column.path_in_schema)
            continue
        low, high = number(stats.min), number(stats.max)
        if low is not None and high is not None:
            found.append((column.path_in_schema, low, high))
            sure.append(column.path_in_schema)
    return Spans(tuple(found), frozenset(sure))


def together(parts: Sequence[Spans]) -> Spans:
    """The spans of several pieces as those of all."""
    found: dict[str, tuple[float, float]] = {}
    for name, low, high in (each for part in parts for each in part.of):
        known = found.get(name, (low, high))
        found[name] = (min(low, known[0]), max(high, known[1]))
    sure = frozenset.intersection(*(part.sure for part in parts)) if parts else frozenset[str]()
    return Spans(tuple((name, low, high) for name, (low, high) in found.items()), sure)
