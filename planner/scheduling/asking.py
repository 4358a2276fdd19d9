"""The one question, asked on the first run and again after any loss: wanted, absent, ready?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from planner.blocks import Outputs
from planner.events import (
    Adapted,
    Launch,
    StageStarted,
    TaskId,
    TaskStarted,
)
from planner.failures import (
    EngineFailure,
)
from planner.kept import Key
from planner.placement import Slot
from planner.program import Fetch
from planner.runs import QUEUED, RUNNING, WAITING, Run, Running
from planner.scheduling.jobs import Jobs
from planner.scheduling.tables import Asked, Measured, unchanged
from planner.stages import Stage, ancestors

_WORTH = 0.05  # seconds that taking another executor's task must save at least


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
            self._todo.extend((stage.id, partition) for partition in waiting)
        asked = [p for p in partitions if p not in run.state and p not in run.answered]
        if asked:
            if stage.barrier and stage.exchange is not None and len(asked) < stage.width:
                asked = list(range(stage.width))  # its tasks met: what one wrote depends on all
                for partition in asked:
                    self._forget_output(stage.exchange, partition, "barrier")
            run.state.update(dict.fromkeys(asked, WAITING))
            again = stage.exchange in self.counted
            name = stage.site.method
            job = next(iter(run.users))
            told = StageStarted(stage.id, job, name, stage.width, tuple(asked), again, stage.title)
            self._tell(told)
        self._todo.extend((stage.id, partition) for partition in asked)

    def _ask(self, run: Run, partition: int) -> None:
        """Wanted; absent? ready?"""
        stage = run.stage
        if run.state.get(partition) in (QUEUED, RUNNING):
            return
        if partition in run.answered or partition in run.held:
            return
        if stage.exchange is not None and self.outputs[stage.exchange].table[partition] is not None:
            run.state.pop(partition, None)
            return
        slot = (stage.id, partition)
        # tasks of a barrier stage start together, wherever seats are: everything has to be there
        home, bound = (None, False) if stage.barrier else self.needs.home(stage, partition)
        inputs = self.needs.inputs(stage, partition, home)
        run.state[partition] = WAITING
        late = self._late_ones(stage, run.users) if stage.later and inputs.absent else ()
        for exchange in [at for at in inputs.absent if at not in late] or inputs.absent:
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
        stage = self._adapted(stage, run.users) if filler is None else filler.stage
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
        if not stage.width:  # nobody will write: there is nothing to wait for
            self._todo.extend(self.for_exchange.pop(exchange, {}))

    def _adapted(self, stage: Stage, users: Iterable[int]) -> Stage:
        """The stage as the adaptive rule wants it, by the sizes of what it reads.

        The rule is asked before anything of the stage was written, when all it reads is there but
        for what should be `later`, and again if more is known. Its word then holds for as long as
        what the stage writes may be read or written again.
        """
        first = stage = self.adapted.get(stage.id, stage)
        while self.adapt is not unchanged and stage.exchange not in self.counted:
            late = self._late_ones(stage, users)
            known = frozenset(stage.parents) - late
            before = self.asked.get(stage.id)
            if not known or (before is not None and known <= before.known):
                break
            if any(at not in self.outputs or self.outputs[at].absent for at in known):
                break
            self.asked[stage.id] = Asked(stage.exchange, known)
            asked = stage if late == stage.later else replace(stage, later=late)
            new = self.adapt(asked, Measured(self.outputs, sorted(known)))
            if new.id != stage.id or (stage.exchange is None and new.width != stage.width):
                raise ValueError("adapt must keep a stage's id, and a result stage's width")
            if new is asked:
                break
            stage = self.adapted[stage.id] = new
            if stage.exchange in self.outputs:  # somebody wanted it before, and got nothing yet
                self.outputs[stage.exchange] = Outputs(new.width)
        if stage is not first:
            self._actions.append(Adapted(next(iter(users)), stage))
        return stage

    def _late_ones(self, stage: Stage, users: Iterable[int]) -> frozenset[int]:
        """The exchanges that the stage should ask for after the others: of those planned so, the
        ones that nothing was written for, and that no other stage of these jobs reads.

        There are none for a part of an answer: a row of it must not be where the job that asks for
        the rest finds it, too.
        """
        late = stage.later.difference(self.outputs)
        for job in [self.jobs[each] for each in users] if late else ():
            if job.stage.id == stage.id and len(job.partitions) < stage.width:
                return frozenset()
            for other in ancestors(job.stage, self.adapted):
                if other.id != stage.id:
                    late = late.difference(other.parents)
        return late

    def _forget_output(self, exchange: int, source: int, where: str) -> None:
        """That output is gone. Who waits for the exchange, or will, asks for it again."""
        outputs = self.outputs.get(exchange)
        output = outputs.forget(source) if outputs is not None else None
        if output is None:
            return
        for block in output.blocks:
            if block.node in self.on_node:
                self.on_node[block.node].discard((exchange, source))
        self._free(output.blocks)
        self._lose("shuffle", exchange, source, where)
        for stage_id, partition in self.for_exchange.get(exchange, {}):
            reader = self.runs.get(stage_id)
            if reader is not None and reader.state.get(partition) == WAITING:
                self._todo.append((stage_id, partition))

    def _place(self) -> bool:
        """Give idle executors work; True if that raised new questions."""
        if self.seats.opening:
            return False
        for run in [run for run in self.runs.values() if run.ready]:
            if run.users and not self._place_barrier(run):
                return bool(self._todo)
        while self._seat(self.seats.own) or self._seat(self._anothers):
            pass  # everybody takes what is theirs before anybody takes what is another's
        return bool(self._todo)

    def _seat(self, pick: Callable[[str], Slot | None]) -> bool:
        """Start on each idle executor the task that `pick` finds for it; whether there was one."""
        found = False
        for executor in self.seats.idle():
            slot = pick(executor)
            if slot is not None:
                found = True
                run = self.runs.get(slot[0])
                if run is not None and run.state.get(slot[1]) == QUEUED:
                    self._launch(run, slot[1], executor)
        return found

    def _anothers(self, executor: str) -> Slot | None:
        return self.seats.another(executor, self._may_steal)

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
        return again + _WORTH <= waiting * run.seconds / run.finished

    def _place_barrier(self, run: Run) -> bool:
        """Start all tasks of a barrier stage at once; False while others must hold back for it."""
        if len(run.ready) < len(run.state) or any(s == RUNNING for s in run.state.values()):
            return True
        need, seats = len(run.ready), self._barrier_seats(run)
        if need > len(self.seats.nodes) + self.seats.awaited:
            self._fail(
                run,
                EngineFailure(
                    f"a barrier stage of {need} tasks needs {need} executors at the same time; "
                    f"there are {len(self.seats.nodes)}: use fewer partitions or a larger master"
                ),
            )
            return True
        if len(seats) < need:
            return False
        if any(self.needs.inputs(run.stage, p, None).absent for p in run.ready):
            self._restart_barrier(run)  # an input went since the last task became ready
            return True
        for partition in sorted(seats):
            self._launch(run, partition, seats[partition])
        run.ready.clear()
        return True

    def _barrier_seats(self, run: Run) -> dict[int, str]:
        """Idle executors for the tasks of a barrier stage, their homes where that can be."""
        idle = dict.fromkeys(self.seats.idle())
        seats: dict[int, str] = {}
        for partition in sorted(run.ready):
            home, _ = self.needs.home(run.stage, partition)
            if home is not None and home in idle:
                seats[partition] = home
                del idle[home]
        others = [partition for partition in sorted(run.ready) if partition not in seats]
        return {**seats, **dict(zip(others, idle, strict=False))}

    def _restart_barrier(self, run: Run) -> None:
        """All tasks of a barrier stage run again, those that had finished too."""
        self._abandon_tasks(run)
        run.calls.clear()
        run.ready.clear()
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
        claims = tuple(key for key in inputs.claims if key not in self.computing)
        # a barrier task cannot wait for another one's claim: that one may wait at the barrier
        if inputs.absent or (len(claims) < len(inputs.claims) and not stage.barrier):
            run.state[partition] = WAITING  # something went since it was queued: ask again
            self._todo.append((stage.id, partition))
            return
        fetches = {
            at: step.taken(at[1], self.outputs[step.exchange].slices(step.exchange, channels))
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
        self.running[task.number] = Running(task, executor, job.id, run, fetches, claims)
        for key in claims:
            self.computing[key] = task.number
        keep = frozenset(persist for persist, _ in claims)
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
        why = run.why.pop(partition, None) or self._why(stage, partition, claims)
        self._tell(TaskStarted(task, job.id, executor, why))

    def _why(self, stage: Stage, partition: int, claims: tuple[Key, ...]) -> str:
        """Whether a first attempt brings back something that had been there before."""
        written = ("shuffle", stage.exchange, partition) in self.lost
        return "lost" if written or any(("kept", *key) in self.lost for key in claims) else "first"
