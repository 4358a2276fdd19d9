"""The recovery report: what was lost, what was computed again, and how long that took."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from planner import events as ev

_WORDS = {"kept": "cached partition", "shuffle": "shuffle output", "running": "running task"}


@dataclass
class JobReport:
    """What happened to one job. Times are in seconds.

    `ran` counts task starts; `again` lists (stage, partition, why) of tasks that ran again or that
    computed anew what had been there before. `lost` and `recomputed` begin with what it was (kept,
    shuffle or running), whose (the id of what was kept, of the exchange or stage) and which
    partition; `names` says where in the user's program that is.
    """

    job: int
    description: str
    seconds: float = 0.0
    ran: int = 0
    executors_lost: list[str] = field(default_factory=list)
    lost: list[tuple[str, int, int, str]] = field(default_factory=list)
    recomputed: list[tuple[str, int, int, float]] = field(default_factory=list)
    again: list[tuple[int, int, str]] = field(default_factory=list)
    ended: bool = False
    failed: str | None = None
    names: dict[tuple[str, int], str] = field(default_factory=dict, repr=False)

    @property
    def recompute_seconds(self) -> float:
        """Task seconds spent on computing again what was lost."""
        return sum(seconds for _, _, _, seconds in self.recomputed)

    def __bool__(self) -> bool:
        """Whether anything was lost or ran again."""
        return bool(self.executors_lost or self.lost or self.recomputed or self.again)

    def __str__(self) -> str:
        state = f"failed: {self.failed}" if self.failed else f"{self.seconds:.2f} s"
        lines = [f"job {self.job} ({self.description}): {self.ran} tasks, {state}"]
        lines += [f"  executor lost: {reason}" for reason in self.executors_lost]
        for what in _WORDS:
            places = [(owner, p) for kind, owner, p, _ in self.lost if kind == what]
            if places:
                lines.append(f"  lost: {self._count(what, places)}")
        for what in _WORDS:
            places = [(owner, p) for kind, owner, p, _ in self.recomputed if kind == what]
            seconds = sum(s for kind, _, _, s in self.recomputed if kind == what)
            if places:
                lines.append(f"  recomputed: {self._count(what, places)} in {seconds:.2f} s")
        if len(lines) == 1:
            lines.append("  nothing was lost, nothing was recomputed")
        return "\n".join(lines)

    def _count(self, what: str, places: list[tuple[int, int]]) -> str:
        by_owner: dict[int, list[int]] = {}
        for owner, partition in places:
            by_owner.setdefault(owner, []).append(partition)
        listed = "; ".join(
            f"{self.names.get((what, owner), f'#{owner}')}, "
            f"partition{'s' if len(parts) > 1 else ''} {', '.join(map(str, sorted(parts)))}"
            for owner, parts in by_owner.items()
        )
        return f"{len(places)} {_WORDS[what]}{'s' if len(places) > 1 else ''} ({listed})"


class RecoveryReport:
    """A listener that keeps the reports of the last `limit` jobs.

    What is lost between jobs is put down to the next job that starts. `names` is filled by the
    session: the user's call site of each kept dataset and exchange, by its id.
    """

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.jobs: dict[int, JobReport] = {}
        self.names: dict[int, str] = {}
        self._began: dict[int, float] = {}
        self._between = JobReport(-1, "between jobs")
        self._lock = threading.Lock()

    def on_event(self, notice: ev.Notice) -> None:
        """See executors/runloop.py Listener."""
        with self._lock:
            self._take(notice)

    def _take(self, notice: ev.Notice) -> None:
        if isinstance(notice, ev.JobStarted):
            report = JobReport(notice.job, notice.description)
            report.lost, self._between.lost = self._between.lost, []
            report.names, self._between.names = self._between.names, {}
            report.executors_lost = self._between.executors_lost
            self._between.executors_lost = []
            self.jobs[notice.job] = report
            self._began[notice.job] = time.perf_counter()
            while len(self.jobs) > self.limit:
                del self.jobs[next(iter(self.jobs))]
        elif isinstance(notice, ev.JobEnded):
            began = self._began.pop(notice.job, None)
            report = self.jobs.get(notice.job, self._between)
            report.seconds = time.perf_counter() - began if began is not None else 0.0
            report.ended = True
            report.failed = notice.failure.message if notice.failure is not None else None
        elif isinstance(notice, ev.StageStarted):
            report = self.jobs.get(notice.job, self._between)
            name = f"{notice.title or notice.name}, stage {notice.stage}"
            report.names["running", notice.stage] = name
        elif isinstance(notice, ev.TaskStarted):
            report = self.jobs.get(notice.job, self._between)
            report.ran += 1
            if notice.why != "first":
                report.again.append((notice.task.stage, notice.task.partition, notice.why))
        elif isinstance(notice, ev.ExecutorRemoved):
            for report in self._running():
                report.executors_lost.append(notice.reason)
        elif isinstance(notice, ev.Lost):
            for report in self._running():
                report.lost.append((notice.what, notice.owner, notice.partition, notice.where))
                self._name(report, notice)
        elif isinstance(notice, ev.Recomputed):
            report = self.jobs.get(notice.job, self._between)
            report.recomputed.append((notice.what, notice.owner, notice.partition, notice.seconds))
            self._name(report, notice)

    def _name(self, report: JobReport, notice: ev.Lost | ev.Recomputed) -> None:
        if notice.owner in self.names and notice.what != "running":
            report.names[notice.what, notice.owner] = self.names[notice.owner]

    def _running(self) -> list[JobReport]:
        return [self.jobs[job] for job in self._began if job in self.jobs] or [self._between]

    @property
    def last(self) -> JobReport | None:
        """The report of the job that started last."""
        with self._lock:
            return next(reversed(self.jobs.values()), None)
