"""What an answer changes: outputs, kept partitions, failures, and what has to be forgotten."""

from __future__ import annotations

from dataclasses import replace

from planner.blocks import Block
from planner.events import (
    Copy,
    Deliver,
    FreeKept,
    StageEnded,
    TaskDone,
)
from planner.failures import (
    EngineFailure,
    ExecutorLost,
    Failure,
    KeptLost,
    SliceLost,
    UserFailure,
)
from planner.kept import Key
from planner.runs import WAITING, Run, Running
from planner.scheduling.asking import Asking


class Answers(Asking):
    """See the module."""

    def _late(self, event: TaskDone, running: Running | None) -> None:
        """An answer nobody waits for: what it wrote goes, what it kept may stay."""
        self._discard(event)
        if running is not None:
            _, blocks = self._note_kept(event, copies=False)
            self._free(blocks)
            self._unclaim(running)
            self._ended(event, running.job, None, counted=False)
        else:
            self._free(tuple(k.replica for k in event.report.kept if k.replica is not None))

    def _accept(self, event: TaskDone, running: Running) -> None:
        run = running.run
        assert run is not None, "what nobody wants is never accepted"
        self._unclaim(running)
        self._ended(event, running.job, None, counted=True)
        if run.stage.barrier:
            run.held[event.task.partition] = event
            run.state[event.task.partition] = WAITING
            self._check_barrier(run)
            if run.users and len(run.held) == len(run.state):
                held, run.held = run.held, {}
                for partition in sorted(held):
                    self._complete(run, held[partition])
        else:
            self._complete(run, event)

    def _complete(self, run: Run, event: TaskDone) -> None:
        """The partition is there."""
        task, stage = event.task, run.stage
        run.state.pop(task.partition, None)
        run.finished += 1
        run.seconds += event.report.seconds
        job = next(iter(run.users))
        self._regain("running", stage.id, task.partition, event.report, job)
        if stage.exchange is None:
            run.answered.add(task.partition)
            self._account(job, event.report)
            self._actions.append(Deliver(job, task.partition, task, event.result))
            if len(run.answered) == len(self.jobs[job].partitions):
                self._tell(StageEnded(stage.id))
                self._end_job(job, None)
            return
        assert event.output is not None, "a map task answers with its output"
        outputs = self.outputs.get(stage.exchange)
        if outputs is None:
            self._free(event.output.blocks)
            return
        outputs.put(task.partition, event.output)
        for block in event.output.blocks:
            if block.node is not None:
                self.on_node.setdefault(block.node, set()).add((stage.exchange, task.partition))
        counted = self.counted.setdefault(stage.exchange, set())
        if task.partition not in counted:
            counted.add(task.partition)
            self._account(job, event.report)
        self._regain("shuffle", stage.exchange, task.partition, event.report, job)
        if not outputs.absent:
            self._tell(StageEnded(stage.id, stage.exchange))
            self._exchange_complete(stage.exchange)

    def _exchange_complete(self, exchange: int) -> None:
        waiting = self.for_exchange.pop(exchange, {})
        for stage_id in dict.fromkeys(stage for stage, _ in waiting):
            self._adapt(stage_id)
        for stage_id, partition in waiting:
            if stage_id in self.runs and partition in self.runs[stage_id].state:
                self._todo.append((stage_id, partition))

    def _adapt(self, stage_id: int) -> None:
        """Let a stage that has not started go on as the adaptive rule wants it."""
        run = self.runs.get(stage_id)
        if run is None or run.started:
            return
        stage = self._adapted(run.stage, run.users)
        if stage is run.stage:
            return
        run.stage = stage
        if stage.exchange is not None:
            self._unqueue(run)
            run.state = dict.fromkeys(range(stage.width), WAITING)
            self._todo.extend((stage_id, partition) for partition in run.state)

    def _again(self, run: Run, partition: int, failure: Failure) -> None:
        """A task did not make it: ask again, or give up at the limit."""
        if self.runs.get(run.stage.id) is not run:
            return  # its jobs ended meanwhile
        lost = isinstance(failure, SliceLost | KeptLost | ExecutorLost)
        counts, limit = (
            (run.losses, self.limits.losses) if lost else (run.failures, self.limits.failures)
        )
        counts[partition] = counts.get(partition, 0) + 1
        if counts[partition] >= limit or (isinstance(failure, UserFailure) and not failure.retry):
            self._fail(run, _given_up(run, partition, failure) if lost else failure)
            return
        if isinstance(failure, ExecutorLost):
            self._lose("running", run.stage.id, partition, failure.message)
        run.state.pop(partition, None)
        run.why[partition] = "lost" if lost else "retry"
        if run.stage.barrier:
            self._restart_barrier(run)
        else:
            self._todo.append((run.stage.id, partition))

    def _check_barrier(self, run: Run) -> None:
        """A task that ends while others wait for it would let them wait for ever."""
        if run.calls and run.held:
            late, gone = min(run.calls), min(run.held)
            message = (
                f"task {late} waits at a barrier that task {gone} never called before it ended"
            )
            self._fail(run, EngineFailure(message))

    def _note_kept(
        self, event: TaskDone, copies: bool = True
    ) -> tuple[set[tuple[int, int, str]], tuple[Block, ...]]:
        """Take in what a task kept and dropped; the copies to wait for, and the blocks for them."""
        wanted: set[tuple[int, int, str]] = set()
        blocks: list[Block] = []
        if event.executor not in self.seats.nodes:
            return wanted, ()
        job = self._job_of(event.task)
        for kept in event.report.kept:
            if kept.replica is not None:
                blocks.append(kept.replica)
            if kept.persist not in self.kept.live:
                self._actions.append(FreeKept((kept.persist,)))
                continue
            self.kept.put(replace(kept, replica=None), event.report.seconds)
            self._regain("kept", kept.persist, kept.partition, event.report, job)
            if copies and kept.replica is not None:
                for executor in self._others(event.executor, kept.wanted_copies - 1):
                    wanted.add((kept.persist, kept.partition, executor))
                    self._actions.append(Copy(kept.persist, kept.partition, executor, kept.replica))
        for key in event.report.dropped:  # the last word: the task may have put it there itself
            self._forget_copies(key, event.executor)
        return wanted, tuple(blocks)

    def _others(self, executor: str, number: int) -> list[str]:
        """Other executors for copies, those on other nodes first."""
        node = self.seats.nodes.get(executor)
        names = list(self.seats.nodes)
        start = names.index(executor) if executor in names else 0
        others = [*names[start + 1 :], *names[:start]]
        others.sort(key=lambda name: self.seats.nodes[name] == node)
        return others[:number]

    def _forget_slices(self, failure: SliceLost, running: Running) -> None:
        """Forget the outputs a reader did not find, unless they were written anew meanwhile."""
        outputs = self.outputs.get(failure.exchange)
        if outputs is None:
            return
        given = dict.fromkeys(
            (slice_.source, slice_.block)
            for slices in running.fetches.values()
            for slice_ in slices
            if slice_.exchange == failure.exchange and slice_.source in failure.sources
        )
        for source, block in given:
            output = outputs.table[source]
            if output is not None and block in output.blocks:
                self._forget_output(failure.exchange, source, running.executor)

    def _forget_copies(self, key: Key, executor: str) -> None:
        node = self.seats.nodes.get(executor, "")
        for home in (executor, node):
            if self.kept.drop(key, home):
                self._lose("kept", key[0], key[1], home)

    def _lose_home(self, home: str) -> None:
        for persist, partition in self.kept.lose_home(home):
            self._lose("kept", persist, partition, home)

    def _lose_node(self, node: str) -> None:
        self._lose_home(node)
        for exchange, source in sorted(self.on_node.pop(node, ())):
            self._forget_output(exchange, source, node)
        failure = ExecutorLost(f"node {node} is lost")
        for number, held in list(self.held.items()):  # written, but not entered yet
            run = held.running.run
            if run is not None and number in self.held and _is_on(held.done, node):
                self._drop_held(number, failure)
                self._again(run, held.done.task.partition, failure)
        for run in list(self.runs.values()):
            lost = [partition for partition, event in run.held.items() if _is_on(event, node)]
            if lost:
                self._again(run, lost[0], failure)


def _given_up(run: Run, partition: int, failure: Failure) -> Failure:
    """The failure of a job of which one partition was lost again and again."""
    where = f"partition {partition} of stage {run.stage.id}, {run.stage.site}"
    times = run.losses[partition]
    return replace(
        failure,
        message=f"{where}, is given up: it was lost {times} times, at last because "
        f"{failure.message}",
    )


def _is_on(event: TaskDone, node: str) -> bool:
    """Whether something that the task wrote is on that node."""
    return event.output is not None and any(block.node == node for block in event.output.blocks)
