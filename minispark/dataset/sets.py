"""Datasets put together row by row or as sets."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice, repeat
from typing import Any, Self

from minispark.dataset.core import Core
from minispark.dataset.joins import together_by_key, without_keys_of
from minispark.dataset.plans import (
    by_key,
    by_partition,
    narrow,
    positive,
    side_by_side,
    to_everyone,
    together,
    zipped,
)
from minispark.dataset.rows import first_of_each
from planner.ops import Count, Distinct, Identity, Map, Product, ZipRows
from planner.partitioning import Partitioner
from planner.plan import Node
from planner.reads import LeftOf, RightOf


def paired(_: int, rows: Iterator[Any]) -> Iterator[Any]:
    """(row, None) for every row: the row becomes a key."""
    return zip(rows, repeat(None), strict=False)


def in_both(_: int, left: Iterator[Any], right: Iterator[Any]) -> Iterator[Any]:
    """Every key of the left side once, if the right side has it."""
    there = set(first_of_each(right))
    return filter(there.__contains__, dict.fromkeys(first_of_each(left)))


def numbered_on(index: int, rows: Iterator[Any], counts: Iterator[int]) -> Iterator[Any]:
    """(row, number), counting on from the rows of all earlier partitions."""
    return zip(rows, count(sum(islice(counts, index))), strict=False)


def numbered(_: int, rows: Iterator[Any]) -> Iterator[Any]:
    """(row, number) from 0."""
    return zip(rows, count(), strict=False)


@dataclass(frozen=True, slots=True)
class NumberedApart:
    """(row, index + width * place): no two rows of any partitions get the same number."""

    width: int

    def __call__(self, index: int, rows: Iterable[Any]) -> Iterator[Any]:
        return zip(rows, count(index, self.width), strict=False)


class Sets(Core):
    """Unions, differences, products and numbering."""

    def union(self, other: Self) -> Self:
        """The rows of both datasets, duplicates included.

        Two datasets that are partitioned in the same way stay so; otherwise the result has the
        partitions of both.

        >>> sc.parallelize([1, 2]).union(sc.parallelize([2, 3])).collect()
        [1, 2, 2, 3]
        """
        return self._derive(side_by_side((self._node, self._other(other)._node)))

    def __add__(self, other: Self) -> Self:
        """`self.union(other)`.

        >>> (sc.parallelize([1]) + sc.parallelize([2])).collect()
        [1, 2]
        """
        return self.union(other)

    def distinct(self, numPartitions: int | None = None) -> Self:
        """Each different row once.

        Parameters
        ----------
        numPartitions : int, optional
            Partitions of the result.

        Examples
        --------
        >>> sorted(sc.parallelize([3, 1, 3]).distinct().collect())
        [1, 3]
        """
        channels = positive(numPartitions, self._defaultReducePartitions())
        keyed = self._once_keyed(self._node)
        gathered = by_key(keyed, Partitioner(channels))
        rows = narrow(gathered, Map(operator.itemgetter(0)))
        return self._derive(narrow(rows, Distinct()))

    def intersection(self, other: Self) -> Self:
        """Each row that both datasets have, once.

        >>> left, right = sc.parallelize([1, 2, 2, 3]), sc.parallelize([2, 3, 4])
        >>> sorted(left.intersection(right).collect())
        [2, 3]
        """
        nodes = [self._once_keyed(side._node) for side in (self, self._other(other))]
        left, right = together_by_key(self, nodes, None)
        return self._derive(together(left, right, in_both))

    def subtract(self, other: Self, numPartitions: int | None = None) -> Self:
        """The rows that `other` does not have, duplicates included.

        >>> sorted(sc.parallelize([1, 1, 2, 3]).subtract(sc.parallelize([2, 4])).collect())
        [1, 1, 3]
        """
        mine = by_partition(self._node, paired)
        theirs = self._once_keyed(self._other(other)._node)
        left, right = together_by_key(self, [mine, theirs], numPartitions)
        kept = together(left, right, without_keys_of)
        return self._derive(narrow(kept, Map(operator.itemgetter(0))))

    def cartesian(self, other: Self) -> Self:
        """All pairs of a row of this dataset and a row of `other`.

        >>> sorted(sc.parallelize([1, 2]).cartesian(sc.parallelize("ab")).collect())
        [(1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]
        """
        mine, theirs = self._node, self._other(other)._node
        left = narrow(mine, Identity(), reads=LeftOf(theirs.width))
        right = narrow(theirs, Identity(), reads=RightOf(mine.width, theirs.width))
        return self._derive(zipped((left, right), Product()))

    def zip(self, other: Self) -> Self:
        """Pairs of the rows at the same place in both datasets.

        Raises
        ------
        ValueError
            The numbers of partitions differ; in a task: two partitions differ in length.

        Examples
        --------
        >>> sc.parallelize([1, 2], 2).zip(sc.parallelize("ab", 2)).collect()
        [(1, 'a'), (2, 'b')]
        """
        mine, theirs = self._node, self._other(other)._node
        if mine.width != theirs.width:
            raise ValueError(
                "Can only zip with RDD which has the same number of partitions: "
                f"{mine.width} and {theirs.width}"
            )
        return self._derive(zipped((mine, theirs), ZipRows()))

    def zipWithIndex(self) -> Self:
        """Pairs `(row, number)`, numbered from 0 through the partitions in their order.

        No job runs here: the partitions are counted by a stage of the job that needs the numbers.

        >>> sc.parallelize("abc", 2).zipWithIndex().collect()
        [('a', 0), ('b', 1), ('c', 2)]
        """
        node = self._node
        if node.width <= 1:
            return self._derive(by_partition(node, numbered))
        counts = to_everyone(narrow(node, Count()))
        return self._derive(together(node, counts, numbered_on))

    def zipWithUniqueId(self) -> Self:
        """Pairs `(row, number)`; row i of partition p of n gets `i * n + p`.

        >>> sc.parallelize("abc", 2).zipWithUniqueId().collect()
        [('a', 0), ('b', 1), ('c', 3)]
        """
        return self._derive(by_partition(self._node, NumberedApart(self._node.width)))

    def _once_keyed(self, node: Node) -> Node:
        """(row, None) for rows that are already unique within their partition."""
        return by_partition(narrow(node, Distinct()), paired)
