"""Memory of workers: how often they look for garbage, and when they let kept rows go."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from minispark import SparkContext


class Node:
    """Garbage once nobody asks for it: it holds itself."""

    def __init__(self) -> None:
        self.me = self


def allocations(_: Iterator[int]) -> Iterator[int]:
    yield gc.get_threshold()[0]


def make_rows(_: Iterator[int]) -> Iterator[int]:
    rows = [(n,) for n in range(2_000_000)]
    yield len(rows)


def make_garbage(_: Iterator[int]) -> Iterator[int]:
    for _ in range(2_000_000):
        Node()
    yield gc.get_threshold()[0]


@pytest.fixture
def one(local_sc: SparkContext) -> SparkContext:
    return local_sc


def test_looks_in_vain_become_rare_and_garbage_brings_them_back(one: SparkContext) -> None:
    both = one.parallelize([0, 1], 2)
    both.mapPartitions(make_rows).collect()
    calm = both.mapPartitions(allocations).collect()
    assert all(1_000_000 < each <= 1_600_000 for each in calm)
    both.mapPartitions(make_garbage).collect()
    assert both.mapPartitions(allocations).collect() == [100_000, 100_000]


def test_a_number_that_a_function_sets_stays(one: SparkContext) -> None:
    def own(_: Iterator[int]) -> Iterator[int]:
        before = gc.get_threshold()
        gc.set_threshold(700, 10, 10)
        rows = [(n,) for n in range(10_000)]
        yield gc.get_threshold()[0] + 0 * len(rows)
        gc.set_threshold(*before)

    assert one.parallelize([0, 1], 2).mapPartitions(own).collect() == [700, 700]


def test_what_a_job_kept_for_itself_goes_when_it_ends(local_sc: SparkContext) -> None:
    """Not with the next job's first task: that would wait for it, and the memory would too."""
    session = local_sc._session
    assert local_sc.range(1000).map(lambda n: (-n, n)).sortByKey().keys().first() == -999
    session._loop.settle()
    session._loop.settle()  # the loop has looked at its processes between the two
    processes = session._executors._processes.values()  # type: ignore[attr-defined]
    waiting = [name for process in processes for name, *_ in process.later]
    assert len(processes) == 2 and "free" not in waiting
