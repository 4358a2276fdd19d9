"""Blocks as objects of Ray's store.

An object is a task's *return value*, so the driver owns it: it survives the actor that made it, and
goes when the driver drops its reference. Where a block is, is named by what both sides know: the
task's number and which of its return values. Only the driver has a table from that to Ray's own
references; it sends along those that an order needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy
import ray

from executors.blockio import BlockMissing
from executors.orders import InBlock, Order
from executors.ray_backend.failures import missing
from planner.blocks import Block
from planner.events import Event, TaskDone, TaskFailed
from planner.sources import BlockPart

Key = tuple[int, int]  # (task number, which of its return values); (-n, 0) was put by the driver

INLINED = 8192  # bytes up to which our workers send a return value inside the answer
_LEAST = INLINED + 512  # so a block, however small, never travels through the driver
_TURN = 0.2  # seconds between two looks at whether waiting for an object still makes sense
_BATCH = 64 << 20  # bytes of blocks to ask for at once
_MANY = 256


class Where(NamedTuple):
    """`Block.where` on Ray: bytes from `start` of return value `object` of task `task`."""

    task: int
    object: int
    start: int = 0

    @property
    def key(self) -> Key:
        return (self.task, self.object)


def get(refs: Sequence[Any], lost: Callable[[], str | None]) -> list[Any]:
    """The values of some objects. Raises BlockMissing if one is lost, or if `lost` says why.

    What takes long is waited for in turns, so that the thread can be interrupted, while another
    thread asks: an object that is not asked for any more stops coming.
    """
    try:
        values: list[Any] = ray.get(list(refs), timeout=_TURN)
        return values
    except TimeoutError:
        pass  # it takes longer
    except Exception as error:
        raise _translated(error) from error
    answers: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_get_into, args=(answers, list(refs)), daemon=True).start()
    while True:
        reason = lost()
        if reason is not None:
            raise BlockMissing(reason)
        try:
            answer = answers.get(timeout=_TURN)
        except Empty:
            continue
        if isinstance(answer, Exception):
            raise _translated(answer) from answer
        values = answer
        break
    return values


def _get_into(answers: SimpleQueue[Any], refs: list[Any]) -> None:
    try:
        answers.put(ray.get(refs))
    except Exception as error:  # raised again by whoever waits
        answers.put(error)


def _translated(error: Exception) -> Exception:
    reason = missing(error)
    return error if reason is None else BlockMissing(reason)


def needed(order: Order) -> Iterator[Block]:
    """The blocks that a task will read, in that order."""
    for slices in order.fetches.values():
        for slice_ in slices:
            yield slice_.block
    for part in order.reads.values():
        if isinstance(part, BlockPart):
            yield part.block


def objects(order: Order) -> int:
    """How many blocks the task may return apart from each other; those beyond share the last."""
    own = len(order.firsts) if order.kind == "map" else 1
    return own + bool(order.keep)  # copies of kept partitions: as many as there are


class ObjectBlocks:
    """The blocks as an actor sees them: reads what came with its order, gathers what it writes."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.lost_nodes: set[str] = set()
        self.lost_keys: set[Key] = set()
        self.removed: list[Key] = []  # by the running task: the driver is to drop them
        self._puts: dict[Key, Any] = {}
        self._refs: dict[Key, Any] = {}
        self._plan: dict[Key, tuple[int, int]] = {}  # which fetch reads it, as its how manieth
        self._fetches: list[list[Block]] = []
        self._open: dict[int, dict[Key, Any]] = {}  # by fetch: the batch it is at
        self._task = -1
        self._made: list[list[bytes | memoryview]] = []
        self._sizes: list[int] = []
        self._next = 0

    # ---- around a task -------------------------------------------------------------------------

    def forget(self, keys: Iterable[Key]) -> None:
        """Driver-made blocks that are deleted."""
        for key in keys:
            self._puts.pop(key, None)

    def begin(self, order: Order, refs: dict[Key, Any]) -> None:
        """Get ready for a task that came with these references. Driver-made blocks are kept."""
        self._task = order.task.number
        self._refs = refs
        self._puts.update((key, ref) for key, ref in refs.items() if key[0] < 0)
        self._fetches = [list({s.block: None for s in cut}) for cut in order.fetches.values()]
        self._plan = {
            block.where.key: (at, index)
            for at, blocks in enumerate(self._fetches)
            for index, block in enumerate(blocks)
        }
        count = objects(order)
        self._made = [[] for _ in range(count)]
        self._sizes = [0] * count
        self._next = 0

    def borrow(self, refs: dict[Key, Any]) -> None:
        """References for something smaller than a task."""
        self._refs = refs

    def end(self) -> tuple[list[Any], list[Key]]:
        """The task's return values (None where nothing was written) and the blocks it removed."""
        self._refs, self._plan, self._fetches = {}, {}, []
        self._open.clear()
        made, self._made = self._made, []
        removed, self.removed = self.removed, []
        return [_join(parts) for parts in made], removed

    # ---- BlockIO -------------------------------------------------------------------------------

    def write(self, name: str, parts: Sequence[bytes | memoryview], memory_left: int = 0) -> Block:
        last = len(self._made) - 1
        at = last if name.startswith("copy-") else min(self._next, last)
        self._next += not name.startswith("copy-")
        start, size = self._sizes[at], sum(len(part) for part in parts)
        self._made[at].extend(parts)
        self._sizes[at] += size
        return Block(Where(self._task, at + 1, start), self.node, size)

    def read(self, block: Block, start: int = 0, length: int | None = None) -> memoryview:
        where: Where = block.where
        reason = self._lost((block,))
        if reason is not None:
            raise BlockMissing(reason)
        array = self._array(block)
        if array is None:
            raise BlockMissing(f"block {where.object} of task {where.task} was removed")
        first = where.start + start
        size = block.bytes - start if length is None else length
        return memoryview(array)[first : first + size]

    def remove(self, block: Block) -> None:
        """Lose a block, for everybody: one that this task wrote is not returned at all."""
        where: Where = block.where
        if where.task == self._task:
            self._made[where.object - 1].clear()
        self.lost_keys.add(where.key)
        self.removed.append(where.key)

    # ---- objects -------------------------------------------------------------------------------

    def _lost(self, blocks: Iterable[Block]) -> str | None:
        for block in blocks:
            if block.where.key in self.lost_keys:
                return f"block {block.where.object} of task {block.where.task} was removed"
            if block.node in self.lost_nodes:
                return f"node {block.node} is gone"
        return None

    def _array(self, block: Block) -> Any:
        key: Key = block.where.key
        for batch in self._open.values():
            if key in batch:
                return batch[key]
        if key not in self._plan:
            ref = self._puts.get(key) or self._refs.get(key)
            if ref is None:
                raise BlockMissing(f"block {key[1]} of task {key[0]} was deleted")
            return get([ref], lambda: self._lost((block,)))[0]
        fetch, index = self._plan[key]
        self._open.pop(fetch, None)  # the batch before is not needed any more
        blocks = self._batch(self._fetches[fetch], index)
        try:
            refs = [self._refs[each.where.key] for each in blocks]
            values = get(refs, lambda: self._lost(blocks))
        except (BlockMissing, KeyError):
            if len(blocks) == 1 or key not in self._refs:
                raise BlockMissing(f"block {key[1]} of task {key[0]} is lost") from None
            blocks = blocks[:1]  # another one of the batch is lost: it gets its own turn
            values = get([self._refs[key]], lambda: self._lost(blocks))
        self._open[fetch] = {
            each.where.key: value for each, value in zip(blocks, values, strict=True)
        }
        return values[0]

    @staticmethod
    def _batch(blocks: list[Block], first: int) -> list[Block]:
        """Some blocks from `first` on: Ray brings them from their nodes side by side."""
        found: list[Block] = []
        size = 0
        for block in islice(blocks, first, first + _MANY):
            size += block.bytes
            if found and size > _BATCH:
                break
            found.append(block)
        return found


def _join(parts: list[bytes | memoryview]) -> Any:
    """The parts as one array of bytes: what Ray stores without pickling. Empties `parts`."""
    if not parts:
        return None
    array: Any = numpy.empty(max(_LEAST, sum(len(part) for part in parts)), dtype=numpy.uint8)
    view, at = memoryview(array), 0
    parts.reverse()
    while parts:
        part = parts.pop()
        view[at : at + len(part)] = part
        at += len(part)
    view[at:] = bytes(len(view) - at)
    return array


class ObjectTable:
    """The driver's references: every object that a known block is in. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[Key, tuple[Any, int]] = {}  # its reference, and how many blocks
        self._puts: dict[Key, Any] = {}
        self._put = 0

    def note(self, event: Event, refs: Sequence[Any]) -> None:
        """Keep the references of the blocks that `event` tells of, out of a task's `refs`."""
        with self._lock:
            for block in told_blocks(event):
                key = block.where.key
                count = self._objects[key][1] if key in self._objects else 0
                self._objects[key] = (refs[key[1] - 1], count + 1)

    def put(self, payload: bytes) -> Block:
        """A block made by the driver."""
        if not ray.is_initialized():  # ray.put would start another one
            raise RuntimeError("Ray was shut down while the session still ran")
        ref = ray.put(numpy.frombuffer(payload, dtype=numpy.uint8))
        with self._lock:
            self._put += 1
            key = (-self._put, 0)
            self._objects[key] = (ref, 1)
            self._puts[key] = ref
        return Block(Where(*key), None, len(payload))

    def free(self, blocks: Iterable[Block]) -> list[Key]:
        """Drop the references of these blocks. The keys of those that the driver had made."""
        gone = []
        with self._lock:
            for block in blocks:
                key = block.where.key
                ref, count = self._objects.pop(key, (None, 0))
                if count > 1:
                    self._objects[key] = (ref, count - 1)
                if self._puts.pop(key, None) is not None:
                    gone.append(key)
        return gone

    def lose(self, keys: Iterable[Key]) -> None:
        """Drop references though the blocks are not freed yet."""
        with self._lock:
            for key in keys:
                if key in self._objects:
                    self._objects[key] = (None, self._objects[key][1])

    def refs(self, blocks: Iterable[Block], known: int) -> tuple[dict[Key, Any], int]:
        """The references of those of `blocks` that are there, and of all driver-made blocks newer
        than number `known`; and the newest such number."""
        with self._lock:
            found = {}
            for block in blocks:
                key = block.where.key
                ref, _ = self._objects.get(key, (None, 0))
                if ref is not None and key[0] >= 0:
                    found[key] = ref
            if known < self._put:
                found.update((key, ref) for key, ref in self._puts.items() if -key[0] > known)
            return found, self._put

    def ref(self, block: Block) -> Any:
        """The reference of a block, None where it is gone."""
        with self._lock:
            return self._objects.get(block.where.key, (None, 0))[0]

    def __len__(self) -> int:
        return len(self._objects)


def told_blocks(event: Event) -> Iterator[Block]:
    """The blocks whose existence an answer tells of."""
    if not isinstance(event, TaskDone | TaskFailed):
        return
    if isinstance(event, TaskDone):
        if event.output is not None:
            yield from event.output.blocks
        if isinstance(event.result, InBlock):
            yield event.result.block
    for kept in event.report.kept:
        if kept.replica is not None:
            yield kept.replica
