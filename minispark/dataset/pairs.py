"""Datasets of `(key, value)` pairs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from executors.hashing import portable_hash
from executors.kernels.stopping import call
from executors.pickling import by_value
from minispark.dataset.core import Core
from minispark.dataset.elementwise import KeyedBy
from minispark.dataset.plans import by_key, by_partition, narrow, partitioner_of, positive
from minispark.dataset.reducing import reduced
from minispark.dataset.rows import first_of, second_of
from minispark.dataset.zeros import with_zero
from minispark.resultiterable import ResultIterable
from planner.ops import Combine, FlatMapValues, GatherValues, GroupValues, Map, MapValues
from planner.partitioning import Partitioner
from planner.plan import Node, Source
from planner.site import call_site
from planner.sources import RowsPart

Fn = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class FoldedByKey:
    """One dict of a partition: every key with its values folded by f."""

    f: Callable[[Any, Any], Any]

    def __call__(self, index: int, rows: Iterable[Any]) -> list[dict[Any, Any]]:
        return [call(merged_values, {}, rows, self.f)]


def merged_values(
    table: dict[Any, Any], pairs: Iterable[Any], f: Callable[[Any, Any], Any]
) -> dict[Any, Any]:
    """Fold the pairs into `table`, in place."""
    for key, value in pairs:
        table[key] = f(table[key], value) if key in table else value
    return table


@dataclass(frozen=True, slots=True)
class ChannelOf:
    """The partition of the keys that come as rows."""

    partitioner: Partitioner

    def __call__(self, index: int, keys: Iterator[Any]) -> list[int]:
        func, channels = self.partitioner.func or portable_hash, self.partitioner.channels
        return [func(key) % channels for key in keys]


@dataclass(frozen=True, slots=True)
class ValuesOf:
    """The values of the pairs with one key."""

    key: Any

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterator[Any]:
        wanted = self.key
        return (pair[1] for pair in rows if pair[0] == wanted)


class Pairs(Core):
    """Rows are pairs; what is alike in key comes together."""

    def keys(self) -> Self:
        """The first of each pair.

        >>> sc.parallelize([(1, "a"), (2, "b")]).keys().collect()
        [1, 2]
        """
        return self._derive(narrow(self._node, Map(first_of)))

    def values(self) -> Self:
        """The second of each pair.

        >>> sc.parallelize([(1, "a"), (2, "b")]).values().collect()
        ['a', 'b']
        """
        return self._derive(narrow(self._node, Map(second_of)))

    def mapValues(self, f: Callable[[Any], Any]) -> Self:
        """(key, f(value)) for every pair; keys stay where they are.

        >>> sc.parallelize([(1, "a"), (2, "bc")]).mapValues(len).collect()
        [(1, 1), (2, 2)]
        """
        return self._derive(narrow(self._node, MapValues(f), keeps=True))

    def flatMapValues(self, f: Callable[[Any], Iterable[Any]]) -> Self:
        """(key, x) for every pair and every x of f(value); keys stay where they are.

        >>> sc.parallelize([(1, "ab"), (2, "")]).flatMapValues(list).collect()
        [(1, 'a'), (1, 'b')]
        """
        return self._derive(narrow(self._node, FlatMapValues(f), keeps=True))

    def partitionBy(
        self,
        numPartitions: int | None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """The pairs moved to partition `partitionFunc(key) % numPartitions`.

        A dataset that is partitioned so already is given back as it is.

        Parameters
        ----------
        numPartitions : int or None
            Partitions of the result; None takes the default of shuffles.
        partitionFunc : callable, optional
            Gives an int for a key, the same in every process.

        Examples
        --------
        >>> pairs = sc.parallelize([(0, "a"), (1, "b"), (2, "c")])
        >>> pairs.partitionBy(2, lambda key: key).glom().collect()
        [[(0, 'a'), (2, 'c')], [(1, 'b')]]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        moved = by_key(self._node, partitioner)
        return self if moved is self._node else self._derive(moved)

    def combineByKey(
        self,
        createCombiner: Callable[[Any], Any],
        mergeValue: Callable[[Any, Any], Any],
        mergeCombiners: Callable[[Any, Any], Any],
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(key, combined values) for every key: the general form of the `…ByKey` methods.

        Parameters
        ----------
        createCombiner : callable
            Makes a combiner from the first value of a key.
        mergeValue : callable
            Gives the combiner with one more value.
        mergeCombiners : callable
            Gives one combiner for two.
        numPartitions, partitionFunc
            As for `partitionBy`.

        Examples
        --------
        >>> pairs = sc.parallelize([("a", 1), ("b", 5), ("a", 2)])
        >>> sizes = pairs.combineByKey(lambda v: [v], lambda c, v: c + [v], lambda c, d: c + d)
        >>> sorted(sizes.mapValues(sorted).collect())
        [('a', [1, 2]), ('b', [5])]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        fold = (createCombiner, mergeValue, mergeCombiners)
        return self._derive(_combined(self._node, partitioner, *fold))

    def reduceByKey(
        self,
        func: Callable[[Any, Any], Any],
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(key, all its values folded by `func`). Values are folded before they are moved, too.

        Parameters
        ----------
        func : callable
            Associative and commutative: `func(a, b)` gives a value.
        numPartitions, partitionFunc
            As for `partitionBy`.

        Examples
        --------
        >>> from operator import add
        >>> sorted(sc.parallelize([("a", 1), ("b", 5), ("a", 2)]).reduceByKey(add).collect())
        [('a', 3), ('b', 5)]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        return self._derive(_combined(self._node, partitioner, None, func, func))

    def aggregateByKey(
        self,
        zeroValue: Any,
        seqFunc: Callable[[Any, Any], Any],
        combFunc: Callable[[Any, Any], Any],
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(key, its values folded into a copy of `zeroValue`).

        Parameters
        ----------
        zeroValue : object
            Where each key starts; copied for each key, so `seqFunc` may change it.
        seqFunc : callable
            Folds a value into a result.
        combFunc : callable
            Joins two results.
        numPartitions, partitionFunc
            As for `partitionBy`.

        Examples
        --------
        >>> pairs = sc.parallelize([("a", 1), ("b", 5), ("a", 2)])
        >>> seen = pairs.aggregateByKey(set(), lambda s, v: s | {v}, lambda s, t: s | t)
        >>> sorted(seen.collect())
        [('a', {1, 2}), ('b', {5})]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        create = with_zero(copy.deepcopy(zeroValue), seqFunc)
        return self._derive(_combined(self._node, partitioner, create, seqFunc, combFunc))

    def foldByKey(
        self,
        zeroValue: Any,
        func: Callable[[Any, Any], Any],
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(key, its values folded by `func` from a neutral `zeroValue`).

        `zeroValue` may be added more than once, so it must change nothing (0 for sums).

        >>> from operator import add
        >>> sorted(sc.parallelize([("a", 1), ("b", 5), ("a", 2)]).foldByKey(0, add).collect())
        [('a', 3), ('b', 5)]
        """
        return self.aggregateByKey(zeroValue, func, func, numPartitions, partitionFunc)

    def groupByKey(
        self,
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(key, an iterable of its values). To fold them, `reduceByKey` moves far fewer rows.

        >>> groups = sc.parallelize([("a", 1), ("b", 5), ("a", 2)]).groupByKey()
        >>> sorted(groups.mapValues(sorted).collect())
        [('a', [1, 2]), ('b', [5])]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        return self._derive(_grouped(self._node, partitioner))

    def groupBy(
        self,
        f: Callable[[Any], Any],
        numPartitions: int | None = None,
        partitionFunc: Callable[[Any], int] = portable_hash,
    ) -> Self:
        """(f(row), an iterable of the rows that gave it).

        >>> groups = sc.parallelize(range(5)).groupBy(lambda x: x % 2)
        >>> sorted((key, sorted(rows)) for key, rows in groups.collect())
        [(0, [0, 2, 4]), (1, [1, 3])]
        """
        partitioner = self._partitioner(numPartitions, partitionFunc)
        return self._derive(_grouped(by_partition(self._node, KeyedBy(f)), partitioner))

    # ---- answers ---------------------------------------------------------------------------------

    def reduceByKeyLocally(self, func: Callable[[Any, Any], Any]) -> dict[Any, Any]:
        """`reduceByKey`, its result a dict in the driver.

        >>> from operator import add
        >>> sorted(sc.parallelize([("a", 1), ("a", 2)]).reduceByKeyLocally(add).items())
        [('a', 3)]
        """
        tables = self._rows(by_partition(self._node, FoldedByKey(func)))

        def join(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
            return merged_values(one, other.items(), func)

        table: dict[Any, Any] = reduced(join, tables)
        return table

    def collectAsMap(self) -> dict[Any, Any]:
        """All pairs as a dict in the driver; of equal keys the last one stays.

        >>> sc.parallelize([(1, "a"), (2, "b")]).collectAsMap()
        {1: 'a', 2: 'b'}
        """
        return dict(self._rows(self._node))

    def lookup(self, key: Any) -> list[Any]:
        """The values of `key`. Only one partition is read where it is known which one it is.

        >>> pairs = sc.parallelize([(1, "a"), (2, "b"), (1, "c")])
        >>> pairs.lookup(1), pairs.partitionBy(2).lookup(3)
        (['a', 'c'], [])
        """
        node = self._node
        wanted = by_partition(node, ValuesOf(key))
        if node.promise is None:
            return self._rows(wanted)
        keys = Source((RowsPart(by_value([key]), 1),), "key", site=call_site())
        channels: list[int] = self._rows(by_partition(keys, ChannelOf(node.promise)))
        return self._blocks(wanted, channels)[0]

    def _partitioner(
        self, numPartitions: int | None, partitionFunc: Callable[[Any], int]
    ) -> Partitioner:
        channels = positive(numPartitions, self._defaultReducePartitions())
        return partitioner_of(channels, partitionFunc)


def _grouped(node: Node, partitioner: Partitioner) -> Node:
    """Values in lists before they are moved (keys travel once), joined to one list after."""
    if node.promise == partitioner:
        return narrow(node, GroupValues(ResultIterable), keeps=True)
    gathered = by_key(narrow(node, GatherValues(), keeps=True), partitioner)
    return narrow(gathered, GroupValues(ResultIterable, gathered=True), keeps=True)


def _combined(node: Node, partitioner: Partitioner, create: Fn | None, merge: Fn, join: Fn) -> Node:
    """Partial combining, the exchange, final combining; one pass where keys are in place."""
    if node.promise == partitioner:
        return narrow(node, Combine(create, merge, join, whole=True), keeps=True)
    partial = narrow(node, Combine(create, merge, join, whole=False), keeps=True)
    gathered = by_key(partial, partitioner)
    return narrow(gathered, Combine(None, join, join, whole=True), keeps=True)
