"""Break things on purpose, exactly, and see what is recomputed.

Each function makes a *fault* that a task fires itself when it passes a named point. It fires as
often as `times` says and no more: a task that ends without passing the point gives its token back.
Use it as a context manager; `fault.fired` tells what it hit.

Points, in the order a task passes them: `"in fetch"` (before shuffle blocks are read), `"in cache
put"` and `"after cache put"` (around keeping a partition), `"before write"` and `"after write"`
(around writing a shuffle block or a result).

Examples
--------
>>> from minispark import chaos
>>> pairs = sc.range(100, numSlices=4).map(lambda n: (n % 3, 1))
>>> with chaos.kill_executor(at="before write", partition=2) as fault:
...     sorted(pairs.reduceByKey(lambda a, b: a + b).collect())
[(0, 34), (1, 33), (2, 33)]
>>> fault.count
1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from executors.faultbook import POINTS, Injection
from minispark.context import SparkContext
from minispark.dataset.core import Core
from minispark.session import Session
from planner.events import Launch

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame


class FaultError(RuntimeError):
    """A fault that was to fire did not."""


class TaskInfo:
    """What a fault's `when` function may look at before a task is launched.

    Attributes
    ----------
    stage, partition, attempt : int
    writes_shuffle : bool
        Whether it is a task of a map stage.
    fetches : bool
        Whether it reads shuffle blocks.
    method : str
        The method the user called to make the stage.
    executor : str
        Where it will run.
    """

    def __init__(self, launch: Launch) -> None:
        self.stage = launch.task.stage
        self.partition = launch.task.partition
        self.attempt = launch.task.attempt
        self.writes_shuffle = launch.stage.output is not None
        self.fetches = any(launch.fetches.values())
        self.method = launch.stage.site.method
        self.executor = launch.executor


class Fault:
    """A fault under way. As a context manager it is armed inside the block only."""

    def __init__(self, session: Session, injection: Injection) -> None:
        self._session = session
        self._injection = injection
        session.faults.add(injection)

    @property
    def fired(self) -> list[str]:
        """What it hit, a line each."""
        return list(self._injection.fired)

    @property
    def count(self) -> int:
        """How often it went off."""
        return len(self._injection.fired)

    def disarm(self) -> None:
        """Do not fire any more."""
        self._session.faults.remove(self._injection)

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.disarm()

    def __repr__(self) -> str:
        injection = self._injection
        return f"Fault({injection.what} {injection.at}, fired {self.count} of {injection.times})"


def kill_executor(at: str = "before write", **which: Any) -> Fault:
    """Kill the executor (SIGKILL) that runs a task, when the task passes point `at`.

    Parameters
    ----------
    at : str
        A point; see the module.
    stage, partition : int, optional
        Only tasks of this stage, of this partition.
    attempt : int or None
        Only this attempt; the first (0) unless told otherwise, None for any.
    when : callable, optional
        Only tasks for which `when(TaskInfo)` is true.
    times : int
        How often; 1 unless told otherwise.

    Returns
    -------
    Fault
    """
    return _inject("kill", at, **which)


def fail_task(at: str = "before write", **which: Any) -> Fault:
    """Raise an error in a task, as if the user's code had; arguments as for kill_executor."""
    return _inject("fail", at, **which)


def drop_cached(
    dataset: Core | DataFrame | None = None, at: str = "before write", **which: Any
) -> Fault:
    """Make the executor that runs a task lose its cached partitions, without telling anybody.

    Parameters
    ----------
    dataset : Dataset or DataFrame, optional
        Only this dataset's partition `partition`, which has to be given then; else all it keeps. Of
        a DataFrame it is lost by a task that reads it, whatever the number of that is.
    at : str
        A point; see the module. Other arguments as for kill_executor.
    """
    detail = None
    if dataset is not None:
        persist = _persist_id(dataset)
        if persist is None:
            raise ValueError("the dataset is not kept: call cache() or persist() first")
        if "partition" not in which:
            raise ValueError("say which partition of the dataset: partition=…")
        detail = (persist, which["partition"])
        if not isinstance(dataset, Core):
            del which["partition"]
            which["reads"] = detail
    return _inject("drop_kept", at, detail=detail, **which)


def lose_shuffle_block(at: str = "in fetch", **which: Any) -> Fault:
    """Delete a shuffle block: the first one a task is about to read (`at="in fetch"`), or the one
    it has just written (`at="after write"`). Arguments as for kill_executor."""
    if at not in ("in fetch", "after write"):
        raise ValueError(f'a block is lost "in fetch" or "after write", not {at!r}')
    return _inject("lose_block", at, **which)


def _persist_id(dataset: Core | DataFrame) -> int | None:
    """The id under which it is kept now."""
    if isinstance(dataset, Core):
        return active_session().persist_id(dataset._node)
    found = dataset._engine.cached.find(dataset._plan)
    return None if found is None else found.node.id


def active_session() -> Session:
    """The session of the running context."""
    context = SparkContext._active_spark_context
    if context is None:
        raise RuntimeError("there is no SparkContext to inject faults into: make one first")
    return context._session


def _inject(
    what: str,
    at: str,
    *,
    stage: int | None = None,
    partition: int | None = None,
    attempt: int | None = 0,
    when: Callable[[TaskInfo], bool] | None = None,
    times: int = 1,
    detail: Any = None,
    reads: tuple[int, int] | None = None,
) -> Fault:
    if at not in POINTS:
        raise ValueError(f"no point {at!r}; points are {', '.join(map(repr, POINTS))}")
    if times < 1:
        raise ValueError(f"times is at least 1, not {times}")

    def match(launch: Launch) -> bool:
        task = launch.task
        return (
            (stage is None or task.stage == stage)
            and (partition is None or task.partition == partition)
            and (attempt is None or task.attempt == attempt)
            and (reads is None or reads in launch.has)
            and (when is None or when(TaskInfo(launch)))
        )

    return Fault(active_session(), Injection(what, at, times, match, detail))
