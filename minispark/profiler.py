"""Profiles of the user's functions in tasks: `spark.python.profile`.

A job's plan gets a step before every exchange and at its end, in which a profiler draws the rows
through the steps before it. The profile travels home in an accumulator.
"""

from __future__ import annotations

import atexit
import cProfile
import os
import pstats
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from minispark.accumulators import AccumulatorParam
from planner.ops import MapPartitions
from planner.plan import Exchange, Narrow, Node, Persist, Source, Union, Zip, walk

if TYPE_CHECKING:
    from minispark.context import SparkContext


class Profiler:
    """Base of profilers: override `profile`, `stats`, `show` and `dump`.

    Parameters
    ----------
    ctx : SparkContext
        The context whose jobs are profiled.
    """

    def __init__(self, ctx: SparkContext) -> None:
        pass

    def profile(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `func` in a task, keep its profile, and give what it gives."""
        raise NotImplementedError(f"{type(self).__name__}.profile is not defined")

    def stats(self) -> Any:
        """What was kept, on the driver."""
        raise NotImplementedError(f"{type(self).__name__}.stats is not defined")

    def show(self, id: int) -> None:
        """Print what was kept of dataset `id`."""
        raise NotImplementedError(f"{type(self).__name__}.show is not defined")

    def dump(self, id: int, path: str) -> None:
        """Write what was kept of dataset `id` to folder `path`."""
        raise NotImplementedError(f"{type(self).__name__}.dump is not defined")


class PStatsParam(AccumulatorParam[Any]):
    """Adds up profiles; None is the empty one."""

    @staticmethod
    def zero(value: Any) -> Any:
        """No profile.

        >>> PStatsParam.zero("anything") is None
        True
        """
        return None

    @staticmethod
    def addInPlace(value1: Any, value2: Any) -> Any:
        """Two profiles as one.

        >>> PStatsParam.addInPlace(None, "a profile")
        'a profile'
        """
        if value1 is None or value2 is None:
            return value2 if value1 is None else value1
        return value1.add(value2)


class BasicProfiler(Profiler):
    """Profiles with cProfile: which functions took how long.

    Examples
    --------
    >>> profiler = BasicProfiler(sc)
    >>> profiler.profile(sum, [1, 2])
    3
    >>> profiler.stats().total_calls > 0
    True
    """

    def __init__(self, ctx: SparkContext) -> None:
        super().__init__(ctx)
        self._accumulator = ctx.accumulator(None, PStatsParam())

    def profile(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `func` and keep how long the functions took that it called.

        >>> BasicProfiler(sc).profile(max, 1, 2)
        2
        """
        profile = cProfile.Profile()
        answer = profile.runcall(func, *args, **kwargs)
        stats = pstats.Stats(profile)
        del stats.stream  # type: ignore[attr-defined]  # an open file cannot be pickled
        self._accumulator.add(stats.strip_dirs())
        return answer

    def stats(self) -> pstats.Stats | None:
        """The profiles of all tasks as one; None before the first.

        >>> BasicProfiler(sc).stats() is None
        True
        """
        found: pstats.Stats | None = self._accumulator.value
        return found

    def show(self, id: int) -> None:
        """Print the functions, those that took longest first.

        >>> BasicProfiler(sc).show(1)
        """
        stats = self.stats()
        if stats is not None:
            title = f"Profile of RDD<id={id}>"
            print(f"{'=' * 60}\n{title}\n{'=' * 60}")
            stats.stream = None  # type: ignore[attr-defined]
            _printed(stats)

    def dump(self, id: int, path: str) -> None:
        """Write `rdd_<id>.pstats` to folder `path`, for the pstats module.

        >>> BasicProfiler(sc).dump(1, "nothing is written without a profile")
        """
        stats = self.stats()
        if stats is not None:
            os.makedirs(path, exist_ok=True)
            stats.dump_stats(os.path.join(path, f"rdd_{id}.pstats"))


def _printed(stats: pstats.Stats) -> None:
    import sys

    stats.stream = sys.stdout  # type: ignore[attr-defined]
    stats.sort_stats("time", "cumulative").print_stats()


class ProfilerCollector:
    """The profilers of a context's jobs, as `[dataset id, profiler, shown]`.

    Parameters
    ----------
    profiler_cls : type
        A Profiler.
    dump_path : str, optional
        Folder for the profiles when the program ends; without it they are printed then.
    """

    def __init__(
        self, profiler_cls: type[Profiler], dump_path: str | None = None
    ) -> None:
        self.profiler_cls = profiler_cls
        self.profile_dump_path = dump_path
        self.profilers: list[list[Any]] = []
        self._made: WeakKeyDictionary[Node, Node] = WeakKeyDictionary()

    def new_profiler(self, ctx: SparkContext) -> Profiler:
        """A profiler of the chosen class."""
        return self.profiler_cls(ctx)

    def add_profiler(self, id: int, profiler: Profiler) -> None:
        """Keep the profiler of dataset `id`."""
        if not self.profilers:
            atexit.register(self._at_end)
        self.profilers.append([id, profiler, False])

    def _at_end(self) -> None:
        if self.profile_dump_path:
            self.dump_profiles(self.profile_dump_path)
        else:
            self.show_profiles()

    def dump_profiles(self, path: str) -> None:
        """Write all profiles to a folder, and forget them."""
        for id, profiler, _ in self.profilers:
            profiler.dump(id, path)
        self.profilers = []

    def show_profiles(self) -> None:
        """Print the profiles that were not printed yet."""
        for entry in self.profilers:
            if not entry[2]:
                entry[1].show(entry[0])
                entry[2] = True

    # ---- plans -----------------------------------------------------------------------------------

    def watch(self, ctx: SparkContext, plan: Node) -> Node:
        """The same plan with a profiler at its end and before every exchange.

        An exchange that an earlier job has had gets the same profiler again, so that what it sent
        can still be used.
        """
        for node in walk(plan):
            if node not in self._made:
                self._made[node] = self._rebuilt(ctx, node)
        return self._profiled(ctx, self._made[plan])

    def _profiled(self, ctx: SparkContext, node: Node) -> Node:
        if isinstance(node, Source | Exchange | Persist):
            return node  # no function of the user's in this stage
        profiler = self.new_profiler(ctx)
        self.add_profiler(node.id, profiler)
        return Narrow(node, MapPartitions(Profiled(profiler)), keeps=True, site=node.site)

    def _rebuilt(self, ctx: SparkContext, node: Node) -> Node:
        """`node` over what its children have become; itself if nothing changed."""
        children = tuple(self._made[child] for child in node.children)
        if isinstance(node, Exchange):
            return replace(node, child=self._profiled(ctx, children[0]))
        if children == node.children:
            return node
        if isinstance(node, Narrow | Persist):
            return replace(node, child=children[0])
        assert isinstance(node, Zip | Union)
        return replace(node, sides=children)


class Profiled:
    """Draws a partition's rows under a profiler."""

    def __init__(self, profiler: Profiler) -> None:
        self.profiler = profiler

    def __call__(self, index: int, rows: Iterator[Any]) -> Any:
        return self.profiler.profile(list, rows)
