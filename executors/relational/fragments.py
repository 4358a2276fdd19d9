"""A task's fragment: inputs and files become a Polars query, its answer an Arrow table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import polars as pl
import pyarrow as pa

from executors import pickling
from executors.nesting import room
from executors.relational.damage import blamed
from executors.relational.errors import translated
from executors.relational.extents import Extents
from executors.relational.nodes import Making, lazily
from executors.relational.steps import MODULES
from executors.relational.tables import table_of
from planner.columns.columnar import to_arrow
from planner.columns.types import nullable
from planner.query.fragment import Fragment, children_of
from planner.query.once import used_often

assert MODULES  # the steps and the functions are registered by importing them

_COMPAT = pl.CompatLevel.newest()
# Joins are in the order of `planner/query/optimiser/joinorder.py`, which knows more of the tables.
_HOW = pl.QueryOptFlags(join_order=False)


@dataclass(frozen=True, eq=False)
class RunFragment:
    """The function of a task: `sides` are iterators of Arrow tables, the answer is one table.

    The columns are named `name#id`, as `Attr.column` says.
    """

    fragment: Fragment

    def __reduce__(self) -> tuple[Any, ...]:
        """Plainly, in half the time that pickling by value takes, but for a user's functions."""
        plainly = pickling.by_name(self.fragment)
        return (_unpickled, (plainly,)) if plainly else (RunFragment, (self.fragment,))

    def __call__(self, partition: int, *sides: Iterable[pa.Table]) -> Iterator[pa.Table]:
        yield answer(self.fragment, [list(side) for side in sides], partition)


def _unpickled(data: bytes) -> RunFragment:
    return RunFragment(pickling.loads(data))


def answer(fragment: Fragment, sides: Sequence[list[pa.Table]], partition: int) -> pa.Table:
    """The table that a fragment makes of its inputs."""
    try:
        with translated(), room():
            frame = query(fragment, sides, partition).collect(
                engine="streaming", optimizations=_HOW
            )
    except (pl.exceptions.PolarsError, OSError) as error:
        found = blamed([*fragment.nodes, *chain.from_iterable(sides)], error)
        if found is None:
            raise
        raise found from None
    return table_of(frame, _COMPAT)


def query(fragment: Fragment, sides: Sequence[list[pa.Table]], partition: int) -> pl.LazyFrame:
    """The fragment as a Polars query."""
    settings = replace(fragment.settings, partition=partition)
    making = Making(settings, sides, partition, Extents(fragment.nodes, sides))
    once, again = used_often(fragment)
    made: dict[int, pl.LazyFrame] = {}
    for place in range(len(fragment.nodes)):
        if place not in again:
            found = _rows(fragment, place, made, making)
            made[place] = found.cache() if place in once else found
    last = _rows(fragment, len(fragment.nodes) - 1, made, making)
    return last.select([attr.column for attr in fragment.output])


def _rows(
    fragment: Fragment, place: int, made: dict[int, pl.LazyFrame], making: Making
) -> pl.LazyFrame:
    """A node's rows for one of those that stand on it; what is not in `made` is made again."""
    if place in made:
        return made[place]
    node = fragment.nodes[place]
    below = [_rows(fragment, at, made, making) for at in children_of(node)]
    return lazily(node, below, making)


def columnless(rows: int) -> pa.Table:
    """A table of rows without columns."""
    return pa.table({"": pa.nulls(rows)}).select([])


def named(table: pa.Table, output: Sequence[Any]) -> pa.Table:
    """The table with the names and types that the user sees."""
    if not output:
        return columnless(table.num_rows)
    schema = pa.schema([pa.field(a.name, to_arrow(nullable(a.kind)), True) for a in output])
    columns = [
        column.cast(field.type) if column.type != field.type else column
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
