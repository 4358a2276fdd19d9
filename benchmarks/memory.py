"""Memory: a driver that stays small over 2,000 jobs, and data larger than the executors' budget.

Each part runs on `local[2]` with a context of its own. Resident memory is read from /proc (Linux):
of the driver after every 100 jobs, of all its processes ten times a second, and the machine's
shared-memory files, where blocks may live outside any process.

    python -m benchmarks.memory
    python -m benchmarks.memory --only cache,shuffle --budget 256
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from operator import add
from typing import Any

from benchmarks.processes import descendants, shared_files, status
from minispark import SparkConf, SparkContext, StorageLevel

WORKERS = 2
MB = 1 << 20
ROW = 1024  # bytes of payload in a row
FLAT = 2048  # bytes a job may leave in the driver to still be called flat


class Watch:
    """Peaks of memory while a part runs, from a thread that looks ten times a second.

    `resident` is the largest VmHWM (peak resident memory) of any one worker; `private` the largest
    share of it that no file backs; `shared` the growth of memory-backed files.
    """

    def __init__(self) -> None:
        self.resident = self.private = self.shared = 0
        self.before = shared_files()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)

    def look_on(self) -> None:
        while not self.ended.wait(0.1):
            self.shared = max(self.shared, shared_files() - self.before)
            for pid in descendants(os.getpid()):
                now = status(pid)
                self.resident = max(self.resident, now.get("VmHWM", 0))
                self.private = max(self.private, now.get("RssAnon", 0))

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()

    def __str__(self) -> str:
        return (
            f"peak of one worker {self.resident / MB:.0f} MB resident"
            f" ({self.private / MB:.0f} MB of it private); shared files {self.shared / MB:+.0f} MB"
        )


# ---- data of a known size ------------------------------------------------------------------------


def rows_of(count: int) -> Callable[[int], Iterator[tuple[int, bytes]]]:
    """Makes the function that gives the `count` rows of a part: (number, 1 KB that differs)."""

    def rows(part: int) -> Iterator[tuple[int, bytes]]:
        source = random.Random(part)
        for i in range(part * count, (part + 1) * count):
            yield (i, source.randbytes(ROW))

    return rows


def checksum(row: tuple[int, bytes]) -> int:
    return zlib.crc32(row[1], row[0] & 0xFFFF)


def eighth(row: tuple[int, bytes]) -> tuple[int, tuple[int, bytes]]:
    """Eight rows to a key."""
    return (row[0] // 8, row)


def group_checksum(group: tuple[int, Any]) -> int:
    return sum(map(checksum, group[1]))


def falling(rows: Iterator[tuple[int, bytes]]) -> Iterator[int]:
    """The checksums of rows whose numbers must fall."""
    before = sys.maxsize
    for row in rows:
        if row[0] >= before:
            raise ValueError(f"row {row[0]} comes after row {before}")
        before = row[0]
        yield checksum(row)


def dataset(sc: Any, times: int, budget: int) -> Any:
    """Rows of `times` the budget of all workers together, in parts of at most 16 MB."""
    total = times * WORKERS * budget * MB
    parts = total // (16 * MB)
    return sc.range(0, parts, 1, parts).flatMap(rows_of(total // parts // ROW))


# ---- the parts: each gives True when it kept its promise -----------------------------------------


def jobs(sc: Any, budget: int) -> bool:
    """Driver memory over 2,000 small shuffle jobs."""
    seen = []
    for number in range(1, 2001):
        sc.parallelize(range(100), 2).map(lambda i: (i % 10, i)).reduceByKey(add, 2).collect()
        if number % 100 == 0:
            gc.collect()
            seen.append(status("self")["VmRSS"])
    growth = seen[-1] - seen[3]
    flat = growth < FLAT * 1600
    print("  driver, MB after every 100 jobs: " + " ".join(f"{size / MB:.0f}" for size in seen))
    verdict = "flat" if flat else "GROWS"
    print(f"  from job 400 to job 2,000: {growth / 1600:+.0f} bytes a job: {verdict}")
    return flat


def cache(sc: Any, budget: int) -> bool:
    """A cache of three times the budget, read three times, at two levels."""
    right = True
    expected = dataset(sc, 3, budget).map(checksum).sum()
    for level in (StorageLevel.MEMORY_AND_DISK, StorageLevel.MEMORY_ONLY):
        rows = dataset(sc, 3, budget).persist(level)
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            right = rows.map(checksum).sum() == expected and right
            seconds.append(f"{time.perf_counter() - begin:.1f}")
        rows.unpersist()
        print(f"  {level}: passes of {', '.join(seconds)} s")
    return right


def shuffle(sc: Any, budget: int) -> bool:
    """Four times the budget through one exchange, in small partitions."""
    rows = dataset(sc, 4, budget)
    return bool(rows.partitionBy(32).map(checksum).sum() == rows.map(checksum).sum())


def group(sc: Any, budget: int) -> bool:
    """Four times the budget grouped by key in four partitions, each twice a worker's budget."""
    rows = dataset(sc, 4, budget)
    grouped = rows.map(eighth).groupByKey(4).map(group_checksum).sum()
    return bool(grouped == rows.map(checksum).sum())


def sort(sc: Any, budget: int) -> bool:
    """Four times the budget sorted in four partitions, each twice a worker's budget."""
    rows = dataset(sc, 4, budget)
    return bool(rows.sortByKey(False, 4).mapPartitions(falling).sum() == rows.map(checksum).sum())


PARTS = {part.__name__: part for part in (jobs, cache, shuffle, group, sort)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="%(default)s")
    parser.add_argument("--budget", type=int, default=128, help="MB of each of two workers")
    options = parser.parse_args()
    kept = True
    for name in options.only.split(","):
        part = PARTS[name]
        print(f"{name}: {part.__doc__}")
        conf = SparkConf().setMaster(f"local[{WORKERS}]").setAppName("memory")
        conf.set("spark.executor.memory", f"{options.budget}m")
        sc = SparkContext(conf=conf)
        try:
            with Watch() as watch:
                begin = time.perf_counter()
                right = part(sc, options.budget)
                seconds = time.perf_counter() - begin
        finally:
            sc.stop()
        kept = kept and right
        print(f"  {'kept' if right else 'NOT KEPT'} in {seconds:.1f} s; {watch}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
