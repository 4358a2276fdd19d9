"""The one question, asked on the first run and again after any loss: wanted, absent, ready?"""

from __future__ import annotations

from collections.abc import Iterable

from planner.blocks import Outputs
from planner.events import (
    Launch,
    StageStarted,
    TaskId,
    TaskStarted,
)
from planner.failures import (
    EngineFailure,
)
from planner.placement import Slot
from planner.program import Fetch
from planner.runs import QUEUED, RUNNING, WAITING, Run, Running
from planner.scheduling.jobs import Jobs
from planner.stages import Stage


class Asking(Jobs):
    """See the module. Ready tasks are placed here too, and launched."""

    def _want(self, stage: Stage, partitions: Iterable[int], users: Iterable[int]) -> None:
        """These jobs want these partitions of the stage."""
        run = self.runs.get(stage.id)
        if run is None:
            run = self.runs[stage.id] = Run(stage)
        if stage.exchange is not None and stage.exchange not in self.outputs:
            self.outputs[stage.exchange] = Outputs(stage.width)
        joined = [job for job in users if job not in run.users]
        run.users.update(dict.fromkeys(joined))
        if joined:  # what the run itself waits for is theirs too
            waiting = [p for p, state in run.state.items() if state == WAITING]
            for partition in waiting:
                del run.state[partition]
            self._todo.extend((stage.id, partition) for partition in waiting)
        asked = [p for p in partitions if p not in run.state and p not in run.answered]
        if asked:
            again = stage.exchange in self.counted
            name = stage.site.method
            job = next(iter(run.users))
            self._tell(StageStarted(stage.id, job, name, stage.width, tuple(asked), again))
        self._todo.extend((stage.id, partition) for partition in asked)

    def _ask(self, run: Run, partition: int) -> None:
        """Wanted; absent? ready?"""
        stage = run.stage
        if run.state.get(partition) in (QUEUED, RUNNING) or partition in run.answered:
            return
        if stage.exchange is not None and self.outputs[stage.exchange].table[partition] is not None:
            run.state.pop(partition, None)
            return
        slot = (stage.id, partition)
        home, bound = self.needs.home(stage, partition)
        inputs = self.needs.inputs(stage, partition, home)
        run.state[partition] = WAITING
        for exchange in inputs.absent:
            self.for_exchange.setdefault(exchange, {})[slot] = None
            self._want_exchange(run, exchange)
        computed = [key for key in inputs.claims if key in self.computing]
        for key in computed:
            self.for_kept.setdefault(key, {})[slot] = None
        if inputs.absent or computed:
            return
        run.state[partition] = QUEUED
        if stage.barrier:
            run.ready.add(partition)
        else:
            self.seats.wait_for(slot, home, bound)

    def _want_exchange(self, run: Run, exchange: int) -> None:
        stage = run.stage.parents[exchange]
        filler = self.runs.get(stage.id)
        outputs = self.outputs.get(exchange)
        if filler is None or outputs is None:
            missing: Iterable[int] = (
                range(stage.width) if outputs is None else tuple(outputs.missing())
            )
        elif len(filler.state) == outputs.absent and run.users.keys() <= filler.users.keys():
            return  # all that is missing is under way
        else:
            missing = tuple(outputs.missing())
        self._want(stage, missing, tuple(run.users))

    def _place(self) -> bool:
        """Give idle executors work; True if that raised new questions."""
        if self.seats.opening:
            return False
        for run in [run for run in self.runs.values() if run.ready]:
            if not self._place_barrier(run):
                return bool(self._todo)
        busy = True
        while busy:
            busy = False
            for executor in self.seats.idle():
                slot = self.seats.pick(executor, self._may_steal)
                if slot is not None:
                    busy = True
                    wanted = self.runs.get(slot[0])
                    if wanted is not None and wanted.state.get(slot[1]) == QUEUED:
                        self._launch(wanted, slot[1], executor)
        return bool(self._todo)

    def _may_steal(self, slot: Slot, executor: str, waiting: int) -> bool:
        """Whether an executor should take one of the `waiting` tasks of another one's.

        If it would have to compute anew what is kept there: only if that is quicker than waiting,
        by what tasks took so far, and never where the user asked for copies so that nothing is
        computed twice.
        """
        run = self.runs.get(slot[0])
        if run is None:
            return True
        inputs = self.needs.inputs(run.stage, slot[1], executor)
        if inputs.absent or any(key in self.computing for key in inputs.claims):
            return False
        datasets = {persist for persist, _ in inputs.claims}
        if not datasets:
            return True
        if waiting < 2 or datasets & self.kept.copied or not run.finished:
            return False
        again = sum(self.kept.cost.get(persist, 0.0) for persist in datasets)
        return again <= waiting * run.seconds / run.finished

    def _place_barrier(self, run: Run) -> bool:
        """Start all tasks of a barrier stage at once; False while others must hold back for it."""
        if len(run.ready) < len(run.state) or any(s == RUNNING for s in run.state.values()):
            return True
        need, idle = len(run.ready), self.seats.idle()
        if need > len(self.seats.nodes) + self.seats.awaited:
            self._fail(
                run,
                EngineFailure(
                    f"a barrier stage of {need} tasks needs {need} executors at the same time; "
                    f"there are {len(self.seats.nodes)}: use fewer partitions or a larger master"
                ),
            )
            return True
        if len(idle) < need:
            return False
        if any(self.needs.inputs(run.stage, p, None).absent for p in run.ready):
            self._restart_barrier(run)  # an input went since the last task became ready
            return True
        for partition, executor in zip(sorted(run.ready), idle, strict=False):
            self._launch(run, partition, executor)
        run.ready.clear()
        return True

    def _restart_barrier(self, run: Run) -> None:
        """All tasks of a barrier stage run again, those that had finished too."""
        self._abandon_tasks(run)
        run.calls.clear()
        run.ready.clear()
        for event in run.held.values():
            if event.output is not None:
                self._free(event.output.blocks)
        run.held.clear()
        partitions = (
            range(run.stage.width)
            if run.stage.exchange is not None
            else self.jobs[next(iter(run.users))].partitions
        )
        run.state = dict.fromkeys(partitions, WAITING)
        for partition in partitions:
            run.why.setdefault(partition, "lost")
            self._todo.append((run.stage.id, partition))

    def _launch(self, run: Run, partition: int, executor: str) -> None:
        stage = run.stage
        inputs = self.needs.inputs(stage, partition, executor)
        if inputs.absent or any(key in self.computing for key in inputs.claims):
            run.state[partition] = WAITING  # something went since it was queued: ask again
            self._todo.append((stage.id, partition))
            return
        fetches = {
            at: self.outputs[step.exchange].slices(step.exchange, channels)
            for at, channels in inputs.fetches.items()
            if isinstance(step := stage.program[at[0]], Fetch)
        }
        attempt = run.attempts.get(partition, 0)
        run.attempts[partition] = attempt + 1
        self._numbers += 1
        task = TaskId(self._numbers, stage.id, partition, attempt)
        job = self.jobs[next(iter(run.users))]
        run.state[partition] = RUNNING
        run.started = True
        self.seats.busy[executor] = task.number
        self.running[task.number] = Running(task, executor, job.id, run, fetches, inputs.claims)
        for key in inputs.claims:
            self.computing[key] = task.number
        keep = frozenset(persist for persist, _ in inputs.claims)
        self._actions.append(
            Launch(
                task,
                executor,
                stage,
                job,
                inputs.reads,
                fetches,
                {key: kept.shared for key, kept in inputs.has.items()},
                keep,
                stage.width if stage.barrier else 0,
            )
        )
        self._tell(TaskStarted(task, job.id, executor, run.why.pop(partition, "first")))
