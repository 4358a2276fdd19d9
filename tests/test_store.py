"""The store of kept partitions: where the bytes of each level are, what gives way, what is said."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from executors import kept_files, store
from executors.sizing import estimate
from executors.store import Kept, Store
from planner.levels import StorageLevel

Level = StorageLevel
FILES = {"memory-file", "disk-file"}


class Box:
    """A store, its folders, and what it warned of."""

    def __init__(self, root: Path, budget: int, **more: Any) -> None:
        self.memory = root / "memory"
        self.disk = root / "disk"
        self.memory.mkdir(exist_ok=True)
        self.disk.mkdir(exist_ok=True)
        self.warnings: list[str] = []
        self.pickled = 0
        self.store = Store(
            memory_bytes=budget,
            memory_folder=str(self.memory),
            disk_folder=str(self.disk),
            dumps=self.dumps,
            on_warning=self.warnings.append,
            **more,
        )

    def dumps(self, rows: Any) -> bytes:
        self.pickled += 1
        return pickle.dumps(rows, 5)

    def put(self, persist: int, partition: int, rows: Any, level: Level) -> Kept | None:
        return self.store.put((persist, partition), rows, level, f"cache at job.py:{persist}")

    def forms(self) -> dict[tuple[int, int], str]:
        return {key: form for key, form, _ in self.store.summary()}

    def files(self) -> tuple[int, int]:
        return tuple(  # type: ignore[return-value]
            len(list(folder.iterdir())) if folder.exists() else 0
            for folder in (self.memory, self.disk)
        )


@pytest.fixture
def box(tmp_path: Path) -> Callable[..., Box]:
    return lambda budget=1 << 30, **more: Box(tmp_path, budget, **more)


def rows_of(seed: int, count: int = 1000) -> list[Any]:
    """Rows that take about ten times as much live as pickled."""
    return [{"number": seed * count + i, "many": [1000 + i] * 3} for i in range(count)]


SIZE = estimate(rows_of(0))
PICKLED = len(pickle.dumps(rows_of(0), 5))


def test_the_rows_of_these_tests_shrink_when_pickled() -> None:
    assert PICKLED < SIZE / 5


# ---- where the bytes are -------------------------------------------------------------------------

FIRST_FORMS = [
    (Level.MEMORY_ONLY, "live"),
    (Level.MEMORY_ONLY_2, "live"),
    (Level.MEMORY_AND_DISK, "live"),
    (Level.MEMORY_AND_DISK_2, "live"),
    (Level.MEMORY_AND_DISK_DESER, "live"),
    (Level.OFF_HEAP, "memory-file"),
    (Level.DISK_ONLY, "disk-file"),
    (Level.DISK_ONLY_2, "disk-file"),
    (Level.DISK_ONLY_3, "disk-file"),
]


@pytest.mark.parametrize(("level", "form"), FIRST_FORMS, ids=lambda each: str(each))
def test_every_level_has_its_form(box: Callable[..., Box], level: Level, form: str) -> None:
    one = box()
    rows = rows_of(1)
    kept = one.put(1, 0, rows, level)
    assert kept is not None
    assert (kept.key, kept.form) == ((1, 0), form)
    assert one.forms() == {(1, 0): form}
    assert one.files() == (int(form == "memory-file"), int(form == "disk-file"))
    assert (one.store.get((1, 0)) is rows) == (form == "live")
    assert one.store.get((1, 0)) == rows
    assert one.pickled == int(form != "live")
    if form in FILES:
        assert kept.shared is not None
        assert kept.bytes == os.path.getsize(kept.shared)
        assert os.stat(kept.shared).st_mode & 0o777 == 0o600
        other = Box(one.memory.parent, 0)
        assert other.store.read_shared(kept.shared) == rows
    else:
        assert kept.shared is None
        assert kept.bytes == estimate(rows)
    assert one.store.used == (0 if form == "disk-file" else kept.bytes)
    assert pickle.loads(one.store.pickled((1, 0)) or b"") == rows
    assert one.store.drop((1, 0))
    assert not one.store.drop((1, 0))
    assert one.store.get((1, 0)) is None
    assert one.store.pickled((1, 0)) is None
    assert one.store.used == 0
    assert one.files() == (0, 0)
    assert one.store.taken() == []
    assert one.warnings == []


def test_a_level_that_keeps_nothing(box: Callable[..., Box]) -> None:
    one = box()
    assert one.put(1, 0, [1], Level.NONE) is None
    assert one.store.summary() == []


def test_on_disk_the_bytes_are_compressed_and_in_memory_they_are_not(
    box: Callable[..., Box],
) -> None:
    one = box()
    rows = ["the same text again"] * 10 + [list(range(50_000))] * 2 + ["x" * 9_000_000]
    disk = one.put(1, 0, rows, Level.DISK_ONLY)
    memory = one.put(2, 0, rows, Level.OFF_HEAP)
    assert disk is not None and memory is not None
    assert memory.bytes == len(pickle.dumps(rows, 5)) + kept_files.HEAD_BYTES
    assert disk.bytes < memory.bytes / 5
    assert one.store.get((1, 0)) == one.store.get((2, 0)) == rows


def test_without_pyarrow_files_are_plain(
    box: Callable[..., Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    kept_files._best.cache_clear()
    try:
        one = box()
        rows = rows_of(1)
        kept = one.put(1, 0, rows, Level.DISK_ONLY)
        assert kept is not None
        assert kept.bytes == len(pickle.dumps(rows, 5)) + kept_files.HEAD_BYTES
        assert one.store.get((1, 0)) == rows
    finally:
        kept_files._best.cache_clear()


@pytest.mark.parametrize("level", [Level.MEMORY_ONLY, Level.OFF_HEAP, Level.DISK_ONLY], ids=str)
def test_empty_partitions_are_kept(box: Callable[..., Box], level: Level) -> None:
    one = box()
    assert one.put(1, 0, [], level) is not None
    assert one.store.get((1, 0)) == []


@pytest.mark.parametrize("level", [Level.MEMORY_ONLY, Level.OFF_HEAP, Level.DISK_ONLY], ids=str)
def test_arrow_stays_arrow(box: Callable[..., Box], level: Level) -> None:
    one = box()
    table = pa.table({"a": list(range(1000))})
    kept = one.put(1, 0, table, level)
    found = one.store.get((1, 0))
    assert kept is not None and isinstance(found, pa.Table) and found.equals(table)
    assert (found is table) == (level == Level.MEMORY_ONLY)
    assert not one.store.check_pass((1, 0))


def test_putting_again_replaces(box: Callable[..., Box]) -> None:
    one = box()
    one.put(1, 0, rows_of(1), Level.DISK_ONLY)
    one.put(1, 0, rows_of(2), Level.MEMORY_ONLY)
    assert one.forms() == {(1, 0): "live"}
    assert one.store.get((1, 0)) == rows_of(2)
    assert one.files() == (0, 0)
    assert one.store.used == one.store.summary()[0][2]
    assert one.store.taken() == []


def test_a_dataset_goes_as_a_whole(box: Callable[..., Box]) -> None:
    one = box()
    for partition, level in enumerate([Level.MEMORY_ONLY, Level.OFF_HEAP, Level.DISK_ONLY]):
        one.put(1, partition, rows_of(partition), level)
    one.put(2, 0, rows_of(9), Level.MEMORY_ONLY)
    assert one.store.drop_dataset(1) == 3
    assert one.store.drop_dataset(1) == 0
    assert one.forms() == {(2, 0): "live"}
    assert one.files() == (0, 0)
    assert one.store.used == one.store.summary()[0][2]


# ---- replicas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "form"),
    [
        (Level.MEMORY_ONLY_2, "pickled"),
        (Level.MEMORY_AND_DISK_2, "pickled"),
        (Level(True, True, True, False, 2), "memory-file"),
        (Level.DISK_ONLY_2, "disk-file"),
    ],
    ids=str,
)
def test_a_replica_comes_pickled(box: Callable[..., Box], level: Level, form: str) -> None:
    one = box()
    rows = rows_of(1)
    payload = pickle.dumps(rows, 5)
    kept = one.store.put_bytes((1, 0), memoryview(payload), level, "a replica")
    assert kept is not None and kept.form == form
    assert one.pickled == 0
    assert one.store.pickled((1, 0)) == payload
    assert one.store.get((1, 0)) == rows


def test_a_replica_read_here_becomes_live_while_there_is_room(box: Callable[..., Box]) -> None:
    one = box()
    one.store.put_bytes((1, 0), pickle.dumps(rows_of(1)), Level.MEMORY_ONLY_2, "a replica")
    first = one.store.get((1, 0))
    assert one.store.get((1, 0)) is first
    assert one.forms() == {(1, 0): "live"}
    assert one.store.used == estimate(first)
    small = box(PICKLED * 2)
    small.store.put_bytes((1, 0), pickle.dumps(rows_of(1)), Level.MEMORY_ONLY_2, "a replica")
    assert small.store.get((1, 0)) is not small.store.get((1, 0))
    assert small.forms() == {(1, 0): "pickled"}


def test_a_replica_that_does_not_fit(box: Callable[..., Box]) -> None:
    one = box(100)
    payload = pickle.dumps(rows_of(1))
    assert one.store.put_bytes((1, 0), payload, Level.MEMORY_ONLY_2, "a replica") is None
    kept = one.store.put_bytes((1, 1), payload, Level.MEMORY_AND_DISK_2, "a replica")
    assert kept is not None and kept.form == "disk-file"
    assert one.store.used == 0


# ---- who gives way -------------------------------------------------------------------------------


def test_the_least_recently_used_is_pickled_first(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 3.5))
    for persist in (1, 2, 3):
        one.put(persist, 0, rows_of(persist), Level.MEMORY_ONLY)
    one.store.get((1, 0))
    one.put(4, 0, rows_of(4), Level.MEMORY_ONLY)
    assert one.forms() == {(2, 0): "pickled", (3, 0): "live", (1, 0): "live", (4, 0): "live"}
    assert [key for key, *_ in one.store.summary()] == [(2, 0), (3, 0), (1, 0), (4, 0)]
    assert one.store.used <= one.store.memory_bytes
    assert one.store.taken() == []
    assert one.store.get((2, 0)) == rows_of(2)


def test_live_then_pickled_then_disk(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 1.05))
    one.put(1, 0, rows_of(1), Level.MEMORY_AND_DISK)
    assert one.forms()[1, 0] == "live"
    one.put(2, 0, rows_of(2, 900), Level.MEMORY_AND_DISK)
    assert one.forms()[1, 0] == "pickled"
    assert one.files() == (0, 0)
    one.put(3, 0, rows_of(3), Level.MEMORY_AND_DISK)
    assert one.forms()[1, 0] == "disk-file"
    assert one.files()[1] >= 1
    assert one.store.taken() == []
    for persist, count in ((1, 1000), (2, 900), (3, 1000)):
        assert one.store.get((persist, 0)) == rows_of(persist, count)


def test_without_a_disk_level_the_last_step_is_out(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 1.125))
    one.put(1, 0, rows_of(1), Level.MEMORY_ONLY)
    one.put(2, 0, rows_of(2, 900), Level.MEMORY_ONLY)
    assert one.forms() == {(1, 0): "pickled", (2, 0): "live"}
    one.put(3, 0, rows_of(3), Level.MEMORY_ONLY)
    assert one.store.taken() == [(1, 0)]
    assert one.store.get((2, 0)) == rows_of(2, 900)
    assert one.forms()[3, 0] == "live"
    assert one.store.used <= one.store.memory_bytes
    assert one.files() == (0, 0)


def test_nothing_is_dropped_while_something_can_be_pickled(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 4.5))
    for partition in range(4):
        one.put(1, partition, rows_of(partition), Level.MEMORY_ONLY)
    for partition in range(3):
        one.put(2, partition, rows_of(partition), Level.MEMORY_ONLY)
    assert one.store.taken() == []
    assert [form for _, form in sorted(one.forms().items())][:3] == ["pickled"] * 3


def test_taken_is_told_once_and_not_for_what_came_back(box: Callable[..., Box]) -> None:
    one = box(PICKLED + 500)
    first = pickle.dumps(rows_of(1), 5)
    assert one.store.put_bytes((1, 0), first, Level.MEMORY_ONLY, "") is not None
    assert one.store.put_bytes((2, 0), first, Level.MEMORY_ONLY, "") is not None
    assert one.store.put_bytes((1, 0), first, Level.MEMORY_ONLY, "") is not None
    assert one.store.taken() == [(2, 0)]
    assert one.store.taken() == []
    assert one.put(1, 0, rows_of(1, 100_000), Level.MEMORY_ONLY) is None
    assert one.store.taken() == [(1, 0)]  # it was here, and what was to replace it does not fit


def test_a_memory_file_goes_to_disk_and_its_old_path_still_leads_to_it(
    box: Callable[..., Box],
) -> None:
    one = box(PICKLED * 2)
    kept = one.put(1, 0, rows_of(1), Level.OFF_HEAP)
    one.put(2, 0, rows_of(2), Level.OFF_HEAP)
    assert kept is not None and kept.shared is not None
    assert one.forms() == {(1, 0): "disk-file", (2, 0): "memory-file"}
    assert one.store.read_shared(kept.shared) == rows_of(1)
    assert one.store.get((1, 0)) == rows_of(1)
    one.store.drop((1, 0))
    with pytest.raises(FileNotFoundError):
        one.store.read_shared(kept.shared)
    assert one.files() == (1, 0)


def test_off_heap_without_disk_is_dropped(box: Callable[..., Box]) -> None:
    level = Level(False, True, True, False)
    one = box(PICKLED * 2)
    one.put(1, 0, rows_of(1), level)
    one.put(2, 0, rows_of(2), level)
    assert one.forms() == {(2, 0): "memory-file"}
    assert one.store.taken() == [(1, 0)]
    assert one.files() == (1, 0)


def test_a_dataset_does_not_push_itself_out(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 2.15))
    kept = [one.put(1, partition, rows_of(partition), Level.MEMORY_ONLY) for partition in range(6)]
    forms = [each.form if each else None for each in kept]
    assert forms[:3] == ["live", "live", "pickled"]
    assert forms[-1] is None
    assert one.forms() == {(1, p): form for p, form in enumerate(forms) if form}
    assert one.store.taken() == []
    assert one.warnings == []
    assert one.store.used <= one.store.memory_bytes


def test_a_dataset_three_times_the_budget_is_all_there_with_disk(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 2.15))
    for partition in range(8):
        assert one.put(1, partition, rows_of(partition), Level.MEMORY_AND_DISK) is not None
        assert one.store.used <= one.store.memory_bytes
    assert list(one.forms().values())[0] == "live"
    assert list(one.forms().values())[-1] == "disk-file"
    for partition in range(8):
        assert one.store.get((1, partition)) == rows_of(partition)


def test_a_block_larger_than_the_budget_touches_nothing(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 1.5))
    one.put(1, 0, rows_of(1), Level.MEMORY_ONLY)
    assert one.put(2, 0, rows_of(2, 100_000), Level.MEMORY_ONLY) is None
    assert one.forms() == {(1, 0): "live"}
    assert one.store.taken() == []
    kept = one.put(2, 0, rows_of(2, 100_000), Level.MEMORY_AND_DISK)
    assert kept is not None and kept.form == "disk-file" and kept.shared is not None
    assert one.forms()[1, 0] == "live"
    kept = one.put(3, 0, rows_of(2, 100_000), Level.OFF_HEAP)
    assert kept is not None and kept.form == "disk-file"


def test_a_hopeless_block_is_not_pickled_whole(box: Callable[..., Box]) -> None:
    one = box(1000)
    sizes: list[int] = []
    dumps = one.store._dumps
    one.store._dumps = lambda rows: sizes.append(len(rows)) or dumps(rows)  # type: ignore[func-returns-value]
    assert one.put(1, 0, rows_of(1, 100_000), Level.MEMORY_ONLY) is None
    assert sizes and max(sizes) < 100


def test_what_pickling_does_not_shrink_is_not_pickled(box: Callable[..., Box]) -> None:
    blobs = [os.urandom(10_000) for _ in range(100)]
    one = box(1_500_000)
    one.put(1, 0, blobs, Level.MEMORY_AND_DISK)
    one.put(2, 0, list(blobs), Level.MEMORY_ONLY)
    assert one.forms() == {(1, 0): "disk-file", (2, 0): "live"}
    one.put(3, 0, list(blobs), Level.MEMORY_ONLY)
    assert one.forms() == {(1, 0): "disk-file", (3, 0): "live"}
    assert one.store.taken() == [(2, 0)]


def test_arrow_goes_to_disk_or_out(box: Callable[..., Box]) -> None:
    table = pa.table({"a": list(range(100_000))})
    one = box(int(table.nbytes * 1.5))
    one.put(1, 0, table, Level.MEMORY_AND_DISK)
    one.put(2, 0, table, Level.MEMORY_ONLY)
    one.put(3, 0, table, Level.MEMORY_ONLY)
    assert one.forms() == {(1, 0): "disk-file", (3, 0): "live"}
    assert one.store.taken() == [(2, 0)]
    assert one.store.get((1, 0)).equals(table)


def test_a_demoted_block_goes_up_again_when_there_is_room(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 1.05))
    one.put(1, 0, rows_of(1), Level.MEMORY_AND_DISK)
    one.put(2, 0, rows_of(2, 990), Level.MEMORY_AND_DISK)
    one.put(3, 0, rows_of(3), Level.MEMORY_AND_DISK)
    assert one.forms()[1, 0] == "disk-file"
    one.store.get((1, 0))
    assert one.forms()[1, 0] == "disk-file"
    one.store.drop_dataset(2)
    one.store.drop_dataset(3)
    rows = one.store.get((1, 0))
    assert one.forms() == {(1, 0): "live"}
    assert one.store.get((1, 0)) is rows
    assert one.files() == (0, 1)  # a worker that was told of the file finds it
    pickled = one.pickled
    one.put(2, 0, rows_of(2), Level.MEMORY_AND_DISK)
    assert one.forms()[1, 0] == "disk-file"  # and the way back costs nothing
    assert one.pickled == pickled
    assert one.store.get((1, 0)) == rows_of(1)
    one.store.drop_dataset(1)
    assert one.files() == (0, 0)


def test_the_budget_holds_over_any_history(box: Callable[..., Box]) -> None:
    budget = SIZE * 3
    one = box(budget)
    chance = random.Random(5)
    there: dict[tuple[int, int], int] = {}
    for step in range(400):
        key = (chance.randrange(4), chance.randrange(4))
        what = chance.random()
        if what < 0.5:
            level = chance.choice([level for level, _ in FIRST_FORMS])
            count = chance.choice([10, 300, 1000, 2500])
            if one.put(*key, rows_of(step, count), level) is not None:
                there[key] = step * count
            else:
                there.pop(key, None)
        elif what < 0.9:
            rows = one.store.get(key)
            assert rows is None or rows[0]["number"] == there[key]
            assert not one.store.check_pass(key)
        else:
            one.store.drop(key)
        summary = one.store.summary()
        assert one.store.used == sum(b for _, form, b in summary if form != "disk-file") <= budget
    assert one.warnings == []
    for persist in range(4):
        one.store.drop_dataset(persist)
    assert one.store.used == 0
    assert one.files() == (0, 0)


def test_live_memory_is_near_the_budget(tmp_path: Path) -> None:
    code = """
import pickle, sys
from executors.memory import resident
from executors.store import Store
from planner.levels import StorageLevel
store = Store(memory_bytes=100 << 20, memory_folder=sys.argv[1], disk_folder=sys.argv[1],
              dumps=pickle.dumps, on_warning=print, freeze_gc=True)
base = resident()
for p in range(12):
    rows = [(p * 100_000 + i, str(i), [float(i)]) for i in range(100_000)]
    assert store.put((p % 3, p), rows, StorageLevel.MEMORY_AND_DISK, "") is not None
    del rows
print(resident() - base)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 160 << 20  # the budget, one partition on its way in, and its pickle


# ---- files that cannot be written, or are gone ---------------------------------------------------


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let writing below a folder fail after some bytes, as a full device does."""
    places: list[str] = []
    write = os.write

    def failing(file: int, data: Any) -> int:
        path = os.readlink(f"/proc/self/fd/{file}")
        if any(place in path for place in places):
            if len(data) > 500:
                return write(file, data[:500])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    monkeypatch.setattr(kept_files.os, "write", failing)
    yield places.append


def test_a_full_disk_keeps_the_block_out(
    box: Callable[..., Box], full: Callable[[str], None]
) -> None:
    one = box()
    full("/disk/")
    assert one.put(1, 0, rows_of(1), Level.DISK_ONLY) is None
    assert one.put(1, 1, rows_of(1), Level.DISK_ONLY) is None
    assert one.files() == (0, 0)
    assert len(one.warnings) == 1
    assert "kept dataset 1 (cache at job.py:1): partition 0" in one.warnings[0]
    assert "No space left on device" in one.warnings[0]
    assert one.store.used == 0
    assert one.store.taken() == []


def test_a_full_disk_while_demoting_drops_the_block(
    box: Callable[..., Box], full: Callable[[str], None]
) -> None:
    one = box(int(SIZE * 1.05))
    one.put(1, 0, rows_of(1), Level.MEMORY_AND_DISK)
    one.put(2, 0, rows_of(2, 900), Level.MEMORY_AND_DISK)
    full("/disk/")
    one.put(3, 0, rows_of(3), Level.MEMORY_AND_DISK)
    assert (1, 0) in one.store.taken()
    assert one.store.get((1, 0)) is None
    assert one.forms()[3, 0] == "live"
    assert one.files() == (0, 0)
    assert any("cannot be written" in line for line in one.warnings)


def test_a_full_memory_folder_falls_back_to_disk(
    box: Callable[..., Box], full: Callable[[str], None]
) -> None:
    one = box()
    full("/memory/")
    kept = one.put(1, 0, rows_of(1), Level.OFF_HEAP)
    assert kept is not None and kept.form == "disk-file"
    assert one.files() == (0, 1)
    assert one.put(2, 0, rows_of(2), Level(False, True, True, False)) is None
    assert one.store.used == 0
    assert ["it goes to disk" in line for line in one.warnings] == [True, False]


def test_a_real_limit_on_file_sizes(box: Callable[..., Box]) -> None:
    one = box()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    blobs = [os.urandom(1000) for _ in range(1000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        assert one.put(1, 0, blobs, Level.DISK_ONLY) is None
        small = one.put(1, 1, blobs[:10], Level.DISK_ONLY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert small is not None
    assert one.files() == (0, 1)
    assert "File too large" in one.warnings[0]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    one = Box(tmp_path, 1 << 20)
    one.disk.rmdir()
    one.disk.write_text("a file is in the way")
    assert one.put(1, 0, [1], Level.DISK_ONLY) is None
    assert len(one.warnings) == 1


@pytest.mark.parametrize("level", [Level.OFF_HEAP, Level.DISK_ONLY], ids=str)
@pytest.mark.parametrize("harm", ["gone", "empty", "half", "other"])
def test_a_harmed_file_is_a_lost_block(box: Callable[..., Box], level: Level, harm: str) -> None:
    one = box()
    kept = one.put(1, 0, rows_of(1), level)
    assert kept is not None and kept.shared is not None
    path = Path(kept.shared)
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "other": b"x" * 99}[harm])
    with pytest.raises(FileNotFoundError):
        one.store.read_shared(kept.shared)
    assert one.store.get((1, 0)) is None
    assert one.store.get((1, 0)) is None
    assert one.store.taken() == [(1, 0)]
    assert one.store.used == 0
    assert one.files() == (0, 0)
    assert "partition 0 is computed again" in one.warnings[0]


def test_a_lost_file_met_on_other_ways(box: Callable[..., Box]) -> None:
    one = box(PICKLED * 2)
    kept = one.put(1, 0, rows_of(1), Level.OFF_HEAP)
    assert kept is not None and kept.shared is not None
    os.unlink(kept.shared)
    assert one.put(2, 0, rows_of(2), Level.OFF_HEAP) is not None  # tries to move the first
    assert one.store.taken() == [(1, 0)]
    kept = one.put(3, 0, rows_of(3), Level.DISK_ONLY)
    assert kept is not None and kept.shared is not None
    os.unlink(kept.shared)
    assert one.store.pickled((3, 0)) is None
    assert one.store.taken() == [(3, 0)]


def test_two_workers_share_their_folders(tmp_path: Path) -> None:
    one, two = Box(tmp_path, 1 << 20), Box(tmp_path, 1 << 20)
    kept = [each.put(1, 0, rows_of(at), Level.DISK_ONLY) for at, each in enumerate((one, two))]
    assert kept[0] is not None and kept[1] is not None and kept[0].shared != kept[1].shared
    one.store.drop_dataset(1)
    assert two.store.get((1, 0)) == rows_of(1)


def test_one_folder_for_both(tmp_path: Path) -> None:
    folder = str(tmp_path)
    both = Store(
        memory_bytes=PICKLED * 2,
        memory_folder=folder,
        disk_folder=folder,
        dumps=pickle.dumps,
        on_warning=print,
    )
    kept = both.put((1, 0), rows_of(1), Level.OFF_HEAP, "")
    both.put((2, 0), rows_of(2), Level.OFF_HEAP, "")
    assert [form for _, form, _ in both.summary()] == ["disk-file", "memory-file"]
    assert kept is not None and kept.shared is not None
    assert both.read_shared(kept.shared) == rows_of(1)
    assert both.drop((1, 0)) and both.drop((2, 0))
    assert list(tmp_path.iterdir()) == []


# ---- rows that cannot be pickled -----------------------------------------------------------------


def test_unpicklable_rows_live_until_the_room_is_needed(box: Callable[..., Box]) -> None:
    one = box(300_000)
    rows: list[Any] = [[threading.Lock(), str(i) * 500] for i in range(100)]
    kept = one.put(1, 0, rows, Level.MEMORY_AND_DISK)
    assert kept is not None and kept.form == "live"
    assert one.store.get((1, 0)) is rows
    assert one.store.pickled((1, 0)) is None
    one.put(2, 0, ["y" * 1000] * 10 + ["z" * 250_000], Level.MEMORY_ONLY)
    assert one.store.taken() == [(1, 0)]
    assert len(one.warnings) == 1 and "cannot be pickled" in one.warnings[0]


@pytest.mark.parametrize("level", [Level.OFF_HEAP, Level.DISK_ONLY], ids=str)
def test_where_they_must_be_pickled_the_error_is_the_users(
    box: Callable[..., Box], level: Level
) -> None:
    one = box()
    with pytest.raises(TypeError, match="lock"):
        one.put(1, 0, [threading.Lock()], level)
    assert one.store.summary() == []
    assert one.files() == (0, 0)


# ---- rows changed in place -----------------------------------------------------------------------


def test_a_change_is_found_and_the_dataset_kept_pickled(box: Callable[..., Box]) -> None:
    one = box()
    for partition in range(3):
        one.put(1, partition, rows_of(partition), Level.MEMORY_ONLY)
    for row in one.store.get((1, 0)):
        row["many"].append(0)
    assert one.store.check_pass((1, 0))
    assert one.store.get((1, 0)) is None
    assert one.store.taken() == [(1, 0)]
    assert len(one.warnings) == 1
    assert "kept dataset 1 (cache at job.py:1)" in one.warnings[0]
    assert "changed its rows in place" in one.warnings[0]

    kept = one.put(1, 0, rows_of(0), Level.MEMORY_ONLY)  # computed again
    assert kept is not None and kept.form == "pickled"
    for _ in range(2):
        for partition in range(3):
            rows = one.store.get((1, partition))
            assert rows == rows_of(partition)
            for row in rows:
                row["many"].append(0)
            assert not one.store.check_pass((1, partition))
    assert set(one.forms().values()) == {"pickled"}
    assert len(one.warnings) == 1
    assert one.store.taken() == []


def test_other_datasets_stay_live(box: Callable[..., Box]) -> None:
    one = box()
    for persist in (1, 2):
        one.put(persist, 0, rows_of(persist), Level.MEMORY_ONLY)
    one.store.get((1, 0))[0]["number"] = -1
    assert one.store.check_pass((1, 0))
    assert not one.store.check_pass((2, 0))
    assert one.forms() == {(2, 0): "live"}
    one.store.drop_dataset(1)
    assert one.put(1, 0, rows_of(1), Level.MEMORY_ONLY).form == "live"  # type: ignore[union-attr]


def test_a_pass_that_only_reads_is_no_change(box: Callable[..., Box]) -> None:
    one = box()
    rows = rows_of(1)
    one.put(1, 0, rows, Level.MEMORY_ONLY)
    assert sum(row["number"] for row in one.store.get((1, 0)))
    assert not one.store.check_pass((1, 0))
    assert one.store.get((1, 0)) is rows
    assert not one.store.check_pass((9, 9))


def test_changed_rows_are_not_demoted(box: Callable[..., Box]) -> None:
    one = box(int(SIZE * 1.5))
    one.put(1, 0, rows_of(1), Level.MEMORY_AND_DISK)
    one.store.get((1, 0))[0]["number"] = -1  # by the very task that puts another block
    one.put(2, 0, rows_of(2), Level.MEMORY_ONLY)
    assert one.store.get((1, 0)) is None
    assert one.store.taken() == [(1, 0)]
    assert "changed its rows in place" in one.warnings[0]


def test_a_block_that_went_up_again_is_watched(box: Callable[..., Box]) -> None:
    one = box()
    one.store.put_bytes((1, 0), pickle.dumps(rows_of(1)), Level.MEMORY_ONLY_2, "a replica")
    one.store.get((1, 0))[0]["number"] = -1
    assert one.store.check_pass((1, 0))


def test_cached_arrays_cannot_be_changed_and_their_copies_can(box: Callable[..., Box]) -> None:
    arrays = [np.zeros(4) for _ in range(100)]
    size = estimate(arrays)
    one = box(int(size * 1.2))
    one.put(1, 0, arrays, Level.MEMORY_AND_DISK)
    with pytest.raises(ValueError, match="read-only"):
        one.store.get((1, 0))[50] += 1
    assert not one.store.check_pass((1, 0))
    replica = pickle.loads(one.store.pickled((1, 0)) or b"")
    assert all(array.flags.writeable for array in replica)
    assert not any(array.flags.writeable for array in arrays)
    one.put(2, 0, rows_of(2, 1), Level.MEMORY_ONLY)
    one.put(2, 1, [np.zeros(4) for _ in range(90)], Level.MEMORY_ONLY)
    assert one.forms()[1, 0] in ("pickled", "disk-file")
    assert not arrays[0].flags.writeable  # a pass that goes on sees what it saw
    copies = one.store.get((1, 0))
    copies[0] += 1
    assert one.store.get((1, 0))[0].sum() == 0


def test_a_dataset_can_be_told_to_give_copies(box: Callable[..., Box]) -> None:
    one = box()
    one.put(1, 0, [np.zeros(4) for _ in range(10)], Level.MEMORY_ONLY)
    assert not one.store.copies(1)
    one.store.keep_copies(1)
    assert one.store.copies(1)
    for _ in range(2):
        for array in one.store.get((1, 0)):
            assert array.sum() == 0
            array += 1
    assert one.forms() == {(1, 0): "pickled"}
    assert one.store.taken() == []


def test_copies_that_fit_nowhere_are_given_once_more(box: Callable[..., Box]) -> None:
    blobs = [bytearray(os.urandom(1000)) for _ in range(100)]
    one = box(estimate(blobs))
    one.put(1, 0, blobs, Level.MEMORY_ONLY)
    one.store.memory_bytes = 1000
    one.store.keep_copies(1)
    assert one.store.get((1, 0)) == blobs
    assert one.store.taken() == [(1, 0)]
    assert one.store.used == 0


# ---- speed, and the collector --------------------------------------------------------------------


def test_put_and_check_of_a_million_small_rows_are_quick(box: Callable[..., Box]) -> None:
    one = box()
    tuples = [(i, float(i)) for i in range(1_000_000)]
    lists = [[i] for i in range(200_000)]
    assert _best(lambda: one.put(1, 0, tuples, Level.MEMORY_ONLY)) < 0.03
    assert _best(lambda: one.put(2, 0, lists, Level.MEMORY_ONLY)) < 0.03
    assert _best(lambda: one.store.check_pass((1, 0))) < 0.001
    assert _best(lambda: one.store.check_pass((2, 0))) < 0.002
    assert _best(lambda: one.store.get((1, 0))) < 0.001


def _best(call: Callable[[], object]) -> float:
    found = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def test_the_collector_is_left_alone_unless_asked(box: Callable[..., Box]) -> None:
    before = gc.get_freeze_count()
    one = box()
    one.put(1, 0, [[i] for i in range(100_000)], Level.MEMORY_ONLY)
    for _ in range(3):
        one.store.get((1, 0))
    assert gc.get_freeze_count() == before


def test_rows_read_again_are_out_of_the_collectors_sight_and_come_back(
    box: Callable[..., Box],
) -> None:
    gc.unfreeze()
    one = box(freeze_gc=True)
    try:
        one.put(1, 0, [[i] for i in range(100_000)], Level.MEMORY_ONLY)
        one.store.get((1, 0))
        assert gc.get_freeze_count() == 0
        one.store.get((1, 0))
        assert gc.get_freeze_count() >= 100_000
        one.store.drop((1, 0))
        assert gc.get_freeze_count() == 0
    finally:
        gc.unfreeze()


def test_summary_and_used_can_be_read_from_another_thread(box: Callable[..., Box]) -> None:
    one = box(SIZE * 2)
    failures: list[BaseException] = []
    going = True

    def look() -> None:
        try:
            while going:
                assert one.store.used >= 0
                assert all(len(each) == 3 for each in one.store.summary())
        except BaseException as error:
            failures.append(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for step in range(150):
            one.put(step % 3, step % 5, rows_of(step, 200), Level.MEMORY_ONLY)
            one.store.get((step % 3, (step + 1) % 5))
    finally:
        going = False
        watcher.join()
    assert failures == []


def test_module_names_its_forms() -> None:
    assert {store.LIVE, store.PICKLED, store.MEMORY_FILE, store.DISK_FILE} == {
        "live",
        "pickled",
        "memory-file",
        "disk-file",
    }
