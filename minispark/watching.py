"""Seeing what the engine does: recovery reports, progress, listeners of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from executors.progress import Progress
from executors.recovery import JobReport
from executors.runloop import Listener

if TYPE_CHECKING:
    from minispark.session import Session


class Watching:
    """The part of SparkContext that lets a user watch. PySpark has no counterpart."""

    _progress: Progress | None = None

    if TYPE_CHECKING:

        @property
        def _session(self) -> Session: ...

    def recoveryReport(self, job: int | None = None) -> JobReport:
        """What a job lost, what was computed again for it, and how long that took.

        Parameters
        ----------
        job : int, optional
            A job's number; the job that started last if not given. The last 100 are remembered.

        Returns
        -------
        JobReport
            Print it, or read `lost`, `recomputed`, `again`, `executors_lost`, `seconds`. It is
            true if anything was lost or ran again.

        Raises
        ------
        ValueError
            There is no such job.

        Examples
        --------
        >>> sc.parallelize([1, 2], 2).count()
        2
        >>> bool(sc.recoveryReport())
        False
        """
        reports = self._session.recovery
        report = reports.last if job is None else reports.jobs.get(job)
        if report is None:
            raise ValueError("no job has run yet" if job is None else f"no report of job {job}")
        return report

    def addListener(self, listener: Listener) -> None:
        """Let `listener.on_event(notice)` hear what happens, in the order it happens.

        Parameters
        ----------
        listener : object
            Its `on_event` is called in the engine's thread with the notices of
            `planner/events.py` (JobStarted, TaskEnded, Lost, Recomputed, …); it must be quick.

        Examples
        --------
        >>> class Counter:
        ...     tasks = 0
        ...     def on_event(self, notice):
        ...         self.tasks += type(notice).__name__ == "TaskEnded"
        >>> counter = Counter()
        >>> sc.addListener(counter)
        >>> sc.parallelize([1, 2], 2).count(), counter.tasks
        (2, 2)
        >>> sc.removeListener(counter)
        """
        self._session.add_listener(listener)

    def removeListener(self, listener: Listener) -> None:
        """Stop telling `listener`."""
        self._session.remove_listener(listener)

    def showProgress(self, on: bool = True) -> None:
        """Draw a progress line on stderr while jobs run; also `spark.ui.showConsoleProgress`.

        >>> sc.showProgress()
        >>> sc.showProgress(False)
        """
        if on and self._progress is None:
            self._progress = Progress()
            self._session.add_listener(self._progress)
        elif not on and self._progress is not None:
            self._session.remove_listener(self._progress)
            self._progress = None

    def executors(self) -> dict[str, Any]:
        """The executors by name: the node and process of each.

        >>> len(sc.executors()) >= 1
        True
        """
        return self._session.executors()
