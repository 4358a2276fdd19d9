"""Sorted datasets, and the largest and smallest rows."""

from __future__ import annotations

import heapq
import operator
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain, islice
from typing import Any, Self

from executors.hashing import portable_hash
from executors.kernels.stopping import call, watched
from minispark.dataset.core import Core
from minispark.dataset.plans import (
    by_key,
    by_partition,
    moved,
    narrow,
    partitioner_of,
    positive,
    to_everyone,
    zipped,
)
from minispark.dataset.rows import first_of
from planner.levels import StorageLevel
from planner.ops import CutByRange, Sort
from planner.partitioning import Direct, Single
from planner.plan import Node

_SAMPLES = 100  # keys looked at for each partition of the result
_MOST_SAMPLES = 100_000  # keys that may meet in the one task that finds the bounds


def same(x: Any) -> Any:
    """x itself: the default key of sorts."""
    return x


@dataclass(frozen=True, slots=True)
class OfKey:
    """f(key) of a pair."""

    f: Callable[[Any], Any]

    def __call__(self, pair: Any) -> Any:
        return self.f(pair[0])


def sort_key(keyfunc: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What pairs are sorted by, as fast as `keyfunc` allows."""
    return first_of if keyfunc is same else OfKey(keyfunc)


@dataclass(frozen=True, slots=True)
class SampledKeys:
    """One row, (about how many rows there are, sort keys of up to 2 * `most` of them).

    The rows are sorted, so evenly spaced ones tell how the keys are spread.
    """

    f: Callable[[Any], Any]
    most: int

    def __call__(self, index: int, rows: Iterator[Any]) -> list[tuple[int, list[Any]]]:
        picked, step = evenly_spaced(rows, 2 * self.most)
        return [(len(picked) * step, list(watched(partial(map, self.f), iter(picked))))]


def evenly_spaced(rows: Iterator[Any], most: int) -> tuple[list[Any], int]:
    """Every step-th row in one pass, with the smallest step, a power of two, that gives at most
    `most` of them; and the step."""
    picked, step = list(islice(rows, most)), 1
    while len(picked) == most:
        picked, step = picked[::2], 2 * step
        picked += islice(rows, step - 1, step * (most - len(picked)), step)
    return picked, step


@dataclass(frozen=True, slots=True)
class Bounds:
    """One row: the sort keys that cut the sampled rows into `channels` even parts."""

    channels: int

    def __call__(self, index: int, samples: Iterator[tuple[int, list[Any]]]) -> list[list[Any]]:
        weighted = [(key, rows / len(keys)) for rows, keys in samples for key in keys]
        weighted.sort(key=first_of)
        upto = list(accumulate(weight for _, weight in weighted))
        if not upto:
            return [[]]
        goals = (upto[-1] * part / self.channels for part in range(1, self.channels))
        places = (min(bisect_right(upto, goal), len(upto) - 1) for goal in goals)
        return [[weighted[place][0] for place in places]]


@dataclass(frozen=True, slots=True)
class Best:
    """One row: the first `num` rows that heapq's `pick` finds by key."""

    pick: Callable[..., list[Any]]
    num: int
    key: Callable[[Any], Any] | None

    def __call__(self, index: int, rows: Iterable[Any]) -> list[list[Any]]:
        return [self.of(rows)]

    def of(self, rows: Iterable[Any]) -> list[Any]:
        """The best of any rows."""
        best: list[Any] = call(self.pick, self.num, rows, self.key)
        return best


class Ordering(Core):
    """Order among rows."""

    def sortByKey(
        self,
        ascending: bool | None = True,
        numPartitions: int | None = None,
        keyfunc: Callable[[Any], Any] = same,
    ) -> Self:
        """The pairs in the order of their keys, over all partitions. No job runs here.

        Parameters
        ----------
        ascending : bool
            False for the largest key first. Equal keys keep the order they had either way.
        numPartitions : int, optional
            Partitions of the result; each holds a range of keys.
        keyfunc : callable
            The order is that of `keyfunc(key)`.

        Examples
        --------
        >>> pairs = sc.parallelize([("b", 1), ("A", 2), ("c", 3)])
        >>> pairs.sortByKey().keys().collect()
        ['A', 'b', 'c']
        >>> pairs.sortByKey(False, 2, keyfunc=str.lower).keys().collect()
        ['c', 'b', 'A']
        """
        channels = positive(numPartitions, self._defaultReducePartitions())
        return self._derive(self._sorted(sort_key(keyfunc), bool(ascending), channels))

    def sortBy(
        self,
        keyfunc: Callable[[Any], Any],
        ascending: bool = True,
        numPartitions: int | None = None,
    ) -> Self:
        """The rows in the order of `keyfunc(row)`, over all partitions. No job runs here.

        Parameters
        ----------
        keyfunc : callable
            Gives something that can be compared for each row.
        ascending, numPartitions
            As for `sortByKey`.

        Examples
        --------
        >>> sc.parallelize([3, -4, 1]).sortBy(abs).collect()
        [1, 3, -4]
        """
        channels = positive(numPartitions, self._defaultReducePartitions())
        return self._derive(self._sorted(keyfunc, bool(ascending), channels))

    def repartitionAndSortWithinPartitions(
        self,
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
        ascending: bool = True,
        keyfunc: Callable[[Any], Any] = same,
    ) -> Self:
        """The pairs partitioned by key, each partition in the order of `keyfunc(key)`.

        Parameters
        ----------
        numPartitions, partitionFunc
            As for `partitionBy`.
        ascending, keyfunc
            As for `sortByKey`.

        Examples
        --------
        >>> pairs = sc.parallelize([(3, "c"), (0, "a"), (1, "b"), (2, "d")])
        >>> pairs.repartitionAndSortWithinPartitions(2, lambda key: key % 2).keys().glom().collect()
        [[0, 2], [1, 3]]
        """
        channels = positive(numPartitions, self._defaultReducePartitions())
        gathered = by_key(self._node, partitioner_of(channels, partitionFunc))
        op = Sort(sort_key(keyfunc), bool(ascending))
        return self._derive(narrow(gathered, op, keeps=True))

    def top(self, num: int, key: Callable[[Any], Any] | None = None) -> list[Any]:
        """The `num` largest rows, the largest first. They meet in the driver's memory.

        >>> sc.parallelize([2, 9, 4]).top(2), sc.parallelize([2, 9, 4]).top(1, key=str)
        ([9, 4], [9])
        """
        return self._best(Best(heapq.nlargest, operator.index(num), key))

    def takeOrdered(self, num: int, key: Callable[[Any], Any] | None = None) -> list[Any]:
        """The `num` smallest rows, the smallest first. They meet in the driver's memory.

        Raises
        ------
        ValueError
            `num` is negative.

        Examples
        --------
        >>> sc.parallelize([2, 9, 4]).takeOrdered(2)
        [2, 4]
        >>> sc.parallelize([2, 9, 4]).takeOrdered(2, key=lambda x: -x)
        [9, 4]
        """
        num = operator.index(num)
        if num < 0:
            raise ValueError("top N cannot be negative.")
        if num == 0 or self._node.width == 0:
            return []
        return self._best(Best(heapq.nsmallest, num, key))

    def _best(self, best: Best) -> list[Any]:
        found = self._rows(by_partition(self._node, best))
        if not found:
            raise ValueError("Can not reduce() empty RDD")
        return best.of(chain.from_iterable(found))

    def _sorted(self, f: Callable[[Any], Any], ascending: bool, channels: int) -> Node:
        """Every partition sorted, cut at bounds found from samples, and the runs merged.

        The sorted partitions are kept from the sampling stage until the runs are written, so that
        the rows are computed and sorted once.
        """
        node, order = self._node, Sort(f, ascending)
        if channels == 1:
            whole = node if node.width == 1 else moved(node, Single())
            return narrow(whole, order)
        local = self.ctx._session.persist(narrow(node, order), StorageLevel.MEMORY_ONLY)
        bounds = to_everyone(_bounds(local, f, channels))
        runs = zipped((local, bounds), CutByRange(f, channels, ascending))
        ranged = moved(runs, Direct(channels, runs=True))
        self.ctx._session.keep_until_written(local, ranged)
        return narrow(ranged, order)


def _bounds(node: Node, f: Callable[[Any], Any], channels: int) -> Node:
    """One partition, one row: the sorted bounds between the channels."""
    most = _SAMPLES * channels
    if most * node.width > _MOST_SAMPLES:
        most = max(_SAMPLES, 3 * most // max(node.width, 1))
    samples = moved(by_partition(node, SampledKeys(f, most)), Single())
    return by_partition(samples, Bounds(channels))
