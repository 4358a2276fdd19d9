"""Datasets brought together by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from minispark.dataset.core import Core
from minispark.dataset.plans import by_key, positive, together, zipped
from minispark.dataset.rows import first_of_each
from minispark.resultiterable import ResultIterable
from planner.ops import CoGroup, Join
from planner.partitioning import Partitioner
from planner.plan import Node

# A side that is partitioned already stays where it is unless it is this many times narrower than
# the widest side: a join through one old partition would cost more than the shuffle it saves.
_MUCH_WIDER = 10


def without_keys_of(_: int, left: Iterator[Any], right: Iterator[Any]) -> Iterator[Any]:
    """The pairs of the left side whose key the right side does not have."""
    gone = set(first_of_each(right))
    return (pair for pair in left if pair[0] not in gone)


def together_by_key(
    dataset: Core, nodes: Sequence[Node], numPartitions: int | None
) -> tuple[Node, ...]:
    """All nodes partitioned in the same way, so that equal keys meet.

    Where the user named no number, a side that is already partitioned keeps its place; otherwise
    there are as many partitions as the sides have in all (or `spark.default.parallelism`).
    """
    partitioner = _reused(nodes) if numPartitions is None else None
    if partitioner is None:
        given = dataset.ctx._conf.contains("spark.default.parallelism")
        default = dataset.ctx.defaultParallelism if given else sum(node.width for node in nodes)
        partitioner = Partitioner(positive(numPartitions, default))
    return tuple(by_key(node, partitioner) for node in nodes)


def _reused(nodes: Sequence[Node]) -> Partitioner | None:
    promises = [node.promise for node in nodes if node.promise is not None]
    if not promises:
        return None
    widest = max(node.width for node in nodes)
    best = max(promises, key=lambda promise: promise.channels)
    return best if best.channels * _MUCH_WIDER >= widest else None


class Joins(Core):
    """Joins and groups over several datasets of pairs."""

    def join(self, other: Self, numPartitions: int | None = None) -> Self:
        """(key, (v, w)) for every pair of values of the same key.

        Parameters
        ----------
        other : Dataset
            Pairs `(key, w)`.
        numPartitions : int, optional
            Partitions of the result. A side that is partitioned so already does not move.

        Examples
        --------
        >>> ages = sc.parallelize([("ann", 30), ("bob", 40)])
        >>> towns = sc.parallelize([("ann", "Bonn"), ("ann", "Rome")])
        >>> sorted(ages.join(towns).collect())
        [('ann', (30, 'Bonn')), ('ann', (30, 'Rome'))]
        """
        return self._joined(other, Join(), numPartitions)

    def leftOuterJoin(self, other: Self, numPartitions: int | None = None) -> Self:
        """As `join`, with (key, (v, None)) for keys that only this dataset has.

        >>> left, right = sc.parallelize([(1, "a"), (2, "b")]), sc.parallelize([(1, "x")])
        >>> sorted(left.leftOuterJoin(right).collect())
        [(1, ('a', 'x')), (2, ('b', None))]
        """
        return self._joined(other, Join(left=True), numPartitions)

    def rightOuterJoin(self, other: Self, numPartitions: int | None = None) -> Self:
        """As `join`, with (key, (None, w)) for keys that only `other` has.

        >>> left, right = sc.parallelize([(1, "a")]), sc.parallelize([(1, "x"), (2, "y")])
        >>> sorted(left.rightOuterJoin(right).collect())
        [(1, ('a', 'x')), (2, (None, 'y'))]
        """
        return self._joined(other, Join(right=True), numPartitions)

    def fullOuterJoin(self, other: Self, numPartitions: int | None = None) -> Self:
        """As `join`, with None in place of the values that a side does not have.

        >>> left, right = sc.parallelize([(1, "a")]), sc.parallelize([(2, "y")])
        >>> sorted(left.fullOuterJoin(right).collect())
        [(1, ('a', None)), (2, (None, 'y'))]
        """
        return self._joined(other, Join(left=True, right=True), numPartitions)

    def cogroup(self, other: Self, numPartitions: int | None = None) -> Self:
        """(key, (values here, values in `other`)) for every key of either dataset.

        >>> left, right = sc.parallelize([(1, "a"), (1, "b")]), sc.parallelize([(2, "y")])
        >>> groups = sorted(left.cogroup(right).collect())
        >>> [(key, list(here), list(there)) for key, (here, there) in groups]
        [(1, ['a', 'b'], []), (2, [], ['y'])]
        """
        return self._grouped((other,), numPartitions)

    def groupWith(self, other: Self, *others: Self) -> Self:
        """`cogroup` of any number of datasets.

        >>> a, b, c = (sc.parallelize([(1, name)]) for name in "abc")
        >>> [(key, [list(v) for v in values]) for key, values in a.groupWith(b, c).collect()]
        [(1, [['a'], ['b'], ['c']])]
        """
        return self._grouped((other, *others), None)

    def subtractByKey(self, other: Self, numPartitions: int | None = None) -> Self:
        """The pairs whose key `other` does not have.

        >>> left, right = sc.parallelize([(1, "a"), (2, "b")]), sc.parallelize([(2, None)])
        >>> left.subtractByKey(right).collect()
        [(1, 'a')]
        """
        sides = (self._node, self._other(other)._node)
        left, right = together_by_key(self, sides, numPartitions)
        return self._derive(together(left, right, without_keys_of, keeps=True))

    def _joined(self, other: Core, op: Join, numPartitions: int | None) -> Self:
        nodes = (self._node, self._other(other)._node)
        sides = together_by_key(self, nodes, numPartitions)
        return self._derive(zipped(sides, op, keeps=True))

    def _grouped(self, others: Sequence[Core], numPartitions: int | None) -> Self:
        nodes = (self._node, *(self._other(other)._node for other in others))
        sides = together_by_key(self, nodes, numPartitions)
        return self._derive(zipped(sides, CoGroup(ResultIterable), keeps=True))
