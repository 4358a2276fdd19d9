"""How many partitions there are, and what their tasks need."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from minispark.dataset.core import Core
from minispark.dataset.elementwise import WithoutIndex
from minispark.dataset.plans import above_zero, moved, narrow
from minispark.resource.profile import ResourceProfile
from planner.ops import Identity, MapPartitions
from planner.partitioning import RoundRobin
from planner.plan import Exchange, Narrow, Node
from planner.reads import coalesce
from planner.site import call_site

D = TypeVar("D", bound="Layout")


class RDDBarrier(Generic[D]):
    """A dataset whose next step starts all its tasks together.

    Parameters
    ----------
    rdd : Dataset
        What `barrier` was called on.

    Examples
    --------
    >>> from minispark import BarrierTaskContext
    >>> def meet(rows):
    ...     BarrierTaskContext.get().barrier()
    ...     return rows
    >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(meet).collect()
    [1, 2]
    """

    def __init__(self, rdd: D) -> None:
        self.rdd = rdd

    def mapPartitions(
        self,
        f: Callable[[Iterator[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
    ) -> D:
        """`Dataset.mapPartitions` in a barrier stage: if a task fails, all run again.

        >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(lambda rows: [sum(rows)]).collect()
        [1, 2]
        """
        return self.mapPartitionsWithIndex(WithoutIndex(f), preservesPartitioning)

    def mapPartitionsWithIndex(
        self,
        f: Callable[[int, Iterator[Any]], Iterable[Any]],
        preservesPartitioning: bool = False,
    ) -> D:
        """`Dataset.mapPartitionsWithIndex` in a barrier stage: if a task fails, all run again.

        >>> pairs = sc.parallelize([7, 8], 2).barrier()
        >>> pairs.mapPartitionsWithIndex(lambda index, rows: [(index, *rows)]).collect()
        [(0, 7), (1, 8)]
        """
        site = call_site()
        op = MapPartitions(f, site.method, barrier=True)
        node = Narrow(self.rdd._node, op, keeps=preservesPartitioning, site=site)
        return self.rdd._derive(node)


class Layout(Core):
    """Partitions merged, spread and run together."""

    def coalesce(self, numPartitions: int, shuffle: bool = False) -> Self:
        """At most `numPartitions` partitions, made of neighbours without moving rows.

        Parameters
        ----------
        numPartitions : int
            More than there are changes nothing, unless `shuffle` is set.
        shuffle : bool
            Deal the rows out evenly instead: as `repartition`.

        Raises
        ------
        ValueError
            `numPartitions` is below one.

        Examples
        --------
        >>> sc.parallelize([1, 2, 3, 4], 4).coalesce(2).glom().collect()
        [[1, 2], [3, 4]]
        """
        channels = above_zero(numPartitions)
        node = self._node
        if shuffle:
            return self._derive(moved(node, RoundRobin(channels)))
        if channels >= node.width:
            return self._derive(narrow(node, Identity(), keeps=True))
        return self._derive(narrow(node, Identity(), reads=coalesce(node.width, channels)))

    def repartition(self, numPartitions: int) -> Self:
        """Exactly `numPartitions` partitions of about the same size. All rows move.

        Raises
        ------
        ValueError
            `numPartitions` is below one.

        Examples
        --------
        >>> sorted(sc.parallelize([1, 2, 3, 4], 1).repartition(2).glom().map(len).collect())
        [2, 2]
        """
        channels = above_zero(numPartitions)
        return self._derive(moved(self._node, RoundRobin(channels)))

    def barrier(self) -> RDDBarrier[Self]:
        """The dataset, its next step a stage whose tasks all run at the same time.

        >>> sc.parallelize([1, 2], 2).barrier().mapPartitions(list).collect()
        [1, 2]
        """
        return RDDBarrier(self)

    def _is_barrier(self) -> bool:
        """Whether the stage that this dataset ends is a barrier stage."""
        waiting, seen = [self._node], set[int]()
        while waiting:
            node = waiting.pop()
            if node.id in seen or isinstance(node, Exchange):
                continue
            seen.add(node.id)
            if _asks_for_barrier(node):
                return True
            waiting.extend(node.children)
        return False

    def withResources(self, profile: ResourceProfile) -> Self:
        """Note what the tasks of this dataset should have. It is not enforced, and says so.

        Parameters
        ----------
        profile : ResourceProfile
            Given back by `getResourceProfile`. Every task gets one executor whatever it says.

        Raises
        ------
        TypeError
            `profile` is something else.

        Examples
        --------
        >>> import warnings
        >>> from minispark.resource import ResourceProfileBuilder, TaskResourceRequests
        >>> profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     noted = sc.parallelize([1]).withResources(profile)
        >>> noted.getResourceProfile() is profile
        True
        """
        if not isinstance(profile, ResourceProfile):
            raise TypeError(f"profile is a ResourceProfile, not {type(profile).__name__}")
        warnings.warn(
            "withResources: the profile is kept, but every task still gets one executor",
            UserWarning,
            stacklevel=2,
        )
        self.has_resource_profile = True
        self._profile = profile
        return self

    def getResourceProfile(self) -> ResourceProfile | None:
        """What `withResources` was given, or None.

        >>> sc.parallelize([1]).getResourceProfile() is None
        True
        """
        return self._profile


def _asks_for_barrier(node: Node) -> bool:
    return isinstance(node, Narrow) and isinstance(node.op, MapPartitions) and node.op.barrier
