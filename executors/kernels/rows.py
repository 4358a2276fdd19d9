"""Kernels of ops with one input: an iterator of rows in, an iterator of rows out.

Everything stays lazy, and the loops are C iterators: thousands of them can be stacked, and a row
costs little more than the user's function.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial, singledispatch
from itertools import chain, groupby, islice
from typing import Any

from executors.kernels import combine
from executors.kernels.at import At
from executors.kernels.sort import sort_rows
from executors.kernels.stopping import call, watched
from planner import ops

Rows = Iterator[Any]


_ELEMENTWISE = (ops.Map, ops.Filter, ops.FlatMap, ops.MapValues, ops.FlatMapValues, ops.TagByKey)


def run_all(steps: Iterable[ops.Op], rows: Rows, at: At) -> Rows:
    """The rows of one op after the other. Runs of one-row-at-a-time ops are watched together: only
    a StopIteration of the user's could make them leave rows unread."""
    for elementwise, run_of in groupby(steps, lambda op: isinstance(op, _ELEMENTWISE)):
        chained = partial(_run_each, list(run_of), at)
        rows = watched(chained, rows) if elementwise else chained(rows)
    return rows


def _run_each(steps: list[ops.Op], at: At, rows: Rows) -> Rows:
    for op in steps:
        rows = run(op, rows, at)
    return rows


@singledispatch
def run(op: ops.Op, rows: Rows, at: At) -> Rows:
    """The rows of `op` over the rows of one partition."""
    raise TypeError(f"no kernel for {op!r}")


@run.register
def _map(op: ops.Map, rows: Rows, at: At) -> Rows:
    return map(op.f, rows)


@run.register
def _filter(op: ops.Filter, rows: Rows, at: At) -> Rows:
    return filter(op.f, rows)


@run.register
def _flat_map(op: ops.FlatMap, rows: Rows, at: At) -> Rows:
    return chain.from_iterable(map(op.f, rows))


@run.register
def _map_values(op: ops.MapValues, rows: Rows, at: At) -> Rows:
    f = op.f
    return map(lambda pair: (pair[0], f(pair[1])), rows)


@run.register
def _flat_map_values(op: ops.FlatMapValues, rows: Rows, at: At) -> Rows:
    f = op.f

    def spread(pair: Any) -> Iterable[Any]:
        key = pair[0]
        return [(key, value) for value in f(pair[1])]

    return chain.from_iterable(map(spread, rows))


@run.register
def _identity(op: ops.Identity, rows: Rows, at: At) -> Rows:
    return rows


@run.register
def _map_partitions(op: ops.MapPartitions, rows: Rows, at: At) -> Rows:
    return iter(op.f(at.partition, rows))


@run.register
def _relational(op: ops.Relational, rows: Rows, at: At) -> Rows:
    return iter(op.f(at.partition, rows))


@run.register
def _glom(op: ops.Glom, rows: Rows, at: At) -> Rows:
    return map(list, iter((rows,)))


@run.register
def _sort(op: ops.Sort, rows: Rows, at: At) -> Rows:
    return _later(lambda: call(sort_rows, rows, op.f, op.ascending, at))


@run.register
def _count(op: ops.Count, rows: Rows, at: At) -> Rows:
    return map(_length, iter((rows,)))


@run.register
def _take(op: ops.Take, rows: Rows, at: At) -> Rows:
    return islice(rows, op.n)


@run.register
def _combine(op: ops.Combine, rows: Rows, at: At) -> Rows:
    return combine.combine(op, rows, at)


@run.register
def _group(op: ops.GroupValues, rows: Rows, at: At) -> Rows:
    groups = combine.group(rows, op.gathered, at)
    if op.wrap is None:
        return groups
    wrap = op.wrap
    return map(lambda pair: (pair[0], wrap(pair[1])), groups)


@run.register
def _gather(op: ops.GatherValues, rows: Rows, at: At) -> Rows:
    return combine.gather(rows, at)


@run.register
def _distinct(op: ops.Distinct, rows: Rows, at: At) -> Rows:
    return combine.distinct(rows, at)


@run.register
def _tag_by_key(op: ops.TagByKey, rows: Rows, at: At) -> Rows:
    f, channels = op.f, op.channels
    return map(lambda pair: (f(pair[0]) % channels, pair), rows)


def _length(rows: Rows) -> int:
    """How many rows an iterator gives, at C speed."""
    counter = deque(enumerate(rows, 1), maxlen=1)
    return int(counter[0][0]) if counter else 0


def _later(make: Any) -> Rows:
    """An iterator that asks for its rows when the first of them is wanted."""
    return chain.from_iterable(map(lambda make: make(), (make,)))
