"""Kernels of ops with several inputs (Zip)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import partial, singledispatch
from itertools import chain, islice
from typing import Any

from executors.hashing import explain_unhashable
from executors.kernels.at import At
from executors.kernels.stopping import watched
from executors.memory import BATCH
from executors.spill import Buckets
from planner import ops

Rows = Iterator[Any]


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
def _product(op: ops.Product, sides: Sequence[Rows], at: At) -> Rows:
    left, right = sides
    again = list(right)
    return chain.from_iterable(map(lambda a: [(a, b) for b in again], left))


@run_sides.register
def _tag_by_range(op: ops.TagByRange, sides: Sequence[Rows], at: At) -> Rows:
    rows, carried = sides
    bounds: list[Any] = next(carried, [])
    f, last = op.f, op.channels - 1

    def tag(row: Any) -> tuple[int, Any]:
        place = bisect_left(bounds, row if f is None else f(row))
        return (place if op.ascending else last - place, row)

    return watched(partial(map, tag), rows)


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
                raise explain_unhashable(error, [first[0]]) from error
            if depth < 4 and at.memory.full(table):
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


def _joined(op: ops.Join, left: Rows, right: Rows, at: At, depth: int) -> Iterator[Any]:
    """Iterables of (key, (v, w)): the left side in a table, the right one streamed past it."""
    table: dict[Any, list[Any]] = {}
    for first in left:
        try:
            for key, value in chain((first,), islice(left, BATCH - 1)):
                if key in table:
                    table[key].append(value)
                else:
                    table[key] = [value]
        except TypeError as error:
            raise explain_unhashable(error, [first[0]]) from error
        if depth < 4 and at.memory.full(table):
            yield from _join_in_buckets(op, table, left, right, at, depth)
            return
    matched: set[Any] = set()
    yield _stream(op, table, right, matched)
    if op.left:
        yield (
            (key, (value, None))
            for key, values in table.items()
            if key not in matched
            for value in values
        )


def _stream(
    op: ops.Join, table: dict[Any, list[Any]], right: Rows, matched: set[Any]
) -> Iterator[Any]:
    get = table.get
    if not op.left and not op.right:
        for key, other in right:
            for value in get(key, ()):
                yield (key, (value, other))
        return
    for key, other in right:
        values = get(key)
        if values is not None:
            matched.add(key)
            for value in values:
                yield (key, (value, other))
        elif op.right:
            yield (key, (None, other))


def _join_in_buckets(
    op: ops.Join, table: dict[Any, list[Any]], left: Rows, right: Rows, at: At, depth: int
) -> Iterator[Any]:
    lefts, rights = Buckets(at.spills, depth), Buckets(at.spills, depth)
    lefts.add((key, value) for key, values in table.items() for value in values)
    table.clear()
    for side, part in ((left, lefts), (right, rights)):
        while batch := list(islice(side, BATCH)):
            part.add(batch)
    if not rights:
        rights.add(())
    for one, other in zip(lefts.each(), rights.each(), strict=True):
        yield from _joined(op, one, other, at, depth + 1)
