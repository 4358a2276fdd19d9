"""Nothing is left: not in any table while a context lives, not in the process after it."""

from __future__ import annotations

import gc
import glob
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from minispark import SparkConf, SparkContext, StorageLevel, chaos
from minispark.running import JobCancelled

SESSION_TABLES = ("_live", "_until", "_pending")
LOOP_TABLES = ("programs", "kept_as", "_handles", "_rewritten")


def fail(n: int) -> int:
    raise ValueError("on purpose")


def busy(n: int) -> int:
    while True:
        pass


def work(sc: SparkContext) -> None:
    """Some of everything: kept data, shuffles, loss, failure, cancel, shared variables."""
    table, seen = sc.broadcast({1: 2}), sc.accumulator(0)
    pairs = sc.parallelize(range(100), 4).map(lambda n: (n % 7, table.value[1] * n))
    pairs.foreach(lambda pair: seen.add(1))
    for level in (StorageLevel.MEMORY_ONLY, StorageLevel.DISK_ONLY, StorageLevel.MEMORY_ONLY_2):
        kept = pairs.map(tuple).persist(level)
        assert kept.reduceByKey(lambda a, b: a + b).count() == 7
        assert kept.join(kept, 3).count() == kept.cogroup(kept).flatMap(cross).count()
    fault = chaos.kill_executor(at="before write", times=1)
    assert pairs.sortByKey(numPartitions=2).count() == 100
    assert fault.count == 1
    assert seen.value >= 100
    with pytest.raises(ValueError):
        pairs.mapValues(fail).collect()
    timer = threading.Timer(0.3, sc.cancelAllJobs)
    timer.start()
    with pytest.raises(JobCancelled):
        pairs.map(busy).count()
    timer.join()
    assert pairs.take(1) and next(pairs.toLocalIterator())
    table.destroy()


def cross(row: Any) -> list[Any]:
    return [(one, other) for one in row[1][0] for other in row[1][1]]


def left(sc: SparkContext) -> dict[str, Any]:
    """What the tables of the driver hold, by name."""
    session = sc._session
    loop = session._loop
    gc.collect()
    loop.settle()
    found: dict[str, Any] = {n: size for n, size in loop.scheduler.tables().items() if size}
    for owner, names in ((session, SESSION_TABLES), (loop, LOOP_TABLES)):
        found |= {name: getattr(owner, name) for name in names if getattr(owner, name)}
    for name in ("stages", "kept", "cuts"):
        if table := getattr(session._splitter, name):
            found[name] = table
    return found


def left_in_the_end(sc: SparkContext) -> dict[str, Any]:
    """The same, when the last cancelled tasks have answered."""
    end = time.monotonic() + 5
    while (found := left(sc)) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_tables_are_empty_when_the_data_is_gone(sc: SparkContext) -> None:
    work(sc)
    found = left_in_the_end(sc)
    assert not found, found


def test_tables_hold_what_still_lives(sc: SparkContext) -> None:
    """Else the test above could not fail."""
    kept = sc.parallelize(range(4), 2).map(lambda n: (n, n)).cache()
    shuffled = kept.groupByKey()
    shuffled.count()
    found = left(sc)
    assert {"outputs", "kept"} <= set(found), found
    del kept, shuffled
    assert not left_in_the_end(sc)


def in_this_process() -> tuple[set[str], set[str], set[str]]:
    """Threads, open files and children of this process, by name."""
    gc.collect()
    threads = {thread.name for thread in threading.enumerate()}
    files = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            files.add(f"{number}: {os.readlink(f'/proc/self/fd/{number}')}")
        except OSError:
            continue  # the folder that is being listed
    children = set()
    for path in glob.glob("/proc/self/task/*/children"):
        children |= set(Path(path).read_text().split())
    return threads, files, children


@pytest.mark.parametrize("master", ["inline[2]", "local[2]"])
def test_a_stopped_context_leaves_the_process_as_it_was(
    tmp_path: Path, master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cycle() -> None:
        conf = SparkConf().setMaster(master).setAppName("leaks").set("spark.local.dir", str(here))
        with SparkContext(conf=conf) as sc:
            work(sc)

    here, memory = tmp_path / "folder", tmp_path / "memory"
    monkeypatch.setattr("executors.local.memory_root", lambda: str(memory))
    memory.mkdir()
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    cycle()  # libraries are loaded, the interpreter's own threads and files are there
    before = in_this_process()
    for _ in range(3):
        cycle()
    for now, then in zip(in_this_process(), before, strict=True):
        assert now <= then, now - then
    assert os.listdir(here) == os.listdir(memory) == []
