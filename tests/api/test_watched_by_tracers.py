"""A debugger, a profiler or coverage may watch a program before, during and after its jobs."""

from __future__ import annotations

import cProfile
import sys
import threading
import time

import pytest

from minispark import JobCancelled, SparkContext


def lines_of(x: int) -> int:
    for _ in range(3):
        x += 1
    return x


def waits(x: int) -> None:
    for _ in range(2000):
        time.sleep(0.01)


def test_a_profiler_may_watch_what_comes_after_a_job(sc: SparkContext) -> None:
    assert sc.range(4).map(lines_of).sum() == 18
    assert cProfile.Profile().runcall(lines_of, 1) == 4
    assert cProfile.Profile().runcall(sc.range(4).map(lines_of).sum) == 18


def test_a_tracer_may_watch_what_comes_after_a_cancelled_job(sc: SparkContext) -> None:
    timer = threading.Timer(0.3, sc.cancelAllJobs)
    timer.start()
    with pytest.raises(JobCancelled):
        sc.range(4).map(waits).collect()
    timer.join()
    before, seen = sys.gettrace(), []

    def tracer(frame: object, event: str, arg: object) -> object:
        seen.append(event)
        return tracer

    sys.settrace(tracer)
    try:
        assert lines_of(1) == 4
    finally:
        sys.settrace(before)
    assert "line" in seen
    assert sc.range(4).map(lines_of).sum() == 18
