"""The run loop: feeds events to the scheduler and carries its actions out.

One thread at a time turns it: a thread of its own for worker processes and Ray, the caller's for
`inline`. Users wait on a JobHandle.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from functools import singledispatchmethod
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from executors import frames
from executors.ctrl_c import ctrl_c
from executors.faultbook import FaultBook
from executors.orders import InBlock, Inline, Order
from executors.protocol import Executors, InCallersThread
from planner import events as ev
from planner.blocks import Block
from planner.failures import EngineFailure, Failure, TooLarge
from planner.levels import StorageLevel
from planner.scheduler import Scheduler
from planner.stages import Stage

log = logging.getLogger("minispark")


class Listener(Protocol):
    """Hears the notices of `planner/events.py`, in order, in the run loop's thread."""

    def on_event(self, notice: ev.Notice) -> None: ...


class JobHandle:
    """A job that was asked for: its answers as they come, and its end."""

    def __init__(self, loop: RunLoop, job: ev.Job, on_end: Callable[[], None]) -> None:
        self.id = job.id
        self.done = False
        self.failure: Failure | None = None
        self.warnings: list[str] = []
        self.adapted: list[Stage] = []  # stages as the adaptive rule changed them
        self.bytes = 0  # of its results, and by partition
        self.sizes: dict[int, int] = {}
        self.on_end = on_end
        self._loop = loop
        self._answers: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()

    def next(self, timeout: float | None = None) -> tuple[int, Any] | None:
        """The next answer, (partition, handle of its rows); None after `timeout` seconds.

        Raises StopIteration when the job has ended, well or not: see `failure`.
        """
        try:
            answer: tuple[int, Any] | None = self._loop.wait(self._answers, timeout)
        except Empty:
            return None
        if answer is None:
            self._answers.put(None)  # for whoever asks again
            raise StopIteration
        return answer

    def rows(self, result: Any) -> list[Any]:
        """The rows behind an answer. Frees the block they were in."""
        return self._loop.rows(result)

    def discard(self, result: Any) -> None:
        """Nobody will read this answer."""
        if isinstance(result, InBlock):
            self._loop.executors.free([result.block])

    def push(self, answer: tuple[int, Any] | None) -> None:
        self._answers.put(answer)

    def drain(self) -> Iterator[Any]:
        """Answers nobody took."""
        while True:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                return
            if answer is None:
                self._answers.put(None)  # the end, for whoever asks next
                return
            yield answer[1]


class RunLoop:
    """Drives one set of executors. All state of jobs is in the scheduler."""

    def __init__(
        self,
        executors: Executors,
        scheduler: Scheduler,
        max_result: int,
        on_accumulated: Callable[[dict[int, Any]], None],
    ) -> None:
        self.executors = executors
        self.scheduler = scheduler
        self.faults = FaultBook()
        self.listeners: list[Listener] = []
        self.programs: dict[int, bytes] = {}  # stage -> its pickled StageProgram
        self.pickle_program: Callable[[Stage], bytes]  # set by the session
        self._rewritten: dict[int, tuple[Stage, bytes]] = {}
        self.files: tuple[tuple[str, Block | None, bool], ...] = ()
        self.kept_as: dict[int, tuple[StorageLevel, str]] = {}  # persist id -> level and call site
        self.record: list[ev.Event] | None = None  # set to a list to keep all events
        self._max_result = max_result
        self._on_accumulated = on_accumulated
        self._handles: dict[int, JobHandle] = {}
        self._inbox: deque[ev.Event | threading.Event] = deque()
        self._turning = threading.RLock()
        self._stopping = False
        self.broken: str | None = None
        self._thread: threading.Thread | None = None

    # ---- from any thread -----------------------------------------------------------------------

    def start(self) -> None:
        self.executors.start()
        self._inbox.append(ev.ExecutorsAwaited(self.executors.slots))
        if self.executors.threaded:
            self._thread = threading.Thread(target=self._run, name="minispark-loop", daemon=True)
            self._thread.start()

    def ask(self, job: ev.Job, on_end: Callable[[], None]) -> JobHandle:
        """Begin a job; `on_end` is called in the loop's thread when it has ended."""
        handle = JobHandle(self, job, on_end)
        self._handles[job.id] = handle
        self.post(ev.JobAsked(job))
        return handle

    def post(self, event: ev.Event | threading.Event) -> None:
        """Hand an event to the loop. Safe in finalizers and signal handlers."""
        self._inbox.append(event)
        if self.executors.threaded:
            self.executors.wake()
        elif isinstance(event, ev.CancelAsked) and isinstance(self.executors, InCallersThread):
            self.executors.interrupt(self._only_for(event.jobs))

    def _only_for(self, jobs: Collection[int]) -> list[int]:
        """The numbers of the running tasks that nobody but these jobs wants."""
        return [
            number
            for number, running in list(self.scheduler.running.items())
            if running.run is not None and running.run.users.keys() <= set(jobs)
        ]

    def wait(self, answers: SimpleQueue[Any], timeout: float | None) -> Any:
        """The next item of a handle's queue, turning the loop if nobody else does."""
        if self.executors.threaded:
            if self.broken:
                raise RuntimeError(self.broken)
            with ctrl_c.let_through():
                return answers.get(timeout=timeout)
        with self._turning:
            while answers.empty():
                if not self.turn(0) and answers.empty():
                    raise RuntimeError("the scheduler is stuck: nothing runs and the job waits")
        return answers.get_nowait()

    def settle(self) -> None:
        """Return when all that was posted so far has been taken in."""
        if self.executors.threaded:
            if self._thread is not None and self._thread is not threading.current_thread():
                taken = threading.Event()
                self.post(taken)
                with ctrl_c.let_through():
                    while not taken.wait(0.2) and self._thread.is_alive():
                        pass
            return
        with self._turning:
            while self.turn(0):
                pass

    def rows(self, result: Any) -> list[Any]:
        """The rows of an answer."""
        if isinstance(result, Inline):
            return _joined(memoryview(result.frame))
        assert isinstance(result, InBlock)
        try:
            with ctrl_c.let_through():
                return _joined(self.executors.fetch(result.block))
        finally:  # unpickling may raise: rows are the user's
            self.executors.free([result.block])

    def stop(self) -> None:
        """End every job, every executor and the thread."""
        if self._stopping:
            return
        self._stopping = True
        if self._thread is not None:
            self.executors.wake()
            if self._thread is not threading.current_thread():
                self._thread.join(timeout=10)
        self._fail_all(EngineFailure("the SparkContext was stopped"))
        self.executors.close()

    # ---- the loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.turn(None)
            except Exception:  # a bug of ours: nobody may wait for ever because of it
                self.broken = f"the run loop failed:\n{traceback.format_exc()}"
                self._fail_all(EngineFailure(self.broken))
                return

    def turn(self, timeout: float | None) -> bool:
        """Take in what has happened, waiting up to `timeout`; False if nothing had."""
        threaded = self.executors.threaded
        with self._turning, nullcontext() if threaded else ctrl_c.held_back():
            asked = self._take_asked()
            found = self.executors.poll(0 if asked else timeout)
            asked |= self._take_asked()  # a cancel comes before the end of the task it has ended
            for event in found:
                self._take(event)
            return asked or bool(found)

    def _take_asked(self) -> bool:
        """Take in what other threads and finalizers want; whether there was anything."""
        found = bool(self._inbox)
        while self._inbox:
            event = self._inbox.popleft()
            if isinstance(event, threading.Event):
                event.set()
            else:
                self._take(event)
        return found

    def _take(self, event: ev.Event) -> None:
        if isinstance(event, ev.TaskDone) and event.result is not None:
            self._guard(event)
        if self.record is not None:
            self.record.append(event)
        self.faults.note(event)
        if isinstance(event, ev.TaskDone | ev.TaskFailed) and event.report.warnings:
            self._warn(event)
        for action in self.scheduler.handle(event):
            self._do(action)

    def _warn(self, event: ev.TaskDone | ev.TaskFailed) -> None:
        running = self.scheduler.running.get(event.task.number)
        handle = self._handles.get(running.job) if running is not None else None
        for warning in event.report.warnings:
            if handle is not None:
                handle.warnings.append(warning)
            else:
                log.warning(warning)

    def _guard(self, event: ev.TaskDone) -> None:
        """End the job whose results would, with this one, be more than the driver is to hold."""
        running = self.scheduler.running.get(event.task.number)
        if running is None or running.run is None or not self._max_result:
            return
        job, handle = self.scheduler.jobs.get(running.job), self._handles.get(running.job)
        if job is None or handle is None or job.keep_result:
            return
        result = event.result
        size = len(result.frame) if isinstance(result, Inline) else result.block.bytes
        handle.bytes += size - handle.sizes.get(event.task.partition, 0)
        handle.sizes[event.task.partition] = size
        if handle.bytes > self._max_result:
            message = (
                f"the results of {job.stage.site} come to more than spark.driver.maxResultSize "
                f"({handle.bytes:,} of {self._max_result:,} bytes by now): take less, write to "
                "files, use toLocalIterator() over more partitions, or raise that setting (0: no "
                "limit)"
            )
            self._take(ev.CancelAsked((job.id,), TooLarge(message)))

    def _fail_all(self, failure: Failure) -> None:
        for job in list(self._handles):
            self._do(ev.EndJob(job, failure))

    @singledispatchmethod
    def _do(self, action: ev.Action) -> None:
        raise TypeError(f"not an action: {action!r}")

    @_do.register
    def _launch(self, launch: ev.Launch) -> None:
        stage = launch.stage
        kind = "map" if stage.output is not None else "block" if launch.job.keep_result else "rows"
        channels = stage.output.channels if stage.output is not None else 1
        firsts = self.executors.destinations(channels)
        order = Order(
            launch.task,
            kind,
            launch.reads,
            launch.fetches,
            launch.has,
            launch.keep,
            firsts=firsts,
            peers=launch.peers,
            properties=launch.job.properties,
            files=self.files,
            faults=self.faults.take(launch),
            memory_left=self.executors.memory_left(),
            compress=len(firsts) > 1,
            site=str(stage.site),
        )
        self.executors.submit(launch.executor, order, self._program(stage))

    def _program(self, stage: Stage) -> bytes:
        """A stage's pickled program; one that the adaptive rule rewrote is pickled now."""
        if stage.id not in self.scheduler.adapted:
            return self.programs[stage.id]
        known = self._rewritten.get(stage.id)
        if known is None or known[0] is not stage:
            known = self._rewritten[stage.id] = (stage, self.pickle_program(stage))
        return known[1]

    @_do.register
    def _cancel(self, action: ev.CancelTask) -> None:
        self.executors.cancel(action.executor, action.task)

    @_do.register
    def _deliver(self, action: ev.Deliver) -> None:
        handle = self._handles.get(action.job)
        result = action.result
        if handle is None:
            if isinstance(result, InBlock):
                self.executors.free([result.block])
            return
        handle.push((action.partition, result))

    @_do.register
    def _discard(self, action: ev.Discard) -> None:
        if isinstance(action.result, InBlock):
            self.executors.free([action.result.block])

    @_do.register
    def _account(self, action: ev.Account) -> None:
        self._on_accumulated(action.updates)

    @_do.register
    def _adapted(self, action: ev.Adapted) -> None:
        handle = self._handles.get(action.job)
        if handle is not None:
            handle.adapted.append(action.stage)

    @_do.register
    def _end(self, action: ev.EndJob) -> None:
        handle = self._handles.pop(action.job, None)
        if handle is None:
            return
        handle.failure = action.failure
        handle.done = True
        if action.failure is not None:
            for result in handle.drain():
                handle.discard(result)
        handle.on_end()
        handle.push(None)

    @_do.register
    def _reply(self, action: ev.Reply) -> None:
        self.executors.message(action.executor, action.task, action.messages)

    @_do.register
    def _copy(self, action: ev.Copy) -> None:
        what = action.persist, action.partition
        if (kept := self.kept_as.get(action.persist)) is None:  # given up since it was asked for
            self.post(ev.CopyDone(*what, action.executor, None))
        else:
            self.executors.replicate(action.executor, *what, action.block, *kept)

    @_do.register
    def _free_blocks(self, action: ev.FreeBlocks) -> None:
        self.executors.free(action.blocks)

    @_do.register
    def _free_kept(self, action: ev.FreeKept) -> None:
        self.executors.free_kept(action.persists, action.shared)

    @_do.register
    def _forget_stage(self, action: ev.ForgetStage) -> None:
        self._rewritten.pop(action.stage, None)
        self.executors.forget_stage(action.stage)

    @_do.register
    def _tell(self, action: ev.Tell) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.on_event(action.notice)
            except Exception:  # a listener must not stop the engine; it is told where it failed
                log.exception("a listener failed on %r", action.notice)


def _joined(view: memoryview) -> list[Any]:
    """The rows of all frames."""
    lists = list(frames.decode(view))
    return lists[0] if len(lists) == 1 else list(chain.from_iterable(lists))
