"""Folds whose results meet in rounds in the executors, before the driver."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition, moved
from minispark.dataset.reducing import Folded, Reduced, reduced
from planner.partitioning import Direct
from planner.plan import Node


@dataclass(frozen=True, slots=True)
class ToChannel:
    """(index % channels, row): partitions meet in groups."""

    channels: int

    def __call__(self, index: int, rows: Iterator[Any]) -> Iterator[Any]:
        return zip(repeat(index % self.channels), rows, strict=False)


class Trees(Core):
    """For many partitions or large results."""

    def treeReduce(self, f: Callable[[Any, Any], Any], depth: int = 2) -> Any:
        """`reduce` over a tree of the given depth. One job.

        Parameters
        ----------
        f : callable
            Associative and commutative.
        depth : int
            Suggested number of levels, at least 1.

        Raises
        ------
        ValueError
            `depth` is below 1, or there are no rows.

        Examples
        --------
        >>> from operator import add
        >>> sc.parallelize(range(10), 8).treeReduce(add, depth=3)
        45
        """
        _check(depth)
        results = self._rows(_rounds(by_partition(self._node, Reduced(f)), f, depth))
        if not results:
            raise ValueError("Cannot reduce empty RDD.")
        return reduced(f, results)

    def treeAggregate(
        self,
        zeroValue: Any,
        seqOp: Callable[[Any, Any], Any],
        combOp: Callable[[Any, Any], Any],
        depth: int = 2,
    ) -> Any:
        """`aggregate` over a tree of the given depth. One job.

        Parameters
        ----------
        zeroValue, seqOp, combOp
            As for `aggregate`.
        depth : int
            Suggested number of levels, at least 1.

        Raises
        ------
        ValueError
            `depth` is below 1.

        Examples
        --------
        >>> from operator import add
        >>> sc.parallelize(range(10), 8).treeAggregate(0, add, add, depth=3)
        45
        """
        _check(depth)
        node = self._node
        if node.width == 0:
            return zeroValue
        partial = by_partition(node, Folded(zeroValue, seqOp))
        return reduced(combOp, self._rows(_rounds(partial, combOp, depth)))


def _check(depth: int) -> None:
    if operator.index(depth) < 1:
        raise ValueError(f"Depth cannot be smaller than 1 but got {depth}.")


def _rounds(node: Node, join: Callable[[Any, Any], Any], depth: int) -> Node:
    """Results joined round by round, while that leaves the driver clearly fewer of them."""
    left: float = node.width
    scale = max(math.ceil(left ** (1.0 / depth)), 2)
    while left > scale + left / scale:
        left /= scale
        channels = int(left)
        grouped = moved(by_partition(node, ToChannel(channels)), Direct(channels))
        node = by_partition(grouped, Reduced(join))
    return node
