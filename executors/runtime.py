"""The worker runtime: carries out one order. The only place where user code runs."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from traceback import walk_tb
from typing import Any

from executors import current, exceptions, frames, pickling, user_errors
from executors.blockio import BlockIO, BlockMissing
from executors.channels import pieces, write_channels
from executors.formats.reader import read
from executors.kernels.at import At
from executors.kernels.rows import run_all
from executors.kernels.sides import run_sides
from executors.marks import refuse_strays
from executors.memory import Memory, more
from executors.orders import InBlock, Inline, Order, Pickled, StageProgram, WorkerConfig
from executors.spill import Spills
from executors.store import Kept, Store
from executors.task_context import BarrierTaskContext, TaskContext
from executors.unpicklable import dump_rows
from planner.blocks import Block, MapOutput, Slice
from planner.events import (
    CopyDone,
    KeptPartition,
    TaskDone,
    TaskFailed,
    TaskId,
    TaskReport,
)
from planner.failures import Cancelled, EngineFailure, Failure, KeptLost, SliceLost
from planner.levels import StorageLevel
from planner.program import Apply, Beside, Fetch, Instance, Keep, Read, Together, unfold
from planner.site import is_engine_file
from planner.sources import BlockPart

Rows = Iterator[Any]
_YOUNG, _OLDER = 100_000, (50, 100)  # allocations between looks of the garbage collector
_INLINE = 1 << 18  # a result up to this many bytes travels in the answer


class TaskCancelled(BaseException):
    """Raised inside user code when its job is cancelled. Not an Exception: users catch those."""


class ChaosError(RuntimeError):
    """An injected failure."""


class _KeptMissing(Exception):
    """A kept partition the driver believed to be here is not."""


class _SliceMissing(Exception):
    """A slice the driver believed to be there is not."""


class Runtime:
    """One worker's state: programs, kept partitions, and what a running task needs.

    `blocks` is how this worker writes and reads blocks; `kill` ends its process, or that
    of the executor it is given (for injected faults); `meet` sends a barrier task's message and
    waits for everybody's; `shield` is entered
    where a cancel must not interrupt. Exceptions of the types `passing` are the caller's to handle.
    """

    def __init__(
        self,
        config: WorkerConfig,
        blocks: BlockIO,
        kill: Callable[[str | None], None],
        meet: Callable[[TaskId, Any], Sequence[Any]],
        shield: Callable[[], AbstractContextManager[Any]] = nullcontext,
        passing: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.config = config
        self.blocks = blocks
        self.kill = kill
        self.meet = meet
        self.shield = shield
        self.passing = passing
        self.programs: dict[int, StageProgram | bytes] = {}  # pickled until a task asks
        self.warnings: list[str] = []
        self.store = Store(
            memory_bytes=config.memory_bytes,
            memory_folder=config.memory_folder,
            disk_folder=config.disk_folder,
            dumps=dump_rows,
            on_warning=self.warnings.append,
            freeze_gc=config.own_process,
        )
        if config.own_process:
            _calm_collector()
        self.memory = Memory(config.memory_bytes, lambda: self.store.used)

    # ---- small requests ------------------------------------------------------------------------

    def add_program(self, stage: int, data: bytes | memoryview) -> None:
        """Learn a stage's program, still pickled: what it imports may come with the first task."""
        self.programs[stage] = bytes(data)

    def program(self, stage: int) -> StageProgram:
        """A stage's program. Raises what unpickling the user's functions raises."""
        found = self.programs[stage]
        if isinstance(found, bytes):
            found = self.programs[stage] = pickling.loads(found)
        assert isinstance(found, StageProgram)
        return found

    def forget_stages(self, stages: Sequence[int]) -> None:
        for stage in stages:
            self.programs.pop(stage, None)

    def free_kept(self, persists: Sequence[int]) -> None:
        for persist in persists:
            self.store.drop_dataset(persist)

    def copy(
        self, persist: int, partition: int, block: Block, level: StorageLevel, site: str
    ) -> CopyDone:
        """Keep one more copy of a partition that another worker wrote to `block`."""
        try:
            payload = self.blocks.read(block)
        except BlockMissing:
            return CopyDone(persist, partition, self.config.executor, None)
        kept = self.store.put_bytes((persist, partition), payload, level, site)
        note = self._kept_note(kept, level, replica=False) if kept is not None else None
        return CopyDone(persist, partition, self.config.executor, note)

    def place_files(self, files: Sequence[tuple[str, Block | None, bool]]) -> None:
        """See that every (name, block, importable) is in this worker's folder of files, and on
        sys.path if it is to be imported. Without a block it is there already: a shared folder."""
        folder = self.config.files_folder
        for name, block, importable in files:
            path = os.path.join(folder, name)
            if block is not None and not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path + ".part", "wb") as file:
                    file.write(self.blocks.read(block))
                os.rename(path + ".part", path)
            entry = path if name.endswith((".zip", ".egg")) else folder
            if importable and entry not in sys.path:
                sys.path.insert(1, entry)

    def open_block(self, block: Block) -> memoryview:
        """The bytes of a driver-made block."""
        return self.blocks.read(block)

    # ---- one task ------------------------------------------------------------------------------

    def run(self, order: Order) -> TaskDone | TaskFailed:
        """Carry out an order. Every end of it is an answer, but for the death of the process."""
        task = _Task(self, order)
        failure: Failure
        try:
            task.enter()
            output, result = task.work()
            return TaskDone(order.task, self.config.executor, output, result, task.report())
        except self.passing:
            raise
        except TaskCancelled:
            failure = Cancelled("cancelled")
        except _KeptMissing as missing:
            persist, partition = missing.args
            failure = KeptLost(f"kept partition {partition} is gone", persist, partition)
        except _SliceMissing as missing:
            exchange, sources, where = missing.args
            failure = SliceLost(f"shuffle block {where} is gone", exchange, sources)
        except BaseException as error:  # whatever the user's code raises, the worker lives on
            if task.met_read_only(error):
                return self.run(order)
            failure = self._translate(error, order)
        finally:
            task.leave()
        return TaskFailed(order.task, self.config.executor, failure, task.report(failed=True))

    def _translate(self, error: BaseException, order: Order) -> Failure:
        task = order.task
        found = self.programs[task.stage]
        program = found.program if isinstance(found, StageProgram) else ()
        if isinstance(error, OSError) and is_engine_writing(error):
            return EngineFailure(
                f"a task could not write its output: {error} (partition {task.partition} of stage "
                f"{task.stage}, {order.site}); make room there, or set spark.local.dir to a folder "
                "on a larger disk"
            )
        where = f"partition {task.partition} of stage {task.stage}"
        return user_errors.describe(error, program, where, order.site)

    def _kept_note(self, kept: Kept, level: StorageLevel, replica: bool) -> KeptPartition:
        home = self.config.executor if kept.shared is None else self.config.node
        block = None
        if replica and level.replication > 1:
            payload = self.store.pickled(kept.key)
            if payload is not None:
                name = f"copy-{kept.key[0]}-{kept.key[1]}-{self.config.executor}"
                block = self.blocks.write(name, [payload], 1 << 40)
        return KeptPartition(
            kept.key[0],
            kept.key[1],
            home,
            kept.form,
            kept.bytes,
            kept.shared,
            level.replication,
            block,
        )


def _calm_collector() -> None:
    """Let the garbage collector look at young objects every 100,000 allocations instead of every
    700, and never again at what the process began with. Rows come by the million and hold no
    cycles: reading a block of them back took 65 ms with Python's defaults and takes 25 ms so."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
    if _pace not in gc.callbacks:
        gc.callbacks.append(_pace)


def _pace(phase: str, found: dict[str, int]) -> None:
    """Twice as many allocations up to the next look if this one was in vain, up to 16 times; back
    to the first number if it found garbage. A sort spent a tenth of its time on such looks."""
    now = gc.get_threshold()[0]
    if phase != "stop" or found["generation"] or now < _YOUNG:
        return  # below: a user's function has set its own
    wanted = _YOUNG if found["collected"] > now // 100 else min(now * 2, 16 * _YOUNG)
    if wanted != now:
        gc.set_threshold(wanted, *_OLDER)


def is_engine_writing(error: OSError) -> bool:
    """Whether the engine's own writing failed, not a file operation of the user's function."""
    frames = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    while frames and frames[-1] == tempfile.__file__:
        frames.pop()
    inner = frames[-1] if frames else ""
    writers = ("blockio.py", "spill.py", "channels.py")
    return is_engine_file(inner) and os.path.basename(inner) in writers


class _Task:
    """One order under way."""

    def __init__(self, runtime: Runtime, order: Order) -> None:
        self.runtime = runtime
        self.order = order
        self.stage: StageProgram
        self.at = At(order.task.partition, runtime.memory, Spills(runtime.config.disk_folder))
        self.kept: list[KeptPartition] = []
        self.used: list[tuple[int, int]] = []  # kept partitions read live
        self.fired: list[int] = []
        self.rows_out = 0
        self.bytes_out = 0
        self.began = time.perf_counter()
        self.context = current.Running(self._context(), runtime.open_block)

    def enter(self) -> None:
        running, config = self.context, self.runtime.config
        running.conf, running.files_folder = config.conf, config.files_folder
        if self.order.files:
            self.runtime.place_files(self.order.files)
        self.stage = self.runtime.program(self.order.task.stage)
        TaskContext._setTaskContext(running.context)
        current.enter(running)

    def leave(self) -> None:
        current.enter(None)
        TaskContext._setTaskContext(None)
        self.at.spills.close()

    def met_read_only(self, error: BaseException) -> bool:
        """Whether user code tried to change a kept array in place. It gets copies from now on, as
        every pass would have in PySpark, and the task can be run anew."""
        if not isinstance(error, ValueError) or not self.used:
            return False
        if "read-only" not in exceptions.text_of(error):
            return False
        store = self.runtime.store
        datasets = {persist for persist, _ in self.used}
        fresh = [persist for persist in datasets if not store.copies(persist)]
        for persist in fresh:
            store.keep_copies(persist)
        return bool(fresh)

    def report(self, failed: bool = False) -> TaskReport:
        runtime = self.runtime
        with runtime.shield():
            for key in dict.fromkeys(self.used):
                runtime.store.check_pass(key)
        updates = {} if failed else self._updates()
        warnings, runtime.warnings[:] = tuple(runtime.warnings), []
        slices = self.order.fetches.values()
        return TaskReport(
            seconds=time.perf_counter() - self.began,
            rows_out=self.rows_out,
            bytes_in=sum(piece.length for cut in slices for piece in cut),
            bytes_out=self.bytes_out,
            kept=tuple(self.kept),
            dropped=tuple(runtime.store.taken()),
            updates=updates,
            warnings=warnings,
            faults=tuple(self.fired),
        )

    def _updates(self) -> dict[int, Any]:
        """What the task has added to accumulators; the driver's loop never unpickles user data."""
        found: dict[int, Any] = {}
        what = "what a task has added to an accumulator,"
        for aid, added in self.context.updates.items():
            value = added.value
            found[aid] = value if type(value) in (int, float) else Pickled(dump_rows(value, what))
        return found

    def work(self) -> tuple[MapOutput | None, Any]:
        """What the task is there for: its output or its answer."""
        if self.stage.profiler is None:
            return self._work()
        found: tuple[MapOutput | None, Any] = self.stage.profiler.profile(self._work)
        return found

    def _work(self) -> tuple[MapOutput | None, Any]:
        rows = self._rows()
        if self.order.kind == "map":
            return self._map(rows), None
        answer = list(rows)
        self.rows_out = frames.count(answer)
        frame = frames.encode(answer)
        self.bytes_out = len(frame)
        self.fault("before write")
        if self.order.kind == "rows" and len(frame) <= _INLINE:
            result: Any = Inline(bytes(frame))
        else:
            name = f"result-{self.order.task.number}"
            block = self.runtime.blocks.write(name, [frame], self.order.memory_left)
            result = InBlock(block, len(answer))
        self.fault("after write", result.block if isinstance(result, InBlock) else None)
        return None, result

    def _map(self, rows: Rows) -> MapOutput:
        order, runtime = self.order, self.runtime
        output = self.stage.output
        assert output is not None
        limit = max(runtime.memory.budget // 4, 1 << 22)
        partition = order.task.partition
        written = write_channels(rows, output, partition, self.at.spills, limit, order.compress)
        self.rows_out, self.bytes_out = written.rows, written.bytes
        self.fault("before write")
        blocks = []
        for at, chunks in enumerate(pieces(written, order.firsts, output.channels)):
            name = f"shuffle-{order.task.number}-{at}"
            blocks.append(runtime.blocks.write(name, chunks, order.memory_left))
        self.fault("after write", blocks[0])
        return MapOutput(tuple(blocks), order.firsts, written.bounds(), written.rows)

    # ---- rows ----------------------------------------------------------------------------------

    def _rows(self) -> Rows:
        """The iterator of the partition: one iterator for each instance, inputs first."""
        program, has = self.stage.program, self.order.has
        made: list[Rows] = []
        for instance in unfold(program, self.order.task.partition, lambda d, p: (d, p) in has):
            made.append(self._instance(instance, [made[at] for at in instance.inputs]))
        return made[-1]

    def _instance(self, instance: Instance, inputs: list[Rows]) -> Rows:
        step = self.stage.program[instance.step]
        key = (instance.step, instance.partition)
        if isinstance(step, Read):
            part = self.order.reads[key]
            return self._block_part(part) if isinstance(part, BlockPart) else read(part)
        if isinstance(step, Fetch):
            return chain.from_iterable(self._fetch(self.order.fetches[key], step.hashed))
        if isinstance(step, Beside):
            return inputs[0]
        if isinstance(step, Keep):
            return chain.from_iterable(self._keep(step, instance.partition, inputs))
        at = At(instance.partition, self.at.memory, self.at.spills)
        if isinstance(step, Together):
            return run_sides(step.op, inputs, at)
        assert isinstance(step, Apply)
        rows = inputs[0] if len(inputs) == 1 else chain.from_iterable(inputs)
        return run_all(step.ops, rows, at)

    def _fetch(self, slices: Sequence[Slice], hashed: int) -> Iterator[list[Any]]:
        if slices:
            self.fault("in fetch", slices[0].block)
        for slice_ in slices:
            try:
                view = self.runtime.blocks.read(slice_.block, slice_.start, slice_.length)
            except BlockMissing as missing:
                raise _SliceMissing(slice_.exchange, (slice_.source,), str(missing)) from None
            for rows, marks in frames.decode_marked(view):
                if hashed > 1:
                    refuse_strays(rows, marks, slice_.channel, hashed)
                yield rows

    def _block_part(self, part: BlockPart) -> Rows:
        try:
            view = self.runtime.blocks.read(part.block)
        except BlockMissing:
            raise RuntimeError(
                f"partition {part.partition} of a local checkpoint is lost and its lineage was "
                "cut; use checkpoint() where an executor's node may die"
            ) from None
        return chain.from_iterable(frames.decode(view))

    def _keep(self, step: Keep, partition: int, inputs: list[Rows]) -> Iterator[Any]:
        key = (step.persist, partition)
        store = self.runtime.store
        shared = self.order.has.get(key)
        with self.runtime.shield():
            rows = store.get(key)
        if rows is None and shared is not None:
            try:
                rows = store.read_shared(shared)
            except FileNotFoundError:
                rows = None
        if rows is not None:
            self.used.append(key)
            yield rows
            return
        if not inputs:
            raise _KeptMissing(*key)
        fresh: list[Any] = []
        while more(fresh, inputs[0]):
            if not step.level.useDisk and self.at.memory.full(fresh):
                yield fresh  # it cannot be kept: whoever needs it again computes it again
                yield inputs[0]
                return
        if step.persist in self.order.keep:
            self.fault("in cache put")
            with self.runtime.shield():
                kept = store.put(key, fresh, step.level, str(step.site))
                if kept is not None:
                    self.used.append(key)
                    note = self.runtime._kept_note(kept, step.level, replica=True)
                    self.kept.append(note)
            self.fault("after cache put")
        yield fresh

    # ---- around the task -----------------------------------------------------------------------

    def _context(self) -> TaskContext:
        task, order = self.order.task, self.order
        known: dict[str, Any] = {
            "stageId": task.stage,
            "partitionId": task.partition,
            "attemptNumber": task.attempt,
            "taskAttemptId": task.number,
            "localProperties": dict(order.properties),
        }
        if not order.peers:
            return TaskContext(**known)
        meet = self.runtime.meet
        addresses = [f"localhost:{at}" for at in range(order.peers)]
        return BarrierTaskContext(
            call=lambda message: meet(task, message), addresses=addresses, **known
        )

    def fault(self, point: str, block: Block | None = None) -> None:
        """Let the faults that were ordered for this point go off."""
        for fault in self.order.faults:
            if fault.at != point or fault.token in self.fired:
                continue
            self.fired.append(fault.token)
            if fault.what == "kill":
                self.runtime.kill(fault.detail)
            elif fault.what == "fail":
                raise ChaosError(f"injected failure {point} (token {fault.token})")
            elif fault.what == "drop_kept":
                for key, *_ in self.runtime.store.summary():
                    if fault.detail is None or key == fault.detail:
                        self.runtime.store.drop(key)
            elif fault.what == "lose_block" and block is not None:
                self.runtime.blocks.remove(block)
