"""One engine: from a plan to its answer.

`Session.submit` tells the whole story of a job: resolve checkpoints, split into stages, pickle each
stage's program once, hand the job to the run loop; `run` waits for the answers as they come.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from executors import pickling
from executors.ctrl_c import ctrl_c
from executors.machine import share_of_memory
from executors.masters import Master
from executors.orders import StageProgram
from executors.protocol import EngineConf
from executors.recovery import RecoveryReport
from executors.runloop import Listener, RunLoop
from minispark.running import ResultLost, RunningJob, closure_error
from minispark.settings import parse_size
from planner.blocks import Block
from planner.events import CancelAsked, Job, KeepAsked, Notice, Released, StageEnded
from planner.failures import Cancelled
from planner.levels import StorageLevel
from planner.picture import debug_string
from planner.plan import Exchange, Node, Persist, Source, walk
from planner.query.adaptive import by_size
from planner.scheduler import Limits, Scheduler
from planner.site import Site, call_site
from planner.sources import BlockPart
from planner.stages import Splitter, Stage


class Session:
    """See the module. Owned by a SparkContext.

    Parameters
    ----------
    master : str
        Which executors to use; see `executors/masters.py`.
    conf : mapping of str to str
        Settings (spark.executor.memory, spark.driver.maxResultSize, spark.task.maxFailures, …).
    """

    def __init__(self, master: str, conf: Mapping[str, str]) -> None:
        parsed = Master(master)
        memory = conf.get("spark.executor.memory")
        slots = parsed.slots or 1
        self.executor_memory = parse_size(memory) if memory else share_of_memory(slots)
        self._executors = parsed.executors(
            EngineConf(
                app_name=conf.get("spark.app.name", "minispark"),
                executor_memory=self.executor_memory,
                sys_path=tuple(entry or os.getcwd() for entry in sys.path),
                conf=dict(conf),
                local_dir=conf.get("spark.local.dir"),
            )
        )
        failures = int(conf.get("spark.task.maxFailures", parsed.failures))
        losses = int(conf.get("minispark.task.maxLosses", max(4, 2 * failures)))
        self.on_accumulated: Callable[[dict[int, Any]], None] = lambda updates: None
        self.profiler_of: Callable[[Stage], Any] = lambda stage: None
        self._loop = RunLoop(
            self._executors,
            Scheduler(Limits(failures, losses), by_size),
            parse_size(conf.get("spark.driver.maxResultSize", "1g")),
            lambda updates: self.on_accumulated(updates),
        )
        self._splitter = Splitter(self._new_exchange)
        self._planning = threading.RLock()
        self._pending: dict[int, Callable[[], Source]] = {}  # checkpoints to write, by node
        self._jobs = itertools.count()
        self._live: dict[int, JobInfo] = {}
        self._until: dict[int, weakref.ref[Persist]] = {}  # exchange -> kept for its sake
        self._stopped = False
        self.at_stop: list[Callable[[], None]] = []  # what shall be let go with the session
        self.faults = self._loop.faults
        self.recovery = RecoveryReport()
        self.add_listener(self.recovery)
        self.add_listener(self)
        self._loop.pickle_program = self._pickle_program
        try:
            self._loop.start()
        except BaseException:
            self._executors.close()
            raise
        self.default_parallelism = self._executors.slots

    # ---- jobs ----------------------------------------------------------------------------------

    def run(
        self,
        plan: Node,
        partitions: Sequence[int] | None = None,
        adapted: list[Stage] | None = None,
        **about: Any,
    ) -> Iterator[tuple[int, list[Any]]]:
        """Run a job; (partition, rows) of each partition as it is ready, in any order.

        Closing the iterator early, or Ctrl-C while it waits, cancels the rest of the job. An
        exception of the user's code is raised here, as its own type. To `adapted` are added the
        stages that measured sizes changed.
        """
        job = self.submit(plan, partitions, **about)
        lost: list[int] = []
        try:
            while True:
                try:
                    answer = job.next_or_give_up()
                except ResultLost as gone:
                    lost.append(gone.partition)
                    continue
                if answer is not None:
                    yield answer
        except StopIteration:
            pass
        except BaseException as error:
            job.give_up(error)
            raise
        if adapted is not None:
            adapted += job.adapted
        if lost:  # a node took results with it that nobody had read yet
            own = [stage for stage in job.adapted if stage.exchange is None]
            about["stage"] = own[-1] if own else about.get("stage")  # its partitions are others
            yield from self.run(plan, lost, adapted, **about)
        self._write_checkpoints(plan)

    def submit(
        self,
        plan: Node,
        partitions: Sequence[int] | None = None,
        *,
        site: Site | None = None,
        group: str | None = None,
        tags: frozenset[str] = frozenset(),
        description: str | None = None,
        properties: Mapping[str, str] | None = None,
        keep_result: bool = False,
        stage: Stage | None = None,
    ) -> RunningJob:
        """Begin a job and do not wait for it. `stage` is the plan's if it was split before."""
        self._check()
        with self._planning:
            stage = stage or self._splitter.result_stage(plan)
            programs = self._pickle_programs(stage)
        if stage.barrier and partitions is not None and len(set(partitions)) < stage.width:
            raise ValueError(
                f"a barrier stage runs all of its {stage.width} tasks or none, and this action "
                f"asks for {len(set(partitions))}: collect() it, or cache() it first [{plan.site}]"
            )
        job = Job(
            next(self._jobs),
            stage,
            tuple(dict.fromkeys(range(plan.width) if partitions is None else partitions)),
            description or str(site or plan.site),
            group,
            tags,
            tuple((properties or {}).items()),
            keep_result,
        )
        try:
            with ctrl_c.held_back():
                self._loop.programs.update(programs)
                self._live[job.id] = JobInfo(job.id, group, tags, plan)
                handle = self._loop.ask(job, lambda: self._ended(job.id, stage.id))
                return RunningJob(handle, lambda reason: self.cancel(job=job.id, reason=reason))
        except KeyboardInterrupt:  # nobody has the handle
            with ctrl_c.held_back():
                self.cancel(job=job.id)
            raise

    def _ended(self, job: int, stage: int) -> None:
        self._live.pop(job, None)
        self._loop.programs.pop(stage, None)

    def _pickle_programs(self, stage: Stage) -> dict[int, bytes]:
        """The programs of a stage and of all ancestors that are not pickled yet."""
        found: dict[int, bytes] = {}
        stack = [stage]
        while stack:
            each = stack.pop()
            if each.id in found or each.id in self._loop.programs:
                continue
            found[each.id] = self._pickle_program(each)
            stack.extend(each.parents.values())
        return found

    def _pickle_program(self, stage: Stage) -> bytes:
        program = StageProgram(stage.id, stage.program, stage.output, self.profiler_of(stage))
        try:
            return pickling.by_value(program)
        except Exception as error:  # anything a user's __reduce__ or __getstate__ raises
            raise closure_error(stage, error) from error

    # ---- keeping -------------------------------------------------------------------------------

    def persist(self, node: Node, level: StorageLevel) -> Persist:
        """Keep the partitions of `node` from now on; the node to use instead of it."""
        self._check()
        base = self._splitter.resolve(node)
        kept = Persist(node, level, site=call_site())
        with self._planning:
            self._splitter.kept[base.id] = (kept.id, level)
        self._loop.kept_as[kept.id] = level, str(kept.site)
        self.recovery.names[kept.id] = str(kept.site)
        self._loop.post(KeepAsked(kept.id))
        _finalize(base, self._gone, base.id, kept.id)
        return kept

    def keep_until_written(self, kept: Persist, exchange: Node) -> None:
        """Unpersist `kept` as soon as all map outputs of `exchange` are there."""
        self._until[exchange.id] = weakref.ref(kept)

    def on_event(self, notice: Notice) -> None:
        """Listens to its own engine: what was kept for the sake of a stage can go after it."""
        if isinstance(notice, StageEnded) and notice.exchange in self._until:
            kept = self._until.pop(notice.exchange)()
            if kept is not None:
                self.unpersist(kept)

    def unpersist(self, node: Node, blocking: bool = False) -> None:
        """Keep the partitions of `node` no longer."""
        base = self._splitter.resolve(node)
        with self._planning:
            found = self._splitter.kept.pop(base.id, None)
        if found is not None:
            self._loop.post(Released(persists=(found[0],)))
            self._loop.kept_as.pop(found[0], None)
            self.recovery.names.pop(found[0], None)
            if blocking:
                self._loop.settle()

    def kept_level(self, node: Node) -> StorageLevel | None:
        """The level at which `node` is kept now."""
        found = self._splitter.kept.get(self._splitter.resolve(node).id)
        return found[1] if found is not None else None

    def persist_id(self, node: Node) -> int | None:
        """The id under which `node` is kept now: the one in events and reports."""
        found = self._splitter.kept.get(self._splitter.resolve(node).id)
        return found[0] if found is not None else None

    def forget_shuffles(self, exchanges: Sequence[Exchange], blocking: bool = False) -> None:
        """Free what these exchanges have written, but for those that a running job uses."""
        used = {node.id for info in list(self._live.values()) for node in walk(info.plan)}
        freed = tuple(exchange.id for exchange in exchanges if exchange.id not in used)
        self._loop.post(Released(exchanges=freed))
        if blocking:
            self._loop.settle()

    def _new_exchange(self, node: Exchange) -> None:
        self.recovery.names[node.id] = self._splitter.stages[node.id].title or str(node.site)
        _finalize(node, self._gone, node.id, None)

    def _gone(self, node_id: int, persist: int | None) -> None:
        """A node was garbage collected: what executors hold for it goes too."""
        stage = self._splitter.stages.get(node_id)
        self._splitter.forget(node_id)
        self._pending.pop(node_id, None)
        self._until.pop(node_id, None)
        self.recovery.names.pop(node_id if persist is None else persist, None)
        if stage is not None:
            self._loop.programs.pop(stage.id, None)
        if self._stopped:
            return
        if persist is None:
            self._loop.post(Released(exchanges=(node_id,)))
        else:
            self._loop.kept_as.pop(persist, None)
            self._loop.post(Released(persists=(persist,)))

    # ---- checkpoints ---------------------------------------------------------------------------

    def checkpoint(self, node: Node, write: Callable[[], Source]) -> None:
        """After the next job that includes `node`, call `write`; its Source replaces the node."""
        self._check()
        self._pending[self._splitter.resolve(node).id] = write

    def checkpointed(self, node: Node) -> Source | None:
        """The Source that stands for `node` since its checkpoint."""
        while node.id not in self._splitter.cuts and isinstance(node, Persist):
            node = node.child
        return self._splitter.cuts.get(node.id)

    def local_checkpoint(self, node: Node) -> Source:
        """Compute `node` into blocks that executors hold; a Source that reads them."""
        job = self.submit(node, keep_result=True)
        try:
            blocks = {partition: result.block for partition, result in job.raw()}
        except BaseException as error:
            job.give_up(error)
            raise
        parts = tuple(BlockPart(blocks[at], node.id, at) for at in sorted(blocks))
        source = Source(parts, "local checkpoint", node.promise, site=node.site)
        _finalize(source, self._free_blocks, tuple(blocks.values()))
        return source

    def _free_blocks(self, blocks: tuple[Block, ...]) -> None:
        if not self._stopped:
            self._executors.free(blocks)

    def _write_checkpoints(self, plan: Node) -> None:
        """Write the checkpoints that the job just finished made due."""
        if not self._pending:
            return
        due = [node for node in walk(plan) if node.id in self._pending]
        for node in due:
            write = self._pending.pop(node.id, None)
            if write is None:
                continue
            source = write()
            with self._planning:
                self._splitter.cuts[node.id] = source
                if node.id in self._splitter.kept:
                    self._splitter.kept[source.id] = self._splitter.kept.pop(node.id)
            _finalize(node, self._splitter.forget, node.id)

    # ---- blocks and files ----------------------------------------------------------------------

    def put(self, payload: bytes) -> Block:
        """A block that every executor can read (a broadcast value).

        Raises OSError where there is no room for it.
        """
        self._check()
        try:
            return self._executors.put(payload)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror}: {len(payload):,} bytes cannot be placed; make room, or set "
                f"spark.local.dir to a folder on a larger disk [{call_site()}]",
            ) from error

    def open_block(self, block: Block) -> memoryview:
        """The bytes of a block made by `put`, in the driver."""
        self._check()
        return self._executors.fetch(block)

    def free_block(self, block: Block) -> None:
        """Delete a block made by `put`."""
        self._free_blocks((block,))

    @property
    def files_folder(self) -> str:
        """The driver's folder of files for tasks."""
        return self._executors.files_folder

    def add_file(self, name: str, importable: bool) -> None:
        """Give tasks the file `name` of `files_folder`, on their sys.path if `importable`."""
        self._check()
        block = self._executors.ship_file(os.path.join(self.files_folder, name))
        others = tuple(entry for entry in self._loop.files if entry[0] != name)
        self._loop.files = (*others, (name, block, importable))

    # ---- the rest ------------------------------------------------------------------------------

    def cancel(
        self,
        *,
        job: int | None = None,
        group: str | None = None,
        tag: str | None = None,
        everything: bool = False,
        reason: str | None = None,
    ) -> None:
        """Cancel jobs by id, group or tag, or all of them."""
        chosen = tuple(
            info.id
            for info in list(self._live.values())
            if everything
            or info.id == job
            or (group is not None and info.group == group)
            or (tag is not None and tag in info.tags)
        )
        if chosen:
            self._loop.post(CancelAsked(chosen, Cancelled(reason or "cancelled by the user")))
            self._loop.settle()

    def picture(self, plan: Node, adapted: Sequence[Stage] = ()) -> str:
        """The lineage of a plan as text, with its stages and the user's call sites; as it was after
        stages had been `adapted`, if they are given."""
        changes = {stage.exchange: stage.changes for stage in adapted}
        return debug_string(plan, self._splitter, changes)

    def add_listener(self, listener: Listener) -> None:
        """Let `listener.on_event` hear all notices from now on."""
        self._loop.listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        self._loop.listeners.remove(listener)

    def kept_bytes(self) -> dict[str, int]:
        """Bytes of kept partitions by executor (by node for those that its executors share)."""
        found: dict[str, int] = {}
        for homes in list(self._loop.scheduler.kept.homes.values()):
            for home, kept in list(homes.items()):
                found[home] = found.get(home, 0) + kept.bytes
        return found

    def executors(self) -> dict[str, Any]:
        """The executors by name: node and process id."""
        return self._executors.describe()

    def stop(self) -> None:
        """End all executors and free everything."""
        if not self._stopped:
            for let_go in self.at_stop:
                let_go()
            self.at_stop.clear()
            self._stopped = True
            with ctrl_c.held_back():
                self._loop.stop()

    def _check(self) -> None:
        if self._stopped:
            raise RuntimeError("this SparkContext was stopped: make a new one to go on")


class JobInfo:
    """A job under way: what cancelling needs to know, and the plan, so that it stays alive."""

    def __init__(self, id: int, group: str | None, tags: frozenset[str], plan: Node) -> None:
        self.id = id
        self.group = group
        self.tags = tags
        self.plan = plan


def _finalize(node: Node, then: Callable[..., None], *arguments: Any) -> None:
    """Call `then` when `node` is garbage, but not at the interpreter's end."""
    weakref.finalize(node, then, *arguments).atexit = False
