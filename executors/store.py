"""The kept partitions of one worker, within a budget of bytes.

A block takes one of four forms:

* live: the rows themselves. A pass gets these very objects, so nothing is unpickled.
* pickled: bytes in this process, about a tenth of what live rows take; each pass gets copies.
* memory-file: pickled, in a memory-backed folder that every process of the node can read.
* disk-file: pickled and compressed, in a folder on disk. The only form outside the budget.

The level says the first form: `useOffHeap` memory-file, else `useMemory` live, else `useDisk`
disk-file. When a new block needs room, the others go down one step each, least recently used first,
round after round: live to pickled (unless that saves nothing), pickled and memory-file to disk if
the level has `useDisk`. Only when no such step is left, the least recently used are dropped. Blocks
of the dataset that is being put stay as they are, or it would push itself out; the new block may go
in further down instead. A block that is read while there is room for it goes up to live again.

Where `freeze_gc` is on, rows put live are moved out of the garbage collector's sight, because a
full collection would walk all of them, and back into it when some are dropped, or their cycles
would never be freed. It costs microseconds and makes tasks beside a large cache up to 40 % quicker,
but it is for processes that are the engine's own: it hides the garbage of a notebook too.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from executors import kept_files, mutation
from executors.sizing import estimate
from planner.levels import StorageLevel

Key = tuple[int, int]  # (persist id, partition)

LIVE, PICKLED, MEMORY_FILE, DISK_FILE = "live", "pickled", "memory-file", "disk-file"
_SAVES = 0.8  # pickling that leaves more than this part of the live bytes is not worth it
_WORTH_FREEZING = 1 << 20  # bytes put live


@dataclass(frozen=True)
class Kept:
    """What the driver is told of a block: `bytes` is what it takes in its form.

    `shared` is a path that any process of this node can give to `read_shared`, or None.
    """

    key: Key
    form: str
    bytes: int
    shared: str | None


@dataclass(slots=True)
class _Block:
    """`held` is rows, bytes or a path, by form."""

    level: StorageLevel
    form: str
    bytes: int
    held: Any
    told: str | None = None  # the path others know, if the file has moved since
    file: tuple[int, str] | None = None  # bytes and path of the copy on disk of a live block
    watch: mutation.Watch | None = None
    live_bytes: int | None = None
    stuck: bool = False  # it was tried: a step down would save nothing, or cannot be done
    reads: int = 0  # as live rows

    @property
    def weight(self) -> int:
        """Bytes of the budget."""
        return 0 if self.form == DISK_FILE else self.bytes


class Store:
    """The cache of one worker. For one thread; `used` and `summary()` may be read from others.

    Parameters
    ----------
    memory_bytes : int
        The budget: live rows (estimated), pickled bytes and memory-backed files together.
    memory_folder, disk_folder : str
        Where files go; private to the session, shared by the workers of the node.
    dumps : callable
        Pickles rows.
    on_warning : callable
        Told one line for the user, once for each dataset and reason.
    freeze_gc : bool
        See the module. Only for processes that run nothing but the engine.

    Examples
    --------
    >>> import pickle, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> store = Store(memory_bytes=1 << 20, memory_folder=folder, disk_folder=folder,
    ...               dumps=pickle.dumps, on_warning=print)
    >>> store.put((7, 0), [1, 2, 3], StorageLevel.MEMORY_ONLY, "cache at job.py:3").form
    'live'
    >>> store.get((7, 0))
    [1, 2, 3]
    >>> store.drop_dataset(7)
    1
    """

    def __init__(
        self,
        *,
        memory_bytes: int,
        memory_folder: str,
        disk_folder: str,
        dumps: Callable[[Any], bytes],
        on_warning: Callable[[str], None],
        freeze_gc: bool = False,
    ) -> None:
        self.memory_bytes = memory_bytes
        self.memory_folder = memory_folder
        self.disk_folder = disk_folder
        self.used = 0
        self._dumps = dumps
        self._on_warning = on_warning
        self._freeze_gc = freeze_gc
        self._blocks: dict[Key, _Block] = {}  # least recently used first
        self._sites: dict[int, str] = {}
        self._copied: set[int] = set()  # datasets whose passes get copies
        self._warned: set[tuple[int, str]] = set()
        self._taken: dict[Key, None] = {}
        self._files = 0
        self._token = os.urandom(6).hex()  # workers of a node share the folders

    # ---- in ------------------------------------------------------------------------------------

    def put(self, key: Key, rows: Any, level: StorageLevel, site: str) -> Kept | None:
        """Keep a block of rows.

        Parameters
        ----------
        key : (int, int)
            Persist id and partition. What was kept for it before is dropped.
        rows : list or Arrow table
            Kept as they are where the level allows; NumPy arrays among the rows, and one level
            inside them, become read-only.
        level : StorageLevel
            Where the block may live.
        site : str
            Where the user asked for it, for warnings.

        Returns
        -------
        Kept or None
            None where the block is not kept: it does not fit at a memory-only level, the level
            keeps nothing, or (with a warning) it could not be written or pickled.

        Raises
        ------
        Exception
            What pickling the rows raises, at levels that have no live form.
        """
        self._forget(key)
        self._sites[key[0]] = site
        if _lives(level) and key[0] not in self._copied:
            size = estimate(rows)
            if self._make_room(size, key[0]):
                return self._told(key, self._set_live(key, rows, level, size))
            if not level.useDisk and not self._may_fit(key, rows):
                return None
        if not (level.useMemory or level.useDisk or level.useOffHeap):
            return None
        payload = self._pickle(key, rows, level)
        return None if payload is None else self._put_pickled(key, payload, level)

    def put_bytes(
        self, key: Key, payload: bytes | memoryview, level: StorageLevel, site: str
    ) -> Kept | None:
        """Keep a block that came pickled (a replica). Arguments and answer as in `put`."""
        self._forget(key)
        self._sites[key[0]] = site
        return self._put_pickled(key, payload, level)

    def _put_pickled(
        self, key: Key, payload: bytes | memoryview, level: StorageLevel
    ) -> Kept | None:
        size = len(payload)
        if level.useOffHeap:
            if self._make_room(size + kept_files.HEAD_BYTES, key[0]):
                written = self._write(key, payload, MEMORY_FILE, level.useDisk)
                if written is not None:
                    return self._told(key, self._set(key, _Block(level, MEMORY_FILE, *written)))
        elif level.useMemory and self._make_room(size, key[0]):
            return self._told(key, self._set(key, _Block(level, PICKLED, size, bytes(payload))))
        if level.useDisk:
            written = self._write(key, payload, DISK_FILE)
            if written is not None:
                return self._told(key, self._set(key, _Block(level, DISK_FILE, *written)))
        return None

    # ---- out -----------------------------------------------------------------------------------

    def get(self, key: Key) -> Any:
        """The rows of a block, None where it is not kept.

        A live block is the list that was put; other forms give new objects. A file that has
        vanished counts as taken.
        """
        block = self._blocks.get(key)
        if block is None:
            return None
        self._blocks[key] = self._blocks.pop(key)  # most recently used now
        if block.form == LIVE:
            self._note_read(block)
            return self._copy(key, block) if key[0] in self._copied else block.held
        try:
            in_process = block.form == PICKLED
            rows = pickle.loads(block.held) if in_process else kept_files.read(block.held)
        except FileNotFoundError as error:
            self._warn(key, "lost", f"partition {key[1]} is computed again: {error}")
            self._forget(key)
            return None
        self._promote(key, block, rows)
        return rows

    @staticmethod
    def read_shared(path: str) -> Any:
        """The rows in the file of another worker, by the path in its `Kept.shared`.

        Raises FileNotFoundError where the file is gone or damaged.
        """
        return kept_files.read(path)

    def pickled(self, key: Key) -> bytes | None:
        """The block's rows pickled, for a copy elsewhere; None where there is no such block."""
        block = self._blocks.get(key)
        if block is None:
            return None
        if block.form == LIVE:
            return self._pickle(key, block.held, block.level)
        if block.form == PICKLED:
            return bytes(block.held)
        try:
            return kept_files.read_pickled(block.held)
        except FileNotFoundError:
            self._forget(key)
            return None

    def taken(self) -> list[Key]:
        """Keys that left the store otherwise than by `drop` since this was last asked."""
        keys = list(self._taken)
        self._taken.clear()
        return keys

    def summary(self) -> list[tuple[Key, str, int]]:
        """(key, form, bytes) of every block, least recently used first."""
        return [(key, block.form, block.bytes) for key, block in list(self._blocks.items())]

    # ---- away ----------------------------------------------------------------------------------

    def drop(self, key: Key) -> bool:
        """Forget a block and its file; whether there was one."""
        found = key in self._blocks
        self._forget(key)
        self._taken.pop(key, None)
        return found

    def drop_dataset(self, persist_id: int) -> int:
        """Forget all blocks of a dataset, and that it was ever here; how many there were."""
        keys = [key for key in self._blocks if key[0] == persist_id]
        for key in keys:
            self.drop(key)
        for key in [key for key in self._taken if key[0] == persist_id]:
            del self._taken[key]
        self._sites.pop(persist_id, None)
        self._copied.discard(persist_id)
        self._warned = {each for each in self._warned if each[0] != persist_id}
        return len(keys)

    # ---- rows changed in place -----------------------------------------------------------------

    def check_pass(self, key: Key) -> bool:
        """After a task went through a block: if it changed the live rows, drop them.

        From then on every pass over the dataset gets copies. True if the block was dropped.
        """
        block = self._blocks.get(key)
        if block is None or block.watch is None or not mutation.changed(block.held, block.watch):
            return False
        self._changed(key)
        return True

    def keep_copies(self, persist_id: int) -> None:
        """Give every further pass over a dataset copies of its own, as PySpark does.

        For a function that must change its rows, for one that met a read-only array.
        """
        self._copied.add(persist_id)

    def copies(self, persist_id: int) -> bool:
        """Whether passes over a dataset get copies."""
        return persist_id in self._copied

    def _changed(self, key: Key) -> None:
        self._warn(
            key,
            "changed",
            f"a function changed its rows in place (partition {key[1]}). The partition is computed "
            "again, and the dataset is kept pickled from now on, which is slower. Let the function "
            "make new objects instead of changing those it is given",
        )
        self._copied.add(key[0])
        self._forget(key)

    def _copy(self, key: Key, block: _Block) -> Any:
        """Rows for a pass over a live block whose dataset is to be kept pickled."""
        if block.watch is not None and mutation.changed(block.held, block.watch):
            self._forget(key)
            return None
        payload = self._pickle(key, block.held, block.level)
        if payload is None:
            return block.held  # there is no other way to have these rows
        self._forget(key)
        self._put_pickled(key, payload, block.level)
        return pickle.loads(payload)

    # ---- room ----------------------------------------------------------------------------------

    def _make_room(self, need: int, persist: int) -> bool:
        """See that `need` bytes fit, at the cost of other datasets than `persist`.

        If dropping all of them would not be enough, nothing is touched.
        """
        goal = self.memory_bytes - need
        if self.used <= goal:
            return True
        others = [
            (key, block)
            for key, block in self._blocks.items()
            if key[0] != persist and block.form != DISK_FILE
        ]
        if self.used - sum(block.weight for _, block in others) > goal:
            return False
        going = True
        while going and self.used > goal:
            going = False
            for key, block in others:
                if self.used <= goal:
                    break
                if key in self._blocks and block.form != DISK_FILE:
                    going |= self._demote(key, block)
        for key, _ in others:
            if self.used <= goal:
                break
            if key in self._blocks and self._blocks[key].form != DISK_FILE:
                self._forget(key)
        return self.used <= goal

    def _demote(self, key: Key, block: _Block) -> bool:
        """One step down for a block, if one is left to it that loses nothing."""
        if block.stuck:
            return False
        if block.form == LIVE:
            return self._demote_live(key, block)
        if not block.level.useDisk:
            block.stuck = True
            return False
        try:
            held = block.held
            payload = held if block.form == PICKLED else kept_files.read_pickled(held)
        except FileNotFoundError:
            self._forget(key)
            return True
        self._to_disk(key, block, payload)
        return True

    def _demote_live(self, key: Key, block: _Block) -> bool:
        columns = not isinstance(block.held, list)
        if columns and not block.level.useDisk:
            block.stuck = True  # Arrow buffers are as large pickled
            return False
        if block.watch is not None and mutation.changed(block.held, block.watch):
            self._changed(key)  # by the task that runs now: what it left must not be kept
            return True
        if block.file is not None:
            self._change(block, DISK_FILE, *block.file)
            return True
        payload = self._pickle(key, block.held, block.level)
        saves = payload is not None and len(payload) < _SAVES * block.bytes
        if payload is None or not (saves or block.level.useDisk):
            block.stuck = True
            return False
        if saves:
            self._change(block, PICKLED, len(payload), payload)
        else:
            self._to_disk(key, block, payload)
        return True

    def _to_disk(self, key: Key, block: _Block, payload: bytes) -> None:
        written = self._write(key, payload, DISK_FILE)
        if written is None:
            self._forget(key)
        else:
            self._change(block, DISK_FILE, *written)

    def _promote(self, key: Key, block: _Block, rows: Any) -> None:
        """Make a block that was just read live again, if it may be and nothing has to give way."""
        if not _lives(block.level) or key[0] in self._copied:
            return
        if block.live_bytes is None:
            block.live_bytes = estimate(rows)
        if self.used - block.weight + block.live_bytes <= self.memory_bytes:
            # A file stays: others may have been told of it, and the way down is free then.
            file = (block.bytes, block.held) if block.form == DISK_FILE else None
            self._change(block, LIVE, block.live_bytes, rows)
            block.file = file
            self._guard(block)

    def _may_fit(self, key: Key, rows: Any) -> bool:
        """Whether a block can be hoped to fit pickled, so that it is worth pickling all of it."""
        own = sum(block.weight for at, block in self._blocks.items() if at[0] == key[0])
        if not isinstance(rows, list):
            return estimate(rows) <= self.memory_bytes - own
        sample = rows[:: max(1, len(rows) // 64)]
        payload = self._pickle(key, sample, StorageLevel.MEMORY_ONLY)
        if payload is None:
            return False
        return len(payload) * len(rows) <= 1.5 * len(sample) * (self.memory_bytes - own)

    # ---- blocks --------------------------------------------------------------------------------

    def _set_live(self, key: Key, rows: Any, level: StorageLevel, size: int) -> _Block:
        block = self._set(key, _Block(level, LIVE, size, rows, live_bytes=size))
        self._guard(block)
        return block

    def _guard(self, block: _Block) -> None:
        """What is done to rows that passes are about to share."""
        if isinstance(block.held, list):
            mutation.freeze(block.held)
            block.watch = mutation.watch(block.held)

    def _note_read(self, block: _Block) -> None:
        """From the second read on it is likely to stay: the garbage collector need not look at it.
        What is read once (the runs of a sort) would cost more to hide than to look at."""
        block.reads += 1
        if block.reads == 2 and self._freeze_gc and block.bytes > _WORTH_FREEZING:
            gc.collect(1)  # young garbage first, or it would stay
            gc.freeze()

    def _set(self, key: Key, block: _Block) -> _Block:
        self._taken.pop(key, None)
        self._blocks[key] = block
        self.used += block.weight
        return block

    def _change(self, block: _Block, form: str, size: int, held: Any) -> None:
        """Another form for a block, in the same place among the others."""
        was, weight, before = block.form, block.weight, block.held
        block.form, block.bytes, block.held = form, size, held
        block.watch, block.file, block.stuck = None, None, False
        self.used += block.weight - weight
        if was == MEMORY_FILE:
            block.told = before
            kept_files.moved(before, held)
        elif was == LIVE:
            self._thaw_gc(block)
            block.reads = 0

    def _forget(self, key: Key) -> None:
        """Let a block go, if there is one; the driver is told, unless it is put again before."""
        block = self._blocks.pop(key, None)
        if block is None:
            return
        self._taken[key] = None
        self.used -= block.weight
        if block.form in (MEMORY_FILE, DISK_FILE):
            kept_files.remove(block.held)
        if block.told is not None:
            kept_files.remove(block.told)
        if block.file is not None:
            kept_files.remove(block.file[1])
        if block.form == LIVE:
            self._thaw_gc(block)

    def _thaw_gc(self, block: _Block) -> None:
        if self._freeze_gc and block.reads >= 2:
            gc.unfreeze()

    def _told(self, key: Key, block: _Block) -> Kept:
        shared = block.held if block.form in (MEMORY_FILE, DISK_FILE) else None
        return Kept(key, block.form, block.bytes, shared)

    def _pickle(self, key: Key, rows: Any, level: StorageLevel) -> bytes | None:
        """The rows pickled; None, with a warning, if they cannot be and the level is a live one."""
        try:
            with mutation.writable(rows):
                return self._dumps(rows)
        except Exception as error:  # what pickling raises is up to the classes of the rows
            if not _lives(level):
                raise
            why = f"{type(error).__name__}: {error}"
            self._warn(
                key,
                "unpicklable",
                f"its rows cannot be pickled ({why:.200}), so a partition that does not fit in "
                "memory is not kept, but computed again",
            )
            return None

    def _write(
        self, key: Key, payload: bytes | memoryview, form: str, else_disk: bool = False
    ) -> tuple[int, str] | None:
        """Bytes and path of a new file; None, with a warning, if it cannot be written."""
        disk = form == DISK_FILE
        folder = self.disk_folder if disk else self.memory_folder
        self._files += 1
        name = f"kept-{key[0]}-{key[1]}-{self._token}-{self._files}.{form}"
        path = os.path.join(folder, name)
        try:
            return kept_files.write(path, payload, compress=disk), path
        except OSError as error:
            self._warn(
                key,
                form,
                f"partition {key[1]} ({len(payload):,} bytes) cannot be written to {folder} "
                f"({error.strerror}): " + ("it goes to disk" if else_disk else "it is not kept"),
            )
            return None

    def _warn(self, key: Key, reason: str, text: str) -> None:
        if (key[0], reason) not in self._warned:
            self._warned.add((key[0], reason))
            self._on_warning(f"kept dataset {key[0]} ({self._sites.get(key[0], '')}): {text}")


def _lives(level: StorageLevel) -> bool:
    """Whether blocks of this level are live objects to begin with."""
    return level.useMemory and not level.useOffHeap
