"""The scheduler: events in, actions out, nothing else.

One question drives it, `_ask`: this partition is wanted; is it absent, and is what it reads ready?
Recovery asks the same question again after forgetting what was lost; there is no other recovery
code. Retries, attempts and placement live here and nowhere else.
"""

from __future__ import annotations

from functools import singledispatchmethod

from planner.events import (
    Action,
    BarrierCall,
    CancelAsked,
    CopyDone,
    Event,
    ExecutorAdded,
    ExecutorDown,
    ExecutorRemoved,
    ExecutorsAwaited,
    ExecutorUp,
    FreeKept,
    JobAsked,
    JobStarted,
    KeepAsked,
    Released,
    Reply,
    TaskDone,
    TaskFailed,
)
from planner.failures import (
    EngineFailure,
    ExecutorLost,
    KeptLost,
    SliceLost,
)
from planner.runs import Held
from planner.scheduling.answers import Answers
from planner.scheduling.tables import Adapt, Limits, unchanged
from planner.stages import ancestors

__all__ = ["Adapt", "Limits", "Scheduler", "unchanged"]


class Scheduler(Answers):
    """See the module. `handle` takes one event and returns the actions that follow from it."""

    def handle(self, event: Event) -> list[Action]:
        """Take in one event; what is to be done now, in order."""
        self._on(event)
        while True:
            while self._todo:
                stage, partition = self._todo.popleft()
                run = self.runs.get(stage)
                if run is not None:
                    self._ask(run, partition)
            if not self._place():
                break
        actions, self._actions = self._actions, []
        return actions

    @singledispatchmethod
    def _on(self, event: Event) -> None:
        raise TypeError(f"not an event: {event!r}")

    @_on.register
    def _job_asked(self, event: JobAsked) -> None:
        job = event.job
        self.jobs[job.id] = job
        self._tell(
            JobStarted(
                job.id,
                job.description,
                str(job.stage.site),
                tuple(sorted(stage.id for stage in ancestors(job.stage))),
                len(job.partitions),
                job.group,
                job.tags,
            )
        )
        if not job.partitions:
            self._end_job(job.id, None)
        elif not self.seats.nodes and not self.seats.awaited:
            self._end_job(job.id, EngineFailure("no executor is left to run the job"))
        else:
            self._want(self._adapted(job.stage, (job.id,)), job.partitions, (job.id,))

    @_on.register
    def _cancel_asked(self, event: CancelAsked) -> None:
        for job in event.jobs:
            if job in self.jobs:
                self._end_job(job, event.failure)

    @_on.register
    def _task_done(self, event: TaskDone) -> None:
        running = self._leave_seat(event.task, event.executor)
        if running is None or running.run is None:
            self._late(event, running)
            return
        copies, blocks = self._note_kept(event)
        if copies:
            self.held[event.task.number] = Held(event, running, copies, blocks)
        else:
            self._free(blocks)
            self._accept(event, running)

    @_on.register
    def _task_failed(self, event: TaskFailed) -> None:
        running = self._leave_seat(event.task, event.executor)
        if running is None:
            return
        done = TaskDone(event.task, event.executor, report=event.report)
        self._free(self._note_kept(done, copies=False)[1])
        self._unclaim(running)
        self._ended(event, running.job, event.failure, counted=running.run is not None)
        run, failure = running.run, event.failure
        if isinstance(failure, SliceLost):
            self._forget_slices(failure, running)
        elif isinstance(failure, KeptLost):
            self._forget_copies((failure.persist, failure.partition), running.executor)
        if run is not None:
            self._again(run, event.task.partition, failure)

    @_on.register
    def _barrier_call(self, event: BarrierCall) -> None:
        running = self.running.get(event.task.number)
        if running is None or running.run is None:
            return
        run = running.run
        run.calls[event.task.partition] = event
        self._check_barrier(run)
        if run.users and len(run.calls) == len(run.state):
            calls, run.calls = run.calls, {}
            messages = tuple(calls[partition].message for partition in sorted(calls))
            for call in calls.values():
                executor = self.running[call.task.number].executor
                self._actions.append(Reply(call.task, executor, messages))

    @_on.register
    def _executors_awaited(self, event: ExecutorsAwaited) -> None:
        self.seats.await_more(event.number)

    @_on.register
    def _executor_up(self, event: ExecutorUp) -> None:
        self.seats.add(event.executor, event.node)
        self.seats.await_less()
        self._tell(ExecutorAdded(event.executor, event.node))

    @_on.register
    def _executor_down(self, event: ExecutorDown) -> None:
        node = self.seats.nodes.get(event.executor)
        number, waited = self.seats.remove(event.executor)
        running = self.running.pop(number, None) if number is not None else None
        if node is None:
            if not event.replaced:  # a replacement that never came up
                self.seats.await_less()
        else:
            if event.replaced:
                self.seats.await_more(1)
            self._tell(ExecutorRemoved(event.executor, event.reason))
            self._lose_home(event.executor)
            if event.node_lost:
                self._lose_node(node)
        for slot in waited:
            if slot[0] in self.runs:
                self.runs[slot[0]].state.pop(slot[1], None)
                self._todo.append(slot)
        for held in list(self.held.values()):
            for persist, partition, executor in list(held.copies):
                if executor == event.executor:
                    self._copy_done(CopyDone(persist, partition, executor, None))
        if running is not None:
            self._unclaim(running)
            failure = ExecutorLost(event.reason)
            ended = TaskFailed(running.task, event.executor, failure)
            self._ended(ended, running.job, failure, counted=running.run is not None)
            if running.run is not None:
                self._again(running.run, running.task.partition, failure)
        if not self.seats.nodes and not self.seats.awaited:
            for job in list(self.jobs):
                self._end_job(job, EngineFailure(f"no executor is left: {event.reason}"))

    @_on.register
    def _keep_asked(self, event: KeepAsked) -> None:
        self.kept.live.add(event.persist)

    @_on.register
    def _released(self, event: Released) -> None:
        for exchange in event.exchanges:
            outputs = self.outputs.pop(exchange, None)
            self.counted.pop(exchange, None)
            if outputs is None:
                continue
            for source, output in enumerate(outputs.table):
                if output is not None:
                    for block in output.blocks:
                        if block.node in self.on_node:
                            self.on_node[block.node].discard((exchange, source))
                    self._free(output.blocks)
        for at in [at for at, a in self.asked.items() if a.exchange in event.exchanges]:
            del self.asked[at]
            self.adapted.pop(at, None)
        known = tuple(persist for persist in event.persists if persist in self.kept.live)
        shared = [where for persist in known for where in self.kept.release(persist)]
        if known:
            self._actions.append(FreeKept(known, tuple(shared)))
        gone = {("shuffle", e) for e in event.exchanges} | {("kept", p) for p in event.persists}
        for key in [key for key in self.lost if (key[0], key[1]) in gone]:
            del self.lost[key]
        for node in [node for node, where in self.on_node.items() if not where]:
            del self.on_node[node]

    @_on.register
    def _copy_done(self, event: CopyDone) -> None:
        if event.kept is not None and event.executor in self.seats.nodes:
            if event.persist in self.kept.live:
                self.kept.put(event.kept)
            else:
                self._actions.append(FreeKept((event.persist,)))
        for number, held in list(self.held.items()):
            held.copies.discard((event.persist, event.partition, event.executor))
            if not held.copies and number in self.held:  # the first one may have ended their job
                del self.held[number]
                self._free(held.blocks)
                self._accept(held.done, held.running)
