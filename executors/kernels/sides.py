"""Kernels of ops with several inputs (Zip)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence, Sized
from functools import singledispatch
from itertools import chain, islice
from typing import Any

from executors.hashing import refuse_unhashable
from executors.kernels.at import At
from executors.kernels.stopping import call
from executors.memory import BATCH
from executors.spill import Buckets
from planner import ops

Rows = Iterator[Any]
_DEPTH = 4  # how often what does not fit is split again


@singledispatch
def run_sides(op: ops.Op, sides: Sequence[Rows], at: At) -> Rows:
    """The rows of `op` over partition `at.partition` of several sides."""
    raise TypeError(f"no kernel for {op!r}")


@run_sides.register
def _zip_rows(op: ops.ZipRows, sides: Sequence[Rows], at: At) -> Rows:
    return _zipped(sides)


def _zipped(sides: Sequence[Rows]) -> Rows:
    try:
        yield from zip(*sides, strict=True)
    except ValueError as error:
        if "zip() argument" not in str(error):
            raise
        raise ValueError(
            "Can only zip with RDD which has the same number of elements in each partition"
        ) from error


@run_sides.register
def _zip_with(op: ops.ZipWith, sides: Sequence[Rows], at: At) -> Rows:
    return iter(op.f(at.partition, *sides))


@run_sides.register
def _relational(op: ops.Relational, sides: Sequence[Rows], at: At) -> Rows:
    return iter(op.f(at.partition, *sides))


@run_sides.register
def _product(op: ops.Product, sides: Sequence[Rows], at: At) -> Rows:
    left, right = sides
    again = list(right)
    return chain.from_iterable(map(lambda a: [(a, b) for b in again], left))


@run_sides.register
def _cut_by_range(op: ops.CutByRange, sides: Sequence[Rows], at: At) -> Rows:
    rows, carried = sides
    bounds: list[Any] = next(carried, [])
    f, last = op.f, op.channels - 1

    def channel_of(row: Any) -> int:
        place = bisect_left(bounds, row if f is None else f(row))
        return place if op.ascending else last - place

    return _cut(rows, channel_of)


def _cut(rows: Rows, channel_of: Callable[[Any], int]) -> Iterator[tuple[int, list[Any]]]:
    """Runs of rows of one channel. Channels never fall along the rows, so few are looked at."""
    while batch := list(islice(rows, BATCH)):
        at, last = 0, call(channel_of, batch[-1])
        while at < len(batch):
            channel = call(channel_of, batch[at])
            low, high = at + 1, len(batch)
            while channel != last and low < high:
                middle = (low + high) // 2
                if call(channel_of, batch[middle]) > channel:
                    high = middle
                else:
                    low = middle + 1
            end = high if channel != last else len(batch)
            yield channel, batch[at:end]
            at = end


@run_sides.register
def _cogroup(op: ops.CoGroup, sides: Sequence[Rows], at: At) -> Rows:
    groups = chain.from_iterable(_cogrouped(list(sides), at, 0))
    if op.wrap is None:
        return groups
    wrap = op.wrap
    return map(lambda pair: (pair[0], tuple(map(wrap, pair[1]))), groups)


def _cogrouped(sides: list[Rows], at: At, depth: int) -> Iterator[Any]:
    """Iterables of (key, (values of side 0, values of side 1, …))."""
    table: dict[Any, tuple[list[Any], ...]] = {}
    width = len(sides)
    for number, rows in enumerate(sides):
        for first in rows:
            try:
                for key, value in chain((first,), islice(rows, BATCH - 1)):
                    lists = table.get(key)
                    if lists is None:
                        lists = table[key] = tuple([] for _ in range(width))
                    lists[number].append(value)
            except TypeError as error:
                refuse_unhashable(error, [first[0]])
            if depth < _DEPTH and at.memory.full(table):
                yield from _in_buckets(table, sides, number, at, depth)
                return
    yield table.items()


def _in_buckets(
    table: dict[Any, tuple[list[Any], ...]], sides: list[Rows], number: int, at: At, depth: int
) -> Iterator[Any]:
    """Too much for memory: what was gathered and what is to come, bucket by bucket."""
    parts = [Buckets(at.spills, depth) for _ in sides]
    for at_side, part in enumerate(parts):
        part.add((key, value) for key, lists in table.items() for value in lists[at_side])
    table.clear()
    for at_side in range(number, len(sides)):
        while batch := list(islice(sides[at_side], BATCH)):
            parts[at_side].add(batch)
    for bucket in zip(*(part.each() for part in parts), strict=True):
        yield from _cogrouped(list(bucket), at, depth + 1)


@run_sides.register
def _join(op: ops.Join, sides: Sequence[Rows], at: At) -> Rows:
    left, right = sides
    return chain.from_iterable(_joined(op, left, right, at, 0))


class _Table:
    """The left side of a join. While no key came twice it holds the values themselves, and is
    filled at C speed; from then on lists of them."""

    def __init__(self) -> None:
        self.values: dict[Any, Any] = {}
        self.lists = False

    def add(self, pairs: list[Any]) -> None:
        if not self.lists:
            fresh = dict(pairs)
            if len(fresh) == len(pairs) and self.values.keys().isdisjoint(fresh):
                if self.values:
                    self.values.update(fresh)
                else:
                    self.values = fresh
                return
            self.values = {key: [value] for key, value in self.values.items()}
            self.lists = True
        table = self.values
        for key, value in pairs:
            if key in table:
                table[key].append(value)
            else:
                table[key] = [value]

    def pairs(self, but: set[Any]) -> Iterator[Any]:
        """All (key, value) whose key is not in `but`."""
        for key, held in self.values.items():
            if key not in but:
                for value in held if self.lists else (held,):
                    yield key, value


def _joined(op: ops.Join, left: Rows, right: Rows, at: At, depth: int) -> Iterator[Any]:
    """Iterables of (key, (v, w)): the left side in a table, the right one streamed past it."""
    table = _Table()
    while batch := list(islice(left, BATCH)):
        try:
            table.add(batch)
        except TypeError as error:
            refuse_unhashable(error, [pair[0] for pair in batch])
        if depth < _DEPTH and at.memory.full(table.values):
            yield from _join_in_buckets(op, table, left, right, at, depth)
            return
    matched: set[Any] = set()
    if op.left or op.right:
        yield _stream_outer(op, table, right, matched)
    elif table.lists:
        yield _stream_lists(table.values, right)
    else:
        yield from _looked_up(table.values, right)
    if op.left:
        yield ((key, (value, None)) for key, value in table.pairs(matched))


def _looked_up(table: dict[Any, Any], right: Rows) -> Iterator[Any]:
    """Iterables of matches. The parts of a value that has some lie in memory in the order of the
    rows, and to take them in another order costs more than all else: so where only the left side
    has such values its rows lead, and batches of the right side are looked up."""
    large = isinstance(next(iter(table.values()), None), Sized)
    for first in right:
        rows = chain((first,), right)
        _, value = first
        if not large or isinstance(value, Sized):
            yield _stream(table, rows)
            return
        batch = list(islice(rows, BATCH))
        others = dict(batch)
        if len(others) == len(batch) and len(table) <= 2 * len(batch):
            yield ((key, (value, others[key])) for key, value in table.items() if key in others)
        else:
            yield _stream(table, iter(batch))


def _stream(table: dict[Any, Any], right: Rows) -> Iterator[Any]:
    for key, other in right:
        if key in table:
            yield (key, (table[key], other))


def _stream_lists(table: dict[Any, Any], right: Rows) -> Iterator[Any]:
    get = table.get
    for key, other in right:
        for value in get(key, ()):
            yield (key, (value, other))


def _stream_outer(op: ops.Join, table: _Table, right: Rows, matched: set[Any]) -> Iterator[Any]:
    values, lists = table.values, table.lists
    for key, other in right:
        if key in values:
            matched.add(key)
            for value in values[key] if lists else (values[key],):
                yield (key, (value, other))
        elif op.right:
            yield (key, (None, other))


def _join_in_buckets(
    op: ops.Join, table: _Table, left: Rows, right: Rows, at: At, depth: int
) -> Iterator[Any]:
    lefts, rights = Buckets(at.spills, depth), Buckets(at.spills, depth)
    lefts.add(table.pairs(set()))
    table.values.clear()
    for side, part in ((left, lefts), (right, rights)):
        while batch := list(islice(side, BATCH)):
            part.add(batch)
    if not rights:
        rights.add(())
    for one, other in zip(lefts.each(), rights.each(), strict=True):
        yield from _joined(op, one, other, at, depth + 1)
