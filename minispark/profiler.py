"""Profiles of the user's functions in tasks: `spark.python.profile`.

Every stage gets a profiler, in which its tasks do their work. The profile travels home in an
accumulator.
"""

from __future__ import annotations

import atexit
import cProfile
import os
import pstats
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minispark.accumulators import AccumulatorParam
from planner.program import Apply, Together
from planner.stages import Stage

if TYPE_CHECKING:
    from minispark.context import SparkContext


class Profiler:
    """Base of profilers: override `profile`, `stats`, `show` and `dump`.

    Parameters
    ----------
    ctx : SparkContext
        The context whose jobs are profiled.

    Examples
    --------
    >>> class Brief(BasicProfiler):
    ...     def show(self, id):
    ...         print(f"stage {id} was profiled")
    >>> Brief(sc).show(3)
    stage 3 was profiled
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
        """Print what was kept of stage `id`."""
        raise NotImplementedError(f"{type(self).__name__}.show is not defined")

    def dump(self, id: int, path: str) -> None:
        """Write what was kept of stage `id` to folder `path`."""
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
        if found is not None:
            found.stream = sys.stdout  # type: ignore[attr-defined]
        return found

    def show(self, id: int) -> None:
        """Print the functions, those that took longest first.

        >>> BasicProfiler(sc).show(1)
        """
        stats = self.stats()
        if stats is not None:
            line = "=" * 60
            print(f"{line}\nProfile of RDD<id={id}>\n{line}")
            stats.sort_stats("time", "cumulative").print_stats()

    def dump(self, id: int, path: str) -> None:
        """Write `rdd_<id>.pstats` to folder `path`, for the pstats module.

        >>> BasicProfiler(sc).dump(1, "nothing is written without a profile")
        """
        stats = self.stats()
        if stats is not None:
            os.makedirs(path, exist_ok=True)
            stats.dump_stats(os.path.join(path, f"rdd_{id}.pstats"))


class ProfilerCollector:
    """The profilers of a context's jobs, as `[stage id, profiler, shown]`.

    Parameters
    ----------
    profiler_cls : type
        A Profiler.
    dump_path : str, optional
        Folder for the profiles when the program ends; without it they are printed then.
    """

    def __init__(self, profiler_cls: type[Profiler], dump_path: str | None = None) -> None:
        self.profiler_cls = profiler_cls
        self.profile_dump_path = dump_path
        self.profilers: list[list[Any]] = []

    def new_profiler(self, ctx: SparkContext) -> Profiler:
        """A profiler of the chosen class."""
        return self.profiler_cls(ctx)

    def add_profiler(self, id: int, profiler: Profiler) -> None:
        """Keep the profiler of stage `id`."""
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

    def profiler_of(self, ctx: SparkContext, stage: Stage) -> Profiler | None:
        """A profiler for a stage, None where nothing of the user's runs in it."""
        if not any(isinstance(step, Apply | Together) for step in stage.program):
            return None
        profiler = self.new_profiler(ctx)
        self.add_profiler(stage.id, profiler)
        return profiler
