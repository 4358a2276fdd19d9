"""How jobs end, and what that does to the stages nobody wants any more."""

from __future__ import annotations

from planner.events import (
    CancelTask,
    EndJob,
    ForgetStage,
    JobEnded,
)
from planner.failures import (
    Failure,
)
from planner.runs import QUEUED, RUNNING, Run
from planner.scheduling.tables import Tables


class Jobs(Tables):
    """See the module."""

    def _end_job(self, job_id: int, failure: Failure | None) -> None:
        del self.jobs[job_id]
        for run in [run for run in self.runs.values() if job_id in run.users]:
            del run.users[job_id]
            if not run.users:
                self._drop_run(run)
        self._actions.append(EndJob(job_id, failure))
        self._tell(JobEnded(job_id, failure))

    def _fail(self, run: Run, failure: Failure) -> None:
        for job in list(run.users):
            self._end_job(job, failure)

    def _drop_run(self, run: Run) -> None:
        """Nobody wants the stage now: stop what runs, forget what waits."""
        stage = run.stage.id
        del self.runs[stage]
        if run.stage.exchange is None:
            self.adapted.pop(stage, None)
            self.asked.pop(stage, None)
        self._unqueue(run)
        if run.held or RUNNING in run.state.values():
            self._abandon_tasks(run)
        for key in [key for key in self.lost if key[0] == "running" and key[1] == stage]:
            del self.lost[key]
        self._actions.append(ForgetStage(stage))

    def _unqueue(self, run: Run) -> None:
        """No task of this run waits for anything any more."""
        stage = run.stage.id
        if QUEUED in run.state.values():
            self.seats.purge(stage)
        for waiting in (*self.for_exchange.values(), *self.for_kept.values()):
            for partition in run.state:
                waiting.pop((stage, partition), None)
        self.for_exchange = {at: slots for at, slots in self.for_exchange.items() if slots}
        self.for_kept = {at: slots for at, slots in self.for_kept.items() if slots}
        run.ready.clear()

    def _abandon_tasks(self, run: Run) -> None:
        """Nobody wants the answers of this run's tasks, neither to come nor held back."""
        for running in self.running.values():
            if running.run is run:
                running.run = None
                self._actions.append(CancelTask(running.task, running.executor))
        for number in [n for n, held in self.held.items() if held.running.run is run]:
            self._drop_held(number, None)
        for event in run.held.values():
            self._discard(event)
        run.held.clear()

    def _drop_held(self, number: int, failure: Failure | None) -> None:
        """A task that waits for copies to be made has ended in vain."""
        held = self.held.pop(number)
        self._free(held.blocks)
        self._unclaim(held.running)
        self._discard(held.done)
        self._ended(held.done, held.running.job, failure, counted=failure is not None)
