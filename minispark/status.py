"""What jobs and stages are doing: a listener that remembers the last of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import TYPE_CHECKING, NamedTuple

from planner.events import (
    JobEnded,
    JobStarted,
    Notice,
    StageEnded,
    StageStarted,
    TaskEnded,
    TaskStarted,
)

if TYPE_CHECKING:
    from minispark.context import SparkContext

_REMEMBERED = 1000  # jobs, and stages


class SparkJobInfo(NamedTuple):
    """A job: its stages, and RUNNING, SUCCEEDED or FAILED."""

    jobId: int
    stageIds: list[int]
    status: str


class SparkStageInfo(NamedTuple):
    """A stage: how many of its tasks run, are done, and have failed."""

    stageId: int
    currentAttemptId: int
    name: str
    numTasks: int
    numActiveTasks: int
    numCompletedTasks: int
    numFailedTasks: int


class SparkExecutorInfo(NamedTuple):
    """An executor: where it is, what it runs and what it keeps. Memory is in bytes."""

    host: str
    port: int
    cacheSize: int
    numRunningTasks: int
    usedOnHeapStorageMemory: int
    usedOffHeapStorageMemory: int
    totalOnHeapStorageMemory: int
    totalOffHeapStorageMemory: int


@dataclass
class _Job:
    stages: tuple[int, ...]
    group: str | None
    status: str = "RUNNING"


@dataclass
class _Stage:
    name: str
    width: int
    attempt: int = 0
    active: bool = False
    running: dict[int, str] = field(default_factory=dict)  # task number -> its executor
    done: set[int] = field(default_factory=set)  # partitions
    failed: int = 0


class StatusStore:
    """Hears the engine's notices; asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[int, _Job] = OrderedDict()
        self._stages: OrderedDict[int, _Stage] = OrderedDict()

    def on_event(self, notice: Notice) -> None:
        """Take a notice in."""
        with self._lock:
            self._hear(notice)
            for table in (self._jobs, self._stages):
                while len(table) > _REMEMBERED:
                    table.popitem(last=False)

    @singledispatchmethod
    def _hear(self, notice: Notice) -> None:
        """Others do not change what is told here."""

    @_hear.register
    def _(self, notice: JobStarted) -> None:
        self._jobs[notice.job] = _Job(notice.stages, notice.group)

    @_hear.register
    def _(self, notice: JobEnded) -> None:
        job = self._jobs.get(notice.job)
        if job is None:
            return
        job.status = "SUCCEEDED" if notice.failure is None else "FAILED"
        wanted = {
            s for each in self._jobs.values() if each.status == "RUNNING" for s in each.stages
        }
        for stage in job.stages:
            if stage in self._stages and stage not in wanted:
                self._stages[stage].active = False
                self._stages[stage].running.clear()

    @_hear.register
    def _(self, notice: StageStarted) -> None:
        stage = self._stages.get(notice.stage)
        if stage is None:
            stage = self._stages[notice.stage] = _Stage(notice.name, notice.width)
        elif notice.again:
            stage.attempt += 1
        stage.active = True
        stage.done.difference_update(notice.partitions)

    @_hear.register
    def _(self, notice: StageEnded) -> None:
        if notice.stage in self._stages:
            self._stages[notice.stage].active = False

    @_hear.register
    def _(self, notice: TaskStarted) -> None:
        stage = self._stages.get(notice.task.stage)
        if stage is not None:
            stage.running[notice.task.number] = notice.executor

    @_hear.register
    def _(self, notice: TaskEnded) -> None:
        stage = self._stages.get(notice.task.stage)
        if stage is None:
            return
        stage.running.pop(notice.task.number, None)
        if notice.failure is not None:
            stage.failed += 1
        elif notice.counted:
            stage.done.add(notice.task.partition)

    # ---- questions -------------------------------------------------------------------------------

    def jobs_of(self, group: str | None) -> list[int]:
        """The jobs of a group, or of none, the last first."""
        with self._lock:
            return [id for id, job in reversed(self._jobs.items()) if job.group == group]

    def active_jobs(self) -> list[int]:
        """The jobs that run."""
        with self._lock:
            return sorted(id for id, job in self._jobs.items() if job.status == "RUNNING")

    def active_stages(self) -> list[int]:
        """The stages that run."""
        with self._lock:
            return sorted(id for id, stage in self._stages.items() if stage.active)

    def job(self, id: int) -> SparkJobInfo | None:
        """A job, None if it is not remembered."""
        with self._lock:
            job = self._jobs.get(id)
            return None if job is None else SparkJobInfo(id, list(job.stages), job.status)

    def stage(self, id: int) -> SparkStageInfo | None:
        """A stage, None if it is not remembered."""
        with self._lock:
            stage = self._stages.get(id)
            if stage is None:
                return None
            running, done = len(stage.running), len(stage.done)
            return SparkStageInfo(
                id, stage.attempt, stage.name, stage.width, running, done, stage.failed
            )

    def tasks_at(self, executor: str) -> int:
        """How many tasks an executor runs."""
        with self._lock:
            return sum(
                where == executor
                for stage in self._stages.values()
                for where in stage.running.values()
            )


class StatusTracker:
    """Progress of jobs and stages, for polling; the last thousand of each are remembered.

    Examples
    --------
    >>> sc.setJobGroup("counting", "count a little")
    >>> sc.range(10).count()
    10
    >>> tracker = sc.statusTracker()
    >>> job = tracker.getJobInfo(tracker.getJobIdsForGroup("counting")[0])
    >>> job.status, len(job.stageIds)
    ('SUCCEEDED', 1)
    >>> sc.setLocalProperty("spark.jobGroup.id", None)
    """

    def __init__(self, sc: SparkContext, store: StatusStore) -> None:
        self._sc = sc
        self._store = store

    def getJobIdsForGroup(self, jobGroup: str | None = None) -> list[int]:
        """The jobs of a group, whatever their state; of those without a group for None.

        >>> sc.statusTracker().getJobIdsForGroup("no such group")
        []
        """
        return self._store.jobs_of(jobGroup)

    def getActiveStageIds(self) -> list[int]:
        """The stages that run now.

        >>> sc.statusTracker().getActiveStageIds()
        []
        """
        return self._store.active_stages()

    def getActiveJobsIds(self) -> list[int]:
        """The jobs that run now.

        >>> sc.statusTracker().getActiveJobsIds()
        []
        """
        return self._store.active_jobs()

    def getJobInfo(self, jobId: int) -> SparkJobInfo | None:
        """A job; None if there was none of that id, or long ago.

        >>> sc.statusTracker().getJobInfo(-1) is None
        True
        """
        return self._store.job(jobId)

    def getStageInfo(self, stageId: int) -> SparkStageInfo | None:
        """A stage; None if none of that id was started, or long ago.

        >>> sc.statusTracker().getStageInfo(-1) is None
        True
        """
        return self._store.stage(stageId)

    def getExecutorInfos(self) -> list[SparkExecutorInfo]:
        """The executors. They listen on no port, so that is 0.

        >>> all(executor.numRunningTasks == 0 for executor in sc.statusTracker().getExecutorInfos())
        True
        """
        session = self._sc._session
        kept = session.kept_bytes()
        return [
            SparkExecutorInfo(
                host=str(about["node"]),
                port=0,
                cacheSize=kept.get(name, 0),
                numRunningTasks=self._store.tasks_at(name),
                usedOnHeapStorageMemory=kept.get(name, 0),
                usedOffHeapStorageMemory=0,
                totalOnHeapStorageMemory=session.executor_memory,
                totalOffHeapStorageMemory=0,
            )
            for name, about in session.executors().items()
        ]
