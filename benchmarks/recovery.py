"""Seconds from the death of an executor until as many executors as before answer again.

python -m benchmarks.recovery --master local[2]
python -m benchmarks.recovery --master ray[2]
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import time
from typing import Any

from minispark import SparkContext

EXECUTORS = 2
PATIENCE = 60.0  # seconds after which an executor counts as not replaced
TARGET = 5.0


def who_runs(_: int) -> int:
    """The process of this task, busy long enough for the other executor to take the other task."""
    time.sleep(0.05)
    return os.getpid()


def alive(pid: int) -> bool:
    """Whether a process exists and is more than a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def executors(sc: Any) -> set[int]:
    """The living processes that ran the tasks of one small job."""
    tasks = sc.parallelize(range(EXECUTORS), EXECUTORS).map(who_runs)
    return {pid for pid in tasks.collect() if alive(pid)}


def until_full(sc: Any, without: set[int]) -> tuple[float, float]:
    """Seconds until a job is answered at all, and until every executor takes part again."""
    begin = time.perf_counter()
    first = 0.0
    while time.perf_counter() - begin < PATIENCE:
        found = executors(sc) - without
        first = first or time.perf_counter() - begin
        if len(found) == EXECUTORS:
            return first, time.perf_counter() - begin
    raise TimeoutError(f"still short of {EXECUTORS} executors after {PATIENCE:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--master", action="append", help="again for another; local[2] and ray[2]")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    met = True
    for master in options.master or ["local[2]", "ray[2]"]:
        sc = SparkContext(master, "recovery")
        until_full(sc, set())
        full = []
        dead: set[int] = set()
        for number in range(options.rounds):
            victim = min(executors(sc))
            os.kill(victim, signal.SIGKILL)
            dead.add(victim)
            first, seconds = until_full(sc, dead)
            full.append(seconds)
            print(f"{master}, kill {number + 1}: first answer after {first:.2f} s,", end=" ")
            print(f"full strength after {seconds:.2f} s")
        sc.stop()
        median = statistics.median(full)
        met = met and median <= TARGET
        mark = "met" if median <= TARGET else "MISSED"
        print(f"{master}: back to full strength in {median:.2f} s (target {TARGET:.0f} s: {mark})")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
