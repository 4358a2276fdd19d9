"""One row or one partition at a time: map and its kin."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition, narrow
from planner.ops import Filter, FlatMap, Glom, Map


@dataclass(frozen=True, slots=True)
class WithoutIndex:
    """A function of the rows alone, called as `f(index, rows)`."""

    f: Callable[[Iterator[Any]], Iterable[Any]]

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterable[Any]:
        return self.f(rows)


@dataclass(frozen=True, slots=True)
class KeyedBy:
    """(f(row), row) for every row."""

    f: Callable[[Any], Any]

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterator[Any]:
        f = self.f
        return ((f(row), row) for row in rows)


class Elementwise(Core):
    """Rows are changed where they are."""

    def map(self, f: Callable[[Any], Any], preservesPartitioning: bool = False) -> Self:
        """A dataset of `f(row)` for every row.

        Parameters
        ----------
        f : callable
            Called once for each row, in a task.
        preservesPartitioning : bool
            True promises that `f` leaves the key of every `(key, value)` row as it was, so that
            a later shuffle by key can be saved.

        Examples
        --------
        >>> sc.parallelize([1, 2, 3]).map(lambda x: x * x).collect()
        [1, 4, 9]
        """
        return self._derive(narrow(self._node, Map(f), keeps=preservesPartitioning))

    def flatMap(
        self, f: Callable[[Any], Iterable[Any]], preservesPartitioning: bool = False
    ) -> Self:
        """A dataset of every element of every `f(row)`.

        Parameters
        ----------
        f : callable
            Gives an iterable for each row.
        preservesPartitioning : bool
            As for `map`.

        Examples
        --------
        >>> sc.parallelize(["a b", "c"]).flatMap(str.split).collect()
        ['a', 'b', 'c']
        """
        return self._derive(narrow(self._node, FlatMap(f), keeps=preservesPartitioning))

    def filter(self, f: Callable[[Any], Any]) -> Self:
        """The rows for which `f(row)` is true.

        >>> sc.parallelize(range(6)).filter(lambda x: x % 2).collect()
        [1, 3, 5]
        """
        return self._derive(narrow(self._node, Filter(f), keeps=True))

    def mapPartitions(
        self,
        f: Callable[[Iterator[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
    ) -> Self:
        """The rows that `f(rows of the partition)` gives, partition by partition.

        Parameters
        ----------
        f : callable
            Gets an iterator and gives an iterable.
        preservesPartitioning : bool
            As for `map`.

        Examples
        --------
        >>> sc.parallelize([1, 2, 3, 4], 2).mapPartitions(lambda rows: [sum(rows)]).collect()
        [3, 7]
        """
        return self.mapPartitionsWithIndex(WithoutIndex(f), preservesPartitioning)

    def mapPartitionsWithIndex(
        self,
        f: Callable[[int, Iterator[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
    ) -> Self:
        """As `mapPartitions`, with the partition's number as the first argument.

        >>> rows = sc.parallelize("abcd", 2)
        >>> rows.mapPartitionsWithIndex(lambda index, rows: [(index, *rows)]).collect()
        [(0, 'a', 'b'), (1, 'c', 'd')]
        """
        return self._derive(by_partition(self._node, f, keeps=preservesPartitioning))

    def mapPartitionsWithSplit(
        self,
        f: Callable[[int, Iterator[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
    ) -> Self:
        """The old name of `mapPartitionsWithIndex`; it warns.

        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     numbered = sc.parallelize([7, 8], 2).mapPartitionsWithSplit(lambda i, rows: [i])
        >>> numbered.collect()
        [0, 1]
        """
        warnings.warn(
            "mapPartitionsWithSplit is an old name; use mapPartitionsWithIndex",
            FutureWarning,
            stacklevel=2,
        )
        return self.mapPartitionsWithIndex(f, preservesPartitioning)

    def keyBy(self, f: Callable[[Any], Any]) -> Self:
        """Pairs `(f(row), row)`.

        >>> sc.parallelize(["a", "bc"]).keyBy(len).collect()
        [(1, 'a'), (2, 'bc')]
        """
        return self._derive(by_partition(self._node, KeyedBy(f)))

    def glom(self) -> Self:
        """Every partition as one list.

        >>> sc.parallelize([1, 2, 3, 4], 2).glom().collect()
        [[1, 2], [3, 4]]
        """
        return self._derive(narrow(self._node, Glom()))
