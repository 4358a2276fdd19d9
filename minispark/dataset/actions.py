"""Answers: what runs a job and gives its result to the driver."""

from __future__ import annotations

import operator
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from executors.kernels.stopping import call, watched
from minispark.dataset.core import Core
from minispark.dataset.engine import RunningJob
from minispark.dataset.plans import by_partition, narrow
from minispark.dataset.reducing import Extreme, Folded, Reduced, reduced, summed
from minispark.dataset.rows import first_of_each, use_up
from minispark.dataset.zeros import fresh
from planner.ops import Count, Take
from planner.plan import Node
from planner.site import Site, call_site

_WIDER = 4  # how many times more partitions `take` may try than it has seen


@dataclass(frozen=True, slots=True)
class Done:
    """f(row) for every row, its results dropped."""

    f: Callable[[Any], Any]

    def __call__(self, index: int, rows: Iterator[Any]) -> tuple[()]:
        use_up(watched(self._calls, rows))
        return ()

    def _calls(self, rows: Iterator[Any]) -> Iterator[Any]:
        return map(self.f, rows)


@dataclass(frozen=True, slots=True)
class DoneWhole:
    """f(rows), a generator it may give read to the end, its results dropped."""

    f: Callable[[Iterator[Any]], Any]

    def __call__(self, index: int, rows: Iterator[Any]) -> tuple[()]:
        given = self.f(rows)
        if isinstance(given, Iterable):
            use_up(given)
        return ()


def tally(index: int, rows: Iterator[Any]) -> list[Counter[Any]]:
    """One row: how often each value came."""
    return [Counter(rows)]


def tally_keys(index: int, rows: Iterator[Any]) -> list[Counter[Any]]:
    """One row: how often each key came."""
    return [Counter(first_of_each(rows))]


class Actions(Core):
    """Collecting, counting and folding."""

    def collect(self) -> list[Any]:
        """All rows as a list in the driver, in the order of the partitions.

        >>> sc.parallelize([1, 2, 3], 2).collect()
        [1, 2, 3]
        """
        return self._rows(self._node)

    def collectWithJobGroup(
        self, groupId: str, description: str, interruptOnCancel: bool = False
    ) -> list[Any]:
        """`collect` as a job of a group, so that it can be cancelled by name. Deprecated.

        Parameters
        ----------
        groupId, description : str
            As for `SparkContext.setJobGroup`, for this job only.
        interruptOnCancel : bool
            Taken for compatibility: a cancelled task is always interrupted here.

        Examples
        --------
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     sc.parallelize([1, 2]).collectWithJobGroup("mine", "two numbers")
        [1, 2]
        """
        warnings.warn(
            "collectWithJobGroup is deprecated; use SparkContext.setJobGroup in a thread",
            FutureWarning,
            stacklevel=2,
        )
        node = self._node
        found = dict(self._run(node, group=groupId, description=description))
        return [row for partition in range(node.width) for row in found[partition]]

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[Any]:
        """An iterator over all rows that holds one partition at a time in the driver.

        Parameters
        ----------
        prefetchPartitions : bool
            Compute the next partition while this one is read.

        Examples
        --------
        >>> list(sc.parallelize(range(4), 2).toLocalIterator())
        [0, 1, 2, 3]
        """
        node, site = self._node, call_site()
        return self._ahead(node, site) if prefetchPartitions else self._one_by_one(node, site)

    def _one_by_one(self, node: Node, site: Site) -> Iterator[Any]:
        for partition in range(node.width):
            for _, rows in self._run(node, [partition], site=site):
                yield from rows

    def _ahead(self, node: Node, site: Site) -> Iterator[Any]:
        def ask(partition: int) -> RunningJob | None:
            return self._submit(node, [partition], site=site) if partition < node.width else None

        coming = ask(0)
        try:
            for following in range(1, node.width + 1):
                found = coming.next(None) if coming else None
                coming = ask(following)
                yield from found[1] if found else ()
        finally:
            if coming is not None:
                coming.cancel()

    def foreach(self, f: Callable[[Any], Any]) -> None:
        """Call `f(row)` for every row, in the tasks.

        >>> total = sc.accumulator(0)
        >>> sc.parallelize([1, 2, 3]).foreach(lambda x: total.add(x))
        >>> total.value
        6
        """
        self._finish(by_partition(self._node, Done(f)))

    def foreachPartition(self, f: Callable[[Iterator[Any]], Any]) -> None:
        """Call `f(rows)` for every partition, in the tasks.

        >>> total = sc.accumulator(0)
        >>> sc.parallelize([1, 2, 3]).foreachPartition(lambda rows: total.add(sum(rows)))
        >>> total.value
        6
        """
        self._finish(by_partition(self._node, DoneWhole(f)))

    def _finish(self, node: Node) -> None:
        use_up(self._run(node))

    # ---- folds -----------------------------------------------------------------------------------

    def count(self) -> int:
        """The number of rows.

        >>> sc.parallelize("abc").count()
        3
        """
        total: int = sum(self._rows(narrow(self._node, Count())))
        return total

    def sum(self) -> Any:
        """The sum of the rows, 0 where there are none.

        >>> sc.parallelize([1, 2, 3]).sum()
        6
        """
        return reduce(operator.add, self._rows(by_partition(self._node, summed)), 0)

    def reduce(self, f: Callable[[Any, Any], Any]) -> Any:
        """All rows folded by `f`, which must be associative and commutative.

        Raises
        ------
        ValueError
            There are no rows.

        Examples
        --------
        >>> sc.parallelize([1, 2, 3]).reduce(lambda a, b: a * b)
        6
        """
        return reduced(f, self._rows(by_partition(self._node, Reduced(f))))

    def fold(self, zeroValue: Any, op: Callable[[Any, Any], Any]) -> Any:
        """All rows folded by `op`, each partition and the driver starting from `zeroValue`.

        Parameters
        ----------
        zeroValue : object
            Neutral: it is used once for each partition and once more. `op` may change it; every
            use starts from a copy.
        op : callable
            Associative: `op(a, row)` gives the next a.

        Examples
        --------
        >>> from operator import add
        >>> sc.parallelize([1, 2, 3]).fold(0, add)
        6
        """
        results = self._rows(by_partition(self._node, Folded(zeroValue, op)))
        return call(reduce, op, results, fresh(zeroValue))

    def aggregate(
        self,
        zeroValue: Any,
        seqOp: Callable[[Any, Any], Any],
        combOp: Callable[[Any, Any], Any],
    ) -> Any:
        """All rows folded into a result of another type.

        Parameters
        ----------
        zeroValue : object
            As for `fold`.
        seqOp : callable
            Folds a row into a result.
        combOp : callable
            Joins two results.

        Examples
        --------
        >>> add_one = lambda total, row: (total[0] + row, total[1] + 1)
        >>> join = lambda one, other: (one[0] + other[0], one[1] + other[1])
        >>> sc.parallelize([1, 2, 3]).aggregate((0, 0), add_one, join)
        (6, 3)
        """
        results = self._rows(by_partition(self._node, Folded(zeroValue, seqOp)))
        return call(reduce, combOp, results, fresh(zeroValue))

    def max(self, key: Callable[[Any], Any] | None = None) -> Any:
        """The largest row, by `key` where it is given.

        >>> sc.parallelize([1, -5, 3]).max(), sc.parallelize([1, -5, 3]).max(abs)
        (3, -5)
        """
        return self._extreme(Extreme(max, key))

    def min(self, key: Callable[[Any], Any] | None = None) -> Any:
        """The smallest row, by `key` where it is given.

        >>> sc.parallelize([2, -5, 3]).min(), sc.parallelize([2, -5, 3]).min(abs)
        (-5, 2)
        """
        return self._extreme(Extreme(min, key))

    def _extreme(self, extreme: Extreme) -> Any:
        results = self._rows(by_partition(self._node, extreme))
        if not results:
            raise ValueError("Can not reduce() empty RDD")
        return extreme.of(results)

    def countByValue(self) -> dict[Any, int]:
        """How often each row came.

        >>> sorted(sc.parallelize("abca").countByValue().items())
        [('a', 2), ('b', 1), ('c', 1)]
        """
        return _added(self._rows(by_partition(self._node, tally)))

    def countByKey(self) -> dict[Any, int]:
        """How often each key of the pairs came.

        >>> sorted(sc.parallelize([("a", 1), ("b", 1), ("a", 1)]).countByKey().items())
        [('a', 2), ('b', 1)]
        """
        return _added(self._rows(by_partition(self._node, tally_keys)))

    # ---- some rows -------------------------------------------------------------------------------

    def take(self, num: int) -> list[Any]:
        """The first `num` rows. Partitions are computed as they are needed, the first one alone.

        >>> sc.parallelize(range(100), 10).take(3)
        [0, 1, 2]
        """
        if not hasattr(num, "__index__"):
            raise TypeError(f"The number of rows to take is an int, not {type(num).__name__}.")
        num = operator.index(num)
        node, seen = self._node, 0
        rows: list[Any] = []
        while len(rows) < num and seen < node.width:
            wanted = range(seen, min(seen + _more(num, len(rows), seen), node.width))
            taken = narrow(node, Take(num - len(rows)))
            for block in self._blocks(taken, wanted):
                rows += block
            seen = wanted.stop
        return rows[: max(num, 0)]

    def first(self) -> Any:
        """The first row.

        Raises
        ------
        ValueError
            There is none.

        Examples
        --------
        >>> sc.parallelize([2, 3, 4]).first()
        2
        """
        for row in self.take(1):
            return row
        raise ValueError("RDD is empty")

    def isEmpty(self) -> bool:
        """Whether there are no rows.

        >>> sc.parallelize([]).isEmpty(), sc.parallelize([1]).isEmpty()
        (True, False)
        """
        return not self.take(1)

    def toDF(self, schema: Any = None, sampleRatio: float | None = None) -> Any:
        """The rows as a DataFrame; it is there as soon as there is a SparkSession.

        Examples
        --------
        >>> from minispark.sql import SparkSession
        >>> session = SparkSession(sc)
        >>> sc.parallelize([(1, "a")]).toDF(["id", "name"]).collect()
        [Row(id=1, name='a')]
        """
        raise RuntimeError(
            "Dataset.toDF needs a SparkSession: SparkSession.builder.getOrCreate() makes one"
        )


def _more(num: int, found: int, seen: int) -> int:
    """How many partitions to try next, given what the first `seen` ones gave."""
    if seen == 0:
        return 1
    if found == 0:
        return seen * _WIDER
    guess = int(1.5 * num * seen / found) - seen
    return min(max(guess, 1), seen * _WIDER)


def _added(tables: list[Counter[Any]]) -> dict[Any, int]:
    """The counts of all partitions, as a dict that has 0 for everything else."""
    if not tables:
        raise ValueError("Can not reduce() empty RDD")
    total: Counter[Any] = Counter()
    for table in tables:
        total.update(table)
    return defaultdict(int, total)
