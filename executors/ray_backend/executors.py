"""`ray`, `ray[n]`, `auto`, `host:port`: one Ray actor for each slot.

Ray starts and places processes, carries calls and holds blocks; lineage, retries and placement are
ours. Whatever a call ends with, value or exception, is put into one queue by Ray's thread and taken
out by `poll`. Each actor has one call that never ends (`notices`): its end is the actor's end.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any

import ray

from executors import pickling
from executors.blockio import BlockMissing
from executors.orders import Order, WorkerConfig
from executors.protocol import EngineConf
from executors.ray_backend import blocks as objects
from executors.ray_backend.actor import GROUPS, Executor
from executors.ray_backend.cluster import RayCluster
from executors.ray_backend.failures import Death, answer_failure, death
from executors.session_folder import SessionFolder
from planner.blocks import Block
from planner.events import CopyDone, Event, ExecutorDown, ExecutorUp, TaskFailed, TaskId
from planner.levels import StorageLevel

log = logging.getLogger("minispark")

_GRACE = 1.3  # seconds a cancelled task has to end before its process is ended
_HOPELESS = 3  # actors in a row that died before they were up
_REFILL = 2.0  # seconds between two looks for room for the actors that are missing
_STARTS = 5.0  # seconds that an actor may need to start where there is room for it
_PATIENCE = 15.0  # seconds after which the user is told that actors wait for room
_PRINTS = 0.4  # seconds in which Ray brings what tasks have printed


@dataclass(eq=False)
class _Actor:
    """One actor, as the driver sees it."""

    name: str
    handle: Any
    hello: Any  # the reference of where it is
    node: str | None = None  # None until it is up
    pid: int = 0
    task: TaskId | None = None
    copies: list[tuple[int, int]] = field(default_factory=list)
    programs: set[int] = field(default_factory=set)
    forget: list[int] = field(default_factory=list)  # stages, told with the next task
    puts: int = 0  # number of the newest driver-made block it knows
    deadline: float | None = None  # when a cancelled task's process is ended
    ended_for: str | None = None  # why we ended it ourselves
    runs: dict[int, Any] = field(default_factory=dict)  # its method `run`, by number of objects
    asked: float = field(default_factory=time.monotonic)


# What `poll` takes out of the queue: who to call with what a call ended with.
Ended = tuple[Callable[..., None], tuple[Any, ...]]


class RayExecutors:
    """See the module.

    Parameters
    ----------
    slots : int
        How many actors; 0 for one on each CPU of the cluster.
    address : str or None
        The cluster to join; see `RayCluster`.
    conf : EngineConf
        Without spark.executor.memory, an executor gets its share of what its cluster has free.
    """

    threaded = True

    def __init__(self, slots: int, address: str | None, conf: EngineConf) -> None:
        self.slots = slots
        self.conf = conf
        self.driver_bytes = 0  # of blocks that went through this process
        self._address = address
        self._folder = SessionFolder(conf.local_dir or tempfile.gettempdir())
        self.files_folder = os.path.join(self._folder.path, "files")
        os.mkdir(self.files_folder)
        self._session = uuid.uuid4().hex[:12]
        self._cluster: RayCluster | None = None
        self._class: Any = None
        self._actors: dict[str, _Actor] = {}
        self._named = 0
        self._died_early = 0
        self._lost_nodes: set[str] = set()
        self._objects = objects.ObjectTable()
        self._deleted: SimpleQueue[objects.Key] = SimpleQueue()  # driver-made blocks
        self._queue: SimpleQueue[Ended | None] = SimpleQueue()
        self._events: list[Event] = []
        self._refill_at = math.inf
        self._warned = False
        self._answer_at = -math.inf  # when the last task ended
        self._closed = False

    # ---- actors --------------------------------------------------------------------------------

    def start(self) -> None:
        cluster = RayCluster(self.slots, self._address, self.conf.environment, self.conf.local_dir)
        self._cluster = cluster
        atexit.register(self.close)  # before Ray's own, which would be taken for deaths
        self.slots = self.slots or max(1, cluster.cpus())
        memory = self.conf.executor_memory
        if "spark.executor.memory" not in self.conf.conf:
            memory = min(memory, cluster.memory_for_each() or memory)
        self._config = WorkerConfig(
            "", "", memory, "", "", "", sys_path=self.conf.sys_path, conf=self.conf.conf
        )
        self._class = ray.remote(
            num_cpus=1,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups=GROUPS,
            scheduling_strategy="SPREAD",
            enable_task_events=False,
            runtime_env=cluster.runtime_env(),
        )(Executor)
        for _ in range(self.slots):
            self._start_actor()

    def _start_actor(self) -> None:
        name = f"ray-{self._named}"
        self._named += 1
        config = replace(self._config, executor=name)
        handle = self._class.remote(config, self._session, self.conf.local_dir)
        actor = self._actors[name] = _Actor(name, handle, handle.hello.remote())
        self._when_done(actor.hello, self._up, actor)
        self._await_notices(actor)
        self._refill_at = min(self._refill_at, time.monotonic() + _REFILL)

    def _when_done(self, ref: Any, then: Callable[..., None], *known: Any) -> None:
        """Have `poll` call `then(*known, future)` when `ref` is there, or has failed."""
        queue = self._queue
        ref.future().add_done_callback(lambda future: queue.put((then, (*known, future))))

    def _await_notices(self, actor: _Actor) -> None:
        self._when_done(actor.handle.notices.remote(), self._noticed, actor)

    # ---- what comes back -----------------------------------------------------------------------

    def _up(self, actor: _Actor, future: Any) -> None:
        if self._failed(actor, future):
            return
        actor.node, actor.pid = future.result()
        self._died_early = 0
        if self._lost_nodes:
            actor.handle.lose.remote(tuple(self._lost_nodes), ())
        self._events.append(ExecutorUp(actor.name, str(actor.node)))

    def _noticed(self, actor: _Actor, future: Any) -> None:
        if not self._failed(actor, future):
            self._events.extend(pickling.loads(future.result()))
            self._await_notices(actor)

    def _answered(self, actor: _Actor, task: TaskId, refs: list[Any], future: Any) -> None:
        if actor.name not in self._actors:
            return  # told to be lost, with everything it was doing
        self._answer_at = time.monotonic()
        error = future.exception()
        if error is not None:
            if not self._failed(actor, future):
                actor.task = actor.deadline = None
                self._events.append(TaskFailed(task, actor.name, answer_failure(error)))
            return
        actor.task = actor.deadline = None
        event, removed = pickling.loads(future.result())
        self._objects.note(event, refs)
        if removed:
            self._objects.lose(removed)
            for other in self._everybody():
                other.handle.lose.remote((), removed)
        self._events.append(event)

    def _copied(self, actor: _Actor, persist: int, partition: int, future: Any) -> None:
        if actor.name not in self._actors or self._failed(actor, future):
            return
        actor.copies.remove((persist, partition))
        if future.exception() is not None:  # it lives and did not make it
            self._events.append(CopyDone(persist, partition, actor.name, None))
        else:
            self._events.append(pickling.loads(future.result()))

    def _failed(self, actor: _Actor, future: Any) -> bool:
        """Whether a call ended because its actor did, or was not wanted any more."""
        if actor.name not in self._actors:
            return True
        error = future.exception()
        if error is None:
            return False
        if not self._everybody():
            return True
        assert self._cluster is not None
        found = death(error, actor.name, actor.node is None or self._cluster.is_alive(actor.node))
        if found is None:
            return False
        if found.node_too and actor.node is not None:
            self._node_down(actor.node, found)
        else:
            self._down(actor, found.reason, node_lost=False)
        return True

    # ---- losses --------------------------------------------------------------------------------

    def _node_down(self, node: str, found: Death) -> None:
        self._lost_nodes.add(node)
        for actor in [actor for actor in self._actors.values() if actor.node == node]:
            ray.kill(actor.handle)  # should it live on behind a broken connection
            reason = found.reason if actor.name in found.reason else f"its node is gone ({node})"
            self._down(actor, reason, node_lost=True)
        for actor in self._everybody():
            if actor.node is not None:
                actor.handle.lose.remote((node,), ())

    def _down(self, actor: _Actor, reason: str, node_lost: bool) -> None:
        """The one place where the end of an actor becomes an event."""
        del self._actors[actor.name]
        self._died_early = 0 if actor.node is not None else self._died_early + 1
        for persist, partition in actor.copies:
            self._events.append(CopyDone(persist, partition, actor.name, None))
        replaced = self._died_early < _HOPELESS and self._has_room()
        reason = actor.ended_for or reason
        self._events.append(ExecutorDown(actor.name, reason, node_lost, replaced))
        if replaced:
            self._start_actor()
        else:
            self._refill_at = min(self._refill_at, time.monotonic() + _REFILL)

    def _has_room(self) -> bool:
        """Whether the cluster has a CPU for one more actor, if nobody else takes it."""
        assert self._cluster is not None
        if self._closed or not ray.is_initialized():
            return False
        return self._cluster.cpus(without=self._lost_nodes) > len(self._actors)

    def _refill(self) -> None:
        """Start the actors that there was no room for; say so if Ray finds none for long."""
        now = time.monotonic()
        if now < self._refill_at:
            return
        waiting = [actor for actor in self._actors.values() if actor.node is None]
        while len(self._actors) < self.slots and self._died_early < _HOPELESS and self._has_room():
            self._start_actor()
        complete = len(self._actors) >= self.slots and not waiting
        self._refill_at = math.inf if complete else now + _REFILL
        if waiting and not self._warned and now - waiting[0].asked > _PATIENCE:
            self._warned = True
            log.warning(
                "%d of %d executors wait for a free CPU of the Ray cluster",
                len(waiting),
                self.slots,
            )

    def _everybody(self) -> list[_Actor]:
        """All actors. None if somebody else has shut Ray down: a call would start a new one."""
        if self._actors and not ray.is_initialized():
            reason = "Ray was shut down while the session still ran"
            log.error(reason)
            for name in self._actors:
                self._events.append(ExecutorDown(name, reason, replaced=False))
            self._actors.clear()
            self._refill_at = math.inf
            self.wake()
        return list(self._actors.values())

    def _find(self, executor: str) -> _Actor | None:
        """The actor of that name, None if it is gone."""
        self._everybody()
        return self._actors.get(executor)

    # ---- the protocol --------------------------------------------------------------------------

    def submit(self, executor: str, order: Order, program: bytes) -> None:
        actor = self._find(executor)
        if actor is None:
            return  # its death is being told
        stage = order.task.stage
        news = None if stage in actor.programs else program
        actor.programs.add(stage)
        forget, actor.forget = actor.forget, []
        refs, actor.puts = self._objects.refs(objects.needed(order), actor.puts)
        request = pickling.dumps((order, news, forget))
        count = objects.objects(order)
        run = actor.runs.get(count)
        if run is None:
            run = actor.runs[count] = actor.handle.run.options(num_returns=1 + count)
        actor.task = order.task
        answer, *made = run.remote(request, refs or None)
        self._when_done(answer, self._answered, actor, order.task, made)

    def poll(self, timeout: float | None) -> Sequence[Event]:
        if self._events:
            timeout = 0
        try:
            ended = self._queue.get(timeout=self._until_due(timeout))
            while True:
                if ended is not None and not self._closed:
                    then, known = ended
                    then(*known)
                ended = self._queue.get_nowait()
        except Empty:
            pass  # that was all
        if not self._closed:
            self._end_overdue()
            self._refill()
            self._delete()
        events, self._events = self._events, []
        return events

    def _until_due(self, timeout: float | None) -> float | None:
        due = [actor.deadline for actor in self._actors.values() if actor.deadline is not None]
        first = min(due, default=self._refill_at)
        first = min(first, self._refill_at)
        if first == math.inf:
            return timeout
        left = max(0.0, first - time.monotonic())
        return left if timeout is None else min(left, timeout)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for actor in self._everybody():
            if actor.deadline is not None and actor.deadline <= now:
                actor.deadline = None
                actor.ended_for = f"executor {actor.name} was ended: a cancelled task did not stop"
                ray.kill(actor.handle)

    def _delete(self) -> None:
        """Let actors forget the driver-made blocks that were freed meanwhile."""
        keys = []
        while not self._deleted.empty():
            keys.append(self._deleted.get())
        if keys:
            for actor in self._everybody():
                actor.handle.delete.remote(keys)

    def wake(self) -> None:
        self._queue.put(None)

    def cancel(self, executor: str, task: TaskId) -> None:
        actor = self._find(executor)
        if actor is not None and actor.task == task:
            actor.deadline = time.monotonic() + _GRACE
            actor.handle.cancel.remote(task.number)

    def message(self, executor: str, task: TaskId, messages: Sequence[Any]) -> None:
        actor = self._find(executor)
        if actor is not None:
            actor.handle.reply.remote(task.number, tuple(messages))

    def replicate(
        self,
        executor: str,
        persist: int,
        partition: int,
        block: Block,
        level: StorageLevel,
        site: str,
    ) -> None:
        actor = self._find(executor)
        if actor is None:
            self._events.append(CopyDone(persist, partition, executor, None))
            return
        actor.copies.append((persist, partition))
        request = pickling.dumps((persist, partition, block, level, site))
        copied = actor.handle.copy.remote(request, self._objects.refs((block,), actor.puts)[0])
        self._when_done(copied, self._copied, actor, persist, partition)

    def forget_stage(self, stage: int) -> None:
        for actor in self._actors.values():
            if stage in actor.programs:
                actor.programs.discard(stage)
                actor.forget.append(stage)

    def free_kept(self, persists: Sequence[int], shared: Sequence[Any]) -> None:
        for actor in self._everybody():  # after the task that it runs now
            actor.handle.free_kept.remote(tuple(persists), tuple(shared))

    def free(self, blocks: Sequence[Block]) -> None:
        gone = self._objects.free(blocks)
        for key in gone:
            self._deleted.put(key)
        if gone:
            self.wake()

    def fetch(self, block: Block) -> memoryview:
        ref = self._objects.ref(block)
        if ref is None:
            raise BlockMissing(f"block {block.where.object} of task {block.where.task} is gone")
        lost = self._lost_nodes

        def gone() -> str | None:
            return f"node {block.node} is gone" if block.node in lost else None

        array = objects.get([ref], gone)[0]
        if array is None:
            raise BlockMissing(f"block {block.where.object} of task {block.where.task} was removed")
        self.driver_bytes += block.bytes
        return memoryview(array)[block.where.start : block.where.start + block.bytes]

    def put(self, payload: bytes) -> Block:
        self.driver_bytes += len(payload)
        return self._objects.put(payload)

    def memory_left(self) -> int:
        return 1 << 40  # Ray's store spills to its disk by itself

    def destinations(self, channels: int) -> tuple[int, ...]:
        nodes = {actor.node for actor in self._actors.values() if actor.node is not None}
        groups = max(1, min(len(nodes), channels))
        return tuple(group * channels // groups for group in range(groups))

    def ship_file(self, path: str) -> Block | None:
        with open(path, "rb") as file:
            return self.put(file.read())

    def describe(self) -> dict[str, Any]:
        actors = list(self._actors.values())
        return {actor.name: {"node": actor.node, "pid": actor.pid} for actor in actors}

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if ray.is_initialized():
            self._end_actors()
            time.sleep(max(0.0, self._answer_at + _PRINTS - time.monotonic()))
        self._actors.clear()
        self._objects = objects.ObjectTable()
        if self._cluster is not None:
            self._cluster.close()
        self._folder.close()

    def _end_actors(self) -> None:
        actors = list(self._actors.values())
        waiting = {actor.hello: actor for actor in actors if actor.node is None}
        up = {actor.name for actor in actors if actor.node is not None}
        if waiting and self._cluster is not None and not self._cluster.started:
            # Ray 2.60 keeps the CPU of an actor for ever that is killed while it starts. One for
            # which there is no room has none, and does not start.
            there, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=_STARTS)
            up.update(waiting[hello].name for hello in there)
        idle = [actor for actor in actors if actor.task is None and actor.name in up]
        stopped = [actor.handle.stop.remote() for actor in idle]
        if stopped:
            ray.wait(stopped, num_returns=len(stopped), timeout=2, fetch_local=False)
        for actor in actors:
            ray.kill(actor.handle)
